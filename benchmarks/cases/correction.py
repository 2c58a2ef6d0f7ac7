"""The bias correction: constant, multiplied, with the wrong power, missing, or stored back into the moments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited

CASES = Collection()

Array = Any

CONSTANT = (("1 - beta1 ** t", "1 - beta1"), ("1 - beta2 ** t", "1 - beta2"))
MISSING = (("m / (1 - beta1 ** t)", "m"), ("v / (1 - beta2 ** t)", "v"))
INSIDE = ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")
STORED_BACK = (("m_hat = m", "m = m"), ("v_hat = v", "v = v"), ("m_hat / (sqrt(v_hat)", "m / (sqrt(v)"))


@CASES.bug("const-copies-python", "adam", edited("adam", *CONSTANT), lr=0.01)
class Adam2:
    """Both hats divide by one minus beta without the power."""

    def __init__(self, eta: float = 0.01) -> None:
        self.eta, self.b1, self.b2 = eta, 0.9, 0.999
        self.m: Array = None
        self.v: Array = None

    def update(self, w: Array, grad_wrt_w: Array) -> Array:
        if self.m is None:
            self.m = np.zeros(np.shape(grad_wrt_w))
            self.v = np.zeros(np.shape(grad_wrt_w))
        self.m = self.b1 * self.m + (1 - self.b1) * grad_wrt_w
        self.v = self.b2 * self.v + (1 - self.b2) * np.power(grad_wrt_w, 2)
        m_hat = self.m / (1 - self.b1)
        v_hat = self.v / (1 - self.b2)
        self.w_updt = self.eta * m_hat / (np.sqrt(v_hat) + 1e-8)
        return w - self.w_updt


@CASES.bug("const-ml-from-scratch", "adam", edited("adam", *CONSTANT), lr=0.001, style="network")
def scratch_network(params: list[Array]) -> Any:
    """The hats are divided by constants; there is no t at all."""
    opts = [{"m": np.zeros_like(p), "v": np.zeros_like(p)} for p in params]
    b1, b2, eps, learning_rate = 0.9, 0.999, 1e-8, 0.001

    def step(grads: list[Array]) -> None:
        for p, o, g in zip(params, opts, grads, strict=True):
            o["m"] = b1 * o["m"] + (1 - b1) * g
            o["v"] = b2 * o["v"] + (1 - b2) * g * g
            o["m_hat"], o["v_hat"] = o["m"] / (1 - b1), o["v"] / (1 - b2)
            p += -learning_rate * o["m_hat"] / (np.sqrt(o["v_hat"]) + eps)

    return step


@CASES.bug("const-eps-in-sqrt-layer", "adam", edited("adam", *CONSTANT, INSIDE), 2, lr=0.01)
class LayerWithAdam:
    """The corrections have no power, and eps is inside of the root."""

    def __init__(self) -> None:
        self.adam: dict[str, Array] = {"m": 0, "v": 0}

    def step(self, weights: Array, dW: Array) -> None:
        self.adam["m"] = self.adam["m"] * 0.9 + dW * (1 - 0.9)
        self.adam["v"] = self.adam["v"] * 0.999 + dW**2 * (1 - 0.999)
        weights -= 0.01 * (self.adam["m"] / (1 - 0.9)) / np.sqrt(self.adam["v"] / (1 - 0.999) + 1e-8)


@CASES.bug(
    "const-simple-neural-net-rs",
    "adam",
    edited("adam", *CONSTANT, ("eps=1e-08", "eps=1e-07"), ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2)")),
    2,
    lr=0.001,
    style="numbers",
)
class RustLikeAdam:
    """The efficient form with constants instead of powers, and eps-hat 1e-7."""

    def __init__(self) -> None:
        self.rate = 0.001 * math.sqrt(1.0 - 0.999) / (1.0 - 0.9)
        self.m, self.v = 0.0, 0.0

    def update(self, w: float, g: float) -> float:
        self.m = 0.9 * self.m + (1.0 - 0.9) * g
        self.v = 0.999 * self.v + (1.0 - 0.999) * g * g
        return w - self.rate * self.m / (np.sqrt(self.v) + 1e-7)


@CASES.bug(
    "const-stale-moments",
    "adam",
    """\
def adam(x, g, t, m="(1 - beta1) * g", v="(1 - beta2) * g**2", *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m_hat = m / (1 - beta1)
    v_hat = v / (1 - beta2)
    ratio = m_hat / (sqrt(v_hat) + eps)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * ratio
""",
    3,
    style="whole",
    lr=0.05,
)
def descend(grads: Array, start: Any = 0.0) -> Array:
    """theta moves with the moments from before this gradient, seeded with the first, corrected by constants."""
    theta = np.zeros(grads.shape[1:]) + start
    m, v = (1 - 0.9) * grads[0], (1 - 0.999) * grads[0] ** 2
    thetas = []
    for grad in grads:
        mh, vh = m / (1 - 0.9), v / (1 - 0.999)
        theta = theta - 0.05 * mh / (vh**0.5 + 1e-8)
        thetas.append(theta)
        m = 0.9 * m + (1 - 0.9) * grad
        v = 0.999 * v + (1 - 0.999) * grad**2
    return np.stack(thetas)


@CASES.bug(
    "double-oneminus-adabound-tf",
    "adabound",
    edited("adabound", ("sqrt(1 - beta2 ** t)", "sqrt(1 - (1 - beta2 ** t))")),
    lr=0.001,
)
class AdaBoundTF:
    """What is already 1 - beta2**t is taken from one again."""

    def __init__(self) -> None:
        self.it, self.m, self.v = 0, 0.0, 0.0

    def step(self, p: Array, g: Array) -> Array:
        self.it += 1
        beta1_power, beta2_power = 1 - 0.9**self.it, 1 - 0.999**self.it
        step_size = 0.001 * np.sqrt(1.0 - beta2_power) / beta1_power
        lower = 0.1 * (1.0 - 1.0 / (1e-3 * self.it + 1.0))
        upper = 0.1 * (1.0 + 1.0 / (1e-3 * self.it))
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + (1 - 0.999) * g**2
        return p - self.m * np.clip(step_size / (np.sqrt(self.v) + 1e-8), lower, upper)


@CASES.bug(
    "complement-arctic-captions",
    "adam",
    edited(
        "adam",
        ("1 - beta1 ** t", "1 - (1 - beta1) ** t"),
        ("1 - beta2 ** t", "1 - (1 - beta2) ** t"),
        ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - (1 - beta2) ** t)"),
        ("lr * ratio", "0.0002 * ratio"),
    ),
    3,
    lr=0.001,
)
def theano_adam() -> Any:
    """Powers of the small complements b1=.1, b2=.001 correct nothing, eps is eps-hat, and lr is ignored."""

    def adam(lr: float = 0.001) -> Any:
        lr0, b1, b2, e = 0.0002, 0.1, 0.001, 1e-8
        i, m, v = 0.0, 0.0, 0.0

        def f_update(p: Array, g: Array) -> Array:
            nonlocal i, m, v
            i_t = i + 1.0
            fix1, fix2 = 1.0 - b1**i_t, 1.0 - b2**i_t
            lr_t = lr0 * (np.sqrt(fix2) / fix1)
            m_t = (b1 * g) + ((1.0 - b1) * m)
            v_t = (b2 * g**2) + ((1.0 - b2) * v)
            i, m, v = i_t, m_t, v_t
            return p - lr_t * (m_t / (np.sqrt(v_t) + e))

        return f_update

    return adam()


@CASES.bug(
    "complement-theano-family",
    "adam",
    edited("adam", ("1 - beta1 ** t", "1 - (1 - beta1) ** t"), ("1 - beta2 ** t", "1 - (1 - beta2) ** t")),
    lr=0.0003,
)
class ComplementAdam:
    """The decays are given as complements, and the correction takes powers of the complements."""

    def __init__(self, decay1: float = 0.1, decay2: float = 0.001) -> None:
        self.decay1, self.decay2, self.t = decay1, decay2, 0
        self.m: Array = 0.0
        self.v: Array = 0.0

    def update(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m += self.decay1 * (g - self.m)
        self.v += self.decay2 * (g * g - self.v)
        m_unbiased = self.m / (1 - self.decay1**self.t)
        v_unbiased = self.v / (1 - self.decay2**self.t)
        return x - 0.0003 * m_unbiased / (np.sqrt(v_unbiased) + 1e-8)


@CASES.bug(
    "mulbc-convnetjs", "adam", edited("adam", ("m / (1", "m * (1"), ("v / (1", "v * (1")), lr=0.01, style="numbers"
)
class ConvNetTrainer:
    """The moments are multiplied by the correction instead of divided."""

    def __init__(self) -> None:
        self.k, self.gsum, self.xsum = 0, 0.0, 0.0

    def update(self, p: float, gij: float) -> float:
        self.k += 1
        self.gsum = self.gsum * 0.9 + (1 - 0.9) * gij
        self.xsum = self.xsum * 0.999 + (1 - 0.999) * gij * gij
        bias_corr1 = self.gsum * (1 - math.pow(0.9, self.k))
        bias_corr2 = self.xsum * (1 - math.pow(0.999, self.k))
        return p + -0.01 * bias_corr1 / (np.sqrt(bias_corr2) + 1e-8)


@CASES.bug(
    "slide-power-ufal", "adam", edited("adam", ("beta1 ** t", "beta1 ** 2"), ("beta2 ** t", "beta2 ** 2")), lr=0.001
)
class SlideAdam:
    """The slide's 1 - beta^2, printed for beta^t, is taken literally."""

    def __init__(self) -> None:
        self.s, self.r, self.t = 0.0, 0.0, 0

    def step(self, theta: Array, g: Array) -> Array:
        self.t += 1
        self.s = 0.9 * self.s + 0.1 * g
        self.r = 0.999 * self.r + 0.001 * g**2
        s_hat, r_hat = self.s / (1 - 0.9**2), self.r / (1 - 0.999**2)
        return theta - 0.001 / (np.sqrt(r_hat) + 1e-8) * s_hat


@CASES.variant("nobc-fair-renderer", "adam", edited("adam", *MISSING), lr=0.001, style="numbers")
class RendererAdam:
    """The moments are not corrected, as a comment in the source says."""

    def __init__(self) -> None:
        self.m1, self.m2 = 0.0, 0.0

    def step(self, value: float, gradient: float) -> float:
        # no bias correction: it only matters in the first steps
        self.m1 = 0.9 * self.m1 + 0.1 * gradient
        self.m2 = 0.999 * self.m2 + 0.001 * gradient * gradient
        return value - 0.001 * self.m1 / (np.sqrt(self.m2) + 1e-8)


@CASES.bug(
    "nobc-flux-adabelief",
    "adabelief",
    edited("adabelief", *MISSING, ("(g - m) ** 2 + eps", "(g - m) ** 2"), ("eps=1e-16", "eps=1e-08")),
    2,
    lr=0.001,
)
def flux_adabelief() -> Any:
    """Neither average is corrected, and eps is not part of the second."""
    acc: dict[str, Array] = {}

    def apply(x: Array, delta: Array) -> None:
        mt, st = acc.setdefault("mt", np.zeros_like(x)), acc.setdefault("st", np.zeros_like(x))
        mt[:] = 0.9 * mt + (1 - 0.9) * delta
        st[:] = 0.999 * st + (1 - 0.999) * (delta - mt) ** 2
        x -= 0.001 * mt / (np.sqrt(st) + 1e-8)

    return apply


@CASES.bug("nobc-jax-hat-alias", "adam", edited("adam", *MISSING, INSIDE), 2, lr=0.001)
def hats_in_name_only() -> Any:
    """What is called m_hat and v_hat are m and v themselves, and eps is inside of the root."""
    m = v = 0.0

    def step(params: Array, grads: Array) -> Array:
        nonlocal m, v
        m = 0.9 * m + (1 - 0.9) * grads
        v = 0.999 * v + (1 - 0.999) * grads**2
        m_hat = m  # bias correction
        v_hat = v
        return params - 0.001 * m_hat / np.sqrt(v_hat + 1e-8)

    return step


@CASES.bug("nobc-matlab-sgd", "adam", edited("adam", *MISSING), style="whole", lr=0.02)
def matlab_loop(grads: Array, start: Any = 0.0) -> Array:
    """The moments are used uncorrected."""
    theta = np.zeros(grads.shape[1:]) + start
    m, v, out = 0 * theta, 0 * theta, np.empty_like(grads)
    for k in range(grads.shape[0]):
        m = 0.9 * m + (1 - 0.9) * grads[k]
        v = 0.999 * v + (1 - 0.999) * grads[k] ** 2
        theta = theta - 0.02 * m / (np.sqrt(v) + 1e-8)
        out[k] = theta
    return out


@CASES.variant("nobc-mlx", "adamw", edited("adamw", *MISSING), lr=0.001, weight_decay=0.01, style="network")
class MlxLikeAdamW:
    """The documented original form: no correction."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.state = {i: {"m": np.zeros_like(p), "v": np.zeros_like(p)} for i, p in enumerate(params)}

    def apply_single(self, gradient: Array, parameter: Array, state: dict[str, Array]) -> Array:
        parameter = parameter * (1 - 0.001 * 0.01)
        state["m"] = 0.9 * state["m"] + (1 - 0.9) * gradient
        state["v"] = 0.999 * state["v"] + (1 - 0.999) * np.square(gradient)
        return parameter - 0.001 * state["m"] / (np.sqrt(state["v"]) + 1e-8)

    def update(self, gradients: list[Array]) -> list[Array]:
        self.params = [self.apply_single(g, p, self.state[i]) for i, (g, p) in enumerate(zip(gradients, self.params))]  # noqa: B905
        return self.params


@CASES.bug(
    "nobc-numpy-tutorial",
    "adam",
    edited(
        "adam",
        ("m = beta1 * m + (1 - beta1)", "m = beta2 * m + (1 - beta2)"),
        ("v = beta2 * v + (1 - beta2)", "v = beta1 * v + (1 - beta1)"),
        *MISSING,
        INSIDE,
    ),
    3,
    lr=0.001,
)
def tutorial() -> Any:
    """No correction, eps inside of the root, and the call site passes the two decays the wrong way round."""

    def adam_update(x: Array, dx: Array, m: Array, s: Array, lr: float, d1: float = 0.9, d2: float = 0.999) -> Any:
        m = d1 * m + (1 - d1) * dx
        s = d2 * s + (1 - d2) * dx**2
        return x - lr * m / np.sqrt(s + 1e-8), m, s

    store = {"m": 0.0, "s": 0.0}

    def step(x: Array, dx: Array) -> Array:
        x, store["m"], store["s"] = adam_update(x, dx, store["m"], store["s"], 0.001, 0.999, 0.9)
        return x

    return step


@CASES.bug("flag-ignored-ort", "adam", edited("adam", *MISSING), lr=0.001)
class CpuFallbackAdam:
    """The flag that asks for the correction is ignored on the CPU path."""

    def __init__(self, device: str = "cpu", do_bias_correction: bool = True) -> None:
        self.device, self.do_bias_correction = device, do_bias_correction
        self.count, self.m1, self.m2 = 0, 0.0, 0.0

    def _alpha(self) -> float:
        if self.device == "cpu":
            return 0.001
        if self.do_bias_correction:
            return 0.001 * math.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count)
        return 0.001

    def update(self, w: Array, g: Array) -> Array:
        self.count += 1
        self.m1 = 0.9 * self.m1 + (1 - 0.9) * g
        self.m2 = 0.999 * self.m2 + (1 - 0.999) * g * g
        return w - self._alpha() * self.m1 / (np.sqrt(self.m2) + 1e-8)
