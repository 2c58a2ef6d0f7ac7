"""Functions to be minimized, for the tests of methods of SciPy. It knows no rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

START = (-1.2, 1.0)
WEIGHTS = np.array([1.0, 10.0, 3.0])


def bowl(x: Any) -> float:
    return float(0.5 * np.sum(WEIGHTS[: x.size] * (x - 1) ** 2))


def bowl_of_any(x: Any) -> Any:
    return 0.5 * np.sum(WEIGHTS[: x.size] * (x - 1) ** 2)


def bowl_slope(x: Any) -> Any:
    return WEIGHTS[: x.size] * (x - 1)


def both(x: Any) -> Any:
    return bowl(x), bowl_slope(x)


class Counted:
    """A function that keeps what it was called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.seen: list[Any] = []

    def __call__(self, x: Any, *args: Any) -> Any:
        self.seen.append(np.copy(x))
        return self.function(x, *args)


def breaking(at: int, value: float, what: Callable[[Any], Any]) -> Callable[[Any], Any]:
    calls: list[int] = []

    def function(x: Any) -> Any:
        calls.append(1)
        return what(x) * 0 + value if len(calls) > at else what(x)

    return function
