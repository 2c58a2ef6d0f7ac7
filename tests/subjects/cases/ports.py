"""Owners, flat vectors, networks with lists of weights, ports of other libraries: less usual ways to call a step."""
import math
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

CASES = {
    "NielsenSGD": ("sgd", True), "VariablesAdam": ("adam", True), "FlatAdam": ("adam", True),
    "UpdatableSGD": ("sgd", True), "adam_pure": ("adam", True), "AdamOverNet": ("adam", True),
    "ChainerAdam": ("adam", True), "adam_params_tree": ("adam", True), "make_optimizer": ("adam", True),
    "EmaFirst": ("adam", False), "ScalarAdam": ("adam", True), "OneWeightNet": ("rmsprop", True),
    "train_loop": ("sgd", True), "sgd_with_args": ("sgd", True), "coroutine_adam": ("adam", True),
    "DezeroLike": ("momentum", True), "adam_minimize_class": ("adam", True), "ReturnsBoth": ("momentum", True),
    "DictStateAdam": ("adam", True), "FromScratchAdam": ("adam", True), "LookupTable": ("adagrad", True),
    "scheduled": ("sgd", True), "adam_bias_slip": ("adam", False), "AdaBeliefMine": ("adabelief", True),
    "lion_class": ("lion", True), "gd_with_loss": ("sgd", True), "GradTape": ("adam", True),
    "update_network": ("sgd", True), "adam_torchless": ("adam", True), "ClipsFirst": ("sgd", False),
}


class NielsenSGD:
    def __init__(self, eta=0.01):
        self.eta = eta

    def update(self, weights, biases, nabla_w, nabla_b):
        weights = [w - self.eta * nw for w, nw in zip(weights, nabla_w)]
        biases = [b - self.eta * nb for b, nb in zip(biases, nabla_b)]
        return weights, biases


class VariablesAdam:
    def __init__(self, variables, lr=0.001):
        self.variables, self.lr, self.t = variables, lr, 0
        self.m = [0.0] * len(variables)
        self.v = [0.0] * len(variables)

    def minimize(self):
        self.t += 1
        for i, var in enumerate(self.variables):
            g = var.gradients
            self.m[i] = 0.9 * self.m[i] + 0.1 * g
            self.v[i] = 0.999 * self.v[i] + 0.001 * g * g
            var.values = var.values - self.lr * (self.m[i] / (1 - 0.9**self.t)) / (np.sqrt(self.v[i] / (1 - 0.999**self.t)) + 1e-8)


class FlatAdam:
    """As in evolution strategies: the policy has flat parameters."""

    def __init__(self, pi, stepsize=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.pi, self.dim, self.epsilon, self.t = pi, len(pi.get_flat()), epsilon, 0
        self.stepsize, self.beta1, self.beta2 = stepsize, beta1, beta2
        self.m = np.zeros(self.dim)
        self.v = np.zeros(self.dim)

    def update(self, globalg):
        self.t += 1
        a = self.stepsize * np.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        self.m = self.beta1 * self.m + (1 - self.beta1) * globalg
        self.v = self.beta2 * self.v + (1 - self.beta2) * (globalg * globalg)
        step = -a * self.m / (np.sqrt(self.v) + self.epsilon)
        theta = self.pi.get_flat()
        self.pi.set_flat(theta + step)
        return np.linalg.norm(step) / np.linalg.norm(theta)


class UpdatableSGD:
    def __init__(self, lr=0.1):
        self.lr = lr

    def step(self, model):
        new = [p - self.lr * g for p, g in zip(model.get_params(), model.get_grads())]
        model.set_params(new)


class AdamS(NamedTuple):
    params: np.ndarray
    m: np.ndarray
    v: np.ndarray
    t: int


def adam_pure(theta, dtheta, mom1, mom2, t, *, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    mom1_new = b1 * mom1 + (1 - b1) * dtheta
    mom2_new = b2 * mom2 + (1 - b2) * dtheta**2
    out = theta - lr * (mom1_new / (1 - b1**t)) / (np.sqrt(mom2_new / (1 - b2**t)) + eps), mom1_new, mom2_new
    return out


class AdamOverNet:
    def __init__(self, net, lr=0.001):
        self.net, self.lr, self.t = net, lr, 0
        self.m, self.v = {}, {}

    def step(self):
        self.t += 1
        for i, (p, g) in enumerate(self.net.params_and_grads()):
            self.m[i] = 0.9 * self.m.get(i, 0) + 0.1 * g
            self.v[i] = 0.999 * self.v.get(i, 0) + 0.001 * g**2
            p -= self.lr * (self.m[i] / (1 - 0.9**self.t)) / (np.sqrt(self.v[i] / (1 - 0.999**self.t)) + 1e-8)


class ChainerAdam:
    def __init__(self, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.alpha, self.beta1, self.beta2, self.eps, self.t = alpha, beta1, beta2, eps, 0

    def setup(self, target):
        self.target = target
        return self

    def update(self, target):
        self.t += 1
        for param in target.params():
            self.update_one(param)

    def update_one(self, param):
        if not hasattr(param, "m"):
            param.m, param.v = np.zeros_like(param.data), np.zeros_like(param.data)
        param.m += (1 - self.beta1) * (param.grad - param.m)
        param.v += (1 - self.beta2) * (param.grad * param.grad - param.v)
        lr = self.alpha * math.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        param.data -= lr * param.m / (np.sqrt(param.v) + self.eps * math.sqrt(1 - self.beta2**self.t))


def adam_params_tree(params, grads, opt, lr=1e-3):
    t = opt["t"] + 1
    new_p, new_m, new_v = OrderedDict(), {}, {}
    for k, p in params.items():
        new_m[k] = 0.9 * opt["m"][k] + 0.1 * grads[k]
        new_v[k] = 0.999 * opt["v"][k] + 0.001 * grads[k] ** 2
        new_p[k] = p - lr * (new_m[k] / (1 - 0.9**t)) / (np.sqrt(new_v[k] / (1 - 0.999**t)) + 1e-8)
    return new_p, {"t": t, "m": new_m, "v": new_v}


def init_opt(params):
    return {"t": 0, "m": {k: np.zeros_like(p) for k, p in params.items()}, "v": {k: np.zeros_like(p) for k, p in params.items()}}


def make_optimizer(lr=0.001, beta1=0.9, beta2=0.999):
    def init(params):
        return [np.zeros_like(params), np.zeros_like(params), 0]

    def step(params, grads, state):
        m, v, t = state
        t += 1
        m = beta1 * m + (1 - beta1) * grads
        v = beta2 * v + (1 - beta2) * grads**2
        params = params - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)
        return params, [m, v, t]

    return init, step


class EmaFirst:
    """The average starts at the first gradient, and is corrected none the less."""

    def __init__(self, params, lr=0.001):
        self.params, self.lr, self.t, self.m, self.v = params, lr, 0, {}, {}

    def step(self):
        self.t += 1
        for i, p in enumerate(self.params):
            self.m[i] = 0.9 * self.m[i] + 0.1 * p.grad if i in self.m else p.grad
            self.v[i] = 0.999 * self.v.get(i, 0) + 0.001 * p.grad**2
            p.data -= self.lr * (self.m[i] / (1 - 0.9**self.t)) / (np.sqrt(self.v[i] / (1 - 0.999**self.t)) + 1e-8)


class ScalarAdam:
    def __init__(self, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps
        self.m = self.v = 0.0
        self.t = 0

    def next_value(self, value: float, grad: float) -> float:
        self.t += 1
        self.m = self.b1 * self.m + (1.0 - self.b1) * grad
        self.v = self.b2 * self.v + (1.0 - self.b2) * grad * grad
        return value - self.lr * (self.m / (1.0 - math.pow(self.b1, self.t))) / (
            math.sqrt(self.v / (1.0 - math.pow(self.b2, self.t))) + self.eps)


class OneWeightNet:
    def __init__(self, lr=0.01):
        self.lr, self.cache = lr, 0

    def update(self, node):
        self.cache = 0.9 * self.cache + 0.1 * node.grad**2
        node.value = node.value - self.lr * node.grad / (np.sqrt(self.cache) + 1e-8)


def train_loop(grad_fn, params, lr, num_steps):
    trace = []
    for step in range(num_steps):
        params = params - lr * grad_fn(params)
        trace.append(params)
    return params, np.array(trace)


def sgd_with_args(fun, x0, jac, args=(), learning_rate=0.001, startiter=0, maxiter=1000, callback=None, **kwargs):
    """Written for scipy.optimize.minimize(method=...)."""
    x = x0
    for i in range(startiter, startiter + maxiter):
        g = jac(x, *args)
        if callback and callback(x):
            break
        x = x - learning_rate * g
    return x


def coroutine_adam(x, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = t = 0
    g = yield x
    while True:
        t += 1
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        x = x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        g = yield x


class DezeroOptimizer:
    def __init__(self):
        self.target = None
        self.hooks = []

    def setup(self, target):
        self.target = target
        return self

    def update(self):
        params = [p for p in self.target.params() if p.grad is not None]
        for f in self.hooks:
            f(params)
        for param in params:
            self.update_one(param)


class DezeroLike(DezeroOptimizer):
    def __init__(self, lr=0.01, momentum=0.9):
        super().__init__()
        self.lr, self.momentum, self.vs = lr, momentum, {}

    def update_one(self, param):
        v_key = id(param)
        if v_key not in self.vs:
            self.vs[v_key] = np.zeros_like(param.data)
        v = self.vs[v_key]
        v *= self.momentum
        v -= self.lr * param.grad.data
        param.data += v


class adam_minimize_class:
    def __init__(self, f, grad, x0, lr=0.001, max_iter=100):
        self.f, self.grad, self.x, self.lr, self.max_iter = f, grad, x0, lr, max_iter

    def run(self):
        m = v = 0
        for t in range(1, self.max_iter + 1):
            g = self.grad(self.x)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            self.x = self.x - self.lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return self.x


class ReturnsBoth:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, 0

    def update(self, w, dw):
        self.v = self.mu * self.v + dw
        delta = -self.lr * self.v
        return w + delta, delta


class DictStateAdam:
    def __init__(self, lr=0.001):
        self.lr = lr

    def update(self, param, grad, state):
        state["t"] = state.get("t", 0) + 1
        state["m"] = 0.9 * state.get("m", 0) + 0.1 * grad
        state["v"] = 0.999 * state.get("v", 0) + 0.001 * grad**2
        return param - self.lr * (state["m"] / (1 - 0.9 ** state["t"])) / (np.sqrt(state["v"] / (1 - 0.999 ** state["t"])) + 1e-8)


class FromScratchAdam:
    def __init__(self, model, learning_rate=0.001):
        self.model, self.learning_rate, self.t, self.cache = model, learning_rate, 0, {}

    def step(self):
        self.t += 1
        for i, layer in enumerate(self.model.layers):
            if not hasattr(layer, "weights"):
                continue
            for name, grad in (("weights", layer.grad_weights), ("bias", layer.grad_bias)):
                m, v = self.cache.get((i, name), (0, 0))
                m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
                self.cache[i, name] = m, v
                step = self.learning_rate * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)
                if name == "weights":
                    layer.weights -= step
                else:
                    layer.bias -= step


class LookupTable:
    def __init__(self, lr=0.01):
        self.lr, self.h = lr, {}

    def __call__(self, params, grads):
        for key, g in grads.items():
            self.h[key] = self.h.get(key, 0) + g * g
            params[key] = params[key] - self.lr * g / (np.sqrt(self.h[key]) + 1e-10)


def scheduled(w, dw, epoch, lr=0.01, decay=0.0):
    return w - lr / (1 + decay * epoch) * dw


def adam_bias_slip(parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for l in range(1, len(parameters) // 2 + 1):
        for p in ("W", "b"):
            k = "d" + p + str(l)
            v[k] = beta1 * v[k] + (1 - beta1) * grads[k]
            s[k] = beta2 * s[k] + (1 - beta2) * grads[k] ** 2
            vc = v[k] / (1 - beta1**t)
            sc = s[k] / (1 - beta2**t) if p == "W" else s[k]
            parameters[p + str(l)] -= learning_rate * vc / (np.sqrt(sc) + epsilon)
    return parameters, v, s


class AdaBeliefMine:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-16):
        self.params, self.lr, self.betas, self.eps, self.t = params, lr, betas, eps, 0
        self.m = [np.zeros_like(p) for p in params]
        self.s = [np.zeros_like(p) for p in params]

    def step(self, grads):
        self.t += 1
        b1, b2 = self.betas
        for i, g in enumerate(grads):
            self.m[i] = b1 * self.m[i] + (1 - b1) * g
            self.s[i] = b2 * self.s[i] + (1 - b2) * (g - self.m[i]) ** 2 + self.eps
            self.params[i] -= self.lr * (self.m[i] / (1 - b1**self.t)) / (np.sqrt(self.s[i] / (1 - b2**self.t)) + self.eps)


class lion_class:
    def __init__(self, parameters, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
        self.parameters, self.lr, self.beta1, self.beta2, self.weight_decay = parameters, lr, beta1, beta2, weight_decay
        self.m = {}

    def step(self):
        for i, p in enumerate(self.parameters):
            m = self.m.get(i, 0.0)
            p.data = p.data - self.lr * (np.sign(self.beta1 * m + (1 - self.beta1) * p.grad) + self.weight_decay * p.data)
            self.m[i] = self.beta2 * m + (1 - self.beta2) * p.grad


def gd_with_loss(x, loss_grad, lr=0.1, n=30):
    losses = []
    for _ in range(n):
        loss, g = loss_grad(x)
        losses.append(loss)
        x = x - lr * g
    return x, losses


class GradTape:
    def __init__(self, learning_rate=0.001):
        self.learning_rate, self.t, self.slots = learning_rate, 0, {}

    def apply_gradients(self, zipped):
        self.t += 1
        for i, (g, v) in enumerate(zipped):
            m, s = self.slots.get(i, (0, 0))
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            self.slots[i] = m, s
            v[...] = v - self.learning_rate * (m / (1 - 0.9**self.t)) / (np.sqrt(s / (1 - 0.999**self.t)) + 1e-8)


def update_network(network, learning_rate=0.01):
    for layer in network.layers:
        layer.weights -= learning_rate * layer.weights_gradient
        layer.biases -= learning_rate * layer.biases_gradient


def adam_torchless(named_params, named_grads, memory, lr=0.001):
    memory["step"] = memory.get("step", 0) + 1
    for name in named_params:
        m = memory.setdefault("m_" + name, np.zeros_like(named_params[name]))
        v = memory.setdefault("v_" + name, np.zeros_like(named_params[name]))
        m += 0.1 * (named_grads[name] - m)
        v += 0.001 * (named_grads[name] ** 2 - v)
        t = memory["step"]
        named_params[name] -= lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


class ClipsFirst:
    """Every gradient is clipped to [-1, 1] first, which nobody said."""

    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, layer):
        layer.weights -= self.lr * np.clip(layer.dweights, -1, 1)
        layer.biases -= self.lr * np.clip(layer.dbiases, -1, 1)
