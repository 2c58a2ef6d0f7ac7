"""Rates by all squares so far, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import numpy as np

from tests.rules.references.shared import Array, average, path, reference, steps_of, weighted_sum


@reference
def adagrad(g: Array, x: Array, *, lr: float, eps: float) -> Array:
    return path(x, lr * g / (np.sqrt(np.cumsum(g**2, axis=0)) + eps))


@reference
def adadelta(g: Array, x: Array, *, lr: float, rho: float, eps: float) -> Array:
    roots, past_moves, moves = np.sqrt(average(g**2, rho) + eps), np.zeros_like(g[0]), []
    for gradient, root in zip(g, roots, strict=True):
        move = np.sqrt(past_moves + eps) * gradient / root
        past_moves = past_moves + (1 - rho) * (move**2 - past_moves)
        moves.append(lr * move)
    return path(x, np.array(moves))


@reference
def rmsprop(g: Array, x: Array, *, lr: float, rho: float, eps: float) -> Array:
    return path(x, lr * g / (np.sqrt(average(g**2, rho)) + eps))


@reference
def rmsprop_centered(g: Array, x: Array, *, lr: float, rho: float, eps: float) -> Array:
    return path(x, lr * g / np.sqrt(average(g**2, rho) - average(g, rho) ** 2 + eps))


@reference
def adagrad_norm(g: Array, x: Array, *, lr: float, b0: float) -> Array:
    lengths = np.sqrt(b0**2 + np.cumsum(np.sum(g**2, axis=1, keepdims=True), axis=0))
    return path(x, lr * g / lengths)


@reference
def rmsprop_momentum(g: Array, x: Array, *, lr: float, momentum: float, rho: float, eps: float) -> Array:
    return path(x, lr * weighted_sum(g / (np.sqrt(average(g**2, rho)) + eps), momentum))


@reference
def ftrl(g: Array, x: Array, *, lr: float, beta: float, l1: float, l2: float) -> Array:
    here, z, n, record = np.array(x, dtype=float), np.zeros_like(g[0]), np.zeros_like(g[0]), []
    for gradient in g:
        sigma = (np.sqrt(n + gradient**2) - np.sqrt(n)) / lr
        z = z + gradient - sigma * here
        n = n + gradient**2
        here = np.where(abs(z) <= l1, 0.0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / lr + l2))
        record.append(here)
    return np.array(record)


@reference
def smorms3(g: Array, x: Array, *, lr: float, eps: float) -> Array:
    m, v, memory, moves = np.zeros_like(g[0]), np.zeros_like(g[0]), np.zeros_like(g[0]), []
    for gradient in g:
        r = 1 / (memory + 1)
        m, v = m + r * (gradient - m), v + r * (gradient**2 - v)
        signal = m**2 / (v + eps)
        memory = 1 + memory - memory * signal
        moves.append(gradient * np.minimum(lr, signal) / (np.sqrt(v) + eps))
    return path(x, np.array(moves))


@reference
def kate(g: Array, x: Array, *, lr: float, delta: float, eps: float) -> Array:
    b = np.cumsum(g**2 + eps, axis=0)
    return path(x, lr * np.sqrt(np.cumsum(delta * g**2 + g**2 / b, axis=0)) * g / b)


@reference
def madgrad(g: Array, x: Array, *, lr: float, momentum: float, eps: float) -> Array:
    weights = (lr + eps) * np.sqrt(steps_of(g))
    points = x - np.cumsum(weights * g, axis=0) / (np.cbrt(np.cumsum(weights * g**2, axis=0)) + eps)
    here, record = np.array(x, dtype=float), []
    for point in points:
        here = here + (1 - momentum) * (point - here)
        record.append(here)
    return np.array(record)


@reference
def nosadam(g: Array, x: Array, *, lr: float, beta1: float, eps: float, gamma: float) -> Array:
    weights = steps_of(g) ** -gamma
    v = np.cumsum(weights * g**2, axis=0) / np.cumsum(weights, axis=0)
    return path(x, lr * average(g, beta1) / (np.sqrt(v) + eps))
