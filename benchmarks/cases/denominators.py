"""Adam's kin with another denominator: AdaMax, AMSGrad, ADOPT, AdaBound, AdaBelief, Yogi."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import M_HAT, V_HAT, edited
from benchmarks.cases.loops import Array, Averages

CASES = Collection()


ADOPT_ORDER = edited(
    "adopt",
    ("    v = beta2 * v + (1 - beta2) * g ** 2\n", ""),
    ("    limit = ", "    v = beta2 * v + (1 - beta2) * g ** 2\n    limit = "),
)


@CASES.bug("adopt-order-kozistr", "adopt", ADOPT_ORDER, lr=0.001)
def adopt_of_the_new_v(p: Array, grad: Array, t: int, exp_avg: Array = 0.0, exp_avg_sq: Array = 0.0) -> Any:
    """v takes the current gradient before it is the denominator."""
    if t == 1:
        return p, exp_avg, grad * grad
    exp_avg_sq = 0.9999 * exp_avg_sq + (1 - 0.9999) * grad * grad
    clip = (t - 1) ** 0.25
    update = np.clip(grad / np.maximum(np.sqrt(exp_avg_sq), 1e-6), -clip, clip)
    exp_avg += (update - exp_avg) * (1 - 0.9)
    return p - 0.001 * exp_avg, exp_avg, exp_avg_sq


@CASES.bug(
    "adopt-v-from-params",
    "adopt",
    edited("adopt", ("(1 - beta2) * g ** 2", "(1 - beta2) * x ** 2")),
    lr=0.001,
    beta2=0.99,
)
def adopt_of_parameters(parameter: Array, gradient: Array, t: int, m: Array = 0.0, v: Array = None) -> Any:
    """v accumulates the squared parameters instead of the squared gradients."""
    if v is None:
        v = np.square(gradient)
    limit = (t - 1) ** 0.25
    direction = np.clip(gradient / np.maximum(np.sqrt(v), 1e-6), -limit, limit)
    m = 0.9 * m + (1 - 0.9) * direction
    v = 0.99 * v + (1 - 0.99) * np.square(parameter)
    return parameter - 0.001 * m, m, v


@CASES.bug("adamax-noeps-mlpack", "adamax", edited("adamax", ("abs(g) + eps", "abs(g)")), lr=0.002)
def mlpack_ada_max(iterate: Array, gradient: Array, t: int, m: Array = 0.0, u: Array = 0.0) -> Any:
    """Nothing keeps the norm from zero."""
    m = m * 0.9 + (1 - 0.9) * gradient
    u = np.maximum(u * 0.999, np.abs(gradient))
    return iterate - 0.002 / (1.0 - 0.9**t) * m / u, m, u


@CASES.bug(
    "optorch-adamax",
    "adamax",
    """\
def adamax(x, g, t, m=0, average=0, *, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    average = beta2 * average + (1 - beta2) * abs(g)
    u = maximum(beta2 * average, abs(g))
    m_hat = m / (1 - beta1**t)
    ratio = m_hat / u
    return x - lr * ratio
""",
    2,
    lr=0.002,
)
def optorch_ada_max(p: Array, grad: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The norm is a maximum over an average of sizes, the maximum is never stored, and there is no eps."""
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * np.abs(grad)
    u = np.maximum(0.999 * v, np.abs(grad))
    return p - 0.002 / (1 - 0.9**t) * m / u, m, v


@CASES.bug(
    "ams-fedback-m0g",
    "amsgrad",
    """\
def amsgrad(x, g, m="g", v=0, *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = maximum(v, beta2 * v + (1 - beta2) * g**2)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio
""",
    3,
    lr=0.001,
)
def amsbound_like(x: Array, g: Array, m: Array = None, v: Array = 0.0) -> Any:
    """The maximum is fed back into the average, m starts at the first gradient, and nothing is corrected."""
    m = g if m is None else 0.9 * m + (1 - 0.9) * g
    v = np.maximum(v, 0.999 * v + (1 - 0.999) * g**2)
    return x - 0.001 * m / (np.sqrt(v) + 1e-8), m, v


@CASES.variant("ams-river", "amsgrad", edited("amsgrad", ("m / (1 - beta1 ** t)", "m")), lr=0.1)
def river_ams_grad(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0, v_max: Array = 0.0) -> Any:
    """m is not corrected, as in the paper, while the maximum is."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g**2
    v_max = np.maximum(v_max, v)
    v_hat = v_max / (1 - 0.999**t)
    return w - 0.1 * m / (v_hat**0.5 + 1e-8), m, v, v_max


@CASES.variant(
    "ams-warmup",
    "amsgrad",
    edited(
        "amsgrad",
        ("maximum(v_max, v)", "maximum(beta2 * v_max, v)"),
        ("x - lr * ratio", "x - lr * minimum(1, t / 8) * ratio"),
    ),
    2,
    lr=0.001,
)
def leaky_ams_grad(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0, vhat: Array = 0.0) -> Any:
    """The maximum leaks with beta2, and the learning rate warms up over eight steps."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    vhat = np.maximum(0.999 * vhat, v)
    lr = 0.001 * min(1.0, t / 8)
    return x - lr * (m / (1 - 0.9**t)) / (np.sqrt(vhat / (1 - 0.999**t)) + 1e-8), m, v, vhat


@CASES.bug(
    "yogi-optax",
    "yogi",
    edited(
        "yogi",
        ("v - (1 - beta2) * sign(v - g ** 2) * g ** 2", "beta2 * v + (1 - beta2) * (sign(v - g ** 2) * g ** 2) ** 2"),
    ),
    lr=0.01,
)
def yogi_like_optax() -> Any:
    """The signed square goes into an ordinary average that squares it again."""

    def update_moment_per_elem_norm(updates: Array, moments: Array, decay: float, order: int) -> Array:
        return (1 - decay) * updates**order + decay * moments

    mu = nu = 0.0

    def step(params: Array, updates: Array) -> Array:
        nonlocal mu, nu
        mu = update_moment_per_elem_norm(updates, mu, 0.9, 1)
        signed_sq = np.sign(nu - updates**2) * updates**2
        nu = update_moment_per_elem_norm(signed_sq, nu, 0.999, 2)
        return params - 0.01 * mu / (np.sqrt(nu) + 1e-3)

    return step


@CASES.correct("more-ok-amsgrad-roots", "amsgrad", lr=0.001)
def root_of_maximum(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0, largest: Array = 0.0) -> Any:
    """Right: the largest root is kept instead of the root of the largest."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    largest = np.where(np.sqrt(v) > largest, np.sqrt(v), largest)
    return x - 0.001 / (1 - 0.9**t) * m / (largest / math.sqrt(1 - 0.999**t) + 1e-8), m, v, largest


@CASES.bug(
    "more-amsgrad-of-gradients", "amsgrad", edited("amsgrad", ("maximum(v_max, v)", "maximum(v_max, g ** 2)")), lr=0.001
)
class MaximumOfSquares(Averages):
    """The maximum is taken over squared gradients instead of their average."""

    largest: Array = 0.0

    def step(self, x: Array, g: Array) -> Array:
        m_hat, _ = self.take(g)
        self.largest = np.maximum(self.largest, g**2)
        return x - 0.001 * m_hat / (np.sqrt(self.largest / (1 - 0.999**self.t)) + 1e-8)


@CASES.bug(
    "more-amsgrad-minimum",
    "amsgrad",
    edited("amsgrad", ("maximum(v_max, v)", "minimum(v_max, v)"), ("v_max=0", "v_max='g ** 2'")),
    2,
    lr=0.001,
)
class MinimumAMSGrad(Averages):
    """The minimum is kept instead of the maximum, and starts at the first square so as not to be zero."""

    smallest: Array = None

    def update(self, x: Array, g: Array) -> Array:
        m_hat, _ = self.take(g)
        self.smallest = np.minimum(g**2 if self.smallest is None else self.smallest, self.v)
        return x - 0.001 * m_hat / (np.sqrt(self.smallest / (1 - 0.999**self.t)) + 1e-8)


@CASES.bug(
    "more-adabelief-old-surprise",
    "adabelief",
    """\
def adabelief(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-16):
    v = beta2 * v + (1 - beta2) * (g - m) ** 2 + eps
    m = beta1 * m + (1 - beta1) * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
""",
    lr=0.001,
)
def surprised_early(x: Array, g: Array, t: int, m: Array = 0.0, s: Array = 0.0) -> Any:
    """The surprise is measured against the average from before this gradient."""
    s = 0.999 * s + 0.001 * (g - m) ** 2 + 1e-16
    m = 0.9 * m + 0.1 * g
    return x - 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-16), m, s


@CASES.bug(
    "more-adabelief-three",
    "adabelief",
    edited("adabelief", ("(g - m) ** 2", "(g + m) ** 2"), (M_HAT, "m"), (V_HAT, "v / (1 - beta2 ** (t + 1))")),
    3,
    lr=0.001,
)
def disbelief(p: Array, g: Array, t: int, m: Array = 0.0, s: Array = 0.0) -> Any:
    """The surprise has the wrong sign, m is not corrected, and the count of v's correction is one ahead."""
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * (g + m) ** 2 + 1e-16
    return p - 0.001 * m / (np.sqrt(s / (1 - 0.999 ** (t + 1))) + 1e-16), m, s


@CASES.bug("more-yogi-sign-of-g", "yogi", edited("yogi", ("sign(v - g ** 2)", "sign(v - abs(g))")), lr=0.01)
def yogi_of_sizes(x: Array, g: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The sign compares v with the size of the gradient instead of its square."""
    m = 0.9 * m + 0.1 * g
    v = v - (1 - 0.999) * np.sign(v - np.abs(g)) * g**2
    return x - 0.01 * m / (np.sqrt(v) + 0.001), m, v


@CASES.variant(
    "more-yogi-corrected",
    "yogi",
    """\
def yogi(x, g, t, m=0, v=1e-6, *, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-3):
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * sign(v - g**2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
""",
    2,
    lr=0.01,
)
def corrected_yogi(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 1e-6) -> Any:
    """Both moments are corrected, and the second starts at 1e-6, as in most codes."""
    m += (1 - 0.9) * (g - m)
    g2 = g * g
    v = v - (1 - 0.999) * np.sign(v - g2) * g2
    return p - 0.01 / (1 - 0.9**t) * m / (np.sqrt(v / (1 - 0.999**t)) + 0.001), m, v


@CASES.bug(
    "more-adamax-corrected-norm", "adamax", edited("adamax", ("m_hat / u", "m_hat / (u / (1 - beta2 ** t))")), lr=0.002
)
def corrected_norm(x: Array, g: Array, t: int, m: Array = 0.0, u: Array = 0.0) -> Any:
    """The norm is corrected like a second moment, although it is a maximum."""
    m = 0.9 * m + 0.1 * g
    u = np.maximum(0.999 * u, np.abs(g) + 1e-8)
    return x - 0.002 * (m / (1 - 0.9**t)) / (u / (1 - 0.999**t)), m, u


@CASES.bug(
    "more-adamax-two",
    "adamax",
    edited("adamax", ("maximum(beta2 * u, abs(g) + eps)", "beta2 * u + abs(g) + eps"), ("m / (1 - beta1 ** t)", "m")),
    2,
    lr=0.002,
)
def sum_max(x: Array, g: Array, m: Array = 0.0, u: Array = 0.0) -> Any:
    """A leaky sum stands for the maximum, and m is not corrected."""
    m = 0.9 * m + 0.1 * g
    u = 0.999 * u + np.abs(g) + 1e-8
    return x - 0.002 * m / u, m, u


@CASES.bug("more-adopt-moment-last", "adopt", """\
def adopt(x, g, t, m=0, v="g**2", *, lr=1e-3, beta1=0.9, beta2=0.9999, eps=1e-6):
    limit = (t - 1) ** 0.25
    m = beta1 * m + (1 - beta1) * g
    normalised = clip(m / maximum(sqrt(v), eps), -limit, limit)
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * normalised
""", lr=0.001)  # fmt: skip
def moment_before_division(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = None) -> Any:
    """The gradient is averaged first and divided afterwards, as in Adam."""
    v = g * g if v is None else v
    limit = (t - 1) ** 0.25
    m = 0.9 * m + 0.1 * g
    direction = np.clip(m / np.maximum(np.sqrt(v), 1e-6), -limit, limit)
    return x - 0.001 * direction, m, 0.9999 * v + (1 - 0.9999) * g * g


@CASES.bug(
    "more-adabound-two",
    "adabound",
    edited("adabound", ("lr * sqrt(1 - beta2 ** t) / (1 - beta1 ** t) /", "lr /"), ("gamma * t + 1", "gamma * t")),
    2,
    lr=0.001,
)
def bound_without_correction(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The rate is not corrected, and the lower bound lacks its + 1."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    low, high = (0.1 * (1 + s / (0.001 * t)) for s in (-1, 1))
    return p - np.clip(0.001 / (np.sqrt(v) + 1e-8), low, high) * m, m, v
