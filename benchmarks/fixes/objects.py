# ruff: noqa: E501
"""Styles with an object that keeps its state: attributes, dictionaries, lists, dataclasses."""

from benchmarks.fixes.style import Style

ATTRIBUTES = Style("attributes", "AdamOptimizer", "adam", '''\
import numpy as np


class AdamOptimizer:
    """Adam, as in the paper."""

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = None  # first moment
        self.v = None  # second moment
        self.t = 0

    def update(self, params, grads):
        if self.m is None:
            self.m = np.zeros_like(params)
            self.v = np.zeros_like(params)

        self.t += 1

        # moving averages
        self.m = self.beta1 * self.m + (1 - self.beta1) * grads
        self.v = self.beta2 * self.v + (1 - self.beta2) * np.square(grads)

        m_hat = self.m / (1 - self.beta1 ** self.t)
        v_hat = self.v / (1 - self.beta2 ** self.t)

        return params - self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
''', (
    ("np.square(grads)", "grads"),
    ("(1 - self.beta1) * grads", "grads"),
    ("self.beta2 * self.v + (1 - self.beta2)", "self.beta1 * self.v + (1 - self.beta2)"),
    ("        m_hat = self.m / (1 - self.beta1 ** self.t)\n", "        self.m = m_hat = self.m / (1 - self.beta1 ** self.t)\n"),
    ("(1 - self.beta2 ** self.t)", "(1 - self.beta2)"),
    ("(np.sqrt(v_hat) + self.epsilon)", "np.sqrt(v_hat + self.epsilon)"),
    ("(np.sqrt(v_hat) + self.epsilon)", "(v_hat + self.epsilon)"),
    ("params - self.learning_rate", "params + self.learning_rate"),
    ("        self.t += 1\n", ""),
    ("self.v = np.zeros_like(params)", "self.v = np.ones_like(params)"),
    ("(1 - self.beta1 ** self.t)", "(1 - self.beta1 ** (self.t + 1))"),
    ("self.learning_rate * m_hat", "self.learning_rate * self.m"),
))  # fmt: skip

NESTED = Style("nested dictionaries", "Adam", "adam", '''\
import numpy as np

class Adam():
  def __init__(self, lr=0.001, beta_1=0.9, beta_2=0.999, eps=1e-08):
    self.cfg = {'lr': lr, 'b1': beta_1, 'b2': beta_2, 'eps': eps}
    self.mem = {}
    self.it = 0
  def step(self, W, dW):
    cfg = self.cfg
    self.it = self.it + 1
    for name in W:
      if name not in self.mem:
        self.mem[name] = {'mean': 0.0 * W[name], 'var': 0.0 * W[name]}
      s = self.mem[name]; g = dW[name]
      s['mean'] = cfg['b1'] * s['mean'] + (1. - cfg['b1']) * g
      s['var'] = cfg['b2'] * s['var'] + (1. - cfg['b2']) * (g * g)
      c1 = 1. - cfg['b1'] ** self.it
      c2 = 1. - cfg['b2'] ** self.it
      W[name] = W[name] - cfg['lr'] * (s['mean'] / c1) / (np.sqrt(s['var'] / c2) + cfg['eps'])
    return W
''', (
    ("(g * g)", "g"),
    ("(1. - cfg['b1']) * g", "cfg['b1'] * g"),
    ("(1. - cfg['b2']) * (g", "(1. - cfg['b1']) * (g"),
    ("c2 = 1. - cfg['b2'] ** self.it", "c2 = 1. - cfg['b1'] ** self.it"),
    ("c1 = 1. - cfg['b1'] ** self.it", "c1 = 1. - cfg['b1'] * self.it"),
    ("(s['mean'] / c1)", "s['mean']"),
    ("np.sqrt(s['var'] / c2)", "np.sqrt(s['var']) / c2"),
    (" + cfg['eps'])", ")"),
    ("    self.it = self.it + 1\n    for name in W:\n", "    for name in W:\n      self.it = self.it + 1\n"),
    ("'var': 0.0 * W[name]}", "'var': 1.0 + 0.0 * W[name]}"),
    ("W[name] - cfg['lr'] * (s", "W[name] - (s"),
))  # fmt: skip

LISTS = Style("lists of arrays", "RMSProp", "rmsprop", '''\
import numpy as np


class RMSProp(object):
\tdef __init__(self, lr = 0.01, rho = 0.9, eps = 1e-8):
\t\tself.lr = lr
\t\tself.rho = rho
\t\tself.eps = eps
\t\tself.cache = []

\tdef update(self, params, grads):
\t\tif len(self.cache) == 0:
\t\t\tself.cache = [np.zeros_like(p) for p in params]
\t\tfor i in range(len(params)):
\t\t\tself.cache[i] *= self.rho
\t\t\tself.cache[i] += (1.0 - self.rho) * grads[i] ** 2
\t\t\tparams[i] -= self.lr * grads[i] / (np.sqrt(self.cache[i]) + self.eps)
''', (
    ("grads[i] ** 2", "grads[i]"),
    ("(1.0 - self.rho) * grads[i] ** 2", "grads[i] ** 2"),
    ("\t\t\tself.cache[i] *= self.rho\n", ""),
    ("(np.sqrt(self.cache[i]) + self.eps)", "(self.cache[i] + self.eps)"),
    ("params[i] -= ", "params[i] += "),
    ("np.zeros_like(p)", "np.ones_like(p)"),
    ("self.lr * grads[i]", "grads[i]"),
    ("(1.0 - self.rho)", "1.0 - self.rho"),
    ("(np.sqrt(self.cache[i]) + self.eps)", "np.sqrt(self.cache[i])"),
))  # fmt: skip

DATA = Style("dataclass", "Nag", "momentum", '''\
from dataclasses import dataclass, field
import numpy as np


@dataclass
class Slot:
    buf: np.ndarray
    seen: int = 0


@dataclass
class Nag:
    lr: float = 0.01
    momentum: float = 0.9
    slots: dict = field(default_factory=dict)

    def slot(self, key, like):
        if key not in self.slots:
            self.slots[key] = Slot(buf=np.zeros_like(like))
        return self.slots[key]

    def step(self, params: list, grads: list) -> list:
        out = []
        for key, (p, g) in enumerate(zip(params, grads)):
            s = self.slot(key, p)
            s.seen += 1
            s.buf = self.momentum * s.buf + g
            out.append(p - self.lr * s.buf)
        return out
''', (
    ("self.momentum * s.buf + g", "self.momentum * s.buf - g"),
    ("self.momentum * s.buf + g", "s.buf + g"),
    ("p - self.lr * s.buf", "p + self.lr * s.buf"),
    ("p - self.lr * s.buf", "p - s.buf"),
    ("p - self.lr * s.buf", "p - self.lr * g"),
    ("            s.buf = self.momentum * s.buf + g\n", "            buf = self.momentum * s.buf + g\n            g = buf\n"),
    ("buf=np.zeros_like(like)", "buf=np.full_like(like, 1.0)"),
    ("self.momentum * s.buf + g", "self.momentum * (s.buf + g)"),
))  # fmt: skip

INHERITED = Style("base class and helper methods", "AdamW", "adamw", '''\
import math

import numpy


class Optim:
    def __init__(self, **hyper):
        self.hyper = hyper
        self.n_calls = 0
        self.memory = None

    def correction(self, which):
        return 1.0 - self.hyper[which] ** self.n_calls

    def ema(self, old, new, decay):
        return decay * old + (1.0 - decay) * new


class AdamW(Optim):
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
        super().__init__(lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)

    def step(self, theta, grad):
        h = self.hyper
        if self.memory is None:
            self.memory = (numpy.zeros(theta.shape), numpy.zeros(theta.shape))
        self.n_calls += 1
        first, second = self.memory
        first = self.ema(first, grad, h["beta1"])
        second = self.ema(second, grad * grad, h["beta2"])
        self.memory = first, second
        size = h["lr"] / self.correction("beta1")
        root = numpy.sqrt(second) / math.sqrt(self.correction("beta2")) + h["eps"]
        theta = theta * (1.0 - h["lr"] * h["weight_decay"])
        return theta - size * first / root
''', (
    ("grad * grad", "grad"),
    ("(1.0 - decay) * new", "new"),
    ('self.ema(second, grad * grad, h["beta2"])', 'self.ema(second, grad * grad, h["beta1"])'),
    ('math.sqrt(self.correction("beta2"))', 'self.correction("beta2")'),
    ('h["lr"] / self.correction("beta1")', 'h["lr"]'),
    ("        theta = theta * (1.0 - h[\"lr\"] * h[\"weight_decay\"])\n", ""),
    ('(1.0 - h["lr"] * h["weight_decay"])', '(1.0 - h["weight_decay"])'),
    (' + h["eps"]', ''),
    ("        self.memory = first, second\n", "        self.memory = first, self.memory[1]\n"),
    ("theta * (1.0 - h", "theta * (1.0 + h"),
    ("        self.n_calls += 1\n", ""),
))  # fmt: skip

STYLES = (ATTRIBUTES, NESTED, LISTS, DATA, INHERITED)
