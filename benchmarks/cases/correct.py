"""Correct forms of Adam and AdamW, however unusual; a dialect's eps or order is part of its truth."""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import AFTER, EPS_HAT, edited
from benchmarks.cases.loops import Array

CASES = Collection()


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


@CASES.correct("ok-defaultvi", "adam", lr=0.001)
def julia_adam(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right: the standard form."""
    m = 0.9 * m + (1.0 - 0.9) * g
    v = 0.999 * v + (1.0 - 0.999) * g**2
    mhat, vhat = m / (1.0 - 0.9**t), v / (1.0 - 0.999**t)
    return p - 0.001 * mhat / (np.sqrt(vhat) + 1e-8), m, v


@CASES.correct("ok-evograd", "adam", lr=0.003)
def evograd_adam(p: Array, g: Array, t: int, exp_avg: Array = 0.0, exp_avg_sq: Array = 0.0) -> Any:
    """Right: PyTorch's form, with the correction of v in the root's denominator and that of m in the step."""
    exp_avg = exp_avg * 0.9 + (1 - 0.9) * g
    exp_avg_sq = exp_avg_sq * 0.999 + (1 - 0.999) * g * g
    denom = np.sqrt(exp_avg_sq) / math.sqrt(1 - 0.999**t) + 1e-8
    return p - 0.003 / (1 - 0.9**t) * (exp_avg / denom), exp_avg, exp_avg_sq


@CASES.correct("ok-exp-log", "adam", lr=0.001)
def octave_adam(theta: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right: the powers are exp(t * log(beta))."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    c1, c2 = 1 - np.exp(t * np.log(0.9)), 1 - np.exp(t * np.log(0.999))
    return theta - 0.001 * (m / c1) / (np.sqrt(v / c2) + 1e-8), m, v


@CASES.correct("ok-false-alarm-tf", "adam", edited("adam", EPS_HAT, ("eps=1e-08", "eps=1e-07")), lr=0.001)
def iterations_plus_one(var: Array, grad: Array, iterations: int = 0, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right, whatever was reported: iterations count from 0, and the code uses iterations + 1; eps is eps-hat."""
    local_step = float(iterations + 1)
    beta_1_power, beta_2_power = np.power(0.9, local_step), np.power(0.999, local_step)
    lr = 0.001 * (np.sqrt(1 - beta_2_power) / (1 - beta_1_power))
    m = 0.9 * m + grad * (1 - 0.9)
    v = 0.999 * v + grad * grad * (1 - 0.999)
    iterations += 1
    return var - lr * m / (np.sqrt(v) + 1e-7), iterations, m, v


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


@CASES.correct("ok-pacmap-rs", "adam", edited("adam", EPS_HAT, ("eps=1e-08", "eps=1e-07")), lr=1.0)
def pacmap_adam(y: Array, grad: Array, m: Array = 0.0, v: Array = 0.0, itr: int = -1) -> Any:
    """Right: the iteration from 0 gets its + 1 inside, the averages are lerps, alpha_t is folded (eps-hat)."""
    itr += 1
    lr_t = 1.0 * math.sqrt(1.0 - 0.999 ** (itr + 1)) / (1.0 - 0.9 ** (itr + 1))
    m = m + (1 - 0.9) * (grad - m)
    v = v + (1 - 0.999) * (grad**2 - v)
    return y - lr_t * m / (np.sqrt(v) + 1e-7), m, v, itr


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
def powers_from_beta(
    x: Array, g: Array, m: Array = 0.0, v: Array = 0.0, beta1_t: float = 0.9, beta2_t: float = 0.999
) -> Any:
    """Right: the running powers start at beta and are multiplied after the update."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    x = x - 0.001 * (m / (1 - beta1_t)) / (np.sqrt(v / (1 - beta2_t)) + 1e-8)
    beta1_t *= 0.9
    beta2_t *= 0.999
    return x, m, v, beta1_t, beta2_t


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


@CASES.correct("ok-smolnn2", "adam", lr=0.0003)
def rust_closure(param: Array, grad: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right: the standard form."""
    m = 0.9 * m + (1.0 - 0.9) * grad
    v = 0.999 * v + (1.0 - 0.999) * grad**2
    return param - 0.0003 * (m / (1.0 - 0.9**t)) / (np.sqrt(v / (1.0 - 0.999**t)) + 1e-8), m, v


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
def step_stored_from_one(p: Array, g: Array, step: int = 1, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right: the stored step starts at 1, is used, and is advanced; eps is eps-hat."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    adjusted = 0.001 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return p * (1 - 0.001 * 0.01) - adjusted * m / (np.sqrt(v) + 1e-8), step + 1, m, v


@CASES.correct("ok-torch-lerp", "adamw", lr=0.001, weight_decay=0.1)
def lerp_adamw(param: Array, grad: Array, t: int, exp_avg: Array = 0.0, exp_avg_sq: Array = 0.0) -> Any:
    """Right: lerp for m, mul and addcmul for v, the decay first."""
    param *= 1 - 0.001 * 0.1
    exp_avg += (1 - 0.9) * (grad - exp_avg)
    exp_avg_sq *= 0.999
    exp_avg_sq += (1 - 0.999) * grad * grad
    denom = np.sqrt(exp_avg_sq) / math.sqrt(1 - 0.999**t) + 1e-8
    return param + -(0.001 / (1 - 0.9**t)) * exp_avg / denom, exp_avg, exp_avg_sq


@CASES.correct("more-ok-generator", "adam", lr=0.001)
def adam_coroutine() -> Any:
    """Right: a generator that is sent gradients and yields steps."""

    def steps() -> Iterator[Array]:
        m = v = 0.0
        g = yield 0.0
        for t in itertools.count(1):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            g = yield -0.001 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    running: Any = steps()
    next(running)
    return lambda x, g: x + running.send(g)


@CASES.correct("more-ok-sums-of-history", "adam", lr=0.01)
class HistoryAdam:
    """Right: all gradients are kept, and the averages are weighted sums over them, their weights made to sum to one."""

    def __init__(self) -> None:
        self.history: list[Array] = []

    def step(self, x: Array, g: Array) -> Array:
        self.history.append(g)
        past = np.array(self.history)
        ages = np.arange(len(past))[::-1]
        w1, w2 = 0.9**ages, 0.999**ages
        m_hat = np.tensordot(w1 / w1.sum(), past, 1)
        v_hat = np.tensordot(w2 / w2.sum(), past**2, 1)
        return x - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.correct("more-ok-corrected-recursion", "adam", lr=0.001)
def corrected_recursion(x: Array, g: Array, t: int, m_hat: Array = 0.0, v_hat: Array = 0.0) -> Any:
    """Right: the corrected moments are the state, by a recursion of their own with a changing weight."""
    a, b = (1 - 0.9) / (1 - 0.9**t), (1 - 0.999) / (1 - 0.999**t)
    m_hat = m_hat + a * (g - m_hat)
    v_hat = v_hat + b * (g**2 - v_hat)
    return x - 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8), m_hat, v_hat


@CASES.correct("more-ok-unweighted-sums", "adam", lr=0.001, style="network")
class LeakySums:
    """Right: leaky sums without the factors one minus beta, which the corrections' denominators carry."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.sums = [[0.0, 0.0] for _ in params]
        self.weights = [0.0, 0.0]

    def step(self, grads: list[Array]) -> None:
        self.weights = [0.9 * self.weights[0] + 1, 0.999 * self.weights[1] + 1]
        for p, g, s in zip(self.params, grads, self.sums, strict=True):
            s[0], s[1] = 0.9 * s[0] + g, 0.999 * s[1] + g * g
            p -= 0.001 * (s[0] / self.weights[0]) / (np.sqrt(s[1] / self.weights[1]) + 1e-8)


@CASES.correct("more-ok-ascent", "adam", lr=0.001)
def negated_ascent(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Right: ascent on the negated gradient."""
    ascent = -g
    m = 0.9 * m + 0.1 * ascent
    v = 0.999 * v + 0.001 * ascent * ascent
    return x + 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


@CASES.correct("more-ok-scaled-eps", "adam", lr=0.001)
def scaled_eps(x: Array, g: Array, m: Array = 0.0, v: Array = 0.0, b1: float = 0.9, b2: float = 0.999) -> Any:
    """Right: the folded rate with an eps that is scaled along, which is the textbook's form exactly."""
    m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
    root = math.sqrt(1 - b2)
    x = x - 0.001 * root / (1 - b1) * m / (np.sqrt(v) + 1e-8 * root)
    b1, b2 = b1 * 0.9, b2 * 0.999
    return x, m, v, b1, b2


@CASES.correct("more-ok-complex", "adam", lr=0.01, style="numbers")
class ComplexState:
    """Right: both moments are one complex number."""

    def __init__(self) -> None:
        self.z, self.t = complex(0, 0), 0

    def update(self, x: float, g: float) -> float:
        self.t += 1
        self.z = complex(0.9 * self.z.real + 0.1 * g, 0.999 * self.z.imag + 0.001 * g * g)
        root = abs(cmath.sqrt(self.z.imag / (1 - 0.999**self.t)))
        return x - 0.01 * self.z.real / (1 - 0.9**self.t) / (root + 1e-8)


@CASES.correct("more-ok-flat-buffer", "adamw", lr=0.001, weight_decay=0.01, style="network", tensors=3)
class FlatBuffer:
    """Right: all tensors are views of one flat buffer, updated at once."""

    def __init__(self, params: list[Array]) -> None:
        sizes = np.cumsum([0] + [p.size for p in params])
        self.flat = np.concatenate([p.ravel() for p in params])
        self.params = [self.flat[a:b].reshape(p.shape) for a, b, p in zip(sizes, sizes[1:], params, strict=False)]
        self.m, self.v, self.t = np.zeros_like(self.flat), np.zeros_like(self.flat), 0

    def step(self, grads: list[Array]) -> None:
        g = np.concatenate([grad.ravel() for grad in grads])
        self.t += 1
        self.m += (1 - 0.9) * (g - self.m)
        self.v += (1 - 0.999) * (g * g - self.v)
        self.flat *= 1 - 0.001 * 0.01
        self.flat -= 0.001 / (1 - 0.9**self.t) * self.m / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


@CASES.correct("more-ok-own-counters", "adam", lr=0.001, style="network", tensors=3)
class OwnCounters:
    """Right: each tensor counts for itself."""

    def __init__(self, params: list[Array]) -> None:
        self.groups = [{"p": p, "t": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)} for p in params]

    def _one(self, group: dict[str, Any], g: Array) -> None:
        group["t"] += 1
        group["m"] = 0.9 * group["m"] + 0.1 * g
        group["v"] = 0.999 * group["v"] + 0.001 * g**2
        denom = np.sqrt(group["v"] / (1 - 0.999 ** group["t"])) + 1e-8
        group["p"] -= 0.001 * group["m"] / (1 - 0.9 ** group["t"]) / denom

    def step(self, grads: list[Array]) -> None:
        for group, g in reversed(list(zip(self.groups, grads, strict=True))):
            self._one(group, g)
