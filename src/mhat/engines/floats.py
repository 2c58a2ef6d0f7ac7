"""The living definition: a rule on Python floats, every operation as `mhat.ops` defines it. It knows no arrays.

A value is a float, or a `Tensor` where the rule runs on more than one coordinate. In float32 every operation
is done on doubles and rounded once, which for `+ - * / sqrt` is the float32 result itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from mhat.errors import BadValue
from mhat.ops import OPERATIONS

Scalar = float


@dataclass(frozen=True)
class Tensor:
    """Numbers in row-major order, and their shape."""

    values: tuple[float, ...]
    shape: tuple[int, ...]

    def rows(self) -> list[list[float]]:
        """Give a matrix as a list of rows."""
        if len(self.shape) != 2:
            raise BadValue(
                f"a matrix operation met a tensor of shape {self.shape}",
                "Give gradients of two dimensions a step, and name them with tensor=.",
            )
        width = self.shape[1]
        return [list(self.values[i * width : (i + 1) * width]) for i in range(self.shape[0])]


def of_rows(rows: Sequence[Sequence[float]]) -> Tensor:
    """Make a matrix of a list of rows."""
    return Tensor(tuple(v for row in rows for v in row), (len(rows), len(rows[0])))


def as_is(value: float) -> float:
    """Leave a double as it is."""
    return value


def to_float32(value: float) -> float:
    """Round a double to the nearest float32."""
    return ctypes.c_float(value).value


ROUNDINGS: dict[str, Callable[[float], float]] = {"float64": as_is, "float32": to_float32}


class Floats:
    """The arithmetic of one dtype on floats and tensors."""

    def __init__(self, dtype: str = "float64") -> None:
        self.rounded = ROUNDINGS[dtype]

    def number(self, value: float) -> float:
        """Make a per-step number of a literal: the double itself."""
        return value

    def enter(self, value: float) -> float:
        """Round a per-step double to the dtype."""
        return self.rounded(value)

    def step_operation(self, op: str) -> Callable[..., float]:
        """Give the operation on doubles."""
        return OPERATIONS[op].meaning

    def operation(self, op: str) -> Callable[..., Any]:
        """Give the operation on floats and tensors of the dtype."""
        definition = OPERATIONS[op]
        meaning, rounded = definition.meaning, self.rounded
        if definition.kind == "matrix":
            return lambda *tensors: self._matrix(meaning, tensors)
        if rounded is as_is:
            return _elementwise(meaning)
        return _elementwise(lambda *numbers: rounded(meaning(*numbers)))

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Any]], float]:
        """Give the reduction over the numbers of all the tensors in a list."""
        meaning, rounded = OPERATIONS[op].meaning, self.rounded

        def reduce(tensors: Sequence[Any]) -> float:
            return float(meaning([v for tensor in tensors for v in values_of(tensor)], rounded))

        return reduce

    def _matrix(self, meaning: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        rows = [tensor.rows() if isinstance(tensor, Tensor) else [[tensor]] for tensor in tensors]
        result = meaning(*rows)
        if isinstance(result, tuple):
            return tuple(self._rounded_matrix(part) for part in result)
        return self._rounded_matrix(result)

    def _rounded_matrix(self, rows: list[list[float]]) -> Any:
        matrix = of_rows([[self.rounded(v) for v in row] for row in rows])
        return matrix


def values_of(value: Any) -> Sequence[float]:
    """Give the numbers of a float or a tensor."""
    return value.values if isinstance(value, Tensor) else (value,)


def _elementwise(function: Callable[..., float]) -> Callable[..., Any]:
    """Let a function of floats work on tensors too, coordinate by coordinate."""

    def applied(*arguments: Any) -> Any:
        shapes = {argument.shape for argument in arguments if isinstance(argument, Tensor)}
        if not shapes:
            return function(*arguments)
        shape = shapes.pop() if len(shapes) == 1 else _common(shapes)
        columns = [_spread(argument, shape) for argument in arguments]
        return Tensor(tuple(map(function, *columns)), shape)

    return applied


def _common(shapes: set[tuple[int, ...]]) -> tuple[int, ...]:
    """Broadcast shapes of the same number of dimensions."""
    if len({len(shape) for shape in shapes}) > 1:
        raise BadValue(f"shapes {sorted(shapes)} do not broadcast", "Give tensors of the same dimensions.")
    common = []
    for sizes in zip(*shapes, strict=True):
        larger = {size for size in sizes if size != 1}
        if len(larger) > 1:
            raise BadValue(f"shapes {sorted(shapes)} do not broadcast", "Look at the matrix operations of the rule.")
        common.append(larger.pop() if larger else 1)
    return tuple(common)


def _spread(argument: Any, shape: tuple[int, ...]) -> Sequence[float]:
    """List a value's numbers as if it had the given shape."""
    if not isinstance(argument, Tensor):
        size = 1
        for length in shape:
            size *= length
        return [argument] * size
    if argument.shape == shape:
        return argument.values
    strides, step = [], 1
    for length in reversed(argument.shape):
        strides.append(0 if length == 1 else step)
        step *= length
    strides.reverse()
    indices = product(*(range(length) for length in shape))
    return [argument.values[sum(i * s for i, s in zip(index, strides, strict=True))] for index in indices]
