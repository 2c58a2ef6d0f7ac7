"""A rule on arrays that a framework traces, such as JAX under jit: the number of the step is not known. It knows none.

What is one number a step is computed in double all the same: in the trace, where doubles are switched on for it alone.
Constants stay plain numbers, so that what must be known to trace (how many columns) is known.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import array_api_compat
import numpy as np

from mhat.engines.arrays import Arrays
from mhat.ops import OPERATIONS

Array = Any


class TracedArrays(Arrays):
    """The arithmetic of one namespace and dtype inside of a trace. `doubles`: a context in which it has doubles."""

    def __init__(self, xp: Any, dtype: Any, doubles: Callable[[], AbstractContextManager[Any]]) -> None:
        super().__init__(xp, dtype, tensor_dimensions=None)
        self.doubles = doubles

    def enter(self, value: Any) -> Array:
        """Round a per-step double to the dtype; what is known already becomes no part of the trace."""
        if isinstance(value, float | np.ndarray | np.generic):
            with np.errstate(all="ignore"):
                return np.asarray(value, dtype=self.dtype)[()]
        with self.doubles():
            return self.xp.astype(value, self.dtype)

    def wide(self, value: Any) -> Array:
        """Give a number as a double of the framework."""
        with self.doubles():
            if array_api_compat.is_array_api_obj(value) and not isinstance(value, np.ndarray | np.generic):
                return self.xp.astype(value, self.xp.float64)
            return self.xp.asarray(value, dtype=self.xp.float64)

    def step_operation(self, op: str) -> Callable[..., Any]:
        """Give the operation on per-step numbers: the definition where all are known, else doubles in the trace."""
        meaning, on_arrays = OPERATIONS[op].meaning, self.operation(op)

        def applied(*arguments: Any) -> Any:
            if all(isinstance(argument, float) for argument in arguments):
                return meaning(*arguments)
            with self.doubles():
                return on_arrays(*map(self.wide, arguments))

        return applied

    def operation(self, op: str) -> Callable[..., Any]:
        """Give the operation on arrays; a power is the framework's own, for nobody sees here which are whole."""
        return self.xp.pow if op == "pow" else super().operation(op)
