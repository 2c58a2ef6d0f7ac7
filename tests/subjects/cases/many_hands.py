"""The same few rules by many hands: habits of notebooks, ports from other languages, typed code, tinkering."""
from __future__ import annotations

import abc
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, Optional, Protocol, Tuple

import numpy as np

CASES = {
    "adam_optimizer": ("adam", True), "AdamOptimizer": ("adam", True), "update_weights": ("sgd", True),
    "AdamW1": ("adamw", True), "RmsPropOpt": ("rmsprop", True), "momentum_update": ("momentum", True),
    "step_adam": ("adam", True), "AdaGradOptimizer": ("adagrad", True),
    "GDMomentum": ("momentum", True), "PyTorchLike": ("adam", True), "sgd_closure": ("sgd", True),
    "NumpyNetAdam": ("adam", True), "GoStyle": ("adam", True), "adam_scalar_loop": ("adam", True),
    "adam_whole_list": ("adam", True), "adam_matrix": ("adam", True), "AdamPerLayer": ("adam", True),
    "optimize_adam": ("adam", True), "AdamFunctional2": ("adam", True), "nesterov_step": ("nesterov", True),
    "adam_no_eps_root": ("adam", False), "rms_wrong_avg": ("rmsprop", False), "momentum_double_lr": ("momentum", False),
    "AdamForgetsState": ("adam", False), "AdamSharedMoments": ("adam", False), "adagrad_decays": ("adagrad", False),
    "MaxLikeAdam": ("adam", False), "run_adam": ("adam", True), "fit_adam": ("adam", True),
    "adam_with_hist": ("adam", True), "TensorLikeSGD": ("sgd", True), "NeuronAdam": ("adam", True),
    "SgdWithMomentumLayer": ("momentum", True), "KarpathyStyle": ("rmsprop", True), "update_rule": ("adam", True),
    "optim_step": ("adam", True), "AdamParamGroups": ("adam", True), "Trainer": ("adam", True),
    "adam_update_inplace_lists": ("adam", True), "adam_state_object": ("adam", True), "LayerDictAdam": ("adam", True),
    "ModuleSGD": ("sgd", True), "build_optimizer": ("momentum", True), "adadelta_step": ("adadelta", True),
    "nag_velocity": ("nesterov", True), "AdamaxUpdate": ("adamax", True), "get_updates": ("adam", True),
    "gradient_descent_with_momentum": ("momentum", True), "signsgd": ("signsgd", True),
}


def adam_optimizer(theta, grad_theta, m_t, v_t, iteration, alpha=0.001, beta_1=0.9, beta_2=0.999, eps=1e-8):
    """theta and moments are returned as a dictionary."""
    m_t = beta_1 * m_t + (1 - beta_1) * grad_theta
    v_t = beta_2 * v_t + (1 - beta_2) * grad_theta ** 2
    m_cap = m_t / (1 - beta_1 ** iteration)
    v_cap = v_t / (1 - beta_2 ** iteration)
    return dict(theta=theta - alpha * m_cap / (np.sqrt(v_cap) + eps), m_t=m_t, v_t=v_t)


class AdamOptimizer:
    def __init__(self, weights, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.alpha, self.beta1, self.beta2, self.epsilon = alpha, beta1, beta2, epsilon
        self.m = 0
        self.v = 0
        self.t = 0
        self.theta = weights

    def backward_pass(self, gradient):
        self.t = self.t + 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * (gradient ** 2)
        m_hat = self.m / (1 - self.beta1 ** self.t)
        v_hat = self.v / (1 - self.beta2 ** self.t)
        self.theta = self.theta - self.alpha * (m_hat / (np.sqrt(v_hat) + self.epsilon))
        return self.theta


def update_weights(weights, gradients, learning_rate):
    return [w - learning_rate * g for w, g in zip(weights, gradients)]


class AdamW1:
    def __init__(self, params: Iterable[np.ndarray], lr: float = 1e-3, betas: Tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2) -> None:
        self.params = list(params)
        self.lr, self.betas, self.eps, self.wd = lr, betas, eps, weight_decay
        self.state: Dict[int, Dict[str, np.ndarray]] = defaultdict(dict)
        self.steps = 0

    def step(self, grads: List[Optional[np.ndarray]]) -> None:
        self.steps += 1
        b1, b2 = self.betas
        for i, (p, g) in enumerate(zip(self.params, grads)):
            if g is None:
                continue
            st = self.state[i]
            if not st:
                st["exp_avg"], st["exp_avg_sq"] = np.zeros_like(p), np.zeros_like(p)
            p *= 1 - self.lr * self.wd
            st["exp_avg"] = b1 * st["exp_avg"] + (1 - b1) * g
            st["exp_avg_sq"] = b2 * st["exp_avg_sq"] + (1 - b2) * g * g
            denom = np.sqrt(st["exp_avg_sq"] / (1 - b2 ** self.steps)) + self.eps
            p -= self.lr * st["exp_avg"] / (1 - b1 ** self.steps) / denom


class RmsPropOpt:
    """update_layer(index, W, dW)"""

    def __init__(self, lr=0.001, beta=0.9, epsilon=1e-8):
        self.lr, self.beta, self.epsilon, self.s = lr, beta, epsilon, {}

    def update(self, layer_id, W, dW):
        if layer_id not in self.s:
            self.s[layer_id] = np.zeros_like(dW)
        self.s[layer_id] = self.beta * self.s[layer_id] + (1 - self.beta) * np.square(dW)
        return W - self.lr * dW / (np.sqrt(self.s[layer_id]) + self.epsilon)


def momentum_update(params, grads, velocity, learning_rate=0.01, momentum=0.9):
    new_params, new_velocity = {}, {}
    for k in params:
        new_velocity[k] = momentum * velocity[k] + grads[k]
        new_params[k] = params[k] - learning_rate * new_velocity[k]
    return new_params, new_velocity


def step_adam(p, g, *, state, lr=1e-3):
    if "t" not in state:
        state.update(t=0, m=np.zeros_like(p), v=np.zeros_like(p))
    state["t"] += 1
    state["m"] += 0.1 * (g - state["m"])
    state["v"] += 0.001 * (g * g - state["v"])
    return p - lr * (state["m"] / (1 - 0.9 ** state["t"])) / (np.sqrt(state["v"] / (1 - 0.999 ** state["t"])) + 1e-8)


class AdaGradOptimizer:
    def __init__(self, learning_rate: float = 0.01):
        self.learning_rate = learning_rate
        self.G = None

    def optimize(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        if self.G is None:
            self.G = np.zeros(gradient.shape)
        self.G += np.square(gradient)
        return x - np.multiply(self.learning_rate / (np.sqrt(self.G) + 1e-10), gradient)


class GDMomentum:
    def __init__(self, eta=0.01, gamma=0.9):
        self.eta, self.gamma = eta, gamma
        self.v_w = self.v_b = 0

    def apply(self, w, b, dw, db):
        self.v_w = self.gamma * self.v_w + self.eta * dw
        self.v_b = self.gamma * self.v_b + self.eta * db
        return w - self.v_w, b - self.v_b


class PyTorchLike:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.param_groups = [dict(params=list(params), lr=lr, betas=betas, eps=eps)]
        self.state = {}

    def zero_grad(self):
        for group in self.param_groups:
            for p in group['params']:
                if p.grad is not None:
                    p.grad.fill(0)

    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group['betas']
            for p in group['params']:
                if p.grad is None:
                    continue
                state = self.state.setdefault(id(p), {'step': 0, 'm': np.zeros_like(p.data), 'v': np.zeros_like(p.data)})
                state['step'] += 1
                state['m'] = beta1 * state['m'] + (1 - beta1) * p.grad
                state['v'] = beta2 * state['v'] + (1 - beta2) * p.grad * p.grad
                mh = state['m'] / (1 - beta1 ** state['step'])
                vh = state['v'] / (1 - beta2 ** state['step'])
                p.data = p.data - group['lr'] * mh / (np.sqrt(vh) + group['eps'])


def sgd_closure(learning_rate):
    def apply(parameters, gradients):
        for p, g in zip(parameters, gradients):
            p -= learning_rate * g

    return apply


class NumpyNetAdam:
    """The network keeps W and b as lists, and their gradients too."""

    def __init__(self, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps, self.t = lr, b1, b2, eps, 0
        self.mom = {}

    def step(self, net):
        self.t += 1
        for l in range(len(net.W)):
            for name, arr, g in (("W", net.W, net.dW), ("b", net.b, net.db)):
                m, v = self.mom.get((name, l), (0, 0))
                m = self.b1 * m + (1 - self.b1) * g[l]
                v = self.b2 * v + (1 - self.b2) * g[l] ** 2
                self.mom[name, l] = m, v
                arr[l] = arr[l] - self.lr * (m / (1 - self.b1 ** self.t)) / (np.sqrt(v / (1 - self.b2 ** self.t)) + self.eps)


class GoStyle:
    """A port from Go: Init and Update, slices of floats."""

    def __init__(self, lr=0.001, beta=0.9, beta2=0.999, epsilon=1e-8):
        self.lr, self.beta, self.beta2, self.epsilon = lr, beta, beta2, epsilon
        self.m: list[float] = []
        self.v: list[float] = []

    def Init(self, size: int) -> None:
        self.m = [0.0] * size
        self.v = [0.0] * size

    def Update(self, value: float, gradient: float, iteration: int, idx: int) -> float:
        while len(self.m) <= idx:
            self.m.append(0.0)
            self.v.append(0.0)
        lrt = self.lr * math.sqrt(1 - self.beta2 ** iteration) / (1 - self.beta ** iteration)
        self.m[idx] = self.beta * self.m[idx] + (1 - self.beta) * gradient
        self.v[idx] = self.beta2 * self.v[idx] + (1 - self.beta2) * gradient ** 2
        return -lrt * (self.m[idx] / (math.sqrt(self.v[idx]) + self.epsilon))


def adam_scalar_loop(params, grads, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Plain Python lists of floats."""
    for i in range(len(params)):
        m[i] = beta1 * m[i] + (1 - beta1) * grads[i]
        v[i] = beta2 * v[i] + (1 - beta2) * grads[i] * grads[i]
        mh = m[i] / (1 - beta1 ** t)
        vh = v[i] / (1 - beta2 ** t)
        params[i] -= lr * mh / (math.sqrt(vh) + eps)
    return params


def adam_whole_list(grads: List[float], lr: float = 0.001) -> List[float]:
    m = v = x = 0.0
    history = [x]
    for t, g in enumerate(grads, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g ** 2
        x -= lr * (m / (1 - 0.9 ** t)) / ((v / (1 - 0.999 ** t)) ** 0.5 + 1e-8)
        history.append(x)
    return history


def adam_matrix(W, dW, mW, vW, t, lr=0.001):
    """For matrices only."""
    n, k = W.shape
    mW = 0.9 * mW + 0.1 * dW
    vW = 0.999 * vW + 0.001 * dW ** 2
    W = W - lr * (mW / (1 - 0.9 ** t)) / (np.sqrt(vW / (1 - 0.999 ** t)) + 1e-8)
    return W, mW, vW


class AdamPerLayer:
    def __init__(self, layers, lr=0.001):
        self.layers = layers
        self.lr = lr
        self.t = 0
        self.mw = [np.zeros_like(l.w) for l in layers]
        self.vw = [np.zeros_like(l.w) for l in layers]
        self.mb = [np.zeros_like(l.b) for l in layers]
        self.vb = [np.zeros_like(l.b) for l in layers]

    def step(self):
        self.t += 1
        for i, l in enumerate(self.layers):
            self.mw[i] = 0.9 * self.mw[i] + 0.1 * l.grad_w
            self.vw[i] = 0.999 * self.vw[i] + 0.001 * l.grad_w ** 2
            self.mb[i] = 0.9 * self.mb[i] + 0.1 * l.grad_b
            self.vb[i] = 0.999 * self.vb[i] + 0.001 * l.grad_b ** 2
            c1, c2 = 1 - 0.9 ** self.t, 1 - 0.999 ** self.t
            l.w -= self.lr * (self.mw[i] / c1) / (np.sqrt(self.vw[i] / c2) + 1e-8)
            l.b -= self.lr * (self.mb[i] / c1) / (np.sqrt(self.vb[i] / c2) + 1e-8)


def optimize_adam(compute_gradient: Callable, initial_params: np.ndarray, learning_rate: float = 0.001,
                  num_iterations: int = 100) -> Tuple[np.ndarray, List[np.ndarray]]:
    params = initial_params.copy()
    m = np.zeros_like(params)
    v = np.zeros_like(params)
    trajectory = [params.copy()]
    for t in range(1, num_iterations + 1):
        gradient = compute_gradient(params)
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient ** 2
        params = params - learning_rate * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
        trajectory.append(params.copy())
    return params, trajectory


class AdamFunctional2:
    """As in a functional library: init_state and apply_update, all static."""

    def __init__(self, learning_rate=1e-3):
        self.learning_rate = learning_rate

    def init_state(self, param):
        return (np.zeros_like(param), np.zeros_like(param))

    def apply_update(self, step, grad, param, state):
        m, v = state
        m = 0.9 * m + 0.1 * grad
        v = 0.999 * v + 0.001 * grad ** 2
        t = step + 1
        return param - self.learning_rate * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8), (m, v)


def nesterov_step(x, v, g, lr=0.01, mu=0.9):
    v = mu * v + g
    return x - lr * (g + mu * v), v


def adam_no_eps_root(param, grad, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return param - lr * m_hat / (np.sqrt(v_hat) - eps), m, v


def rms_wrong_avg(w, dw, cache, lr=0.01, rho=0.9, eps=1e-8):
    cache = rho * cache + dw**2
    return w - lr * dw / (np.sqrt(cache) + eps), cache


def momentum_double_lr(w, dw, v, lr=0.01, beta=0.9):
    v = beta * v + lr * dw
    return w - lr * v, v


class AdamForgetsState:
    def __init__(self, lr=0.001):
        self.lr = lr

    def update(self, layer):
        layer.mW = layer.mb = layer.vW = layer.vb = 0
        for n in ("W", "b"):
            g = layer.dW if n == "W" else layer.db
            m = 0.1 * g
            v = 0.001 * g**2
            step = self.lr * (m / 0.1) / (np.sqrt(v / 0.001) + 1e-8)
            if n == "W":
                layer.W = layer.W - step
            else:
                layer.b = layer.b - step


class AdamSharedMoments:
    def __init__(self, params, lr=0.001):
        self.params, self.lr, self.t, self.m, self.v = params, lr, 0, 0.0, 0.0

    def step(self):
        self.t += 1
        for p in self.params:
            self.m = 0.9 * self.m + 0.1 * np.mean(p.grad)
            self.v = 0.999 * self.v + 0.001 * np.mean(p.grad) ** 2
            p.data = p.data - self.lr * (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


def adagrad_decays(x, grad, cache, lr=0.01, eps=1e-10):
    cache = 0.99 * cache + grad**2
    return x - lr * grad / (np.sqrt(cache) + eps), cache


class MaxLikeAdam:
    def __init__(self, parameters, lr=0.001):
        self.parameters, self.lr, self.t = parameters, lr, 0
        self.m = [0.0 for _ in parameters]
        self.v = [0.0 for _ in parameters]

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            self.m[i] = 0.9 * self.m[i] + 0.1 * p.grad
            self.v[i] = np.maximum(0.999 * self.v[i], np.abs(p.grad))
            p.data -= self.lr * (self.m[i] / (1 - 0.9**self.t)) / (self.v[i] + 1e-8)


def run_adam(grad_fn, x0, steps, lr=0.001):
    xs, x, m, v = [x0], x0, 0.0, 0.0
    for k in range(1, steps + 1):
        g = grad_fn(x)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        x = x - lr * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
        xs.append(x)
    return np.array(xs)


def fit_adam(loss_and_grad, theta, n_epochs=20, lr=0.001):
    opt = {"m": np.zeros_like(theta), "v": np.zeros_like(theta)}
    for epoch in range(n_epochs):
        loss, dtheta = loss_and_grad(theta)
        opt["m"] = 0.9 * opt["m"] + 0.1 * dtheta
        opt["v"] = 0.999 * opt["v"] + 0.001 * dtheta**2
        theta = theta - lr * (opt["m"] / (1 - 0.9 ** (epoch + 1))) / (np.sqrt(opt["v"] / (1 - 0.999 ** (epoch + 1))) + 1e-8)
        if epoch % 10 == 0:
            print(f"epoch {epoch}: loss {loss}")
    return theta


def adam_with_hist(f, gradf, x_init, lr=0.001, max_iter=100, tol=1e-7, verbose=True):
    x = np.array(x_init, dtype=float)
    m = np.zeros_like(x)
    v = np.zeros_like(x)
    hist = {"x": [], "f": []}
    for t in range(1, max_iter + 1):
        g = gradf(x)
        if np.linalg.norm(g) < tol:
            break
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        x = x - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        hist["x"].append(x)
        hist["f"].append(f(x))
    return hist


class TensorLikeSGD:
    def __init__(self, parameters, alpha=0.1):
        self.parameters = parameters
        self.alpha = alpha

    def zero(self):
        for p in self.parameters:
            p.grad.data *= 0

    def step(self, zero=True):
        for p in self.parameters:
            p.data -= p.grad.data * self.alpha
            if zero:
                p.grad.data *= 0


class NeuronAdam:
    def __init__(self, model, lr=0.001):
        self.model, self.lr, self.t, self.ms, self.vs = model, lr, 0, {}, {}

    def step(self):
        self.t += 1
        for i, p in enumerate(self.model.parameters()):
            self.ms[i] = 0.9 * self.ms.get(i, 0.0) + 0.1 * p.grad
            self.vs[i] = 0.999 * self.vs.get(i, 0.0) + 0.001 * p.grad ** 2
            mh, vh = self.ms[i] / (1 - 0.9 ** self.t), self.vs[i] / (1 - 0.999 ** self.t)
            p.data -= self.lr * mh / (vh ** 0.5 + 1e-8)


class SgdWithMomentumLayer:
    def __init__(self, learning_rate=0.01, momentum_rate=0.9):
        self.learning_rate, self.momentum_rate, self.v = learning_rate, momentum_rate, None

    def calculate_update(self, weight_tensor, gradient_tensor):
        if self.v is None:
            self.v = np.zeros_like(weight_tensor)
        self.v = self.momentum_rate * self.v - self.learning_rate * gradient_tensor
        return weight_tensor + self.v


class KarpathyStyle:
    def __init__(self, model, learning_rate=1e-3, decay_rate=0.99):
        self.model = model
        self.rmsprop_cache = {k: np.zeros_like(v) for k, v in model.items()}
        self.learning_rate, self.decay_rate = learning_rate, decay_rate

    def update(self, grad_buffer):
        for k, v in self.model.items():
            g = grad_buffer[k]
            self.rmsprop_cache[k] = self.decay_rate * self.rmsprop_cache[k] + (1 - self.decay_rate) * g**2
            self.model[k] -= self.learning_rate * g / (np.sqrt(self.rmsprop_cache[k]) + 1e-5)


def update_rule(w, dw, lr, config):
    if not config:
        config = {"m": np.zeros_like(w), "v": np.zeros_like(w), "t": 0}
    config["t"] += 1
    config["m"] = 0.9 * config["m"] + 0.1 * dw
    config["v"] = 0.999 * config["v"] + 0.001 * dw**2
    mt = config["m"] / (1 - 0.9 ** config["t"])
    vt = config["v"] / (1 - 0.999 ** config["t"])
    return w - lr * mt / (np.sqrt(vt) + 1e-8), config


def optim_step(model_params, model_grads, opt_state, hyper={"lr": 1e-3, "b1": 0.9, "b2": 0.999}):
    opt_state["t"] += 1
    for i, (p, g) in enumerate(zip(model_params, model_grads)):
        m = opt_state["m"].setdefault(i, np.zeros_like(p))
        v = opt_state["v"].setdefault(i, np.zeros_like(p))
        m = hyper["b1"] * m + (1 - hyper["b1"]) * g
        v = hyper["b2"] * v + (1 - hyper["b2"]) * g**2
        opt_state["m"][i], opt_state["v"][i] = m, v
        p -= hyper["lr"] * (m / (1 - hyper["b1"] ** opt_state["t"])) / (np.sqrt(v / (1 - hyper["b2"] ** opt_state["t"])) + 1e-8)


def new_opt_state():
    return {"t": 0, "m": {}, "v": {}}


class AdamParamGroups:
    def __init__(self, params, lr=1e-3):
        self.groups = params if isinstance(params[0], dict) else [{"params": params, "lr": lr}]
        self.t, self.store = 0, {}

    def step(self):
        self.t += 1
        for group in self.groups:
            for p in group["params"]:
                m, v = self.store.get(id(p), (0, 0))
                m, v = 0.9 * m + 0.1 * p.grad, 0.999 * v + 0.001 * p.grad**2
                self.store[id(p)] = m, v
                p.value = p.value - group["lr"] * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)


class Trainer:
    """The step is a method among many."""

    def __init__(self, lr=0.001):
        self.lr, self.m, self.v, self.t = lr, {}, {}, 0

    def forward(self, x):
        return x

    def loss(self, x):
        return float(np.sum(x))

    def update(self, params, grads):
        self.t += 1
        for k, p in params.items():
            self.m[k] = 0.9 * self.m.get(k, 0) + 0.1 * grads[k]
            self.v[k] = 0.999 * self.v.get(k, 0) + 0.001 * grads[k]**2
            params[k] = p - self.lr * (self.m[k] / (1 - 0.9**self.t)) / (np.sqrt(self.v[k] / (1 - 0.999**self.t)) + 1e-8)


def adam_update_inplace_lists(weights, grads, ms, vs, t, learning_rate=0.001):
    for w, g, m, v in zip(weights, grads, ms, vs):
        m[:] = 0.9 * m + 0.1 * g
        v[:] = 0.999 * v + 0.001 * g**2
        w -= learning_rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


class State:
    def __init__(self, n):
        self.m, self.v, self.t = np.zeros(n), np.zeros(n), 0


def init_adam_state(n):
    return State(n)


def adam_state_object(x, g, state, lr=0.001):
    state.t += 1
    state.m = 0.9 * state.m + 0.1 * g
    state.v = 0.999 * state.v + 0.001 * g**2
    return x - lr * (state.m / (1 - 0.9**state.t)) / (np.sqrt(state.v / (1 - 0.999**state.t)) + 1e-8)


class LayerDictAdam:
    def __init__(self, lr=0.001):
        self.lr, self.t, self.mem = lr, 0, {}

    def update(self, layers):
        self.t += 1
        for i, layer in enumerate(layers):
            for key in layer.parameters.keys():
                g = layer.gradients[key]
                m, v = self.mem.get((i, key), (0, 0))
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                self.mem[i, key] = m, v
                layer.parameters[key] = layer.parameters[key] - self.lr * (m / (1 - 0.9**self.t)) / (
                    np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)


class ModuleSGD:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, module):
        for name, param in module.named_parameters():
            param.data = param.data - self.lr * param.grad


def build_optimizer(learning_rate=0.01, momentum=0.9):
    class _Momentum:
        def __init__(self):
            self.v = 0

        def step(self, params, grads):
            self.v = momentum * self.v + grads
            return params - learning_rate * self.v

    return _Momentum()


def adadelta_step(x, g, Eg2, Edx2, rho=0.95, eps=1e-6):
    Eg2 = rho * Eg2 + (1 - rho) * g**2
    dx = -np.sqrt(Edx2 + eps) / np.sqrt(Eg2 + eps) * g
    Edx2 = rho * Edx2 + (1 - rho) * dx**2
    return x + dx, Eg2, Edx2


def nag_velocity(w, dw, v, learning_rate=0.01, mu=0.9):
    v_prev = v
    v = mu * v - learning_rate * dw
    w += -mu * v_prev + (1 + mu) * v
    return w, v


class AdamaxUpdate:
    def __init__(self, lr=0.002, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.t, self.m, self.u = lr, beta1, beta2, 0, 0, 0

    def get_delta(self, g):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.u = np.maximum(self.beta2 * self.u, np.abs(g) + 1e-8)
        return -self.lr / (1 - self.beta1**self.t) * self.m / self.u


class get_updates:
    """Old Keras: get_updates(params, grads) returns the new ones."""

    def __init__(self, lr=0.001):
        self.lr, self.iterations, self.ms, self.vs = lr, 0, None, None

    def get_updates(self, params, grads):
        if self.ms is None:
            self.ms = [np.zeros(p.shape) for p in params]
            self.vs = [np.zeros(p.shape) for p in params]
        self.iterations += 1
        t = self.iterations
        lr_t = self.lr * np.sqrt(1. - 0.999**t) / (1. - 0.9**t)
        new = []
        for i, (p, g) in enumerate(zip(params, grads)):
            self.ms[i] = 0.9 * self.ms[i] + 0.1 * g
            self.vs[i] = 0.999 * self.vs[i] + 0.001 * g**2
            new.append(p - lr_t * self.ms[i] / (np.sqrt(self.vs[i]) + 1e-8))
        return new


def gradient_descent_with_momentum(gradient, start, learn_rate=0.01, momentum=0.9, n_iter=50, tolerance=1e-06):
    vector = start
    diff = 0
    for _ in range(n_iter):
        diff = momentum * diff - learn_rate * np.array(gradient(vector))
        if np.all(np.abs(diff) <= tolerance):
            break
        vector = vector + diff
    return vector


def signsgd(params, grads, lr=0.01):
    for p, g in zip(params, grads):
        p -= lr * np.sign(g)
