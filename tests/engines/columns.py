"""Every engine as one function: columns of doubles in, a column of doubles out. It knows no rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import array_api_compat.torch as array_torch
import jax
import numpy as np
import torch

from mhat.dtypes import DTYPES
from mhat.engines.arrays import Arrays
from mhat.engines.exact import Exact, nearest_double
from mhat.engines.floats import Floats
from mhat.engines.small import arrays_of

Column = np.ndarray
Applied = Callable[..., Column]


@contextmanager
def doubles() -> Iterator[None]:
    """Let JAX compute in double, and NumPy be silent about infinities."""
    with jax.enable_x64(True), np.errstate(all="ignore"):
        yield


def on_floats(op: str, dtype: str = "float64") -> Applied:
    function = Floats(dtype).operation(op)
    return lambda *columns: np.array([function(*row) for row in zip(*(c.tolist() for c in columns), strict=True)])


def on_numpy(op: str, dtype: str = "float64") -> Applied:
    function = arrays_of(dtype, tensor_dimensions=0).operation(op)
    return lambda *columns: np.asarray(function(*(column.astype(DTYPES[dtype].computed) for column in columns)))


def on_few(op: str) -> Applied:
    """NumPy, four elements at a time: small arrays take other ways than large ones."""
    function = on_numpy(op)

    def applied(*columns: Column) -> Column:
        return np.concatenate([function(*(c[i : i + 4] for c in columns)) for i in range(0, len(columns[0]), 4)])

    return applied


def on_torch(op: str) -> Applied:
    function = Arrays(array_torch, torch.float64, tensor_dimensions=0).operation(op)
    return lambda *columns: function(*map(torch.asarray, columns)).numpy()


def on_jax(op: str) -> Applied:
    def applied(*columns: Column) -> Column:
        with doubles():
            function = Arrays(jax.numpy, jax.numpy.float64, tensor_dimensions=0).operation(op)
            return np.asarray(function(*map(jax.numpy.asarray, columns)))

    return applied


def on_exact(op: str) -> Callable[..., list[Any]]:
    """Exact numbers out, not rounded to doubles."""
    exact = Exact()
    function = exact.operation(op)
    return lambda *columns: [
        function(*map(exact.number, row)) for row in zip(*(c.tolist() for c in columns), strict=True)
    ]


def rounded(numbers: list[Any]) -> Column:
    """Round exact numbers to doubles; only here may an exact number overflow."""
    return np.array([nearest_double(number) for number in numbers])


def same_bits(a: Column, b: Column) -> Column:
    """Say where two columns hold the same bits; all NaN are one."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype, (a.dtype, b.dtype)
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


def ulps(a: Column, numbers: list[Any]) -> Column:
    """How far doubles are from exact numbers, in units in the last place of the exact number's double."""
    found = []
    for value, expected, number in zip(a.tolist(), rounded(numbers).tolist(), numbers, strict=True):
        if math.isfinite(value) and math.isfinite(expected) and (value or expected):
            found.append(float(abs(value - number) / math.ulp(expected)))
        else:
            found.append(0.0 if same_bits(np.float64(value), np.float64(expected)) else math.inf)
    return np.array(found)
