"""What a check sees of an implementation: gradients in, parameters out. It knows no framework, file or process."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from mhat.dtypes import DTYPES
from mhat.errors import BadValue, SubjectError, UnknownName
from mhat.language.source import SourceText
from mhat.language.vocabulary import meant_by

Array = np.ndarray[Any, Any]
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|.)")
Drive = Callable[[list[Array], list[Array], dict[str, float]], list[Array]]


@dataclass(frozen=True)
class Subject:
    """An implementation under check, seen only from outside.

    `drive` takes gradients (T, *shape) and a start (*shape) for each tensor, and knobs by our names, of those
    in `knobs`; it gives what is observed, (T, *shape) for each tensor, in float64. It takes any shape.
    """

    name: str  # as the user typed it
    drive: Drive
    knobs: frozenset[str] = frozenset()  # what it takes by name, in our spelling
    several: bool = False  # whether it can drive several tensors at once
    vectors: bool = True  # False: every coordinate has a run of its own, so that none can influence another
    matrices: bool = False  # whether it takes matrices alone
    starts: bool = False  # whether it takes a start other than 0
    missing: str = ""  # "possible" if a gradient may be None, "promised" if tensors without one are to wait
    begins: bool = False  # whether it starts elsewhere by itself, and takes none
    start: float | None = None  # where it starts by itself, where that was seen and need not be found out
    dtype: str = "float64"  # the arithmetic it computes in
    tensors: int | None = None  # how many tensors it must be driven with, if it says so
    called: tuple[str, ...] = ()  # what its code calls the tensors, as far as that is known
    defaults: Mapping[str, float] = field(default_factory=dict)  # what it uses if not told, where that can be read
    source: SourceText | None = None  # the text of it, indentation kept
    # Drives it and gives what it did (see `recording.recorder`); None where that cannot be seen.
    record: Callable[[list[Array], list[Array], dict[str, float]], Any] | None = None
    notes: tuple[str, ...] = ()  # how it is driven, where that is not the plain contract; verdicts say so

    @overload
    def run(self, gradients: Array, start: Any = 0.0, knobs: Mapping[str, float] | None = None) -> Array: ...
    @overload
    def run(
        self, gradients: Sequence[Array], start: Any = 0.0, knobs: Mapping[str, float] | None = None
    ) -> list[Array]: ...
    def run(self, gradients: Any, start: Any = 0.0, knobs: Mapping[str, float] | None = None) -> Any:
        """Drive it by the gradients of one tensor, an array (T, *shape) or numbers, or of several, a list of arrays.

        `start`: a number, an array, or a list of them. Gives what is observed after each step, in the same
        form. Raises BadValue or UnknownName for what this subject cannot be asked, SubjectError if it fails.
        """
        single = isinstance(gradients, np.ndarray) or (len(gradients) > 0 and np.ndim(gradients[0]) == 0)
        streams = [np.asarray(g, dtype=np.float64) for g in ([gradients] if single else gradients)]
        starts = self._starts(streams, start)
        told = {name: float(value) for name, value in (knobs or {}).items()}
        self._check(streams, starts, told)
        answered = self.drive([g.copy() for g in streams], starts, told)
        parameters = checked_tensors(self.name, answered, [g.shape for g in streams])
        return parameters[0] if single else parameters

    def _starts(self, given: list[Array], start: Any) -> list[Array]:
        each = list(start) if isinstance(start, list | tuple) else [start] * len(given)
        if len(each) != len(given):
            raise BadValue(f"{len(given)} tensors and {len(each)} starts", "Give one start for each tensor.")
        for g, s in zip(given, each, strict=True):
            if np.ndim(s) and np.shape(s) != g.shape[1:]:
                raise BadValue(
                    f"the start has the shape {np.shape(s)} and a step of the gradients {g.shape[1:]}",
                    "Give both one shape.",
                )
        return [np.full(g.shape[1:], s, dtype=np.float64) for g, s in zip(given, each, strict=True)]

    def _check(self, given: list[Array], starts: list[Array], knobs: dict[str, float]) -> None:
        if not given or any(g.ndim == 0 or len(g) == 0 or len(g) != len(given[0]) for g in given):
            raise BadValue("gradients without steps, or of unequal lengths", "Give every tensor the same T steps.")
        if self.tensors is not None and len(given) != self.tensors:
            raise BadValue(
                f"`{self.name}` drives {self.tensors} tensors, not {len(given)}",
                f"Give a list of {self.tensors} gradients.",
            )
        if len(given) > 1 and not self.several:
            raise BadValue(f"`{self.name}` drives one tensor at a time", "Drive its tensors one after the other.")
        if not self.starts and any(np.any(s) for s in starts):
            raise BadValue(f"`{self.name}` takes no start", "Let it start at 0, or give it an argument `start`.")
        for name in knobs:
            if name not in self.knobs:
                raise UnknownName(f"knob of {self.name}", name, self.knobs, meant=meant_by(name, self.knobs))


def checked_tensors(name: str, answered: Any, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Make float64 arrays of what a subject answered, one a tensor; raises SubjectError if it is not that."""
    if len(shapes) == 1 and not isinstance(answered, list | tuple):
        answered = [answered]
    if not isinstance(answered, list | tuple) or len(answered) != len(shapes):
        got = f"{len(answered)} of them" if isinstance(answered, list | tuple) else _seen(answered)
        raise SubjectError(
            name,
            f"was given the gradients of {len(shapes)} tensors and returned {got}",
            f"Return a list of {len(shapes)} arrays, one for each tensor.",
        )
    return [checked_array(name, each, shape) for each, shape in zip(answered, shapes, strict=True)]


def checked_array(name: str, answered: Any, shape: tuple[int, ...]) -> Array:
    """Make a float64 array of what a subject answered for one tensor; raises SubjectError if it is not that."""
    wanted = f"Return the parameters after each step: numbers of the shape {_shown(shape)}, like the gradients."
    if answered is None:
        raise SubjectError(name, "returned None", f"{wanted} Is there a `return`?")
    try:
        array = np.asarray(answered)
    except Exception:
        raise SubjectError(name, f"returned {_seen(answered)} that is no array", wanted) from None
    if array.dtype == object:
        try:
            # NumPy would make NaN of None.
            array = np.array([float(value) for value in array.flat]).reshape(array.shape)
        except (TypeError, ValueError):
            raise SubjectError(name, f"returned {_seen(answered)} that holds no plain numbers", wanted) from None
    if array.dtype.kind == "c":
        raise SubjectError(name, "returned complex numbers", wanted)
    if array.dtype.kind not in "biuf" and not _is_extended(array.dtype):
        raise SubjectError(name, f"returned {_seen(answered)}, and no numbers", wanted)
    if array.shape != shape:
        raise SubjectError(
            name, f"returned the shape {_shown(array.shape)} for gradients of shape {_shown(shape)}",
            _cure_of_shape(array.shape, shape, wanted),
        )  # fmt: skip
    return np.array(array, dtype=np.float64)


def _is_extended(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype is one of the small floats that NumPy itself does not have."""
    return dtype.name in DTYPES or dtype.name.startswith("float8")


def _cure_of_shape(got: tuple[int, ...], shape: tuple[int, ...], wanted: str) -> str:
    if got == (shape[0] + 1, *shape[1:]):
        return f"{wanted} Leave the start out."
    if got == shape[1:]:
        return f"{wanted} Return all steps, not the last one alone."
    return wanted


def plain_text(text: str) -> str:
    """Take out of a text whatever a terminal would obey rather than show."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in _ESCAPES.sub("", text))


def _shown(shape: tuple[int, ...]) -> str:
    return str(tuple(int(n) for n in shape))


def _seen(value: Any) -> str:
    text = repr(value)
    kind = type(value).__name__
    article = "an" if kind[0].lower() in "aeiou" else "a"
    return f"{article} {kind}, {text}" if len(text) <= 40 else f"{article} {kind}, {text[:40]}..."
