"""Rules run beside each other on named streams, and how far apart they come. It knows no framework.

How far is a share of the way: the difference of x at a step, in parts of how far x has come from its start until then.
The largest over all steps and coordinates is what is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from mhat import streams
from mhat.engines.exact import Exact, nearest_double
from mhat.engines.program import Program, first_environment
from mhat.engines.tensors import Tensor, values_of
from mhat.language import Level, Rule
from mhat.language.inference import reductions_over_all
from mhat.laws.rounding import operations
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Array

STEPS = 100
START = 1.0
# Named as they can be typed: mhat trace adam --stream normal:scale=1e-6
STREAMS = {
    "constant": "constant",
    "normal": "normal",
    "spike": "spike",
    "sparse": "sparse",
    "tiny": "normal:scale=1e-6",
}
TINY = "tiny"
Paths = Mapping[str, Array]
# Streams on which an optimizer is held against what is known of it, and the share of straying that is allowed.
JUDGED, MARGIN = ("normal", "tiny"), 8.0
# Steps that show whether two rules are the same without a knob.
FEW = 40
# A tensor of three coordinates for rules that look at whole tensors: the stream, and less of it the other way.
COORDINATES = (1.0, -0.5, 0.1)
# Nearer than this on 50 digits is the same: what is left are their roundings.
ROUNDINGS_OF_DIGITS = 1e-35


def whole_tensors(*rules: Rule) -> bool:
    """Whether one of the rules looks at more than one coordinate."""
    return any(rule.level != Level.COORDINATE or reductions_over_all(rule.tree) for rule in rules)


@cache
def gradients(several: bool) -> dict[str, Array]:
    """Give the gradients of each stream, (T, 1), or (T, 3) where `several` coordinates are needed."""
    factors = np.array(COORDINATES if several else COORDINATES[:1])
    made = {name: np.asarray(streams.named(spec, STEPS).values, dtype=float) for name, spec in STREAMS.items()}
    return {name: values.reshape(-1, 1) * factors for name, values in made.items()}


@dataclass(frozen=True)
class Apart:
    """How far two runs come apart on a stream: the largest share of the way, and the step it is at."""

    share: float
    step: int


def apart(one: Array, other: Array, start: float = START) -> Apart:
    """Say how far two runs (T, n) come apart; infinitely where one of them alone is not a number."""
    with np.errstate(all="ignore"):
        moved = np.maximum.accumulate(np.maximum(abs(one - start), abs(other - start)), axis=0)
        shares = np.where(moved > 0, abs(one - other) / moved, 0.0)
        shares = np.where(np.isfinite(one) & np.isfinite(other), shares, np.where(one == other, 0.0, np.inf))
    shares = np.where(np.isnan(one) & np.isnan(other), 0.0, shares).max(axis=1)
    worst = int(np.argmax(shares))
    return Apart(float(shares[worst]), worst + 1)


def rule_paths(rule: Rule, several: bool, knobs: Mapping[str, float] | None = None) -> Paths:
    """Run a rule by every stream, in double precision."""
    subject, given = subject_of_rule(rule), gradients(several)
    if several:
        return {name: subject.run(values, START, knobs) for name, values in given.items()}
    # Coordinates know nothing of each other: all streams are one run.
    found = subject.run(np.hstack(list(given.values())), START, knobs)
    return {name: found[:, i : i + 1] for i, name in enumerate(given)}


@cache
def rounding(rule: Rule, several: bool, stream: str) -> float:
    """Say how far an honest implementation of a rule may lie from it on a stream, in parts of the way.

    Eight times as far as the rule itself strays in double precision from 50 digits, and for every step half an ulp for
    each of its operations, and one of the start, beside which x is rounded.
    """
    exact, values = Exact(), gradients(several)[stream]
    path = np.array([[nearest_double(x) for x in tensor.values] for tensor in _exact_path(rule, exact, values)])
    strayed = apart(rule_paths(rule, several)[stream], path).share
    moved = np.abs(path - START).max(axis=1)
    steps = np.arange(1.0, len(path) + 1)
    ulp = float(np.finfo(np.float64).eps)
    with np.errstate(divide="ignore"):
        rounded = steps * ulp * (operations(rule) / 2 + np.where(moved > 0, START / moved, 0.0))
    return MARGIN * strayed + float(rounded.max())


def all_apart(one: Mapping[str, Array], other: Mapping[str, Array]) -> dict[str, Apart]:
    """Say how far two sets of runs come apart, by stream."""
    return {name: apart(one[name], other[name]) for name in one}


def worst(found: Mapping[str, Apart]) -> float:
    """Give the largest share of all streams."""
    return max(each.share for each in found.values())


def same(one: Rule, other: Rule, steps: int = STEPS, only: tuple[str, ...] = tuple(STREAMS)) -> bool:
    """Whether two rules are the same on 50 digits, on these streams."""
    several = whole_tensors(one, other)
    return all(_agree(one, other, values[:steps]) for name, values in gradients(several).items() if name in only)


def _agree(one: Rule, other: Rule, values: Array) -> bool:
    exact = Exact()
    sub = exact.operation("sub")
    first, second = (_exact_path(rule, exact, values) for rule in (one, other))
    start = exact.tensor([START] * values.shape[1], values.shape[1:])
    far = [0.0] * values.shape[1]
    for a, b in zip(first, second, strict=True):
        differences = [float(value) for value in values_of(sub(a, b))]
        for i, (difference, value) in enumerate(zip(differences, values_of(sub(a, start)), strict=True)):
            far[i] = max(far[i], abs(float(value)))
            if not abs(difference) <= ROUNDINGS_OF_DIGITS * max(far[i], START * 1e-10) and not _both_odd(a, b, i):
                return False
    return True


def _both_odd(a: Tensor, b: Tensor, i: int) -> bool:
    """Whether both are no number, or the same infinity."""
    one, other = float(a.values[i]), float(b.values[i])
    return one == other or (one != one and other != other)


def _exact_path(rule: Rule, exact: Exact, values: Array) -> list[Tensor]:
    program, shape = _program(rule), values.shape[1:]

    def tensor(numbers: Array) -> Tensor:
        made = exact.tensor(numbers.tolist(), shape)
        assert isinstance(made, Tensor)
        return made

    numbers = {name: exact.number(value) for name, value in rule.knobs.items()}
    one = exact.number(1.0)
    environment = first_environment(rule, tensor(np.full(shape, START)), tensor(values[0]), numbers, one, one, one)
    environment.update(program.start(environment))
    path = []
    for i, g in enumerate(values):
        environment.update(t=exact.number(i + 1.0), g=tensor(g))
        (x,) = program.step([environment])
        environment["x"] = x if isinstance(x, Tensor) else Tensor((x,) * shape[0], shape)
        path.append(environment["x"])
    return path


@cache
def _program(rule: Rule) -> Program:
    return Program(rule, Exact())
