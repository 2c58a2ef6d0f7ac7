"""Optimizers as people write them, for the tests of bridges: each is Adam."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def my_adam(gradients, learning_rate=1e-3, b1=0.9, beta_2=0.999, epsilon=1e-8, x0=0.0):  # type: ignore[no-untyped-def]
    m = v = 0
    x, out = x0, []
    for t, g in enumerate(gradients, 1):
        m = b1 * m + (1 - b1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        x = x - learning_rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        out.append(x)
    return np.array(out)


def of_numbers(gradients, lr=1e-3):  # type: ignore[no-untyped-def]
    m = v = x = 0.0
    out = []
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        x -= lr * m / (1 - 0.9**t) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        out.append(x)
    return out


class Returns:
    def __init__(self, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.m: Any = 0
        self.v: Any = 0
        self.t = 0

    def step(self, params: Any, grads: Any) -> Any:
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * grads
        self.v = self.beta2 * self.v + (1 - self.beta2) * grads**2
        m_hat, v_hat = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        return params - self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon)


class InPlace:
    def __init__(self, lr: float = 1e-3) -> None:
        self.adam = Returns(lr)

    def update(self, w: Any, dw: Any) -> None:
        w[...] = self.adam.step(w, dw)


class Each:
    """Keeps an Adam for each tensor, by whatever names it."""

    def __init__(self, learning_rate: float = 1e-3) -> None:
        self.lr = learning_rate
        self.adams: dict[Any, Returns] = {}

    def moved(self, key: Any, w: Any, dw: Any) -> Any:
        return self.adams.setdefault(key, Returns(self.lr)).step(w, dw)


class OfLists(Each):
    def step(self, params: Any, grads: Any) -> None:
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            p[...] = self.moved(i, p, g)


class OfDicts(Each):
    def step(self, params: Any, grads: Any) -> Any:
        for key in params.keys():  # noqa: SIM118 (so that a list is refused)
            params[key] = self.moved(key, params[key], grads[key])
        return params


class Owner(Each):
    def __init__(self, params: Any, lr: float = 1e-3) -> None:
        super().__init__(lr)
        self.params = list(params)

    def step(self, grads: Any) -> None:
        self.params = [self.moved(i, p, g) for i, (p, g) in enumerate(zip(self.params, grads, strict=True))]


class OfPairs(Each):
    def apply_gradients(self, grads_and_vars: Any) -> None:
        for i, (g, w) in enumerate(grads_and_vars):
            w[...] = self.moved(i, w, g)


class ByName(Each):
    def update(self, name: str, w: Any, dw: Any) -> Any:
        return self.moved(name, w, dw)


class WeightAndBias(Each):
    def update(self, t: int, w: Any, b: Any, dw: Any, db: Any) -> Any:
        assert t >= 1
        return self.moved("w", w, dw), self.moved("b", b, db)


class Called:
    def __init__(self, lr: float = 1e-3) -> None:
        self.m = self.v = 0.0
        self.lr = lr

    def __call__(self, x: Any, g: Any, t: int = 1) -> Any:
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        return x - self.lr * self.m / (1 - 0.9**t) / (math.sqrt(self.v / (1 - 0.999**t)) + 1e-8)


class Sized:
    def __init__(self, n: int) -> None:
        self.m, self.v, self.t = [0.0] * n, [0.0] * n, 0

    def step(self, x: Any, grad: Any, lr: float) -> None:
        self.t += 1
        for i in range(len(x)):
            self.m[i] = 0.9 * self.m[i] + 0.1 * grad[i]
            self.v[i] = 0.999 * self.v[i] + 0.001 * grad[i] ** 2
            x[i] -= lr * self.m[i] / (1 - 0.9**self.t) / (math.sqrt(self.v[i] / (1 - 0.999**self.t)) + 1e-8)
