"""One rule on one problem from one seed: step after step, measured on the way. It knows no rule by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat.engines.arrays import Arrays
from mhat.engines.program import Program, first_environment, lacking
from mhat.engines.step_inputs import check_step
from mhat.errors import BadValue
from mhat.language import Rule
from mhat.language.tree import EVALUATION
from mhat.trials.problem import Problem

Array = NDArray[np.float64]
POINTS = 50


@dataclass(frozen=True, eq=False)
class Course:
    """What was measured: a value at each point, and at the end what is measured there alone."""

    values: Array
    ends: Mapping[str, float]

    @property
    def score(self) -> float:
        """How well it went: the median of the last tenth of the points; inf where it broke off."""
        last = self.values[-max(len(self.values) // 10, 1) :]
        return float(np.median(last)) if np.isfinite(last).all() else math.inf


def points_of(steps: int) -> list[int]:
    """List the steps after which it is measured; 0 is the start.

    >>> points_of(4), len(points_of(1000))
    ([0, 1, 2, 3, 4], 51)
    """
    return sorted({round(steps * i / POINTS) for i in range(POINTS + 1)}) if steps > POINTS else list(range(steps + 1))


def check_trainable(rule: Rule, problem: Problem, knobs: Mapping[str, float]) -> None:
    """Refuse a rule that reads what no problem here gives, or does not take the problem's tensors; raises BadValue."""
    if "h" in rule.tree.given:
        raise lacking(rule, "h", "a trial gives the loss and the gradient alone", "Try rules that read no `h`.")
    xs = problem.start(0)
    try:
        check_step(rule, xs, xs, 1, [None] * len(xs), dict(knobs))
    except BadValue as error:
        shapes = " and ".join(str(x.shape) for x in xs)
        cure = f"{problem.name} has parameters of the shape {shapes}; those of `digits` are matrices."
        raise BadValue(error.what, cure) from None


def train(rule: Rule, problem: Problem, seed: int, steps: int, knobs: Mapping[str, float]) -> Course:
    """Run a rule on a problem; a course that leaves the finite numbers breaks off."""
    xs = problem.start(seed)
    walker = _Walker(rule.sized(knobs), knobs)
    points = points_of(steps)
    values, each = np.full(len(points), np.nan), []
    values[0] = problem.measure(xs, 1, seed)
    shown, place = xs, 1
    for t in range(1, steps + 1):
        loss, gradients = problem.slope(xs, t, seed)
        if problem.every:
            each.append(problem.measure(shown, t, seed))
        if not (math.isfinite(loss) and all(np.isfinite(g).all() for g in gradients)):
            return Course(values, dict.fromkeys(problem.further, math.nan))
        xs = problem.project(walker.stepped(xs, gradients, t, loss))
        shown = walker.shown(xs)
        if t == points[place]:
            with np.errstate(all="ignore"):
                values[place] = np.mean(each) if problem.every else problem.measure(shown, t, seed)
            place, each = place + 1, []
    return Course(values, {name: measure(shown, steps, seed) for name, measure in problem.further.items()})


class _Walker:
    """A rule that steps arrays, and computes only what the step and the evaluation need."""

    def __init__(self, rule: Rule, knobs: Mapping[str, float]) -> None:
        self.rule, self.knobs = rule, dict(knobs)
        keep = {EVALUATION} & set(rule.variables)
        self.program = Program(rule, Arrays(np, np.dtype("float64"), tensor_dimensions=None), keep=keep)
        self.evaluates = bool(keep)
        self.before: list[dict[str, object]] = []
        self.averages: list[Array] = []

    def stepped(self, xs: list[Array], gradients: list[Array], t: int, loss: float) -> list[Array]:
        """Take one step."""
        told = {"loss": loss} if "loss" in self.rule.tree.given else {}
        with np.errstate(all="ignore"):
            made = []
            for k, (x, g) in enumerate(zip(xs, gradients, strict=True), start=1):
                made.append(first_environment(self.rule, x, g, self.knobs, float(t), float(k), float(len(xs)), told))
                self.program.settle(made[-1], self.knobs)
            for environment, state in zip(made, self.before or self._started(made), strict=True):
                environment.update(state)
            results = self.program.step(made)
            self.before = [{name: one[name] for name in self.rule.tree.state_names} for one in made]
            self.averages = [np.broadcast_to(one[EVALUATION], x.shape) for one, x in zip(made, xs, strict=True)] if (
                self.evaluates
            ) else []  # fmt: skip
        return [np.broadcast_to(np.asarray(r, float), x.shape) for r, x in zip(results, xs, strict=True)]

    def _started(self, made: list[dict[str, object]]) -> list[dict[str, object]]:
        """Start the states; a number fills its tensor, since operations on matrices look at rows and columns."""
        alone = self.program.per_step_states

        def full(name: str, value: Any, x: Any) -> Any:
            return value if name in alone else np.broadcast_to(value, self.rule.shape_of(name, np.shape(x)))

        return [
            {name: full(name, value, environment["x"]) for name, value in start.items()}
            for environment, start in zip(made, self.program.starts(made), strict=True)
        ]

    def shown(self, xs: list[Array]) -> list[Array]:
        """Give what is evaluated after a step: averages, where the rule makes them, else x."""
        return self.averages or xs
