"""Further mistakes: NAdam, RAdam, AMSGrad, AdaBelief, Yogi, QHAdam, Adan."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any
M_HAT, V_HAT = "m / (1 - beta1 ** t)", "v / (1 - beta2 ** t)"


class _Averages:
    def __init__(self, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self.b1, self.b2, self.t = beta1, beta2, 0
        self.m: Array = 0.0
        self.v: Array = 0.0

    def take(self, g: Array) -> tuple[Array, Array]:
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g**2
        return self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)


@CASES.bug("more-nadam-no-product", "nadam", edited("nadam", ("product = product * mu", "product = mu")), lr=0.002)
class NadamWithoutProduct(_Averages):
    """The product of the schedule is not accumulated: each step uses its own mu alone."""

    def step(self, x: Array, g: Array) -> Array:
        _, v_hat = self.take(g)
        mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (self.t, self.t + 1))
        m_hat = mu_next * self.m / (1 - mu * mu_next) + (1 - mu) * g / (1 - mu)
        return x - 0.002 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug(
    "more-nadam-two",
    "nadam",
    edited("nadam", ("mu_next * m /", "mu * m /"), (V_HAT, "v")),
    2,
    lr=0.002,
    style="network",
)
class NadamOfThisStep:
    """The momentum part has the mu of this step instead of the next, and v is not corrected."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.t, self.schedule = params, 0, 1.0
        self.slots = [[np.zeros_like(p), np.zeros_like(p)] for p in params]

    def step(self, grads: list[Array]) -> None:
        self.t += 1
        mu = 0.9 * (1 - 0.5 * 0.96 ** (self.t * 0.004))
        mu_next = 0.9 * (1 - 0.5 * 0.96 ** ((self.t + 1) * 0.004))
        self.schedule *= mu
        for p, g, (m, v) in zip(self.params, grads, self.slots, strict=True):
            m += 0.1 * (g - m)
            v += (1 - 0.999) * (g * g - v)
            m_bar = (1 - mu) * g / (1 - self.schedule) + mu * m / (1 - self.schedule * mu_next)
            p -= 0.002 * m_bar / (np.sqrt(v) + 1e-8)


def _rectifier(rho_t: float, rho_inf: float) -> float:
    return (rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t)


@CASES.bug("more-radam-no-root", "radam", edited("radam", ("r_t = sqrt((rho_t", "r_t = ((rho_t")), lr=0.01)
class RootlessRAdam(_Averages):
    """The rectifier lacks its root."""

    def step(self, x: Array, g: Array) -> Array:
        m_hat, v_hat = self.take(g)
        rho_inf = 2 / (1 - 0.999) - 1
        rho_t = rho_inf - 2 * self.t * 0.999**self.t / (1 - 0.999**self.t)
        if rho_t > 5:
            return x - 0.01 * _rectifier(rho_t, rho_inf) * m_hat / (np.sqrt(v_hat) + 1e-8)
        return x - 0.01 * m_hat


@CASES.bug(
    "more-radam-two",
    "radam",
    edited("radam", ("2 / (1 - beta2) - 1", "2 / (1 - beta2)"), ("else m_hat", "else 0")),
    2,
    lr=0.001,
    style="numbers",
)
class WaitingRAdam:
    """rho_inf lacks its - 1, and nothing moves before the rectifier starts."""

    def __init__(self) -> None:
        self.m = self.v = 0.0
        self.t = 0

    def update(self, x: float, g: float) -> float:
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        rho_inf = 2 / (1 - 0.999)
        rho_t = rho_inf - 2 * self.t * 0.999**self.t / (1 - 0.999**self.t)
        if rho_t <= 5:
            return x
        v_hat = np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8
        return x - 0.001 * math.sqrt(_rectifier(rho_t, rho_inf)) * self.m / (1 - 0.9**self.t) / v_hat


@CASES.bug(
    "more-amsgrad-of-gradients", "amsgrad", edited("amsgrad", ("maximum(v_max, v)", "maximum(v_max, g ** 2)")), lr=0.001
)
class MaximumOfSquares(_Averages):
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
class MinimumAMSGrad(_Averages):
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
def surprised_early() -> Any:
    """The surprise is measured against the average from before this gradient."""
    m = s = 0.0
    t = 0

    def step(x: Array, g: Array) -> Array:
        nonlocal m, s, t
        t += 1
        s = 0.999 * s + 0.001 * (g - m) ** 2 + 1e-16
        m = 0.9 * m + 0.1 * g
        return x - 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-16)

    return step


@CASES.bug(
    "more-adabelief-three",
    "adabelief",
    edited("adabelief", ("(g - m) ** 2", "(g + m) ** 2"), (M_HAT, "m"), (V_HAT, "v / (1 - beta2 ** (t + 1))")),
    3,
    lr=0.001,
)
class DisbeliefOptimizer:
    """The surprise has the wrong sign, m is not corrected, and the count of v's correction is one ahead."""

    def __init__(self) -> None:
        self.s: dict[str, Any] = {"m": 0.0, "s": 0.0, "step": 1}

    def step(self, p: Array, g: Array) -> Array:
        s = self.s
        s["step"] += 1
        s["m"] = 0.9 * s["m"] + 0.1 * g
        s["s"] = 0.999 * s["s"] + 0.001 * (g + s["m"]) ** 2 + 1e-16
        return p - 0.001 * s["m"] / (np.sqrt(s["s"] / (1 - 0.999 ** s["step"])) + 1e-16)


@CASES.bug("more-yogi-sign-of-g", "yogi", edited("yogi", ("sign(v - g ** 2)", "sign(v - abs(g))")), lr=0.01)
class YogiOfSizes:
    """The sign compares v with the size of the gradient instead of its square."""

    def __init__(self) -> None:
        self.m, self.v = 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.m = 0.9 * self.m + 0.1 * g
        self.v = self.v - (1 - 0.999) * np.sign(self.v - np.abs(g)) * g**2
        return x - 0.01 * self.m / (np.sqrt(self.v) + 1e-3)


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
class CorrectedYogi:
    """Both moments are corrected, and the second starts at 1e-6, as in most codes."""

    def __init__(self) -> None:
        self.t, self.m = 0, 0.0
        self.v: Array = 1e-6

    def step(self, p: Array, g: Array) -> Array:
        self.t += 1
        self.m += (1 - 0.9) * (g - self.m)
        g2 = g * g
        self.v = self.v - (1 - 0.999) * np.sign(self.v - g2) * g2
        return p - 0.01 / (1 - 0.9**self.t) * self.m / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-3)


@CASES.bug(
    "more-qhadam-nu-exchanged",
    "qhadam",
    edited("qhadam", ("(1 - nu1) * g + nu1 * m_hat", "nu1 * g + (1 - nu1) * m_hat")),
    lr=0.001,
)
class ExchangedNu(_Averages):
    """nu1 weighs the gradient and 1 - nu1 the average."""

    def __init__(self) -> None:
        super().__init__(beta1=0.995)

    def step(self, x: Array, g: Array) -> Array:
        m_hat, v_hat = self.take(g)
        return x - 0.001 * (0.7 * g + (1 - 0.7) * m_hat) / (np.sqrt(v_hat) + 1e-8)


@CASES.bug(
    "more-qhadam-two",
    "qhadam",
    edited(
        "qhadam",
        ("nu1 * m_hat", "nu1 * m"),
        ("sqrt((1 - nu2) * g ** 2 + nu2 * v_hat)", "((1 - nu2) * abs(g) + nu2 * sqrt(v_hat))"),
    ),
    2,
    lr=0.001,
    beta1=0.9,
    nu2=0.8,
)
class RootsMixed(_Averages):
    """The first moment is not corrected, and roots are mixed instead of squares."""

    def update(self, x: Array, g: Array) -> Array:
        _, v_hat = self.take(g)
        numerator = (1 - 0.7) * g + 0.7 * self.m
        return x - 0.001 * numerator / ((1 - 0.8) * np.abs(g) + 0.8 * np.sqrt(v_hat) + 1e-8)


def _adan(first_last: Any, weight: float, keep: bool, correct_d: bool) -> Any:
    s: dict[str, Any] = {"m": 0.0, "d": 0.0, "n": 0.0, "last": None, "t": 0}

    def step(x: Array, g: Array) -> Array:
        if s["last"] is None:
            s["last"] = g if first_last is None else first_last
        s["t"] += 1
        change = g - s["last"]
        if keep:
            s["last"] = g
        s["m"] = 0.98 * s["m"] + (1 - 0.98) * g
        s["d"] = 0.92 * s["d"] + (1 - 0.92) * change
        s["n"] = 0.99 * s["n"] + (1 - 0.99) * (g + weight * change) ** 2
        d = s["d"] / (1 - 0.92 ** s["t"]) if correct_d else s["d"]
        denom = np.sqrt(s["n"] / (1 - 0.99 ** s["t"])) + 1e-8
        return x - 0.001 * (s["m"] / (1 - 0.98 ** s["t"]) + weight * d) / denom

    return step


@CASES.variant(
    "more-adan-small-weight",
    "adan",
    edited(
        "adan",
        ("g + beta2 * change", "g + (1 - beta2) * change"),
        ("m_hat + beta2 * d_hat", "m_hat + (1 - beta2) * d_hat"),
    ),
    lr=0.001,
)
def adan_of_the_paper_letters() -> Any:
    """The change is weighed with 1 - beta2, as if the paper's letters were kept."""
    return _adan(None, 1 - 0.92, keep=True, correct_d=True)


@CASES.bug("more-adan-stuck", "adan", edited("adan", ("    g_last = g\n", "")), lr=0.001)
def adan_stuck() -> Any:
    """The last gradient is never stored: all changes are against the first."""
    return _adan(None, 0.92, keep=False, correct_d=True)


@CASES.bug(
    "more-adan-two", "adan", edited("adan", ("g_last='g'", "g_last=0"), ("d / (1 - beta2 ** t)", "d")), 2, lr=0.001
)
def adan_from_zero() -> Any:
    """The last gradient starts at zero, and the average of changes is not corrected."""
    return _adan(0.0, 0.92, keep=True, correct_d=False)
