"""What the commands tell of a rule, a stream, a landscape or a trace, as plain data: what `--json` prints.

It knows no terminal, draws nothing and runs nothing.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mhat.language import Rule
from mhat.language.costs import kept_by
from mhat.language.outside import OUTSIDE
from mhat.language.shards import on_a_shard
from mhat.notation import summary
from mhat.notation.strict_json import plain, text_of
from mhat.printers import python
from mhat.rules.field import FIELD
from mhat.rules.kinship import kin_of

if TYPE_CHECKING:
    import xarray as xr

    from mhat.laws.kinship import Kin

FIRST = 10


def of_rule(rule: Rule) -> dict[str, Any]:
    """Tell of a rule: name, level, paper, doc, code, inputs, variables, states (name, start) and knobs.

    `state_bytes`: bytes of state a parameter in float32; `state_beside`: states as large as sides say;
    `shard`: what a step needs where tensors are cut.

    A knob has name, default, meaning, range (in words), low, high and high_included; no bound is null.
    """
    knobs = []
    for name, default in rule.knobs.items():
        meaning = rule.meaning(name)
        knobs.append(
            {
                "name": name,
                "default": default,
                "meaning": meaning.sentence,
                "range": meaning.range.replace("value", name),
                "low": meaning.low if math.isfinite(meaning.low) else None,
                "high": meaning.high if math.isfinite(meaning.high) else None,
                "high_included": meaning.closed,
            }
        )
    return {
        "name": rule.name,
        "level": str(rule.level),
        "state_bytes": kept_by(rule).bytes_each(4),
        "state_beside": [*kept_by(rule).other],
        "shard": on_a_shard(rule),
        "paper": rule.paper,
        "doc": inspect.cleandoc(rule.doc),
        "code": python.rule_text(rule.tree),
        "inputs": list(rule.tree.inputs),
        "variables": list(rule.variables),
        "states": [{"name": s.name, "start": python.expression_text(s.start)} for s in rule.tree.states],
        "knobs": knobs,
        "kin": [identity.sentence for identity in kin_of(rule.name)],
        "conformance": dict(FIELD.get(rule.name, {})),
    }


def of_rules(rules: Iterable[Rule], family_of: Callable[[str], str]) -> list[dict[str, Any]]:
    """Tell of a library of rules, each with name, family, year, level, bytes of state a parameter, paper and summary.

    The bytes are those of float32; a row or a column is left out, and matrices of another shape are `state_beside`.
    `relatives` are rules that it is, or that are it, with some knobs set; `conformance` says what each framework that
    has it makes of it: conforms, dialect or deviates.
    """
    return [
        {
            "name": rule.name,
            "family": family_of(rule.name),
            "year": year_of(rule.paper),
            "level": str(rule.level),
            "state_bytes": kept_by(rule).bytes_each(4),
            "state_beside": [*kept_by(rule).other],
            "relatives": relatives_of(rule.name),
            "conformance": dict(FIELD.get(rule.name, {})),
            "paper": rule.paper,
            "summary": rule.doc.strip().partition("\n")[0],
        }
        for rule in rules
    ]


def relatives_of(name: str) -> list[str]:
    """Name the rules that a rule is with some knobs set, and those that are it.

    >>> relatives_of("tiger")[:3]
    ['signum', 'signsgd', 'lion']
    """
    pairs = ((identity.rule, identity.same_as) for identity in kin_of(name))
    return list(dict.fromkeys(other if one == name else one for one, other in pairs))


def of_kin(kin: Kin) -> dict[str, Any]:
    """Tell of an identity: rule, knobs, same_as, others, where, the sentence, and with what right it is said."""
    own = kin.identity
    return {
        "rule": own.rule, "knobs": plain(dict(own.knobs)), "same_as": own.same_as, "others": plain(dict(own.others)),
        "where": own.where, "sentence": own.sentence, "status": kin.status,
    }  # fmt: skip


def year_of(paper: str) -> int | None:
    """Find the year of a publication in its name.

    >>> year_of("Kingma & Ba 2015, Adam, Algorithm 1, arXiv:1412.6980")
    2015
    """
    found = re.search(r"\b(19|20)\d\d\b(?!\.)", paper)
    return int(found.group()) if found else None


def of_outside() -> list[dict[str, Any]]:
    """Tell of the optimizers that no rule can be: each reason with their names."""
    return [{"reason": each.reason, "names": list(each.names)} for each in OUTSIDE]


def of_members(summaries: dict[str, str]) -> list[dict[str, str]]:
    """Tell of all streams or landscapes, each with name and summary."""
    return [{"name": name, "summary": text} for name, text in summaries.items()]


def of_stream(function: Callable[..., Any], stream: Any) -> dict[str, Any]:
    """Tell of a stream: name, summary, doc, arguments, recipe, dims, shape and the first gradients."""
    return {
        **_of_function(function),
        "recipe": stream.recipe,
        "dims": list(stream.dims),
        "shape": list(stream.values.shape),
        "first": plain(stream.values[:FIRST].tolist()),
    }


def of_landscape(function: Callable[..., Any], landscape: Any) -> dict[str, Any]:
    """Tell of a landscape: name, summary, doc, arguments, recipe, lesson, start, minimum, minimum_value, window."""
    return {
        **_of_function(function),
        "recipe": landscape.recipe,
        "lesson": landscape.lesson,
        "start": list(landscape.start),
        "minimum": [list(point) for point in landscape.minimum],
        "minimum_value": plain(landscape.minimum_value),
        "window": [list(ends) for ends in landscape.window],
    }


def of_schedule(function: Callable[..., Any], schedule: Any, steps: int) -> dict[str, Any]:
    """Tell of a schedule: name, summary, doc, arguments, recipe, formula, sentence and the values of its steps."""
    return {
        **_of_function(function),
        "recipe": schedule.recipe,
        "formula": schedule.formula,
        "sentence": schedule.sentence,
        "steps": steps,
        "values": plain(schedule.values(steps).tolist()),
    }


def _of_function(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {
        "name": function.__name__,
        "summary": summary(function),
        "doc": (inspect.getdoc(function) or "").partition("\n>>>")[0].partition("\n")[2].strip(),
        "arguments": [
            {
                "name": each.name,
                "default": plain([] if each.default is each.empty else each.default),
            }
            for each in parameters
        ],
    }


def of_trace(ds: xr.Dataset, attributes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Tell all of a trace: attributes, sizes, coordinates and variables (each dims and values), and `more`.

    The command adds not_finite (a list of what `non_finite` tells), and saved and drawn, the files it wrote.
    """
    return {
        "attributes": plain(dict(attributes)),
        "sizes": {str(dim): size for dim, size in ds.sizes.items()},
        "coordinates": {str(name): _array(array) for name, array in ds.coords.items()},
        "variables": {str(name): _array(array) for name, array in ds.data_vars.items()},
        **more,
    }


def _array(array: xr.DataArray) -> dict[str, Any]:
    return {"dims": [str(dim) for dim in array.dims], "values": plain(array.values.tolist())}


def non_finite(name: str, array: xr.DataArray) -> dict[str, Any]:
    """Count what is not finite in a variable: of how many, and the first step, place and value; null if none."""
    values = array.transpose("step", ...).values
    flags = ~(abs(values) < math.inf)
    found: dict[str, Any] = {"variable": name, "count": int(flags.sum()), "of": int(flags.size)}
    if not found["count"]:
        return {**found, "first_step": None, "place": {}, "value": None}
    at = [int(index) for index in zip(*flags.nonzero(), strict=True).__next__()]
    first = array.transpose("step", ...)[tuple(at)]
    place = {str(dim): _label(array, str(dim), index) for dim, index in zip(array.dims[1:], at[1:], strict=True)}
    return {**found, "first_step": int(first["step"]), "place": place, "value": plain(float(first))}


def together(counted: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    """Add up what `non_finite` tells of a variable in one block of steps after another."""
    own = [each for each in counted if each["variable"] == name]
    nothing: dict[str, Any] = {"first_step": None, "place": {}, "value": None}
    first = next((each for each in own if each["count"]), nothing)
    return {**first, "variable": name, "count": sum(e["count"] for e in own), "of": sum(e["of"] for e in own)}


def _label(array: xr.DataArray, dim: str, index: int) -> Any:
    return plain(array[dim].values[index].item()) if dim in array.coords else index


def as_json(data: Any) -> str:
    """Write data as JSON on one line."""
    return text_of(data)
