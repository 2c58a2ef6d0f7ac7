"""The moments: the wrong source, the wrong weight, the wrong order, and the variants of the wider family."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any


@CASES.bug("b1-in-v-python", "adam", edited("adam", ("(1 - beta2) * g", "(1 - beta1) * g")), lr=0.001)
class BetaOneInV:
    """The second moment weighs the square with 1 - beta1."""

    beta1, beta2 = 0.9, 0.999

    def __init__(self) -> None:
        self.m, self.v, self.t = 0.0, 0.0, 0

    def step(self, w: Array, g: Array) -> Array:
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta1) * g**2
        m_cap = self.m / (1 - self.beta1**self.t)
        v_cap = self.v / (1 - self.beta2**self.t)
        return w - (0.001 * m_cap) / (np.sqrt(v_cap) + 1e-8)


@CASES.bug(
    "b1-in-v-inputgrad",
    "adam",
    edited(
        "adam", ("(1 - beta2) * g ** 2", "(1 - beta1) * (g * x) ** 2"),
        ("m / (1 - beta1 ** t)", "m"), ("v / (1 - beta2 ** t)", "v"),
    ),
    3,
    lr=0.001,
)  # fmt: skip
class ElementwiseLayer:
    """v takes the square of the gradient of the layer's input, with the weight 1 - beta1, and nothing is corrected."""

    def __init__(self) -> None:
        self.inputs, self.m, self.v = 1.0, 0.0, 0.0

    def step(self, weights: Array, dout: Array) -> Array:
        dw, dx = dout * self.inputs, dout * weights
        self.m = 0.9 * self.m + (1 - 0.9) * dw
        self.v = 0.999 * self.v + (1 - 0.9) * dx**2
        return weights - 0.001 * self.m / (np.sqrt(self.v) + 1e-8)


@CASES.bug(
    "m-in-v-course",
    "adam",
    edited(
        "adam", ("v = beta2 * v +", "v = beta2 * m +"), ("1 - beta1 ** t", "1 - beta1"), ("1 - beta2 ** t", "1 - beta2")
    ),
    2,
    lr=0.01,
    beta2=0.99,
    style="whole",
)
def course_notebook(grads: Array, start: Any = 0.0) -> Array:
    """v is computed from the new m instead of v, and the corrections are constants."""
    theta, m, v = np.zeros(grads.shape[1:]) + start, 0.0, 0.0
    theta_list = []
    for gradient in grads:
        m = 0.9 * m + (1 - 0.9) * gradient
        v = 0.99 * m + (1 - 0.99) * gradient**2
        theta = theta - 0.01 * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.99)) + 1e-8)
        theta_list.append(theta)
    return np.array(theta_list)


@CASES.bug(
    "m-in-v-vhat-from-m",
    "adam",
    edited(
        "adam", ("v = beta2 * v +", "v = beta2 * m +"), ("m / (1 - beta1 ** t)", "m / (1 - beta1)"),
        ("v / (1 - beta2 ** t)", "m / (1 - beta2)"),
    ),
    2,
    lr=0.001,
)  # fmt: skip
class VHatFromM:
    """v is computed from m and then not used: v_hat is made of m, too, by constant corrections."""

    def __init__(self) -> None:
        self.m, self.v = 0, 0

    def update(self, w: Array, dw: Array) -> Array:
        self.m = 0.9 * self.m + (1 - 0.9) * dw
        self.v = 0.999 * self.m + (1 - 0.999) * dw * dw
        m_hat = self.m / (1 - 0.9)
        v_hat = self.m / (1 - 0.999)
        return w - 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug(
    "vhat-from-m",
    "adam",
    edited("adam", ("v_hat = v", "v_hat = m"), ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")),
    2,
    lr=0.1,
)
def slip_of_a_letter() -> Any:
    """v_hat divides m instead of v, and eps is inside of the root."""
    mem = {"m": 0.0, "v": 0.0, "t": 0}

    def step(x: Array, g: Array) -> Array:
        mem["t"] += 1
        t = mem["t"]
        mem["m"] = m = 0.9 * mem["m"] + 0.1 * g
        mem["v"] = 0.999 * mem["v"] + 0.001 * g**2
        m_hat = m / (1 - 0.9**t)
        v_hat = m / (1 - 0.999**t)
        return x - 0.1 * m_hat / np.sqrt(v_hat + 1e-8)

    return step


@CASES.bug(
    "adadelta-x-not-dx",
    "adadelta",
    edited("adadelta", ("(1 - rho) * ratio ** 2", "(1 - rho) * x ** 2")),
    rho=0.95,
    style="network",
)
class AdadeltaOfPositions:
    """The second average takes the square of the position instead of the step."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.eg2 = [np.zeros_like(p) for p in params]
        self.ex2 = [np.zeros_like(p) for p in params]

    def step(self, grads: list[Array]) -> None:
        for i, (x, g) in enumerate(zip(self.params, grads, strict=True)):
            self.eg2[i] = 0.95 * self.eg2[i] + 0.05 * g**2
            dx = -np.sqrt(self.ex2[i] + 1e-6) / np.sqrt(self.eg2[i] + 1e-6) * g
            self.ex2[i] = 0.95 * self.ex2[i] + 0.05 * x**2
            x += dx
