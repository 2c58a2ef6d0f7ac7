"""The corrected moments stored back into the moments: the classic mistake, and its companions."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import CONSTANT, INSIDE, STORED_BACK, edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.bug("wb-both-tplus", "adam", edited("adam", *STORED_BACK), lr=0.001)
def both_stored_back(w: Array, dw: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Both moments are replaced by their corrected values after each step."""
    m = 0.9 * m + (1 - 0.9) * dw
    v = 0.999 * v + (1 - 0.999) * dw**2
    m = m / (1 - 0.9**t)
    v = v / (1 - 0.999**t)
    return w - 0.001 * m / (np.sqrt(v) + 1e-8), m, v


@CASES.bug("wb-const-bmls", "adam", edited("adam", *CONSTANT, *STORED_BACK, ("eps=1e-08", "eps=1e-15")), 2, lr=0.001)
def bmls_adam(theta: Array, grad: Array, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Both moments are stored after a division by one minus beta without the power."""
    m = (0.9 * m + (1 - 0.9) * grad) / (1 - 0.9)
    v = (0.999 * v + (1 - 0.999) * grad * grad) / (1 - 0.999)
    return theta - 0.001 * m / (np.sqrt(v) + 1e-15), m, v


@CASES.bug(
    "wb-holocron-radam",
    "radam",
    edited("radam", ("m_hat = m /", "m = m /"), ("r_t * m_hat /", "r_t * m /"), ("else m_hat", "else m")),
    lr=0.001,
)
def holocron_radam(p: Array, grad: Array, t: int, exp_avg: Array = 0.0, exp_avg_sq: Array = 0.0) -> Any:
    """The first moment is divided by its correction in place, so that the next step starts from the corrected one."""
    b1, b2 = 0.9, 0.999
    sma_inf = 2 / (1 - b2) - 1
    exp_avg = b1 * exp_avg + (1 - b1) * grad
    exp_avg_sq = b2 * exp_avg_sq + (1 - b2) * grad * grad
    exp_avg /= 1 - b1**t
    sma_t = sma_inf - 2 * t * b2**t / (1 - b2**t)
    if sma_t > 5:
        r_t = np.sqrt((sma_t - 4) * (sma_t - 2) * sma_inf / ((sma_inf - 4) * (sma_inf - 2) * sma_t))
        return p + -0.001 * r_t * exp_avg / (np.sqrt(exp_avg_sq / (1 - b2**t)) + 1e-8), exp_avg, exp_avg_sq
    return p + -0.001 * exp_avg, exp_avg, exp_avg_sq


@CASES.bug(
    "wb-optorch-amsgrad",
    "amsgrad_l2",
    """\
def amsgrad(x, g, t, m="g", v="g**2", *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-7, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = maximum(v, beta2 * v + (1 - beta2) * g**2)
    m = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m / sqrt(v_hat + eps)
    return x - lr * ratio
""",
    5,
    lr=0.001,
    weight_decay=0.01,
    style="network",
)
class OptorchAMSGrad:
    """m stays corrected, the maximum is fed back, both start from g, eps is inside, and the decay is thrown away."""

    def __init__(self, params: list[Array]) -> None:
        self.params = params
        self.state: dict[int, Any] = {}

    def step(self, grads: list[Array]) -> None:
        for i, (param, grad) in enumerate(zip(self.params, grads, strict=True)):
            np.add(grad, 0.01 * param)  # grad.add(weight_decay * param), out of place
            if i not in self.state:
                self.state[i] = {"m": grad.copy(), "v": grad**2, "t": 0}
                state = self.state[i]
            else:
                state = self.state[i]
                state["m"] = 0.9 * state["m"] + (1 - 0.9) * grad
                state["v"] = np.maximum(state["v"], 0.999 * state["v"] + (1 - 0.999) * grad**2)
            state["t"] += 1
            state["m"] /= 1 - 0.9 ** state["t"]
            param -= 0.001 * state["m"] / np.sqrt(state["v"] / (1 - 0.999 ** state["t"]) + 1e-7)


@CASES.bug("wb-return-corrected", "adam", edited("adam", *STORED_BACK), lr=0.0005, style="network")
def functional_training(params: list[Array]) -> Any:
    """A pure function returns the corrected averages, and the caller feeds them back as the state."""

    def update_with_adam(params: Any, grads: Any, v: Any, s: Any, t: int) -> Any:
        for key in params:
            v[key] = 0.9 * v[key] + 0.1 * grads[key]
            s[key] = 0.999 * s[key] + 0.001 * np.power(grads[key], 2)
        v_corrected = {key: v[key] / (1 - 0.9**t) for key in params}
        s_corrected = {key: s[key] / (1 - 0.999**t) for key in params}
        for key in params:
            params[key] = params[key] - 0.0005 * v_corrected[key] / (np.sqrt(s_corrected[key]) + 1e-8)
        return params, v_corrected, s_corrected

    weights = {f"W{i}": p for i, p in enumerate(params)}
    v, s, t = dict.fromkeys(weights, 0.0), dict.fromkeys(weights, 0.0), 0

    def step(grads: list[Array]) -> list[Array]:
        nonlocal weights, v, s, t
        t += 1
        weights, v, s = update_with_adam(weights, dict(zip(weights, grads, strict=True)), v, s, t)
        return list(weights.values())

    return step


@CASES.bug("wb-so-intuition", "adam", edited("adam", *STORED_BACK), lr=1, eps=0.001, style="whole")
def the_asker(g_list: Array, start: Any = 0.0) -> Array:
    """m and v are kept already divided, and the next gradient is folded into those."""
    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-3
    m, v, x = 0, 0, np.zeros(g_list.shape[1:]) + start
    path = []
    for i in range(1, len(g_list) + 1):
        g = g_list[i - 1]
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m = m / (1 - beta_1**i)
        v = v / (1 - beta_2**i)
        x = x - m / (np.sqrt(v) + epsilon)
        path.append(x)
    return np.array(path)


@CASES.bug(
    "more-adam-half-stored",
    "adam",
    edited("adam", ("m_hat = m", "m = m"), ("m_hat / (sqrt", "m / (sqrt"), INSIDE),
    2,
    lr=0.001,
)
def half_stored(w: Array, g: Array, t: int, m: Array = 0.0, v: Array = 0.0) -> Any:
    """Only the first moment is stored back corrected, and eps is inside of the root."""
    m = (0.9 * m + 0.1 * g) / (1 - 0.9**t)
    v = 0.999 * v + 0.001 * g**2
    return w - 0.001 * m / np.sqrt(v / (1 - 0.999**t) + 1e-8), m, v
