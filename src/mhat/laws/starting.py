"""Laws of the first step and of repeated runs: what is known before anything is averaged. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mhat.laws.law import Array, Compared, Examined, Law, scale_of
from mhat.laws.proofs import structure
from mhat.laws.reference import predicted


def family() -> Iterator[Law]:
    """Yield the laws of this family."""
    yield Law(
        "first step",
        "At the first step nothing has been averaged yet: where x goes follows from one gradient by hand.",
        "Ulps of the step itself.",
        "sequence",
        _first_step,
        proof=lambda examined: structure.first_step(examined.rule),
    )
    yield Law(
        "repetition",
        "A run leaves nothing behind: the same gradients give the same parameters a second time.",
        "Ulps of how far x gets; the same bits need none.",
        "sequence",
        _repetition,
        proof=lambda examined: structure.repetition(examined.rule),
    )
    yield Law(
        "prefix",
        "The future is unknown: where x is after some steps does not depend on gradients that come later.",
        "Ulps of how far x gets; the same bits need none.",
        "sequence",
        _prefix,
        proof=lambda examined: structure.prefix(examined.rule),
    )


def _first_step(examined: Examined, gradients: Array) -> Compared:
    expected = predicted(examined, gradients[:1])
    sizes = np.abs(expected)
    return Compared(examined.ask(gradients)[:1], expected, np.where(sizes > 0, sizes, scale_of(expected)))


def _repetition(examined: Examined, gradients: Array) -> Compared:
    expected = examined.ask(gradients)
    return Compared(examined.ask(gradients), expected, scale_of(expected))


def _prefix(examined: Examined, gradients: Array) -> Compared:
    half = (len(gradients) + 1) // 2
    other = gradients.copy()
    other[half:] = 3.0 - other[half:]
    expected = examined.ask(gradients[:half])
    return Compared(examined.ask(other)[:half], expected, scale_of(expected), whole=True)
