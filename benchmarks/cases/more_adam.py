"""Further mistakes in Adam and AdamW, of kinds that are not in the file of wild ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.correction import INSIDE

CASES = Collection()

Array = Any
M_HAT, V_HAT = "m / (1 - beta1 ** t)", "v / (1 - beta2 ** t)"


@CASES.bug(
    "more-adam-corrected-once",
    "adam",
    edited("adam", (M_HAT, f"({M_HAT} if t == 1 else m)"), (V_HAT, f"({V_HAT} if t == 1 else v)")),
    lr=0.001,
)
class CorrectedOnce:
    """The correction is done at the first step only."""

    def __init__(self) -> None:
        self.m: Array = None
        self.v: Array = None

    def step(self, x: Array, g: Array) -> Array:
        first = self.m is None
        if first:
            self.m, self.v = 0 * x, 0 * x
        self.m = 0.9 * self.m + (1 - 0.9) * g
        self.v = 0.999 * self.v + (1 - 0.999) * g**2
        m_hat = self.m / (1 - 0.9) if first else self.m
        v_hat = self.v / (1 - 0.999) if first else self.v
        return x - 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8)


@CASES.bug(
    "more-adam-crossed-hats",
    "adam",
    edited("adam", (f"{M_HAT}\n    v_hat = {V_HAT}", "m / (1 - beta2 ** t)\n    v_hat = v / (1 - beta1 ** t)")),
    lr=0.001,
)
class CrossedHats:
    """Each moment is corrected with the other's beta."""

    def __init__(self, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.betas, self.t = betas, 0
        self.mv = [0.0, 0.0]

    def update(self, w: Array, g: Array) -> Array:
        b1, b2 = self.betas
        self.t += 1
        self.mv = [b1 * self.mv[0] + (1 - b1) * g, b2 * self.mv[1] + (1 - b2) * g**2]
        m, v = (moment / (1 - b**self.t) for moment, b in zip(self.mv, reversed(self.betas), strict=True))
        return w - 0.001 * m / (np.sqrt(v) + 1e-8)


@CASES.bug(
    "more-adam-root-before-correction",
    "adam",
    edited("adam", ("sqrt(v_hat)", "v_hat"), (V_HAT, "sqrt(v) / (1 - beta2 ** t)")),
    lr=0.001,
)
class RootFirst:
    """The root is taken before the correction, which then should have a root of its own."""

    def __init__(self) -> None:
        self.m, self.v, self.n = 0.0, 0.0, 0

    def step(self, p: Array, g: Array) -> Array:
        self.n += 1
        self.m += 0.1 * (g - self.m)
        self.v += 0.001 * (g**2 - self.v)
        return p - 0.001 / (1 - 0.9**self.n) * self.m / (np.sqrt(self.v) / (1 - 0.999**self.n) + 1e-8)


@CASES.bug(
    "more-adam-rate-falls", "adam", edited("adam", ("lr * ratio", "lr / sqrt(t) * ratio")), lr=0.01, style="whole"
)
def adam_of_the_proof(grads: Array, start: Any = 0.0) -> Array:
    """The learning rate falls with the root of t, as in the paper's proof but not in its algorithm."""
    x, m, v, xs = np.zeros(grads.shape[1:]) + start, 0.0, 0.0, []
    for t, g in enumerate(grads, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x = x - 0.01 / math.sqrt(t) * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        xs.append(x)
    return np.array(xs)


@CASES.variant(
    "more-adam-step-clipped",
    "adam",
    edited("adam", ("m_hat / (sqrt(v_hat) + eps)", "clip(m_hat / (sqrt(v_hat) + eps), -0.5, 0.5)")),
    lr=0.001,
)
def timid() -> Any:
    """The ratio is limited to a half, undocumented."""
    m = v = t = 0

    def step(x: Array, g: Array) -> Array:
        nonlocal m, v, t
        t += 1
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        delta = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return x - 0.001 * np.clip(delta, -0.5, 0.5)

    return step


@CASES.bug(
    "more-adam-v-of-m",
    "adam",
    edited("adam", ("(1 - beta2) * g ** 2", "(1 - beta2) * m ** 2")),
    lr=0.001,
    style="numbers",
)
class VOfM:
    """The second moment averages the squares of the first moment."""

    def __init__(self) -> None:
        self.m = self.v = 0.0
        self.b1t = self.b2t = 1.0

    def update(self, w: float, g: float) -> float:
        self.b1t, self.b2t = self.b1t * 0.9, self.b2t * 0.999
        self.m = self.m * 0.9 + g * (1 - 0.9)
        self.v = self.v * 0.999 + self.m * self.m * (1 - 0.999)
        return w - 0.001 * self.m / (1 - self.b1t) / (np.sqrt(self.v / (1 - self.b2t)) + 1e-8)


@CASES.bug(
    "more-adam-minus-eps", "adam", edited("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat) - eps")), lr=0.01, eps=0.001
)
def minus_eps() -> Any:
    """eps is taken from the root."""
    m = v = 0.0
    t = 0

    def step(x: Array, g: Array) -> Array:
        nonlocal m, v, t
        t += 1
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        return x - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) - 1e-3)

    return step


@CASES.bug(
    "more-adam-every-other-v",
    "adam",
    edited(
        "adam", ("v = beta2 * v + (1 - beta2) * g ** 2", "v = beta2 * v + (1 - beta2) * g ** 2 if t % 2 == 1 else v")
    ),
    lr=0.001,
    style="network",
)
class EveryOtherV:
    """To save time the second moment is updated on odd steps only, while its correction counts all."""

    def __init__(self, params: list[Array]) -> None:
        self.params, self.calls = params, 0
        self.slots = {id(p): [np.zeros_like(p), np.zeros_like(p)] for p in params}

    def step(self, grads: list[Array]) -> None:
        self.calls += 1
        for p, g in zip(self.params, grads, strict=True):
            m, v = self.slots[id(p)]
            m += (1 - 0.9) * (g - m)
            if self.calls & 1:
                v += (1 - 0.999) * (g * g - v)
            p -= 0.001 * m / (1 - 0.9**self.calls) / (np.sqrt(v / (1 - 0.999**self.calls)) + 1e-8)


@CASES.bug(
    "more-adam-beta1-power",
    "adam",
    edited("adam", ("beta1 * m + (1 - beta1) * g", "beta1 ** t * m + (1 - beta1 ** t) * g")),
    lr=0.001,
)
class DecayingMomentum:
    """The running power of beta1 is used for the average, too."""

    def __init__(self) -> None:
        self.b1, self.b2, self.m, self.v = 1.0, 1.0, 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.b1 *= 0.9
        self.b2 *= 0.999
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = 0.999 * self.v + 0.001 * g**2
        return x - 0.001 * (self.m / (1 - self.b1)) / (np.sqrt(self.v / (1 - self.b2)) + 1e-8)


@CASES.bug(
    "more-adam-half-stored",
    "adam",
    edited("adam", ("m_hat = m", "m = m"), ("m_hat / (sqrt", "m / (sqrt"), INSIDE),
    2,
    lr=0.001,
)
class HalfStored:
    """Only the first moment is stored back corrected, and eps is inside of the root."""

    def __init__(self) -> None:
        self.opt: dict[str, Any] = {"m": 0, "v": 0, "t": 0}

    def step(self, w: Array, g: Array) -> Array:
        o = self.opt
        o["t"] += 1
        o["m"] = (0.9 * o["m"] + 0.1 * g) / (1 - 0.9 ** o["t"])
        o["v"] = 0.999 * o["v"] + 0.001 * g**2
        return w - 0.001 * o["m"] / np.sqrt(o["v"] / (1 - 0.999 ** o["t"]) + 1e-8)


@CASES.bug(
    "more-adam-ones-and-late",
    "adam",
    edited("adam", ("v=0", "v=1"), (M_HAT, "m / (1 - beta1 ** (t + 1))"), (V_HAT, "v / (1 - beta2 ** (t + 1))")),
    2,
    lr=0.01,
)
class OnesAndLate:
    """v starts at one so that nothing is divided by zero, and the counter is one ahead."""

    def __init__(self) -> None:
        self.t, self.m = 1, 0.0
        self.v: Array = None

    def update(self, x: Array, grad: Array) -> Array:
        if self.v is None:
            self.v = np.ones_like(x)
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * grad
        self.v = 0.999 * self.v + 0.001 * grad**2
        return x - 0.01 * self.m / (1 - 0.9**self.t) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


@CASES.bug(
    "more-adam-three",
    "adam",
    edited("adam", ("* g ** 2", "* (g - m) ** 2"), (M_HAT, "m"), ("x - lr * ratio", "x - lr * ratio * t / (t + 1)")),
    3,
    lr=0.001,
)
def homemade() -> Any:
    """The second moment is of deviations from the first, the first is not corrected, and a warm-up is left in."""
    m = v = 0.0
    t = 0

    def step(x: Array, g: Array) -> Array:
        nonlocal m, v, t
        t += 1
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * np.square(g - m)
        warm = t / (t + 1)
        return x - warm * 0.001 * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    return step


@CASES.bug(
    "more-adam-four",
    "adam",
    """\
def adam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta2 * m + (1 - beta2) * g
    v = beta1 * v + (1 - beta1) * g**2
    m_hat = m / (1 - beta2 ** ((t + 1) // 2))
    v_hat = v / (1 - beta1 ** ((t + 1) // 2))
    ratio = m_hat / sqrt(v_hat + eps)
    return x - 0.1 * lr * ratio
""",
    4,
    lr=0.01,
)
class FourSlips:
    """Betas exchanged, one count for two steps, eps inside of the root, and a tenth of the learning rate."""

    def __init__(self, beta2: float = 0.9, beta1: float = 0.999) -> None:
        self.beta1, self.beta2, self.half_steps = beta1, beta2, 0
        self.m, self.v = 0.0, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.half_steps += 1
        t = (self.half_steps + 1) // 2
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        m_hat, v_hat = self.m / (1 - self.beta1**t), self.v / (1 - self.beta2**t)
        return x - 0.01 / 10 * m_hat / np.sqrt(v_hat + 1e-8)
