"""Addresses of many arrays at once: a list of NumPy arrays is checked and read in compiled code.

`array.ctypes.data` takes half a microsecond, and a model may have ten thousand arrays, new ones at every step. The
layout of a list and of an array is part of the C interfaces of CPython and NumPy; it is tried out on known arrays
before it is relied on, and where it does not hold the caller reads one array at a time. It knows no rule.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from mhat.engines.kernels.cache import keep

Array = Any

# struct PyArrayObject_fields and PyListObject, behind the head of every object.
_HEAD = 16
_DATA, _DIMENSIONS, _LENGTHS, _DTYPE, _FLAGS = 0, 8, 16, 40, 48
_ITEMS = 8
# NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_ALIGNED; and with NPY_ARRAY_WRITEABLE.
READ, WRITTEN = 0x0101, 0x0501

# What `gather` says of arrays that are all as wanted: read, and lying where they lay before.
ALL, UNMOVED = -1, -2


@intrinsic
def _word(typing_context: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = context.get_value_type(types.CPointer(types.int64))
        return builder.load(builder.inttoptr(arguments[0], pointer))

    return types.int64(types.int64), code


def _gathered(items, kind, dtype, firsts, lengths, found, wanted):
    """Write the address of each array that is as wanted; give the place of the first that is not, or ALL or UNMOVED."""
    # Looked at here, where no other thread can shorten the list any more.
    if _word(items + _HEAD) != found.size:
        return 0
    start = _word(items + _HEAD + _ITEMS)
    moved = 0
    for i in range(found.size):
        array = _word(start + 8 * i)
        fields = array + _HEAD
        if _word(array + 8) != kind or _word(fields + _DTYPE) != dtype:
            return i
        dimensions = firsts[i + 1] - firsts[i]
        if _word(fields + _DIMENSIONS) & 0xFFFFFFFF != dimensions or _word(fields + _FLAGS) & wanted != wanted:
            return i
        shape = _word(fields + _LENGTHS)
        for axis in range(dimensions):
            if _word(shape + 8 * axis) != lengths[firsts[i] + axis]:
                return i
        address = _word(fields + _DATA)
        moved |= found[i] ^ address
        found[i] = address
    return ALL if moved else UNMOVED


_gather = keep(njit(_gathered), __name__)


class Shapes:
    """The shapes that a list of arrays must have, laid out for compiled code."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        self.firsts = np.concatenate([[0], np.cumsum([len(shape) for shape in shapes])]).astype(np.int64)
        self.lengths = np.array([n for shape in shapes for n in shape] or [0], dtype=np.int64)


def gather(arrays: list[Any], dtype: np.dtype[Any], shapes: Shapes, found: Array, wanted: int = READ) -> int:
    """Write the addresses of plain, contiguous arrays of the dtype and shapes into `found` (int64).

    `wanted`: READ, or WRITTEN where they must not be read-only. Gives ALL, or UNMOVED where `found` held the same; or
    the place of the first array that is not as wanted, which is 0 where the list has another length, or objects cannot
    be read in this way.
    """
    if not _readable():
        return 0
    return int(_gather(id(arrays), id(np.ndarray), id(dtype), shapes.firsts, shapes.lengths, found, wanted))


def address_of(array: Array) -> int:
    """Give the address of one array's numbers."""
    return int(array.__array_interface__["data"][0])


@cache
def _readable() -> bool:
    """Whether lists and arrays are laid out as expected: first by who made them, then by trying."""
    known = (
        not numba.config.DISABLE_JIT
        and platform.python_implementation() == "CPython"
        and sys.maxsize == 2**63 - 1
        and object.__basicsize__ == _HEAD
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and int(np.__version__.partition(".")[0]) == 2
    )
    if not known:
        return False
    dtype = np.dtype(np.float32)
    probes = [np.zeros((2, 3), dtype), np.zeros((), dtype), np.zeros(5, dtype)]
    found = np.zeros(3, np.int64)
    shapes = Shapes([probe.shape for probe in probes])

    def tried(arrays: list[Array], wanted: int = READ) -> int:
        return int(_gather(id(arrays), id(np.ndarray), id(dtype), shapes.firsts, shapes.lengths, found, wanted))

    right = (
        tried(probes) == ALL and tried(probes) == UNMOVED and found.tolist() == [address_of(probe) for probe in probes]
    )
    wrong: list[Array] = [np.zeros(5), np.zeros((3, 2), dtype).T, np.zeros(4, dtype), np.zeros(10, dtype)[::2]]
    places = [tried([*probes[:2], each]) if each.ndim == 1 else tried([each, *probes[1:]]) for each in wrong]
    short = tried(probes[:2]) == 0 and tried([*probes, probes[0]]) == 0
    probes[1].setflags(write=False)
    return right and places == [2, 0, 2, 2] and short and (tried(probes), tried(probes, WRITTEN)) == (UNMOVED, 1)
