"""The functions a rule may call: `sqrt cbrt abs sign exp log sin cos tanh round atan2 minimum maximum where clip`,
the reductions `sum mean norm largest size`, and the matrix functions. It knows no tree, no engine and no array.

A rule file imports them, `from mhat.ops import sqrt`, so that it runs as ordinary Python on floats:

>>> sqrt(2.0), sqrt(-1.0), clip(7, -1, 1)
(1.4142135623730951, nan, 1.0)

On a single number a reduction runs over that one number, and a matrix is one by one. Whole tensors
are the engines' business; what they compute is defined here too (`OPERATIONS[name].meaning`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

from mhat.ops import elementwise, tensors
from mhat.ops.doubles import Double
from mhat.ops.powers import ipow
from mhat.ops.table import OPERATIONS, Definition

# The one number that has a name.
inf = math.inf

__all__ = [
    "OPERATIONS", "Definition", "Double", "abs", "atan2", "cbrt", "clip", "column_largest", "column_mean",
    "columns", "cos", "eigh", "exp", "identity", "inf", "ipow", "largest", "leading", "log", "maximum", "mean",
    "minimum", "norm", "orthogonal", "qr", "round", "row_largest", "row_mean", "rows", "sign", "sin", "size",
    "sorted_by", "sqrt", "sum", "tanh", "transpose", "where",
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
    def called(x: float, *others: float, **more: Any) -> Any:
        numbers = {name: [[float(value)]] for name, value in more.items() if name == "eps"}
        result = meaning([[float(x)]], *([[float(other)]] for other in others), **{**more, **numbers})
        if isinstance(result, tuple):
            return tuple(Double(part[0][0]) for part in result)
        return Double(result if isinstance(result, float) else result[0][0])

    return called


sqrt = _on_numbers(elementwise.sqrt)
cbrt = _on_numbers(elementwise.cbrt)
abs = _on_numbers(elementwise.abs_)
sign = _on_numbers(elementwise.sign)
exp = _on_numbers(elementwise.exp)
log = _on_numbers(elementwise.log)
sin = _on_numbers(elementwise.sin)
cos = _on_numbers(elementwise.cos)
tanh = _on_numbers(elementwise.tanh)
round = _on_numbers(elementwise.round_)
atan2 = _on_numbers(elementwise.atan2)
minimum = _on_numbers(elementwise.minimum)
maximum = _on_numbers(elementwise.maximum)
where = _on_numbers(elementwise.where)
clip = _on_numbers(elementwise.clip)
sum = _on_one(tensors.sum_)
mean = _on_one(tensors.mean)
norm = _on_one(tensors.norm)
largest = _on_one(tensors.largest)
size = _on_one(tensors.size)
transpose = _on_one_by_one(tensors.transpose)
row_mean = _on_one_by_one(tensors.row_mean)
column_mean = _on_one_by_one(tensors.column_mean)
row_largest = _on_one_by_one(tensors.row_largest)
column_largest = _on_one_by_one(tensors.column_largest)
rows = _on_one_by_one(tensors.rows)
columns = _on_one_by_one(tensors.columns)
identity = _on_one_by_one(tensors.identity)
orthogonal = _on_one_by_one(tensors.orthogonal)
leading = _on_one_by_one(tensors.leading)
sorted_by = _on_one_by_one(tensors.sorted_by)
eigh = _on_one_by_one(tensors.eigh)
qr = _on_one_by_one(tensors.qr)


def __dir__() -> list[str]:
    return sorted(__all__)
