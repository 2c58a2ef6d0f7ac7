"""The step counter: from zero, one off, per epoch, of another scope."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import M_HAT, V_HAT, counted, edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.bug(
    "t0-java-nnimpl",
    "adam",
    counted("(t - 1)", ("eps=1e-08", f"eps={math.exp(-8)!r}"), ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")),
    3,
    lr=0.001,
    style="numbers",
    inexpressible="every parameter is NaN from step 1 on, so the place and size of eps cannot be seen",
)
class NNImplAdam:
    """The counter starts at 0 and is advanced after the update, and eps is exp(-8), inside of the root."""

    EPS = math.exp(-8)

    def __init__(self) -> None:
        self.beta1, self.beta2 = np.float64(0.9), np.float64(0.999)
        self.alpha = 0.001
        self.m = self.v = np.float64(0)
        self.t = 0

    def update(self, weight: Array, gradient: Array) -> Array:
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * gradient * gradient
        mh = self.m / (1 - self.beta1**self.t)
        vh = self.v / (1 - self.beta2**self.t)
        self.t += 1
        return weight - self.alpha * mh / np.sqrt(vh + self.EPS)


@CASES.bug("t0-nd4j", "adam", counted("(t - 1)"), lr=0.001)
class AdamUpdater:
    """The iteration counted from 0 is the exponent of the correction."""

    def __init__(self) -> None:
        self.iteration = 0
        self.m: Array = None
        self.v: Array = None

    def step(self, params: Array, grad: Array) -> None:
        if self.m is None:
            self.m, self.v = np.zeros_like(params), np.zeros_like(params)
        b1t, b2t = 0.9**self.iteration, 0.999**self.iteration
        self.m *= 0.9
        self.m += 0.1 * grad
        self.v *= 0.999
        self.v += 0.001 * grad * grad
        alpha_t = 1e-3 / np.float64(1 - b1t)
        params -= alpha_t * self.m / (np.sqrt(self.v / (1 - b2t)) + 1e-8)
        self.iteration += 1


@CASES.bug("t0-slides", "adam", counted("(t - 1)"), style="whole", lr=0.1)
def adam_of_the_slides(grads: Array, start: Any = 0.0) -> Array:
    """The loop index from 0 goes straight into the correction."""
    w = np.zeros(grads.shape[1:]) + start
    m, v, history = np.zeros_like(w), np.zeros_like(w), []
    for t in range(len(grads)):
        dw = grads[t]
        m = 0.9 * m + (1 - 0.9) * dw
        v = 0.999 * v + (1 - 0.999) * dw**2
        m_hat = m / (1 - 0.9**t)
        v_hat = v / (1 - 0.999**t)
        w = w - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8)
        history.append(w)
    return np.array(history)


@CASES.bug("tdecay-evojax", "adam", counted("((t - 1) // 10 + 1)"), lr=0.02)
def evojax_like() -> Any:
    """Adam is given step // lr_decay_steps as its step, so its correction waits for ten steps."""
    state = {"step": 0, "m": 0.0, "v": 0.0}
    lr_decay_steps = 10

    def adam_update(i: int, g: Array, x: Array, m: Array, v: Array) -> tuple[Array, Array, Array]:
        m = (1 - 0.9) * g + 0.9 * m
        v = (1 - 0.999) * np.square(g) + 0.999 * v
        mhat = m / (1 - 0.9 ** (i + 1))
        vhat = v / (1 - 0.999 ** (i + 1))
        return x - 0.02 * mhat / (np.sqrt(vhat) + 1e-8), m, v

    def step(x: Array, g: Array) -> Array:
        i = state["step"] // lr_decay_steps
        x, state["m"], state["v"] = adam_update(i, g, x, state["m"], state["v"])
        state["step"] += 1
        return x

    return step


@CASES.bug("tepoch-genai-cpp", "adam", counted("((t - 1) // 8 + 1)"), 1, lr=0.005)
def dense_backward(w: Array, dw: Array, t: int, mom: Array = 0.0, vel: Array = 0.0) -> Any:
    """Each backward pass updates, and the exponent is currentEpoch + 1, of epochs of eight passes."""
    current_epoch = (t - 1) // 8
    mom = 0.9 * mom + 0.1 * dw
    vel = 0.999 * vel + 0.001 * np.square(dw)
    mc = mom / (1 - pow(0.9, current_epoch + 1))
    vc = vel / (1 - pow(0.999, current_epoch + 1))
    return w - 0.005 * mc / (np.sqrt(vc) + 1e-8), mom, vel


@CASES.bug("tepoch-mljulia", "adam", counted("((t - 1) // 5 + 1)"), lr=0.001, style="numbers")
class EpochAdam:
    """t advances at the end of an epoch of five samples, while every sample updates."""

    def __init__(self) -> None:
        self.m, self.v, self.t, self.seen = 0.0, 0.0, 1, 0

    def update(self, theta: float, grad: float) -> float:
        self.m = 0.9 * self.m + 0.1 * grad
        self.v = 0.999 * self.v + 0.001 * grad**2
        m_c = self.m / (1 - 0.9**self.t)
        v_c = self.v / (1 - 0.999**self.t)
        self.seen += 1
        if self.seen % 5 == 0:
            self.t += 1
        return theta - 0.001 * m_c / (np.sqrt(v_c) + 1e-8)


@CASES.bug(
    "tepoch-noaccum-nn",
    "adam",
    counted(
        "((t - 1) // 6 + 1)",
        ("m = beta1 * m + (1 - beta1) * g", "m = (1 - beta1) * g"),
        ("v = beta2 * v + (1 - beta2)", "v = (1 - beta2)"),
        ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)"),
    ),
    3,
    lr=0.01,
)
def myopt(w: Array, g: Array, t: int) -> Array:
    """Nothing is accumulated, the correction counts epochs of six batches, and eps is inside of the root."""
    e = (t - 1) // 6 + 1
    vdw = (1 - 0.9) * g / (1 - 0.9**e)
    sdw = (1 - 0.999) * g**2 / (1 - 0.999**e)
    return w - 0.01 * vdw / np.sqrt(sdw + 1e-8)


@CASES.bug(
    "tepoch-optdoc",
    "adam",
    counted("((t - 1) // 10 + 1)", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")),
    2,
    style="whole",
    lr=0.001,
)
def documented_loop(grads: Array, start: Any = 0.0) -> Array:
    """The loop over mini-batches corrects with epoch + 1, and eps is inside of the root."""
    x = np.zeros(grads.shape[1:]) + start
    v = sqr = np.zeros_like(x)
    path = np.empty_like(grads)
    batches = 10
    for epoch in range(-(-len(grads) // batches)):
        for batch in range(epoch * batches, min((epoch + 1) * batches, len(grads))):
            g = grads[batch]
            v = 0.9 * v + (1.0 - 0.9) * g
            sqr = 0.999 * sqr + (1.0 - 0.999) * g**2
            v_bias_corr = v / (1.0 - 0.9 ** (epoch + 1))
            sqr_bias_corr = sqr / (1.0 - 0.999 ** (epoch + 1))
            x = x - 0.001 * v_bias_corr / np.sqrt(sqr_bias_corr + 1e-8)
            path[batch] = x
    return path


@CASES.bug("tinydnn-bt-squared", "adam", counted("(t + 1)"), lr=0.001)
def tiny_adam(w: Array, dw: Array, b1_t: float = 0.9, b2_t: float = 0.999, mt: Array = 0.0, vt: Array = 0.0) -> Any:
    """The running powers start at beta and are multiplied by beta before their first use."""
    b1_t, b2_t = b1_t * 0.9, b2_t * 0.999
    mt = 0.9 * mt + (1 - 0.9) * dw
    vt = 0.999 * vt + (1 - 0.999) * dw * dw
    return w - 0.001 * (mt / (1 - b1_t)) / (np.sqrt(vt / (1 - b2_t)) + 1e-8), b1_t, b2_t, mt, vt


@CASES.bug("tscope-a3c", "adam", counted("((t - 1) // 4 + 1)"), lr=0.0001)
class SharedAdam:
    """The moments are shared by four workers that take turns, and each corrects with its own step."""

    def __init__(self) -> None:
        self.shared: dict[str, Array] = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
        self.worker_steps = [0] * 4
        self.turn = 0

    def step(self, p: Array, grad: Array) -> Array:
        worker, self.turn = self.turn, (self.turn + 1) % 4
        self.worker_steps[worker] += 1
        step = self.worker_steps[worker]
        self.shared["exp_avg"] = self.shared["exp_avg"] * 0.9 + grad * (1 - 0.9)
        self.shared["exp_avg_sq"] = self.shared["exp_avg_sq"] * 0.999 + grad * grad * (1 - 0.999)
        denom = np.sqrt(self.shared["exp_avg_sq"] / (1 - 0.999**step)) + 1e-8
        return p - 0.0001 / (1 - 0.9**step) * self.shared["exp_avg"] / denom


@CASES.variant(
    "tscope-infinitrain",
    "adam",
    edited("adam"),
    0,
    lr=0.001,
    style="network",
    tensors=2,
    inexpressible="a gradient that is missing cannot be given; where zeros stand for it the moments stay zero "
    "and the global step is Adam's own",
)
class GlobalStepAdam:
    """One global step corrects also those parameters whose first gradient came later."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.state: dict[int, dict[str, Array]] = {}
        self.global_step = 0

    def step(self, grads: list[Array]) -> None:
        self.global_step += 1
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            if i not in self.state:
                if not np.any(g):
                    continue  # no gradient has arrived yet
                self.state[i] = {"m": np.zeros_like(p), "v": np.zeros_like(p)}
            state = self.state[i]
            state["m"] = 0.9 * state["m"] + 0.1 * g
            state["v"] = 0.999 * state["v"] + 0.001 * g * g
            m_hat = state["m"] / (1 - 0.9**self.global_step)
            v_hat = state["v"] / (1 - 0.999**self.global_step)
            p -= 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug(
    "more-adam-ones-and-late",
    "adam",
    edited("adam", ("v=0", "v=1"), (M_HAT, "m / (1 - beta1 ** (t + 1))"), (V_HAT, "v / (1 - beta2 ** (t + 1))")),
    2,
    lr=0.01,
)
def ones_and_late(x: Array, grad: Array, t: int, m: Array = 0.0, v: Array = 1.0) -> Any:
    """v starts at one so that nothing is divided by zero, and the counter is one ahead."""
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * grad**2
    return x - 0.01 * m / (1 - 0.9 ** (t + 1)) / (np.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8), m, v
