"""Numbers that record what is done with them: a float, a NumPy scalar and an integer. They know no array.

Their values are those of the plain numbers, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from mhat.subjects.recording.tape import Current

BINARY = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floordiv", "mod": "mod", "pow": "pow",
}  # fmt: skip
COMPARED = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "ne": "ne"}
PLAIN = (int, float, np.number, np.bool_)


class Records:
    """What all numbers that record have in common."""

    node: int = -1
    plain: ClassVar[type]
    # How NumPy's functions are recorded; set by `arrays`, which knows them.
    on_ufunc: ClassVar[Callable[..., Any] | None] = None
    on_function: ClassVar[Callable[..., Any] | None] = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        assert Records.on_ufunc is not None
        return Records.on_ufunc(ufunc, method, *inputs, **options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        assert Records.on_function is not None
        return Records.on_function(function, inputs, options)


class RecordingFloat(Records, float):
    """A float that records."""

    plain = float


class RecordingScalar(Records, np.float64):  # type: ignore[misc]
    """A number of NumPy that records."""

    plain = np.float64

    def item(self, *place: Any) -> Any:
        return wrapped(float(self), self.node)


class RecordingInteger(Records, int):
    """An integer or a truth value that records."""

    plain = int

    def __bool__(self) -> bool:
        outcome = int(self) != 0
        if Current.tape is not None:
            Current.tape.branch(self.node, outcome)
        return outcome


def wrapped(value: Any, node: int) -> Any:
    """Make a plain number one that records."""
    kind: Any
    if isinstance(value, np.float64):
        kind = RecordingScalar
    elif isinstance(value, float):
        kind = RecordingFloat
    elif isinstance(value, int):
        kind = RecordingInteger
    else:
        return value
    made = kind(value)
    made.node = node
    return made


def bare(value: Any) -> Any:
    """Give the plain number of one that records."""
    return value.plain(value) if isinstance(value, Records) else value


def node_of(value: Any) -> int:
    """Give the node of a number."""
    tape = Current.tape
    assert tape is not None
    if isinstance(value, Records):
        return tape.checked(value.node, float(value))  # type: ignore[arg-type]
    return tape.of_value(float(value))


def _binary(method: str, op: str, reflected: bool) -> Callable[..., Any]:
    def operate(self: Any, other: Any, *modulus: Any) -> Any:
        if not isinstance(other, PLAIN):
            return NotImplemented
        if isinstance(other, np.number | np.bool_) and self.plain is not np.float64:
            ufunc = _UFUNCS.get(op)
            if ufunc is None:
                return NotImplemented
            return self.__array_ufunc__(ufunc, "__call__", *((other, self) if reflected else (self, other)))
        result = getattr(self.plain, method)(bare(self), bare(other), *modulus)
        tape = Current.tape
        if result is NotImplemented or isinstance(result, complex) or tape is None:
            if result is NotImplemented and self.plain is int:
                # A float on the other side knows how.
                forward = getattr(float, method)(float(self), float(other))
                result = forward
            else:
                return result
        assert tape is not None
        place = tape.begin_event()
        nodes = (node_of(other), node_of(self)) if reflected else (node_of(self), node_of(other))
        if isinstance(result, np.bool_):
            result = bool(result)
        return wrapped(result, tape.add(op, nodes, float(result), place))

    return operate


def _unary(method: str, op: str) -> Callable[..., Any]:
    def operate(self: Any) -> Any:
        result = getattr(self.plain, method)(bare(self))
        tape = Current.tape
        if tape is None:
            return result
        return wrapped(result, tape.add(op, (node_of(self),), float(result), tape.begin_event()))

    return operate


_UFUNCS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip


def _equip(kind: Any) -> None:
    """Give a kind of numbers its operators."""
    for method, op in BINARY.items():
        setattr(kind, f"__{method}__", _binary(f"__{method}__", op, False))
        setattr(kind, f"__r{method}__", _binary(f"__r{method}__", op, True))
    for method, op in COMPARED.items():
        setattr(kind, f"__{method}__", _binary(f"__{method}__", op, False))
    others = {
        "__neg__": _unary("__neg__", "neg"),
        "__abs__": _unary("__abs__", "abs"),
        "__pos__": _itself,
        "__hash__": kind.plain.__hash__,
    }
    for method, operate in others.items():
        setattr(kind, method, operate)


def _itself(number: Any) -> Any:
    return number


for _kind in (RecordingFloat, RecordingScalar, RecordingInteger):
    _equip(_kind)
