"""Steps as long as a norm says, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.rules.references.shared import (
    Array,
    average,
    corrected,
    decayed_path,
    path,
    reference,
    steps_of,
    weighted_sum,
)


@reference
def lamb(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    here, record = np.array(x, dtype=float), []
    for adapted in corrected(g, beta1) / (np.sqrt(corrected(g**2, beta2)) + eps):
        direction: Any = adapted + weight_decay * here
        size, length = np.linalg.norm(here), np.linalg.norm(direction)
        here = here - lr * (direction * (size / length) if size > 0 and length > 0 else direction)
        record.append(here)
    return np.array(record)


@reference
def lars(g: Array, x: Array, *, lr: float, momentum: float, weight_decay: float, trust: float) -> Array:
    here, velocity, record = np.array(x, dtype=float), np.zeros_like(g[0]), []
    for gradient in g:
        d = gradient + weight_decay * here
        size, length = np.linalg.norm(here), np.linalg.norm(d)
        velocity = momentum * velocity + lr * (trust * size / length if size > 0 and length > 0 else 1) * d
        here = here - velocity
        record.append(here)
    return np.array(record)


@reference
def novograd(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    squares = np.sum(g**2, axis=1, keepdims=True)
    v = average(squares, beta2) + beta2 ** steps_of(g) * squares[:1]
    here, m, record = np.array(x, dtype=float), np.zeros_like(g[0]), []
    for normalised in g / (np.sqrt(v) + eps):
        m = beta1 * m + normalised + weight_decay * here
        here = here - lr * m
        record.append(here)
    return np.array(record)


@reference
def fromage(g: Array, x: Array, *, lr: float) -> Array:
    here, record = np.array(x, dtype=float), []
    for gradient in g:
        scale = max(float(np.linalg.norm(here)), 1e-6) / max(float(np.linalg.norm(gradient)), 1e-6)
        here = (here - lr * gradient * scale) / np.hypot(1, lr)
        record.append(here)
    return np.array(record)


@reference
def adanorm(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, r: float) -> Array:
    lengths = np.linalg.norm(g, axis=1, keepdims=True)
    longer = np.maximum(1, average(lengths, r) / lengths) * g
    rates = lr * np.sqrt(1 - beta2 ** steps_of(g)) / (1 - beta1 ** steps_of(g))
    return path(x, rates * average(longer, beta1) / (np.sqrt(average(g**2, beta2)) + eps))


@reference
def amos(
    g: Array,
    x: Array,
    *,
    lr: float,
    weight_decay: float,
    beta: float,
    scale: float,
    alpha: float,
    gamma: float,
) -> Array:
    squares = np.mean(g**2, axis=1)
    here, b, record = np.array(x, dtype=float), 0.0, []
    for gradient, square, v in zip(g, squares, corrected(squares[:, None], beta)[:, 0], strict=True):
        decay = (1 + alpha * np.sqrt(lr) * b) ** -0.5 * lr**2 * square / v
        slow = 1 + gamma * np.sqrt(lr * scale) * b
        here = here - (lr * scale * gradient / np.sqrt(v) + (decay / 2 + weight_decay) * here) / slow
        b += decay * (1 + b)
        record.append(here)
    return np.array(record)


@reference
def sgd_sai(g: Array, x: Array, *, lr: float, momentum: float, weight_decay: float) -> Array:
    snr = np.linalg.norm(g[0]) / (np.std(g[0]) + 1e-8)
    return decayed_path(x, lr * snr * average(g, momentum), 1 - lr * weight_decay)


@reference
def adagc(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    beta3: float,
    eps: float,
    weight_decay: float,
    relative: float,
    absolute: float,
    warmup: float,
) -> Array:
    typical, kept = float(np.linalg.norm(g[0])), []
    for step, gradient in enumerate(g, 1):
        length = float(np.linalg.norm(gradient))
        share = min(1.0, (relative * typical if step >= warmup else absolute) / length)
        typical = beta3 * typical + (1 - beta3) * share * length if step >= warmup else min(typical, share * length)
        kept.append(share * gradient)
    d = np.array(kept)
    moves = corrected(d, beta1) / (np.sqrt(corrected(d**2, beta2)) + eps)
    return decayed_path(x, lr * moves, 1 - lr * weight_decay)


def projected(d: Array, gradient: Array, x: Array, delta: float) -> tuple[Array, bool]:
    """Take away the part along x where gradient and x are all but at right angles: the authors' test of a tensor."""
    cosine = abs(gradient @ x) / (np.linalg.norm(gradient) * np.linalg.norm(x) + 1e-8)
    if not cosine < delta / np.sqrt(x.size):
        return d, False
    unit = x / (np.linalg.norm(x) + 1e-8)
    return d - unit * (unit @ d), True


@reference
def sgdp(
    g: Array, x: Array, *, lr: float, momentum: float, weight_decay: float, delta: float, wd_ratio: float
) -> Array:
    here, record = np.array(x, dtype=float), []
    for gradient, velocity in zip(g, weighted_sum(g, momentum), strict=True):
        d, free = projected(velocity, gradient, here, delta)
        here = here * (1 - lr * weight_decay * (wd_ratio if free else 1) / (1 - momentum)) - lr * d
        record.append(here)
    return np.array(record)


@reference
def adamp(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    delta: float,
    wd_ratio: float,
) -> Array:
    here, record = np.array(x, dtype=float), []
    steps = corrected(g, beta1) / (np.sqrt(corrected(g**2, beta2)) + eps)
    for gradient, step in zip(g, steps, strict=True):
        d, free = projected(step, gradient, here, delta)
        here = here * (1 - lr * weight_decay * (wd_ratio if free else 1)) - lr * d
        record.append(here)
    return np.array(record)
