"""Other second moments, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import numpy as np

from tests.rules.references.shared import Array, average, corrected, decayed_path, path, reference, steps_of


@reference
def adabelief(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    surprise = corrected((g - average(g, beta1)) ** 2, beta2) + eps / (1 - beta2)
    return path(x, lr * corrected(g, beta1) / (np.sqrt(surprise) + eps))


@reference
def yogi(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    v, roots = np.zeros_like(g[0]), []
    for square in g**2:
        v = np.where(v < square, v + (1 - beta2) * square, np.where(v > square, v - (1 - beta2) * square, v))
        roots.append(np.sqrt(v))
    return path(x, lr * average(g, beta1) / (np.array(roots) + eps))


@reference
def acprop(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    m = average(g, beta1)
    before = np.concatenate([np.zeros_like(m[:1]), m[:-1]])
    v = corrected((g - before) ** 2 + eps / (1 - beta2), beta2)
    roots = np.concatenate([np.ones_like(v[:1]), np.sqrt(v[:-1])])
    return path(x, lr * g / (roots + eps))


@reference
def msvag(g: Array, x: Array, *, lr: float, beta1: float) -> Array:
    t = steps_of(g)
    m, v = corrected(g, beta1), corrected(g**2, beta1)
    rho = (1 - beta1) * (1 + beta1**t) / ((1 + beta1) * (1 - beta1**t))
    moves = [m[0]]
    for mean, square, share in zip(m[1:], v[1:], rho[1:], strict=True):
        variance = (square - mean**2) / (1 - share)
        moves.append(mean * np.clip(mean**2 / (mean**2 + share * variance), 0, 1))
    return path(x, lr * np.array(moves))


@reference
def avagrad(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    rates = 1 / (np.sqrt(corrected(g**2, beta2)[:-1]) + eps)
    rates = rates * np.sqrt(g.shape[1]) / np.linalg.norm(rates, axis=1, keepdims=True)
    return path(x, np.concatenate([np.zeros_like(g[:1]), lr * rates * corrected(g, beta1)[1:]]))


@reference
def ano(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    v, roots = np.zeros_like(g[0]), []
    for step, square in enumerate(g**2, 1):
        v = v + (1 - beta2) * np.sign(square - v) * square
        roots.append(np.sqrt(v / (1 - beta2**step)))
    moves = lr * abs(g) * np.sign(average(g, beta1)) / (np.array(roots) + eps)
    return decayed_path(x, moves, 1 - lr * weight_decay)


@reference
def bcos(g: Array, x: Array, *, lr: float, beta1: float, eps: float, weight_decay: float) -> Array:
    m = average(g, beta1) + beta1 ** steps_of(g) * g[:1]
    before = np.concatenate([g[:1], m[:-1]])
    v = before**2 + (1 - beta1) ** 2 * (g**2 - before**2)
    return decayed_path(x, lr * m / (np.sqrt(v) + eps), 1 - lr * weight_decay)


@reference
def aida(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, xi: float) -> Array:
    m = average(g, beta1)
    v, moves = np.zeros_like(g[0]), []
    for step, (gradient, mean) in enumerate(zip(g, m, strict=True), 1):
        one, other = gradient, mean
        for _ in range(2):
            inner = float(one @ other)
            one, other = inner / (one @ one + xi) * one, inner / (other @ other + xi) * other
        v = beta2 * v + (1 - beta2) * (other - one) ** 2 + eps
        root = (np.sqrt(v) + eps) / np.sqrt(1 - beta2**step)
        moves.append(lr / (1 - beta1**step) * mean / root)
    return path(x, np.array(moves))


@reference
def adai(g: Array, x: Array, *, lr: float, beta0: float, beta2: float, eps: float) -> Array:
    v = corrected(g**2, beta2)
    inertia = np.clip(1 - v / v.mean(axis=1, keepdims=True) * beta0, 0, 1 - eps)
    m, moves = np.zeros_like(g[0]), []
    for gradient, share, product in zip(g, inertia, np.cumprod(inertia, axis=0), strict=True):
        m = share * m + (1 - share) * gradient
        moves.append(lr * m / (1 - product))
    return path(x, np.array(moves))


@reference
def exadam(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float) -> Array:
    t = steps_of(g)
    m, v = average(g, beta1), average(g**2, beta2)
    one, other = 1 + v / (v + eps) * beta2**t, 1 + m**2 / (m**2 + eps) * beta1**t
    first = m / (1 - beta1**t) * one + g / (1 - beta1**t) * one
    return path(x, lr * first / (np.sqrt(v / (1 - beta2**t) * other) + eps))


@reference
def fadam(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, limit: float
) -> Array:
    def clipped(values: Array) -> Array:
        return np.asarray(values / max(1.0, float(np.sqrt(np.mean(values**2)))) * limit)

    m, here, record = np.zeros_like(g[0]), np.array(x, dtype=float), []
    for gradient, fisher in zip(g, corrected(g**2, beta2), strict=True):
        root = np.sqrt(fisher) + eps * min(float(np.sqrt(np.mean(gradient**2))), 1.0)
        m = beta1 * m + (1 - beta1) * clipped(gradient / root)
        here = here - lr * (m + weight_decay * clipped(here / root))
        record.append(here)
    return np.array(record)
