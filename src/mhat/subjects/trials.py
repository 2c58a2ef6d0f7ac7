"""Drive what runs whole streams: which shapes it takes is found by trying. It knows no function, class or command."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from mhat.dtypes import DTYPES
from mhat.errors import SubjectError, SubjectHangs
from mhat.language.source import SourceText
from mhat.subjects.missing import with_none
from mhat.subjects.sandbox import Guard
from mhat.subjects.subject import Array, Subject, checked_array, checked_tensors

# Long enough for a rule that waits some steps before it moves.
TRIAL = np.array([
    [1.0, -0.5, 3.0, 0.25], [0.5, 2.0, -1.0, 0.75], [-1.5, 0.125, 1.0, -2.0], [0.25, 1.0, 0.5, 1.5],
    [2.0, -1.0, 0.25, -0.5], [-0.75, 0.5, -2.0, 1.0], [1.25, 3.0, 0.75, -0.125], [0.5, -0.25, 1.0, 2.0],
])  # fmt: skip
# How many dimensions a step of the gradients may have, and the gradients of the trial.
TRIALS = {0: TRIAL[:, 0], 1: TRIAL[:, :2], 2: TRIAL.reshape(-1, 2, 2)}

# Trials of another kind: other gradients, others from the fifth step on, tiny ones, and all of one sign.
TURNED = TRIAL[::-1, ::-1] * 1.5
LATE = np.concatenate([TRIAL[:4], TURNED[4:]])
SMALL = TRIAL * 1e-3
RISING = np.abs(TRIAL) + 0.5
LAST = np.concatenate([TRIAL[:-1], TURNED[-1:]])

AGAIN = "gave other parameters when it was run again on the same gradients"

FORMS = ("vectors", "matrices", "numbers")

# Gradients (T, *shape), start, knobs by our names; what comes back is checked here.
Call = Callable[[Any, Any, Mapping[str, float]], Any]


class Single:
    """Something that runs one tensor at a time, and what has been found out about it; `guard` where it runs here."""

    def __init__(self, name: str, call: Call, dtype: str | None = None, guard: Guard | None = None) -> None:
        self.name = name
        self.call = call
        self.dtype = dtype or "float64"
        self.told = dtype is not None
        self.guard = guard
        self.dimensions: set[int] = set()
        self.width: int | None = None  # how many coordinates it takes at once, if that is fixed

    def one(self, gradients: Array, start: Array, knobs: Mapping[str, float]) -> Array:
        """Run it on gradients of dimensions that it is known to take."""
        begins = np.array(start, dtype=self.dtype)
        with _guarded(self.guard, self.name):
            answered = self.call(np.array(gradients, dtype=self.dtype), begins if begins.ndim else begins[()], knobs)
            if not self.told and dtype_of(answered):
                self.dtype, self.told = dtype_of(answered), True
            return checked_array(self.name, answered, gradients.shape)

    def settle(self) -> None:
        """Find out which dimensions it takes, and that the same gradients give the same parameters again."""
        refusals = {}
        for dimensions, gradients in TRIALS.items():
            if dimensions == 2 and not self.dimensions - {0} and self.dimensions:
                break
            zero, before = np.zeros(gradients.shape[1:]), self.dtype
            try:
                first = self.one(gradients, zero, {})
            except SubjectHangs:
                raise
            except SubjectError as error:
                # Without its traceback, which would keep this frame, and so a process, longer than anybody needs it.
                refusals[dimensions] = error.with_traceback(None)
                continue
            self.dimensions.add(dimensions)
            if self.dtype != before:
                first = self.one(gradients, zero, {})
            check_again(self.name, [first], [self.one(gradients, zero, {})])
        if not self.dimensions:
            raise refusals[0]
        if self.dimensions == {1}:
            self._measure()

    def _measure(self) -> None:
        """Find out whether it takes vectors of the length of the trial alone."""
        longer = TRIAL[:, :3]
        try:
            self.one(longer, np.zeros(3), {})
        except SubjectHangs:
            raise
        except SubjectError:
            self.width = TRIALS[1].shape[1]

    @property
    def vectors(self) -> bool:
        """Whether it takes several coordinates at once."""
        return bool({1, 2} & self.dimensions)

    @property
    def matrices(self) -> bool:
        """Whether it takes matrices alone."""
        return self.dimensions == {2}

    def drive(self, gradients: list[Array], starts: list[Array], knobs: Mapping[str, float]) -> list[Array]:
        """Run tensors one after the other, each from anew."""
        return [self._shaped(g, s, knobs) for g, s in zip(gradients, starts, strict=True)]

    def _shaped(self, gradients: Array, start: Array, knobs: Mapping[str, float]) -> Array:
        """Run it on gradients of any shape: as they are, as vectors, or one coordinate at a time."""
        rows, x = gradients.reshape(len(gradients), -1), start.reshape(-1)
        if self.width is not None:
            return self._in_parts(rows, x, self.width, knobs).reshape(gradients.shape)
        if min(start.ndim, 2) in self.dimensions:
            return self.one(gradients, start, knobs)
        if 1 in self.dimensions:
            return self.one(rows, x, knobs).reshape(gradients.shape)
        if 2 in self.dimensions:
            return self.one(rows[:, None], x[None], knobs).reshape(gradients.shape)
        columns = [self.one(rows[:, i], x[i], knobs) for i in range(len(x))]
        return np.stack(columns, axis=1).reshape(gradients.shape)

    def _in_parts(self, rows: Array, x: Array, width: int, knobs: Mapping[str, float]) -> Array:
        """Run as many coordinates at once as it takes; the last ones once more to fill a part."""
        parts = [np.arange(i, i + width).clip(max=len(x) - 1) for i in range(0, len(x), width)]
        return np.concatenate([self.one(rows[:, part], x[part], knobs) for part in parts], axis=1)[:, : len(x)]

    def attempt(self, knobs: Mapping[str, float], start: float = 0.0, trial: Array = TRIAL) -> list[Array]:
        """Run a trial with some knobs, or from some start."""
        gradients = trial[:, : 2 if self.vectors else 1]
        return self.drive([gradients], [np.full(gradients.shape[1:], start)], knobs)


class Together:
    """Something that runs lists of tensors: `call` takes and gives lists. It is tried with `tensors` of them."""

    def __init__(
        self,
        name: str,
        call: Call,
        tensors: int,
        dtype: str | None = None,
        guard: Guard | None = None,
        forms: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.call = call
        self.tensors = tensors
        self.dtype = dtype or "float64"
        self.told = dtype is not None
        self.guard = guard
        self.forms = forms or FORMS
        self.form = self.forms[0]

    @property
    def vectors(self) -> bool:
        """Whether it takes several coordinates of a tensor at once."""
        return self.form != "numbers"

    @property
    def matrices(self) -> bool:
        """Whether it takes matrices alone."""
        return self.form == "matrices"

    def settle(self) -> None:
        """Find out whether it takes vectors, else matrices alone, else numbers; try it twice. Raises SubjectError."""
        refusal: SubjectError | None = None
        for form in self.forms:
            self.form, before = form, self.dtype
            try:
                first = self.attempt({})
            except SubjectHangs:
                raise
            except SubjectError as error:
                refusal = refusal or error.with_traceback(None)
                continue
            # What it answers in another type than it was given is given that type from then on.
            first = first if self.dtype == before else self.attempt({})
            return check_again(self.name, first, self.attempt({}))
        assert refusal is not None
        raise refusal

    def drive(self, gradients: list[Array], starts: list[Array], knobs: Mapping[str, float]) -> list[Array]:
        """Run all tensors at once; of those that are numbers, one coordinate of each after the other."""
        if self.form == "vectors":
            return self._driven(gradients, starts, knobs)
        shapes = [g.shape for g in gradients]
        rows = [g.reshape(len(g), -1) for g in gradients]
        x = [s.reshape(-1) for s in starts]
        if self.form == "matrices":
            # What has rows and columns is one; of anything else one row is made.
            sheets = [g if g.ndim == 3 else g.reshape(len(g), 1, -1) for g in gradients]
            answered = self._driven(sheets, [s.reshape(g.shape[1:]) for s, g in zip(x, sheets, strict=True)], knobs)
        else:
            answered = [np.empty(g.shape) for g in rows]
            for i in range(max(len(s) for s in x)):
                # A tensor with fewer coordinates runs along, and is not looked at any more.
                at = [min(i, len(s) - 1) for s in x]
                streams = [g[:, j] for g, j in zip(rows, at, strict=True)]
                one = self._driven(streams, [s[j] for s, j in zip(x, at, strict=True)], knobs)
                for kept, j, column in zip(answered, at, one, strict=True):
                    kept[:, j] = column
        return [each.reshape(shape) for each, shape in zip(answered, shapes, strict=True)]

    def _driven(self, gradients: list[Array], starts: list[Array], knobs: Mapping[str, float]) -> list[Array]:
        told = [with_none(g, np.array(g, dtype=self.dtype)) for g in gradients]
        begins = [np.array(s, dtype=self.dtype) for s in starts]
        with _guarded(self.guard, self.name):
            answered = self.call(told, begins, knobs)
            if not self.told and isinstance(answered, list | tuple) and answered and dtype_of(answered[0]):
                self.dtype, self.told = dtype_of(answered[0]), True
            return checked_tensors(self.name, answered, [g.shape for g in gradients])

    def attempt(self, knobs: Mapping[str, float], start: float = 0.0, trial: Array = TRIAL) -> list[Array]:
        """Run a trial with some knobs, or from some start."""
        gradients = [trial[:, i % 2 :][:, : 2 + i % 2] for i in range(self.tensors)]
        return self.drive(gradients, [np.full(g.shape[1:], start) for g in gradients], knobs)


def _guarded(guard: Guard | None, name: str) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext() if guard is None else guard.running(name)


def subject_of_driver(
    driver: Single | Together,
    *,
    knobs: Iterable[str],
    starts: bool,
    tensors: int | None = None,
    defaults: Mapping[str, float] | None = None,
    source: SourceText | None = None,
    notes: tuple[str, ...] = (),
    called: tuple[str, ...] = (),
) -> Subject:
    """Make a subject of what has settled; `tensors`: how many it must be driven with, if it says so."""
    return Subject(
        name=driver.name,
        drive=driver.drive,
        knobs=frozenset(knobs),
        several=isinstance(driver, Together),
        missing="possible" if isinstance(driver, Together) else "",
        vectors=driver.vectors,
        matrices=driver.matrices,
        starts=starts,
        dtype=driver.dtype,
        tensors=tensors,
        defaults=defaults or {},
        source=source,
        notes=notes,
        called=called,
    )


def accepted(driver: Single | Together, knobs: Mapping[str, float], names: Iterable[str]) -> frozenset[str]:
    """Find out which knobs something takes that does not say so: those it does not refuse."""
    return frozenset(name for name in names if _answer(driver, {name: knobs[name]}) is not None)


def heeded(driver: Single | Together, knobs: Mapping[str, float], start: float = 0.0) -> set[str]:
    """Find out which knobs something heeds: when it is told another value, it answers otherwise."""
    plain = driver.attempt({}, start)
    return {name for name, value in knobs.items() if differs(driver, plain, {name: _other(value)}, start)}


def differs(driver: Single | Together, plain: list[Array], knobs: Mapping[str, float], start: float = 0.0) -> bool:
    """Whether something answers otherwise when it is told knobs, or a start; a refusal is no answer."""
    answer = _answer(driver, knobs, start)
    return answer is not None and not same(plain, answer)


def _answer(driver: Single | Together, knobs: Mapping[str, float], start: float = 0.0) -> list[Array] | None:
    try:
        return driver.attempt(knobs, start)
    except SubjectHangs:
        raise
    except SubjectError:
        return None


def _other(value: float) -> float:
    """Give a knob a value that no rule confuses with its default."""
    return value / 2 + 0.25 if value < 1 and value != 0.5 else value * 1.5


def check_again(name: str, first: list[Array], second: list[Array]) -> None:
    """Refuse a subject that answers differently when asked again; raises SubjectError."""
    if not same(first, second):
        raise SubjectError(
            name,
            AGAIN,
            "Let every run begin anew: no state kept between runs (globals, mutable defaults), no random numbers, "
            "no clock.",
        )


def same(first: list[Array], second: list[Array]) -> bool:
    """Whether two runs gave the same numbers, NaN included."""
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


def dtype_of(answered: Any) -> str:
    """Name the floating type of an answer; nothing where it does not say."""
    name = str(getattr(answered, "dtype", "")).removeprefix("torch.")
    return name if name in DTYPES else ""
