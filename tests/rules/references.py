"""Every rule of the library once more, from its formula and in NumPy. It knows neither the rule language nor mhat.

Where a formula has a closed form it is used instead of the recursion that a rule writes: an average is the
explicit weighted sum of all gradients so far, a running maximum is the maximum over the past.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Reference = Callable[..., Array]
REFERENCES: dict[str, Reference] = {}


def reference(function: Reference) -> Reference:
    """Enter a function from (gradients, start, knobs) to the parameters after each step."""
    REFERENCES[function.__name__] = function
    return function


def steps_of(values: Array) -> Array:
    """Give the step numbers as a column."""
    return np.arange(1.0, len(values) + 1)[:, None]


def weighted_sum(values: Array, beta: float) -> Array:
    """Sum over the past, a value `age` steps old weighing beta**age."""
    age = np.subtract.outer(np.arange(len(values)), np.arange(len(values)))
    weights = np.where(age >= 0, float(beta) ** np.maximum(age, 0), 0.0)
    return np.asarray(weights @ values)


def average(values: Array, beta: float) -> Array:
    return (1 - beta) * weighted_sum(values, beta)


def corrected(values: Array, beta: float) -> Array:
    """Average with weights that sum to one."""
    return average(values, beta) / (1 - beta ** steps_of(values))


def path(start: Array, moves: Array) -> Array:
    return np.asarray(start - np.cumsum(moves, axis=0))


def decayed_path(start: Array, moves: Array, kept: float) -> Array:
    """Take the moves one by one, the parameter multiplied by `kept` before each."""
    x, record = np.array(start, dtype=float), []
    for move in moves:
        x = kept * x - move
        record.append(x)
    return np.array(record)


def past(values: Array) -> Array:
    """Give the values of the step before; the first is repeated."""
    return np.concatenate([values[:1], values[:-1]])


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
def qhadam(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, nu1: float, nu2: float, eps: float) -> Array:
    first = g + nu1 * (corrected(g, beta1) - g)
    second = g**2 + nu2 * (corrected(g**2, beta2) - g**2)
    return path(x, lr * first / (np.sqrt(second) + eps))


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
def lamb(g: Array, x: Array, *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Array:
    here, record = np.array(x, dtype=float), []
    for adapted in corrected(g, beta1) / (np.sqrt(corrected(g**2, beta2)) + eps):
        direction: Any = adapted + weight_decay * here
        size, length = np.linalg.norm(here), np.linalg.norm(direction)
        here = here - lr * (direction * (size / length) if size > 0 and length > 0 else direction)
        record.append(here)
    return np.array(record)
