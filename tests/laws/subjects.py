"""Implementations seen from outside, right and broken: plain NumPy, sharing no code with the engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Knobs = dict[str, float]
# One step of one tensor: x, g, its memory, t (from 1), knobs, k (from 1), n; gives the new x.
Step = Callable[[Array, Array, dict[str, Any], int, Knobs, int, int], Array]


def of_step(step: Step) -> Callable[[Any, float, Knobs], Any]:
    """Make a run of one step, each tensor with a memory of its own."""

    def run(gradients: Any, start: float, knobs: Knobs) -> Any:
        tensors = gradients if isinstance(gradients, list) else [gradients]
        memories: list[dict[str, Any]] = [{} for _ in tensors]
        found = []
        for k, (g, memory) in enumerate(zip(tensors, memories, strict=True), start=1):
            x, path = np.full(g.shape[1:], start), []
            for t in range(1, len(g) + 1):
                x = step(x, g[t - 1], memory, t, knobs, k, len(tensors))
                path.append(x)
            found.append(np.array(path).reshape(g.shape))
        return found if isinstance(gradients, list) else found[0]

    return run


def adam_step(x: Array, g: Array, memory: dict[str, Any], t: int, knobs: Knobs, k: int = 1, n: int = 1) -> Array:
    b1, b2 = knobs["beta1"], knobs["beta2"]
    memory["m"] = b1 * memory.get("m", 0.0) + (1 - b1) * g
    memory["v"] = b2 * memory.get("v", 0.0) + (1 - b2) * g * g
    m_hat, v_hat = memory["m"] / (1 - b1**t), memory["v"] / (1 - b2**t)
    with np.errstate(all="ignore"):
        return np.asarray(x - knobs["lr"] * m_hat / (np.sqrt(v_hat) + knobs["eps"]))


def adamw_step(x: Array, g: Array, memory: dict[str, Any], t: int, knobs: Knobs, k: int = 1, n: int = 1) -> Array:
    return adam_step(x, g, memory, t, knobs) - knobs["lr"] * knobs["weight_decay"] * x


def sgd_step(x: Array, g: Array, memory: dict[str, Any], t: int, knobs: Knobs, k: int = 1, n: int = 1) -> Array:
    return np.asarray(x - knobs["lr"] * g)


def sign_step(x: Array, g: Array, memory: dict[str, Any], t: int, knobs: Knobs, k: int = 1, n: int = 1) -> Array:
    return np.asarray(x - knobs["lr"] * np.sign(g))


adam, adamw, sgd, signsgd = map(of_step, (adam_step, adamw_step, sgd_step, sign_step))
