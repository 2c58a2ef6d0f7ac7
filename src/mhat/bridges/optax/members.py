"""The rules of a transformation, each with its knobs and with the leaves that it takes. It steps nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mhat.bridges.numpy.parts import parts_of, the_one_with
from mhat.bridges.optax.settings import Setting, checked
from mhat.errors import BadValue
from mhat.exports.displacements import Displacement, displacement
from mhat.language.definition import Rule
from mhat.language.fit import FLATTEN, matrix_of, require_fit
from mhat.language.inference import Level
from mhat.language.settings import knobs_set
from mhat.names import find_rule

OTHER = "Give it to another rule: transformation({{{0}: mhat.matrices, mhat.rules.adamw: mhat.rest}})."


@dataclass(frozen=True)
class Member:
    """A rule with its knobs; `choice`: what it takes of the parameters, None for all of them."""

    rule: Rule
    settings: Mapping[str, Setting]
    choice: Any = None

    @property
    def name(self) -> str:
        """The name of the rule, by which it is known."""
        return self.rule.name

    @property
    def moving(self) -> Displacement:
        """What is added to x."""
        return displacement(self.rule)


def members_of(rule: Any, knobs: Mapping[str, Any] | None, named: Mapping[str, Any]) -> list[Member]:
    """Find the rules that are meant, and sort the knobs by them; raises UnknownName, BadValue, LanguageError."""
    if len(named) == 1 and isinstance(next(iter(named.values())), Mapping):
        (word,) = named
        raise BadValue(
            f"{word}= is a mapping, as inject_hyperparams makes of keywords",
            "Give it a factory, which has the knobs of its rule by name: "
            "inject_hyperparams(factory(mhat.rules.adam))(lr=...).",
        )
    if not isinstance(rule, Mapping):
        one = find_rule(rule)
        settings = checked(one, knobs_set("transformation", named, knobs, one.knobs, {}))
        return [Member(one.sized(settings), settings)]
    found = {each: find_rule(each) for each in rule}
    names = {one.name: one for one in found.values()}
    if not found or len(names) < len(found):
        # It says what is wrong.
        parts_of(rule, ["[]"], ["params"], [])
    told = _told(names, knobs, named)
    return [Member(one.sized(told[one.name]), checked(one, told[one.name]), rule[each]) for each, one in found.items()]


def _told(rules: Mapping[str, Rule], mapping: Any, named: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {name: {} for name in rules}
    shape = f'knobs={{"{next(iter(rules))}": {{"lr": ...}}}}'
    if mapping is not None and not isinstance(mapping, Mapping):
        raise BadValue(f"knobs={mapping!r} is no mapping", f"Give them by rule: {shape}.")
    for rule, own in (mapping or {}).items():
        name = rule.name if isinstance(rule, Rule) else str(rule)
        if name not in rules:
            raise BadValue(f"`{name}` is no rule of this transformation", f"Its rules: {', '.join(rules)}.")
        if not isinstance(own, Mapping):
            raise BadValue(f"the knobs of {name} are {own!r}", f"Give names and values: {shape}.")
        told[name] |= {str(knob): value for knob, value in own.items()}
    for knob, value in named.items():
        name = the_one_with(rules, knob)
        if knob in told[name]:
            raise BadValue(f"the knob `{knob}` is given twice", "Give it by keyword or in knobs={...}.")
        told[name][knob] = value
    return told


def shared(members: Sequence[Member], names: Sequence[str], leaves: Sequence[Any]) -> list[list[int]]:
    """Say which tensors each rule takes, by their places among them; raises UnknownName or BadValue."""
    if members[0].choice is None:
        return [list(range(len(leaves)))]
    if not leaves:
        return [[] for _ in members]
    chosen = {member.rule: member.choice for member in members}
    parts = parts_of(chosen, names, [f"params{name}" for name in names], leaves)
    return [places for _, places in parts]


def check_fit(rule: Rule, shape: tuple[int, ...], called: str) -> None:
    """Refuse a tensor that a rule cannot step; raises BadValue with the cure."""
    if rule.level != Level.MATRIX:
        return
    seen = matrix_of(rule, shape)
    if len(seen) != 2:
        cure = FLATTEN if len(seen) > 2 else OTHER.format(f"mhat.rules.{rule.name}")
        raise BadValue(f"{rule.name} is a rule per matrix, and {called} has the shape {shape}", cure)
    require_fit(rule, seen, called)
