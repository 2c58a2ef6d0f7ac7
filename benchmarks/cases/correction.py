"""The bias correction: constant, multiplied, crossed, with the wrong power, or missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import CONSTANT, INSIDE, M_HAT, MISSING, V_HAT, edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.bug("const-copies-python", "adam", edited("adam", *CONSTANT), lr=0.01)
def adam_of_copies(w: Array, grad_wrt_w: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Both hats divide by one minus beta without the power."""
    m = 0.9 * m + (1 - 0.9) * grad_wrt_w
    v = 0.999 * v + (1 - 0.999) * np.power(grad_wrt_w, 2)
    m_hat, v_hat = m / (1 - 0.9), v / (1 - 0.999)
    return w - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8), m, v


@CASES.bug("const-ml-from-scratch", "adam", edited("adam", *CONSTANT), lr=0.001)
def scratch_layer(p: Array, g: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The hats are divided by constants; there is no t at all."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g * g
    return p + -0.001 * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.999)) + 1e-8), m, v


@CASES.bug("const-eps-in-sqrt-layer", "adam", edited("adam", *CONSTANT, INSIDE), 2, lr=0.01)
def layer_with_adam(weights: Array, dW: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The corrections have no power, and eps is inside of the root."""
    m = m * 0.9 + dW * (1 - 0.9)
    v = v * 0.999 + dW**2 * (1 - 0.999)
    weights -= 0.01 * (m / (1 - 0.9)) / np.sqrt(v / (1 - 0.999) + 1e-8)
    return weights, m, v


@CASES.bug(
    "const-simple-neural-net-rs",
    "adam",
    edited("adam", *CONSTANT, ("eps=1e-08", "eps=1e-07"), ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2)")),
    2,
    lr=0.001,
)
def rust_like_adam(w: Array, g: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The efficient form with constants instead of powers, and eps-hat 1e-7."""
    m = 0.9 * m + (1.0 - 0.9) * g
    v = 0.999 * v + (1.0 - 0.999) * g * g
    return w - 0.001 * math.sqrt(1.0 - 0.999) / (1.0 - 0.9) * m / (np.sqrt(v) + 1e-7), m, v


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
def ada_bound_tf(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """What is already 1 - beta2**t is taken from one again."""
    beta1_power, beta2_power = 1 - 0.9**t, 1 - 0.999**t
    step_size = 0.001 * np.sqrt(1.0 - beta2_power) / beta1_power
    lower = 0.1 * (1.0 - 1.0 / (0.001 * t + 1.0))
    upper = 0.1 * (1.0 + 1.0 / (0.001 * t))
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + (1 - 0.999) * g**2
    return p - m * np.clip(step_size / (np.sqrt(v) + 1e-8), lower, upper), m, v


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
def complement_adam(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The decays are given as complements, and the correction takes powers of the complements."""
    m += 0.1 * (g - m)
    v += 0.001 * (g * g - v)
    m_unbiased = m / (1 - 0.1**t)
    v_unbiased = v / (1 - 0.001**t)
    return x - 0.0003 * m_unbiased / (np.sqrt(v_unbiased) + 1e-8), m, v


@CASES.bug("mulbc-convnetjs", "adam", edited("adam", ("m / (1", "m * (1"), ("v / (1", "v * (1")), lr=0.01)
def conv_net_trainer(p: Array, gij: Array, t: int, gsum: Array = 0.0, xsum: Array = 0.0) -> Any:
    """The moments are multiplied by the correction instead of divided."""
    gsum = gsum * 0.9 + (1 - 0.9) * gij
    xsum = xsum * 0.999 + (1 - 0.999) * gij * gij
    bias_corr1 = gsum * (1 - math.pow(0.9, t))
    bias_corr2 = xsum * (1 - math.pow(0.999, t))
    return p + -0.01 * bias_corr1 / (np.sqrt(bias_corr2) + 1e-8), gsum, xsum


@CASES.bug(
    "slide-power-ufal", "adam", edited("adam", ("beta1 ** t", "beta1 ** 2"), ("beta2 ** t", "beta2 ** 2")), lr=0.001
)
def slide_adam(theta: Array, g: Array, t: int, s: Array = 0.0, r: Array = 0.0) -> Any:
    """The slide's 1 - beta^2, printed for beta^t, is taken literally."""
    s = 0.9 * s + 0.1 * g
    r = 0.999 * r + 0.001 * g**2
    s_hat, r_hat = s / (1 - 0.9**2), r / (1 - 0.999**2)
    return theta - 0.001 / (np.sqrt(r_hat) + 1e-8) * s_hat, s, r


@CASES.variant("nobc-fair-renderer", "adam", edited("adam", *MISSING), lr=0.001)
def renderer_adam(value: Array, gradient: Array, m1: Array = 0.0, m2: Array = 0.0) -> Any:
    """The moments are not corrected, as a comment in the source says."""
    m1 = 0.9 * m1 + 0.1 * gradient
    m2 = 0.999 * m2 + 0.001 * gradient * gradient
    return value - 0.001 * m1 / (np.sqrt(m2) + 1e-8), m1, m2


@CASES.bug(
    "nobc-flux-adabelief",
    "adabelief",
    edited("adabelief", *MISSING, ("(g - m) ** 2 + eps", "(g - m) ** 2"), ("eps=1e-16", "eps=1e-08")),
    2,
    lr=0.001,
)
def flux_adabelief(x: Array, delta: Array, mt: Array = 0.0, st: Array = 0.0) -> Any:
    """Neither average is corrected, and eps is not part of the second."""
    mt = 0.9 * mt + (1 - 0.9) * delta
    st = 0.999 * st + (1 - 0.999) * (delta - mt) ** 2
    return x - 0.001 * mt / (np.sqrt(st) + 1e-8), mt, st


@CASES.bug("nobc-jax-hat-alias", "adam", edited("adam", *MISSING, INSIDE), 2, lr=0.001)
def hats_in_name_only(params: Array, grads: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """What is called m_hat and v_hat are m and v themselves, and eps is inside of the root."""
    m = 0.9 * m + (1 - 0.9) * grads
    v = 0.999 * v + (1 - 0.999) * grads**2
    m_hat = m  # bias correction
    v_hat = v
    return params - 0.001 * m_hat / np.sqrt(v_hat + 1e-8), m, v


@CASES.bug("nobc-matlab-sgd", "adam", edited("adam", *MISSING), lr=0.02)
def matlab_loop(theta: Array, g: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The moments are used uncorrected."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g**2
    return theta - 0.02 * m / (np.sqrt(v) + 1e-8), m, v


@CASES.variant("nobc-mlx", "adamw", edited("adamw", *MISSING), lr=0.001, weight_decay=0.01)
def mlx_like_adamw(parameter: Array, gradient: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The documented original form: no correction."""
    parameter = parameter * (1 - 0.001 * 0.01)
    m = 0.9 * m + (1 - 0.9) * gradient
    v = 0.999 * v + (1 - 0.999) * np.square(gradient)
    return parameter - 0.001 * m / (np.sqrt(v) + 1e-8), m, v


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


@CASES.bug(
    "more-adam-corrected-once",
    "adam",
    edited("adam", (M_HAT, f"({M_HAT} if t == 1 else m)"), (V_HAT, f"({V_HAT} if t == 1 else v)")),
    lr=0.001,
)
def corrected_once(x: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The correction is done at the first step only."""
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.999 * v + (1 - 0.999) * g**2
    m_hat, v_hat = (m / (1 - 0.9), v / (1 - 0.999)) if t == 1 else (m, v)
    return x - 0.001 * m_hat / (np.sqrt(v_hat) + 1e-8), m, v


@CASES.bug(
    "more-adam-crossed-hats",
    "adam",
    edited("adam", (f"{M_HAT}\n    v_hat = {V_HAT}", "m / (1 - beta2 ** t)\n    v_hat = v / (1 - beta1 ** t)")),
    lr=0.001,
)
def crossed_hats(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Each moment is corrected with the other's beta."""
    b1, b2 = 0.9, 0.999
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return w - 0.001 * (m / (1 - b2**t)) / (np.sqrt(v / (1 - b1**t)) + 1e-8), m, v


@CASES.bug(
    "more-adam-root-before-correction",
    "adam",
    edited("adam", ("sqrt(v_hat)", "v_hat"), (V_HAT, "sqrt(v) / (1 - beta2 ** t)")),
    lr=0.001,
)
def root_first(p: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """The root is taken before the correction, which then should have a root of its own."""
    m += 0.1 * (g - m)
    v += 0.001 * (g**2 - v)
    return p - 0.001 / (1 - 0.9**t) * m / (np.sqrt(v) / (1 - 0.999**t) + 1e-8), m, v
