"""Addresses of many arrays at once: a list of NumPy arrays is checked and read in compiled code.

`array.ctypes.data` takes half a microsecond, and a model may have ten thousand arrays, new ones at every step. The
layout of a list and of an array is part of the C interfaces of CPython and NumPy; it is tried out on known arrays
before it is relied on, and where it does not hold the caller reads one array at a time. Tensors of a framework are read
alike, by a layout that the bridge to the framework has found out. It knows no rule and no framework.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

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
# What `read_again` says where not all is as it was.
OTHERWISE = -3
# Without a compiler nothing is read through pointers.
CAN_READ = not numba.config.DISABLE_JIT


@intrinsic
def _word(typing_context: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = context.get_value_type(types.CPointer(types.int64))
        return builder.load(builder.inttoptr(arguments[0], pointer))

    return types.int64(types.int64), code


@intrinsic
def _put_word(typing_context: Any, address: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = context.get_value_type(types.CPointer(types.int64))
        builder.store(arguments[1], builder.inttoptr(arguments[0], pointer))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


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


class Layout(NamedTuple):
    """Where the words of a tensor stand, in bytes from where it begins, and what they are for a plain one.

    `body`: the pointer to the tensor, in its Python object. In the tensor: `storage`, `owned` (what leads to its
    gradient), `dimensions` (their number, then lengths and strides, `inline` of each, or a pointer to both), `offset`,
    `dtype` (two bytes), `keys` (what kind it is). `data`: the address, in the storage. `gradient`: the pointer, in what
    is owned. `versions`: the pointer to what counts the changes of a tensor; `version`: the count, in that.
    `plain`: the keys of a plain tensor; `undefined`: what the pointer to a gradient is where there is none.
    """

    body: int
    storage: int
    owned: int
    dimensions: int
    inline: int
    offset: int
    dtype: int
    keys: int
    data: int
    gradient: int
    versions: int
    version: int
    plain: int
    undefined: int


class Strided(NamedTuple):
    """The shapes and strides that a list of tensors must have, one after another."""

    firsts: Array
    lengths: Array
    strides: Array


class Numbers(NamedTuple):
    """What stands for a dtype at `Layout.dtype`, and the bytes of a number of it."""

    code: int
    size: int


def _is_wanted(tensor, where, numbers, strided, i):
    """Whether a tensor is plain, of the dtype, the shape and the strides that it should have."""
    if _word(tensor + where.keys) != where.plain or _word(tensor + where.dtype) & 0xFFFF != numbers.code:
        return False
    first = strided.firsts[i]
    dimensions = strided.firsts[i + 1] - first
    if _word(tensor + where.dimensions) != dimensions:
        return False
    shape = tensor + where.dimensions + 8
    strides_at = shape + 8 * where.inline
    if dimensions > where.inline:
        shape = _word(shape)
        strides_at = shape + 8 * dimensions
    for axis in range(dimensions):
        length = strided.lengths[first + axis]
        if _word(shape + 8 * axis) != length:
            return False
        # Along one number nobody goes.
        if length > 1 and _word(strides_at + 8 * axis) != strided.strides[first + axis]:
            return False
    return True


_wanted = njit(_is_wanted)


def _place(tensor, where, numbers, strided, i):
    """Give where the numbers of a tensor lie, or -1 where it is not as wanted."""
    if not _wanted(tensor, where, numbers, strided, i):
        return -1
    return _word(_word(tensor + where.storage) + where.data) + numbers.size * _word(tensor + where.offset)


_place_of = njit(_place)


def _gathered_tensors(items, kinds, nothing, where, numbers, strided, found, there):
    """Write the address of each tensor, and whether it is there; give the place of a wrong one, ALL or UNMOVED."""
    if _word(items + _HEAD) != found.size:
        return 0
    start = _word(items + _HEAD + _ITEMS)
    moved = 0
    for i in range(found.size):
        tensor = _word(start + 8 * i)
        address, is_there = 0, tensor != nothing
        if is_there:
            kind = _word(tensor + 8)
            if kind != kinds[0] and kind != kinds[1]:
                return i
            address = _place_of(_word(tensor + where.body), where, numbers, strided, i)
            if address == -1:
                return i
        moved |= (found[i] ^ address) | (there[i] ^ is_there)
        found[i], there[i] = address, is_there
    return ALL if moved else UNMOVED


def _gathered_gradients(items, where, numbers, strided, found, there):
    """Write the address of the gradient that each tensor holds, as `_gathered_tensors` does of tensors."""
    if _word(items + _HEAD) != found.size:
        return 0
    start = _word(items + _HEAD + _ITEMS)
    moved = 0
    for i in range(found.size):
        owned = _word(_word(_word(start + 8 * i) + where.body) + where.owned)
        gradient = where.undefined if owned == 0 else _word(owned + where.gradient)
        address, is_there = 0, gradient != where.undefined
        if is_there:
            address = _place_of(gradient, where, numbers, strided, i)
            if address == -1:
                return i
        moved |= (found[i] ^ address) | (there[i] ^ is_there)
        found[i], there[i] = address, is_there
    return ALL if moved else UNMOVED


def _lie_as_wanted(bodies, where, numbers, strided, found):
    """Write where tensors lie; False where one is not as wanted."""
    for i in range(bodies.size):
        if not _wanted(bodies[i], where, numbers, strided, i):
            return False
        found[i] = numbers.size * _word(bodies[i] + where.offset)
        bodies[i] = _word(bodies[i] + where.storage)
    for i in range(bodies.size):
        found[i] += _word(bodies[i] + where.data)
    return True


_lie = njit(_lie_as_wanted)


def _reads_again(lists, kinds, where, small, large, is_large, strided, at, bodies, found):
    """Look whether all lies where it lay, but for gradients (row 1), whose addresses are written.

    One pointer after the other of all tensors, and not tensor after tensor: what is not in the caches is waited for
    together.
    """
    count, moved = at.shape[1], 0
    for row in range(lists.size):
        if _word(lists[row] + _HEAD) != count:
            return OTHERWISE
        if row == 1:
            continue
        start = _word(lists[row] + _HEAD + _ITEMS)
        for i in range(count):
            tensor = _word(start + 8 * i)
            kind = _word(tensor + 8)
            if kind != kinds[0] and kind != kinds[1]:
                return OTHERWISE
            bodies[0, i] = _word(tensor + where.body)
        if row == 0:
            for i in range(count):
                bodies[1, i] = _word(bodies[0, i] + where.owned)
        if not _lie(bodies[0], where, large if is_large[row] else small, strided, found):
            return OTHERWISE
        for i in range(count):
            moved |= at[row, i] ^ found[i]
    if moved:
        return OTHERWISE
    for i in range(count):
        bodies[1, i] = where.undefined if bodies[1, i] == 0 else _word(bodies[1, i] + where.gradient)
    # What stands for no gradient is none of these.
    if not _lie(bodies[1], where, small, strided, found):
        return OTHERWISE
    for i in range(count):
        moved |= at[1, i] ^ found[i]
        at[1, i] = found[i]
    return ALL if moved else UNMOVED


def _told(items, count, where):
    """Count a change of each tensor."""
    start = _word(items + _HEAD + _ITEMS)
    for i in range(count):
        counter = _word(_word(_word(start + 8 * i) + where.body) + where.versions)
        # Tensors of inference count nothing.
        if counter != 0:
            _put_word(counter + where.version, _word(counter + where.version) + 1)


_gather_tensors = keep(njit(_gathered_tensors), __name__)
_gather_gradients = keep(njit(_gathered_gradients), __name__)
_read_again = keep(njit(_reads_again), __name__)
_tell_changed = keep(njit(_told), __name__)


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


def strided(shapes: Sequence[tuple[int, ...]], strides: Sequence[tuple[int, ...]]) -> Strided:
    """Lay out the shapes and strides that tensors must have."""
    firsts = np.concatenate([[0], np.cumsum([len(shape) for shape in shapes])]).astype(np.int64)
    lengths, steps = ([n for each in all_of for n in each] or [0] for all_of in (shapes, strides))
    return Strided(firsts, np.array(lengths, np.int64), np.array(steps, np.int64))


def gather_tensors(
    tensors: list[Any], kinds: tuple[int, int], where: Layout, numbers: Numbers, wanted: Strided, found: Array,
    there: Array,
) -> int:  # fmt: skip
    """Write where tensors lie into `found` (int64), and into `there` (bool) which are there: None is not.

    `kinds`: the addresses of the two types that they may have. Gives ALL or UNMOVED, or the place of the first that is
    not as wanted. The caller holds the tensors, and tried the layout out.
    """
    return int(_gather_tensors(id(tensors), kinds, id(None), where, numbers, wanted, found, there))


def gather_gradients(
    tensors: list[Any], where: Layout, numbers: Numbers, wanted: Strided, found: Array, there: Array
) -> int:
    """Write where the gradients lie that tensors hold, as `gather_tensors` does; the tensors must be such."""
    return int(_gather_gradients(id(tensors), where, numbers, wanted, found, there))


def tell_changed(tensors: list[Any], where: Layout) -> None:
    """Let tensors count a change, as their framework does when it writes into them."""
    _tell_changed(id(tensors), len(tensors), where)


class Rows(NamedTuple):
    """Lists of tensors as compiled code reads them again: row 0 holds the gradients, which are row 1.

    `small`: the numbers of row 0 and of the gradients; `large`: those of rows that are marked `is_large`. `bodies` (two
    rows) and `found` (one): room for what is read.
    """

    lists: Array
    small: Numbers
    large: Numbers
    is_large: Array
    bodies: Array
    found: Array


def read_again(rows: Rows, kinds: tuple[int, int], where: Layout, wanted: Strided, at: Array) -> int:
    """Look whether all tensors lie where the table says, which had been read of them, and all hold gradients.

    Gives OTHERWISE where not; else where the gradients lie is written into row 1: ALL, or UNMOVED if they did not move.
    """
    lists, small, large, is_large, bodies, found = rows
    return int(_read_again(lists, kinds, where, small, large, is_large, wanted, at, bodies, found))


def address_of(array: Array) -> int:
    """Give the address of one array's numbers."""
    return int(array.__array_interface__["data"][0])


@cache
def _readable() -> bool:
    """Whether lists and arrays are laid out as expected: first by who made them, then by trying."""
    known = (
        CAN_READ
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
