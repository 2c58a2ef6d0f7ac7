"""Which rule steps which parameters, and with which knobs: by names, by a question, by being matrices, by being left.

It knows names and shapes, and steps nothing.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mhat.bridges.numpy.apartness import Memory
from mhat.bridges.numpy.containers import kind_of
from mhat.bridges.numpy.knobs import Knobs
from mhat.bridges.numpy.tensor_groups import StepOptions, TensorGroup
from mhat.errors import BadValue, UnknownName
from mhat.language.definition import Rule
from mhat.language.fit import matrix_of
from mhat.language.inference import Level, reductions_over_all
from mhat.language.settings import knobs_set
from mhat.names import find_rule

Array = Any
ENTRY = re.compile(r"""\[('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]]*)\]""")


@dataclass(frozen=True, repr=False)
class Choice:
    """What an optimizer of several rules leaves to a rule, without names."""

    name: str
    what: str

    def __repr__(self) -> str:
        return f"<mhat.{self.name}: {self.what}>"


matrices = Choice("matrices", "what has rows and columns, for the rule that it is given to")
rest = Choice("rest", "what no other rule takes")


@dataclass(frozen=True)
class Part:
    """A rule with its knobs, and the places of the tensors that it steps."""

    rule: Rule
    knobs: Knobs
    places: list[int]

    @property
    def name(self) -> str:
        """The name of the rule, by which the part is known."""
        return self.rule.name


def parts_of(
    rules: Mapping[Any, Any], names: Sequence[str], paths: Sequence[str], tensors: Sequence[Array]
) -> list[tuple[Rule, list[int]]]:
    """Share tensors out among rules: names count before questions, these before matrices, and these before the rest.

    `names`: of the tensors, as the state has them; `paths`: as messages have them. Raises UnknownName or BadValue.
    """
    if not rules:
        raise BadValue("there is no rule", "Give rules with what each takes: {muon: mhat.matrices, adamw: mhat.rest}.")
    found = [(find_rule(rule), choice) for rule, choice in rules.items()]
    for i, (rule, _) in enumerate(found):
        if rule.name in {other.name for other, _ in found[:i]}:
            raise BadValue(f"two rules are called {rule.name}", "Give one of them another name: knobs go by name.")
    owners: list[int | None] = [None] * len(tensors)
    for tier in range(4):
        free = [place for place, owner in enumerate(owners) if owner is None]
        for place in free:
            takers = [
                i for i, (rule, choice) in enumerate(found)
                if _tier(rule, choice) == tier and _takes(rule, choice, names[place], tensors[place])
            ]  # fmt: skip
            if len(takers) > 1:
                both = " and for ".join(found[i][0].name for i in takers)
                raise BadValue(f"{paths[place]} is chosen for {both}", "Choose each parameter for one rule.")
            owners[place] = takers[0] if takers else None
    for _, choice in found:
        _check_names(choice, names)
    for path, owner in zip(paths, owners, strict=True):
        if owner is None:
            cure = f"Add a rule for what is left: {{{found[0][0].name}: ..., adamw: mhat.rest}}."
            raise BadValue(f"{path} is chosen for no rule", cure)
    return [(rule, [p for p, owner in enumerate(owners) if owner == i]) for i, (rule, _) in enumerate(found)]


def _tier(rule: Rule, choice: Any) -> int:
    """Tell how a choice is made: by names, by a question, matrices, or the rest."""
    if isinstance(choice, Choice):
        return 3 if choice == rest else 2
    if isinstance(choice, str) or (isinstance(choice, Iterable) and not isinstance(choice, Mapping)):
        return 0
    if callable(choice):
        return 1
    raise BadValue(
        f"{rule.name} is given {kind_of(choice)} to choose by",
        "Give mhat.matrices, mhat.rest, a list of names, or a function of name and array.",
    )


def _takes(rule: Rule, choice: Any, name: str, tensor: Array) -> bool:
    if choice == rest:
        return True
    if choice == matrices:
        seen = matrix_of(rule, tensor.shape) if rule.level == Level.MATRIX else tensor.shape
        return len(seen) == 2 and 0 not in seen
    if callable(choice):
        return bool(choice(dotted(name), tensor))
    return any(_is_in(name, each) for each in _listed(choice))


def _listed(choice: Any) -> list[Any]:
    return [choice] if isinstance(choice, str) else list(choice)


def _is_in(name: str, given: Any) -> bool:
    """Whether a tensor has this name, or lies in a container of this name."""
    plain, text = dotted(name), str(given)
    return text in (name, plain) or plain.startswith(f"{text}.")


def _check_names(choice: Any, names: Sequence[str]) -> None:
    if isinstance(choice, Choice) or callable(choice):
        return
    for given in _listed(choice):
        if not any(_is_in(name, given) for name in names):
            raise UnknownName("parameter", str(given), [dotted(name) for name in names])


def dotted(name: str) -> str:
    """Write the name of a tensor as frameworks do.

    >>> dotted("['layers'][3]['w']")
    'layers.3.w'
    """
    return ".".join(_plain(entry) for entry in ENTRY.findall(name))


def _plain(entry: str) -> str:
    try:
        return str(ast.literal_eval(entry))
    except (ValueError, SyntaxError):
        return entry


def settled_knobs(
    shares: Sequence[tuple[Rule, list[int]]], named: Mapping[str, Any], mapping: Any, options: Mapping[str, Any]
) -> list[Part]:
    """Give each rule its knobs: by keyword what one rule alone has, in `knobs={"muon": {...}}` what several have."""
    rules = {rule.name: rule for rule, _ in shares}
    known = {name for rule in rules.values() for name in rule.knobs}
    told: dict[str, dict[str, Any]] = {name: {} for name in rules}
    if mapping is not None and not isinstance(mapping, Mapping):
        raise BadValue(f"knobs={mapping!r} is no mapping", f"Give them by rule: {_by_rule(rules, 'lr')}.")
    for rule, own in (mapping or {}).items():
        name = rule.name if isinstance(rule, Rule) else str(rule)
        if name not in rules:
            raise UnknownName("rule of this optimizer", name, rules)
        if not isinstance(own, Mapping):
            raise BadValue(
                f"the knobs of {name} are {kind_of(own)}", f"Give names and values: {_by_rule(rules, 'lr')}."
            )
        told[name] |= {str(knob): value for knob, value in own.items()}
    for knob, value in knobs_set("Optimizer", named, None, known, options).items():
        name = the_one_with(rules, knob, options)
        if knob in told[name]:
            raise BadValue(f"the knob `{knob}` is given twice", "Give it by keyword or in knobs={...}.")
        told[name][knob] = value
    parts = []
    for rule, places in shares:
        rule = rule.sized(told[rule.name])
        knobs = Knobs(rule, f"Options: {', '.join(options)}.")
        knobs.update(told[rule.name])
        parts.append(Part(rule, knobs, places))
    return parts


def the_one_with(rules: Mapping[str, Rule], knob: str, options: Iterable[str] = ()) -> str:
    """Find the one rule that has a knob; raises UnknownName, or BadValue where several have it."""
    having = [name for name, rule in rules.items() if knob in rule.knobs]
    if not having:
        known = {name for rule in rules.values() for name in rule.knobs}
        raise UnknownName(
            f"knob of {' or '.join(rules)}", knob, known, f"Options: {', '.join(options)}." * bool(options)
        )
    if len(having) > 1:
        raise BadValue(f"`{knob}` is a knob of {' and of '.join(having)}", f"Give it by rule: {_by_rule(rules, knob)}.")
    return having[0]


def _by_rule(rules: Mapping[str, Rule], knob: str) -> str:
    name = next((name for name, rule in rules.items() if knob in rule.knobs), next(iter(rules)))
    return f'knobs={{"{name}": {{"{knob}": ...}}}}'


def grouped(
    parts: Sequence[Part], tensors: Sequence[Array], paths: Sequence[str], options: Mapping[str, Any]
) -> list[TensorGroup]:
    """Put tensors that step together into groups, each of one rule and dtype; raises BadValue for what cannot be."""
    groups = [group for part in parts for group in _groups_of(part, tensors, paths, options)]
    written = Memory([stretch for group in groups for stretch in group.written()])
    for group in groups:
        group.keep_apart(written)
    return groups


def _groups_of(
    part: Part, tensors: Sequence[Array], paths: Sequence[str], options: Mapping[str, Any]
) -> list[TensorGroup]:
    """Put the tensors of one rule together by their dtypes."""
    rule, own = part.rule, {place: str(tensors[place].dtype) for place in part.places}
    kinds = list(dict.fromkeys(own.values()))
    if len(kinds) > 1 and reductions_over_all(rule.tree):
        raise BadValue(
            f"{rule.name} looks at all tensors at once, and they are of {' and '.join(kinds)}",
            "Give parameters of one dtype.",
        )
    how = StepOptions(
        options["state_dtype"], options["rounding"], options["flush_denormals"], options["as_written"],
        options["threads"] or os.cpu_count() or 1,
    )  # fmt: skip
    groups = []
    for kind in kinds:
        places = [i for i in part.places if own[i] == kind]
        chosen, called = [tensors[i] for i in places], [paths[i] for i in places]
        groups.append(TensorGroup(rule, part.knobs, chosen, called, places, len(tensors), how))
    return groups
