"""A landscape: a function with its gradient, its minima and a place to start. It knows no rule and no drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mhat import notation
from mhat.errors import BadValue

Array = NDArray[np.floating[Any]]
Point = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Landscape:
    """A function of points `x`, whose last axis holds the coordinates.

    `height(x)` and `slope(x, t)` are the formulas; use `value`, `gradient` and `project`, which check the coordinates,
    keep float32 as float32, and let overflow be inf. `minimum` holds the known lowest points, the value there is
    `minimum_value`. `window` is (low, high) for every axis. `domain` bounds every coordinate; `project` returns to it.
    `lr`, where there is one, gives the learning rate of the published experiment for the step numbers t = 1, 2, ...
    """

    name: str
    height: Callable[[Array], Array]
    slope: Callable[[Array, int], Array]
    minimum: tuple[Point, ...]
    minimum_value: float
    start: Point
    window: tuple[tuple[float, float], ...]
    recipe: str
    lesson: str
    domain: tuple[float, float] | None = None
    lr: Callable[[NDArray[Any]], NDArray[np.float64]] | None = None

    @property
    def dimensions(self) -> int:
        """How many coordinates a point has."""
        return len(self.start)

    def value(self, x: ArrayLike) -> Array:
        """Return the height at `x`: shape (..., n) gives shape (...)."""
        points = self._points(x)
        with np.errstate(all="ignore"):
            return np.asarray(self.height(points))

    def gradient(self, x: ArrayLike, t: int = 1) -> Array:
        """Return the gradient at `x` in step `t`, of the shape of `x`. Most landscapes are the same at every step."""
        points = self._points(x)
        with np.errstate(all="ignore"):
            return np.asarray(self.slope(points, int(t)))

    def project(self, x: ArrayLike) -> Array:
        """Return the nearest point of the domain; where there is no domain, `x` itself."""
        points = self._points(x)
        return points if self.domain is None else np.clip(points, *self.domain)

    def __repr__(self) -> str:
        return f"Landscape({self.recipe!r}, dimensions={self.dimensions})"

    def _points(self, x: ArrayLike) -> Array:
        points = np.asarray(x)
        if points.dtype.kind in "biu":
            points = points.astype(np.float64)
        if points.dtype.kind != "f":
            raise BadValue(f"a point of type {points.dtype}", "Give real numbers.")
        if points.ndim == 0 or points.shape[-1] != self.dimensions:
            raise BadValue(
                f"`{self.recipe}` has {_count(self.dimensions)}, the point has the shape {points.shape}",
                f"Give an array whose last axis has the length {self.dimensions}.",
            )
        return points


def made(function: Callable[..., Landscape], arguments: dict[str, object], **fields: Any) -> Landscape:
    """Return the landscape that `function` made of `arguments`, with its name and the recipe that makes it again."""
    return Landscape(name=function.__name__, recipe=notation.recipe(function, **arguments), **fields)


def joined(*coordinates: Array) -> Array:
    """Put coordinates together as the last axis."""
    return np.stack(coordinates, axis=-1)


def summed(terms: Array) -> Array:
    """Add the terms of all coordinates."""
    return np.asarray(terms.sum(axis=-1))


def _count(dimensions: int) -> str:
    return "1 coordinate" if dimensions == 1 else f"{dimensions} coordinates"
