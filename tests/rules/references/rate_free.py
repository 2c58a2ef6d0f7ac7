"""Rates that are found, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.rules.references.shared import Array, reference


@reference
def prodigy(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    beta3: float,
    eps: float,
    weight_decay: float,
    d0: float,
    coef: float,
    growth: float,
) -> Array:
    here, record = np.array(x, dtype=float), []
    m = v = s = np.zeros_like(g[0])
    numerator, d, d_max = 0.0, d0, d0
    for gradient in g:
        dlr = d * lr
        numerator = numerator * beta3 + (d / d0) * dlr * float(gradient @ (x - here))
        m = m * beta1 + d * (1 - beta1) * gradient
        v = v * beta2 + d * d * (1 - beta2) * gradient**2
        s = s * beta3 + (d / d0) * dlr * gradient
        d_hat = coef * numerator / float(np.abs(s).sum())
        if d == d0:
            d = max(d, d_hat)
        d_max = max(d_max, d_hat)
        d = min(d_max, d * growth)
        here = here - weight_decay * dlr * here - dlr * m / (np.sqrt(v) + d * eps)
        record.append(here)
    return np.array(record)


@reference
def dadapt_adam(
    g: Array,
    x: Array,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    d0: float,
    growth: float,
) -> Array:
    here, record = np.array(x, dtype=float), []
    m = v = s = np.zeros_like(g[0])
    r, d, root = 0.0, d0, beta2**0.5
    for gradient in g:
        dlr = d * lr
        q = dlr * float((gradient * (s / (np.sqrt(v) + eps))).sum())
        m = m * beta1 + dlr * (1 - beta1) * gradient
        v = v * beta2 + (1 - beta2) * gradient**2
        s = s * root + dlr * (1 - root) * gradient
        r = root * r + (1 - root) * q
        d_hat = r / ((1 - root) * float(np.abs(s).sum()))
        d = max(d, min(d_hat, d * growth))
        here = here * (1 - weight_decay * dlr) - m / (np.sqrt(v) + eps)
        record.append(here)
    return np.array(record)


@reference
def dadapt_sgd(g: Array, x: Array, *, lr: float, d0: float, growth: float) -> Array:
    here, s, d, product, record = np.array(x, dtype=float), np.zeros_like(g[0]), d0, 0.0, []
    first = float(np.linalg.norm(g[0]))
    for gradient in g:
        rate = d * lr / first
        product += rate * float(gradient @ s)
        s = s + rate * gradient
        d = max(d, min(2 * product / float(np.linalg.norm(s)), d * growth))
        here = here - rate * gradient
        record.append(here)
    return np.array(record)


def distances(g: Array, x: Array, moved: Callable[[int, float, Array], Array], first: float) -> Array:
    """Follow steps that know the largest distance from the start so far: `moved` gives a step of number, it and g."""
    here, reach, record = np.array(x, dtype=float), first, []
    for number, gradient in enumerate(g):
        reach = max(reach, float(np.linalg.norm(here - x)))
        here = here - moved(number, reach, gradient)
        record.append(here)
    return np.array(record)


@reference
def dog(g: Array, x: Array, *, lr: float, eps: float, reps: float) -> Array:
    totals = np.sqrt(np.cumsum(np.sum(g**2, axis=1)) + eps)
    first = reps * (1 + float(np.linalg.norm(x)))
    return distances(g, x, lambda number, reach, gradient: lr * reach / totals[number] * gradient, first)


@reference
def ldog(g: Array, x: Array, *, lr: float, eps: float, reps: float) -> Array:
    return dog(g, x, lr=lr, eps=eps, reps=reps)


@reference
def dowg(g: Array, x: Array, *, lr: float, eps: float) -> Array:
    sums = [0.0]

    def moved(number: int, reach: float, gradient: Array) -> Array:
        sums.append(sums[-1] + reach**2 * float(gradient @ gradient))
        return np.asarray(lr * reach**2 / (np.sqrt(sums[-1]) + eps) * gradient)

    return distances(g, x, moved, eps**0.5)


@reference
def cocob(g: Array, x: Array, *, alpha: float, eps: float) -> Array:
    largest = np.maximum(eps, np.maximum.accumulate(np.abs(g), axis=0))
    totals, sums = np.cumsum(np.abs(g), axis=0), -np.cumsum(g, axis=0)
    here, record, reward = np.array(x, dtype=float), [], np.zeros_like(g[0])
    for t, gradient in enumerate(g):
        reward = np.maximum(reward - (here - x) * gradient, 0.0)
        bound = np.maximum(totals[t] + largest[t], alpha * largest[t])
        here = x + sums[t] / (largest[t] * bound) * (largest[t] + reward)
        record.append(here)
    return np.array(record)
