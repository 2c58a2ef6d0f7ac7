"""Right optimizers as people write them, as texts to be made wrong. They know nothing of mhat, nor of any slip."""

from __future__ import annotations

# The rule that each is, what of its text is called, and the text.
ORIGINALS: tuple[tuple[str, str, str], ...] = (
    ("adam", "adam", '''\
import numpy as np


def adam(gradients, start=0.0, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    x = np.array(np.broadcast_to(start, np.shape(gradients)[1:]), float)
    m = np.zeros_like(x)
    v = np.zeros_like(x)
    xs = []
    for i, g in enumerate(gradients):
        t = i + 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x = x - lr * m_hat / (np.sqrt(v_hat) + eps)
        xs.append(x.copy())
    return np.array(xs)
'''),
    ("adam", "Adam", '''\
import numpy as np


class Adam:
    def __init__(self, learning_rate=0.001, b1=0.9, b2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.b1 = b1
        self.b2 = b2
        self.epsilon = epsilon
        self.ms = None
        self.vs = None
        self.steps = 0

    def step(self, params, grads):
        if self.ms is None:
            self.ms = [np.zeros_like(p) for p in params]
            self.vs = [np.zeros_like(p) for p in params]
        self.steps += 1
        c1 = 1 - self.b1**self.steps
        c2 = 1 - self.b2**self.steps
        for p, g, m, v in zip(params, grads, self.ms, self.vs):
            m *= self.b1
            m += (1 - self.b1) * g
            v *= self.b2
            v += (1 - self.b2) * g * g
            p -= self.learning_rate / c1 * m / (np.sqrt(v) / np.sqrt(c2) + self.epsilon)
'''),
    ("adam", "adam_floats", '''\
import math


def adam_floats(gradients, lr=0.01, beta1=0.9, beta2=0.99, eps=1e-7):
    w = 0.0
    first = 0.0
    second = 0.0
    path = []
    for t, g in enumerate(gradients, 1):
        first = first + (1 - beta1) * (g - first)
        second = second + (1 - beta2) * (g * g - second)
        unbiased = first / (1 - beta1**t)
        spread = second / (1 - beta2**t)
        w -= lr * unbiased / (math.sqrt(spread) + eps)
        path.append(w)
    return path
'''),
    ("adamw", "AdamW", '''\
import torch


class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                m, v = state["exp_avg"], state["exp_avg_sq"]
                state["step"] += 1
                p.mul_(1 - group["lr"] * group["weight_decay"])
                m.mul_(beta1).add_(p.grad, alpha=1 - beta1)
                v.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
                size = group["lr"] / (1 - beta1 ** state["step"])
                denom = (v / (1 - beta2 ** state["step"])).sqrt().add_(group["eps"])
                p.addcdiv_(m, denom, value=-size)
'''),
    ("rmsprop", "RMSProp", '''\
import numpy as np


class RMSProp:
    def __init__(self, lr=0.01, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps = lr, rho, eps
        self.cache = {}

    def update(self, params, grads):
        for key in params:
            if key not in self.cache:
                self.cache[key] = np.zeros_like(params[key])
            self.cache[key] = self.rho * self.cache[key] + (1 - self.rho) * grads[key] ** 2
            params[key] -= self.lr * grads[key] / (np.sqrt(self.cache[key]) + self.eps)
'''),
    ("nesterov", "nesterov_step", '''\
def nesterov_step(w, dw, config):
    v = config.get("velocity", 0.0 * w)
    mu = config.get("momentum", 0.9)
    v = mu * v + dw
    w = w - config["learning_rate"] * (dw + mu * v)
    config["velocity"] = v
    return w, config
'''),
    ("adagrad", "Adagrad", '''\
import numpy as np


class Adagrad:
    def __init__(self, lr=0.01, eps=1e-10):
        self.lr = lr
        self.eps = eps
        self.history = 0.0

    def step(self, x, grad):
        self.history = self.history + np.square(grad)
        return x - self.lr * grad / (np.sqrt(self.history) + self.eps)
'''),
    ("amsgrad", "AMSGrad", '''\
import numpy as np


class AMSGrad:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.t = 0
        self.state = {}

    def step(self, params, grads):
        self.t += 1
        for i, (p, g) in enumerate(zip(params, grads)):
            s = self.state.setdefault(i, {"m": np.zeros_like(p), "v": np.zeros_like(p), "top": np.zeros_like(p)})
            s["m"] = self.beta1 * s["m"] + (1 - self.beta1) * g
            s["v"] = self.beta2 * s["v"] + (1 - self.beta2) * g**2
            s["top"] = np.maximum(s["top"], s["v"])
            m_hat = s["m"] / (1 - self.beta1**self.t)
            v_hat = s["top"] / (1 - self.beta2**self.t)
            p[...] = p - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
'''),
    ("adamax", "adamax", '''\
import numpy as np


def adamax(gradients, start=0.0, alpha=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
    x = np.array(np.broadcast_to(start, np.shape(gradients)[1:]), float)
    m, u = np.zeros_like(x), np.zeros_like(x)
    out = np.empty_like(gradients)
    for t in range(1, len(gradients) + 1):
        g = gradients[t - 1]
        m = beta1 * m + (1 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g) + eps)
        x = x - alpha / (1 - beta1**t) * m / u
        out[t - 1] = x
    return out
'''),
    ("adabelief", "AdaBelief", '''\
import numpy as np


class AdaBelief:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.s = 0.0
        self.t = 0

    def step(self, x, g):
        self.t = self.t + 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        surprise = g - self.m
        self.s = self.beta2 * self.s + (1 - self.beta2) * surprise**2 + self.eps
        corrected_m = self.m / (1 - self.beta1**self.t)
        corrected_s = self.s / (1 - self.beta2**self.t)
        return x - self.lr * corrected_m / (np.sqrt(corrected_s) + self.eps)
'''),
    ("lion", "Lion", '''\
import numpy as np


class Lion:
    def __init__(self, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.1):
        self.lr, self.beta1, self.beta2, self.weight_decay = lr, beta1, beta2, weight_decay
        self.m = None

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(p) for p in params]
        for i, (p, g) in enumerate(zip(params, grads)):
            direction = np.sign(self.beta1 * self.m[i] + (1 - self.beta1) * g)
            p -= self.lr * (direction + self.weight_decay * p)
            self.m[i] = self.beta2 * self.m[i] + (1 - self.beta2) * g
'''),
    ("adadelta", "Adadelta", '''\
import numpy as np


class Adadelta:
    def __init__(self, lr=1.0, rho=0.9, eps=1e-6):
        self.lr, self.rho, self.eps = lr, rho, eps
        self.squares = self.deltas = 0.0

    def step(self, x, g):
        self.squares = self.rho * self.squares + (1 - self.rho) * g**2
        delta = np.sqrt(self.deltas + self.eps) / np.sqrt(self.squares + self.eps) * g
        self.deltas = self.rho * self.deltas + (1 - self.rho) * delta**2
        return x - self.lr * delta
'''),
)  # fmt: skip
