"""Factored second moments, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import numpy as np

from tests.rules.references.shared import Array, corrected, decayed_path, reference


@reference
def adafactor_vector(
    g: Array, x: Array, *, lr: float, weight_decay: float, decay: float, eps1: float, eps2: float, d: float
) -> Array:
    here, v, record = np.array(x, dtype=float), np.zeros_like(g[0]), []
    for step, gradient in enumerate(g, 1):
        beta = 1 - step**-decay
        v = beta * v + (1 - beta) * gradient**2
        u = gradient / np.maximum(np.sqrt(v), eps1)
        rate = max(eps2, float(np.sqrt(np.mean(here**2)))) * min(lr, step**-0.5)
        here = here - lr * weight_decay * here - rate * u / max(1.0, float(np.sqrt(np.mean(u**2))) / d)
        record.append(here)
    return np.array(record)


@reference
def adam_mini_tensor(
    g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float
) -> Array:
    squares = np.mean(g**2, axis=1, keepdims=True)
    moves = corrected(g, beta1) / (np.sqrt(corrected(squares, beta2)) + eps)
    return decayed_path(x, lr * moves, 1 - lr * weight_decay)
