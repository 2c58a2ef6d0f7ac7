"""Laws of what does not influence what: coordinates, tensors, their order. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mhat.laws.law import Array, Compared, Examined, Law, scale_of
from mhat.laws.proofs import structure


def family() -> Iterator[Law]:
    """Yield the laws of this family."""
    yield Law(
        "coordinates apart",
        "Every coordinate goes its own way: its path is the same with other coordinates beside it and without.",
        "Ulps of how far x gets.",
        "pair",
        _coordinates,
        _needs_vectors,
        proof=lambda examined: structure.coordinates_apart(examined.rule),
    )
    yield Law(
        "tensors apart",
        "Every tensor goes its own way: its path is the same with another tensor in the model and without.",
        "Ulps of how far x gets.",
        "pair",
        _tensors,
        _needs_several,
        proof=lambda examined: structure.tensors_apart(examined.rule),
    )
    yield Law(
        "order of tensors",
        "In which order a model lists its tensors does not matter.",
        "Ulps of how far x gets.",
        "pair",
        _order,
        _needs_several,
        proof=lambda examined: structure.order_of_tensors(examined.rule),
    )


def _needs_vectors(examined: Examined) -> str | None:
    return None if examined.vectors else "each of its coordinates has a run of its own"


def _needs_several(examined: Examined) -> str | None:
    return None if examined.several else "it drives one tensor at a time"


def _coordinates(examined: Examined, gradients: Array) -> Compared:
    alone = [examined.ask(gradients[:, i : i + 1]) for i in range(gradients.shape[1])]
    expected = np.concatenate(alone, axis=1)
    return Compared(examined.ask(gradients), expected, scale_of(expected))


def _parts(gradients: Array) -> list[Array]:
    """Split the columns into two tensors of unequal size where there are enough."""
    first = 1 if gradients.shape[1] < 4 else gradients.shape[1] // 2 - 1
    return [gradients[:, :first], gradients[:, first:]]


def _tensors(examined: Examined, gradients: Array) -> Compared:
    parts = _parts(gradients)
    expected = np.concatenate([examined.ask(part) for part in parts], axis=1)
    return Compared(np.concatenate(examined.ask_several(parts), axis=1), expected, scale_of(expected))


def _order(examined: Examined, gradients: Array) -> Compared:
    parts = _parts(gradients)
    expected = np.concatenate(examined.ask_several(parts), axis=1)
    turned = examined.ask_several(parts[::-1])[::-1]
    return Compared(np.concatenate(turned, axis=1), expected, scale_of(expected))
