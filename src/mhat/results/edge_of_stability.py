"""The curvature at which Adam swings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat import rules
from mhat.landscapes import quadratic
from mhat.language import rule
from mhat.results.result import Number, Result
from mhat.traces.door import trace

STEPS, RATE = 40_000, 0.01
# Adam's step where what it divides by stays as it is.
FROZEN = rule("""
def frozen(x, g, t, m=0, *, lr=0.1, beta1=0.9):
    m = beta1 * m + (1 - beta1) * g
    return x - lr * m
""")


def _runs() -> Mapping[str, xr.Dataset]:
    bowl = quadratic(1.0, dimensions=1)
    return {"a bowl of curvature 1": trace(rules.named("adam"), bowl, steps=STEPS, start=1.0, lr=RATE)}


def _swings_wider(rate: float) -> bool:
    x = np.abs(np.ravel(trace(FROZEN, quadratic(1.0, dimensions=1), steps=2000, start=1.0, lr=rate, keep="x").x.values))
    return not x[-100:].max() < x[900:1000].max()


def _threshold() -> float:
    low, high = 1.0, 100.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if _swings_wider(middle) else (middle, high)
    return low


def _found() -> Mapping[str, float]:
    (ds,) = _runs().values()
    seen = 1 / (np.sqrt(np.ravel(ds.v_hat.values)[STEPS // 2 :]) + 1e-8) * RATE
    return {
        "curvature over what divides, times lr, from which on it swings wider": _threshold(),
        "the same while Adam trains on a bowl, median": float(np.median(seen)),
    }


edge_of_stability = Result(
    name="edge_of_stability",
    claim="Adam is stable up to a curvature, over what it divides by, of 38 / lr, and trains just below it.",
    source="Cohen et al. 2022, adaptive edge of stability, arXiv:2207.14484",
    verdict="holds",
    numbers=(
        Number("curvature over what divides, times lr, from which on it swings wider", 38.0, 0.05),
        Number("the same while Adam trains on a bowl, median", 35.2, 0.5),
    ),
    run=_found,
    picture=lambda: (_runs(), "x"),
    teaches="(2 + 2 beta1) / (1 - beta1) = 38. v shrinks with the gradients until the bowl looks so steep, then swings "
    "make it grow again.",
    repeat="mhat explain adam --why stability",
)
