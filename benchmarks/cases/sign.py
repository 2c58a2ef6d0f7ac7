"""Rules that take a sign: Lion and Signum."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.correct("ok-lion", "lion", lr=0.0003, weight_decay=0.1)
def plain_lion(p: Array, grad: Array, exp_avg: Array = 0.0) -> Any:
    """Right: interpolated sign, second average, decoupled decay."""
    p *= 1 - 0.0003 * 0.1
    update = exp_avg * 0.9 + grad * (1 - 0.9)
    p -= 0.0003 * np.sign(update)
    exp_avg *= 0.99
    exp_avg += (1 - 0.99) * grad
    return p, exp_avg


@CASES.bug(
    "lion-b1-only",
    "lion",
    edited("lion", ("m = beta2 * m + (1 - beta2) * g", "m = beta1 * m + (1 - beta1) * g")),
    lr=0.0001,
)
def one_average_lion(w: Array, g: Array, m: Array = 0.0) -> Any:
    """The sign is taken of one average with beta1; there is no interpolation."""
    m = 0.9 * m + (1 - 0.9) * g
    return w - 0.0001 * np.sign(m), m


@CASES.bug(
    "lion-double-ema",
    "lion",
    """\
def lion(x, g, m=0, *, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0):
    g = g + weight_decay * x
    m = beta2 * m + (1 - beta2) * g
    ratio = sign(m)
    m = beta1 * m + (1 - beta1) * g
    return x - lr * ratio
""",
    3,
    lr=0.001,
    weight_decay=0.1,
)
def double_average_lion(p: Array, grad: Array, m: Array = 0.0) -> Any:
    """Both averages are kept in one state, with the betas exchanged, and the decay is an L2 term."""
    grad = grad + 0.1 * p
    m = 0.99 * m + (1 - 0.99) * grad
    p -= 0.001 * np.sign(m)
    return p, 0.9 * m + (1 - 0.9) * grad


@CASES.bug(
    "lion-flux-draft",
    "lion",
    edited("lion", ("sign(beta1 * m + (1 - beta1) * g)", "sign((1 - beta1) * m + beta1 * g)")),
    lr=0.001,
)
def flux_lion(x: Array, dx: Array, m: Array = 0.0) -> Any:
    """The interpolation weighs the gradient with beta1 and the average with 1 - beta1."""
    step = np.sign((1 - 0.9) * m + 0.9 * dx)
    m = 0.99 * m + (1 - 0.99) * dx
    return x - 0.001 * step, m


@CASES.bug(
    "wd-nolr-lion",
    "lion",
    edited("lion", ("x - lr * (ratio + weight_decay * x)", "x * (1 - weight_decay) - lr * ratio")),
    lr=0.0003,
    weight_decay=0.01,
)
def lion_without_rate(p: Array, g: Array, m: Array = 0.0) -> Any:
    """The decay is not scaled by lr."""
    update = np.sign(0.9 * m + (1 - 0.9) * g)
    return p * (1 - 0.01) - 0.0003 * update, 0.99 * m + (1 - 0.99) * g


@CASES.bug(
    "more-lion-no-sign",
    "lion",
    edited("lion", ("sign(beta1 * m + (1 - beta1) * g)", "beta1 * m + (1 - beta1) * g")),
    lr=0.01,
    weight_decay=0.1,
)
def tamed_lion(x: Array, g: Array, m: Array = 0.0) -> Any:
    """The sign is forgotten."""
    c = 0.9 * m + 0.1 * g
    m = 0.99 * m + 0.01 * g
    return x - 0.01 * (c + 0.1 * x), m


@CASES.bug(
    "more-lion-two",
    "lion",
    """\
def lion(x, g, m=0, *, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0):
    m = beta2 * m + (1 - beta2) * g
    ratio = sign(beta1 * m + (1 - beta1) * g)
    return x - lr * (ratio + weight_decay * sign(x))
""",
    2,
    lr=0.001,
    weight_decay=0.2,
)
def lion_of_signs(p: Array, g: Array, m: Array = 0.0) -> Any:
    """The average is updated before the interpolation, and the decay is of signs."""
    m = 0.99 * m + (1 - 0.99) * g
    return p - 0.001 * (np.sign(0.9 * m + 0.1 * g) + 0.2 * np.sign(p)), m


@CASES.bug("more-signum-average-of-signs", "signum", """\
def signum(x, g, m=0, *, lr=1e-3, beta1=0.9):
    m = beta1 * m + (1 - beta1) * sign(g)
    return x - lr * m
""", 2, lr=0.01)  # fmt: skip
def average_of_signs(x: Array, g: Array, m: Array = 0.0) -> Any:
    """Signs are averaged, and the average's sign is not taken."""
    m = 0.9 * m + 0.1 * np.sign(g)
    return x - 0.01 * m, m
