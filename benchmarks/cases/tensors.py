"""The step counter advanced once a tensor instead of once a step, and other things tensors share by mistake."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import counted, edited
from benchmarks.cases.loops import Array, Averages

CASES = Collection()


PER_TENSOR = ("def adam(x, g, t,", "def adam(x, g, t, k, n,")


OWN_COUNT = "(n * (t - 1) + k)"


@CASES.bug("tparam-alvarobatrez", "adam", counted(OWN_COUNT, PER_TENSOR), lr=0.001, style="network", tensors=3)
def matlab_layers(params: list[Array]) -> Any:
    """t is advanced at each layer's call."""
    adam = {"t": 0, "m": [np.zeros_like(p) for p in params], "v": [np.zeros_like(p) for p in params]}

    def update_layer(i: int, grad: Array) -> None:
        adam["t"] += 1
        adam["m"][i] = 0.9 * adam["m"][i] + (1 - 0.9) * grad
        adam["v"][i] = 0.999 * adam["v"][i] + (1 - 0.999) * grad**2
        mhat = adam["m"][i] / (1 - 0.9 ** adam["t"])
        vhat = adam["v"][i] / (1 - 0.999 ** adam["t"])
        params[i] = params[i] - 0.001 * mhat / (np.sqrt(vhat) + 1e-8)

    def step(grads: list[Array]) -> list[Array]:
        for i, grad in enumerate(grads):
            update_layer(i, grad)
        return params

    return step


class _SharedOptimizer:
    def __init__(self, lr: float) -> None:
        self.lr, self.t = lr, 0
        self.m: dict[str, Array] = {}
        self.v: dict[str, Array] = {}

    def update(self, network: dict[str, Array], grads: dict[str, Array]) -> None:
        self.t += 1
        for key in network:
            self.m[key] = 0.9 * self.m.get(key, 0.0) + 0.1 * grads[key]
            self.v[key] = 0.999 * self.v.get(key, 0.0) + 0.001 * grads[key] ** 2
            m_hat = self.m[key] / (1 - 0.9**self.t)
            v_hat = self.v[key] / (1 - 0.999**self.t)
            network[key] = network[key] - self.lr * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug("tparam-autoencoder-shared", "adam", counted(OWN_COUNT, PER_TENSOR), lr=0.002, style="network", tensors=2)
class Autoencoder:
    """One optimizer serves encoder and decoder, and each of its update() calls advances t."""

    def __init__(self, params: list[Array]) -> None:
        self.encoder, self.decoder = {"enc/W": params[0]}, {"dec/W": params[1]}
        self.optimizer = _SharedOptimizer(lr=0.002)

    def step(self, grads: list[Array]) -> list[Array]:
        self.optimizer.update(self.encoder, {"enc/W": grads[0]})
        self.optimizer.update(self.decoder, {"dec/W": grads[1]})
        return [self.encoder["enc/W"], self.decoder["dec/W"]]


@CASES.bug(
    "tparam-denselayer",
    "adam",
    counted(
        OWN_COUNT,
        PER_TENSOR,
        ("eps=1e-08", "eps=1e-06"),
        ("sqrt(v_hat) + eps", f"sqrt(v_hat) + eps / sqrt(1 - beta2 ** {OWN_COUNT})"),
    ),
    2,
    lr=0.001,
    style="network",
    tensors=3,
)
class DenseNet:
    """Each dense layer's call advances the step; the folded form has eps-hat of 1e-6."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.adam_t = 0
        self.cache = [(np.zeros_like(p), np.zeros_like(p)) for p in params]

    def _layer(self, i: int, dw: Array) -> None:
        self.adam_t += 1
        m, v = self.cache[i]
        m[...] = 0.9 * m + 0.1 * dw
        v[...] = 0.999 * v + 0.001 * dw * dw
        lr_t = 0.001 * np.sqrt(1 - 0.999**self.adam_t) / (1 - 0.9**self.adam_t)
        self.params[i] -= lr_t * m / (np.sqrt(v) + 1e-6)

    def step(self, grads: list[Array]) -> None:
        for i, dw in enumerate(grads):
            self._layer(i, dw)


@CASES.bug(
    "tparam-flashlight",
    "adamw",
    counted(
        OWN_COUNT,
        ("def adamw(x, g, t,", "def adamw(x, g, t, k, n,"),
        ("sqrt(v_hat) + eps", f"sqrt(v_hat) + eps / sqrt(1 - beta2 ** {OWN_COUNT})"),
        ("x - lr * (ratio + weight_decay * x)", "x - lr * ratio - weight_decay * x"),
        claim="adamw",
    ),
    3,
    lr=0.001,
    weight_decay=0.01,
    style="network",
    tensors=3,
)
class AdamOptimizer:
    """count is advanced inside of the loop over parameters, the decay has no lr, and eps is eps-hat."""

    def __init__(self, parameters: list[Array]) -> None:
        self.parameters = parameters
        self.lr, self.beta1, self.beta2, self.eps, self.wd = 0.001, 0.9, 0.999, 1e-8, 0.01
        self.count = 0
        self.biased_first = [np.zeros_like(p) for p in parameters]
        self.biased_second = [np.zeros_like(p) for p in parameters]

    def step(self, grads: list[Array]) -> None:
        for i in range(len(self.parameters)):
            grad, data = grads[i], self.parameters[i]
            if self.wd != 0:
                data -= self.wd * data
            first, second = self.biased_first[i], self.biased_second[i]
            first[...] = self.beta1 * first + (1 - self.beta1) * grad
            second[...] = self.beta2 * second + (1 - self.beta2) * grad * grad
            self.count += 1
            corrected_lr = self.lr * np.sqrt(1 - self.beta2**self.count) / (1 - self.beta1**self.count)
            data -= corrected_lr * first / (np.sqrt(second) + self.eps)


@CASES.bug("tparam-keris", "adam", counted(OWN_COUNT, PER_TENSOR), lr=0.01, style="network", tensors=4)
class KerisAdam:
    """The counter, named epoch, is advanced in every update(name, ...) of one parameter."""

    def __init__(self, params: list[Array]) -> None:
        self.weights = {f"w{i}": p for i, p in enumerate(params)}
        self.epoch = 0
        self.momentum: dict[str, Array] = {}
        self.velocity: dict[str, Array] = {}

    def _update(self, name: str, w: Array, dw: Array) -> Array:
        if name not in self.momentum:
            self.momentum[name] = self.velocity[name] = np.zeros(w.shape)
        self.epoch += 1
        self.momentum[name] = 0.9 * self.momentum[name] + 0.1 * dw
        self.velocity[name] = 0.999 * self.velocity[name] + 0.001 * dw**2
        m = self.momentum[name] / (1 - 0.9**self.epoch)
        v = self.velocity[name] / (1 - 0.999**self.epoch)
        return w - 0.01 * m / (np.sqrt(v) + 1e-8)

    def step(self, grads: list[Array]) -> list[Array]:
        for (name, w), dw in zip(list(self.weights.items()), grads, strict=True):
            self.weights[name] = self._update(name, w, dw)
        return list(self.weights.values())


@CASES.bug(
    "tparam-mlx-node",
    "adamw",
    counted(OWN_COUNT, ("def adamw(x, g, t,", "def adamw(x, g, t, k, n,"), claim="adamw"),
    lr=0.001,
    weight_decay=0.1,
    style="network",
    tensors=4,
)
class NodeAdamW:
    """The batch routine calls the routine of one parameter, which advances the one step of all."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.inner_step = 0
        self.moments = [[0.0, 0.0] for _ in params]

    def update_single(self, key: int, param: Array, grad: Array) -> Array:
        self.inner_step += 1
        bc1, bc2 = 1.0 - 0.9**self.inner_step, 1.0 - 0.999**self.inner_step
        m, v = self.moments[key]
        m = m * 0.9 + grad * (1.0 - 0.9)
        v = v * 0.999 + grad * grad * (1.0 - 0.999)
        self.moments[key] = [m, v]
        decayed = param * (1.0 - 0.001 * 0.1)
        return decayed - 0.001 * (m / bc1) / (np.sqrt(v / bc2) + 1e-8)

    def step(self, grads: list[Array]) -> None:
        self.params = [self.update_single(i, p, g) for i, (p, g) in enumerate(zip(self.params, grads, strict=True))]


@CASES.bug("tparam-solversjs", "adam", counted(OWN_COUNT, PER_TENSOR), lr=0.001, style="network", tensors=2)
def solver_of_weight_arrays(params: list[Array]) -> Any:
    """The step is counted once a weight array."""
    this: dict[str, Any] = {"iter": 0, "m": {}, "v": {}}

    def step(grads: list[Array]) -> None:
        for i in range(len(params)):
            this["iter"] += 1
            m, v = this["m"].setdefault(i, np.zeros(params[i].size)), this["v"].setdefault(i, np.zeros(params[i].size))
            w, dw = params[i].reshape(-1), grads[i].reshape(-1)
            for j in range(w.size):
                m[j] = 0.9 * m[j] + 0.1 * dw[j]
                v[j] = 0.999 * v[j] + 0.001 * dw[j] * dw[j]
                mc = m[j] / (1 - 0.9 ** this["iter"])
                vc = v[j] / (1 - 0.999 ** this["iter"])
                w[j] += -0.001 * mc / (np.sqrt(vc) + 1e-8)

    return step


@CASES.bug("tscope-paddle-shared-pow", "adam", counted(OWN_COUNT, PER_TENSOR), lr=0.001, style="network", tensors=3)
class PaddleAdam:
    """The running powers are shared by all parameters, and each parameter's update advances them."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.moment1 = [np.zeros_like(p) for p in params]
        self.moment2 = [np.zeros_like(p) for p in params]
        self.beta1_pow, self.beta2_pow = np.array([0.9]), np.array([0.999])

    def _append_optimize_op(self, i: int, grad: Array) -> None:
        b1p, b2p = self.beta1_pow, self.beta2_pow
        self.moment1[i] = 0.9 * self.moment1[i] + 0.1 * grad
        self.moment2[i] = 0.999 * self.moment2[i] + 0.001 * grad * grad
        denom = np.sqrt(self.moment2[i] / (1 - b2p[0])) + 1e-8
        self.params[i] = self.params[i] - 0.001 / (1 - b1p[0]) * self.moment1[i] / denom
        b1p *= 0.9
        b2p *= 0.999

    def step(self, grads: list[Array]) -> None:
        for i, grad in enumerate(grads):
            self._append_optimize_op(i, grad)


@CASES.bug(
    "mlverse-r-decay-index",
    "adam_l2",
    edited("adam_l2", ("adam(x, g, t, m", "adam(x, g, t, k, m"), ("weight_decay * x", "weight_decay * k")),
    lr=0.001,
    weight_decay=0.01,
    style="network",
    tensors=3,
)
def optim_adam_of_r(params: list[Array]) -> Any:
    """The decay adds the index of the loop instead of the parameter to the gradient."""
    state = [{"step": 0, "exp_avg": np.zeros_like(p), "exp_avg_sq": np.zeros_like(p)} for p in params]

    def step(grads: list[Array]) -> None:
        for p in range(1, len(params) + 1):  # as R counts
            param, grad, s = params[p - 1], grads[p - 1], state[p - 1]
            grad = grad + p * 0.01
            s["step"] += 1
            s["exp_avg"] = 0.9 * s["exp_avg"] + (1 - 0.9) * grad
            s["exp_avg_sq"] = 0.999 * s["exp_avg_sq"] + (1 - 0.999) * grad * grad
            denom = np.sqrt(s["exp_avg_sq"]) / np.sqrt(1 - 0.999 ** s["step"]) + 1e-8
            param -= 0.001 / (1 - 0.9 ** s["step"]) * s["exp_avg"] / denom

    return step


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


@CASES.bug(
    "more-lamb-of-the-model",
    "lamb",
    edited(
        "lamb",
        (
            "norm(x) / norm(direction) if norm(x) > 0 and norm(direction) > 0 else 1",
            "norm(x, over='all') / norm(direction, over='all') "
            "if norm(x, over='all') > 0 and norm(direction, over='all') > 0 else 1",
        ),
    ),
    lr=0.01,
    weight_decay=0.01,
    style="network",
    tensors=3,
)
def lamb_of_the_model(params: list[Array]) -> Any:
    """One trust ratio of the whole model serves every tensor."""
    averages = [Averages() for _ in params]

    def step(grads: list[Array]) -> None:
        directions = []
        for p, g, a in zip(params, grads, averages, strict=True):
            m_hat, v_hat = a.take(g)
            directions.append(m_hat / (np.sqrt(v_hat) + 1e-6) + 0.01 * p)
        w = math.sqrt(sum(float(np.sum(p * p)) for p in params))
        u = math.sqrt(sum(float(np.sum(d * d)) for d in directions))
        for p, d in zip(params, directions, strict=True):
            p -= 0.01 * (w / u if w > 0 and u > 0 else 1.0) * d

    return step
