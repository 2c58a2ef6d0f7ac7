"""Gradients that are missing: None to the subject, a marked row of a stream on the way to it. It knows no framework.

The mark is a NaN of its own bits, so that it goes through everything that carries numbers, and no NaN that is
computed is taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mhat.subjects.subject import Array

_BITS, _SIGN = 0x7FF8_6D68_6174_0001, 0x7FFF_FFFF_FFFF_FFFF


def marked(stream: Array, steps: Iterable[int]) -> Array:
    """Give a stream (T, *shape) whose gradients are missing at some steps."""
    rows = np.array(stream, dtype=np.float64)
    rows[list(steps)] = np.array([_BITS], dtype=np.uint64).view(np.float64)[0]
    return rows


def is_marked(stream: Array) -> Array:
    """Tell at which steps of a stream the gradient is missing."""
    if stream.dtype != np.float64 or not len(stream):
        return np.zeros(len(stream), dtype=bool)
    bits = np.ascontiguousarray(stream).view(np.uint64).reshape(len(stream), -1) & np.uint64(_SIGN)
    return np.asarray(np.all(bits == np.uint64(_BITS), axis=1))


def with_none(stream: Array, rows: Any) -> Any:
    """Put None where a stream has no gradient: `rows` are the same gradients, in the dtype of the subject."""
    absent = is_marked(stream)
    return [None if gone else row for gone, row in zip(absent, rows, strict=True)] if absent.any() else rows
