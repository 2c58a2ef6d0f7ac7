"""Points at which one step of two rules is computed: what is equal at all of them is taken for equal.

States are drawn from runs of the rule that was read, and shaken, so that none is made of another. It knows no edit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import meaning_of
from mhat.search.evaluator import SHAPE, Closures

Vector = np.ndarray[Any, Any]
# Runs, tensors and coordinates; steps from which states are drawn; and how far they are shaken.
SIZE = (24, 2, 3)
STEPS = 12
SHAKEN = 0.6
SCALES = (1.0, 1.0, 1e-7)
# What is no number, and what is none because it is too large.
NAN, INFINITE = 1.2345e77, 4.321e88
# How near two values are that are equal, by the dtype in which the numbers of a subject were seen.
NEAR = {"float64": 1e-9, "float32": 4e-6}


class QuickClosures(Closures):
    """Closures that take powers as the processor does: near enough to tell what is equal."""

    def _made(self, node: Expression) -> Any:
        if isinstance(node, Operation) and node.op == "pow":
            base, exponent = (self.of(argument) for argument in node.arguments)
            return lambda environment: np.power(np.asarray(base(environment), float), exponent(environment))
        return super()._made(node)


class Points:
    """The inputs, knobs and states of many steps, and what expressions come to there."""

    def __init__(self, read: Tree, knobs: Mapping[str, float | None], near: float, tensors: int = 2) -> None:
        """Make points for a rule that was read.

        `knobs`: their values, None for one that may be anything; `tensors`: how many it was read with.
        """
        self.near = near
        self._rng = np.random.Generator(np.random.PCG64([1, 1511]))
        self._closures = QuickClosures()
        runs = SIZE[0]
        self.inputs: dict[str, Any] = {
            "x": self._rng.normal(size=SIZE) * 1.3,
            "g": self._gradients(),
            "t": np.resize(np.array([1.0, 2.0, 3.0, 5.0, 6.0, 8.0, 9.0, 10.0, 12.0, 14.0, 15.0, 21.0]), (runs, 1, 1)),
            "k": np.arange(1.0, SIZE[1] + 1)[:, None],
            "n": float(tensors),
            SHAPE: SIZE,
        }
        for name, value in knobs.items():
            self.inputs[name] = self._drawn(name, runs) if value is None else float(value)
        self.states = self._states(read)

    def _gradients(self) -> Vector:
        """Draw gradients, some so small that an eps is seen beside them."""
        return np.asarray(
            self._rng.normal(size=SIZE) * np.exp(self._rng.normal(0.0, 0.5, size=(SIZE[0], 1, 1))) * np.array(SCALES)
        )

    def _drawn(self, name: str, runs: int) -> Vector:
        """Draw values of a knob, none of them special."""
        rng, shape = self._rng, (runs, 1, 1)
        if meaning_of(name).is_share:
            return np.asarray(np.where(rng.uniform(size=shape) < 0.5, 1.0, 0.5) * rng.uniform(0.45, 0.98, size=shape))
        if name == "eps":
            return np.asarray(np.exp(rng.uniform(-5.0, -1.0, size=shape)))
        return np.asarray(np.exp(rng.uniform(-4.0, -0.3, size=shape)))

    def _states(self, tree: Tree) -> dict[str, Vector]:
        """Run the rule that was read, and draw its states from some step of each run."""
        with np.errstate(all="ignore"):
            seen = list(self._run(tree))
        which = self._rng.integers(1, len(seen), size=SIZE[0])
        drawn: dict[str, Vector] = {}
        for name in tree.state_names:
            values = np.stack([seen[step][name][run] for run, step in enumerate(which)])
            values = np.where(np.isfinite(values), values, 1.0)
            if not (np.all(values == np.round(values)) and np.abs(values).max() > 0):
                values = values * np.exp(self._rng.normal(0.0, SHAKEN, size=values.shape))
            drawn[name] = values
        return drawn

    def _run(self, tree: Tree) -> Any:
        environment = dict(self.inputs)
        gradients = [self._gradients() for _ in range(STEPS)]
        environment["g"] = gradients[0]
        environment.update({state.name: self.raw(state.start, environment) for state in tree.states})
        yield {name: np.broadcast_to(environment[name], SIZE) for name in tree.state_names}
        for step in range(STEPS):
            environment["t"], environment["g"] = float(step + 1), gradients[step]
            for line in tree.body:
                value = self.raw(line.value, environment)
                environment.update(zip(line.targets, value, strict=True) if len(line.targets) > 1 else
                                   [(line.targets[0], value)])  # fmt: skip
            environment["x"] = np.broadcast_to(self.raw(tree.result, environment), SIZE)
            yield {name: np.broadcast_to(environment[name], SIZE) for name in tree.state_names}

    def raw(self, node: Expression, environment: Mapping[str, Any]) -> Any:
        """Compute an expression as the engines do."""
        return self._closures.of(node)(environment)  # type: ignore[arg-type]

    def vector(self, value: Any) -> Vector:
        """Give a value at all points, as plain numbers."""
        flat = np.broadcast_to(np.asarray(value, float), SIZE).ravel()
        if not np.isfinite(flat).all():
            flat = np.nan_to_num(flat, nan=NAN, posinf=INFINITE, neginf=-INFINITE)
        return flat

    def equal(self, a: Vector, b: Vector) -> bool:
        """Whether two values are the same at all points."""
        with np.errstate(all="ignore"):
            return bool((np.abs(a - b) <= self.near * (np.abs(a) + np.abs(b)) + 1e-300).all())


def constant(values: Vector) -> float | None:
    """Give the number that a value is at all points, None if it is not one."""
    first = float(values[0])
    return first if math.isfinite(first) and bool((np.abs(values - first) <= 1e-12 * abs(first)).all()) else None


def numbers_in(tree: Tree) -> list[float]:
    """List the literals of a rule's lines and result, each once."""
    found: dict[float, None] = {}
    waiting: list[Expression] = [*(line.value for line in tree.body), tree.result]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Number):
            found[node.value] = None
        elif isinstance(node, Operation):
            waiting += node.arguments
    return list(found)


def is_made_of(node: Expression, names: frozenset[str]) -> bool:
    """Whether an expression reads no other names."""
    if isinstance(node, Name):
        return node.id in names
    return not isinstance(node, Operation) or all(is_made_of(each, names) for each in node.arguments)
