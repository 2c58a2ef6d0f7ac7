"""Laws of symmetry: scale, sign, place, proportion, learning rate. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mhat.engines.small import is_small
from mhat.laws.law import Array, Compared, Examined, Law, scale_of
from mhat.laws.proofs import degrees, structure
from mhat.laws.proofs.proof import without_decay

FACTOR = 16.0  # a power of two: where eps is nothing the scaled run has the same bits
PLACE = 1.0
LOUD = 0.125


def family() -> Iterator[Law]:
    """Yield the laws of this family."""
    yield Law(
        "scale invariance",
        "Multiplying all gradients by a number changes nothing: the unit of the loss does not matter.",
        "Ulps of how far each coordinate gets; eps strays as in the rule itself.",
        "sequence",
        _scale_invariance,
        proof=lambda examined: degrees.scale_invariance(examined.rule),
    )
    yield Law(
        "proportion",
        "Gradients twice as large move the parameter twice as far.",
        "Ulps of how far each coordinate gets.",
        "sequence",
        _proportion,
        proof=lambda examined: without_decay(degrees.proportion, examined.rule),
    )
    yield Law(
        "sign symmetry",
        "Turning all gradients round turns the path round: up and down are alike.",
        "Ulps of how far each coordinate gets; the same bits need none.",
        "sequence",
        _sign_symmetry,
        proof=lambda examined: degrees.sign_symmetry(examined.rule),
    )
    yield Law(
        "translation",
        "Only gradients matter, not where x is: from another start the path is the same, moved.",
        "Ulps of how far each coordinate gets, and of the start, beside which x is rounded at every step.",
        "sequence",
        _translation,
        _needs_start,
        proof=lambda examined: without_decay(structure.translation, examined.rule),
    )
    yield Law(
        "learning rate",
        "On given gradients twice the learning rate moves the parameter twice as far.",
        "Ulps of how far each coordinate gets.",
        "sequence",
        _learning_rate,
        _needs_free_rate,
        proof=lambda examined: without_decay(degrees.learning_rate, examined.rule),
    )


def _needs_start(examined: Examined) -> str | None:
    return None if examined.starts else "it takes no start"


def _needs_free_rate(examined: Examined) -> str | None:
    return None if "lr" in examined.free else "its learning rate is not free"


def _scale_invariance(examined: Examined, gradients: Array) -> Compared:
    expected = examined.ask(gradients)
    return Compared(examined.ask(FACTOR * gradients), expected, _by_column(expected), times=FACTOR)


def _proportion(examined: Examined, gradients: Array) -> Compared:
    expected = 2 * examined.ask(gradients)
    return Compared(examined.ask(2 * gradients), expected, _by_column(expected), times=2.0)


def _sign_symmetry(examined: Examined, gradients: Array) -> Compared:
    expected = -examined.ask(gradients)
    return Compared(examined.ask(-gradients), expected, _by_column(expected), times=-1.0)


def _translation(examined: Examined, gradients: Array) -> Compared:
    # Beside the place the small types see large moves only.
    loud = is_small(examined.dtype) and "lr" in examined.free
    changed = {"lr": LOUD} if loud else {}
    expected = examined.ask(gradients, changed=changed)
    came = examined.ask(gradients, PLACE, changed) - PLACE
    return Compared(came, expected, _by_column(expected), changed, "x - start", PLACE)


def _learning_rate(examined: Examined, gradients: Array) -> Compared:
    rate = 2 * examined.knobs["lr"]
    expected = 2 * examined.ask(gradients)
    return Compared(examined.ask(gradients, changed={"lr": rate}), expected, _by_column(expected), {"lr": rate})


def _by_column(expected: Array) -> Array:
    """Give each coordinate's own scale: how far it gets."""
    return np.array([scale_of(column) for column in expected.T])
