"""Adam's moments: the wrong source, the wrong weight, the wrong order."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.bug("b1-in-v-python", "adam", edited("adam", ("(1 - beta2) * g", "(1 - beta1) * g")), lr=0.001)
def beta_one_in_v(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The second moment weighs the square with 1 - beta1."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.9) * g**2
    m_cap = m / (1 - 0.9**t)
    v_cap = v / (1 - 0.999**t)
    return w - 0.001 * m_cap / (np.sqrt(v_cap) + 1e-8), m, v


@CASES.bug(
    "b1-in-v-inputgrad",
    "adam",
    edited(
        "adam", ("(1 - beta2) * g ** 2", "(1 - beta1) * (g * x) ** 2"),
        ("m / (1 - beta1 ** t)", "m"), ("v / (1 - beta2 ** t)", "v"),
    ),
    3,
    lr=0.001,
)  # fmt: skip
def elementwise_layer(weights: Array, dout: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """v takes the square of the gradient of the layer's input, with the weight 1 - beta1, and nothing is corrected."""
    dw, dx = dout * 1.0, dout * weights
    m = 0.9 * m + (1 - 0.9) * dw
    v = 0.999 * v + (1 - 0.9) * dx**2
    return weights - 0.001 * m / (np.sqrt(v) + 1e-8), m, v


@CASES.bug(
    "m-in-v-course",
    "adam",
    edited(
        "adam", ("v = beta2 * v +", "v = beta2 * m +"), ("1 - beta1 ** t", "1 - beta1"), ("1 - beta2 ** t", "1 - beta2")
    ),
    2,
    lr=0.01,
    beta2=0.99,
)
def course_notebook(theta: Array, gradient: Array, m: Array = 0.0) -> Any:
    """v is computed from the new m instead of v, and the corrections are constants."""
    m = 0.9 * m + (1 - 0.9) * gradient
    v = 0.99 * m + (1 - 0.99) * gradient**2
    return theta - 0.01 * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.99)) + 1e-8), m


@CASES.bug(
    "m-in-v-vhat-from-m",
    "adam",
    edited(
        "adam", ("v = beta2 * v +", "v = beta2 * m +"), ("m / (1 - beta1 ** t)", "m / (1 - beta1)"),
        ("v / (1 - beta2 ** t)", "m / (1 - beta2)"),
    ),
    2,
    lr=0.001,
)  # fmt: skip
def v_hat_from_m(w: Array, dw: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """v is computed from m and then not used: v_hat is made of m, too, by constant corrections."""
    m = 0.9 * m + (1 - 0.9) * dw
    v = 0.999 * m + (1 - 0.999) * dw * dw
    m_hat = m / (1 - 0.9)
    v_hat = m / (1 - 0.999)
    return w - 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8), m, v


@CASES.bug(
    "vhat-from-m",
    "adam",
    edited("adam", ("v_hat = v", "v_hat = m"), ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")),
    2,
    lr=0.1,
)
def slip_of_a_letter(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """v_hat divides m instead of v, and eps is inside of the root."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat = m / (1 - 0.9**t)
    v_hat = m / (1 - 0.999**t)
    return x - 0.1 * m_hat / np.sqrt(v_hat + 1e-8), m, v


@CASES.bug("more-adam-v-of-m", "adam", edited("adam", ("(1 - beta2) * g ** 2", "(1 - beta2) * m ** 2")), lr=0.001)
def v_of_m(w: Array, g: Array, m: Array = 0.0, v: Array = 0.0, b1t: float = 1.0, b2t: float = 1.0) -> Any:
    """The second moment averages the squares of the first moment."""
    b1t, b2t = b1t * 0.9, b2t * 0.999
    m = m * 0.9 + g * (1 - 0.9)
    v = v * 0.999 + m * m * (1 - 0.999)
    return w - 0.001 * m / (1 - b1t) / (np.sqrt(v / (1 - b2t)) + 1e-8), m, v, b1t, b2t


@CASES.bug(
    "more-adam-every-other-v",
    "adam",
    edited(
        "adam", ("v = beta2 * v + (1 - beta2) * g ** 2", "v = beta2 * v + (1 - beta2) * g ** 2 if t % 2 == 1 else v")
    ),
    lr=0.001,
)
def every_other_v(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """To save time the second moment is updated on odd steps only, while its correction counts all."""
    m += (1 - 0.9) * (g - m)
    if t & 1:
        v += (1 - 0.999) * (g * g - v)
    return p - 0.001 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


@CASES.bug(
    "more-adam-beta1-power",
    "adam",
    edited("adam", ("beta1 * m + (1 - beta1) * g", "beta1 ** t * m + (1 - beta1 ** t) * g")),
    lr=0.001,
)
def decaying_momentum(x: Array, g: Array, b1: float = 1.0, b2: float = 1.0, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The running power of beta1 is used for the average, too."""
    b1 *= 0.9
    b2 *= 0.999
    m = b1 * m + (1 - b1) * g
    v = 0.999 * v + 0.001 * g**2
    return x - 0.001 * (m / (1 - b1)) / (np.sqrt(v / (1 - b2)) + 1e-8), b1, b2, m, v
