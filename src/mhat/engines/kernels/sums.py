"""Sums in compiled code, in the one blocked order of `mhat.ops.tensors`, and largest numbers. It knows no rule."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from mhat.dtypes import DTYPES
from mhat.engines.kernels import memory
from mhat.engines.kernels.operations import OPTIONS
from mhat.ops.tensors import BLOCK

SUM, MEAN, NORM, LARGEST = range(4)
KINDS = {"sum": SUM, "mean": MEAN, "norm": NORM, "largest": LARGEST}


@cache
def halved(computed: str) -> Any:
    """Give `halved(address, row, filled, padded)`: the sum of one block, padded with zeros, halved until one is left.

    Rows of `BLOCK` numbers lie at the address; the block is used up.
    """
    pointer, load, store = memory.pointer(computed), memory.load(computed, 0, 1), memory.store(computed, 0, 1)
    size, zero = DTYPES[computed].size, np.dtype(computed).type(0.0)

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
def highest(computed: str) -> Any:
    """Give `highest(address, row, filled, padded)`: the largest number of one block; NaN wins."""
    pointer, load = memory.pointer(computed), memory.load(computed, 0, 1)
    size, none = DTYPES[computed].size, np.dtype(computed).type(-np.inf)

    @njit(**OPTIONS)
    def highest_of_block(address, row, filled, padded):
        block = pointer(address + row * BLOCK * size)
        found = none
        for i in range(filled):
            found = _greater(found, load(block, i))
        return found

    return highest_of_block


@cache
def finished(computed: str) -> Any:
    """Give `finished(sums, first, last, count, kind)`: the sum, mean, norm or largest from that of blocks, used up."""
    number = np.dtype(computed).type

    @njit(**OPTIONS)
    def finish(sums, first, last, count, kind):
        if kind == LARGEST:
            found = number(-np.inf)
            for i in range(first, last):
                found = _greater(found, sums[i])
            return found + number(0.0)
        total = number(0.0)
        if last > first:
            total = _sum_of(sums, first, last - first)
        if kind == MEAN:
            return number(np.float64(total) / count)
        return number(np.sqrt(total)) if kind == NORM else total

    return finish


@cache
def spread(computed: str) -> Any:
    """Give `spread(sums, row, groups, counts, kind, scalars, column)`: finish all sums, and write them to the tensors.

    There is one sum a tensor, or one for all of them.
    """
    finish = finished(computed)

    @njit(**OPTIONS)
    def spread_sums(sums, row, groups, counts, kind, scalars, column):
        every = scalars.shape[0] if counts.size == 1 else 1
        for group in range(counts.size):
            total = finish(sums[row], groups[group], groups[group + 1], counts[group], kind)
            for tensor in range(group, group + every):
                scalars[tensor, column] = total

    return spread_sums


@njit(**OPTIONS)
def _greater(found, value):
    return value if (value > found) | (value != value) else found


@njit(**OPTIONS)
def _sum_of(level, first, length):
    """Sum numbers of an array in the blocked order, level by level; uses them up.

    What pads a block is not there: zeros are added where it would be.
    """
    while length > 1:
        blocks = 0
        for start in range(0, length, BLOCK):
            filled = min(BLOCK, length - start)
            half = BLOCK // 2
            while length < BLOCK and half >= length:
                half //= 2
            while half > 0:
                for i in range(min(filled, half)):
                    other = level[first + start + half + i] if half + i < filled else level.dtype.type(0.0)
                    level[first + start + i] = level[first + start + i] + other
                filled = min(filled, half)
                half //= 2
            level[first + blocks] = level[first + start]
            blocks += 1
        length = blocks
    return level[first]
