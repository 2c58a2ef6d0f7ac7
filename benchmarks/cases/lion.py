"""Lion: one average, two averages, exchanged coefficients, decay without lr."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any


@CASES.bug(
    "lion-b1-only",
    "lion",
    edited("lion", ("m = beta2 * m + (1 - beta2) * g", "m = beta1 * m + (1 - beta1) * g")),
    lr=0.0001,
)
class OneAverageLion:
    """The sign is taken of one average with beta1; there is no interpolation."""

    def __init__(self) -> None:
        self.m: Array = 0.0

    def step(self, w: Array, g: Array) -> Array:
        self.m = 0.9 * self.m + (1 - 0.9) * g
        return w - 1e-4 * np.sign(self.m)


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
class DoubleAverageLion:
    """Both averages are kept in one state, with the betas exchanged, and the decay is an L2 term."""

    def __init__(self) -> None:
        self.state: dict[str, Array] = {}

    def step(self, p: Array, grad: Array) -> None:
        grad = grad + 0.1 * p
        if "exp_avg" not in self.state:
            self.state["exp_avg"] = np.zeros_like(p)
        m = self.state["exp_avg"]
        m *= 0.99
        m += (1 - 0.99) * grad
        p -= 0.001 * np.sign(m)
        m *= 0.9
        m += (1 - 0.9) * grad


@CASES.bug(
    "lion-flux-draft",
    "lion",
    edited("lion", ("sign(beta1 * m + (1 - beta1) * g)", "sign((1 - beta1) * m + beta1 * g)")),
    lr=0.001,
)
def flux_lion() -> Any:
    """The interpolation weighs the gradient with beta1 and the average with 1 - beta1."""
    m = 0.0

    def apply(x: Array, dx: Array) -> Array:
        nonlocal m
        step = np.sign((1 - 0.9) * m + 0.9 * dx)
        m = 0.99 * m + (1 - 0.99) * dx
        return x - 0.001 * step

    return apply


@CASES.bug(
    "wd-nolr-lion",
    "lion",
    edited("lion", ("x - lr * (ratio + weight_decay * x)", "x * (1 - weight_decay) - lr * ratio")),
    lr=0.0003,
    weight_decay=0.01,
    style="network",
)
class LionWithoutRate:
    """The decay is not scaled by lr."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.moments = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> None:
        for p, m, g in zip(self.params, self.moments, grads, strict=True):
            update = np.sign(0.9 * m + (1 - 0.9) * g)
            p *= 1 - 0.01
            p -= 0.0003 * update
            m[...] = 0.99 * m + (1 - 0.99) * g
