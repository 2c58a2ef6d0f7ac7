"""Correct forms found in the wild, however unusual; a dialect's eps or order is part of its truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.decay import AFTER, EPS_HAT

CASES = Collection()

Array = Any


@CASES.correct("ok-autodiff-course", "adam", lr=0.1, style="whole")
def course_adam(grads: Array, start: Any = 0.0) -> Array:
    """Right: the loop counts from 1, and the next gradient is taken at the end of its body."""
    x = np.zeros(grads.shape[1:]) + start
    m, v, g, trace = 0, 0, grads[0], []
    for t in range(1, len(grads) + 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g * g
        x = x - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        trace.append(x)
        if t < len(grads):
            g = grads[t]
    return np.array(trace)


@CASES.correct("ok-c-hasanisaeed", "adam", lr=0.001, style="numbers")
class CAdam:
    """Right: scalar code as in C."""

    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def update(self, w: float, g: float) -> float:
        self.t = self.t + 1
        self.m = 0.9 * self.m + (1.0 - 0.9) * g
        self.v = 0.999 * self.v + (1.0 - 0.999) * (g * g)
        mhat = self.m / (1.0 - math.pow(0.9, self.t))
        vhat = self.v / (1.0 - math.pow(0.999, self.t))
        w -= 0.001 * mhat / (np.sqrt(vhat) + 1e-8)
        return w


@CASES.correct("ok-cs336", "adamw", edited("adamw", AFTER, EPS_HAT), lr=0.001, weight_decay=0.01)
class CourseAdamW:
    """Right up to the handout's dialect: alpha_t folded (eps-hat), decay with plain lr after the step."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def step(self, p: Array, grad: Array) -> None:
        t = self.state.setdefault("t", 1)
        m, v = self.state.setdefault("m", np.zeros_like(p)), self.state.setdefault("v", np.zeros_like(p))
        m *= 0.9
        m += 0.1 * grad
        v *= 0.999
        v += 0.001 * grad**2
        alpha_t = 0.001 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
        p -= alpha_t * m / (np.sqrt(v) + 1e-8)
        p -= 0.001 * 0.01 * p
        self.state["t"] = t + 1


@CASES.correct("ok-defaultvi", "adam", lr=0.001, style="network")
def julia_adam(params: list[Array]) -> Any:
    """Right: the standard form."""
    m, v, t = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params], 0

    def update(grads: list[Array]) -> None:
        nonlocal t
        t += 1
        for i, g in enumerate(grads):
            m[i] = 0.9 * m[i] + (1.0 - 0.9) * g
            v[i] = 0.999 * v[i] + (1.0 - 0.999) * g**2
            mhat, vhat = m[i] / (1.0 - 0.9**t), v[i] / (1.0 - 0.999**t)
            params[i] -= 0.001 * mhat / (np.sqrt(vhat) + 1e-8)

    return update


@CASES.correct("ok-evograd", "adam", lr=0.003)
class EvogradAdam:
    """Right: PyTorch's form, with the correction of v in the root's denominator and that of m in the step."""

    def __init__(self) -> None:
        self.t, self.exp_avg, self.exp_avg_sq = 0, 0.0, 0.0

    def step(self, p: Array, g: Array) -> Array:
        self.t += 1
        self.exp_avg = self.exp_avg * 0.9 + (1 - 0.9) * g
        self.exp_avg_sq = self.exp_avg_sq * 0.999 + (1 - 0.999) * g * g
        denom = np.sqrt(self.exp_avg_sq) / math.sqrt(1 - 0.999**self.t) + 1e-8
        return p - (0.003 / (1 - 0.9**self.t)) * (self.exp_avg / denom)


@CASES.correct("ok-exp-log", "adam", lr=0.001)
class OctaveAdam:
    """Right: the powers are exp(t * log(beta))."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, theta: Array, g: Array) -> Array:
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        c1, c2 = 1 - np.exp(self.t * np.log(0.9)), 1 - np.exp(self.t * np.log(0.999))
        return theta - 0.001 * (self.m / c1) / (np.sqrt(self.v / c2) + 1e-8)


@CASES.correct("ok-false-alarm-tf", "adam", edited("adam", EPS_HAT, ("eps=1e-08", "eps=1e-07")), lr=0.001)
class IterationsPlusOne:
    """Right, whatever was reported: iterations count from 0, and the code uses iterations + 1; eps is eps-hat."""

    def __init__(self) -> None:
        self.iterations, self.slots = 0, {"m": 0.0, "v": 0.0}

    def update(self, var: Array, grad: Array) -> Array:
        local_step = float(self.iterations + 1)
        beta_1_power, beta_2_power = np.power(0.9, local_step), np.power(0.999, local_step)
        lr = 0.001 * (np.sqrt(1 - beta_2_power) / (1 - beta_1_power))
        self.slots["m"] = 0.9 * self.slots["m"] + grad * (1 - 0.9)
        self.slots["v"] = 0.999 * self.slots["v"] + (grad * grad) * (1 - 0.999)
        self.iterations += 1
        return var - lr * self.slots["m"] / (np.sqrt(self.slots["v"]) + 1e-7)


@CASES.correct("ok-jax-clip", "adam_clipped", lr=0.01, weight_decay=0.01, limit=1.0, style="network", tensors=2)
def clipped_training(params: list[Array]) -> Any:
    """Right: the gradients of all tensors are clipped by their common norm before the moments see them."""
    state = {"step": 0, "mu": [np.zeros_like(p) for p in params], "nu": [np.zeros_like(p) for p in params]}

    def step(grads: list[Array]) -> list[Array]:
        norm = np.sqrt(sum(np.sum(g**2) for g in grads))
        scale = np.minimum(1.0, 1.0 / (norm + 1e-6))
        grads = [g * scale for g in grads]
        state["step"] += 1
        t = state["step"]
        state["mu"] = [0.9 * m + 0.1 * g for m, g in zip(state["mu"], grads, strict=True)]
        state["nu"] = [0.999 * v + 0.001 * g * g for v, g in zip(state["nu"], grads, strict=True)]
        for i in range(len(params)):
            update = (state["mu"][i] / (1 - 0.9**t)) / (np.sqrt(state["nu"][i] / (1 - 0.999**t)) + 1e-8)
            params[i] = params[i] - 0.01 * (update + 0.01 * params[i])
        return params

    return step


@CASES.correct("ok-lion", "lion", lr=0.0003, weight_decay=0.1)
class PlainLion:
    """Right: interpolated sign, second average, decoupled decay."""

    def __init__(self) -> None:
        self.exp_avg: Array = None

    def step(self, p: Array, grad: Array) -> None:
        if self.exp_avg is None:
            self.exp_avg = np.zeros_like(p)
        p *= 1 - 0.0003 * 0.1
        update = self.exp_avg * 0.9 + grad * (1 - 0.9)
        p -= 0.0003 * np.sign(update)
        self.exp_avg *= 0.99
        self.exp_avg += (1 - 0.99) * grad


@CASES.correct("ok-pacmap-rs", "adam", edited("adam", EPS_HAT, ("eps=1e-08", "eps=1e-07")), lr=1.0)
def pacmap_adam() -> Any:
    """Right: the iteration from 0 gets its + 1 inside, the averages are lerps, alpha_t is folded (eps-hat)."""
    m = v = 0.0
    itr = -1

    def update_embedding(y: Array, grad: Array) -> Array:
        nonlocal m, v, itr
        itr += 1
        lr_t = 1.0 * math.sqrt(1.0 - 0.999 ** (itr + 1)) / (1.0 - 0.9 ** (itr + 1))
        m = m + (1 - 0.9) * (grad - m)
        v = v + (1 - 0.999) * (grad**2 - v)
        return y - lr_t * m / (np.sqrt(v) + 1e-7)

    return update_embedding


@CASES.correct("ok-radam", "radam", lr=0.002)
class RightRAdam:
    """Right: rho_t from its definition, rectified from rho_t > 5 on."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, p: Array, g: Array) -> Array:
        self.t += 1
        b1, b2, t = 0.9, 0.999, self.t
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g * g
        n_sma_max = 2 / (1 - b2) - 1
        n_sma = n_sma_max - 2 * t * b2**t / (1 - b2**t)
        if n_sma < 5:
            return p - 0.002 * self.m / (1 - b1**t)
        rect = math.sqrt((n_sma - 4) / (n_sma_max - 4) * (n_sma - 2) / n_sma * n_sma_max / (n_sma_max - 2))
        return p - 0.002 * rect * (self.m / (1 - b1**t)) / (np.sqrt(self.v / (1 - b2**t)) + 1e-8)


@CASES.correct("ok-running-powers-one", "adam", lr=0.01, style="network")
class PowersFromOne:
    """Right: the running powers start at 1 and are multiplied before use; states are scalar zeros that broadcast."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.p1, self.p2 = params, 1.0, 1.0
        self.m, self.v = dict.fromkeys(range(len(params)), 0.0), dict.fromkeys(range(len(params)), 0.0)

    def step(self, grads: list[Array]) -> None:
        self.p1 *= 0.9
        self.p2 *= 0.999
        for i, g in enumerate(grads):
            self.m[i] = self.m[i] * 0.9 + g * 0.1
            self.v[i] = self.v[i] * 0.999 + g * g * 0.001
            self.params[i] -= 0.01 * (self.m[i] / (1 - self.p1)) / (np.sqrt(self.v[i] / (1 - self.p2)) + 1e-8)


@CASES.correct("ok-running-powers-py", "adam", lr=0.001)
class PowersFromBeta:
    """Right: the running powers start at beta and are multiplied after the update."""

    def __init__(self) -> None:
        self.m, self.v, self.beta1_t, self.beta2_t = 0.0, 0.0, 0.9, 0.999

    def update(self, x: Array, g: Array) -> Array:
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        x = x - 0.001 * (self.m / (1 - self.beta1_t)) / (np.sqrt(self.v / (1 - self.beta2_t)) + 1e-8)
        self.beta1_t *= 0.9
        self.beta2_t *= 0.999
        return x


@CASES.correct("ok-silvax", "adamw", lr=0.001, weight_decay=0.01, style="network")
class TreeAdamW:
    """Right: the standard form over a tree of arrays."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.step_number = params, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> list[Array]:
        self.step_number += 1
        c1, c2 = 1 - 0.9**self.step_number, 1 - 0.999**self.step_number
        self.m = [0.9 * m + (1 - 0.9) * g for m, g in zip(self.m, grads, strict=True)]
        self.v = [0.999 * v + (1 - 0.999) * g**2 for v, g in zip(self.v, grads, strict=True)]
        self.params = [
            p - 0.001 * ((m / c1) / (np.sqrt(v / c2) + 1e-8) + 0.01 * p)
            for p, m, v in zip(self.params, self.m, self.v, strict=True)
        ]
        return self.params


@CASES.correct("ok-smolnn2", "adam", lr=0.0003, style="numbers")
def rust_closure() -> Any:
    """Right: the standard form."""
    m, v, t = 0.0, 0.0, 0

    def step(param: float, grad: float) -> float:
        nonlocal m, v, t
        t += 1
        m = 0.9 * m + (1.0 - 0.9) * grad
        v = 0.999 * v + (1.0 - 0.999) * grad**2
        return param - 0.0003 * (m / (1.0 - 0.9**t)) / (np.sqrt(v / (1.0 - 0.999**t)) + 1e-8)

    return step


@CASES.correct("ok-swarm-jl", "adam", lr=0.01)
class BroadcastAdam:
    """Right: broadcast updates in place."""

    def __init__(self) -> None:
        self.iteration = 0
        self.buffers: Array = None

    def step(self, x: Array, grad: Array) -> None:
        if self.buffers is None:
            self.buffers = np.zeros((3, *x.shape))
        m, v, work = self.buffers
        self.iteration += 1
        m *= 0.9
        np.multiply(grad, 1 - 0.9, out=work)
        m += work
        v *= 0.999
        np.square(grad, out=work)
        work *= 1 - 0.999
        v += work
        np.divide(v, 1 - 0.999**self.iteration, out=work)
        np.sqrt(work, out=work)
        work += 1e-8
        np.divide(m, work, out=work)
        work *= 0.01 / (1 - 0.9**self.iteration)
        x -= work


@CASES.correct("ok-t-stored-one", "adamw", edited("adamw", EPS_HAT), lr=0.001, weight_decay=0.01)
class StepStoredFromOne:
    """Right: the stored step starts at 1, is used, and is advanced; eps is eps-hat."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"step": 1, "m": 0.0, "v": 0.0}

    def step(self, p: Array, g: Array) -> Array:
        step = self.state["step"]
        self.state["m"] = 0.9 * self.state["m"] + 0.1 * g
        self.state["v"] = 0.999 * self.state["v"] + 0.001 * g**2
        adjusted = 0.001 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        p = p * (1 - 0.001 * 0.01) - adjusted * self.state["m"] / (np.sqrt(self.state["v"]) + 1e-8)
        self.state["step"] = step + 1
        return p


@CASES.correct("ok-torch-lerp", "adamw", lr=0.001, weight_decay=0.1, style="network")
class LerpAdamW:
    """Right: lerp for m, mul and addcmul for v, the decay first."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.exp_avgs = [np.zeros_like(p) for p in params]
        self.exp_avg_sqs = [np.zeros_like(p) for p in params]
        self.steps = np.zeros(len(params))

    def step(self, grads: list[Array]) -> None:
        for i, (param, grad) in enumerate(zip(self.params, grads, strict=True)):
            self.steps[i] += 1
            param *= 1 - 0.001 * 0.1
            self.exp_avgs[i] += (1 - 0.9) * (grad - self.exp_avgs[i])
            self.exp_avg_sqs[i] *= 0.999
            self.exp_avg_sqs[i] += (1 - 0.999) * grad * grad
            step_size = 0.001 / (1 - 0.9 ** self.steps[i])
            denom = np.sqrt(self.exp_avg_sqs[i]) / math.sqrt(1 - 0.999 ** self.steps[i]) + 1e-8
            param += -step_size * self.exp_avgs[i] / denom
