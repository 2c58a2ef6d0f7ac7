"""Further correct forms, unusual ones: folded rates, other orders, other data structures, other ways to average."""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection

CASES = Collection()

Array = Any


@CASES.correct("more-ok-generator", "adam", lr=0.001)
def adam_coroutine() -> Any:
    """Right: a generator that is sent gradients and yields steps."""

    def steps() -> Iterator[Array]:
        m = v = 0.0
        g = yield 0.0
        for t in itertools.count(1):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            g = yield -0.001 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    running: Any = steps()
    next(running)
    return lambda x, g: x + running.send(g)


@CASES.correct("more-ok-sums-of-history", "adam", lr=0.01)
class HistoryAdam:
    """Right: all gradients are kept, and the averages are weighted sums over them, their weights made to sum to one."""

    def __init__(self) -> None:
        self.history: list[Array] = []

    def step(self, x: Array, g: Array) -> Array:
        self.history.append(g)
        past = np.array(self.history)
        ages = np.arange(len(past))[::-1]
        w1, w2 = 0.9**ages, 0.999**ages
        m_hat = np.tensordot(w1 / w1.sum(), past, 1)
        v_hat = np.tensordot(w2 / w2.sum(), past**2, 1)
        return x - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.correct("more-ok-corrected-recursion", "adam", lr=0.001)
class CorrectedRecursion:
    """Right: the corrected moments are the state, by a recursion of their own with a changing weight."""

    def __init__(self) -> None:
        self.t, self.m_hat, self.v_hat = 0, 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        a, b = (1 - 0.9) / (1 - 0.9**self.t), (1 - 0.999) / (1 - 0.999**self.t)
        self.m_hat = self.m_hat + a * (g - self.m_hat)
        self.v_hat = self.v_hat + b * (g**2 - self.v_hat)
        return x - 0.001 * self.m_hat / (np.sqrt(self.v_hat) + 1e-8)


@CASES.correct("more-ok-unweighted-sums", "adam", lr=0.001, style="network")
class LeakySums:
    """Right: leaky sums without the factors one minus beta, which the corrections' denominators carry."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.sums = [[0.0, 0.0] for _ in params]
        self.weights = [0.0, 0.0]

    def step(self, grads: list[Array]) -> None:
        self.weights = [0.9 * self.weights[0] + 1, 0.999 * self.weights[1] + 1]
        for p, g, s in zip(self.params, grads, self.sums, strict=True):
            s[0], s[1] = 0.9 * s[0] + g, 0.999 * s[1] + g * g
            p -= 0.001 * (s[0] / self.weights[0]) / (np.sqrt(s[1] / self.weights[1]) + 1e-8)


@CASES.correct("more-ok-ascent", "adam", lr=0.001)
class NegatedAscent:
    """Right: ascent on the negated gradient."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        ascent = -g
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * ascent
        self.v = 0.999 * self.v + 0.001 * ascent * ascent
        return x + 0.001 * (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


@CASES.correct("more-ok-scaled-eps", "adam", lr=0.001)
def scaled_eps() -> Any:
    """Right: the folded rate with an eps that is scaled along, which is the textbook's form exactly."""
    m = v = 0.0
    b1, b2 = 0.9, 0.999

    def step(x: Array, g: Array) -> Array:
        nonlocal m, v, b1, b2
        m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
        root = math.sqrt(1 - b2)
        x = x - 0.001 * root / (1 - b1) * m / (np.sqrt(v) + 1e-8 * root)
        b1, b2 = b1 * 0.9, b2 * 0.999
        return x

    return step


@CASES.correct("more-ok-complex", "adam", lr=0.01, style="numbers")
class ComplexState:
    """Right: both moments are one complex number."""

    def __init__(self) -> None:
        self.z, self.t = complex(0, 0), 0

    def update(self, x: float, g: float) -> float:
        self.t += 1
        self.z = complex(0.9 * self.z.real + 0.1 * g, 0.999 * self.z.imag + 0.001 * g * g)
        root = abs(cmath.sqrt(self.z.imag / (1 - 0.999**self.t)))
        return x - 0.01 * self.z.real / (1 - 0.9**self.t) / (root + 1e-8)


@CASES.correct("more-ok-flat-buffer", "adamw", lr=0.001, weight_decay=0.01, style="network", tensors=3)
class FlatBuffer:
    """Right: all tensors are views of one flat buffer, updated at once."""

    def __init__(self, params: list[Array]) -> None:
        sizes = np.cumsum([0] + [p.size for p in params])
        self.flat = np.concatenate([p.ravel() for p in params])
        self.params = [self.flat[a:b].reshape(p.shape) for a, b, p in zip(sizes, sizes[1:], params, strict=False)]
        self.m, self.v, self.t = np.zeros_like(self.flat), np.zeros_like(self.flat), 0

    def step(self, grads: list[Array]) -> None:
        g = np.concatenate([grad.ravel() for grad in grads])
        self.t += 1
        self.m += (1 - 0.9) * (g - self.m)
        self.v += (1 - 0.999) * (g * g - self.v)
        self.flat *= 1 - 0.001 * 0.01
        self.flat -= 0.001 / (1 - 0.9**self.t) * self.m / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


@CASES.correct("more-ok-own-counters", "adam", lr=0.001, style="network", tensors=3)
class OwnCounters:
    """Right: each tensor counts for itself."""

    def __init__(self, params: list[Array]) -> None:
        self.groups = [{"p": p, "t": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)} for p in params]

    def _one(self, group: dict[str, Any], g: Array) -> None:
        group["t"] += 1
        group["m"] = 0.9 * group["m"] + 0.1 * g
        group["v"] = 0.999 * group["v"] + 0.001 * g**2
        denom = np.sqrt(group["v"] / (1 - 0.999 ** group["t"])) + 1e-8
        group["p"] -= 0.001 * group["m"] / (1 - 0.9 ** group["t"]) / denom

    def step(self, grads: list[Array]) -> None:
        for group, g in reversed(list(zip(self.groups, grads, strict=True))):
            self._one(group, g)


@CASES.correct("more-ok-rms-exponent", "rmsprop", lr=0.001, rho=0.99)
def rms_power() -> Any:
    """Right: the root is a power of a half."""
    v = 0.0

    def step(x: Array, g: Array) -> Array:
        nonlocal v
        v = 0.99 * v + (1 - 0.99) * abs(g) ** 2
        return x - 0.001 * g * (v**0.5 + 1e-8) ** -1

    return step


@CASES.correct("more-ok-momentum-inside", "momentum", lr=0.05)
class RateInside:
    """Right: lr and the sign are part of the velocity."""

    def __init__(self) -> None:
        self.velocity: Array = 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.velocity = 0.9 * self.velocity - 0.05 * g
        return x + self.velocity


@CASES.correct("more-ok-nesterov-sutskever", "nesterov", lr=0.01)
class PreviousVelocity:
    """Right: the form with the velocity from before and after, -mu v_prev + (1 + mu) v."""

    def __init__(self) -> None:
        self.v: Array = 0.0

    def update(self, x: Array, dx: Array) -> Array:
        v_prev = self.v
        self.v = 0.9 * self.v - 0.01 * dx
        return x - 0.9 * v_prev + (1 + 0.9) * self.v


@CASES.correct("more-ok-adagrad-history", "adagrad", lr=0.1, style="whole")
def adagrad_at_once(grads: Array, start: Any = 0.0) -> Array:
    """Right: cumulative sums instead of a loop."""
    return start - np.cumsum(0.1 * grads / (np.sqrt(np.cumsum(grads**2, axis=0)) + 1e-10), axis=0)


@CASES.correct("more-ok-amsgrad-roots", "amsgrad", lr=0.001)
class RootOfMaximum:
    """Right: the largest root is kept instead of the root of the largest."""

    def __init__(self) -> None:
        self.t, self.m, self.v, self.largest = 0, 0.0, 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g * g
        self.largest = np.where(np.sqrt(self.v) > self.largest, np.sqrt(self.v), self.largest)
        return x - 0.001 / (1 - 0.9**self.t) * self.m / (self.largest / math.sqrt(1 - 0.999**self.t) + 1e-8)


@CASES.correct("more-ok-nadam-schedule-list", "nadam", lr=0.002)
class ScheduleList:
    """Right: the schedule is a list made beforehand, its products by cumprod."""

    def __init__(self) -> None:
        self.mus = 0.9 * (1 - 0.5 * 0.96 ** (0.004 * np.arange(1, 1000)))
        self.products = np.cumprod(self.mus)
        self.i, self.m, self.v = 0, 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        i = self.i
        self.i += 1
        self.m = 0.9 * self.m + (1 - 0.9) * g
        self.v = 0.999 * self.v + (1 - 0.999) * g**2
        denom = np.sqrt(self.v / (1 - 0.999**self.i)) + 1e-8
        x = x - 0.002 * (1 - self.mus[i]) / (1 - self.products[i]) * g / denom
        return x - 0.002 * self.mus[i + 1] / (1 - self.products[i + 1]) * self.m / denom
