"""NumPy optimizers in the styles in which people write them, to be read. They know nothing of mhat."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any


def plain_function(gradients: Array, lr: float = 0.01, beta1: float = 0.9, beta2: float = 0.99) -> Array:
    """A loop over a list that is appended to and made an array."""
    x, m, v = np.zeros_like(gradients[0]), np.zeros_like(gradients[0]), np.zeros_like(gradients[0])
    xs = []
    for t in range(1, len(gradients) + 1):
        g = np.asarray(gradients[t - 1])
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * np.square(g)
        x = x - lr * (m / (1.0 - np.power(beta1, t))) / ((v / (1.0 - np.power(beta2, t))) ** 0.5 + 1e-8)
        xs.append(x.tolist())
    return np.array(xs)


class InPlace:
    """Everything in place, with `out=` and scratch arrays."""

    def __init__(self, lr: float = 0.01, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m: Array = None

    def step(self, params: Array, grads: Array) -> None:
        if self.m is None:
            self.m, self.v, self.t = np.zeros(params.shape), np.zeros(params.shape), 0
            self.scratch = np.empty(params.shape)
        self.t += 1
        self.m *= self.beta1
        np.multiply(grads, 1 - self.beta1, out=self.scratch)
        self.m += self.scratch
        self.v *= self.beta2
        np.multiply(grads, grads, out=self.scratch)
        self.scratch *= 1 - self.beta2
        np.add(self.v, self.scratch, out=self.v)
        rate = self.lr * math.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        np.sqrt(self.v, out=self.scratch)
        self.scratch += self.eps
        np.divide(self.m, self.scratch, out=self.scratch)
        self.scratch *= rate
        params -= self.scratch


def closure(lr: float = 0.05, rho: float = 0.9) -> Callable[[Array, Array], Array]:
    """A closure that keeps its state in a cell."""
    cache: Array = 0.0

    def step(x: Array, g: Array) -> Array:
        nonlocal cache
        cache = rho * cache + (1 - rho) * g**2
        return x - lr * g / (np.sqrt(cache) + 1e-6)

    return step


def closure_run(gradients: Array, lr: float = 0.05, rho: float = 0.9) -> Array:
    """The closure, driven."""
    step, x = closure(lr, rho), np.zeros(np.shape(gradients)[1:])
    out = np.empty_like(gradients)
    for i, g in enumerate(gradients):
        x = step(x, g)
        out[i] = x
    return out


class DictionaryOfParameters:
    """Parameters, gradients and states in dictionaries, with a velocity."""

    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        self.lr, self.momentum = lr, momentum
        self.v: dict[str, Array] = {}

    def update(self, params: dict[str, Array], grads: dict[str, Array]) -> None:
        for key in params:
            if key not in self.v:
                self.v[key] = np.zeros_like(params[key])
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]


class Lists:
    """Lists of arrays, and a norm over all of them."""

    def __init__(self, lr: float = 0.1, max_norm: float = 1.0) -> None:
        self.lr, self.max_norm = lr, max_norm

    def step(self, params: list[Array], grads: list[Array]) -> list[Array]:
        total = np.sqrt(sum(np.sum(g**2) for g in grads))
        scale = self.max_norm / (total + 1e-6) if total > self.max_norm else 1.0
        return [p - self.lr * scale * g for p, g in zip(params, grads, strict=True)]


@dataclass
class Held:
    """A state in a dataclass."""

    m: Array
    u: Array
    t: int = 0


@dataclass
class Dataclass:
    """Adamax, its state in a dataclass."""

    lr: float = 0.002
    beta1: float = 0.9
    beta2: float = 0.999
    held: dict[int, Held] = field(default_factory=dict)

    def step(self, params: list[Array], grads: list[Array]) -> list[Array]:
        new = []
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            held = self.held.setdefault(i, Held(np.zeros_like(p), np.zeros_like(p)))
            held.t += 1
            held.m = self.beta1 * held.m + (1 - self.beta1) * g
            held.u = np.maximum(self.beta2 * held.u, np.abs(g))
            new.append(p - self.lr / (1 - self.beta1**held.t) * held.m / (held.u + 1e-8))
        return new


def adagrad_step(x: Array, g: Array, cache: Array, lr: float = 0.05) -> tuple[Array, Array]:
    """One step, the state handed through."""
    cache = cache + np.square(g)
    return x - lr * g * np.power(cache + 1e-8, -0.5), cache


def handed_through(gradients: Array, lr: float = 0.05) -> Array:
    """The step, driven."""
    x = cache = np.zeros(np.shape(gradients)[1:])
    xs = np.zeros_like(gradients)
    for i in range(len(gradients)):
        x, cache = adagrad_step(x, gradients[i], cache, lr)
        xs[i] = x
    return xs


def scalars(gradients: Array, lr: float = 0.1, beta1: float = 0.9, beta2: float = 0.999) -> Array:
    """Plain floats, one coordinate at a time."""
    rows = np.asarray(gradients).reshape(len(gradients), -1)
    out = np.zeros_like(rows)
    for j in range(rows.shape[1]):
        x = m = v = 0.0
        for t, g in enumerate(rows[:, j].tolist(), 1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            x -= lr * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + 1e-8)
            out[t - 1, j] = x
    return out.reshape(np.shape(gradients))


def float32_inside(gradients: Array, lr: float = 0.01, beta: float = 0.9) -> Array:
    """Lion in float32."""
    x = np.zeros(np.shape(gradients)[1:], dtype=np.float32)
    m = np.zeros_like(x)
    xs = []
    for g in gradients:
        g = g.astype(np.float32)
        update = np.sign(beta * m + (1 - beta) * g)
        m = 0.99 * m + 0.01 * g
        x = (x - lr * update).astype(np.float32)
        xs.append(x.copy())
    return np.stack(xs)


class AmsGrad:
    """A maximum that is kept, decay beside the step, and a schedule."""

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.01) -> None:
        self.lr, self.weight_decay, self.t = lr, weight_decay, 0

    def step(self, w: Array, dw: Array) -> Array:
        if self.t == 0:
            self.m = self.v = self.v_max = np.zeros_like(w)
        self.t += 1
        lr = self.lr / np.sqrt(self.t)
        self.m = self.m + 0.1 * (dw - self.m)
        self.v = 0.999 * self.v + 0.001 * dw**2
        self.v_max = np.maximum(self.v_max, self.v)
        return w - lr * self.m / (np.sqrt(self.v_max) + 1e-8) - self.lr * self.weight_decay * w


def nesterov_views(gradients: Array, lr: float = 0.01, momentum: float = 0.9) -> Array:
    """Views into one array for parameters and velocities."""
    size = int(np.prod(np.shape(gradients)[1:]))
    memory = np.zeros(2 * size)
    x, v = memory[:size], memory[size:]
    out = []
    for g in gradients:
        flat = g.reshape(-1)
        v[:] = momentum * v + flat
        x -= lr * (flat + momentum * v)
        out.append(x.copy().reshape(g.shape))
    return np.array(out)


STYLES = (
    plain_function, InPlace, closure_run, DictionaryOfParameters, Lists, Dataclass, handed_through, scalars,
    float32_inside, AmsGrad, nesterov_views,
)  # fmt: skip
