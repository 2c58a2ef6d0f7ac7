"""Steps by sign, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import numpy as np

from tests.rules.references.shared import Array, average, decayed_path, path, reference, weighted_sum


@reference
def signsgd(g: Array, x: Array, *, lr: float) -> Array:
    return path(x, lr * np.sign(g))


@reference
def signum(g: Array, x: Array, *, lr: float, beta1: float) -> Array:
    return path(x, lr * np.sign(weighted_sum(g, beta1)))


@reference
def tiger(g: Array, x: Array, *, lr: float, beta1: float, weight_decay: float) -> Array:
    return decayed_path(x, lr * np.sign(weighted_sum(g, beta1)), 1 - lr * weight_decay)


@reference
def lion(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, weight_decay: float) -> Array:
    m_before = np.concatenate([np.zeros_like(g[:1]), average(g, beta2)[:-1]])
    return decayed_path(x, lr * np.sign(beta1 * m_before + (1 - beta1) * g), 1 - lr * weight_decay)


@reference
def rprop(g: Array, x: Array, *, lr: float, down: float, up: float, least: float, most: float) -> Array:
    columns = []
    for gradients, here in zip(g.T, x, strict=True):
        before, delta, record = 0.0, lr, []
        for gradient in gradients:
            product = gradient * before
            if product > 0:
                delta = min(delta * up, most)
            elif product < 0:
                delta = max(delta * down, least)
                gradient = 0.0
            here = here - float(np.sign(gradient)) * delta
            before = gradient
            record.append(here)
        columns.append(record)
    return np.array(columns).T


@reference
def focus(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, gamma: float, weight_decay: float) -> Array:
    here, total, record = np.array(x, dtype=float), np.zeros_like(x, dtype=float), []
    for step, m in enumerate(average(g, beta1), 1):
        total = beta2 * total + (1 - beta2) * here
        centre = total / (1 - beta2**step)
        here = here - lr * weight_decay * centre
        here = here - lr * np.sign(m) - lr * gamma * np.sign(here - centre)
        record.append(here)
    return np.array(record)
