"""The wider family: ADOPT, AdaMax, AMSGrad, NAdam, RAdam, Yogi, RMSProp with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any


ADOPT_ORDER = edited(
    "adopt",
    ("    v = beta2 * v + (1 - beta2) * g ** 2\n", ""),
    ("    limit = ", "    v = beta2 * v + (1 - beta2) * g ** 2\n    limit = "),
)


@CASES.bug("adopt-order-kozistr", "adopt", ADOPT_ORDER, lr=0.001)
class AdoptOfTheNewV:
    """v takes the current gradient before it is the denominator."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"step": 0}

    def step(self, p: Array, grad: Array) -> None:
        state = self.state
        state["step"] += 1
        if state["step"] == 1:
            state["exp_avg"], state["exp_avg_sq"] = np.zeros_like(p), grad * grad
            return
        state["exp_avg_sq"] *= 0.9999
        state["exp_avg_sq"] += (1 - 0.9999) * grad * grad
        clip = (state["step"] - 1) ** 0.25
        update = np.clip(grad / np.maximum(np.sqrt(state["exp_avg_sq"]), 1e-6), -clip, clip)
        state["exp_avg"] += (update - state["exp_avg"]) * (1 - 0.9)
        p -= 0.001 * state["exp_avg"]


@CASES.bug(
    "adopt-v-from-params",
    "adopt",
    edited("adopt", ("(1 - beta2) * g ** 2", "(1 - beta2) * x ** 2")),
    lr=0.001,
    beta2=0.99,
)
class AdoptOfParameters:
    """v accumulates the squared parameters instead of the squared gradients."""

    def __init__(self) -> None:
        self.count, self.m = 0, 0.0
        self.v: Array = None

    def step(self, parameter: Array, gradient: Array) -> Array:
        self.count += 1
        if self.v is None:
            self.v = np.square(gradient)
        limit = (self.count - 1) ** 0.25
        direction = np.clip(gradient / np.maximum(np.sqrt(self.v), 1e-6), -limit, limit)
        self.m = 0.9 * self.m + (1 - 0.9) * direction
        self.v = 0.99 * self.v + (1 - 0.99) * np.square(parameter)
        return parameter - 0.001 * self.m


@CASES.bug("adamax-noeps-mlpack", "adamax", edited("adamax", ("abs(g) + eps", "abs(g)")), lr=0.002, style="numbers")
class MlpackAdaMax:
    """Nothing keeps the norm from zero."""

    def __init__(self) -> None:
        self.m, self.u, self.iteration = 0.0, np.float64(0.0), 0

    def update(self, iterate: float, gradient: float) -> float:
        self.iteration += 1
        self.m = self.m * 0.9 + (1 - 0.9) * gradient
        self.u = np.maximum(self.u * 0.999, np.abs(gradient))
        return iterate - 0.002 / (1.0 - 0.9**self.iteration) * self.m / self.u


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
class OptorchAdaMax:
    """The norm is a maximum over an average of sizes, the maximum is never stored, and there is no eps."""

    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def step(self, p: Array, grad: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * grad
        self.v = 0.999 * self.v + 0.001 * np.abs(grad)
        u = np.maximum(0.999 * self.v, np.abs(grad))
        return p - 0.002 / (1 - 0.9**self.t) * self.m / u


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
def amsbound_like() -> Any:
    """The maximum is fed back into the average, m starts at the first gradient, and nothing is corrected."""
    m: Array = None
    v: Array = 0.0

    def step(x: Array, g: Array) -> Array:
        nonlocal m, v
        m = g if m is None else 0.9 * m + (1 - 0.9) * g
        v = np.maximum(v, 0.999 * v + (1 - 0.999) * g**2)
        return x - 0.001 * m / (np.sqrt(v) + 1e-8)

    return step


@CASES.variant("ams-river", "amsgrad", edited("amsgrad", ("m / (1 - beta1 ** t)", "m")), lr=0.1, style="numbers")
class RiverAMSGrad:
    """m is not corrected, as in the paper, while the maximum is."""

    def __init__(self) -> None:
        self.n_iterations, self.m, self.v, self.v_max = 0, 0.0, 0.0, 0.0

    def step(self, w: float, g: float) -> float:
        self.n_iterations += 1
        self.m = 0.9 * self.m + (1 - 0.9) * g
        self.v = 0.999 * self.v + (1 - 0.999) * g**2
        self.v_max = np.maximum(self.v_max, self.v)
        v_hat = self.v_max / (1 - 0.999**self.n_iterations)
        return w - 0.1 * self.m / (v_hat**0.5 + 1e-8)


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
class LeakyAMSGrad:
    """The maximum leaks with beta2, and the learning rate warms up over eight steps."""

    def __init__(self, warmup: int = 8) -> None:
        self.warmup, self.t = warmup, 0
        self.m = self.v = self.vhat = 0.0

    def update(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        self.vhat = np.maximum(0.999 * self.vhat, self.v)
        lr = 0.001 * min(1.0, self.t / self.warmup)
        return x - lr * (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.vhat / (1 - 0.999**self.t)) + 1e-8)


@CASES.bug(
    "nadam-double-corr",
    "nadam_simplified",
    edited("nadam_simplified", ("beta1 * m_hat + (1 - beta1) * g / (1", "(beta1 * m_hat + (1 - beta1) * g) / (1")),
    lr=0.002,
)
class ShaderNadam:
    """The momentum part of the look-ahead is corrected twice."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, w: Array, g: Array) -> Array:
        self.t += 1
        bc1, bc2 = 1.0 - 0.9**self.t, 1.0 - 0.999**self.t
        self.m = 0.9 * self.m + (1.0 - 0.9) * g
        self.v = 0.999 * self.v + (1.0 - 0.999) * g * g
        m_hat, v_hat = self.m / bc1, self.v / bc2
        m_bar = (0.9 * m_hat + (1.0 - 0.9) * g) / bc1
        return w - 0.002 * m_bar / (np.sqrt(v_hat) + 1e-8)


NADAM_SIMPLE = edited(
    "nadam",
    ("mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))", "mu = beta1"),
    ("mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))", "mu_next = beta1"),
    ("mu_next * m / (1 - product * mu_next)", "mu_next * m / (1 - product)"),
)


@CASES.variant("nadam-simplified", "nadam", NADAM_SIMPLE, 2, lr=0.002)
class SimpleNadam:
    """beta1 stands for the whole schedule, and both parts are corrected by the same power."""

    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def step(self, w: Array, g: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + (1 - 0.9) * g
        self.v = 0.999 * self.v + (1 - 0.999) * g**2
        m_hat = self.m / (1 - 0.9**self.t)
        v_hat = self.v / (1 - 0.999**self.t)
        return w - 0.002 / (np.sqrt(v_hat) + 1e-8) * (0.9 * m_hat + (1 - 0.9) * g / (1 - 0.9**self.t))


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


@CASES.variant(
    "rmsprop-momentum-lr",
    "rmsprop_momentum",
    edited("rmsprop_momentum", ("velocity + ratio", "velocity + lr * ratio"), ("x - lr * velocity", "x - velocity")),
    0,
    lr=0.001,
    inexpressible="lr inside or outside of the buffer differs only when lr changes; held, it conforms",
)
class TFRMSProp:
    """The learning rate is part of the momentum buffer."""

    def __init__(self) -> None:
        self.ms, self.mom = 0.0, 0.0

    def step(self, var: Array, grad: Array) -> Array:
        self.ms += (np.square(grad) - self.ms) * (1 - 0.9)
        self.mom = self.mom * 0.9 + 0.001 * grad / (np.sqrt(self.ms) + 1e-8)
        return var - self.mom


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
