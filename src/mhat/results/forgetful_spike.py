"""Spikes on a bowl in one dimension: v forgets while gradients are small."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat import rules
from mhat.landscapes import quadratic
from mhat.results.result import Number, Result
from mhat.traces.door import trace

STEPS, RATE = 3000, 0.1


def _runs() -> Mapping[str, xr.Dataset]:
    bowl = quadratic(1.0, dimensions=1)
    return {"adam": trace(rules.named("adam"), bowl, steps=STEPS, start=1.0, lr=RATE, beta1=0.0, beta2=0.99)}


def _found() -> Mapping[str, float]:
    (ds,) = _runs().values()
    x, v_hat = np.abs(np.ravel(ds.x.values)), np.ravel(ds.v_hat.values)
    steep = 1 / (np.sqrt(v_hat) + 1e-8) > 2 / RATE
    first = int(np.argmax(steep & (np.arange(STEPS) > 100)))
    return {
        "step at which the curvature passes 2 / lr": float(first + 1),
        "largest x in the 600 steps after it": float(x[first : first + 600].max()),
    }


forgetful_spike = Result(
    name="forgetful_spike",
    claim="Spikes need no bad data: v forgets while gradients are small, and curvature over sqrt(v) passes 2 / lr.",
    source="Bai et al. 2025, adaptive preconditioners trigger loss spikes in Adam, arXiv:2506.04805",
    verdict="holds",
    numbers=(
        Number("step at which the curvature passes 2 / lr", 298, 0),
        Number("largest x in the 600 steps after it", 0.611, 0.001),
    ),
    run=_found,
    picture=lambda: (_runs(), "x"),
    teaches="The loss is as smooth as can be, and x was down to 1e-142; it is the optimizer that becomes unstable. A "
    "larger eps keeps the step from growing.",
    repeat="mhat trace adam --landscape quadratic:1 --steps 3000 -k lr=0.1 -k beta1=0 -k beta2=0.99",
)
