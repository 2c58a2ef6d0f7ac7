"""Limits of the memory that the package does not need itself: two passes, and the arrays of a trace."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from mhat.speed.timing import Run


@numba.njit(parallel=True, error_model="numpy")
def first_pass(x, g, m, v):
    """Move what LAMB's first pass moves: x, g, m, v are read, m and v written."""
    for i in numba.prange(x.size):
        m[i] = g[i] - m[i]
        v[i] = x[i] - v[i]


@numba.njit(parallel=True, error_model="numpy")
def second_pass(x, m, v):
    """Move what the second pass moves: x, m, v are read, x written."""
    for i in numba.prange(x.size):
        x[i] = m[i] - v[i] - x[i]


def two_passes(x: np.ndarray, g: np.ndarray) -> Run:
    """Give LAMB's two passes without their arithmetic: 24 and 16 bytes a parameter."""
    m, v = g.copy(), g.copy()

    def run() -> None:
        first_pass(x, g, m, v)
        second_pass(x, m, v)

    return run


@numba.njit(parallel=True, error_model="numpy")
def written(buffer, value):
    """Write every array of a trace: a row of coordinates a step."""
    for step in numba.prange(buffer.shape[1]):
        for name in range(buffer.shape[0]):
            for i in range(buffer.shape[2]):
                buffer[name, step, i] = value


def writing(shape: Sequence[int], variables: int) -> Run:
    """Give the writing of so many float32 arrays of a shape, steps first, into memory that is reused."""
    steps, coordinates = shape[0], int(np.prod(shape[1:], dtype=int))
    buffer = np.zeros((variables, steps, coordinates), np.float32)
    return lambda: written(buffer, np.float32(1))
