"""Where a subject starts that cannot be told where to, and which way an update of its points: found by driving it.

It knows no convention and no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mhat.errors import SubjectError
from mhat.subjects.subject import Array, Subject
from mhat.subjects.trials import RISING, TRIAL

ELSEWHERE = "it starts at {} by itself: what its steps add to that is judged"
SUBTRACTED = "it gives the step to subtract, and is judged by the negative of it"
DIGITS = 12


def found_out(subject: Subject, observe: str) -> Subject:
    """Find out what a subject does not say of itself: it starts elsewhere than at 0, or gives the step to subtract."""
    if observe == "x" and not subject.starts:
        return _starting_elsewhere(subject)
    return _turned(subject) if observe == "update" else subject


def _starting_elsewhere(subject: Subject) -> Subject:
    shapes = [TRIAL[:, : 2 if subject.vectors else 1].shape] * (subject.tensors or 1)
    try:
        starts = starts_of(subject, shapes)
    except SubjectError:
        return subject
    numbers = sorted({float(value) for start in starts for value in start.ravel()})
    if numbers == [0.0] or not np.all(np.isfinite(numbers)):
        return subject
    shown = " and ".join(f"{number:.4g}" for number in numbers[:3]) + (" ..." if len(numbers) > 3 else "")
    return replace(subject, begins=True, notes=(*subject.notes, ELSEWHERE.format(shown)))


def starts_of(subject: Subject, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Find where a subject starts by itself, for gradients of such shapes: where it stays when there are none.

    Where it does not stay, since it decays or knows no zero, the start follows from what a step makes of it.
    """
    if subject.start is not None:
        return [np.full(shape[1:], subject.start) for shape in shapes]
    zeros = subject.run([np.zeros(shape) for shape in shapes])
    if all(_stays(record) for record in zeros):
        return [record[0] for record in zeros]
    if all(_decays(record) for record in zeros):
        return [_short(record[0] * record[0] / record[1]) for record in zeros]
    up, down = (subject.run([np.full(shape, sign) for shape in shapes]) for sign in (1.0, -1.0))
    return [_short((a[0] + b[0]) / 2) for a, b in zip(up, down, strict=True)]


def _stays(record: Array) -> bool:
    return bool(np.all(np.isfinite(record[0])) and np.all(record == record[0]))


def _decays(record: Array) -> bool:
    """Whether every step multiplies by the same number."""
    with np.errstate(all="ignore"):
        shares = record[1:] / record[:-1]
    return bool(len(record) > 2 and np.all(np.isfinite(shares)) and np.allclose(shares, shares[0], rtol=1e-9, atol=0))


def _short(start: Array) -> Array:
    """Take a start to be the short number that it is within rounding of, if there is one."""
    rounded = np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"), otypes=[float])(start)
    return np.where(np.abs(rounded - start) <= 8 * np.spacing(np.abs(start)), rounded, start)


def _turned(subject: Subject) -> Subject:
    """Turn a subject whose update has the sign of its gradients: the caller subtracts it."""
    gradients = [RISING[:, : 2 if subject.vectors else 1]] * (subject.tensors or 1)
    try:
        updates = subject.run(gradients)
    except SubjectError:
        return subject
    if not all(np.all(np.sum(update, axis=0) > 0) for update in updates):
        return subject

    def drive(gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        return [-record for record in subject.drive(gradients, starts, knobs)]

    return replace(subject, drive=drive, notes=(*subject.notes, SUBTRACTED))
