"""Further mistakes: momentum, Nesterov, Adagrad, Adadelta, RMSProp."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any


@CASES.bug("more-rms-no-root", "rmsprop", edited("rmsprop", ("sqrt(v)", "v")), lr=0.001)
class RootlessRMSProp:
    """The gradient is divided by the average square itself, not by its root."""

    cache: Array = 0.0

    def step(self, x: Array, dx: Array) -> Array:
        self.cache = 0.9 * self.cache + (1 - 0.9) * dx**2
        return x - 0.001 * dx / (self.cache + 1e-8)


@CASES.bug(
    "more-rms-weights-exchanged",
    "rmsprop",
    edited("rmsprop", ("rho * v + (1 - rho) * g", "(1 - rho) * v + rho * g")),
    lr=0.01,
    rho=0.9,
    style="network",
)
def rms_layers(params: list[Array]) -> Any:
    """The old average gets 1 - rho and the new square rho."""
    squares: dict[int, Array] = defaultdict(float)

    def step(grads: list[Array]) -> None:
        for i, (w, dw) in enumerate(zip(params, grads, strict=True)):
            squares[i] = 0.9 * dw**2 + 0.1 * squares[i]
            w -= 0.01 * dw / (np.sqrt(squares[i]) + 1e-8)

    return step


@CASES.bug("more-rms-leaky-sum", "rmsprop", edited("rmsprop", ("rho * v + (1 - rho) * g", "rho * v + g")), lr=0.01)
def rms_sum() -> Any:
    """The new square enters with its full weight, so the average is a leaky sum."""
    acc = None

    def step(x: Array, g: Array) -> Array:
        nonlocal acc
        acc = g * g if acc is None else 0.9 * acc + g * g
        return x - 0.01 * g / (acc**0.5 + 1e-8)

    return step


@CASES.bug("more-rms-of-sizes", "rmsprop", edited("rmsprop", ("g ** 2", "abs(g)")), lr=0.01, style="numbers")
class SizesRMSProp:
    """The average is of sizes instead of squares, and its root is still taken."""

    def __init__(self) -> None:
        self.e = np.float64(0)

    def update(self, w: float, g: float) -> float:
        self.e = 0.9 * self.e + 0.1 * abs(g)
        return w - 0.01 * g / (np.sqrt(self.e) + 1e-8)


@CASES.bug(
    "more-rms-old-average",
    "rmsprop",
    """\
def rmsprop(x, g, v=0, *, lr=1e-3, rho=0.9, eps=1e-8):
    ratio = g / sqrt(v + eps)
    v = rho * v + (1 - rho) * g**2
    return x - lr * ratio
""",
    2,
    lr=0.001,
    eps=0.01,
    style="whole",
)
def divide_then_average(grads: Array, start: Any = 0.0) -> Array:
    """The denominator is the average from before this gradient, with eps inside of its root."""
    x, avg, path = np.zeros(grads.shape[1:]) + start, 0.0, []
    for g in grads:
        x = x - 0.001 * g / np.sqrt(avg + 0.01)
        avg += 0.1 * (g**2 - avg)
        path.append(x)
    return np.array(path)


@CASES.bug(
    "more-rms-centered-plus", "rmsprop_centered", edited("rmsprop_centered", ("v - m ** 2", "v + m ** 2")), lr=0.001
)
class CenteredWithPlus:
    """The squared mean is added to the mean square instead of taken from it."""

    def __init__(self) -> None:
        self.state: dict[str, Array] = {"g": 0.0, "g2": 0.0}

    def update(self, p: Array, grad: Array) -> Array:
        self.state["g"] = 0.9 * self.state["g"] + (1 - 0.9) * grad
        self.state["g2"] = 0.9 * self.state["g2"] + (1 - 0.9) * grad**2
        return p - 0.001 * grad / np.sqrt(self.state["g2"] + self.state["g"] ** 2 + 1e-8)


@CASES.variant(
    "more-momentum-dampened", "momentum", edited("momentum", ("velocity + g", "velocity + (1 - momentum) * g")), lr=0.1
)
class AverageMomentum:
    """The velocity is an average: the gradient enters with 1 - momentum."""

    def __init__(self) -> None:
        self.velocity: Array = None

    def step(self, x: Array, g: Array) -> None:
        if self.velocity is None:
            self.velocity = np.zeros_like(x)
        self.velocity += (1 - 0.9) * (g - self.velocity)
        x -= 0.1 * self.velocity


@CASES.bug(
    "more-momentum-twice", "momentum", edited("momentum", ("lr * velocity", "lr * momentum * velocity")), lr=0.01
)
def momentum_applied_twice() -> Any:
    """The new velocity is multiplied by the momentum once more on its way to the parameter."""
    mem = {"v": 0.0}

    def step(x: Array, dx: Array) -> Array:
        mem["v"] = 0.9 * mem["v"] - 0.01 * dx
        return x + 0.9 * mem["v"]

    return step


@CASES.bug(
    "more-momentum-restart",
    "momentum",
    edited(
        "momentum",
        ("(x, g, vel", "(x, g, t, vel"),
        ("momentum * velocity", "(0 if t % 7 == 1 else momentum) * velocity"),
    ),
    lr=0.01,
    style="network",
)
class RestartedMomentum:
    """The velocities are made anew at the start of each epoch of seven batches."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.batch = params, 0

    def step(self, grads: list[Array]) -> None:
        if self.batch % 7 == 0:
            self.velocities = [0 for _ in self.params]
        self.batch += 1
        self.velocities = [0.9 * v + g for v, g in zip(self.velocities, grads, strict=True)]
        self.params = [p - 0.01 * v for p, v in zip(self.params, self.velocities, strict=True)]


@CASES.bug(
    "more-momentum-three",
    "momentum",
    """\
def momentum(x, g, velocity=0, *, lr=1e-2, momentum=0.9):
    g = g + 0.1 * x
    velocity = momentum * velocity + (1 - momentum) * g
    velocity = clip(velocity, -0.5, 0.5)
    return x - lr * velocity
""",
    3,
    lr=0.05,
)
class CautiousEngineer:
    """An L2 term is left in, the velocity is an average, and what is clipped is stored."""

    def __init__(self) -> None:
        self.v: Array = 0.0

    def step(self, w: Array, g: Array) -> Array:
        g = g + 0.1 * w
        self.v = np.clip(0.9 * self.v + (1 - 0.9) * g, -0.5, 0.5)
        return w - 0.05 * self.v


@CASES.bug(
    "more-nesterov-old-velocity",
    "nesterov",
    """\
def nesterov(x, g, velocity=0, *, lr=1e-2, momentum=0.9):
    ratio = g + momentum * velocity
    velocity = momentum * velocity + g
    return x - lr * ratio
""",
    lr=0.01,
)
class NotQuiteNesterov:
    """The look-ahead uses the velocity from before this gradient, which makes it plain momentum."""

    def __init__(self) -> None:
        self.v: Array = 0

    def update(self, x: Array, g: Array) -> Array:
        v_prev = self.v
        self.v = 0.9 * self.v + g
        return x - 0.01 * (g + 0.9 * v_prev)


@CASES.bug(
    "more-nesterov-squared",
    "nesterov",
    edited("nesterov", ("g + momentum * velocity\n    return", "g + momentum ** 2 * velocity\n    return")),
    lr=0.02,
)
def nesterov_squared() -> Any:
    """The look-ahead weighs the new velocity with momentum squared, as the old one should be."""
    v = 0.0

    def step(x: Array, g: Array) -> Array:
        nonlocal v
        v = 0.9 * v - 0.02 * g
        return x + 0.9**2 * v - 0.02 * g

    return step


@CASES.bug(
    "more-nesterov-two",
    "nesterov",
    edited("nesterov", ("(x, g, vel", "(x, g, t, vel"), ("ratio = g + ", "ratio = "), ("lr * ratio", "lr / t * ratio")),
    2,
    lr=0.1,
    style="whole",
)
def nesterov_with_schedule(grads: Array, start: Any = 0.0) -> Array:
    """The gradient itself is missing from the look-ahead, and lr falls with 1 / t unasked."""
    w, u, out = np.zeros(grads.shape[1:]) + start, np.zeros(grads.shape[1:]), []
    for i, g in enumerate(grads):
        u = 0.9 * u + g
        w = w - 0.1 / (i + 1) * 0.9 * u
        out.append(w.copy())
    return np.asarray(out)


@CASES.variant(
    "more-adagrad-start",
    "adagrad",
    edited("adagrad", ("v=0", "v=0.1"), ("sqrt(v) + eps", "sqrt(v + eps)"), ("eps=1e-10", "eps=1e-07")),
    2,
    lr=0.05,
)
class KerasLikeAdagrad:
    """The accumulator starts at 0.1, and eps is inside of the root, as documented."""

    def __init__(self, initial_accumulator_value: float = 0.1) -> None:
        self.initial = initial_accumulator_value
        self.accumulator: Array = None

    def step(self, variable: Array, gradient: Array) -> None:
        if self.accumulator is None:
            self.accumulator = np.full_like(variable, self.initial)
        self.accumulator += gradient**2
        variable -= 0.05 * gradient / np.sqrt(self.accumulator + 1e-7)


@CASES.bug("more-adagrad-of-the-tensor", "adagrad", edited("adagrad", ("v + g ** 2", "v + sum(g ** 2)")), lr=0.1)
class OneRateAdagrad:
    """One sum over the whole tensor is kept instead of one a coordinate."""

    def __init__(self) -> None:
        self.total = 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.total += np.sum(g**2)
        return x - 0.1 * g / (np.sqrt(self.total) + 1e-10)


@CASES.bug("more-adagrad-cube-root", "adagrad", edited("adagrad", ("sqrt(v)", "cbrt(v)")), lr=0.01, style="numbers")
def cube_root_adagrad() -> Any:
    """The cube root stands for the square root."""
    s = 0.0

    def step(x: float, g: float) -> float:
        nonlocal s
        s += g * g
        return x - 0.01 * g / (np.cbrt(s) + 1e-10)

    return step


@CASES.bug(
    "more-adagrad-eps-sums",
    "adagrad",
    edited("adagrad", ("v + g ** 2", "v + g ** 2 + eps"), ("sqrt(v) + eps", "sqrt(v)")),
    2,
    lr=0.01,
    eps=0.001,
)
class SummingEps:
    """eps is added to the accumulator at each step instead of to the root."""

    def __init__(self) -> None:
        self.h: Array = 0.0

    def update(self, w: Array, g: Array) -> Array:
        self.h = self.h + g * g + 0.001
        return w - 0.01 / np.sqrt(self.h) * g


@CASES.bug(
    "more-adadelta-upside-down",
    "adadelta",
    edited("adadelta", ("sqrt(u + eps) / sqrt(v + eps)", "sqrt(v + eps) / sqrt(u + eps)")),
    lr=1e-6,
)
class UpsideDown:
    """Typical gradient is divided by typical step."""

    def __init__(self) -> None:
        self.acc_grad: Array = 0.0
        self.acc_delta: Array = 0.0

    def step(self, p: Array, g: Array) -> Array:
        self.acc_grad = 0.9 * self.acc_grad + 0.1 * g**2
        delta = np.sqrt(self.acc_grad + 1e-6) / np.sqrt(self.acc_delta + 1e-6) * g
        self.acc_delta = 0.9 * self.acc_delta + 0.1 * delta**2
        return p - 1e-6 * delta


@CASES.bug(
    "more-adadelta-lr-in-average",
    "adadelta",
    edited("adadelta", ("* ratio ** 2", "* (lr * ratio) ** 2"), ("sqrt(v + eps)", "(sqrt(v) + eps)")),
    2,
    lr=0.5,
    style="network",
)
class AdadeltaOfScaledSteps:
    """The average takes steps already scaled by lr, and the denominator's eps is outside of its root."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.state = [{"Eg": np.zeros_like(p), "Ex": np.zeros_like(p)} for p in params]

    def step(self, grads: list[Array]) -> None:
        for p, g, s in zip(self.params, grads, self.state, strict=True):
            s["Eg"] = 0.9 * s["Eg"] + 0.1 * g * g
            dx = 0.5 * np.sqrt(s["Ex"] + 1e-6) / (np.sqrt(s["Eg"]) + 1e-6) * g
            s["Ex"] = 0.9 * s["Ex"] + 0.1 * dx * dx
            p -= dx
