"""Implementations in float32: right ones to be passed as such, and mistakes to be seen through the rounding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.written_back import STORED_BACK

CASES = Collection()

Array = Any
f32 = np.float32


@CASES.correct("more-f32-adam", "adam", lr=0.001, dtype="float32")
class SingleAdam:
    """Right, in single precision, with corrections in double."""

    def __init__(self) -> None:
        self.m: Array = f32(0)
        self.v: Array = f32(0)
        self.t = 0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m = f32(0.9) * self.m + f32(0.1) * g
        self.v = f32(0.999) * self.v + f32(0.001) * g * g
        denom = np.sqrt(self.v) / f32(math.sqrt(1 - 0.999**self.t)) + f32(1e-8)
        return x - f32(0.001 / (1 - 0.9**self.t)) * self.m / denom


@CASES.correct("more-f32-adam-powers", "adam", lr=0.001, dtype="float32")
class SinglePowers:
    """Right, in single precision throughout, running powers and 1 - beta included."""

    def __init__(self) -> None:
        self.b1, self.b2 = f32(0.9), f32(0.999)
        self.p1 = self.p2 = f32(1)
        self.m: Array = f32(0)
        self.v: Array = f32(0)

    def step(self, x: Array, g: Array) -> Array:
        self.p1, self.p2 = self.p1 * self.b1, self.p2 * self.b2
        self.m = self.b1 * self.m + (f32(1) - self.b1) * g
        self.v = self.b2 * self.v + (f32(1) - self.b2) * g * g
        m_hat, v_hat = self.m / (f32(1) - self.p1), self.v / (f32(1) - self.p2)
        return x - f32(0.001) * m_hat / (np.sqrt(v_hat) + f32(1e-8))


@CASES.correct("more-f32-adamw-lerp", "adamw", lr=0.001, weight_decay=0.1, dtype="float32", style="network")
class SingleLerp:
    """Right, in single precision, with lerps, in place."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.t = params, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> None:
        self.t += 1
        for p, g, m, v in zip(self.params, grads, self.m, self.v, strict=True):
            p *= f32(1 - 0.001 * 0.1)
            m += f32(0.1) * (g - m)
            v *= f32(0.999)
            v += f32(0.001) * (g * g)
            p -= f32(0.001 / (1 - 0.9**self.t)) * m / (np.sqrt(v / f32(1 - 0.999**self.t)) + f32(1e-8))


@CASES.correct("more-f32-rmsprop", "rmsprop", lr=0.01, rho=0.9, dtype="float32")
def single_rms() -> Any:
    """Right, in single precision."""
    v: Array = f32(0)

    def step(x: Array, g: Array) -> None:
        nonlocal v
        v = v + f32(0.1) * (np.square(g) - v)
        x -= f32(0.01) * g / (np.sqrt(v) + f32(1e-8))

    return step


@CASES.correct("more-f32-momentum", "momentum", lr=0.01, dtype="float32", style="network")
def single_momentum(params: list[Array]) -> Any:
    """Right, in single precision."""
    velocities = [np.zeros_like(p) for p in params]

    def step(grads: list[Array]) -> None:
        for p, u, g in zip(params, velocities, grads, strict=True):
            u *= f32(0.9)
            u += g
            p -= f32(0.01) * u

    return step


@CASES.bug("more-f32-stored-back", "adam", edited("adam", *STORED_BACK), lr=0.001, dtype="float32")
class SingleStoredBack:
    """The corrected moments are stored back, in single precision."""

    def __init__(self) -> None:
        self.m: Array = f32(0)
        self.v: Array = f32(0)
        self.t = 0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m = (f32(0.9) * self.m + f32(0.1) * g) / f32(1 - 0.9**self.t)
        self.v = (f32(0.999) * self.v + f32(0.001) * g * g) / f32(1 - 0.999**self.t)
        return x - f32(0.001) * self.m / (np.sqrt(self.v) + f32(1e-8))


@CASES.bug(
    "more-f32-eps-inside", "adam", edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")), lr=0.001, dtype="float32"
)
class SingleEpsInside:
    """eps is inside of the root, in single precision."""

    def __init__(self) -> None:
        self.state: dict[str, Array] = {"m": f32(0), "v": f32(0)}
        self.t = 0

    def update(self, w: Array, g: Array) -> None:
        self.t += 1
        s = self.state
        s["m"] = s["m"] * f32(0.9) + g * f32(0.1)
        s["v"] = s["v"] * f32(0.999) + g * g * f32(0.001)
        w -= f32(0.001) * (s["m"] / f32(1 - 0.9**self.t)) / np.sqrt(s["v"] / f32(1 - 0.999**self.t) + f32(1e-8))


@CASES.bug(
    "more-f32-late-and-decay",
    "adamw",
    edited(
        "adamw", ("beta1 ** t", "beta1 ** (t + 1)"), ("beta2 ** t", "beta2 ** (t + 1)"),
        ("x - lr * (ratio + weight_decay * x)", "x - lr * ratio - weight_decay * x"),
    ),
    2,
    lr=0.001,
    weight_decay=0.01,
    dtype="float32",
)  # fmt: skip
class SingleLate:
    """The counter is one ahead, and the decay is not scaled by lr, in single precision."""

    def __init__(self) -> None:
        self.count = 1
        self.mu: Array = f32(0)
        self.nu: Array = f32(0)

    def step(self, x: Array, g: Array) -> Array:
        self.count += 1
        self.mu = f32(0.9) * self.mu + f32(1 - 0.9) * g
        self.nu = f32(0.999) * self.nu + f32(1 - 0.999) * g * g
        u = self.mu / f32(1 - 0.9**self.count) / (np.sqrt(self.nu / f32(1 - 0.999**self.count)) + f32(1e-8))
        return x - f32(0.001) * u - f32(0.01) * x
