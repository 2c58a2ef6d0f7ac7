"""Sums in compiled code, in the one blocked order of `mhat.ops.tensors`. It knows no rule."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from mhat.engines.kernels import memory
from mhat.engines.kernels.operations import OPTIONS
from mhat.ops.tensors import BLOCK

SUM, MEAN, NORM = range(3)
KINDS = {"sum": SUM, "mean": MEAN, "norm": NORM}


@cache
def halved(computed: str) -> Any:
    """Give `halved(address, row, filled, padded)`: the sum of one block, padded with zeros, halved until one is left.

    Rows of `BLOCK` numbers lie at the address; the block is used up.
    """
    pointer, load, store = memory.pointer(computed), memory.load(computed, 0, 1), memory.store(computed, 0, 1)
    size, zero = memory.STORED[computed], np.dtype(computed).type(0.0)

    @njit(**OPTIONS)
    def sum_block(address, row, filled, padded):
        block = pointer(address + row * BLOCK * size)
        for i in range(filled, padded):
            store(block, i, zero)
        while padded > 1:
            padded //= 2
            for i in range(padded):
                store(block, i, load(block, i) + load(block, padded + i))
        return load(block, 0)

    return sum_block


@cache
def finished(computed: str) -> Any:
    """Give `finished(sums, first, last, count, kind)`: the sum, mean or norm from the sums of blocks."""
    number = np.dtype(computed).type

    @njit(**OPTIONS)
    def finish(sums, first, last, count, kind):
        total = number(0.0)
        if last > first:
            total = _sum_of(sums[first:last].copy())
        if kind == MEAN:
            return number(np.float64(total) / count)
        return number(np.sqrt(total)) if kind == NORM else total

    return finish


@njit(**OPTIONS)
def _sum_of(level):
    """Sum numbers in the blocked order, level by level; uses the array up."""
    length = level.size
    while length > 1:
        blocks = 0
        for start in range(0, length, BLOCK):
            filled = min(BLOCK, length - start)
            padded = BLOCK
            while length < BLOCK and padded // 2 >= length:
                padded //= 2
            block = np.zeros(padded, level.dtype)
            block[:filled] = level[start : start + filled]
            while padded > 1:
                padded //= 2
                for i in range(padded):
                    block[i] = block[i] + block[padded + i]
            level[blocks] = block[0]
            blocks += 1
        length = blocks
    return level[0]
