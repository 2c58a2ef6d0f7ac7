"""Home-made autograds: parameters are objects with a value and a gradient; step() takes nothing."""
import math
from abc import ABC, abstractmethod

import numpy as np

CASES = {
    "MicroAdam": ("adam", True), "MicroSGD": ("sgd", True), "ValueAdam": ("adam", True), "TinyMomentum": ("momentum", True),
    "SubclassAdam": ("adam", True), "SubclassAdamWrong": ("adam", False), "StateOnParam": ("adam", True),
    "TensorAdamW": ("adamw", True), "StepParams": ("rmsprop", True), "sgd_step": ("sgd", True),
    "AdamCountsTwice": ("adam", False), "RMSPropNoRoot": ("rmsprop", False), "IsubSGD": ("sgd", True),
    "DictAdam": ("adam", True),
}


class MicroSGD:
    def __init__(self, parameters, lr=0.01):
        self.parameters = parameters
        self.lr = lr

    def zero_grad(self):
        for p in self.parameters:
            p.grad = 0

    def step(self):
        for p in self.parameters:
            p.data += -self.lr * p.grad


class MicroAdam:
    """For scalars only."""

    def __init__(self, params, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
        self.params = list(params)
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps
        self.m = [0.0] * len(self.params)
        self.v = [0.0] * len(self.params)
        self.t = 0

    def step(self):
        self.t += 1
        for i, p in enumerate(self.params):
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * p.grad
            self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * p.grad ** 2
            m_hat = self.m[i] / (1 - self.b1 ** self.t)
            v_hat = self.v[i] / (1 - self.b2 ** self.t)
            p.data -= self.lr * m_hat / (math.sqrt(v_hat) + self.eps)


class ValueAdam:
    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.moments = {id(p): (np.zeros_like(p.value), np.zeros_like(p.value)) for p in parameters}
        self.iteration = 0

    def step(self):
        self.iteration += 1
        for p in self.parameters:
            m, v = self.moments[id(p)]
            m = self.beta1 * m + (1 - self.beta1) * p.gradient
            v = self.beta2 * v + (1 - self.beta2) * p.gradient * p.gradient
            self.moments[id(p)] = (m, v)
            m_hat = m / (1 - self.beta1 ** self.iteration)
            v_hat = v / (1 - self.beta2 ** self.iteration)
            p.value = p.value - self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class TinyOptimizer:
    def __init__(self, params):
        for x in params:
            if x.requires_grad is None: x.requires_grad = True
        self.params = [x for x in params if x.requires_grad]

    def zero_grad(self):
        for param in self.params: param.grad = None


class TinyMomentum(TinyOptimizer):
    def __init__(self, params, lr=0.001, momentum=0.9):
        super().__init__(params)
        self.lr, self.momentum = lr, momentum
        self.b = [np.zeros(t.shape) for t in self.params]

    def step(self):
        for i, t in enumerate(self.params):
            assert t.grad is not None
            self.b[i] = self.momentum * self.b[i] + t.grad
            t.data = t.data - self.lr * self.b[i]


class Optimizer(ABC):
    def __init__(self, params):
        self.params = params

    @abstractmethod
    def update_param(self, i, p): ...

    def step(self):
        self.on_step()
        for i, p in enumerate(self.params):
            self.update_param(i, p)

    def on_step(self):
        pass


class SubclassAdam(Optimizer):
    def __init__(self, params, lr: float = 0.001, betas: tuple = (0.9, 0.999), eps: float = 1e-8):
        super().__init__(params)
        self.lr, (self.b1, self.b2), self.eps = lr, betas, eps
        self.m, self.v, self.t = {}, {}, 0

    def on_step(self):
        self.t += 1

    def update_param(self, i, p):
        g = p.grad.data
        self.m[i] = self.b1 * self.m.get(i, 0) + (1 - self.b1) * g
        self.v[i] = self.b2 * self.v.get(i, 0) + (1 - self.b2) * g * g
        m_hat = self.m[i] / (1 - self.b1 ** self.t)
        v_hat = self.v[i] / (1 - self.b2 ** self.t)
        p.data -= self.lr * m_hat / (v_hat ** 0.5 + self.eps)


class SubclassAdamWrong(SubclassAdam):
    def update_param(self, i, p):
        g = p.grad.data
        self.m[i] = self.b1 * self.m.get(i, 0) + (1 - self.b1) * g
        self.v[i] = self.b2 * self.v.get(i, 0) + (1 - self.b2) * g * g
        m_hat = self.m[i] / (1 - self.b1)
        v_hat = self.v[i] / (1 - self.b2 ** self.t)
        p.data -= self.lr * m_hat / (v_hat ** 0.5 + self.eps)


class StateOnParam:
    def __init__(self, params, lr=1e-3):
        self.params, self.lr = params, lr
        for p in self.params:
            p.m = np.zeros_like(p.data)
            p.v = np.zeros_like(p.data)
            p.steps = 0

    def step(self):
        for p in self.params:
            p.steps += 1
            p.m = 0.9 * p.m + 0.1 * p.grad
            p.v = 0.999 * p.v + 0.001 * p.grad ** 2
            p.data = p.data - self.lr * (p.m / (1 - 0.9 ** p.steps)) / (np.sqrt(p.v / (1 - 0.999 ** p.steps)) + 1e-8)


class TensorAdamW:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.param_groups = [{"params": params}]
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.state, self.t = {}, 0

    def step(self):
        self.t += 1
        beta1, beta2 = self.betas
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                s = self.state.setdefault(p, {"m": np.zeros_like(p.data), "v": np.zeros_like(p.data)})
                p.data -= self.lr * self.weight_decay * p.data
                s["m"] = beta1 * s["m"] + (1 - beta1) * p.grad
                s["v"] = beta2 * s["v"] + (1 - beta2) * p.grad**2
                p.data -= self.lr * (s["m"] / (1 - beta1**self.t)) / (np.sqrt(s["v"] / (1 - beta2**self.t)) + self.eps)


class StepParams:
    def __init__(self, lr=0.01, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps, self.cache = lr, rho, eps, {}

    def step(self, params):
        for k, p in enumerate(params):
            if k not in self.cache:
                self.cache[k] = np.zeros_like(p.data)
            self.cache[k] = self.rho * self.cache[k] + (1 - self.rho) * p.grad ** 2
            p.data -= self.lr * p.grad / (np.sqrt(self.cache[k]) + self.eps)


class RMSPropNoRoot(StepParams):
    def step(self, params):
        for k, p in enumerate(params):
            if k not in self.cache:
                self.cache[k] = np.zeros_like(p.data)
            self.cache[k] = self.rho * self.cache[k] + (1 - self.rho) * p.grad ** 2
            p.data -= self.lr * p.grad / (self.cache[k] + self.eps)


def sgd_step(parameters, lr=0.01):
    for p in parameters:
        p.data -= lr * p.grad


class AdamCountsTwice(MicroAdam):
    def step(self):
        self.t += 1
        super().step()


class IsubSGD:
    """As in an autograd whose tensors subtract in place."""

    def __init__(self, lr: float = 0.01) -> None:
        self.lr = lr

    def step(self, module) -> None:
        for parameter in module.parameters():
            parameter -= parameter.grad * self.lr


class DictAdam:
    def __init__(self, params, lr=1e-3):
        self.params, self.lr, self.t = params, lr, 0
        self.m = {k: np.zeros_like(p.data) for k, p in params.items()}
        self.v = {k: np.zeros_like(p.data) for k, p in params.items()}

    def step(self):
        self.t += 1
        for k, p in self.params.items():
            self.m[k] += (1 - 0.9) * (p.grad - self.m[k])
            self.v[k] += (1 - 0.999) * (p.grad ** 2 - self.v[k])
            p.data -= self.lr * (self.m[k] / (1 - 0.9 ** self.t)) / (np.sqrt(self.v[k] / (1 - 0.999 ** self.t)) + 1e-8)
