"""Laws of symmetry: scale, sign, place, proportion, learning rate. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mhat.laws.law import Array, Examined, Law, Measured, scale_of

FACTOR = 16.0  # a power of two: where eps is nothing the scaled run has the same bits
PLACE = 1.0


def family() -> Iterator[Law]:
    """Yield the laws of this family."""
    yield Law(
        "scale invariance",
        "Multiplying all gradients by a number changes nothing: the unit of the loss does not matter.",
        "sequence",
        _scale_invariance,
    )
    yield Law(
        "proportion",
        "Gradients twice as large move the parameter twice as far.",
        "sequence",
        _proportion,
    )
    yield Law(
        "sign symmetry",
        "Turning all gradients round turns the path round: up and down are alike.",
        "sequence",
        _sign_symmetry,
    )
    yield Law(
        "translation",
        "Only gradients matter, not where x is: from another start the path is the same, moved.",
        "sequence",
        _translation,
        _needs_start,
    )
    yield Law(
        "learning rate",
        "On given gradients twice the learning rate moves the parameter twice as far.",
        "sequence",
        _learning_rate,
        _needs_free_rate,
    )


def _needs_start(examined: Examined) -> str | None:
    return None if examined.starts else "it takes no start"


def _needs_free_rate(examined: Examined) -> str | None:
    return None if "lr" in examined.free else "its learning rate is not free"


def _scale_invariance(examined: Examined, gradients: Array) -> Measured:
    expected = examined.ask(gradients)
    return Measured(examined.ask(FACTOR * gradients), expected, _by_column(expected))


def _proportion(examined: Examined, gradients: Array) -> Measured:
    expected = 2 * examined.ask(gradients)
    return Measured(examined.ask(2 * gradients), expected, _by_column(expected))


def _sign_symmetry(examined: Examined, gradients: Array) -> Measured:
    expected = -examined.ask(gradients)
    return Measured(examined.ask(-gradients), expected, _by_column(expected))


def _translation(examined: Examined, gradients: Array) -> Measured:
    expected = examined.ask(gradients)
    # Beside the place small moves are rounded: that is no fault.
    scale = np.maximum(_by_column(expected), PLACE / 1024)
    return Measured(examined.ask(gradients, PLACE) - PLACE, expected, scale, quantity="x - start", start=PLACE)


def _learning_rate(examined: Examined, gradients: Array) -> Measured:
    rate = 2 * examined.knobs["lr"]
    expected = 2 * examined.ask(gradients)
    return Measured(examined.ask(gradients, changed={"lr": rate}), expected, _by_column(expected), {"lr": rate})


def _by_column(expected: Array) -> Array:
    """Give each coordinate's own scale: how far it gets."""
    return np.array([scale_of(column) for column in expected.T])
