"""A function to be minimized, as SciPy's users write them, asked and counted. It knows no rule and no SciPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mhat.errors import BadValue

Array = Any
# f at many points near x, its value at x, and x, to the gradient by differences.
Differences = Callable[[Callable[[Array], Any], Array, float], Array]
NO_SCALAR = "The user-provided objective function must return a scalar value."  # SciPy's own words


class Objective:
    """A function and its gradient, given or by differences. What they are handed is a copy, flat, theirs to keep."""

    def __init__(
        self,
        function: Callable[..., Any],
        gradient: Callable[..., Any] | None,
        differences: Differences,
        arguments: tuple[Any, ...],
    ) -> None:
        self.calls = 0
        self.gradients = 0
        self._function = function
        self._gradient = gradient
        self._differences = differences
        self._arguments = arguments
        self._known: tuple[Array, float] | None = None

    def value(self, x: Array) -> float:
        """Ask for the value at x; raises ValueError, as SciPy does, where it is not one number."""
        answer = self._called(x)
        try:
            value = float(answer)
        except (TypeError, ValueError):
            raise ValueError(NO_SCALAR) from None
        self._known = x, value
        return value

    def slope(self, x: Array) -> Array:
        """Ask for the gradient at x, in the dtype of x; raises BadValue where it has another size."""
        if self._gradient is None:
            # By differences the value at x is needed; it has mostly just been asked for.
            value = self._known[1] if self._known is not None and self._known[0] is x else self.value(x)
            self.gradients += 1
            return np.asarray(self._differences(self._called, x, value), dtype=x.dtype)
        self.gradients += 1
        # Copied: a gradient that is written into one buffer again and again must not change the past.
        slope = np.array(self._gradient(np.copy(x), *self._arguments))
        if slope.size != x.size or slope.dtype.kind not in "biuf":
            raise BadValue(
                f"jac gave {_described(slope)} for an x of {x.size}",
                "Let it return the gradient: one real number for each coordinate.",
            )
        return slope.reshape(x.shape).astype(x.dtype, copy=False)

    def _called(self, x: Array) -> Any:
        self.calls += 1
        answer = self._function(np.copy(x), *self._arguments)
        if isinstance(answer, int | float):
            return answer
        try:
            return np.asarray(answer).item()
        except (TypeError, ValueError):
            raise ValueError(NO_SCALAR) from None


def differences_of(
    approximate: Callable[..., Array], method: str, steps: Mapping[str, Any], bounds: tuple[Array, Array] | None
) -> Differences:
    """Make differences of SciPy's function for them: its method, the sizes of its steps, where x may lie.

    A coordinate whose bounds are equal has no differences; its part of the gradient is 0.
    """

    def differences(function: Callable[[Array], Any], x: Array, value: float) -> Array:
        if bounds is None:
            return approximate(function, x, method=method, f0=value, **steps)
        low, high = bounds
        free = low < high
        if free.all():
            return approximate(function, x, method=method, f0=value, bounds=bounds, **steps)

        def of_free(part: Array) -> Any:
            whole = x.astype(part.dtype)
            whole[free] = part
            return function(whole)

        slope = np.zeros_like(x)
        if free.any():
            chosen = {name: step[free] if np.ndim(step) else step for name, step in steps.items()}
            within = low[free], high[free]
            slope[free] = approximate(of_free, x[free], method=method, f0=value, bounds=within, **chosen)
        return slope

    return differences


def _described(slope: Array) -> str:
    if slope.dtype.kind not in "biuf":
        return f"values of type {slope.dtype}"
    return f"{slope.size} number{'s' * (slope.size != 1)}"
