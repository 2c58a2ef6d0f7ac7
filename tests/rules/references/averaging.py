"""Averages, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from tests.rules.references.shared import Array, corrected, reference


def interpolated(
    x: Array, moves: Callable[[int, Array], tuple[float, Array]], beta: float, r: float, power: float
) -> Array:
    """Follow fast points and their weighted average; x stands between them. `moves`: from step and x, rate and move."""
    here, fast, center = (np.array(x, dtype=float) for _ in range(3))
    largest, total, record = 0.0, 0.0, []
    for step in itertools.count(1):
        try:
            rate, move = moves(step, here)
        except IndexError:
            return np.array(record)
        largest = max(largest, rate)
        weight = step**r * largest**power
        total += weight
        fast = fast - rate * move
        center = center + (weight / total if total else 0.0) * (fast - center)
        here = beta * center + (1 - beta) * fast
        record.append(here)
    raise AssertionError


@reference
def schedule_free(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    warmup: float,
    r: float,
    power: float,
) -> Array:
    steps = g / (np.sqrt(corrected(g**2, beta2)) + eps)

    def moves(step: int, here: Array) -> tuple[float, Array]:
        return lr * min(1.0, step / warmup if warmup else 1.0), steps[step - 1] + weight_decay * here

    return interpolated(x, moves, beta1, r, power)


@reference
def schedule_free_sgd(
    g: Array,
    x: Array,
    *,
    lr: float,
    momentum: float,
    weight_decay: float,
    warmup: float,
    r: float,
    power: float,
) -> Array:
    def moves(step: int, here: Array) -> tuple[float, Array]:
        return lr * min(1.0, step / warmup if warmup else 1.0), g[step - 1] + weight_decay * here

    return interpolated(x, moves, momentum, r, power)


@reference
def schedule_free_radam(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    r: float,
    power: float,
) -> Array:
    steps = g / (np.sqrt(corrected(g**2, beta2)) + eps)
    longest = 2 / (1 - beta2) - 1

    def moves(step: int, here: Array) -> tuple[float, Array]:
        length = longest - 2 * step * beta2**step / (1 - beta2**step)
        rectifier = (length - 4) / (longest - 4) * (length - 2) / (longest - 2) * longest / length
        return lr * float(np.sqrt(rectifier)) if length > 4 else 0.0, steps[step - 1] + weight_decay * here

    return interpolated(x, moves, beta1, r, power)


@reference
def asgd(g: Array, x: Array, *, lr: float, lambd: float, alpha: float, t0: float) -> Array:
    here, eta, record = np.array(x, dtype=float), lr, []
    for step, gradient in enumerate(g, 1):
        here = here * (1 - lambd * eta) - eta * gradient
        eta = lr / (1 + lambd * lr * step) ** alpha
        record.append(here)
    return np.array(record)
