"""Other first moments, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import numpy as np

from tests.rules.references.shared import (
    Array,
    average,
    corrected,
    decayed_path,
    past,
    path,
    reference,
    steps_of,
    weighted_sum,
)


@reference
def adan(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, beta3: float, eps: float, weight_decay: float
) -> Array:
    change = g - past(g)
    first = corrected(g, beta1) + beta2 * corrected(change, beta2)
    moves = lr * first / (np.sqrt(corrected((g + beta2 * change) ** 2, beta3)) + eps)
    kept = 1 / (1 + lr * weight_decay)
    return decayed_path(x, kept * moves, kept)


@reference
def adopt(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    start = beta2 ** steps_of(g) * g[:1] ** 2
    normalised = g / np.maximum(np.sqrt(past(average(g**2, beta2) + start)), eps)
    limit = (steps_of(g) - 1) ** 0.25
    return path(x, lr * average(np.clip(normalised, -limit, limit), beta1))


@reference
def ademamix(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    beta3: float,
    eps: float,
    weight_decay: float,
    alpha: float,
    warmup: float,
) -> Array:
    def half_life(beta: float) -> float:
        return float(np.log(0.5) / np.log(beta + 1e-8) - 1)

    slow, slows = np.zeros_like(g[0]), []
    for step, gradient in enumerate(g, 1):
        share = min(1.0, step / warmup)
        steps = (1 - share) * half_life(beta1) + share * half_life(beta3)
        keep = beta3 if step >= warmup else 0.5 ** (1 / (steps + 1))
        slow = keep * slow + (1 - keep) * gradient
        slows.append(share * alpha * slow)
    moves = (corrected(g, beta1) + np.array(slows)) / (np.sqrt(corrected(g**2, beta2)) + eps)
    return decayed_path(x, lr * moves, 1 - lr * weight_decay)


@reference
def simplified_ademamix(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, alpha: float
) -> Array:
    moves = (weighted_sum(g, beta1) + alpha * g) / (np.sqrt(corrected(g**2, beta2)) + eps)
    return decayed_path(x, lr * moves, 1 - lr * weight_decay)


@reference
def mars(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, gamma: float
) -> Array:
    before = np.concatenate([np.zeros_like(g[:1]), g[:-1]])
    c = g + gamma * beta1 / (1 - beta1) * (g - before)
    c = c / np.maximum(1, np.linalg.norm(c, axis=1, keepdims=True))
    moves = corrected(c, beta1) / (np.sqrt(corrected(c**2, beta2)) + eps)
    return decayed_path(x, lr * moves, 1 - lr * weight_decay)


@reference
def grokfast(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, alpha: float, lamb: float
) -> Array:
    d = g + lamb * (average(g, alpha) + alpha ** steps_of(g) * g[:1])
    return path(x, lr * corrected(d, beta1) / (np.sqrt(corrected(d**2, beta2)) + eps))


def two_momenta(g: Array, beta0: float, beta1: float) -> Array:
    """Mix the momentum of the steps of one parity with that of the other."""
    buffers, mixed = [np.zeros_like(g[0]), np.zeros_like(g[0])], []
    for step, gradient in enumerate(g, 1):
        mine = step % 2
        buffers[mine] = beta1**2 * buffers[mine] + (1 - beta1**2) * gradient
        mixed.append((1 + beta0) * buffers[mine] - beta0 * buffers[1 - mine])
    return np.array(mixed) / np.hypot(1 + beta0, beta0)


@reference
def pnm(g: Array, x: Array, *, lr: float, beta0: float, beta1: float) -> Array:
    return path(x, lr * two_momenta(g, beta0, beta1))


@reference
def adapnm(g: Array, x: Array, *, lr: float, beta0: float, beta1: float, beta2: float, eps: float) -> Array:
    t = steps_of(g)
    largest = np.maximum.accumulate(average(g**2, beta2)) / (1 - beta2**t)
    return path(x, lr * two_momenta(g, beta0, beta1) / (1 - beta1**t) / (np.sqrt(largest) + eps))


@reference
def grams(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    rates = lr * np.sqrt(1 - beta2 ** steps_of(g)) / (1 - beta1 ** steps_of(g))
    moves = rates * np.sign(g) * abs(average(g, beta1)) / (np.sqrt(average(g**2, beta2)) + eps)
    return decayed_path(x, moves, 1 - lr * weight_decay)


@reference
def adamg(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, beta3: float, eps: float, p: float, q: float
) -> Array:
    golden = average(p * average(g**2, beta2) ** q, beta3)
    moves = corrected(golden * g, beta1) / (np.sqrt(corrected(g**2, beta2)) + eps)
    return path(x, np.minimum(lr, 1 / np.sqrt(steps_of(g))) * moves)
