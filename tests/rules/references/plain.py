"""Steps along the gradient, once more in NumPy. It knows neither the rule language nor mhat."""

from __future__ import annotations

import numpy as np

from tests.rules.references.shared import Array, average, decayed_path, past, path, reference, steps_of, weighted_sum


@reference
def sgd(g: Array, x: Array, *, lr: float) -> Array:
    return path(x, lr * g)


@reference
def momentum(g: Array, x: Array, *, lr: float, momentum: float) -> Array:
    return path(x, lr * weighted_sum(g, momentum))


@reference
def nesterov(g: Array, x: Array, *, lr: float, momentum: float) -> Array:
    return path(x, lr * (g + momentum * weighted_sum(g, momentum)))


@reference
def sgdw(g: Array, x: Array, *, lr: float, momentum: float, weight_decay: float) -> Array:
    return decayed_path(x, lr * weighted_sum(g, momentum), 1 - lr * weight_decay)


@reference
def qhm(g: Array, x: Array, *, lr: float, momentum: float, nu: float) -> Array:
    return path(x, lr * (g + nu * (average(g, momentum) - g)))


@reference
def aggmo(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, beta3: float) -> Array:
    return path(x, lr * np.mean([weighted_sum(g, beta) for beta in (beta1, beta2, beta3)], axis=0))


@reference
def accsgd(g: Array, x: Array, *, lr: float, kappa: float, xi: float, small: float) -> Array:
    # The authors' code: alpha, beta and zeta of their Algorithm 3.
    alpha = 1 - small**2 * xi / kappa
    beta = 1 - alpha
    zeta = small / (small + beta)
    momentum, here, record = np.array(x, dtype=float), np.array(x, dtype=float), []
    for gradient in g:
        momentum = momentum * (1 / beta - 1) - lr * kappa / small * gradient + here
        momentum *= beta
        here = (here - lr * gradient) * zeta + momentum * (1 - zeta)
        record.append(here)
    return np.array(record)


@reference
def pid(g: Array, x: Array, *, lr: float, momentum: float, integral: float, derivative: float) -> Array:
    change = average(g - past(g), momentum)
    return path(x, lr * (g + integral * weighted_sum(g, momentum) + derivative * change))


@reference
def optimistic(g: Array, x: Array, *, lr: float, alpha: float, beta: float) -> Array:
    return path(x, lr * (alpha * g + beta * (g - past(g))))


@reference
def a2grad(g: Array, x: Array, *, beta: float, lips: float) -> Array:
    t = steps_of(g)
    noise = np.cumsum(np.sum((g - np.cumsum(g, axis=0) / t) ** 2, axis=1, keepdims=True), axis=0)
    rates = 1 / (2 * lips / t + beta * np.sqrt(noise))
    fast = path(x, rates * g)
    here, before, record = np.array(x, dtype=float), 1.0, []
    for step, (gradient, rate, point) in enumerate(zip(g, rates, fast, strict=True), 1):
        share = 2 / (step + 2)
        here = (1 - share) * (here - before * rate * gradient) + share * point
        before = share
        record.append(here)
    return np.array(record)


@reference
def sgd_hd(g: Array, x: Array, *, lr: float, beta: float) -> Array:
    agreeing = np.concatenate([[0.0], (g[1:] * g[:-1]).sum(axis=1)])
    rates = lr + beta * np.cumsum(agreeing)
    return path(x, rates[:, None] * g)
