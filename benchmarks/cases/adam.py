"""Adam with several slips at once, or with one that belongs to no other family."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import M_HAT, edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.bug(
    "sign-error-folded",
    "adam",
    None,
    lr=0.001,
    inexpressible="the slip is between the optimizer and its caller: the error multiplies outside what it has "
    "already multiplied inside, and the contract gives one gradient",
)
class ErrorTimesAdapt:
    """The error is folded into the optimizer's input and multiplies its output again, so its sign cancels."""

    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def _adapt(self, g: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        return 0.001 * (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)

    def step(self, w: Array, err: Array) -> Array:
        dp = 1.0  # the prediction gradient of a bias
        return w - err * self._adapt(err * dp)


@CASES.bug("more-adam-rate-falls", "adam", edited("adam", ("lr * ratio", "lr / sqrt(t) * ratio")), lr=0.01)
def adam_of_the_proof(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The learning rate falls with the root of t, as in the paper's proof but not in its algorithm."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return x - 0.01 / math.sqrt(t) * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


@CASES.variant(
    "more-adam-step-clipped",
    "adam",
    edited("adam", ("m_hat / (sqrt(v_hat) + eps)", "clip(m_hat / (sqrt(v_hat) + eps), -0.5, 0.5)")),
    lr=0.001,
)
def timid(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The ratio is limited to a half, undocumented."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    delta = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x - 0.001 * np.clip(delta, -0.5, 0.5), m, v


@CASES.bug(
    "more-adam-three",
    "adam",
    edited("adam", ("* g ** 2", "* (g - m) ** 2"), (M_HAT, "m"), ("x - lr * ratio", "x - lr * ratio * t / (t + 1)")),
    3,
    lr=0.001,
)
def homemade(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The second moment is of deviations from the first, the first is not corrected, and a warm-up is left in."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * np.square(g - m)
    warm = t / (t + 1)
    return x - warm * 0.001 * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


@CASES.bug(
    "more-adam-four",
    "adam",
    """\
def adam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta2 * m + (1 - beta2) * g
    v = beta1 * v + (1 - beta1) * g**2
    m_hat = m / (1 - beta2 ** ((t + 1) // 2))
    v_hat = v / (1 - beta1 ** ((t + 1) // 2))
    ratio = m_hat / sqrt(v_hat + eps)
    return x - 0.1 * lr * ratio
""",
    4,
    lr=0.01,
)
def four_slips(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Betas exchanged, one count for two steps, eps inside of the root, and a tenth of the learning rate."""
    beta1, beta2, count = 0.999, 0.9, (t + 1) // 2
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**count), v / (1 - beta2**count)
    return x - 0.01 / 10 * m_hat / np.sqrt(v_hat + 1e-8), m, v
