"""Further mistakes in AdamW, and with several tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.decay import DECAY

CASES = Collection()

Array = Any


@CASES.bug(
    "more-adamw-grows",
    "adamw",
    edited("adamw", (DECAY, "x - lr * (ratio - weight_decay * x)")),
    lr=0.01,
    weight_decay=0.1,
)
class GrowingAdamW:
    """The decay has the wrong sign, so weights grow."""

    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def update(self, w: Array, g: Array) -> Array:
        self.t += 1
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g * g
        step = self.m / (1 - 0.9**self.t) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)
        return w * (1 + 0.01 * 0.1) - 0.01 * step


@CASES.bug(
    "more-adamw-towards-start",
    "adamw",
    edited("adamw", ("v=0", "v=0, origin='x'"), ("weight_decay * x", "weight_decay * (x - origin)")),
    lr=0.01,
    weight_decay=0.1,
    style="network",
)
class TowardsTheStart:
    """The decay pulls to where the parameter started instead of to zero."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.t = params, 0
        self.initial = [p.copy() for p in params]
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> None:
        self.t += 1
        for p, p0, m, v, g in zip(self.params, self.initial, self.m, self.v, grads, strict=True):
            m[:] = 0.9 * m + 0.1 * g
            v[:] = 0.999 * v + 0.001 * g**2
            ratio = m / (1 - 0.9**self.t) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)
            p -= 0.01 * (ratio + 0.1 * (p - p0))


@CASES.bug(
    "more-adamw-rate-twice",
    "adamw",
    edited("adamw", (DECAY, "(x - lr * ratio) * (1 - lr * lr * weight_decay)")),
    2,
    lr=0.1,
    weight_decay=0.5,
)
def adamw_rate_twice() -> Any:
    """The decay is scaled by lr twice, and comes after the step."""
    store = [0.0, 0.0, 0]

    def step(w: Array, g: Array) -> Array:
        store[2] += 1
        store[0] = 0.9 * store[0] + 0.1 * g
        store[1] = 0.999 * store[1] + 0.001 * g**2
        t = store[2]
        w = w - 0.1 * (store[0] / (1 - 0.9**t)) / (np.sqrt(store[1] / (1 - 0.999**t)) + 1e-8)
        decay = 0.1 * 0.5
        return w - 0.1 * decay * w

    return step


@CASES.variant(
    "more-adamw-cautious-decay",
    "adamw",
    edited("adamw", ("weight_decay * x", "(weight_decay * x if ratio * x > 0 else 0)")),
    lr=0.01,
    weight_decay=0.1,
)
class CautiousDecay:
    """The decay acts only where it agrees with the step."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g**2
        u = (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)
        return x - 0.01 * (u + 0.1 * x * (u * x > 0))


@CASES.bug(
    "more-adam-count-in-the-middle",
    "adam",
    edited(
        "adam",
        ("(x, g, t,", "(x, g, t, k,"),
        ("beta1 ** t", "beta1 ** (t + (k > 1))"),
        ("beta2 ** t", "beta2 ** (t + (k > 1))"),
    ),
    lr=0.001,
    style="network",
    tensors=3,
)
class CountInTheMiddle:
    """The counter is advanced after the first tensor, so the others are one ahead."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.t = params, 1
        self.mv = [(np.zeros_like(p), np.zeros_like(p)) for p in params]

    def step(self, grads: list[Array]) -> None:
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            m, v = self.mv[i]
            m += 0.1 * (g - m)
            v += 0.001 * (g**2 - v)
            p -= 0.001 * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)
            if i == 0:
                self.t += 1


@CASES.bug(
    "more-adam-one-v",
    "adam",
    edited("adam", ("* g ** 2", "* mean(g ** 2, over='all')")),
    lr=0.001,
    style="network",
    tensors=2,
)
def one_v_for_all(params: list[Array]) -> Any:
    """One second moment, of the mean square of all gradients, serves the whole model."""
    m, state = [np.zeros_like(p) for p in params], {"v": 0.0, "t": 0}

    def step(grads: list[Array]) -> None:
        state["t"] += 1
        flat = np.concatenate([g.ravel() for g in grads])
        state["v"] = 0.999 * state["v"] + 0.001 * np.mean(flat**2)
        denom = np.sqrt(state["v"] / (1 - 0.999 ** state["t"])) + 1e-8
        for i, g in enumerate(grads):
            m[i] = 0.9 * m[i] + 0.1 * g
            params[i] -= 0.001 * m[i] / (1 - 0.9 ** state["t"]) / denom

    return step
