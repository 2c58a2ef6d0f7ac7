"""The weight decay: without lr, after the step, of the wrong scale, sign or kind, or thrown away."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import AFTER, DECAY, EPS_HAT, edited
from benchmarks.cases.loops import Array, Averages

CASES = Collection()


@CASES.variant("wd-after-handout", "adamw", edited("adamw", AFTER, EPS_HAT), 2, lr=0.01, weight_decay=0.1)
def handout_adamw(theta: Array, grad: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The handout's order: the step with alpha_t and eps-hat, then the decay of the new theta."""
    m = 0.9 * m + (1 - 0.9) * grad
    v = 0.999 * v + (1 - 0.999) * grad**2
    alpha_t = 0.01 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    theta = theta - alpha_t * m / (np.sqrt(v) + 1e-8)
    return theta - 0.01 * 0.1 * theta, m, v


@CASES.bug("wd-after-hf", "adamw", edited("adamw", AFTER), lr=0.001, weight_decay=0.01)
def hugging_adamw(p: Array, grad: Array, t: int, exp_avg: Array = 0.0, exp_avg_sq: Array = 0.0) -> Any:
    """The decay subtracts a share of the already moved parameter."""
    exp_avg = exp_avg * 0.9 + grad * (1.0 - 0.9)
    exp_avg_sq = exp_avg_sq * 0.999 + grad * grad * (1.0 - 0.999)
    bias2 = math.sqrt(1.0 - 0.999**t)
    denom = np.sqrt(exp_avg_sq) + 1e-8 * bias2
    p += -(1e-3 * bias2 / (1.0 - 0.9**t)) * exp_avg / denom
    return p + -1e-3 * 0.01 * p, exp_avg, exp_avg_sq


@CASES.variant("wd-after-set", "adamw", edited("adamw", AFTER), lr=0.002, weight_decay=0.05)
class AfterTheStep(Averages):
    """theta is decayed after the step, on its new value."""

    def update(self, theta: Array, g: Array) -> Array:
        theta = theta - 0.002 * self.ratio(g)
        theta *= 1 - 0.002 * 0.05
        return theta


@CASES.bug(
    "wd-l1l2-swapped",
    "adam_l1_l2",
    edited("adam_l1_l2", ("l1 * sign(x)", "l2 * sign(x)"), ("+ l2 * x", "+ l1 * x")),
    lr=0.01,
    l1=0.001,
    l2=0.02,
)
class RegularizedAdamW(Averages):
    """The coefficients of the two penalties are exchanged."""

    def __init__(self, l1: float = 0.001, l2: float = 0.02) -> None:
        super().__init__()
        self.regularizer = {"l2": l1, "l1": l2}

    def update(self, w: Array, g: Array) -> Array:
        penalty = self.regularizer["l1"] * np.sign(w) + self.regularizer["l2"] * w
        return w - 0.01 * (self.ratio(g) + penalty)


@CASES.bug(
    "wd-nolr-fm",
    "adamw",
    edited("adamw", (DECAY, "(x - lr * ratio) * (1 - weight_decay)")),
    2,
    lr=0.01,
    weight_decay=0.001,
)
class FactorizationMachineAdam(Averages):
    """After the step a share of theta without lr is taken away."""

    def step(self, theta: Array, grad: Array) -> None:
        theta -= 0.01 * self.ratio(grad)
        theta -= 0.001 * theta


@CASES.bug(
    "wd-sign-chainer",
    "sgd_l2",
    edited("sgd_l2", ("g + weight_decay", "g - weight_decay")),
    lr=0.01,
    weight_decay=0.05,
    style="network",
)
def trainer_with_hook(params: list[Array]) -> Any:
    """The hook takes the decay from the gradient, so that weights grow."""

    def weight_decay(rate: float = 0.05) -> Any:
        def hook(p: Array, g: Array) -> None:
            g -= rate * p

        return hook

    hooks = [weight_decay()]

    def step(grads: list[Array]) -> None:
        for p, g in zip(params, grads, strict=True):
            for hook in hooks:
                hook(p, g)
            p -= 0.01 * g

    return step


@CASES.variant(
    "wd-stepsize",
    "adamw",
    edited("adamw", ("weight_decay * x", "weight_decay * sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * x")),
    lr=0.001,
    weight_decay=0.1,
)
def step_size_decay(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The decay is scaled by the bias-corrected step size."""
    root2 = math.sqrt(1 - 0.999**t)
    step_size = 0.001 * root2 / (1 - 0.9**t)
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    p = p * (1 - step_size * 0.1)
    return p - step_size * m / (np.sqrt(v) + root2 * 1e-8), m, v


@CASES.bug(
    "wd-unused-l2",
    "adamw",
    edited("adam", ("    m = beta1 * m", "    g = g + 0.01 * x\n    m = beta1 * m")),
    2,
    lr=0.001,
    weight_decay=0.1,
)
class ChildAdamW(Averages):
    """weight_decay is stored and unused, while the parent class is given an L2 term of 0.01."""

    def __init__(self, weight_decay: float = 0.1) -> None:
        super().__init__()
        self.weight_decay = weight_decay
        self.l2 = 0.01

    def update(self, w: Array, g: Array) -> Array:
        return w - 0.001 * self.ratio(g + self.l2 * w)


@CASES.variant(
    "oneflow-decay-bc-scaled",
    "adamw",
    edited("adamw", EPS_HAT, ("weight_decay * x", "weight_decay * sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * x")),
    2,
    lr=0.001,
    weight_decay=0.1,
)
def one_flow_adam_w(model: Array, diff: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The folded correction multiplies step and decay alike, and eps is eps-hat."""
    lr = 0.001 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = 0.9 * m + (1 - 0.9) * diff
    v = 0.999 * v + (1 - 0.999) * diff * diff
    return model - lr * (m / (np.sqrt(v) + 1e-8) + 0.1 * model), m, v


@CASES.bug(
    "more-adamw-grows",
    "adamw",
    edited("adamw", (DECAY, "x - lr * (ratio - weight_decay * x)")),
    lr=0.01,
    weight_decay=0.1,
)
def growing_adam_w(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The decay has the wrong sign, so weights grow."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w * (1 + 0.01 * 0.1) - 0.01 * step, m, v


@CASES.bug(
    "more-adamw-towards-start",
    "adamw",
    edited("adamw", ("v=0", "v=0, origin='x'"), ("weight_decay * x", "weight_decay * (x - origin)")),
    lr=0.01,
    weight_decay=0.1,
)
def towards_the_start(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0, p0: Array = None) -> Any:
    """The decay pulls to where the parameter started instead of to zero."""
    p0 = p if p0 is None else p0
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    ratio = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - 0.01 * (ratio + 0.1 * (p - p0)), m, v, p0


@CASES.bug(
    "more-adamw-rate-twice",
    "adamw",
    edited("adamw", (DECAY, "(x - lr * ratio) * (1 - lr * lr * weight_decay)")),
    2,
    lr=0.1,
    weight_decay=0.5,
)
def adamw_rate_twice(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The decay is scaled by lr twice, and comes after the step."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    decay = 0.1 * 0.5
    return w - 0.1 * decay * w, m, v


@CASES.variant(
    "more-adamw-cautious-decay",
    "adamw",
    edited("adamw", ("weight_decay * x", "(weight_decay * x if ratio * x > 0 else 0)")),
    lr=0.01,
    weight_decay=0.1,
)
def cautious_decay(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The decay acts only where it agrees with the step."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    u = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x - 0.01 * (u + 0.1 * x * (u * x > 0)), m, v
