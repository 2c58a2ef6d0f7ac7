"""As much of Triton as printed kernels use, in NumPy on the memory of the CPU: a program after the other.

What a mask leaves out is poisoned where it is loaded, and an address that no tensor has is never read. The tests run
on the real Triton instead where it is installed and TRITON_INTERPRET=1 is set: its wheel is 286 MB, so it is not one
of the tests' own packages. It knows no rule.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import torch

POISON = -30000
_program: list[int] = [0, 0]


class _Kind:
    """A dtype of the language."""

    def __init__(self, numpy: Any) -> None:
        self.numpy = np.dtype(numpy)


KINDS = {
    "float64": _Kind(np.float64), "float32": _Kind(np.float32), "float16": _Kind(np.float16),
    "bfloat16": _Kind(ml_dtypes.bfloat16), "int64": _Kind(np.int64), "int32": _Kind(np.int32), "int1": _Kind(np.bool_),
}  # fmt: skip
_BY_NUMPY = {kind.numpy: kind for kind in KINDS.values()}


class _PointerKind:
    def __init__(self, to: _Kind) -> None:
        self.to = to


class Value:
    """One number, or one a lane."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, data: Any) -> None:
        self.data = np.asarray(data)

    @property
    def dtype(self) -> _Kind:
        return _BY_NUMPY[self.data.dtype]

    def to(self, kind: _Kind | _PointerKind) -> Any:
        if isinstance(kind, _PointerKind):
            assert self.data.dtype == np.int64
            return Pointer(self.data, kind.to)
        with np.errstate(all="ignore"):
            return Value(self.data.astype(kind.numpy))

    def _with(self, operation: Callable[..., Any], *others: Any) -> Any:
        with np.errstate(all="ignore"):
            return Value(operation(self.data, *map(_data, others)))

    def __add__(self, other: Any) -> Any:
        return other + self if isinstance(other, Pointer) else self._with(np.add, other)

    def __bool__(self) -> bool:
        assert self.data.ndim == 0, "a condition of many lanes"
        return bool(self.data)

    def __index__(self) -> int:
        assert self.data.ndim == 0
        return int(self.data)

    __radd__ = __add__
    __sub__ = functools.partialmethod(_with, np.subtract)
    __mul__ = __rmul__ = functools.partialmethod(_with, np.multiply)
    __truediv__ = functools.partialmethod(_with, np.divide)
    __and__ = functools.partialmethod(_with, np.logical_and)
    __or__ = functools.partialmethod(_with, np.logical_or)
    __lt__ = functools.partialmethod(_with, np.less)
    __le__ = functools.partialmethod(_with, np.less_equal)
    __gt__ = functools.partialmethod(_with, np.greater)
    __ge__ = functools.partialmethod(_with, np.greater_equal)
    __eq__ = functools.partialmethod(_with, np.equal)  # type: ignore[assignment]
    __ne__ = functools.partialmethod(_with, np.not_equal)  # type: ignore[assignment]
    __neg__ = functools.partialmethod(_with, np.negative)


class Pointer:
    """Where numbers of a kind lie: an address, or one a lane."""

    def __init__(self, at: Any, kind: _Kind) -> None:
        self.at, self.kind = np.asarray(at, dtype=np.int64), kind

    def __add__(self, other: Any) -> Pointer:
        places = np.asarray(_data(other), dtype=np.int64)
        return Pointer(self.at + places * self.kind.numpy.itemsize, self.kind)

    def cells(self, lanes: Any) -> Any:
        """Give the memory at the lanes that a mask lets through; they lie one after the other."""
        at = np.broadcast_to(self.at, lanes.shape)[lanes]
        if not at.size:
            return np.empty(0, self.kind.numpy)
        size = self.kind.numpy.itemsize
        assert (np.diff(at) == size).all(), "lanes that do not lie one after the other"
        memory = (ctypes.c_char * (at.size * size)).from_address(int(at[0]))
        return np.frombuffer(memory, dtype=self.kind.numpy)


def _data(value: Any) -> Any:
    return value.data if isinstance(value, Value) else value


def _lanes(pointer: Pointer, mask: Value | None) -> Any:
    if mask is None:
        return np.ones(pointer.at.shape, dtype=bool)
    return np.broadcast_to(mask.data, np.broadcast_shapes(mask.data.shape, pointer.at.shape))


def load(pointer: Pointer, mask: Value | None = None, other: Any = None) -> Value:
    lanes = _lanes(pointer, mask)
    made = np.full(lanes.shape, POISON if other is None else other, pointer.kind.numpy)
    made[lanes] = pointer.cells(lanes)
    return Value(made)


def store(pointer: Pointer, value: Value, mask: Value | None = None) -> None:
    lanes = _lanes(pointer, mask)
    assert pointer.kind is value.dtype, "stored in another kind than that of the memory"
    pointer.cells(lanes)[...] = np.broadcast_to(value.data, lanes.shape)[lanes]


def where(condition: Value, a: Any, b: Any) -> Value:
    return Value(np.where(condition.data, _data(a), _data(b)))


def reduce(value: Value, axis: int, combine: Callable[[Value, Value], Value]) -> Value:
    assert axis == 0
    while value.data.size > 1:
        half = value.data.size // 2
        value = combine(Value(value.data[:half]), Value(value.data[half:]))
    return Value(value.data[0])


def _rounded(operation: Callable[..., Any], kinds: tuple[str, ...]) -> Callable[..., Value]:
    def applied(*arguments: Value) -> Value:
        assert all(argument.dtype in [KINDS[kind] for kind in kinds] for argument in arguments)
        return arguments[0]._with(operation, *arguments[1:])  # type: ignore[no-any-return]

    return applied


def _multiple_of(pointer: Pointer, word: int) -> Pointer:
    assert (pointer.at % word == 0).all(), "an address that is no multiple of the word it is said to be"
    return pointer


def _language() -> ModuleType:
    made = ModuleType("triton.language")
    both, double = ("float32", "float64"), ("float64",)
    made.__dict__.update(
        dict(KINDS)
        | {"load": load, "store": store, "where": where, "reduce": reduce, "multiple_of": _multiple_of}
        | {
            "constexpr": object, "pointer_type": _PointerKind,
            "program_id": lambda axis: Value(np.int32(_program[axis])),
            "num_programs": lambda axis: Value(np.int32(_program[axis + 1])),
            "arange": lambda start, end: Value(np.arange(start, end, dtype=np.int32)),
            "full": lambda shape, value, kind: Value(np.full(shape, value, kind.numpy)),
            "sum": lambda value, axis: Value(value.data.sum(axis=axis, dtype=value.data.dtype)),
            "abs": _rounded(np.abs, both), "div_rn": _rounded(np.divide, ("float32",)),
            "sqrt_rn": _rounded(np.sqrt, ("float32",)), "sqrt": _rounded(np.sqrt, double),
            **{name: _rounded(getattr(np, name), double) for name in ("exp", "log", "sin", "cos")},
        }
    )  # fmt: skip
    return made


class _Kernel:
    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.compiled: set[tuple[Any, ...]] = set()

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __getitem__(self, grid: tuple[int]) -> Callable[..., None]:
        def launch(*arguments: Any, enable_fp_fusion: bool = True, **constants: Any) -> None:
            assert not enable_fp_fusion
            # What a kernel is compiled for: the kinds of its arguments, and its constants.
            self.compiled.add((*(getattr(each, "dtype", int) for each in arguments), *constants.items()))
            given = [_pointer(each) if isinstance(each, torch.Tensor) else each for each in arguments]
            for program in range(grid[0]):
                _program[:] = [program, grid[0]]
                self.function(*given, **constants)

        return launch


def _pointer(tensor: torch.Tensor) -> Pointer:
    return Pointer(tensor.data_ptr(), KINDS[str(tensor.dtype).removeprefix("torch.")])


def modules() -> dict[str, ModuleType]:
    """Give what `import triton` finds."""
    triton, language, extra = ModuleType("triton"), _language(), ModuleType("triton.language.extra")
    triton.jit = lambda function=None, **_: _Kernel if function is None else _Kernel(function)  # type: ignore[attr-defined]
    triton.__spec__ = ModuleSpec("triton", None)
    triton.language = language  # type: ignore[attr-defined]
    extra.libdevice = ModuleType("libdevice")  # type: ignore[attr-defined]
    functions = {"tanh": np.tanh, "cbrt": np.cbrt, "rint": np.rint, "pow": np.power, "atan2": np.arctan2}
    extra.libdevice.__dict__.update({name: _rounded(each, ("float64",)) for name, each in functions.items()})
    return {"triton": triton, "triton.language": language, "triton.language.extra": extra}
