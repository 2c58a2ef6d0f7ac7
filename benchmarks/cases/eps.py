"""The epsilon: inside of the root, twice, outside of the denominator, too small, or adding up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any


@CASES.bug("eps-accum-adabelief", "adabelief_eps_once", edited("adabelief"), lr=0.001, eps=1e-8)
class TorchAdaBelief:
    """eps is added to the stored second moment in place, so that it adds up."""

    def __init__(self) -> None:
        self.state: dict[str, Array] = {}
        self.step_size = 0

    def step(self, p: Array, grad: Array) -> None:
        if not self.state:
            self.state = {"exp_avg": np.zeros_like(p), "exp_avg_var": np.zeros_like(p)}
        self.step_size += 1
        bias1, bias2 = 1 - 0.9**self.step_size, 1 - 0.999**self.step_size
        exp_avg, exp_avg_var = self.state["exp_avg"], self.state["exp_avg_var"]
        exp_avg *= 0.9
        exp_avg += (1 - 0.9) * grad
        residual = grad - exp_avg
        exp_avg_var *= 0.999
        exp_avg_var += (1 - 0.999) * residual * residual
        exp_avg_var += 1e-8
        denom = np.sqrt(exp_avg_var) / math.sqrt(bias2) + 1e-8
        p -= 0.001 / bias1 * exp_avg / denom


@CASES.bug(
    "eps-fp16-underflow",
    "adam",
    None,
    lr=0.001,
    dtype="float16",
    inexpressible="eps and squares below 6e-8 are zero in float16: a matter of the type, not of the formula",
)
class HalfAdam:
    """eps=1e-8 is zero in half precision, and small squares are, too."""

    def __init__(self) -> None:
        self.m, self.v, self.t = np.float16(0), np.float16(0), 0

    def step(self, w: Array, g: Array) -> Array:
        half = np.float16
        self.t += 1
        self.m = half(0.9) * self.m + half(0.1) * g
        self.v = half(0.999) * self.v + half(0.001) * (g * g)
        m_hat, v_hat = self.m / half(1 - 0.9**self.t), self.v / half(1 - 0.999**self.t)
        return w - half(0.001) * m_hat / (np.sqrt(v_hat) + half(1e-8))


@CASES.bug(
    "eps-precedence-inner",
    "adam",
    edited("adam", ("m_hat / (sqrt(v_hat) + eps)", "m_hat / sqrt(v_hat) + eps")),
    lr=0.001,
)
class PrecedenceAdam:
    """A missing bracket puts eps outside of the denominator."""

    def __init__(self) -> None:
        self.mt, self.vt, self.step_count = 0.0, 0.0, 0

    def step(self, theta: Array, gt: Array) -> Array:
        self.step_count += 1
        self.mt = 0.9 * self.mt + (1 - 0.9) * gt
        self.vt = 0.999 * self.vt + (1 - 0.999) * gt**2
        mt_hat = self.mt / (1 - 0.9**self.step_count)
        vt_hat = self.vt / (1 - 0.999**self.step_count)
        return theta - 0.001 * (mt_hat / np.sqrt(vt_hat) + 1e-8)


@CASES.bug(
    "eps-precedence-theta",
    "adam",
    edited(
        "adam",
        ("(sqrt(v_hat) + eps)", "sqrt(v_hat)"),
        ("x - lr * ratio", "x - lr * ratio + eps"),
        ("eps=1e-08", "eps=1e-07"),
    ),
    lr=0.01,
    style="whole",
)
def line_by_line(grads: Array, start: Any = 0.0) -> Array:
    """eps is added to the parameter instead of the denominator."""
    theta, m, v = np.zeros(grads.shape[1:]) + start, 0, 0
    thetas = np.zeros_like(grads)
    for t, g in enumerate(grads, start=1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        m_hat = m / (1 - 0.9**t)
        v_hat = v / (1 - 0.999**t)
        theta = theta - 0.01 * m_hat / np.sqrt(v_hat) + 1e-7
        thetas[t - 1] = theta
    return thetas


@CASES.bug(
    "eps-twice-kozistr",
    "adam",
    edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps) + eps")),
    lr=0.001,
    style="network",
)
class TwiceEps:
    """eps is added inside of the root and to it."""

    def __init__(self, params: list[Array]) -> None:
        self.param_groups = [{"params": params, "lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}]
        self.state = {id(p): {"step": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)} for p in params}

    def step(self, grads: list[Array]) -> None:
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p, g in zip(group["params"], grads, strict=True):
                s = self.state[id(p)]
                s["step"] += 1
                s["m"] = beta1 * s["m"] + (1 - beta1) * g
                s["v"] = beta2 * s["v"] + (1 - beta2) * g * g
                de_nom = np.sqrt(s["v"] / (1 - beta2 ** s["step"]) + group["eps"]) + group["eps"]
                p -= group["lr"] / (1 - beta1 ** s["step"]) * s["m"] / de_nom


@CASES.bug("epsin-aa14k", "adam", edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")), lr=0.001, style="numbers")
class EpsInside:
    """eps is inside of the root."""

    def __init__(self) -> None:
        self.m, self.v, self.beta1_t, self.beta2_t = 0.0, 0.0, 1.0, 1.0

    def update(self, param: float, grad: float) -> float:
        self.beta1_t *= 0.9
        self.beta2_t *= 0.999
        self.m = 0.9 * self.m + 0.1 * grad
        self.v = 0.999 * self.v + 0.001 * grad * grad
        return param - 0.001 * (self.m / (1 - self.beta1_t)) / np.sqrt(self.v / (1 - self.beta2_t) + 1e-8)


@CASES.variant(
    "epsin-diffopt",
    "adam",
    edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)"), ("eps=1e-08", "eps=1e-10")),
    lr=0.001,
)
class GammaAdam:
    """The decays are complements, used consistently, and eps=1e-10 is inside of the root."""

    GAMMA_M, GAMMA_V, EPSILON = 0.1, 0.001, 1e-10

    def __init__(self) -> None:
        self.m, self.v, self.step_count = 0.0, 0.0, 0

    def step(self, x: Array, gradient: Array) -> Array:
        self.step_count += 1
        self.m = (1 - self.GAMMA_M) * self.m + self.GAMMA_M * gradient
        self.v = (1 - self.GAMMA_V) * self.v + self.GAMMA_V * gradient * gradient
        m_hat = self.m / (1 - (1 - self.GAMMA_M) ** self.step_count)
        v_hat = self.v / (1 - (1 - self.GAMMA_V) ** self.step_count)
        return x - m_hat * 0.001 / np.sqrt(v_hat + self.EPSILON)


@CASES.variant("epsin-documented", "rmsprop", edited("rmsprop", ("sqrt(v) + eps", "sqrt(v + eps)")), lr=0.01, rho=0.9)
class DocumentedRMSProp:
    """eps is inside of the root, as the documentation says."""

    def __init__(self) -> None:
        self.mean_square: Array = None

    def step(self, w: Array, grad: Array) -> None:
        if self.mean_square is None:
            self.mean_square = np.zeros_like(w)
        self.mean_square *= 0.9
        self.mean_square += (1 - 0.9) * np.square(grad)
        w -= 0.01 * grad / np.sqrt(self.mean_square + 1e-8)


@CASES.variant(
    "epsin-quagga",
    "adam",
    edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps / (1 - beta2 ** t))"), ("eps=1e-08", "eps=1e-05")),
    2,
    lr=0.001,
)
def quagga_kernel() -> Any:
    """alpha_t folds the corrections, and eps=1e-5 is added to the uncorrected v inside of the root."""
    m = v = 0.0
    iteration = 0

    def kernel(param: Array, grad: Array) -> Array:
        nonlocal m, v, iteration
        iteration += 1
        alpha_t = 0.001 * math.sqrt(1 - 0.999**iteration) / (1 - 0.9**iteration)
        m = 0.9 * m + (1 - 0.9) * grad
        v = 0.999 * v + (1 - 0.999) * grad * grad
        return param - alpha_t * m / np.sqrt(v + 1e-5)  # epsilon under the root, see the docstring

    return kernel
