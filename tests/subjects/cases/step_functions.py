"""Steps as functions whose states go through the arguments, in many orders and spellings; updates alone."""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

CASES = {
    "adam_step": ("adam", True), "adam_late_param": ("adam", True), "adam_grad_first": ("adam", True),
    "adam_tuple_state": ("adam", True), "adam_typed": ("adam", True), "adam_inplace": ("adam", True),
    "adam_zero_based": ("adam", True), "adam_returns_t": ("adam", True), "adam_as_dict": ("adam", True),
    "adam_lists": ("adam", True), "momentum_step": ("momentum", True), "momentum_positional": ("momentum", True),
    "adagrad_step": ("adagrad", True), "rmsprop_update": ("rmsprop", True), "get_adam_update": ("adam", True),
    "sgd_update": ("sgd", True), "lion_step": ("lion", True), "lion_wrong": ("lion", False),
    "adam_math": ("adam", True), "adam_global": ("adam", True), "adam_attribute": ("adam", True),
    "adam_wb": ("adam", True), "adam_wb_slip": ("adam", False), "adam_swapped_betas": ("adam", False),
    "adam_dataclass": ("adam", True), "adam_namedtuple": ("adam", True), "adamw_step": ("adamw", True),
    "adamw_coupled": ("adamw", False), "adam_nested": ("adam", True), "adam_mutable_default": ("adam", True),
}


def adam_step(param, grad, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    param = param - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return param, m, v


def adam_late_param(m, v, t, theta, g, alpha=0.001, b1=0.9, b2=0.999, epsilon=1e-8):
    m_new = b1 * m + (1 - b1) * g
    v_new = b2 * v + (1 - b2) * g * g
    mhat, vhat = m_new / (1 - b1**t), v_new / (1 - b2**t)
    theta_new = theta - alpha * mhat / (np.sqrt(vhat) + epsilon)
    return m_new, v_new, theta_new


def adam_grad_first(grads, weights, first_moment, second_moment, step, learning_rate=1e-3):
    first_moment = 0.9 * first_moment + 0.1 * grads
    second_moment = 0.999 * second_moment + 0.001 * np.square(grads)
    first_unbias = first_moment / (1 - 0.9**step)
    second_unbias = second_moment / (1 - 0.999**step)
    weights = weights - learning_rate * first_unbias / (np.sqrt(second_unbias) + 1e-8)
    return weights, first_moment, second_moment


def init_state(x):
    return np.zeros_like(x), np.zeros_like(x), 0


def adam_tuple_state(x, grad, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    m, v, t = state
    t = t + 1
    m = b1 * m + (1 - b1) * grad
    v = b2 * v + (1 - b2) * grad**2
    x = x - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return x, (m, v, t)


def adam_typed(
    theta: np.ndarray,
    gradient: np.ndarray,
    moment1: np.ndarray,
    moment2: np.ndarray,
    timestep: int,
    *,
    learning_rate: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    b1, b2 = betas
    moment1 = b1 * moment1 + (1 - b1) * gradient
    moment2 = b2 * moment2 + (1 - b2) * gradient * gradient
    corrected1 = moment1 / (1 - b1**timestep)
    corrected2 = moment2 / (1 - b2**timestep)
    return theta - learning_rate * corrected1 / (np.sqrt(corrected2) + epsilon), moment1, moment2


def adam_inplace(w, dw, m, v, t, lr=0.001):
    m[...] = 0.9 * m + 0.1 * dw
    v[...] = 0.999 * v + 0.001 * dw * dw
    w -= lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def adam_zero_based(x, g, m, v, i, step_size=0.001, b1=0.9, b2=0.999, eps=10**-8):
    m = (1 - b1) * g + b1 * m
    v = (1 - b2) * (g**2) + b2 * v
    mhat = m / (1 - b1 ** (i + 1))
    vhat = v / (1 - b2 ** (i + 1))
    return x - step_size * mhat / (np.sqrt(vhat) + eps), m, v


def adam_returns_t(w, grad_w, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    t += 1
    m = beta1 * m + (1 - beta1) * grad_w
    v = beta2 * v + (1 - beta2) * np.power(grad_w, 2)
    m_hat = m / (1 - np.power(beta1, t))
    v_hat = v / (1 - np.power(beta2, t))
    w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
    return w, m, v, t


def adam_as_dict(x, grad, m=None, v=None, t=1, lr=0.001):
    if m is None:
        m, v = 0 * x, 0 * x
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * grad**2
    x = x - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return {"x": x, "m": m, "v": v}


def adam_lists(params, grads, ms, vs, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    for i in range(len(params)):
        ms[i] = beta1 * ms[i] + (1 - beta1) * grads[i]
        vs[i] = beta2 * vs[i] + (1 - beta2) * grads[i] ** 2
        m_hat = ms[i] / (1 - beta1**t)
        v_hat = vs[i] / (1 - beta2**t)
        params[i] = params[i] - lr * m_hat / (np.sqrt(v_hat) + eps)
    return params, ms, vs


def momentum_step(w, dw, v, lr=0.01, beta=0.9):
    v = beta * v + dw
    return w - lr * v, v


def momentum_positional(theta, grad, velocity, learning_rate, gamma):
    velocity = gamma * velocity + learning_rate * grad
    theta = theta - velocity
    return theta, velocity


def adagrad_step(x, grad, cache, lr=0.01, eps=1e-10):
    cache += grad**2
    x -= lr * grad / (np.sqrt(cache) + eps)
    return x, cache


def rmsprop_update(theta, d_theta, s, lr=0.01, beta=0.9, epsilon=1e-8):
    s = beta * s + (1 - beta) * np.square(d_theta)
    return theta - lr * d_theta / (np.sqrt(s) + epsilon), s


def get_adam_update(grad, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    update = lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return update, m, v


def sgd_update(w, dw, lr=0.01):
    return -lr * dw


def lion_step(p, g, m, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
    update = np.sign(beta1 * m + (1 - beta1) * g)
    p = p - lr * (update + weight_decay * p)
    m = beta2 * m + (1 - beta2) * g
    return p, m


def lion_wrong(p, g, m, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
    m = beta2 * m + (1 - beta2) * g
    update = np.sign(beta1 * m + (1 - beta1) * g)
    p = p - lr * (update + weight_decay * p)
    return p, m


def adam_math(x, dx, m, v, t, lr=0.001):
    m = 0.9 * m + 0.1 * dx
    v = 0.999 * v + 0.001 * dx * dx
    return x - lr * m / (1 - 0.9**t) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


m = 0
v = 0
t = 0


def adam_global(w, grad):
    global m, v, t
    t += 1
    m = 0.9 * m + (1 - 0.9) * grad
    v = 0.999 * v + (1 - 0.999) * grad**2
    mhat = m / (1 - 0.9**t)
    vhat = v / (1 - 0.999**t)
    return w - 0.001 * mhat / (np.sqrt(vhat) + 1e-8)


def adam_attribute(w, grad, lr=0.001):
    self = adam_attribute
    if not hasattr(self, "t"):
        self.t, self.m, self.v = 0, 0, 0
    self.t += 1
    self.m = 0.9 * self.m + 0.1 * grad
    self.v = 0.999 * self.v + 0.001 * grad**2
    return w - lr * (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


def adam_wb(w, b, dw, db, m_dw, m_db, v_dw, v_db, t, eta=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m_dw = beta1 * m_dw + (1 - beta1) * dw
    m_db = beta1 * m_db + (1 - beta1) * db
    v_dw = beta2 * v_dw + (1 - beta2) * (dw**2)
    v_db = beta2 * v_db + (1 - beta2) * (db**2)
    w = w - eta * (m_dw / (1 - beta1**t)) / (np.sqrt(v_dw / (1 - beta2**t)) + epsilon)
    b = b - eta * (m_db / (1 - beta1**t)) / (np.sqrt(v_db / (1 - beta2**t)) + epsilon)
    return w, b, m_dw, m_db, v_dw, v_db


def adam_wb_slip(w, b, dw, db, m_dw, m_db, v_dw, v_db, t, eta=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m_dw = beta1 * m_dw + (1 - beta1) * dw
    m_db = beta1 * m_db + (1 - beta1) * db
    v_dw = beta2 * v_dw + (1 - beta2) * (dw**2)
    v_db = beta2 * v_db + (1 - beta2) * db
    w = w - eta * (m_dw / (1 - beta1**t)) / (np.sqrt(v_dw / (1 - beta2**t)) + epsilon)
    b = b - eta * (m_db / (1 - beta1**t)) / (np.sqrt(v_db / (1 - beta2**t)) + epsilon)
    return w, b, m_dw, m_db, v_dw, v_db


def adam_swapped_betas(param, grad, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta2 * m + (1 - beta2) * grad
    v = beta1 * v + (1 - beta1) * grad**2
    param = param - lr * (m / (1 - beta2**t)) / (np.sqrt(v / (1 - beta1**t)) + eps)
    return param, m, v


@dataclass
class AdamState:
    step: int = 0
    m: np.ndarray = field(default_factory=lambda: np.zeros(()))
    v: np.ndarray = field(default_factory=lambda: np.zeros(()))


def make_adam_state() -> AdamState:
    return AdamState()


def adam_dataclass(params: np.ndarray, grads: np.ndarray, state: AdamState, lr: float = 1e-3) -> tuple[np.ndarray, AdamState]:
    step = state.step + 1
    m = 0.9 * state.m + 0.1 * grads
    v = 0.999 * state.v + 0.001 * grads**2
    params = params - lr * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return params, AdamState(step, m, v)


class OptState(NamedTuple):
    count: int
    mu: np.ndarray
    nu: np.ndarray


def create_opt_state(params):
    return OptState(0, np.zeros_like(params), np.zeros_like(params))


def adam_namedtuple(opt_state, grads, params, learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    count = opt_state.count + 1
    mu = b1 * opt_state.mu + (1 - b1) * grads
    nu = b2 * opt_state.nu + (1 - b2) * grads**2
    updates = learning_rate * (mu / (1 - b1**count)) / (np.sqrt(nu / (1 - b2**count)) + eps)
    return params - updates, OptState(count, mu, nu)


def adamw_step(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    theta = theta * (1 - lr * weight_decay)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    theta = theta - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return theta, m, v


def adamw_coupled(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    g = g + weight_decay * theta
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    theta = theta - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return theta, m, v


def adam_nested(w, dw, moments, t, lr=0.001):
    m, v = moments
    m = 0.9 * m + 0.1 * dw
    v = 0.999 * v + 0.001 * dw**2
    w = w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w, (m, v)


def adam_mutable_default(w, dw, t, cache={"m": 0, "v": 0}, lr=0.001):
    cache["m"] = 0.9 * cache["m"] + 0.1 * dw
    cache["v"] = 0.999 * cache["v"] + 0.001 * dw**2
    return w - lr * (cache["m"] / (1 - 0.9**t)) / (np.sqrt(cache["v"] / (1 - 0.999**t)) + 1e-8)
