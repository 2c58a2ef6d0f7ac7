"""Whether one rule with knobs set is another: proved by what every line comes to, else tested on streams.

It knows no rule by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
import numpy.typing as npt

from mhat.engines import stepping
from mhat.language import Level, Rule
from mhat.language.algebra import equal
from mhat.language.pieces import expression_of
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.values import value_of
from mhat.language.walking import mapped, names_in
from mhat.rules.kinship import IDENTITIES, Identity, Setting

Array = npt.NDArray[np.float64]
# On so many streams of so many steps an identity is tried.
STREAMS, STEPS = 4, 40
# How far the two paths may part, against how far x has gone: they round otherwise.
NEAR = 1e-9
MOST_STATES = 4


@dataclass(frozen=True)
class Kin:
    """What is known of an identity: with what right it is said, and how far the two were apart at most on streams."""

    identity: Identity
    status: Literal["proved", "tested", "refuted"]
    apart: float


def settle(identity: Identity, find: Callable[[str], Rule]) -> Kin:
    """Prove an identity, or test it on streams; `find` gives the rule that a name means."""
    rule, other = find(identity.rule), find(identity.same_as)
    apart = max(_apart(identity, rule, other, seed) for seed in range(STREAMS))
    if not apart <= NEAR:
        return Kin(identity, "refuted", apart)
    return Kin(identity, "proved" if not identity.where and _is_proved(identity, rule, other) else "tested", apart)


def _is_proved(identity: Identity, rule: Rule, other: Rule) -> bool:
    """Whether both come to the same in every state that matters, and in x, whatever the numbers are."""
    one, two = _Written(rule.tree, identity.knobs), _Written(other.tree, identity.others)
    if len(one.states) != len(two.states) or len(one.states) > MOST_STATES:
        return False
    return any(_agree(one, two, dict(zip(one.states, order, strict=True))) for order in permutations(two.states))


def _agree(one: _Written, two: _Written, names: Mapping[str, str]) -> bool:
    marks = {mine: Name(f"{theirs}_of_two") for mine, theirs in names.items()}
    theirs = {name: Name(f"{name}_of_two") for name in two.states}

    def same(mine: Expression, other: Expression) -> bool:
        return equal(_filled(mine, marks), _filled(other, theirs))

    return same(one.result, two.result) and all(
        same(one.updates[mine], two.updates[other]) and same(one.starts[mine], two.starts[other])
        for mine, other in names.items()
    )


class _Written:
    """A rule written out: what x and every state that matters come to, in what they were before the step."""

    def __init__(self, tree: Tree, setting: Setting) -> None:
        knobs: dict[str, Expression] = {}
        for knob in tree.knobs:
            if knob.name in setting:
                told = setting[knob.name]
                knobs[knob.name] = expression_of(told) if isinstance(told, str) else Number(float(told))
        known: dict[str, Expression] = dict(knobs)
        for line in tree.body:
            value = _folded(_filled(line.value, known))
            known.update(dict.fromkeys(line.targets, value))
        self.result = _folded(_filled(tree.result, known))
        updates = {state: known.get(state, Name(state)) for state in tree.state_names}
        self.states = tuple(_reached(self.result, updates))
        self.updates = {state: updates[state] for state in self.states}
        self.starts = {s.name: _folded(_filled(s.start, knobs)) for s in tree.states if s.name in self.states}


def _reached(result: Expression, updates: Mapping[str, Expression]) -> Iterator[str]:
    """Yield the states that x comes to depend on, in the order of the rule."""
    reached: set[str] = set()
    waiting = [result]
    while waiting:
        found = {name for name in names_in(waiting.pop()) if name in updates} - reached
        reached |= found
        waiting += [updates[name] for name in found]
    yield from (state for state in updates if state in reached)


def _filled(node: Expression, known: Mapping[str, Expression]) -> Expression:
    return mapped(node, lambda part: known.get(part.id, part) if isinstance(part, Name) else part)


def _folded(node: Expression) -> Expression:
    """Work out what no number can change: products with 0 and 1, sums with 0, powers of 1, choices that are made."""
    return mapped(node, _fold)


def _fold(node: Expression) -> Expression:
    match node:
        case Operation("mul", (Number(0.0), _) | (_, Number(0.0))) | Operation("div", (Number(0.0), _)):
            return Number(0.0)
        case Operation("mul", (Number(1.0), other) | (other, Number(1.0))):
            return other
        case Operation("div", (other, Number(1.0))) | Operation("pow", (other, Number(1.0))):
            return other
        case Operation("add", (Number(0.0), other) | (other, Number(0.0))) | Operation("sub", (other, Number(0.0))):
            return other
        case Operation("sub", (Number(one), Number(other))):
            return Number(one - other)
        case Operation("pow", (Number(0.0), Name("t"))):
            return Number(0.0)
        case Operation("where", (_, one, other)) if one == other:
            return one
    return node


def _apart(identity: Identity, rule: Rule, other: Rule, seed: int) -> float:
    """Drive both on one stream and give how far they part, against how far x has gone."""
    rng = np.random.Generator(np.random.PCG64(seed))
    shape = _shape(identity, rule, other)
    gradients = [rng.normal(size=shape) * 10.0 ** rng.integers(-2, 3) for _ in range(STEPS)]
    start = rng.normal(size=shape)
    free = {name: _odd(name, rng) for name in sorted({*rule.knobs, *other.knobs})}
    values = {**other.knobs, **{name: free[name] for name in other.knobs if name in rule.knobs}}
    values = {**values, **{name: free[name] for name in _read_in(identity.knobs)}, **_numbers(identity.others, values)}
    told = {**rule.knobs, **{name: values[name] for name in rule.knobs if name in values}}
    told = {**told, **_numbers(identity.knobs, values)}
    with np.errstate(all="ignore"):
        mine, theirs = (_path(each, start, gradients, knobs) for each, knobs in ((rule, told), (other, values)))
    gone = np.max(np.abs(theirs - start)) + 1e-300
    apart = float(np.max(np.abs(mine - theirs)) / gone)
    return apart if np.isfinite(gone) else float("nan")


def _shape(identity: Identity, rule: Rule, other: Rule) -> tuple[int, ...]:
    matrix = Level.MATRIX in (rule.level, other.level)
    if identity.where == "one number":
        return (1, 1) if matrix else (1,)
    return (3, 3) if matrix else (5,)


def _path(rule: Rule, start: Array, gradients: list[Array], knobs: Mapping[str, float]) -> Array:
    x, state, record = start, None, []
    for step, gradient in enumerate(gradients, 1):
        x, state, _ = stepping.step(rule, x, gradient, step, state, **knobs)
        record.append(x)
    return np.array(record)


def _numbers(setting: Setting, values: Mapping[str, float]) -> dict[str, float]:
    return {
        name: value_of(expression_of(value), values) if isinstance(value, str) else float(value)
        for name, value in setting.items()
    }


def _read_in(setting: Setting) -> set[str]:
    return {name for value in setting.values() if isinstance(value, str) for name in names_in(expression_of(value))}


def _odd(name: str, rng: np.random.Generator) -> float:
    """Give a knob a value that no rule has by default; knobs are shares, small numbers or counts by their names."""
    counted = {"every": 3.0, "warmup": 3.0, "threshold": 4.5}
    if name in counted:
        return counted[name]
    if name == "beta2":
        # Averages so short that they do not exist in RAdam say nothing.
        return float(rng.uniform(0.9, 0.98))
    if name.startswith("eps"):
        return float(rng.uniform(1e-4, 1e-2))
    return float(rng.uniform(0.2, 0.8)) if name != "lr" else float(rng.uniform(0.01, 0.1))


def between(one: str, other: str) -> list[Identity]:
    """List the identities that join two rules, in either direction."""
    return [each for each in IDENTITIES if {each.rule, each.same_as} == {one, other}]


def is_in_force(identity: Identity, knobs: Mapping[str, float], others: Mapping[str, float]) -> bool:
    """Whether an identity says that two rules with these knobs are one; `others`: those of the rule it leads to."""
    values = {**others}
    told = {**_numbers(identity.knobs, values)}
    same = all(knobs.get(name) == value for name, value in told.items())
    there = all(others.get(name) == value for name, value in _numbers(identity.others, values).items())
    free = [name for name in knobs if name in others and name not in told]
    return same and there and not identity.where and all(knobs[name] == others[name] for name in free)
