"""Adam's kin with another numerator or rate: NAdam, RAdam, QHAdam, Adan, LAMB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import V_HAT, edited
from benchmarks.cases.loops import Array, Averages

CASES = Collection()


@CASES.correct("ok-radam", "radam", lr=0.002)
def right_radam(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right: rho_t from its definition, rectified from rho_t > 5 on."""
    b1, b2 = 0.9, 0.999
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    n_sma_max = 2 / (1 - b2) - 1
    n_sma = n_sma_max - 2 * t * b2**t / (1 - b2**t)
    if n_sma < 5:
        return p - 0.002 * m / (1 - b1**t), m, v
    rect = math.sqrt((n_sma - 4) / (n_sma_max - 4) * (n_sma - 2) / n_sma * n_sma_max / (n_sma_max - 2))
    return p - 0.002 * rect * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-8), m, v


@CASES.bug(
    "nadam-double-corr",
    "nadam_simplified",
    edited("nadam_simplified", ("beta1 * m_hat + (1 - beta1) * g / (1", "(beta1 * m_hat + (1 - beta1) * g) / (1")),
    lr=0.002,
)
def shader_nadam(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The momentum part of the look-ahead is corrected twice."""
    bc1, bc2 = 1.0 - 0.9**t, 1.0 - 0.999**t
    m = 0.9 * m + (1.0 - 0.9) * g
    v = 0.999 * v + (1.0 - 0.999) * g * g
    m_hat, v_hat = m / bc1, v / bc2
    m_bar = (0.9 * m_hat + (1.0 - 0.9) * g) / bc1
    return w - 0.002 * m_bar / (np.sqrt(v_hat) + 1e-8), m, v


NADAM_SIMPLE = edited(
    "nadam",
    ("mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))", "mu = beta1"),
    ("mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))", "mu_next = beta1"),
    ("mu_next * m / (1 - product * mu_next)", "mu_next * m / (1 - product)"),
)


@CASES.variant("nadam-simplified", "nadam", NADAM_SIMPLE, 2, lr=0.002)
def simple_nadam(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """beta1 stands for the whole schedule, and both parts are corrected by the same power."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g**2
    m_hat = m / (1 - 0.9**t)
    v_hat = v / (1 - 0.999**t)
    return w - 0.002 / (np.sqrt(v_hat) + 1e-8) * (0.9 * m_hat + (1 - 0.9) * g / (1 - 0.9**t)), m, v


def _radam(threshold: float, number: type = float) -> Any:
    state: dict[str, Any] = {"t": 0, "m": 0.0, "v": 0.0}

    def step(p: Array, g: Array) -> Array:
        state["t"] += 1
        t, b2 = state["t"], number(0.999)
        state["m"] = 0.9 * state["m"] + 0.1 * g
        state["v"] = 0.999 * state["v"] + (1 - 0.999) * g * g
        m_hat = state["m"] / (1 - 0.9**t)
        rho_inf = number(2) / (number(1) - b2) - number(1)
        b2t = b2 ** number(t)
        rho = float(rho_inf - number(2 * t) * b2t / (number(1) - b2t))
        if rho <= threshold:
            return p - 0.001 * m_hat
        inf = float(rho_inf)
        r = np.sqrt((rho - 4) * (rho - 2) * inf / ((inf - 4) * (inf - 2) * rho))
        return p - 0.001 * r * m_hat / (np.sqrt(state["v"] / (1 - 0.999**t)) + 1e-8)

    return step


@CASES.bug(
    "radam-float32",
    "radam",
    None,
    lr=0.001,
    inexpressible="a sub-expression in single precision: the rule is RAdam's own, its rounding is not",
)
def radam_single() -> Any:
    """rho_t is computed in float32, where it cancels."""
    return _radam(5, np.float32)


@CASES.variant("radam-threshold", "radam", edited("radam", ("rho_t > threshold", "rho_t > 4")), lr=0.001)
def radam_of_the_paper() -> Any:
    """The rectifier starts at rho_t > 4, as in the paper; the author's code has 5."""
    return _radam(4)


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


@CASES.bug("more-nadam-no-product", "nadam", edited("nadam", ("product = product * mu", "product = mu")), lr=0.002)
class NadamWithoutProduct(Averages):
    """The product of the schedule is not accumulated: each step uses its own mu alone."""

    def step(self, x: Array, g: Array) -> Array:
        _, v_hat = self.take(g)
        mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (self.t, self.t + 1))
        m_hat = mu_next * self.m / (1 - mu * mu_next) + (1 - mu) * g / (1 - mu)
        return x - 0.002 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug("more-nadam-two", "nadam", edited("nadam", ("mu_next * m /", "mu * m /"), (V_HAT, "v")), 2, lr=0.002)
def nadam_of_this_step(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0, schedule: float = 1.0) -> Any:
    """The momentum part has the mu of this step instead of the next, and v is not corrected."""
    mu, mu_next = 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)), 0.9 * (1 - 0.5 * 0.96 ** ((t + 1) * 0.004))
    schedule *= mu
    m += 0.1 * (g - m)
    v += (1 - 0.999) * (g * g - v)
    m_bar = (1 - mu) * g / (1 - schedule) + mu * m / (1 - schedule * mu_next)
    return p - 0.002 * m_bar / (np.sqrt(v) + 1e-8), m, v, schedule


def _rectifier(rho_t: float, rho_inf: float) -> float:
    return (rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t)


@CASES.bug("more-radam-no-root", "radam", edited("radam", ("r_t = sqrt((rho_t", "r_t = ((rho_t")), lr=0.01)
class RootlessRAdam(Averages):
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
)
def waiting_r_adam(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """rho_inf lacks its - 1, and nothing moves before the rectifier starts."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    rho_inf = 2 / (1 - 0.999)
    rho_t = rho_inf - 2 * t * 0.999**t / (1 - 0.999**t)
    if rho_t <= 5:
        return x, m, v
    v_hat = np.sqrt(v / (1 - 0.999**t)) + 1e-8
    return x - 0.001 * math.sqrt(_rectifier(rho_t, rho_inf)) * m / (1 - 0.9**t) / v_hat, m, v


@CASES.bug(
    "more-qhadam-nu-exchanged",
    "qhadam",
    edited("qhadam", ("(1 - nu1) * g + nu1 * m_hat", "nu1 * g + (1 - nu1) * m_hat")),
    lr=0.001,
)
class ExchangedNu(Averages):
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
class RootsMixed(Averages):
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


def _lamb(trust_of: Any) -> Any:
    averages = Averages()

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
