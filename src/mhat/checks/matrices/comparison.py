"""Where two subjects part on matrices. It sees subjects only, and names no rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mhat.checks.defaults import ON
from mhat.checks.findings import Deviation, Matrices, Matrix
from mhat.checks.gradients import ODD, STARTS, Setting
from mhat.checks.matrices.deviation import SMALL, VISIBLE, sequences, sheets
from mhat.checks.matrices.gradients import SEARCHED_STEPS, SQUARE, TALL, WIDE, Shape, designed, looks_at_rows
from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.search.matching import RELATIVE, same, update_scale
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]


def parting(a: Subject, b: Subject, held: Mapping[str, float]) -> Deviation | None:
    """Find the smallest matrices on which two subjects part; None where both do the same, or neither looks at rows."""
    if not (looks_at_rows(a) or looks_at_rows(b)):
        return None
    shown = _first_of(a, b, held, _designed(), 0.0)
    if shown is None:
        return None
    small = ((shape, sequence) for shape, steps in SMALL for sequence in sequences(shape, steps))
    return _first_of(a, b, held, small, VISIBLE) or shown


def _designed() -> Iterator[tuple[Shape, Array]]:
    for number, shape in enumerate((SQUARE, WIDE, TALL)):
        yield shape, designed(np.random.Generator(np.random.PCG64([number, 17])), shape, SEARCHED_STEPS)


def _first_of(
    a: Subject, b: Subject, held: Mapping[str, float], streams: Iterator[tuple[Shape, Array]], least: float
) -> Deviation | None:
    """Find the first of some streams on which they part by at least a share of how far they moved."""
    given = list(streams)
    for setting in _settings(a, b, held):
        for shape, stream in given:
            start = setting.start * np.resize(np.array(STARTS), shape)
            try:
                seen, beside = (_answer(subject, stream, start, setting.knobs) for subject in (a, b))
            except SubjectHangs:
                raise
            except (SubjectError, BadValue):
                continue
            limit = max(RELATIVE[a.dtype], RELATIVE[b.dtype], least) * _scale(seen, start, moved=bool(least)) + 1e-300
            apart = ~same(seen, beside, np.broadcast_to(limit, seen.shape))
            if apart.any():
                return _deviation(stream, seen, beside, start, int(np.argwhere(apart)[0][0]), setting, held)
    return None


def _settings(a: Subject, b: Subject, held: Mapping[str, float]) -> Iterator[Setting]:
    """Yield how both are driven: as they stand, then from a start and with odd knobs, as far as both take them."""
    yield Setting(0.0, held)
    start = 1.0 if a.starts and b.starts else 0.0
    if start:
        yield Setting(start, held)
    both = ON | ODD
    odd = {name: both[name] for name in sorted(a.knobs & b.knobs) if name in both and name not in held}
    if odd:
        yield Setting(start, {**held, **odd})


def _answer(subject: Subject, stream: Array, start: Array, knobs: Mapping[str, float]) -> Array:
    taken = {name: value for name, value in knobs.items() if name in subject.knobs}
    count = subject.tensors or 1
    return np.asarray(subject.run([stream] * count, [start] * count, taken)[0])


def _scale(seen: Array, start: Array, *, moved: bool) -> Array:
    """Give how far a matrix has moved so far, its farthest entry; or its size, if that is more."""
    scale = update_scale(seen - start, np.zeros_like(start)) if moved else update_scale(seen, start)
    return np.asarray(np.max(scale, axis=(1, 2), keepdims=True))


def _deviation(
    stream: Array, seen: Array, beside: Array, start: Array, step: int, setting: Setting, held: Mapping[str, float]
) -> Deviation:
    apart = np.abs(seen[step] - beside[step])
    row, column = (int(n) for n in np.unravel_index(np.argmax(np.where(np.isnan(apart), np.inf, apart)), apart.shape))
    shape = (stream.shape[1], stream.shape[2])

    def entry(values: Array) -> tuple[float, ...]:
        return tuple(values[: step + 1, row, column].tolist())

    def whole(values: Array) -> tuple[Matrix, ...]:
        return sheets(values[: step + 1].reshape(step + 1, -1), shape)

    return Deviation(
        step + 1,
        float("nan"),
        entry(stream),
        entry(seen),
        entry(beside),
        "parameters",
        start=float(start[row, column]),
        knobs={name: value for name, value in setting.knobs.items() if name not in held},
        matrices=Matrices(
            whole(stream), whole(seen), whole(beside), sheets(start.reshape(1, -1), shape)[0], row + 1, column + 1
        ),
    )
