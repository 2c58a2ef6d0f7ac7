"""The trace: one coordinate and many steps, many coordinates, many settings of a knob; five variables kept, float32."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

import mhat
from benchmarks.speed import limits, trace_peers
from benchmarks.speed.harness import Figure, Make, Plan, at_least, at_most, compared

KEPT = ["m", "v", "m_hat", "v_hat", "x"]
ONE, STEPS, WIDE = 1_000_000, 10_000, 1000
LASTING = 0.2


def noise(*shape: int) -> np.ndarray:
    """Draw gradients, steps first."""
    return np.random.default_rng(3).standard_normal(shape, dtype=np.float32)


def one_coordinate(plan: Plan) -> Iterator[Figure]:
    g = noise(plan.size(ONE))
    makers: dict[str, Make] = {
        "mhat": lambda: lambda: mhat.trace("adam", g, keep=KEPT, dtype="float32"),
        "optax scan": lambda: trace_peers.optax_scan(g),
        "lfilter": lambda: trace_peers.lfilter(g),
        "pandas ewm": lambda: trace_peers.ewm(g),
        "write limit": lambda: limits.writing(g.shape, len(KEPT)),
        "numba loop": lambda: trace_peers.numba_loop(g),
    }
    aims = {"optax scan": at_least(3), "lfilter": at_least(6), "pandas ewm": at_least(6)}
    yield from compared("trace 1 x 1e6", makers, plan, aims)


def many_coordinates(plan: Plan) -> Iterator[Figure]:
    g = noise(plan.size(STEPS), WIDE)
    makers: dict[str, Make] = {
        "mhat": lambda: lambda: mhat.trace("adam", g, keep=KEPT, dtype="float32"),
        "write limit": lambda: limits.writing(g.shape, len(KEPT)),
        "optax scan": lambda: trace_peers.optax_scan(g),
    }
    aims = {"optax scan": at_least(3), "write limit": at_most(2)}
    yield from compared("trace 1,000 x 10,000", makers, plan, aims, lasting=LASTING * bool(plan.lasting))


def many_settings(plan: Plan) -> Iterator[Figure]:
    g = noise(plan.size(STEPS))
    beta2 = np.linspace(0.9, 0.9999, WIDE)
    swept = xr.DataArray(beta2, dims="beta2")
    makers: dict[str, Make] = {
        "mhat": lambda: lambda: mhat.trace("adam", g, keep=KEPT, dtype="float32", beta2=swept),
        "write limit": lambda: limits.writing((len(g), WIDE), len(KEPT)),
        "optax scan": lambda: trace_peers.optax_sweep(g, beta2),
    }
    aims = {"optax scan": at_least(3), "write limit": at_most(2)}
    yield from compared("sweep 1,000 x 10,000", makers, plan, aims, lasting=LASTING * bool(plan.lasting))
