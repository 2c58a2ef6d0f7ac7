"""The weight decay: without lr, after the step, of the wrong scale, sign or kind, or thrown away."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any
DECAY = "x - lr * (ratio + weight_decay * x)"
AFTER = (DECAY, "(x - lr * ratio) * (1 - lr * weight_decay)")
EPS_HAT = ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2 ** t)")


class _Moments:
    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def adapted(self, g: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + (1 - 0.9) * g
        self.v = 0.999 * self.v + (1 - 0.999) * g**2
        return (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


@CASES.variant("wd-after-handout", "adamw", edited("adamw", AFTER, EPS_HAT), 2, lr=0.01, weight_decay=0.1)
class HandoutAdamW:
    """The handout's order: the step with alpha_t and eps-hat, then the decay of the new theta."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def step(self, theta: Array, grad: Array) -> Array:
        t = self.state.get("t", 1)
        m = 0.9 * self.state.get("m", 0) + (1 - 0.9) * grad
        v = 0.999 * self.state.get("v", 0) + (1 - 0.999) * grad**2
        alpha_t = 0.01 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        theta = theta - alpha_t * m / (np.sqrt(v) + 1e-8)
        theta = theta - 0.01 * 0.1 * theta
        self.state = {"t": t + 1, "m": m, "v": v}
        return theta


@CASES.bug("wd-after-hf", "adamw", edited("adamw", AFTER), lr=0.001, weight_decay=0.01, style="network")
class HuggingAdamW:
    """The decay subtracts a share of the already moved parameter."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.state: list[dict[str, Any]] = [{} for _ in params]

    def step(self, grads: list[Array]) -> None:
        for p, grad, state in zip(self.params, grads, self.state, strict=True):
            if len(state) == 0:
                state["step"] = 0
                state["exp_avg"], state["exp_avg_sq"] = np.zeros_like(p), np.zeros_like(p)
            state["step"] += 1
            state["exp_avg"] = state["exp_avg"] * 0.9 + grad * (1.0 - 0.9)
            state["exp_avg_sq"] = state["exp_avg_sq"] * 0.999 + grad * grad * (1.0 - 0.999)
            bias2 = math.sqrt(1.0 - 0.999 ** state["step"])
            denom = np.sqrt(state["exp_avg_sq"]) + 1e-8 * bias2
            step_size = 1e-3 * bias2 / (1.0 - 0.9 ** state["step"])
            p += -step_size * state["exp_avg"] / denom
            p += -1e-3 * 0.01 * p


@CASES.variant("wd-after-set", "adamw", edited("adamw", AFTER), lr=0.002, weight_decay=0.05)
class AfterTheStep(_Moments):
    """theta is decayed after the step, on its new value."""

    def update(self, theta: Array, g: Array) -> Array:
        theta = theta - 0.002 * self.adapted(g)
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
class RegularizedAdamW(_Moments):
    """The coefficients of the two penalties are exchanged."""

    def __init__(self, l1: float = 0.001, l2: float = 0.02) -> None:
        super().__init__()
        self.regularizer = {"l2": l1, "l1": l2}

    def update(self, w: Array, g: Array) -> Array:
        penalty = self.regularizer["l1"] * np.sign(w) + self.regularizer["l2"] * w
        return w - 0.01 * (self.adapted(g) + penalty)


@CASES.bug(
    "wd-nolr-fm",
    "adamw",
    edited("adamw", (DECAY, "(x - lr * ratio) * (1 - weight_decay)")),
    2,
    lr=0.01,
    weight_decay=0.001,
)
class FactorizationMachineAdam(_Moments):
    """After the step a share of theta without lr is taken away."""

    def step(self, theta: Array, grad: Array) -> None:
        theta -= 0.01 * self.adapted(grad)
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
class StepSizeDecay:
    """The decay is scaled by the bias-corrected step size."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, p: Array, g: Array) -> Array:
        self.t += 1
        root2 = math.sqrt(1 - 0.999**self.t)
        step_size = 0.001 * root2 / (1 - 0.9**self.t)
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        p = p * (1 - step_size * 0.1)
        return p - step_size * self.m / (np.sqrt(self.v) + root2 * 1e-8)


@CASES.bug(
    "wd-unused-l2",
    "adamw",
    edited("adam", ("    m = beta1 * m", "    g = g + 0.01 * x\n    m = beta1 * m")),
    2,
    lr=0.001,
    weight_decay=0.1,
)
class ChildAdamW(_Moments):
    """weight_decay is stored and unused, while the parent class is given an L2 term of 0.01."""

    def __init__(self, weight_decay: float = 0.1) -> None:
        super().__init__()
        self.weight_decay = weight_decay
        self.l2 = 0.01

    def update(self, w: Array, g: Array) -> Array:
        return w - 0.001 * self.adapted(g + self.l2 * w)


@CASES.variant(
    "oneflow-decay-bc-scaled",
    "adamw",
    edited("adamw", EPS_HAT, ("weight_decay * x", "weight_decay * sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * x")),
    2,
    lr=0.001,
    weight_decay=0.1,
)
class OneFlowAdamW:
    """The folded correction multiplies step and decay alike, and eps is eps-hat."""

    def __init__(self) -> None:
        self.train_step, self.m, self.v = 0, 0.0, 0.0

    def update(self, model: Array, diff: Array) -> Array:
        self.train_step += 1
        lr = 0.001 * math.sqrt(1 - 0.999**self.train_step) / (1 - 0.9**self.train_step)
        self.m = 0.9 * self.m + (1 - 0.9) * diff
        self.v = 0.999 * self.v + (1 - 0.999) * diff * diff
        return model - lr * (self.m / (np.sqrt(self.v) + 1e-8) + 0.1 * model)
