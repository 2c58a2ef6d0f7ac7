"""A rule driven step by step, and what its expressions come to on the way. It knows no rule by name.

What the walks give has the bits of a trace; they are quicker for many short ones, and look between the lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.small import arrays_of
from mhat.explanations.numbers.responses import Spot
from mhat.language import Assignment, Level, Rule, of_tree

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Walked:
    """What came of a walk: `moves` is what each step added to x, `x` where it was after, (T, n); `spots` in order."""

    moves: Array
    x: Array
    spots: tuple[Array, ...]
    states: Mapping[str, Any]


def walk(
    rule: Rule,
    knobs: Mapping[str, float],
    gradients: Array,
    spots: Sequence[Spot] = (),
    *,
    start: float | Array = 0.0,
    held: bool = False,
    dtype: str = "float64",
    first: int = 1,
    states: Mapping[str, Any] | None = None,
) -> Walked:
    """Run a rule on gradients (T, n), each coordinate by itself where the rule allows it.

    `spots`: expressions to be recorded. `held`: x is put back to its start after each step, so that what decays it is
    left out. `first`: the number of the first step. `states`: what is carried into it, None: what the rule says.
    """
    if rule.level == Level.MATRIX and gradients.ndim == 2:
        shaped = walk(
            rule, knobs, gradients[:, None, :], spots, start=start, held=held, dtype=dtype, first=first, states=states
        )
        return _flat(shaped, gradients.shape)
    program, names = _program(rule, tuple(spots), dtype)
    step = _Stepper(program, knobs, gradients, start, first, states)
    moves, places, recorded = [], [], [list[Any]() for _ in names]
    with np.errstate(all="ignore"):
        for t, g in enumerate(gradients, start=first):
            before = step.x
            after = step.take(t, g)
            moves.append(after - before)
            places.append(after)
            for kept, name in zip(recorded, names, strict=True):
                kept.append(np.broadcast_to(program.entered(name, step.environment[name]), after.shape))
            if held:
                step.environment["x"] = step.x = before
    return Walked(
        np.array(moves), np.array(places), tuple(map(np.array, recorded)),
        {name: step.environment[name] for name in rule.tree.state_names},
    )  # fmt: skip


def _flat(walked: Walked, shape: tuple[int, ...]) -> Walked:
    """Give a walk of matrices of one row as one of plain coordinates."""
    spots = tuple(spot.reshape(shape) for spot in walked.spots)
    return Walked(walked.moves.reshape(shape), walked.x.reshape(shape), spots, walked.states)


class _Stepper:
    """A rule under way."""

    def __init__(
        self, program: Program, knobs: Mapping[str, float], gradients: Array, start: float | Array, first: int,
        states: Mapping[str, Any] | None,
    ) -> None:  # fmt: skip
        self.program = program
        dtype = program.arithmetic.dtype  # type: ignore[attr-defined]
        shape = gradients.shape[1:]
        self.x: Array = np.broadcast_to(np.asarray(program.arithmetic.store(np.asarray(start, dtype=dtype))), shape)
        self.store = program.arithmetic.store
        self.dtype = dtype
        with np.errstate(all="ignore"):
            first_g = self.stored(gradients[0])
            environment: Environment = first_environment(
                program.rule, self.x, first_g, dict(knobs), float(first), 1.0, 1.0
            )
            started = program.start(environment)
            for name in program.rule.tree.state_names:
                value = started[name] if states is None or name not in states else states[name]
                carried = name not in program.per_step_states
                shaped = carried and program.rule.shapes[name] == ("rows", "columns")
                environment[name] = np.broadcast_to(value, shape) if shaped else value
        self.environment = environment

    def stored(self, g: Array) -> Array:
        return np.asarray(self.store(np.asarray(g, dtype=self.dtype)))

    def take(self, t: int, g: Array) -> Array:
        self.environment.update(t=float(t), g=self.stored(g), x=self.x)
        (result,) = self.program.step([self.environment])
        x = np.asarray(result, dtype=self.dtype)
        self.x = x if x.shape == self.x.shape else np.broadcast_to(x, self.x.shape)
        return self.x


@lru_cache(maxsize=512)
def _program(rule: Rule, spots: tuple[Spot, ...], dtype: str) -> tuple[Program, tuple[str, ...]]:
    tree = rule.tree
    taken = {*tree.variables, *tree.state_names, *tree.knob_names, *tree.inputs}
    names = _free_names(taken, len(spots))
    body = list(tree.body)
    for name, spot in sorted(zip(names, spots, strict=True), key=lambda pair: -pair[1].line):
        body.insert(spot.line, Assignment((name,), spot.expression))
    watched = of_tree(replace(tree, body=tuple(body))) if spots else rule
    # Each coordinate is a tensor of its own, unless the rule looks at more than one.
    dimensions = None if rule.level != Level.COORDINATE else 0
    return Program(watched, arrays_of(dtype, tensor_dimensions=dimensions)), names


def _free_names(taken: set[str], count: int) -> tuple[str, ...]:
    prefix = "seen"
    while any(f"{prefix}{i}" in taken for i in range(count)):
        prefix += "_"
    return tuple(f"{prefix}{i}" for i in range(count))
