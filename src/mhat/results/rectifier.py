"""RAdam's warm-up by numbers."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat import streams
from mhat.results.result import Number, Result
from mhat.results.runs import traced

AT = (6, 100, 1000)


def _runs() -> Mapping[str, xr.Dataset]:
    return {"radam": traced("radam", streams.constant(1.0, steps=1000), "r_t")}


rectifier = Result(
    name="rectifier",
    claim="With beta2 = 0.999 RAdam trusts the second moment from step 6 on, first by 2.6 percent.",
    source="Liu et al. 2020, RAdam, equation 5, arXiv:1908.03265",
    verdict="holds",
    numbers=(
        Number("r at step 6", 0.0258, 5e-5),
        Number("r at step 100", 0.2153, 5e-5),
        Number("r at step 1000", 0.6453, 5e-5),
    ),
    run=lambda: {f"r at step {step}": float(_runs()["radam"].r_t[step - 1]) for step in AT},
    picture=lambda: (_runs(), "r_t"),
    teaches="After as many steps as the second moment is long the step is still a third shorter: a warm-up with no "
    "knob.",
    repeat="mhat trace radam --stream constant:1 --steps 1000 --keep r_t",
)
