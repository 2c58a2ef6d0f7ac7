"""RMSProp, Adagrad, Adadelta: averages and sums of squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.variant(
    "rmsprop-momentum-lr",
    "rmsprop_momentum",
    edited("rmsprop_momentum", ("velocity + ratio", "velocity + lr * ratio"), ("x - lr * velocity", "x - velocity")),
    0,
    lr=0.001,
    inexpressible="lr inside or outside of the buffer differs only when lr changes; held, it conforms",
)
def tfrms_prop(var: Array, grad: Array, ms: Array = 0.0, mom: Array = 0.0) -> Any:
    """The learning rate is part of the momentum buffer."""
    ms += (np.square(grad) - ms) * (1 - 0.9)
    mom = mom * 0.9 + 0.001 * grad / (np.sqrt(ms) + 1e-8)
    return var - mom, ms, mom


@CASES.bug(
    "adadelta-x-not-dx", "adadelta", edited("adadelta", ("(1 - rho) * ratio ** 2", "(1 - rho) * x ** 2")), rho=0.95
)
def adadelta_of_positions(x: Array, g: Array, eg2: Array = 0.0, ex2: Array = 0.0) -> Any:
    """The second average takes the square of the position instead of the step."""
    eg2 = 0.95 * eg2 + 0.05 * g**2
    dx = -np.sqrt(ex2 + 1e-6) / np.sqrt(eg2 + 1e-6) * g
    return x + dx, eg2, 0.95 * ex2 + 0.05 * x**2


@CASES.correct("more-ok-rms-exponent", "rmsprop", lr=0.001, rho=0.99)
def rms_power(x: Array, g: Array, v: Array = 0.0) -> Any:
    """Right: the root is a power of a half."""
    v = 0.99 * v + (1 - 0.99) * abs(g) ** 2
    return x - 0.001 * g * (v**0.5 + 1e-8) ** (-1), v


@CASES.correct("more-ok-adagrad-history", "adagrad", lr=0.1, style="whole")
def adagrad_at_once(grads: Array, start: Any = 0.0) -> Array:
    """Right: cumulative sums instead of a loop."""
    return start - np.cumsum(0.1 * grads / (np.sqrt(np.cumsum(grads**2, axis=0)) + 1e-10), axis=0)


@CASES.bug("more-rms-no-root", "rmsprop", edited("rmsprop", ("sqrt(v)", "v")), lr=0.001)
def rootless_rms_prop(x: Array, dx: Array, cache: Array = 0.0) -> Any:
    """The gradient is divided by the average square itself, not by its root."""
    cache = 0.9 * cache + (1 - 0.9) * dx**2
    return x - 0.001 * dx / (cache + 1e-8), cache


@CASES.bug(
    "more-rms-weights-exchanged",
    "rmsprop",
    edited("rmsprop", ("rho * v + (1 - rho) * g", "(1 - rho) * v + rho * g")),
    lr=0.01,
    rho=0.9,
)
def rms_layer(w: Array, dw: Array, square: Array = 0.0) -> Any:
    """The old average gets 1 - rho and the new square rho."""
    square = 0.9 * dw**2 + 0.1 * square
    return w - 0.01 * dw / (np.sqrt(square) + 1e-8), square


@CASES.bug("more-rms-leaky-sum", "rmsprop", edited("rmsprop", ("rho * v + (1 - rho) * g", "rho * v + g")), lr=0.01)
def rms_sum(x: Array, g: Array, acc: Array = None) -> Any:
    """The new square enters with its full weight, so the average is a leaky sum."""
    acc = g * g if acc is None else 0.9 * acc + g * g
    return x - 0.01 * g / (acc**0.5 + 1e-8), acc


@CASES.bug("more-rms-of-sizes", "rmsprop", edited("rmsprop", ("g ** 2", "abs(g)")), lr=0.01)
def sizes_rms_prop(w: Array, g: Array, e: Array = 0.0) -> Any:
    """The average is of sizes instead of squares, and its root is still taken."""
    e = 0.9 * e + 0.1 * abs(g)
    return w - 0.01 * g / (np.sqrt(e) + 1e-8), e


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
)
def divide_then_average(x: Array, g: Array, avg: Array = 0.0) -> Any:
    """The denominator is the average from before this gradient, with eps inside of its root."""
    return x - 0.001 * g / np.sqrt(avg + 0.01), avg + 0.1 * (g**2 - avg)


@CASES.bug(
    "more-rms-centered-plus", "rmsprop_centered", edited("rmsprop_centered", ("v - m ** 2", "v + m ** 2")), lr=0.001
)
def centered_with_plus(p: Array, grad: Array, g: Array = 0.0, g2: Array = 0.0) -> Any:
    """The squared mean is added to the mean square instead of taken from it."""
    g = 0.9 * g + (1 - 0.9) * grad
    g2 = 0.9 * g2 + (1 - 0.9) * grad**2
    return p - 0.001 * grad / np.sqrt(g2 + g**2 + 1e-8), g, g2


@CASES.variant(
    "more-adagrad-start",
    "adagrad",
    edited("adagrad", ("v=0", "v=0.1"), ("sqrt(v) + eps", "sqrt(v + eps)"), ("eps=1e-10", "eps=1e-07")),
    2,
    lr=0.05,
)
def keras_like_adagrad(variable: Array, gradient: Array, accumulator: Array = 0.1) -> Any:
    """The accumulator starts at 0.1, and eps is inside of the root, as documented."""
    accumulator = accumulator + gradient**2
    return variable - 0.05 * gradient / np.sqrt(accumulator + 1e-7), accumulator


@CASES.bug("more-adagrad-of-the-tensor", "adagrad", edited("adagrad", ("v + g ** 2", "v + sum(g ** 2)")), lr=0.1)
def one_rate_adagrad(x: Array, g: Array, total: Array = 0.0) -> Any:
    """One sum over the whole tensor is kept instead of one a coordinate."""
    total += np.sum(g**2)
    return x - 0.1 * g / (np.sqrt(total) + 1e-10), total


@CASES.bug("more-adagrad-cube-root", "adagrad", edited("adagrad", ("sqrt(v)", "cbrt(v)")), lr=0.01)
def cube_root_adagrad(x: Array, g: Array, s: Array = 0.0) -> Any:
    """The cube root stands for the square root."""
    s += g * g
    return x - 0.01 * g / (np.cbrt(s) + 1e-10), s


@CASES.bug(
    "more-adagrad-eps-sums",
    "adagrad",
    edited("adagrad", ("v + g ** 2", "v + g ** 2 + eps"), ("sqrt(v) + eps", "sqrt(v)")),
    2,
    lr=0.01,
    eps=0.001,
)
def summing_eps(w: Array, g: Array, h: Array = 0.0) -> Any:
    """eps is added to the accumulator at each step instead of to the root."""
    h = h + g * g + 0.001
    return w - 0.01 / np.sqrt(h) * g, h


@CASES.bug(
    "more-adadelta-upside-down",
    "adadelta",
    edited("adadelta", ("sqrt(u + eps) / sqrt(v + eps)", "sqrt(v + eps) / sqrt(u + eps)")),
    lr=1e-6,
)
def upside_down(p: Array, g: Array, acc_grad: Array = 0.0, acc_delta: Array = 0.0) -> Any:
    """Typical gradient is divided by typical step."""
    acc_grad = 0.9 * acc_grad + 0.1 * g**2
    delta = np.sqrt(acc_grad + 1e-6) / np.sqrt(acc_delta + 1e-6) * g
    acc_delta = 0.9 * acc_delta + 0.1 * delta**2
    return p - 1e-6 * delta, acc_grad, acc_delta


@CASES.bug(
    "more-adadelta-lr-in-average",
    "adadelta",
    edited("adadelta", ("* ratio ** 2", "* (lr * ratio) ** 2"), ("sqrt(v + eps)", "(sqrt(v) + eps)")),
    2,
    lr=0.5,
)
def adadelta_of_scaled_steps(p: Array, g: Array, eg: Array = 0.0, ex: Array = 0.0) -> Any:
    """The average takes steps already scaled by lr, and the denominator's eps is outside of its root."""
    eg = 0.9 * eg + 0.1 * g * g
    dx = 0.5 * np.sqrt(ex + 1e-6) / (np.sqrt(eg) + 1e-6) * g
    return p - dx, eg, 0.9 * ex + 0.1 * dx * dx
