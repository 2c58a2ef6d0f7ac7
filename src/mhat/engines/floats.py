"""The living definition: a rule on Python floats, every operation as `mhat.ops` defines it. It knows no arrays.

A value is a float, or a `Tensor` where the rule runs on more than one coordinate. In float32 every operation
is done on doubles and rounded once, which for `+ - * / sqrt` is the float32 result itself. In float16 and bfloat16
that float32 result is rounded once more, to the type: operands that enter (literals, knobs) are float32.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from mhat.dtypes import DTYPES
from mhat.engines.tensors import Tensor, elementwise, of_rows, rows_of, spread, values_of
from mhat.ops import OPERATIONS

__all__ = [
    "NEAREST", "Floats", "Tensor", "as_is", "to_bfloat16", "to_float16", "to_float32", "values_of",
]  # fmt: skip


_HALF, _SINGLE, _BITS = struct.Struct("e"), struct.Struct("f"), struct.Struct("I")


def as_is(value: float) -> float:
    """Leave a double as it is."""
    return value


def to_float32(value: float) -> float:
    """Round a double to the nearest float32."""
    return ctypes.c_float(value).value


def to_float16(value: float) -> float:
    """Round a double to float32, and that to the nearest float16; from 65520 on it is infinite.

    >>> to_float16(65519.0), to_float16(-65520.0), to_float16(0.1)
    (65504.0, -inf, 0.0999755859375)
    """
    single = to_float32(value)
    try:
        rounded: float = _HALF.unpack(_HALF.pack(single))[0]
    except OverflowError:
        return math.copysign(math.inf, single)
    return rounded


def to_bfloat16(value: float) -> float:
    """Round a double to float32, and that to the nearest bfloat16: the upper half of its bits, ties to even.

    >>> to_bfloat16(0.999), to_bfloat16(3.4e38)
    (1.0, inf)
    """
    if value != value:
        return value
    (bits,) = _BITS.unpack(ctypes.c_float(value))
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    rounded: float = _SINGLE.unpack(_BITS.pack(bits))[0]
    return rounded


# The number of each dtype that is nearest to a double.
NEAREST: dict[str, Callable[[float], float]] = {
    "float64": as_is,
    "float32": to_float32,
    "float16": to_float16,
    "bfloat16": to_bfloat16,
}


class Floats:
    """The arithmetic of one dtype on floats and tensors."""

    def __init__(self, dtype: str = "float64") -> None:
        self.rounded = NEAREST[dtype]
        self._entering = NEAREST[DTYPES[dtype].computed]

    def number(self, value: float) -> float:
        """Make a per-step number of a literal: the double itself."""
        return value

    def enter(self, value: float) -> float:
        """Round a per-step double to the precision that operations are done in."""
        return self._entering(value)

    def store(self, value: Any) -> Any:
        """Round a number or a tensor to the dtype."""
        return value if self.rounded is as_is else elementwise(self.rounded)(value)

    def spread(self, value: Any, x: Any) -> Any:
        """Give a value of one number the shape of x."""
        return spread(value, x)

    def truth(self, value: float) -> bool | None:
        """Say whether a per-step number is true where it has entered."""
        return self._entering(value) != 0.0

    def shape(self, value: Any) -> tuple[int, ...]:
        """Give the shape of a tensor, () of a number."""
        return value.shape if isinstance(value, Tensor) else ()

    def step_operation(self, op: str) -> Callable[..., float]:
        """Give the operation on doubles."""
        return OPERATIONS[op].meaning

    def operation(self, op: str) -> Callable[..., Any]:
        """Give the operation on floats and tensors of the dtype."""
        definition = OPERATIONS[op]
        meaning, rounded = definition.meaning, self.rounded
        if definition.kind == "matrix":
            return lambda *tensors, **options: self._matrix(partial(meaning, **options), tensors)
        if rounded is as_is:
            return elementwise(meaning)
        return elementwise(lambda *numbers: rounded(meaning(*numbers)))

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Any]], float]:
        """Give the reduction over the numbers of all the tensors in a list."""
        meaning, rounded = OPERATIONS[op].meaning, self.rounded
        if op == "size":
            return lambda tensors: self.enter(float(sum(len(values_of(tensor)) for tensor in tensors)))

        def reduce(tensors: Sequence[Any]) -> float:
            # Rounded here too: a sum of one number that has entered is no addition.
            return rounded(float(meaning([v for tensor in tensors for v in values_of(tensor)], rounded)))

        return reduce

    def _matrix(self, meaning: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        result = meaning(*map(rows_of, tensors))
        if isinstance(result, tuple):
            return tuple(self._rounded_matrix(part) for part in result)
        if isinstance(result, float):
            return self.enter(result)
        return self._rounded_matrix(result)

    def _rounded_matrix(self, rows: list[list[float]]) -> Tensor:
        return of_rows([[self.rounded(v) for v in row] for row in rows])
