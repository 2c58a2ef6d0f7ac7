"""Arrays that record what is done with them, element by element, beside the real computation. They know no tape format.

An array that records is an ordinary array, with the same bits. Beside its memory lies a shadow: which node each place
of the memory holds. Views share memory, and so the shadow; what is written in place is written in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mhat.subjects.recording.numbers import Records, bare, wrapped
from mhat.subjects.recording.operations import compose
from mhat.subjects.recording.tape import Current, Tape

Ids = np.ndarray[Any, np.dtype[np.int64]]
KINDS = "bfiu"
# NumPy's own, whatever stands in their places while a tape is written.
plain_array, plain_asarray = np.array, np.asarray


class Hooks:
    """How the other functions of NumPy are recorded; set by `functions`, which knows them."""

    on_function: Callable[..., Any]


class Shadow:
    """Which node each place of some memory holds."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        low, high = np.lib.array_utils.byte_bounds(array)
        self.low, self.high, self.size = low, high, array.itemsize
        self.ids = np.full((high - low) // array.itemsize, -1, np.int64)

    def over(self, array: np.ndarray[Any, Any]) -> Ids | None:
        """Give the nodes of an array in this memory, in its shape; None if it lies elsewhere."""
        if array.itemsize != self.size or array.size == 0:
            return None
        low, high = np.lib.array_utils.byte_bounds(array)
        if low < self.low or high > self.high or (low - self.low) % self.size:
            return None
        first = array.__array_interface__["data"][0]
        strides = tuple(stride // self.size * 8 for stride in array.strides)
        return np.lib.stride_tricks.as_strided(self.ids[(first - self.low) // self.size :], array.shape, strides)


class RecordingArray(np.ndarray[Any, Any]):
    """An array that records."""

    shadow: Shadow | None = None

    def __array_finalize__(self, other: Any) -> None:
        self.shadow = getattr(other, "shadow", None)

    def own_ids(self) -> Ids:
        """Give the nodes at the places of this array's memory, to be read or written."""
        plain = self.view(np.ndarray)
        ids = None if self.shadow is None else self.shadow.over(plain)
        if ids is None:
            self.shadow = Shadow(plain)
            ids = self.shadow.over(plain)
        return np.empty(self.shape, np.int64) if ids is None else ids

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return on_ufunc(ufunc, method, *inputs, **options)

    def __getitem__(self, key: Any) -> Any:
        key = unrecorded(key)
        result = self.view(np.ndarray)[key]
        tape = Current.tape
        if tape is None or self.dtype.kind not in KINDS:
            return result
        if isinstance(result, np.ndarray):
            if result.base is not None and self.shadow is not None and self.shadow.over(result) is not None:
                made = result.view(RecordingArray)
                made.shadow = self.shadow
            else:
                made = given(result, self.own_ids()[key])
            if result.ndim < self.ndim and result.size:
                tape.take_up(int(made.own_ids().flat[0]))
            return made
        node = tape.checked(int(self.own_ids()[key]), float(result))
        tape.take_up(node)
        return wrapped(result, node)

    def __setitem__(self, key: Any, value: Any) -> None:
        key = unrecorded(key)
        plain = self.view(np.ndarray)
        plain[key] = unrecorded(value)
        tape = Current.tape
        if tape is None or self.dtype.kind not in KINDS:
            return
        ids = self.own_ids()
        ids[key] = cast(plain_asarray(plain[key]), value)

    def __iter__(self) -> Any:
        if self.ndim == 0:
            return iter(self.view(np.ndarray))
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        outcome = bool(self.view(np.ndarray))
        if Current.tape is not None and self.size == 1:
            Current.tape.branch(int(ids_of(self).flat[0]), outcome)
        return outcome

    def item(self, *place: Any) -> Any:
        """Give one element as a plain number, which records."""
        value = self.view(np.ndarray).item(*place)
        if Current.tape is None or self.dtype.kind not in KINDS:
            return value
        ids = np.ascontiguousarray(ids_of(self))
        return wrapped(value, int(ids.item(*place)))

    def tolist(self) -> Any:
        """Give the elements as plain numbers, which record, in lists."""
        if Current.tape is None or self.dtype.kind not in KINDS:
            return self.view(np.ndarray).tolist()
        return _listed(self.view(np.ndarray).tolist(), ids_of(self).tolist())

    def copy(self, order: Any = "C") -> Any:
        """Copy it."""
        plain = self.view(np.ndarray).copy(order)
        return plain if Current.tape is None else given(plain, ids_of(self))

    def __deepcopy__(self, memory: Any) -> Any:
        return self.copy()

    def __copy__(self) -> Any:
        return self.copy()

    def astype(self, dtype: Any, *more: Any, **options: Any) -> Any:
        """Give it in another dtype."""
        plain = self.view(np.ndarray).astype(dtype, *more, **options)
        if Current.tape is None or plain.dtype.kind not in KINDS:
            return plain
        return given(plain, cast(plain, self))

    def fill(self, value: Any) -> None:
        """Fill it with a number."""
        self[...] = value

    def dot(self, other: Any, out: Any = None) -> Any:
        """Multiply it with another."""
        return np.matmul(self, other) if self.ndim and np.ndim(other) else np.multiply(self, other)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        return Hooks.on_function(function, inputs, options)


def _listed(values: Any, ids: Any) -> Any:
    if isinstance(values, list):
        return [_listed(value, each) for value, each in zip(values, ids, strict=True)]
    return wrapped(values, ids)


def given(plain: Any, ids: Any) -> Any:
    """Make an array that records of a plain one and its nodes; of a number a number that records."""
    if not isinstance(plain, np.ndarray):
        return wrapped(plain, int(plain_asarray(ids).flat[0]))
    made = plain.view(RecordingArray)
    made.shadow = Shadow(plain) if plain.size else None
    if plain.size:
        made.own_ids()[...] = np.reshape(ids, plain.shape)
    return made


def unrecorded(value: Any) -> Any:
    """Take out of arrays, numbers, lists, tuples and slices all that records."""
    if isinstance(value, RecordingArray):
        return value.view(np.ndarray)
    if isinstance(value, Records):
        return bare(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return value
    if isinstance(value, list | tuple):
        return type(value)(map(unrecorded, value))
    if isinstance(value, slice):
        return slice(*(bare(part) for part in (value.start, value.stop, value.step)))
    return value


def holds_records(value: Any) -> bool:
    """Whether there is something in a value that records."""
    if isinstance(value, list | tuple):
        return any(map(holds_records, value))
    return isinstance(value, RecordingArray | Records)


def ids_of(value: Any) -> Ids:
    """Give the nodes of anything that can be made an array, in its shape: each is checked by its value."""
    tape = Current.tape
    assert tape is not None
    if isinstance(value, list | tuple):
        parts = [ids_of(each) for each in value]
        return np.stack(parts) if parts else np.empty(0, np.int64)
    if isinstance(value, Records):
        return plain_asarray(tape.checked(value.node, float(value)))  # type: ignore[arg-type]
    plain = plain_asarray(unrecorded(value))
    own: Sequence[int] = [-1] * plain.size
    if isinstance(value, RecordingArray) and plain.size:
        own = value.own_ids().ravel().tolist()
    numbers = plain.ravel().tolist()
    nodes = [tape.checked(node, float(number)) for node, number in zip(own, numbers, strict=True)]
    if isinstance(value, RecordingArray) and plain.size:
        value.own_ids()[...] = np.reshape(nodes, plain.shape)
    return plain_array(nodes, np.int64).reshape(plain.shape)


def cast(stored: np.ndarray[Any, Any], value: Any) -> Ids:
    """Give the nodes of a value as it was stored: rounded, where it was stored in fewer digits."""
    tape = Current.tape
    assert tape is not None
    ids = np.broadcast_to(ids_of(value), stored.shape)
    numbers, nodes = stored.ravel().tolist(), ids.ravel().tolist()
    place = None
    for i, (number, node) in enumerate(zip(numbers, nodes, strict=True)):
        before = tape.values[node]
        if before != float(number) and (before == before or number == number):
            place = tape.begin_event() if place is None else place
            nodes[i] = tape.add("cast", (node,), float(number), place)
    return plain_array(nodes, np.int64).reshape(stored.shape)


def on_ufunc(ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """Compute a function of NumPy on plain arrays, and record it for each element."""
    outs = options.pop("out", None) or ()
    condition = options.get("where", True)
    plain_options = {name: unrecorded(value) for name, value in options.items()}
    if outs:
        plain_options["out"] = unrecorded(tuple(outs))
    tape = Current.tape
    # The nodes are looked up before: what is computed may be written over what it is computed from.
    before = [ids_of(value) for value in inputs] if tape is not None and method != "at" else []
    result = getattr(ufunc, method)(*unrecorded(inputs), **plain_options)
    if tape is None or method == "at":
        if tape is not None:
            tape.note(f"np.{ufunc.__name__}.at is not recorded")
        return result
    place = tape.begin_event()
    results = result if isinstance(result, tuple) else (result,)
    made = [
        _recorded(tape, ufunc.__name__, method, before, options, each, outs[i] if i < len(outs) else None, place)
        for i, each in enumerate(results)
    ]
    if condition is not True:
        tape.note(f"np.{ufunc.__name__}(where=) is not recorded")
    return tuple(made) if isinstance(result, tuple) else made[0]


def _recorded(
    tape: Tape, name: str, method: str, before: list[Ids], options: dict[str, Any], result: Any, out: Any, place: int
) -> Any:
    target = plain_asarray(result)
    if target.dtype.kind not in KINDS:
        return result if out is None else out
    if method == "__call__" and name in ("matmul", "vecdot"):
        nodes = _products(tape, before, target, place)
    elif method == "__call__":
        flat = [np.broadcast_to(ids, target.shape).ravel().tolist() for ids in before]
        nodes = [
            compose(tape, name, operands, float(value), place)
            for operands, value in zip(zip(*flat, strict=True), target.ravel().tolist(), strict=True)
        ]
    elif method == "reduce":
        nodes = reduced(tape, name, before[0], options.get("axis", 0), target, place)
    elif method == "accumulate":
        nodes = _accumulated(tape, name, before[0], options.get("axis", 0), target, place)
    else:
        tape.note(f"np.{name}.{method} is not recorded")
        nodes = ids_of(target).ravel().tolist()
    if out is not None:
        if isinstance(out, RecordingArray):
            out.own_ids()[...] = np.reshape(nodes, target.shape)
        return out
    if not isinstance(result, np.ndarray):
        return wrapped(bool(result) if isinstance(result, np.bool_) else result, int(nodes[0]))
    return given(result, nodes)


def reduced(tape: Tape, name: str, ids: Ids, axis: Any, target: Any, place: int) -> list[int]:
    """Record a reduction: a node for each result, of all elements that it is made of."""
    axes = tuple(range(ids.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(each % max(ids.ndim, 1) for each in axes)
    kept = [each for each in range(ids.ndim) if each not in axes]
    rows = ids.transpose(*kept, *axes).reshape(target.size, -1).tolist()
    values = target.ravel().tolist()
    return [
        compose(tape, f"{name}.reduce", tuple(row), float(value), place)
        for row, value in zip(rows, values, strict=True)
    ]


def _accumulated(tape: Tape, name: str, ids: Ids, axis: int, target: Any, place: int) -> list[int]:
    nodes = plain_array(ids)
    moved, values = np.moveaxis(nodes, axis, 0), np.moveaxis(target, axis, 0)
    for i in range(1, len(moved)):
        pairs = zip(moved[i - 1].ravel().tolist(), moved[i].ravel().tolist(), strict=True)
        made = [
            compose(tape, name, pair, float(value), place)
            for pair, value in zip(pairs, values[i].ravel().tolist(), strict=True)
        ]
        moved[i] = np.reshape(made, moved[i].shape)
    return list(nodes.ravel().tolist())


def _products(tape: Tape, before: list[Ids], target: Any, place: int) -> list[int]:
    """Record products of matrices: each element of rows and columns; of two vectors the sum of products."""
    left, right = before
    rows = left.reshape(-1, left.shape[-1]).tolist()
    columns = [right.tolist()] if right.ndim == 1 else right.reshape(right.shape[-2], -1).T.tolist()
    values = iter(target.ravel().tolist())
    nodes = []
    for row in rows:
        for column in columns:
            value = next(values, math.nan)
            if left.ndim == right.ndim == 1:
                parts = [
                    tape.add("mul", (a, b), tape.values[a] * tape.values[b], place)
                    for a, b in zip(row, column, strict=True)
                ]
                nodes.append(compose(tape, "add.reduce", tuple(parts), float(value), place))
            else:
                nodes.append(tape.add("matmul", (*row, *column), float(value), place))
    return nodes


Records.on_ufunc = on_ufunc
