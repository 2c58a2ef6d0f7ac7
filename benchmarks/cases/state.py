"""The state: aliased, not stored, reset, or started from the gradient."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.loops import Array

CASES = Collection()


FORGOTTEN = (("beta1 * m + (1 - beta1) * g", "(1 - beta1) * g"), ("beta2 * v + (1 - beta2)", "(1 - beta2)"))


@CASES.bug(
    "adadelta-local-cache", "adadelta", edited("adadelta", ("    u = rho * u + (1 - rho) * ratio ** 2\n", "")), rho=0.95
)
class MlpackAdaDelta:
    """The cache of squared steps is a local that is zero again at each call."""

    def __init__(self) -> None:
        self.mean_squared_gradient: Array = 0.0

    def update(self, iterate: Array, gradient: Array) -> Array:
        mean_squared_dx = np.zeros_like(iterate)
        self.mean_squared_gradient = 0.95 * self.mean_squared_gradient + (1 - 0.95) * gradient * gradient
        dx = np.sqrt((mean_squared_dx + 1e-6) / (self.mean_squared_gradient + 1e-6)) * gradient
        mean_squared_dx = 0.95 * mean_squared_dx + (1 - 0.95) * dx * dx
        return iterate - dx


@CASES.bug(
    "alias-gonlp",
    "adam",
    """\
def adam(x, g, t, m=0, *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    m = beta2 * m + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = m / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    m = x - lr * ratio
    return m
""",
    2,
    lr=0.001,
)
class GoNlpAdam:
    """One scratch matrix serves as m, as v and as the new weights."""

    def __init__(self) -> None:
        self.scratch: Array = None

    def step(self, w: Array, g: Array) -> Array:
        if self.scratch is None:
            self.scratch = np.zeros_like(w)
            self.m = self.v = self.scratch
            self.t = 0
        self.t += 1
        np.add(0.9 * self.m, (1 - 0.9) * g, out=self.scratch)
        self.m = self.scratch
        np.add(0.999 * self.v, (1 - 0.999) * g * g, out=self.scratch)
        self.v = self.scratch
        m_hat, v_hat = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        np.subtract(w, 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8), out=self.scratch)
        return self.scratch.copy()


@CASES.bug(
    "alias-recsys-layout",
    "adam",
    edited("adam", ("m=0, v=0", "m=0"), ("v = beta2 * v", "m = beta2 * m"), ("v_hat = v", "v_hat = m")),
    lr=0.001,
)
class EmbeddingRow:
    """The second moment's offset into the row is the first moment's, so both are one region of memory."""

    def __init__(self) -> None:
        self.row: Array = None
        self.times = 0

    def step(self, embedding: Array, grad: Array) -> None:
        width = embedding.size
        if self.row is None:
            self.row = np.zeros(3 * width)  # embedding, m, v
        m, v = self.row[width : 2 * width], self.row[(3 - 2) * width :][:width]
        self.times += 1
        for i in range(width):
            m[i] = 0.9 * m[i] + (1 - 0.9) * grad[i]
            v[i] = 0.999 * v[i] + (1 - 0.999) * grad[i] ** 2
            m_hat, v_hat = m[i] / (1 - 0.9**self.times), v[i] / (1 - 0.999**self.times)
            embedding[i] -= 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug("init-g2-matrixslow", "adam", edited("adam", ("v=0", "v='g ** 2'")), lr=0.001)
def matrix_slow_adam(value: Array, gradient: Array, t: int, v: Array = 0.0, s: Array = 0.0) -> Any:
    """The second accumulator starts at the square of the first gradient."""
    if t == 1:
        v, s = (1 - 0.9) * gradient, np.power(gradient, 2)
    else:
        v, s = 0.9 * v + (1 - 0.9) * gradient, 0.999 * s + (1 - 0.999) * np.power(gradient, 2)
    v_hat, s_hat = v / (1 - 0.9**t), s / (1 - 0.999**t)
    return value - 0.001 * v_hat / (np.sqrt(s_hat) + 1e-8), v, s


@CASES.bug("pennylane-first-step", "adam", edited("adam", ("m=0, v=0", "m='g', v='g ** 2'")), lr=0.01)
def adam_optimizer_of_first_call(x: Array, grad: Array, t: int, fm: Array = None, sm: Array = None) -> Any:
    """The first call stores the gradient and its square without the factors one minus beta."""
    if fm is None:
        fm, sm = grad, grad * grad
    else:
        fm = 0.9 * fm + (1 - 0.9) * grad
        sm = 0.999 * sm + (1 - 0.999) * grad * grad
    new_stepsize = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return x - new_stepsize * fm / (np.sqrt(sm) + 1e-8 * np.sqrt(1 - 0.999**t)), fm, sm


@CASES.bug("persist-beacon-adam", "adam", edited("adam", *FORGOTTEN), lr=0.001, style="network")
class BeaconAdam:
    """The variables of the zip-loop are rebound, so the stored lists stay zero while t advances."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.t = params, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> None:
        self.t += 1
        for p, g, m, v in zip(self.params, grads, self.m, self.v, strict=True):
            m = 0.9 * m + (1 - 0.9) * g
            v = 0.999 * v + (1 - 0.999) * g**2
            m_hat = m / (1 - 0.9**self.t)
            v_hat = v / (1 - 0.999**self.t)
            p -= 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug(
    "persist-beacon-amsgrad",
    "amsgrad",
    edited(
        "amsgrad",
        *FORGOTTEN,
        ("    v_max = maximum(v_max, v)\n", ""),
        ("v_hat = v_max", "v_hat = v"),
        ("beta1 ** t", "beta1 ** ((t - 1) // 5 + 1)"),
        ("beta2 ** t", "beta2 ** ((t - 1) // 5 + 1)"),
    ),
    3,
    lr=0.001,
    style="network",
)
class BeaconAMSGrad:
    """The rebound loop variables keep neither moments nor maximum, and t is the epoch of five batches."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.batches = params, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]
        self.v_hat = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> None:
        t = self.batches // 5 + 1
        for p, g, m, v, v_hat in zip(self.params, grads, self.m, self.v, self.v_hat, strict=True):
            m = 0.9 * m + (1 - 0.9) * g
            v = 0.999 * v + (1 - 0.999) * g**2
            v_hat = np.maximum(v_hat, v)
            p -= 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(v_hat / (1 - 0.999**t)) + 1e-8)
        self.batches += 1


@CASES.bug(
    "persist-beacon-nadam",
    "nadam_simplified",
    edited("nadam_simplified", *FORGOTTEN, ("(1 - beta1) * g / (1", "(1 - beta2) * g / (1")),
    2,
    lr=0.001,
    style="network",
)
class BeaconNadam:
    """The rebound loop variables are never stored, and the look-ahead weighs g with 1 - beta2."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.t = params, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> None:
        self.t += 1
        for p, g, m, v in zip(self.params, grads, self.m, self.v, strict=True):
            m = 0.9 * m + (1 - 0.9) * g
            v = 0.999 * v + (1 - 0.999) * g**2
            m_hat, v_hat = m / (1 - 0.9**self.t), v / (1 - 0.999**self.t)
            nesterov = 0.9 * m_hat + (1 - 0.999) * g / (1 - 0.9**self.t)
            p -= 0.001 * nesterov / (np.sqrt(v_hat) + 1e-8)


@CASES.bug(
    "persist-compneuro-julia",
    "adam",
    edited("adam", *FORGOTTEN, ("m / (1 - beta1 ** t)", "m"), ("v / (1 - beta2 ** t)", "v")),
    2,
    lr=0.0004,
)
def julia_struct() -> Any:
    """Locals are rebound instead of the fields they were read from, and nothing is corrected."""

    @dataclasses.dataclass
    class AdamState:
        m: Array = 0.0
        v: Array = 0.0

    state = AdamState()

    def adam(theta: Array, grad: Array) -> Array:
        m, v = state.m, state.v
        m = m + (1 - 0.9) * (grad - m)
        v = v + (1 - 0.999) * (grad * grad - v)
        return theta - 0.0004 * m / (np.sqrt(v) + 1e-8)

    return adam


@CASES.bug("persist-csharp-byvalue", "adam", edited("adam", *FORGOTTEN), lr=0.01, style="numbers")
class CallerByValue:
    """The update routine gets m and v by value, and the caller's copies never change."""

    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 1

    @staticmethod
    def _update(w: float, g: float, m: float, v: float, t: int) -> float:
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        return w - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    def step(self, w: float, g: float) -> float:
        w = self._update(w, g, self.m, self.v, self.t)
        self.t += 1
        return w


@CASES.bug("persist-rbm-reset", "adam", edited("adam", *FORGOTTEN), lr=0.001)
class RbmAdam:
    """Both moments are zeroed at every call."""

    def __init__(self) -> None:
        self.t = 0

    def update(self, W: Array, dW: Array) -> None:
        self.mW, self.vW = np.zeros(W.shape), np.zeros(W.shape)
        self.t += 1
        self.mW += (1 - 0.9) * (dW - self.mW)
        self.vW += (1 - 0.999) * (dW * dW - self.vW)
        W -= 0.001 * self.mW / (1 - 0.9**self.t) / (np.sqrt(self.vW / (1 - 0.999**self.t)) + 1e-8)


@CASES.variant(
    "sparse-go-skipzero",
    "adam",
    edited(
        "adam",
        ("m = beta1 * m + (1 - beta1) * g", "m = beta1 * m + (1 - beta1) * g if g != 0 else m"),
        ("v = beta2 * v + (1 - beta2) * g ** 2", "v = beta2 * v + (1 - beta2) * g ** 2 if g != 0 else v"),
        ("return x - lr * ratio", "return x - lr * ratio if g != 0 else x"),
    ),
    lr=0.001,
)
class SparseAdam:
    """Coordinates with a gradient of zero are skipped: their moments do not decay and they do not move."""

    def __init__(self) -> None:
        self.t = 0
        self.m: Array = None

    def step(self, x: Array, grad: Array) -> None:
        if self.m is None:
            self.m, self.v = [0.0] * x.size, [0.0] * x.size
        self.t += 1
        c1, c2 = 1 - 0.9**self.t, 1 - 0.999**self.t
        for i in range(x.size):
            if grad[i] == 0:
                continue
            self.m[i] = 0.9 * self.m[i] + 0.1 * grad[i]
            self.v[i] = 0.999 * self.v[i] + 0.001 * grad[i] * grad[i]
            x[i] -= 0.001 * (self.m[i] / c1) / (np.sqrt(self.v[i] / c2) + 1e-8)
