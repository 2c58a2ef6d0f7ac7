"""A rule on arrays: NumPy, torch, JAX, anything of the array API, by the same code. It knows no framework by name.

A tensor is the last dimensions of an array; what stands before them is batch (a sweep of knobs) or counts
tensors. In float64 NumPy agrees with `floats` bit for bit on rules of `+ - * / sqrt` and integer powers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import array_api_compat
import numpy as np

from mhat.engines import array_operations
from mhat.engines.array_powers import has_doubles
from mhat.ops import OPERATIONS

Array = Any
# Smaller than the smallest number of any dtype but double.
NEXT_TO_NOTHING = 1e-44


class Arrays:
    """The arithmetic of one array namespace and dtype.

    `tensor_dimensions` and `several_dimensions` count axes; None: each array is one tensor as a whole.
    """

    def __init__(
        self, xp: Any, dtype: Any, *, device: Any = None, tensor_dimensions: int | None, several_dimensions: int = 0
    ) -> None:
        self.xp = xp
        self.dtype = dtype
        self.device = device
        self.tensor_dimensions = tensor_dimensions
        self.several_dimensions = several_dimensions
        self._numpy_scalar = np.dtype(dtype).type if array_api_compat.is_numpy_namespace(xp) else None
        self._operations = array_operations.operations(xp)
        self._step_operations = array_operations.operations(np)

    def number(self, value: float) -> float:
        """Make a per-step number of a literal: the double itself."""
        return value

    def enter(self, value: Any) -> Array:
        """Round a per-step double (or an array of them) to the dtype, on the device."""
        if self._numpy_scalar is not None:
            if isinstance(value, float):
                return self._numpy_scalar(value)
            return np.asarray(value, dtype=self.dtype)
        if array_api_compat.is_array_api_obj(value) and not isinstance(value, np.ndarray | np.generic):
            return self.xp.astype(value, self.dtype)
        return self.xp.asarray(value, dtype=self.dtype, device=self.device)

    def store(self, value: Array) -> Array:
        """Leave what is carried as it is: operations have the precision of the dtype."""
        return value

    def spread(self, value: Array, x: Array) -> Array:
        """Give a value the axes of x that make up tensors, and count them; batch axes are its own."""
        shape = tuple(x.shape)
        if self.tensor_dimensions is not None:
            shape = shape[len(shape) - self.tensor_dimensions - self.several_dimensions :]
        there = np.shape(value)
        whole = np.broadcast_shapes(there, shape)
        if whole == there:
            return value
        value = self.enter(value) if isinstance(value, float) else value
        return self.xp.broadcast_to(value, whole)

    def truth(self, value: Any) -> bool | None:
        """Say whether a per-step number is true where it has entered; None of a sweep, and where JAX traces."""
        if isinstance(value, float | np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
            number = float(value)
            # What is next to nothing may be zero in the dtype.
            return None if 0.0 < abs(number) < NEXT_TO_NOTHING else number != 0.0
        return None

    def shape(self, value: Array) -> tuple[int, ...]:
        """Give the axes that make up a tensor."""
        shape = tuple(np.shape(value))
        return shape if self.tensor_dimensions is None else shape[max(len(shape) - self.tensor_dimensions, 0) :]

    def step_operation(self, op: str) -> Callable[..., Any]:
        """Give the operation on per-step values: the definition on doubles, the array form on sweeps of them."""
        meaning, on_arrays = OPERATIONS[op].meaning, self._step_operations[op]

        def applied(*arguments: Any) -> Any:
            if all(isinstance(argument, float) for argument in arguments):
                return meaning(*map(float, arguments))
            if any(_foreign(argument) for argument in arguments):
                return self._operations[op](*map(self._wide, arguments))
            return on_arrays(*(np.asarray(argument, dtype=np.float64) for argument in arguments))

        return applied

    def _wide(self, value: Any) -> Array:
        """Put a per-step value beside a framework's own, in the widest precision that the framework has."""
        dtype = self.xp.float64 if has_doubles(self.xp) else self.xp.float32
        return (
            self.xp.astype(value, dtype) if _foreign(value) else self.xp.asarray(value, dtype=dtype, device=self.device)
        )

    def operation(self, op: str) -> Callable[..., Any]:
        """Give the operation on arrays of the dtype."""
        return self._operations[op]

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Array]], Array]:
        """Give the reduction over the tensor's axes; over all tensors, over the axes that count them too."""
        dimensions = self.tensor_dimensions
        if dimensions is not None and over == "all":
            dimensions += self.several_dimensions
        return lambda tensors: self._reduced(op, tensors, dimensions)

    def _reduced(self, op: str, tensors: Sequence[Array], dimensions: int | None) -> Array:
        values = [self.enter(tensor) if isinstance(tensor, float) else tensor for tensor in tensors]
        if op == "size":
            return self.enter(float(sum(_count(value, dimensions) for value in values)))
        if op == "largest":
            return self.store(self._folded(values, dimensions, array_operations.greatest_of))
        if op == "norm":
            multiply = self.operation("mul")
            return self.operation("sqrt")(self._total([multiply(value, value) for value in values], dimensions))
        total = self._total(values, dimensions)
        if op == "sum":
            return self.store(total)
        return self.operation("div")(total, self.enter(float(sum(_count(value, dimensions) for value in values))))

    def _total(self, tensors: Sequence[Array], dimensions: int | None) -> Array:
        return self._folded(tensors, dimensions, lambda xp, line: array_operations.blocked_sum(xp, line, self.store))

    def _folded(self, tensors: Sequence[Array], dimensions: int | None, fold: Callable[[Any, Array], Array]) -> Array:
        """Fold each batch's line of numbers into one; dimensions that were folded stay, with length one."""
        if dimensions is None:
            return fold(self.xp, self.xp.concat([self.xp.reshape(tensor, (-1,)) for tensor in tensors]))
        lines = [_flattened(self.xp, tensor, dimensions) for tensor in tensors]
        batch = np.broadcast_shapes(*(line.shape[:-1] for line in lines))
        line = self.xp.concat([self.xp.broadcast_to(line, (*batch, line.shape[-1])) for line in lines], axis=-1)
        total = fold(self.xp, line)
        return self.xp.reshape(total, (*total.shape, *(1,) * dimensions))


def _foreign(value: Any) -> bool:
    return array_api_compat.is_array_api_obj(value) and not isinstance(value, np.ndarray | np.generic)


def _count(value: Array, dimensions: int | None) -> int:
    size = 1
    axes = len(value.shape) if dimensions is None else dimensions
    for length in value.shape[len(value.shape) - axes :]:
        size *= length
    return size


def _flattened(xp: Any, value: Array, dimensions: int) -> Array:
    """Put the last dimensions of an array into one."""
    value = xp.asarray(value)
    kept = value.shape[: max(len(value.shape) - dimensions, 0)]
    return xp.reshape(value, (*kept, -1)) if dimensions else value[..., None]
