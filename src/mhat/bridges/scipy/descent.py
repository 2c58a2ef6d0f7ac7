"""The loop of a minimization: step, look, tell, and when to end. It knows no SciPy and no rule by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.bridges.scipy.objective import Objective
from mhat.engines.walk import Walk
from mhat.notation.decimals import brief, exact

Array = Any
CONVERGED, OUT_OF_STEPS, NOT_FINITE, STOPPED = 0, 1, 3, 99  # as SciPy's BFGS numbers them, and its callbacks


@dataclass(frozen=True)
class Stops:
    """When to end: after `maxiter` steps, or where a tolerance is met; xtol and ftol are asked for or None."""

    maxiter: int
    gtol: float
    norm: float = math.inf
    xtol: float | None = None
    ftol: float | None = None
    patience: int = 10


@dataclass(frozen=True)
class Point:
    """What is known at one place: x, flat; the function; the gradient, if asked for; the step there (0: x0)."""

    x: Array
    fun: float
    jac: Array | None
    step: int


@dataclass(frozen=True)
class Ending:
    """Why it ended, in SciPy's terms."""

    status: int
    message: str


class Track:
    """Everything a trace keeps, step by step."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.values: dict[str, list[Array]] = {}
        self.heights: list[float] = []

    def add(self, g: Array) -> None:
        for name, value in {"g": g, "x": self.walk.x, **self.walk.variables()}.items():
            self.values.setdefault(name, []).append(value)

    @property
    def gradients(self) -> Array:
        return np.array(self.values.get("g", []), dtype=self.walk.dtype).reshape(-1, *self.walk.x.shape)

    @property
    def arrays(self) -> dict[str, Array]:
        return {name: self.walk.stacked(name, values) for name, values in self.values.items()}


class Descent:
    """One minimization. `tell` is called after each step and may raise StopIteration."""

    def __init__(
        self,
        walk: Walk,
        objective: Objective,
        stops: Stops,
        schedules: Mapping[str, Sequence[float]],
        tell: Callable[[Point], None] | None,
        bounds: tuple[Array, Array] | None,
        track: Track | None,
    ) -> None:
        self.walk = walk
        self.objective = objective
        self.stops = stops
        self.schedules = schedules
        self.tell = tell
        self.bounds = bounds
        self.track = track
        self.gradient: Array
        self.lost = False  # x is not finite
        self.point = self._looked()
        self.best = self.point
        self._still = {"x": 0, "f": 0}

    def run(self) -> Ending:
        """Step until there is a reason to end."""
        ending = self._ending()
        while ending is None:
            self._step()
            ending = self._told() or self._ending()
        return ending

    def found(self, best: bool) -> Point:
        """Give the last point, or the best one, with the gradient there."""
        return self._with_gradient(self.best if best else self.point)

    def _step(self) -> None:
        before, g = self.point, self.gradient.reshape(self.walk.x.shape)
        self.walk.step(g, {name: values[self.walk.t] for name, values in self.schedules.items()})
        self.point = self._looked()
        if self.track is not None:
            self.track.add(g)
            self.track.heights.append(self.point.fun)
        if math.isfinite(self.point.fun) and self.point.fun < self.best.fun:
            self.best = self.point
        self._count_still(before, self.point)

    def _looked(self) -> Point:
        """Ask for the function and its gradient once each, as long as all is finite: what is not ends the run."""
        x, evaluated = self.walk.x.ravel(), self.walk.point
        point = x if evaluated is self.walk.x else evaluated.ravel()
        self.lost = not (np.isfinite(x).all() and (point is x or np.isfinite(point).all()))
        fun = math.nan if self.lost else self.objective.value(point)
        self.gradient = self.objective.slope(x) if math.isfinite(fun) else np.full_like(x, math.nan)
        # An averaging rule steps from x, and is evaluated elsewhere.
        return Point(point, fun, self.gradient if point is x else None, self.walk.t)

    def _with_gradient(self, point: Point) -> Point:
        if point.jac is not None:
            return point
        known = math.isfinite(point.fun)
        return replace(point, jac=self.objective.slope(point.x) if known else np.full_like(point.x, math.nan))

    def _told(self) -> Ending | None:
        if self.tell is None:
            return None
        try:
            self.tell(self.point)
        except StopIteration:
            return Ending(STOPPED, "`callback` raised `StopIteration`.")
        return None

    def _count_still(self, before: Point, after: Point) -> None:
        xtol, ftol = self.stops.xtol, self.stops.ftol
        if xtol is not None:
            with np.errstate(all="ignore"):
                moved = np.max(np.abs(after.x - before.x), initial=0.0)
            self._still["x"] = self._still["x"] + 1 if moved <= xtol else 0
        if ftol is not None:
            scale = max(abs(before.fun), abs(after.fun), 1.0)
            self._still["f"] = self._still["f"] + 1 if abs(after.fun - before.fun) <= ftol * scale else 0

    def _ending(self) -> Ending | None:
        step, stops = self.point.step, self.stops
        where = f"after step {step}" if step else "at x0"
        wrong = self._not_finite()
        if wrong:
            return Ending(NOT_FINITE, f"{wrong} is not finite {where}.")
        length = self._length(self.walk.x.ravel(), self.gradient)
        if length <= stops.gtol and self.point.jac is None:
            self.point = self._with_gradient(self.point)
            length = self._length(self.point.x, self.point.jac)
        if length <= stops.gtol:
            return Ending(CONVERGED, f"The norm of the gradient is within gtol={exact(stops.gtol)} {where}.")
        for name, tolerance, what in (("x", stops.xtol, "x moved"), ("f", stops.ftol, "the function changed")):
            if tolerance is not None and self._still[name] >= stops.patience:
                said = (
                    f"In {stops.patience} steps in a row {what} by no more than {name}tol={exact(tolerance)}, {where}."
                )
                return Ending(CONVERGED, said)
        if step >= stops.maxiter:
            return Ending(
                OUT_OF_STEPS, f"{stops.maxiter} steps are done (maxiter); the gradient's norm is {brief(length)}."
            )
        return None

    def _not_finite(self) -> str:
        if self.lost:
            return "x"
        if not math.isfinite(self.point.fun):
            return "The function"
        return "" if np.isfinite(self.gradient).all() else "The gradient"

    def _length(self, x: Array, g: Array) -> float:
        """Measure a gradient; with bounds, how far a step of its length could still go inside of them."""
        with np.errstate(all="ignore"):
            if self.bounds is not None:
                g = x - np.clip(x - g, *self.bounds)
            return float(np.linalg.norm(g, self.stops.norm)) if g.size else 0.0
