"""The example of ADOPT: Adam converges only for beta2 near 1, ADOPT for any."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat import rules
from mhat.landscapes import reddi
from mhat.results.result import Number, Result
from mhat.results.runs import ends
from mhat.traces.door import trace

STEPS = 6000


def _runs() -> Mapping[str, xr.Dataset]:
    rate = xr.DataArray(0.05 / np.sqrt(1 + 0.01 * np.arange(1, STEPS + 1)), dims="step")
    return {
        f"{name}, beta2 = {beta2:g}, end": trace(
            rules.named(name), reddi(10, -1, 10), steps=STEPS, lr=rate, beta2=beta2, keep="x"
        )
        for name in ("adam", "adopt")
        for beta2 in (0.5, 0.999)
    }


lottery = Result(
    name="lottery",
    claim="One gradient of 10 among nine of -1: Adam finds the minimum at -1 only for beta2 near 1, ADOPT for any.",
    source="Taniguchi et al. 2024, ADOPT, section 4 (here without chance), arXiv:2411.02853",
    verdict="holds",
    numbers=(
        Number("adam, beta2 = 0.5, end", 1.0, 0.01),
        Number("adam, beta2 = 0.999, end", -1.0, 0.01),
        Number("adopt, beta2 = 0.5, end", -1.0, 0.01),
        Number("adopt, beta2 = 0.999, end", -1.0, 0.01),
    ),
    run=lambda: ends(_runs()),
    picture=lambda: (_runs(), "x"),
    teaches="Divided by the second moment before it, a gradient cannot shrink itself.",
    repeat="mhat landscapes lottery",
)
