"""Implementations in float32: right ones to be passed as such, and mistakes to be seen through the rounding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import STORED_BACK, edited
from benchmarks.cases.loops import Array

CASES = Collection()


f32 = np.float32


@CASES.correct("more-f32-adam", "adam", lr=0.001, dtype="float32")
def single_adam(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right, in single precision, with corrections in double."""
    m = f32(0.9) * m + f32(0.1) * g
    v = f32(0.999) * v + f32(0.001) * g * g
    denom = np.sqrt(v) / f32(math.sqrt(1 - 0.999**t)) + f32(1e-8)
    return x - f32(0.001 / (1 - 0.9**t)) * m / denom, m, v


@CASES.correct("more-f32-adam-powers", "adam", lr=0.001, dtype="float32")
def single_powers(x: Array, g: Array, p1: float = 1.0, p2: float = 1.0, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right, in single precision throughout, running powers and 1 - beta included."""
    p1, p2 = p1 * f32(0.9), p2 * f32(0.999)
    m = f32(0.9) * m + (f32(1) - f32(0.9)) * g
    v = f32(0.999) * v + (f32(1) - f32(0.999)) * g * g
    m_hat, v_hat = m / (f32(1) - p1), v / (f32(1) - p2)
    return x - f32(0.001) * m_hat / (np.sqrt(v_hat) + f32(1e-8)), p1, p2, m, v


@CASES.correct("more-f32-adamw-lerp", "adamw", lr=0.001, weight_decay=0.1, dtype="float32")
def single_lerp(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right, in single precision, with lerps, in place."""
    p *= f32(1 - 0.001 * 0.1)
    m += f32(0.1) * (g - m)
    v *= f32(0.999)
    v += f32(0.001) * (g * g)
    return p - f32(0.001 / (1 - 0.9**t)) * m / (np.sqrt(v / f32(1 - 0.999**t)) + f32(1e-8)), m, v


@CASES.correct("more-f32-rmsprop", "rmsprop", lr=0.01, rho=0.9, dtype="float32")
def single_rms(x: Array, g: Array, v: Array = 0.0) -> Any:
    """Right, in single precision."""
    v = v + f32(0.1) * (np.square(g) - v)
    x -= f32(0.01) * g / (np.sqrt(v) + f32(1e-8))
    return x, v


@CASES.correct("more-f32-momentum", "momentum", lr=0.01, dtype="float32")
def single_momentum(p: Array, g: Array, u: Array = 0.0) -> Any:
    """Right, in single precision."""
    u = f32(0.9) * u + g
    return p - f32(0.01) * u, u


@CASES.bug("more-f32-stored-back", "adam", edited("adam", *STORED_BACK), lr=0.001, dtype="float32")
def single_stored_back(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The corrected moments are stored back, in single precision."""
    m = (f32(0.9) * m + f32(0.1) * g) / f32(1 - 0.9**t)
    v = (f32(0.999) * v + f32(0.001) * g * g) / f32(1 - 0.999**t)
    return x - f32(0.001) * m / (np.sqrt(v) + f32(1e-8)), m, v


@CASES.bug(
    "more-f32-eps-inside", "adam", edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")), lr=0.001, dtype="float32"
)
def single_eps_inside(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """eps is inside of the root, in single precision."""
    m = m * f32(0.9) + g * f32(0.1)
    v = v * f32(0.999) + g * g * f32(0.001)
    return w - f32(0.001) * (m / f32(1 - 0.9**t)) / np.sqrt(v / f32(1 - 0.999**t) + f32(1e-8)), m, v


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
def single_late(x: Array, g: Array, t: int, mu: Array = 0.0, nu: Array = 0.0) -> Any:
    """The counter is one ahead, and the decay is not scaled by lr, in single precision."""
    mu = f32(0.9) * mu + f32(1 - 0.9) * g
    nu = f32(0.999) * nu + f32(1 - 0.999) * g * g
    u = mu / f32(1 - 0.9 ** (t + 1)) / (np.sqrt(nu / f32(1 - 0.999 ** (t + 1))) + f32(1e-8))
    return x - f32(0.001) * u - f32(0.01) * x, mu, nu
