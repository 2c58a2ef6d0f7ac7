"""Factories, closures, triples, generators, functional classes, callables."""
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any, Callable, NamedTuple

import numpy as np

CASES = {
    "make_adam": ("adam", True), "make_adam_wrong": ("adam", False), "make_momentum": ("momentum", True),
    "triple_adam": ("adam", True), "triple_wrong": ("adam", False), "pair_adam": ("adam", True),
    "named_pair": ("momentum", True), "dict_of_functions": ("sgd", True), "adam_generator": ("adam", True),
    "sgd_generator": ("sgd", True), "CallableAdam": ("adam", True), "FunctionalAdam": ("adam", True),
    "MethodState": ("adam", True), "GetUpdate": ("adam", True), "KerasLike": ("adam", True),
    "owned_closure": ("adam", True), "DataclassAdam": ("adam", True), "factory_of_object": ("rmsprop", True),
    "PerParameter": ("adam", True), "MatrixOnly": ("adam", True), "StaticStep": ("sgd", True),
    "GetUpdateWrong": ("adam", False), "LearningRateInit": ("adam", True), "curried": ("adam", True),
    "SklearnLike": ("adam", True), "GenericUpdate": ("adagrad", True),
}


def make_adam(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0
    t = 0

    def step(x, g):
        nonlocal m, v, t
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        return x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)

    return step


def make_adam_wrong(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = t = 0

    def step(x, g):
        nonlocal m, v, t
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m = m / (1 - beta1 ** (t + 1))
        t += 1
        return x - lr * m / (np.sqrt(v / (1 - beta2**t)) + eps)

    return step


def make_momentum(learning_rate, mu=0.9):
    state = {"v": 0}

    def update(w, dw):
        state["v"] = mu * state["v"] + dw
        w -= learning_rate * state["v"]
        return w

    return update


def triple_adam(step_size, b1=0.9, b2=0.999, eps=1e-8):
    def init(x0):
        m0 = np.zeros_like(x0)
        v0 = np.zeros_like(x0)
        return x0, m0, v0

    def update(i, g, state):
        x, m, v = state
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * np.square(g) + b2 * v
        mhat = m / (1 - b1 ** (i + 1))
        vhat = v / (1 - b2 ** (i + 1))
        x = x - step_size * mhat / (np.sqrt(vhat) + eps)
        return x, m, v

    def get_params(state):
        x, _, _ = state
        return x

    return init, update, get_params


def triple_wrong(step_size, b1=0.9, b2=0.999, eps=1e-8):
    def init(x0):
        return x0, np.zeros_like(x0), np.zeros_like(x0)

    def update(i, g, state):
        x, m, v = state
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * np.square(g) + b2 * v
        mhat = m / (1 - b1 ** (i + 1))
        vhat = v / (1 - b2 ** (i + 1))
        return x - step_size * mhat / np.sqrt(vhat + eps), m, v

    return init, update, lambda state: state[0]


class ScaleByAdamState(NamedTuple):
    count: int
    mu: Any
    nu: Any


def pair_adam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    def init_fn(params):
        return ScaleByAdamState(0, np.zeros_like(params), np.zeros_like(params))

    def update_fn(updates, state, params=None):
        count = state.count + 1
        mu = b1 * state.mu + (1 - b1) * updates
        nu = b2 * state.nu + (1 - b2) * updates**2
        scaled = -learning_rate * (mu / (1 - b1**count)) / (np.sqrt(nu / (1 - b2**count)) + eps)
        return scaled, ScaleByAdamState(count, mu, nu)

    return init_fn, update_fn


Optimizer = namedtuple("Optimizer", ["init", "update"])


def named_pair(lr=0.01, beta=0.9):
    def init(params):
        return np.zeros_like(params)

    def update(grads, state, params):
        state = beta * state + grads
        return params - lr * state, state

    return Optimizer(init, update)


def dict_of_functions(lr=0.1):
    return {"init": lambda params: None, "update": lambda params, grads, state: (params - lr * grads, state)}


def adam_generator(x0, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    x, m, v, t = x0, 0, 0, 0
    while True:
        g = yield x
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def sgd_generator(params, learning_rate=0.01):
    grad = yield
    while True:
        params = params - learning_rate * grad
        grad = yield params


class CallableAdam:
    def __init__(self, alpha=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.alpha, self.beta_1, self.beta_2, self.epsilon = alpha, beta_1, beta_2, epsilon
        self.m = self.v = self.t = 0

    def __call__(self, theta, grad_theta):
        self.t += 1
        self.m = self.beta_1 * self.m + (1 - self.beta_1) * grad_theta
        self.v = self.beta_2 * self.v + (1 - self.beta_2) * grad_theta**2
        return theta - self.alpha * (self.m / (1 - self.beta_1**self.t)) / (
            np.sqrt(self.v / (1 - self.beta_2**self.t)) + self.epsilon)


class FunctionalAdam:
    """state = opt.init(params); params, state = opt.update(params, grads, state)"""

    def __init__(self, lr=1e-3):
        self.lr = lr

    def init(self, params):
        return {"m": np.zeros_like(params), "v": np.zeros_like(params), "t": 0}

    def update(self, params, grads, state):
        t = state["t"] + 1
        m = 0.9 * state["m"] + 0.1 * grads
        v = 0.999 * state["v"] + 0.001 * grads**2
        new = params - self.lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return new, {"m": m, "v": v, "t": t}


class MethodState:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t = lr, beta1, beta2, eps, 0

    def update(self, param, grad, m, v):
        self.t += 1
        m = self.beta1 * m + (1 - self.beta1) * grad
        v = self.beta2 * v + (1 - self.beta2) * grad**2
        param = param - self.lr * (m / (1 - self.beta1**self.t)) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.eps)
        return param, m, v


class GetUpdate:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = 0
        self.t = 0

    def get_update(self, grad):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad**2
        return self.lr * (self.m / (1 - self.beta1**self.t)) / (np.sqrt(self.v / (1 - self.beta2**self.t)) + self.eps)


class GetUpdateWrong(GetUpdate):
    def get_update(self, grad):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad**2
        return self.lr * (self.m / (1 - self.beta1**self.t)) / (np.sqrt(self.v / (1 - self.beta2**self.t) + self.eps))


class KerasLike:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.iterations, self.slots = 0, {}

    def apply_gradients(self, grads_and_vars):
        self.iterations += 1
        for i, (grad, var) in enumerate(grads_and_vars):
            m, v = self.slots.get(i, (np.zeros_like(var), np.zeros_like(var)))
            m = self.beta_1 * m + (1 - self.beta_1) * grad
            v = self.beta_2 * v + (1 - self.beta_2) * grad * grad
            self.slots[i] = (m, v)
            m_hat, v_hat = m / (1 - self.beta_1**self.iterations), v / (1 - self.beta_2**self.iterations)
            var -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


def owned_closure(params, lr=0.001):
    m = [np.zeros_like(p) for p in params]
    v = [np.zeros_like(p) for p in params]
    t = 0

    def step(grads):
        nonlocal t
        t += 1
        for i, g in enumerate(grads):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            params[i] -= lr * (m[i] / (1 - 0.9**t)) / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)

    return step


@dataclass
class DataclassAdam:
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    t: int = 0
    m: dict = field(default_factory=dict)
    v: dict = field(default_factory=dict)

    def step(self, params: dict[str, np.ndarray], grads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.t += 1
        out = {}
        for name, p in params.items():
            g = grads[name]
            self.m[name] = self.beta1 * self.m.get(name, 0) + (1 - self.beta1) * g
            self.v[name] = self.beta2 * self.v.get(name, 0) + (1 - self.beta2) * g**2
            m_hat = self.m[name] / (1 - self.beta1**self.t)
            v_hat = self.v[name] / (1 - self.beta2**self.t)
            out[name] = p - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
        return out


class _RMS:
    def __init__(self, lr, rho):
        self.lr, self.rho, self.s = lr, rho, 0

    def update(self, w, dw):
        self.s = self.rho * self.s + (1 - self.rho) * dw**2
        return w - self.lr * dw / (np.sqrt(self.s) + 1e-8)


def factory_of_object(lr=0.01, rho=0.9):
    return _RMS(lr, rho)


class PerParameter:
    """One for each parameter, made of its shape."""

    def __init__(self, shape, eta=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.m, self.v, self.t = np.zeros(shape), np.zeros(shape), 0
        self.eta, self.beta1, self.beta2, self.epsilon = eta, beta1, beta2, epsilon

    def calculate_update(self, w, grad_wrt_w):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad_wrt_w
        self.v = self.beta2 * self.v + (1 - self.beta2) * np.power(grad_wrt_w, 2)
        m_hat, v_hat = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        return w - self.eta * m_hat / (np.sqrt(v_hat) + self.epsilon)

    update = calculate_update


class MatrixOnly:
    def __init__(self, lr=0.001):
        self.lr, self.t, self.m, self.v = lr, 0, None, None

    def update(self, W, dW):
        rows, cols = W.shape
        if self.m is None:
            self.m, self.v = np.zeros((rows, cols)), np.zeros((rows, cols))
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * dW
        self.v = 0.999 * self.v + 0.001 * dW**2
        return W - self.lr * (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


class StaticStep:
    @staticmethod
    def step(params, grads, lr=0.01):
        return [p - lr * g for p, g in zip(params, grads)]


class LearningRateInit:
    def __init__(self, learning_rate_init=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = learning_rate_init, beta_1, beta_2, epsilon
        self.t, self.m, self.v = 0, 0.0, 0.0

    def update(self, w, grad):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad**2
        m_hat, v_hat = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        return w - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


def curried(lr: float = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Callable:
    def step(theta, g, state=None):
        m, v, t = state if state is not None else (0.0, 0.0, 0)
        t = t + 1
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        theta = theta - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        return theta, (m, v, t)

    return step


class SklearnLike:
    def __init__(self, params, learning_rate_init=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.params = [param for param in params]
        self.learning_rate_init = learning_rate_init
        self.beta_1, self.beta_2, self.epsilon, self.t = beta_1, beta_2, epsilon, 0
        self.ms = [np.zeros_like(param) for param in params]
        self.vs = [np.zeros_like(param) for param in params]

    def update_params(self, params, grads):
        updates = self._get_updates(grads)
        for param, update in zip((p for p in params), updates):
            param += update

    def _get_updates(self, grads):
        self.t += 1
        self.ms = [self.beta_1 * m + (1 - self.beta_1) * grad for m, grad in zip(self.ms, grads)]
        self.vs = [self.beta_2 * v + (1 - self.beta_2) * (grad**2) for v, grad in zip(self.vs, grads)]
        self.learning_rate = (
            self.learning_rate_init * np.sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        )
        return [-self.learning_rate * m / (np.sqrt(v) + self.epsilon) for m, v in zip(self.ms, self.vs)]


class GenericUpdate:
    def __init__(self, lr=0.01):
        self.lr, self.h = lr, None

    def update(self, params, grads):
        if self.h is None:
            self.h = {}
            for key, val in params.items():
                self.h[key] = np.zeros_like(val)
        for key in params.keys():
            self.h[key] += grads[key] * grads[key]
            params[key] -= self.lr * grads[key] / (np.sqrt(self.h[key]) + 1e-7)
