"""Adam and its close kin, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import numpy as np

from tests.rules.references.shared import Array, average, corrected, decayed_path, path, reference, steps_of


@reference
def adam(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    return path(x, lr * corrected(g, beta1) / (np.sqrt(corrected(g**2, beta2)) + eps))


@reference
def adamw(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    moves = lr * corrected(g, beta1) / (np.sqrt(corrected(g**2, beta2)) + eps)
    return decayed_path(x, moves, 1 - lr * weight_decay)


@reference
def adamax(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    rising = (np.abs(g) + eps) / beta2 ** steps_of(g)
    return path(x, lr * corrected(g, beta1) / (np.maximum.accumulate(rising) * beta2 ** steps_of(g)))


@reference
def nadam(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, momentum_decay: float) -> Array:
    t = np.arange(1.0, len(g) + 2)[:, None]
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    left = 1 - np.cumprod(mu, axis=0)
    m_hat = mu[1:] * average(g, beta1) / left[1:] + (1 - mu[:-1]) * g / left[:-1]
    return path(x, lr * m_hat / (np.sqrt(corrected(g**2, beta2)) + eps))


@reference
def amsgrad(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    largest = np.maximum.accumulate(average(g**2, beta2)) / (1 - beta2 ** steps_of(g))
    return path(x, lr * corrected(g, beta1) / (np.sqrt(largest) + eps))


@reference
def radam(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, threshold: float) -> Array:
    t = steps_of(g)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    rectifier = np.maximum((length - 4) / (longest - 4) * (length - 2) / (longest - 2) * longest / length, 0)
    adapted = np.sqrt(rectifier) * corrected(g, beta1) / (np.sqrt(corrected(g**2, beta2)) + eps)
    return path(x, lr * np.where(length > threshold, adapted, corrected(g, beta1)))


@reference
def qhadam(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, nu1: float, nu2: float, eps: float) -> Array:
    first = g + nu1 * (corrected(g, beta1) - g)
    second = g**2 + nu2 * (corrected(g**2, beta2) - g**2)
    return path(x, lr * first / (np.sqrt(second) + eps))


@reference
def adabound(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    final_lr: float,
    gamma: float,
) -> Array:
    t = steps_of(g)
    corrections = np.sqrt(1 - beta2**t) / (1 - beta1**t)
    rates = lr * corrections / (np.sqrt(average(g**2, beta2)) + eps)
    reach = final_lr * np.stack([1 - 1 / (gamma * t + 1), 1 + 1 / (gamma * t)])
    return path(x, np.clip(rates, reach[0], reach[1]) * average(g, beta1))


@reference
def adam_l2(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    here, seen, record = np.array(x, dtype=float), [], []
    for gradient in g:
        seen.append(gradient + weight_decay * here)
        d = np.array(seen)
        here = here - lr * corrected(d, beta1)[-1] / (np.sqrt(corrected(d**2, beta2)[-1]) + eps)
        record.append(here)
    return np.array(record)


@reference
def nadamw(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    momentum_decay: float,
) -> Array:
    told = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "momentum_decay": momentum_decay}
    return decayed_path(x, -np.diff(nadam(g, 0 * x, **told), axis=0, prepend=0), 1 - lr * weight_decay)


@reference
def radamw(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, threshold: float
) -> Array:
    told = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "threshold": threshold}
    return decayed_path(x, -np.diff(radam(g, 0 * x, **told), axis=0, prepend=0), 1 - lr * weight_decay)


@reference
def adamd(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    rates = lr * np.sqrt(1 - beta2 ** steps_of(g))
    return path(x, rates * average(g, beta1) / (np.sqrt(average(g**2, beta2)) + eps))


@reference
def adams(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    m = average(g, beta1)
    before = np.concatenate([np.zeros_like(m[:1]), m[:-1]])
    moves = lr * m / (np.sqrt(beta2 * before**2 + (1 - beta2) * g**2) + eps)
    return decayed_path(x, moves, 1 - lr * weight_decay)


@reference
def adam_atan2(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, alpha: float, beta: float) -> Array:
    return path(x, lr * alpha * np.arctan2(corrected(g, beta1), beta * np.sqrt(corrected(g**2, beta2))))


@reference
def padam(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, p: float) -> Array:
    rates = lr * np.sqrt(1 - beta2 ** steps_of(g)) / (1 - beta1 ** steps_of(g))
    largest = np.maximum.accumulate(average(g**2, beta2))
    return path(x, rates * average(g, beta1) / (np.sqrt(largest) + eps) ** (2 * p))


@reference
def adamod(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, beta3: float, eps: float) -> Array:
    corrections = np.sqrt(1 - beta2 ** steps_of(g)) / (1 - beta1 ** steps_of(g))
    rates = lr * corrections / (np.sqrt(average(g**2, beta2)) + eps)
    return path(x, np.minimum(rates, average(rates, beta3)) * average(g, beta1))


@reference
def laprop(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    return path(x, corrected(lr * g / (np.sqrt(corrected(g**2, beta2)) + eps), beta1))


@reference
def diffgrad(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    before = np.concatenate([np.zeros_like(g[:1]), g[:-1]])
    friction = 1 / (1 + np.exp(-abs(before - g)))
    rates = lr * np.sqrt(1 - beta2 ** steps_of(g)) / (1 - beta1 ** steps_of(g))
    return path(x, rates * friction * average(g, beta1) / (np.sqrt(average(g**2, beta2)) + eps))


@reference
def stable_adamw(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float
) -> Array:
    v = corrected(g**2, beta2)
    surprise = np.sqrt(np.mean(g**2 / np.maximum(v, eps**2), axis=1, keepdims=True))
    rates = lr / np.maximum(1, surprise)
    here, record = np.array(x, dtype=float), []
    for rate, move in zip(rates, corrected(g, beta1) / (np.sqrt(v) + eps), strict=True):
        here = (1 - rate * weight_decay) * here - rate * move
        record.append(here)
    return np.array(record)
