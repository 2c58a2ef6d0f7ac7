"""The epsilon: inside of the root, twice, outside of the denominator, too small, or adding up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.bug("eps-accum-adabelief", "adabelief_eps_once", edited("adabelief"), lr=0.001, eps=1e-8)
def torch_adabelief(p: Array, grad: Array, t: int, exp_avg: Array = 0.0, exp_avg_var: Array = 0.0) -> Any:
    """eps is added to the stored second moment in place, so that it adds up."""
    exp_avg = 0.9 * exp_avg + (1 - 0.9) * grad
    residual = grad - exp_avg
    exp_avg_var = 0.999 * exp_avg_var + (1 - 0.999) * residual * residual
    exp_avg_var += 1e-8
    denom = np.sqrt(exp_avg_var) / math.sqrt(1 - 0.999**t) + 1e-8
    return p - 0.001 / (1 - 0.9**t) * exp_avg / denom, exp_avg, exp_avg_var


@CASES.bug(
    "eps-fp16-underflow",
    "adam",
    None,
    lr=0.001,
    dtype="float16",
    inexpressible="eps and squares below 6e-8 are zero in float16: a matter of the type, not of the formula",
)
def half_adam(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """eps=1e-8 is zero in half precision, and small squares are, too."""
    half = np.float16
    m = half(0.9) * m + half(0.1) * g
    v = half(0.999) * v + half(0.001) * (g * g)
    m_hat, v_hat = m / half(1 - 0.9**t), v / half(1 - 0.999**t)
    return w - half(0.001) * m_hat / (np.sqrt(v_hat) + half(1e-8)), m, v


@CASES.bug(
    "eps-precedence-inner",
    "adam",
    edited("adam", ("m_hat / (sqrt(v_hat) + eps)", "m_hat / sqrt(v_hat) + eps")),
    lr=0.001,
)
def precedence_adam(theta: Array, gt: Array, t: int, mt: Array = 0.0, vt: Array = 0.0) -> Any:
    """A missing bracket puts eps outside of the denominator."""
    mt = 0.9 * mt + (1 - 0.9) * gt
    vt = 0.999 * vt + (1 - 0.999) * gt**2
    mt_hat = mt / (1 - 0.9**t)
    vt_hat = vt / (1 - 0.999**t)
    return theta - 0.001 * (mt_hat / np.sqrt(vt_hat) + 1e-8), mt, vt


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
)
def line_by_line(theta: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """eps is added to the parameter instead of the denominator."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return theta - 0.01 * m_hat / np.sqrt(v_hat) + 1e-7, m, v


@CASES.bug("eps-twice-kozistr", "adam", edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps) + eps")), lr=0.001)
def twice_eps(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """eps is added inside of the root and to it."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g * g
    de_nom = np.sqrt(v / (1 - 0.999**t) + 1e-8) + 1e-8
    return p - 1e-3 / (1 - 0.9**t) * m / de_nom, m, v


@CASES.bug("epsin-aa14k", "adam", edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")), lr=0.001)
def eps_inside(
    param: Array, grad: Array, m: Array = 0.0, v: Array = 0.0, beta1_t: float = 1.0, beta2_t: float = 1.0
) -> Any:
    """eps is inside of the root."""
    beta1_t *= 0.9
    beta2_t *= 0.999
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * grad * grad
    return param - 0.001 * (m / (1 - beta1_t)) / np.sqrt(v / (1 - beta2_t) + 1e-8), m, v, beta1_t, beta2_t


@CASES.variant(
    "epsin-diffopt",
    "adam",
    edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)"), ("eps=1e-08", "eps=1e-10")),
    lr=0.001,
)
def gamma_adam(x: Array, gradient: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The decays are complements, used consistently, and eps=1e-10 is inside of the root."""
    m = (1 - 0.1) * m + 0.1 * gradient
    v = (1 - 0.001) * v + 0.001 * gradient * gradient
    m_hat = m / (1 - (1 - 0.1) ** t)
    v_hat = v / (1 - (1 - 0.001) ** t)
    return x - m_hat * 0.001 / np.sqrt(v_hat + 1e-10), m, v


@CASES.variant("epsin-documented", "rmsprop", edited("rmsprop", ("sqrt(v) + eps", "sqrt(v + eps)")), lr=0.01, rho=0.9)
def documented_rms_prop(w: Array, grad: Array, mean_square: Array = 0.0) -> Any:
    """eps is inside of the root, as the documentation says."""
    mean_square *= 0.9
    mean_square += (1 - 0.9) * np.square(grad)
    w -= 0.01 * grad / np.sqrt(mean_square + 1e-8)
    return w, mean_square


@CASES.variant(
    "epsin-quagga",
    "adam",
    edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps / (1 - beta2 ** t))"), ("eps=1e-08", "eps=1e-05")),
    2,
    lr=0.001,
)
def quagga_kernel(param: Array, grad: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """alpha_t folds the corrections, and eps=1e-5 is added to the uncorrected v inside of the root."""
    alpha_t = 0.001 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = 0.9 * m + (1 - 0.9) * grad
    v = 0.999 * v + (1 - 0.999) * grad * grad
    return param - alpha_t * m / np.sqrt(v + 1e-5), m, v


@CASES.bug(
    "more-adam-minus-eps", "adam", edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat) - eps")), lr=0.01, eps=0.001
)
def minus_eps(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """eps is taken from the root."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return x - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) - 0.001), m, v
