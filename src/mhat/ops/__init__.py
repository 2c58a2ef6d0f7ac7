"""The functions a rule may call: `sqrt cbrt abs sign exp log sin cos atan2 minimum maximum where clip`,
the reductions `sum mean norm`, and the matrix functions. It knows no tree, no engine and no array.

A rule file imports them, `from mhat.ops import sqrt`, so that it runs as ordinary Python on floats:

>>> sqrt(2.0), sqrt(-1.0), clip(7, -1, 1)
(1.4142135623730951, nan, 1.0)

On a single number a reduction runs over that one number, and a matrix is one by one. Whole tensors
are the engines' business; what they compute is defined here too (`OPERATIONS[name].meaning`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

from mhat.ops import elementwise, tensors
from mhat.ops.doubles import Double
from mhat.ops.powers import ipow
from mhat.ops.table import OPERATIONS, Definition

__all__ = [
    "OPERATIONS", "Definition", "Double", "abs", "atan2", "cbrt", "clip", "column_mean", "cos", "eigh", "exp", "ipow",
    "log", "maximum", "mean", "minimum", "norm", "orthogonal", "qr", "row_mean", "sign", "sin", "sqrt", "sum",
    "transpose", "where",
]  # fmt: skip


def _on_numbers(meaning: Callable[..., float]) -> Callable[..., Double]:
    """Let a meaning be called from a rule that runs as Python: numbers in, a number out."""

    @wraps(meaning)
    def called(*args: float) -> Double:
        return Double(meaning(*map(float, args)))

    return called


def _on_one(meaning: Callable[..., Any]) -> Callable[..., Double]:
    @wraps(meaning)
    def called(x: float, over: Literal["tensor", "all"] = "tensor") -> Double:
        return Double(meaning([float(x)]))

    return called


def _on_one_by_one(meaning: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(meaning)
    def called(x: float) -> Any:
        result = meaning([[float(x)]])
        if isinstance(result, tuple):
            return tuple(Double(part[0][0]) for part in result)
        return Double(result[0][0])

    return called


sqrt = _on_numbers(elementwise.sqrt)
cbrt = _on_numbers(elementwise.cbrt)
abs = _on_numbers(elementwise.abs_)
sign = _on_numbers(elementwise.sign)
exp = _on_numbers(elementwise.exp)
log = _on_numbers(elementwise.log)
sin = _on_numbers(elementwise.sin)
cos = _on_numbers(elementwise.cos)
atan2 = _on_numbers(elementwise.atan2)
minimum = _on_numbers(elementwise.minimum)
maximum = _on_numbers(elementwise.maximum)
where = _on_numbers(elementwise.where)
clip = _on_numbers(elementwise.clip)
sum = _on_one(tensors.sum_)
mean = _on_one(tensors.mean)
norm = _on_one(tensors.norm)
transpose = _on_one_by_one(tensors.transpose)
row_mean = _on_one_by_one(tensors.row_mean)
column_mean = _on_one_by_one(tensors.column_mean)
orthogonal = _on_one_by_one(tensors.orthogonal)
eigh = _on_one_by_one(tensors.eigh)
qr = _on_one_by_one(tensors.qr)


def __dir__() -> list[str]:
    return sorted(__all__)
