"""Further mistakes: AdaMax, ADOPT, AdaBound, Lion, Signum, LAMB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any


@CASES.bug(
    "more-adamax-corrected-norm", "adamax", edited("adamax", ("m_hat / u", "m_hat / (u / (1 - beta2 ** t))")), lr=0.002
)
class CorrectedNorm:
    """The norm is corrected like a second moment, although it is a maximum."""

    def __init__(self) -> None:
        self.m, self.u, self.t = 0.0, 0.0, 0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.u = np.maximum(0.999 * self.u, np.abs(g) + 1e-8)
        return x - 0.002 * (self.m / (1 - 0.9**self.t)) / (self.u / (1 - 0.999**self.t))


@CASES.bug(
    "more-adamax-two",
    "adamax",
    edited("adamax", ("maximum(beta2 * u, abs(g) + eps)", "beta2 * u + abs(g) + eps"), ("m / (1 - beta1 ** t)", "m")),
    2,
    lr=0.002,
)
class SumMax:
    """A leaky sum stands for the maximum, and m is not corrected."""

    def __init__(self) -> None:
        self.m, self.u = 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.m = 0.9 * self.m + 0.1 * g
        self.u = 0.999 * self.u + np.abs(g) + 1e-8
        return x - 0.002 * self.m / self.u


@CASES.bug("more-adopt-moment-last", "adopt", """\
def adopt(x, g, t, m=0, v="g**2", *, lr=1e-3, beta1=0.9, beta2=0.9999, eps=1e-6):
    limit = (t - 1) ** 0.25
    m = beta1 * m + (1 - beta1) * g
    normalised = clip(m / maximum(sqrt(v), eps), -limit, limit)
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * normalised
""", lr=0.001)  # fmt: skip
class MomentBeforeDivision:
    """The gradient is averaged first and divided afterwards, as in Adam."""

    def __init__(self) -> None:
        self.k, self.m = 0, 0.0
        self.v: Array = None

    def step(self, x: Array, g: Array) -> Array:
        self.v = g * g if self.v is None else self.v
        limit = self.k**0.25
        self.k += 1
        self.m = 0.9 * self.m + 0.1 * g
        direction = np.clip(self.m / np.maximum(np.sqrt(self.v), 1e-6), -limit, limit)
        self.v = 0.9999 * self.v + (1 - 0.9999) * g * g
        return x - 0.001 * direction


@CASES.bug(
    "more-adabound-two",
    "adabound",
    edited("adabound", ("lr * sqrt(1 - beta2 ** t) / (1 - beta1 ** t) /", "lr /"), ("gamma * t + 1", "gamma * t")),
    2,
    lr=0.001,
)
class BoundWithoutCorrection:
    """The rate is not corrected, and the lower bound lacks its + 1."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, p: Array, g: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        low, high = (0.1 * (1 + s / (1e-3 * self.t)) for s in (-1, 1))
        return p - np.clip(0.001 / (np.sqrt(self.v) + 1e-8), low, high) * self.m


@CASES.bug(
    "more-lion-no-sign",
    "lion",
    edited("lion", ("sign(beta1 * m + (1 - beta1) * g)", "beta1 * m + (1 - beta1) * g")),
    lr=0.01,
    weight_decay=0.1,
)
class TamedLion:
    """The sign is forgotten."""

    m: Array = 0.0

    def step(self, x: Array, g: Array) -> Array:
        c = 0.9 * self.m + 0.1 * g
        self.m = 0.99 * self.m + 0.01 * g
        return x - 0.01 * (c + 0.1 * x)


@CASES.bug(
    "more-lion-two",
    "lion",
    """\
def lion(x, g, m=0, *, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0):
    m = beta2 * m + (1 - beta2) * g
    ratio = sign(beta1 * m + (1 - beta1) * g)
    return x - lr * (ratio + weight_decay * sign(x))
""",
    2,
    lr=0.001,
    weight_decay=0.2,
    style="network",
)
def lion_pack(params: list[Array]) -> Any:
    """The average is updated before the interpolation, and the decay is of signs."""
    momenta = [np.zeros_like(p) for p in params]

    def step(grads: list[Array]) -> None:
        for p, m, g in zip(params, momenta, grads, strict=True):
            m *= 0.99
            m += (1 - 0.99) * g
            p -= 0.001 * (np.sign(0.9 * m + 0.1 * g) + 0.2 * np.sign(p))

    return step


@CASES.bug("more-signum-average-of-signs", "signum", """\
def signum(x, g, m=0, *, lr=1e-3, beta1=0.9):
    m = beta1 * m + (1 - beta1) * sign(g)
    return x - lr * m
""", 2, lr=0.01)  # fmt: skip
def average_of_signs() -> Any:
    """Signs are averaged, and the average's sign is not taken."""
    m = 0.0

    def step(x: Array, g: Array) -> Array:
        nonlocal m
        m = 0.9 * m + 0.1 * np.sign(g)
        return x - 0.01 * m

    return step


class _Averages:
    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def take(self, g: Array) -> tuple[Array, Array]:
        self.t += 1
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g**2
        return self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)


def _lamb(trust_of: Any) -> Any:
    averages = _Averages()

    def step(x: Array, g: Array) -> Array:
        m_hat, v_hat = averages.take(g)
        r = m_hat / (np.sqrt(v_hat) + 1e-6)
        return x - 0.01 * trust_of(x, r) * (r + 0.01 * x)

    return step


@CASES.bug(
    "more-lamb-upside-down",
    "lamb",
    edited("lamb", ("norm(x) / norm(direction)", "norm(direction) / norm(x)")),
    lr=0.01,
    weight_decay=0.01,
)
def lamb_upside_down() -> Any:
    """The trust ratio is upside down."""

    def trust(x: Array, r: Array) -> float:
        w_norm, u_norm = np.linalg.norm(x), np.linalg.norm(r + 0.01 * x)
        return float(u_norm / w_norm) if w_norm > 0 and u_norm > 0 else 1.0

    return _lamb(trust)


@CASES.bug(
    "more-lamb-two",
    "lamb",
    """\
def lamb(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    adam_step = m_hat / (sqrt(v_hat) + eps)
    direction = adam_step + weight_decay * x
    size = minimum(norm(x), 0.5)
    trust = size / norm(adam_step) if size > 0 and norm(adam_step) > 0 else 1
    return x - lr * trust * direction
""",
    2,
    lr=0.01,
    weight_decay=0.01,
)
def lamb_of_the_step_alone() -> Any:
    """The trust ratio leaves the decay out of its denominator, and its numerator is limited to a half."""

    def trust(x: Array, r: Array) -> float:
        w_norm, r_norm = min(float(np.linalg.norm(x)), 0.5), float(np.linalg.norm(r))
        return w_norm / r_norm if w_norm > 0 and r_norm > 0 else 1.0

    return _lamb(trust)


@CASES.bug(
    "more-lamb-of-the-model",
    "lamb",
    edited(
        "lamb",
        (
            "norm(x) / norm(direction) if norm(x) > 0 and norm(direction) > 0 else 1",
            "norm(x, over='all') / norm(direction, over='all') "
            "if norm(x, over='all') > 0 and norm(direction, over='all') > 0 else 1",
        ),
    ),
    lr=0.01,
    weight_decay=0.01,
    style="network",
    tensors=3,
)
def lamb_of_the_model(params: list[Array]) -> Any:
    """One trust ratio of the whole model serves every tensor."""
    averages = [_Averages() for _ in params]

    def step(grads: list[Array]) -> None:
        directions = []
        for p, g, a in zip(params, grads, averages, strict=True):
            m_hat, v_hat = a.take(g)
            directions.append(m_hat / (np.sqrt(v_hat) + 1e-6) + 0.01 * p)
        w = math.sqrt(sum(float(np.sum(p * p)) for p in params))
        u = math.sqrt(sum(float(np.sum(d * d)) for d in directions))
        for p, d in zip(params, directions, strict=True):
            p -= 0.01 * (w / u if w > 0 and u > 0 else 1.0) * d

    return step
