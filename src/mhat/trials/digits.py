"""Handwritten digits, and a network small enough to learn them in a second. It knows no rule.

The 1,797 images of 8 by 8 are the test set of E. Alpaydin & C. Kaynak 1998, Optical Recognition of Handwritten Digits,
UCI Machine Learning Repository, doi:10.24432/C50P49, under CC BY 4.0; only the format of the file is another.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat.notation import whole
from mhat.trials.problem import Measure, Problem

Array = NDArray[np.float64]
CLASSES, TRAINED, VALIDATED = 10, 1000, 397
STEPS, SOME = 200, 100


def digits(hidden: int = 32, batch: int = 64) -> Problem:
    """Handwritten digits: 1,000 images learned in batches, by a layer of `hidden` tanh units; 0: softmax alone.

    A constant 1 beside each layer's inputs stands for biases, so that all parameters are matrices. 397 images choose
    the knobs, 400 others tell how well it went.

    >>> [x.shape for x in digits().start(0)]
    [(65, 32), (33, 10)]
    """
    hidden, batch = whole("hidden", hidden, most=1000), whole("batch", batch, least=1, most=TRAINED)
    shapes = [(65, hidden), (hidden + 1, CLASSES)] if hidden else [(65, CLASSES)]

    def start(seed: int) -> list[Array]:
        chance = np.random.default_rng([seed, 1])
        return [chance.normal(size=shape) / np.sqrt(shape[0]) for shape in shapes]

    def slope(xs: list[Array], t: int, seed: int) -> tuple[float, list[Array]]:
        images, labels = _images()
        chosen = _batch(seed, t, batch)
        return _loss_and_gradients(xs, images[chosen], labels[chosen])

    tested = slice(TRAINED + VALIDATED, None)

    def loss(part: slice) -> Measure:
        def of_part(xs: list[Array], t: int, seed: int) -> float:
            images, labels = _images()
            return _loss(xs, images[part], labels[part])

        return of_part

    def accuracy(xs: list[Array], t: int, seed: int) -> float:
        images, labels = _images()
        return float((_logits(xs, images[tested]).argmax(axis=1) == labels[tested]).mean())

    return Problem(
        name=f"digits:hidden={hidden},batch={batch}" if (hidden, batch) != (32, 64) else "digits",
        what=f"1,797 handwritten digits (UCI), {sum(a * b for a, b in shapes):,} parameters, batches of {batch}",
        start=start,
        slope=slope,
        measure=loss(slice(TRAINED, TRAINED + VALIDATED)),
        measured="loss on 397 images that are not learned from",
        further={"test loss": loss(tested), "test accuracy": accuracy},
        steps=STEPS,
        chance="where the weights start, and which images come in which batch",
    )


@lru_cache(maxsize=1)
def _images() -> tuple[Array, NDArray[np.int64]]:
    """Give the images, with a column of ones, and their labels, in an order that mixes the writers."""
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        images, labels = file["images"] / 8.0 - 1.0, file["labels"].astype(np.int64)
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(labels))
    return np.hstack([images, np.ones((len(labels), 1))])[order], labels[order]


def _batch(seed: int, t: int, size: int) -> NDArray[np.int64]:
    """Choose the images of a step: every epoch goes through all in an order of its own."""
    epoch, place = divmod((t - 1) * size, TRAINED)
    here = _order(seed, epoch)[place : place + size]
    return here if len(here) == size else np.concatenate([here, _order(seed, epoch + 1)[: size - len(here)]])


@lru_cache(maxsize=64)
def _order(seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, 2, epoch]).permutation(TRAINED)


def _layers(xs: list[Array], images: Array) -> list[Array]:
    """Give what enters each layer, and the logits."""
    entering = [images]
    for x in xs[:-1]:
        hidden = np.tanh(entering[-1] @ x)
        entering.append(np.hstack([hidden, np.ones((len(hidden), 1))]))
    return [*entering, entering[-1] @ xs[-1]]


def _logarithms(logits: Array) -> Array:
    """Give the logarithms of the probabilities."""
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _logits(xs: list[Array], images: Array) -> Array:
    """Give the logits of many images, some at a time: threads of a larger product wait for one another."""
    parts = range(0, len(images), SOME)
    return np.concatenate([_layers(xs, images[place : place + SOME])[-1] for place in parts])


def _loss(xs: list[Array], images: Array, labels: NDArray[np.int64]) -> float:
    return -float(_logarithms(_logits(xs, images))[np.arange(len(labels)), labels].mean())


def _loss_and_gradients(xs: list[Array], images: Array, labels: NDArray[np.int64]) -> tuple[float, list[Array]]:
    *entering, logits = _layers(xs, images)
    logarithms = _logarithms(logits)
    each = np.arange(len(labels))
    back: Any = np.exp(logarithms)
    back[each, labels] -= 1.0
    back /= len(labels)
    gradients: list[Array] = []
    for x, before in zip(reversed(xs), reversed(entering), strict=True):
        gradients.insert(0, before.T @ back)
        back = (back @ x.T)[:, :-1] * (1.0 - before[:, :-1] ** 2)
    return -float(logarithms[each, labels].mean()), gradients
