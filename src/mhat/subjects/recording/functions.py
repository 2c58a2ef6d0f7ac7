"""The functions of NumPy and of `math`, recorded, and put in their places while a tape is written.

What only lays elements out anew does the same to the nodes. What is not known here is computed and noted: its results
are found again by their values, or are plain numbers.
"""

from __future__ import annotations

import builtins
import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mhat.subjects.recording import arrays
from mhat.subjects.recording.arrays import (
    Hooks,
    RecordingArray,
    given,
    holds_records,
    ids_of,
    plain_array,
    plain_asarray,
    reduced,
    unrecorded,
)
from mhat.subjects.recording.numbers import Records, bare, node_of, wrapped
from mhat.subjects.recording.operations import compose
from mhat.subjects.recording.tape import Current

# They move elements, and do nothing to them.
LAYING = {
    np.reshape, np.ravel, np.transpose, np.moveaxis, np.swapaxes, np.squeeze, np.expand_dims, np.broadcast_to,
    np.concatenate, np.stack, np.vstack, np.hstack, np.column_stack, np.dstack, np.append, np.tile, np.repeat, np.roll,
    np.flip, np.fliplr, np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit, np.take, np.atleast_1d,
    np.atleast_2d, np.diag, np.tril, np.triu, np.insert, np.delete, np.copy, np.block, np.diagonal, np.resize,
}  # fmt: skip
# They ask for no number.
ASKING = {
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.array_equal, np.allclose, np.isclose,
    np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.may_share_memory, np.shares_memory, np.array_repr,
    np.array_str, np.array2string, np.isscalar, np.min_scalar_type, np.common_type, np.argmax, np.argmin, np.argsort,
}  # fmt: skip
LIKE = {np.zeros_like, np.ones_like, np.empty_like}
UFUNC_LIKE: dict[Any, Any] = {np.round: np.rint, np.around: np.rint}


def on_function(function: Any, inputs: Any, options: Any) -> Any:
    """Compute a function of NumPy that is no ufunc on plain arrays, and record what it does."""
    plain = function(*unrecorded(inputs), **{name: unrecorded(value) for name, value in options.items()})
    tape = Current.tape
    if tape is None:
        return plain
    if function in LIKE:
        return plain.view(RecordingArray)
    if function in ASKING:
        return plain
    if function in LAYING:
        return _laid(function, inputs, options, plain)
    recorder = KNOWN.get(function)
    if recorder is not None:
        made = recorder(plain, *inputs, **options)
        if made is not None:
            return made
    name = getattr(function, "__name__", str(function))
    tape.note(f"np.{name} is not recorded")
    return plain.view(RecordingArray) if isinstance(plain, np.ndarray) else plain


def _laid(function: Any, inputs: Any, options: Any, plain: Any) -> Any:
    """Do to the nodes what is done to the elements; a view stays one."""
    if isinstance(plain, np.ndarray) and plain.base is not None and isinstance(inputs[0], RecordingArray):
        shadow = inputs[0].shadow
        if shadow is not None and shadow.over(plain) is not None:
            made = plain.view(RecordingArray)
            made.shadow = shadow
            return made
    first = inputs[0]
    several = isinstance(first, list | tuple)
    nodes = [ids_of(each) for each in first] if several else ids_of(first)
    others = [ids_of(each) if function in (np.append, np.insert) and i == 0 else each
              for i, each in enumerate(inputs[1:])]  # fmt: skip
    moved = function(nodes, *unrecorded(others), **options)
    if isinstance(plain, list | tuple):
        return [given(each, ids) for each, ids in zip(plain, moved, strict=True)]
    if function in (np.tril, np.triu) or (function is np.diag and plain.ndim == 2):
        moved = np.where(plain != 0, moved, -1)
    return given(plain, moved)


def _where(plain: Any, condition: Any, *choices: Any) -> Any:
    if not choices:
        return plain
    place = _place()
    flat = [np.broadcast_to(ids_of(each), plain.shape).ravel().tolist() for each in (condition, *choices)]
    return given(plain, _each("where", flat, plain, place))


def _clip(plain: Any, value: Any, low: Any = None, high: Any = None, out: Any = None, **more: Any) -> Any:
    low, high = more.get("min", more.get("a_min", low)), more.get("max", more.get("a_max", high))
    if low is None and high is None:
        return None
    place = _place()
    name = "clip" if low is not None and high is not None else "minimum" if low is None else "maximum"
    each = [part for part in (value, low, high) if part is not None]
    flat = [np.broadcast_to(ids_of(part), np.shape(plain)).ravel().tolist() for part in each]
    return _put(plain, _each(name, flat, plain_asarray(plain), place), out)


def _put(plain: Any, nodes: Any, out: Any) -> Any:
    if isinstance(out, RecordingArray):
        out.own_ids()[...] = np.reshape(nodes, plain.shape)
        return out
    return given(plain, nodes) if out is None else out


NORMS = {None: "norm", 2: "norm", "fro": "norm", 1: "norm1", math.inf: "norminf"}


def _norm(plain: Any, value: Any, *kind: Any, **options: Any) -> Any:
    ord_, axis = (
        options.get(name, default) for name, default in zip(("ord", "axis"), (*kind, None, None), strict=False)
    )
    whole = np.ndim(value) == 2 and axis is None  # of a matrix, where 1, 2 and inf mean something else
    if ord_ not in NORMS or (whole and ord_ not in (None, "fro")):
        return None
    nodes = reduced(_tape(), NORMS[ord_], ids_of(value), axis, plain_asarray(plain), _place())
    return given(plain, nodes)


def _mean(plain: Any, value: Any, axis: Any = None, *more: Any, **options: Any) -> Any:
    nodes = reduced(_tape(), "mean", ids_of(value), axis, plain_asarray(plain), _place())
    return given(plain, nodes)


def _reduction(name: str) -> Callable[..., Any]:
    def recorded(plain: Any, value: Any, axis: Any = None, *more: Any, **options: Any) -> Any:
        if isinstance(value, list | tuple):
            value = given(plain_asarray(unrecorded(value)), ids_of(value))
        nodes = reduced(_tape(), name, ids_of(value), axis, plain_asarray(plain), _place())
        return given(plain, nodes)

    return recorded


def _dot(plain: Any, a: Any, b: Any, *more: Any) -> Any:
    return np.matmul(a, b) if np.ndim(a) and np.ndim(b) else np.multiply(a, b)


def _vdot(plain: Any, a: Any, b: Any) -> Any:
    return np.matmul(np.ravel(a), np.ravel(b))


def _outer(plain: Any, a: Any, b: Any, out: Any = None) -> Any:
    return np.multiply(np.ravel(a)[:, None], np.ravel(b)[None, :])


def _nan_to_num(plain: Any, value: Any, *more: Any, **options: Any) -> Any:
    return given(plain, ids_of(given(plain, ids_of(value))))


def _full_like(plain: Any, like: Any, value: Any, *more: Any, **options: Any) -> Any:
    return given(plain, np.broadcast_to(ids_of(value), plain.shape))


def _copyto(plain: Any, target: Any, source: Any, *more: Any, **options: Any) -> Any:
    if isinstance(target, RecordingArray):
        target.own_ids()[...] = arrays.cast(target.view(np.ndarray), source)
    return target


def _cumsum(plain: Any, value: Any, axis: Any = None, *more: Any, **options: Any) -> Any:
    array = np.ravel(value) if axis is None else value
    return np.add.accumulate(array, 0 if axis is None else axis)


def _cumprod(plain: Any, value: Any, axis: Any = None, *more: Any, **options: Any) -> Any:
    array = np.ravel(value) if axis is None else value
    return np.multiply.accumulate(array, 0 if axis is None else axis)


def _diff(plain: Any, value: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n != 1 or append is not None:
        return None
    if prepend is not None:
        value = np.concatenate([prepend, value], axis)
    moved = np.moveaxis(value, axis, 0)
    return np.moveaxis(np.subtract(moved[1:], moved[:-1]), 0, axis)


KNOWN: dict[Any, Callable[..., Any]] = {
    np.where: _where, np.clip: _clip, np.linalg.norm: _norm, np.mean: _mean, np.average: _mean,
    np.sum: _reduction("add"), np.max: _reduction("maximum"), np.amax: _reduction("maximum"),
    np.min: _reduction("minimum"), np.amin: _reduction("minimum"),
    np.any: _reduction("logical_or"), np.all: _reduction("logical_and"), np.dot: _dot, np.vdot: _vdot,
    np.inner: _dot, np.outer: _outer, np.nan_to_num: _nan_to_num, np.full_like: _full_like, np.copyto: _copyto,
    np.cumsum: _cumsum, np.cumprod: _cumprod, np.diff: _diff,
    np.round: lambda plain, value, *more, **options: np.rint(value),
}  # fmt: skip


def _tape() -> Any:
    assert Current.tape is not None
    return Current.tape


def _place() -> int:
    return int(_tape().begin_event())


def _each(name: str, flat: list[list[int]], plain: Any, place: int) -> list[int]:
    operands = zip(*flat, strict=True)
    return [
        compose(_tape(), name, nodes, float(value), place)
        for nodes, value in zip(operands, plain.ravel().tolist(), strict=True)
    ]


def _made(function: Any) -> Any:
    """Let a function that makes arrays make them recording."""

    def making(*inputs: Any, **options: Any) -> Any:
        plain = function(*map(unrecorded, inputs), **{name: unrecorded(value) for name, value in options.items()})
        if Current.tape is None or type(plain) is not np.ndarray or plain.dtype.kind != "f":
            return plain
        made = plain.view(RecordingArray)
        value = options.get("fill_value", inputs[1] if len(inputs) > 1 else None)
        if function is np.full and holds_records(value):
            made.own_ids()[...] = ids_of(value)
        return made

    return making


def _making_array(*inputs: Any, **options: Any) -> Any:
    value = inputs[0] if inputs else options.get("object")
    plain = plain_array(*(unrecorded(each) for each in inputs), **options)
    if Current.tape is None or type(plain) is not np.ndarray or plain.dtype.kind not in "bfiu":
        return plain
    if not holds_records(value):
        return plain.view(RecordingArray) if plain.dtype.kind == "f" else plain
    ids = ids_of(value)
    made = given(plain, ids if ids.size == plain.size else -1)
    made.own_ids()[...] = arrays.cast(plain, made) if ids.size != plain.size else _cast_ids(plain, ids)
    return made


def _cast_ids(plain: Any, ids: Any) -> Any:
    tape = _tape()
    values = [tape.values[node] for node in np.ravel(ids).tolist()]
    return arrays.cast(plain, given(plain_array(values).reshape(plain.shape), np.reshape(ids, plain.shape)))


def _making_asarray(value: Any, dtype: Any = None, *more: Any, **options: Any) -> Any:
    if isinstance(value, RecordingArray) and (dtype is None or np.dtype(dtype) == value.dtype):
        return value
    if Current.tape is None or not holds_records(value):
        plain = plain_asarray(unrecorded(value), dtype, *more, **options)
        is_new = Current.tape is not None and type(plain) is np.ndarray and plain.dtype.kind == "f"
        return plain.view(RecordingArray) if is_new else plain
    return _making_array(value, dtype)


def _of_math(name: str, ufunc: str) -> Any:
    plain = getattr(math, name)

    def recorded(*values: Any) -> Any:
        result = plain(*map(bare, values))
        tape = Current.tape
        if tape is None or not any(isinstance(value, Records | RecordingArray) for value in values):
            return result
        place = tape.begin_event()
        nodes = tuple(
            int(ids_of(value).flat[0]) if isinstance(value, RecordingArray) else node_of(value) for value in values
        )
        return wrapped(float(result), compose(tape, ufunc, nodes, float(result), place))

    return recorded


def _of_extremes(name: str, op: str) -> Any:
    plain = getattr(builtins, name)

    def recorded(*values: Any, **options: Any) -> Any:
        each = list(values[0]) if len(values) == 1 else list(values)
        numbers = all(isinstance(value, Records | int | float | np.number) for value in each)
        if Current.tape is None or options or not numbers or not any(isinstance(value, Records) for value in each):
            return plain(each, **options)
        best = each[0]
        for value in each[1:]:
            place = Current.tape.begin_event()
            result = plain(bare(best), bare(value))
            kept = compose(Current.tape, op, (node_of(best), node_of(value)), float(result), place)
            best = wrapped(float(result) if isinstance(result, int) else result, kept)
        return best

    return recorded


MATH = {
    "sqrt": "sqrt", "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "tanh": "tanh", "pow": "power",
    "fabs": "absolute", "copysign": "copysign", "hypot": "hypot", "atan2": "arctan2", "cbrt": "cbrt",
    "expm1": "expm1", "log1p": "log1p",
}  # fmt: skip
MAKING = ("zeros", "ones", "empty", "full", "eye", "identity", "linspace")


@contextlib.contextmanager
def in_place() -> Iterator[None]:
    """Put the functions that record in the places of those that do not, for a while."""
    new: list[tuple[Any, str, Any]] = [(math, name, _of_math(name, op)) for name, op in MATH.items()]
    new += [(np, name, _made(getattr(np, name))) for name in MAKING]
    new += [(np, "array", _making_array), (np, "asarray", _making_asarray)]
    new += [(builtins, "max", _of_extremes("max", "maximum")), (builtins, "min", _of_extremes("min", "minimum"))]
    old = [(owner, name, getattr(owner, name)) for owner, name, _ in new]
    for owner, name, value in new:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in old:
            setattr(owner, name, value)


Hooks.on_function = Records.on_function = on_function
