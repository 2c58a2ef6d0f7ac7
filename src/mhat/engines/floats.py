"""The living definition: a rule on Python floats, every operation as `mhat.ops` defines it. It knows no arrays.

A value is a float, or a `Tensor` where the rule runs on more than one coordinate. In float32 every operation
is done on doubles and rounded once, which for `+ - * / sqrt` is the float32 result itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from mhat.engines.tensors import Tensor, elementwise, of_rows, rows_of, values_of
from mhat.ops import OPERATIONS

__all__ = ["ROUNDINGS", "Floats", "Tensor", "as_is", "to_float32", "values_of"]


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
            return elementwise(meaning)
        return elementwise(lambda *numbers: rounded(meaning(*numbers)))

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Any]], float]:
        """Give the reduction over the numbers of all the tensors in a list."""
        meaning, rounded = OPERATIONS[op].meaning, self.rounded

        def reduce(tensors: Sequence[Any]) -> float:
            return float(meaning([v for tensor in tensors for v in values_of(tensor)], rounded))

        return reduce

    def _matrix(self, meaning: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        result = meaning(*map(rows_of, tensors))
        if isinstance(result, tuple):
            return tuple(self._rounded_matrix(part) for part in result)
        return self._rounded_matrix(result)

    def _rounded_matrix(self, rows: list[list[float]]) -> Tensor:
        return of_rows([[self.rounded(v) for v in row] for row in rows])
