"""Adams in the style in which people write them, right and wrong. They know nothing of mhat."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def adam(gradients: Array, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Array:
    x = m = v = np.zeros(np.shape(gradients)[1:])
    xs = []
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        xs.append(x)
    return np.array(xs)


def hidden(gradients: Array) -> Array:
    return adam(gradients, lr=0.02, eps=1e-3)


def stored_back(gradients: Array) -> Array:
    x = m = v = np.zeros(np.shape(gradients)[1:])
    xs = []
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        m = m / (1 - 0.9**t)
        v = v / (1 - 0.999**t)
        x = x - 1e-3 * m / (np.sqrt(v) + 1e-8)
        xs.append(x)
    return np.array(xs)


def eps_hat(gradients: Array) -> Array:
    x = m = v = np.zeros(np.shape(gradients)[1:])
    xs = []
    for t, g in enumerate(gradients, 1):
        m += (1 - 0.9) * (g - m) if t > 1 else 0
        m = 0.1 * g if t == 1 else m
        v = 0.999 * v + 0.001 * g**2
        x = x - 1e-3 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)
        xs.append(x)
    return np.array(xs)


def in_float32(gradients: Array) -> Array:
    given = np.asarray(gradients, dtype=np.float32)
    x = m = v = np.zeros(given.shape[1:], np.float32)
    lr, b1, b2, eps = np.float32(1e-3), np.float32(0.9), np.float32(0.999), np.float32(1e-8)
    xs = []
    for t, g in enumerate(given, 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        x = x - lr * (m / np.float32(1 - 0.9**t)) / (np.sqrt(v / np.float32(1 - 0.999**t)) + eps)
        xs.append(x)
    return np.array(xs)


def uphill(gradients: Array) -> Array:
    return -adam(gradients)


def ratios(gradients: Array) -> Array:
    xs = adam(gradients, lr=1.0)
    return -np.diff(xs, axis=0, prepend=np.zeros((1, *xs.shape[1:])))


def updates(gradients: Array) -> Array:
    xs = adam(gradients)
    return np.diff(xs, axis=0, prepend=np.zeros((1, *xs.shape[1:])))


def two_mistakes(gradients: Array) -> Array:
    x = m = v = np.zeros(np.shape(gradients)[1:])
    xs = []
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.9) * g**2
        x = x - 1e-3 * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t) + 1e-8)
        xs.append(x)
    return np.array(xs)


def counter_per_tensor(gradients: list[Array]) -> list[Array]:
    count = 0
    m, v, x = ([np.zeros(g.shape[1:]) for g in gradients] for _ in range(3))
    seen: list[list[Array]] = [[] for _ in gradients]
    for step in range(len(gradients[0])):
        for k, tensor in enumerate(gradients):
            count += 1
            g = tensor[step]
            m[k] = 0.9 * m[k] + 0.1 * g
            v[k] = 0.999 * v[k] + 0.001 * g**2
            x[k] = x[k] - 1e-3 * (m[k] / (1 - 0.9**count)) / (np.sqrt(v[k] / (1 - 0.999**count)) + 1e-8)
            seen[k].append(x[k])
    return [np.array(each) for each in seen]


counter_per_tensor.tensors = 3  # type: ignore[attr-defined]


def heavy_ball(gradients: Array) -> Array:
    x = u = np.zeros(np.shape(gradients)[1:])
    xs = []
    for g in gradients:
        u = 0.95 * u + g
        x = x - 0.05 * u
        xs.append(x)
    return np.array(xs)
