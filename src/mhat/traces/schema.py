"""What a trace says about itself: attributes that let it be run again from the file alone, and their readers.

It knows no drawing. Whoever wants to know something of a trace asks a reader here.

rule, source, paper, level     the rule, as text that parses
knobs                          JSON: every knob that is a number; knobs with dimensions are coordinates
dtype, steps, start, tensor    how it was run; start as JSON (a number, or dimensions and values). In JSON what is not
                               finite is one of the texts "nan", "inf" and "-inf"
arithmetic                     float16 or bfloat16, where that is the dtype and the values are held as float32
engine                         only where it ran without kernels because the rule could not be compiled: why
stream or landscape            the recipe on the command line, empty for the user's own gradients
version                        of mhat

A trace says its rule as the coordinate `rule` too, so that `xr.concat([a, b], "rule")` keeps the names. Of several
rules that were run together `rule` is a dimension, and the attribute `rules` (JSON) says source, paper, level, knobs
and tensor of each by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mhat import landscapes, streams
from mhat.dtypes import DTYPES
from mhat.engines.plan import uncompiled
from mhat.engines.work import variables_of
from mhat.errors import BadValue, UnknownName
from mhat.landscapes import Landscape
from mhat.language import Level, Rule
from mhat.language import rule as rule_in
from mhat.notation import cut
from mhat.notation.strict_json import data_in, numbers_in, text_of
from mhat.printers import python
from mhat.traces.dimensions import RULE
from mhat.traces.request import Request, understand_one
from mhat.version import VERSION

SEVERAL = "rules"
# Attributes that are JSON.
IN_JSON = ("knobs", "start", "tensor", SEVERAL)
# What a trace of several rules says of each.
OF_EACH = ("source", "paper", "level", "knobs", "tensor")


def attributes(request: Request) -> dict[str, str | int]:
    """Give the attributes of a trace."""
    held_wider = {"arithmetic": request.dtype} if DTYPES[request.dtype].small else {}
    refused = uncompiled(request.rule)
    without = {"engine": f"without kernels: Numba does not compile the rule ({refused})"} if refused else {}
    array_knobs = {*request.arrays, *request.schedules}
    defaults = {name: value for name, value in request.rule.knobs.items() if name not in array_knobs}
    return {
        "rule": request.rule.name,
        "source": request.rule.source.text or _text_of(request.rule),
        "paper": request.rule.paper,
        "level": str(request.rule.level),
        "knobs": text_of({**defaults, **request.numbers}),
        "dtype": request.dtype,
        **held_wider,
        **without,
        "steps": request.steps,
        "start": text_of(_plain_start(request.start)),
        "tensor": text_of(request.tensor),
        "landscape" if request.landscape else "stream": request.recipe,
        "version": VERSION,
    }


def attributes_of_several(requests: Mapping[str, Request]) -> dict[str, str | int]:
    """Give the attributes of a trace of several rules: what they share, and in `rules` what is said of each."""
    each = {name: attributes(request) for name, request in requests.items()}
    own = {name: {key: said[key] for key in OF_EACH} for name, said in each.items()}
    for said in own.values():
        said |= {key: data_in(said[key]) for key in ("knobs", "tensor")}
    shared = {key: value for key, value in next(iter(each.values())).items() if key not in OF_EACH}
    return {**shared, "rule": ", ".join(requests), SEVERAL: text_of(own)}


def _text_of(rule: Rule) -> str:
    """Print a rule that code has made, with its paper, so that it is the same rule when it is read again."""
    paper = f"@rule(paper={rule.paper!r})\n" if rule.paper else ""
    return paper + python.rule_text(rule.tree)


def _plain_start(start: float | xr.DataArray) -> Any:
    # Labels are in the trace: as coordinates of its dimensions.
    if isinstance(start, xr.DataArray):
        return {"dims": list(start.dims), "values": np.asarray(start).tolist()}
    return start


@dataclass(frozen=True)
class Ran:
    """What ran, on what and for how long: enough for a title.

    `on` is the recipe of a stream, without its number of steps, or of a landscape; empty for the user's own.
    """

    rule: str
    paper: str
    on: str
    closed: bool
    steps: int
    dtype: str


def is_trace(ds: xr.Dataset) -> bool:
    """Whether a Dataset says which rule ran, over steps."""
    return "rule" in ds.attrs and "step" in ds.dims


def check_dataset(ds: Any) -> None:
    """Refuse what is no Dataset; raises BadValue."""
    if not isinstance(ds, xr.Dataset):
        raise BadValue(f"{cut(repr(ds))} is no trace", "Give what mhat.trace or mhat.load gives.")


def is_several(ds: xr.Dataset) -> bool:
    """Whether a Dataset holds the traces of several rules, along the dimension `rule`."""
    return RULE in ds.dims


def names_of(ds: xr.Dataset) -> tuple[str, ...]:
    """Give the names of the rules of a trace: one, or all along the dimension `rule`."""
    if is_several(ds):
        return tuple(map(str, ds[RULE].values.tolist()))
    return (str(ds.coords[RULE].values.item()) if _is_named(ds) else str(ds.attrs.get("rule", "")),)


def parts_of(ds: xr.Dataset) -> dict[str, xr.Dataset]:
    """Take a trace of several rules apart by their names: each as a trace of its own, without what the rule lacks.

    A trace of one rule is its only part. Raises BadValue if it does not say how one of them was run.
    """
    if not is_several(ds):
        return {names_of(ds)[0]: ds}
    parts = {}
    for place, name in enumerate(names_of(ds)):
        about = _about(ds, name)
        part = ds.isel({RULE: place}).assign_attrs(about)
        part.attrs.pop(SEVERAL, None)
        own = variables_of(rule_in(str(about["source"])))
        parts[name] = part.drop_vars([each for each in part.data_vars if each not in own])
    return parts


def rule_of(ds: xr.Dataset, name: str | None = None) -> Rule:
    """Give the rule of a trace, or the one of that name of several, read from its source.

    Raises BadValue, UnknownName or LanguageError.
    """
    return rule_in(str(_about(ds, name).get("source", "")))


def knobs_of(ds: xr.Dataset, name: str | None = None) -> dict[str, float]:
    """Give the knobs that are one number, of a trace, or of the rule of that name of several.

    Those with dimensions are its coordinates. Raises BadValue, UnknownName.
    """
    knobs = _decoded(_about(ds, name), "knobs", {})
    if not isinstance(knobs, dict):
        raise _unreadable("knobs")
    return {str(name): _number("knobs", value) for name, value in knobs.items()}


def start_of(ds: xr.Dataset) -> float | xr.DataArray | None:
    """Give x before step 1, an array with the labels of the trace; None where it is not said. Raises BadValue."""
    start = _decoded(ds.attrs, "start", None)
    if start is None or not isinstance(start, dict):
        return None if start is None else _number("start", start)
    try:
        values, dims = np.asarray(numbers_in(start["values"]), dtype=np.float64), [str(dim) for dim in start["dims"]]
        labels = {name: array for name, array in ds.coords.items() if array.ndim and set(array.dims) <= set(dims)}
        return xr.DataArray(values, dims=dims, coords=labels)
    except (KeyError, TypeError, ValueError):
        raise _unreadable("start") from None


def tensor_of(ds: xr.Dataset, name: str | None = None) -> tuple[str, ...]:
    """Give the dimensions that make up one tensor, for the rule of that name of several.

    Raises BadValue, UnknownName.
    """
    tensor = _decoded(_about(ds, name), "tensor", [])
    if not isinstance(tensor, list):
        raise _unreadable("tensor")
    return tuple(map(str, tensor))


def attributes_of(ds: xr.Dataset) -> dict[str, Any]:
    """Give all attributes of a trace as data: those that a file can only hold as JSON text are opened."""
    return {
        str(name): _decoded(ds.attrs, str(name), None) if name in IN_JSON else value for name, value in ds.attrs.items()
    }


def landscape_of(ds: xr.Dataset) -> Landscape | None:
    """Give the landscape that a trace ran on, if it ran on one of the library."""
    recipe = str(ds.attrs.get("landscape", ""))
    return landscapes.named(recipe) if recipe else None


def what_ran(ds: xr.Dataset) -> Ran:
    """Say what ran, on what and for how long."""
    closed = "landscape" in ds.attrs
    recipe = str(ds.attrs.get("landscape" if closed else "stream", ""))
    return Ran(
        rule=", ".join(names_of(ds)),
        paper=str(ds.attrs.get("paper", "")),
        on=recipe if closed else re.sub(r"(,|:)steps=\d+$|steps=\d+,", "", recipe),
        closed=closed,
        steps=ds.sizes.get("step", 0),
        dtype=str(ds.attrs.get("dtype", "float64")),
    )


def request_of(ds: xr.Dataset) -> Request:
    """Understand a trace of one rule as the request that made it; raises BadValue if it does not hold enough."""
    check_dataset(ds)
    for name in ("rule", "source", "knobs", "dtype", "steps", "start"):
        if name not in ds.attrs:
            raise BadValue(f"this is not a trace of mhat: it has no attribute `{name}`", "Give a file saved by mhat.")
    rule = rule_of(ds)
    knobs: dict[str, Any] = {**knobs_of(ds)}
    knobs |= _swept_knobs(ds, rule, [name for name in rule.knobs if name not in knobs])
    return understand_one(
        rule,
        _given(ds),
        steps=_steps_of(ds),
        start=start_of(ds),
        dtype=str(ds.attrs["dtype"]),
        keep=[str(name) for name in ds.data_vars] or ["x"],
        tensor=_asked_tensor(ds, rule),
        knobs=knobs,
        recipe=str(ds.attrs.get("stream", ds.attrs.get("landscape", ""))),
    )


def _steps_of(ds: xr.Dataset) -> int:
    return int(_number("steps", ds.attrs["steps"]))


def _swept_knobs(ds: xr.Dataset, rule: Rule, names: list[str]) -> dict[str, xr.DataArray]:
    """Give the knobs with dimensions, in the order of these, which is that in which they were given."""
    order = max((array.dims for array in ds.data_vars.values()), key=len, default=())
    found = {name: _knob_of(ds, name, rule.knobs) for name in names}
    places = {name: [order.index(dim) for dim in array.dims if dim in order] for name, array in found.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: min(places[name], default=0))}


def _knob_of(ds: xr.Dataset, name: str, knobs: Iterable[str]) -> xr.DataArray:
    """Give a knob that is a coordinate, with the labels of its dimensions and without the other knobs."""
    if name not in ds.coords:
        raise BadValue(f"the trace does not say the knob `{name}`", "Give a file saved by mhat.")
    array = ds[name]
    return array.drop_vars([other for other in knobs if other in array.coords and other not in array.dims])


def _asked_tensor(ds: xr.Dataset, rule: Rule) -> tuple[str, ...] | None:
    if "tensor" not in ds.attrs or (rule.level == Level.COORDINATE and "landscape" in ds.attrs):
        return None
    return tensor_of(ds)


def _given(ds: xr.Dataset) -> Any:
    if "landscape" in ds.attrs:
        landscape = landscape_of(ds)
        if landscape is None:
            raise BadValue("the trace ran on a landscape of your own", "Run it with the landscape at hand.")
        return landscape
    if "g" in ds:
        return ds["g"]
    if ds.attrs.get("stream"):
        return streams.named(str(ds.attrs["stream"]), steps=_steps_of(ds))
    raise BadValue("the trace holds no gradients", "Save it with `g` among the variables to keep.")


def _is_named(ds: xr.Dataset) -> bool:
    return RULE in ds.coords and not ds.coords[RULE].ndim


def _about(ds: xr.Dataset, name: str | None) -> Mapping[str, Any]:
    """Give what a trace says of one of its rules; raises BadValue where that is not said, or not which is meant."""
    own = str(ds.attrs.get("rule", ""))
    rules = _decoded(ds.attrs, SEVERAL, None)
    if rules is None:
        names = names_of(ds)
        if name is not None and name not in (own, *names):
            raise UnknownName("rule of the trace", name, names)
        wanted = names[0] if name is None and len(names) == 1 else name
        if (is_several(ds) and name is None) or (wanted is not None and wanted != own and own):
            raise BadValue(
                f"these are several traces in one, and it says only how `{own}` was run",
                "Keep them apart, or trace the rules together: mhat.trace(['adam', 'sgd'], ...).",
            )
        return ds.attrs
    if not isinstance(rules, dict) or not all(isinstance(each, dict) for each in rules.values()):
        raise _unreadable(SEVERAL)
    wanted = name or (str(ds.coords[RULE].values.item()) if _is_named(ds) else own)
    if wanted in rules:
        return {**ds.attrs, **rules[wanted], "rule": wanted}
    if name is not None:
        raise UnknownName("rule of the trace", name, rules)
    raise BadValue(
        f"this is a trace of several rules: {', '.join(rules)}", f'Choose one: ds.sel(rule="{next(iter(rules))}").'
    )


def _decoded(attributes: Mapping[Any, Any], name: str, missing: Any) -> Any:
    if name not in attributes:
        return missing
    # What is said of one rule of several has been opened with all.
    if isinstance(attributes[name], dict | list):
        return attributes[name]
    try:
        return data_in(attributes[name])
    except ValueError:
        raise _unreadable(name) from None


def _number(attribute: str, value: Any) -> float:
    try:
        return float(numbers_in(value if not hasattr(value, "item") else value.item()))
    except (TypeError, ValueError, OverflowError):
        raise _unreadable(attribute) from None


def _unreadable(attribute: str) -> BadValue:
    return BadValue(f"the attribute `{attribute}` of this trace cannot be read", "Give a file saved by mhat.")
