"""The synthetic experiment of the AMSGrad paper."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat.landscapes import reddi
from mhat.results.result import Number, Result
from mhat.results.runs import ends, online

STEPS = 20_000


def _runs() -> Mapping[str, xr.Dataset]:
    problem, knobs = reddi(1010, -10, 101), {"beta1": 0.9, "beta2": 0.99}
    return {f"{name}, end": online(name, problem, STEPS, **knobs) for name in ("adam", "amsgrad")}


reddi_synthetic = Result(
    name="reddi_synthetic",
    claim="With usual knobs too: one slope of 1010 among a hundred of -10 sends Adam to +1, AMSGrad to -1.",
    source="Reddi, Kale & Kumar 2018, section 5, arXiv:1904.09237",
    verdict="holds",
    numbers=(Number("adam, end", 0.995, 0.001), Number("amsgrad, end", -0.939, 0.001)),
    run=lambda: ends(_runs()),
    picture=lambda: (_runs(), "x"),
    teaches="A second moment of a hundred steps hardly remembers what comes once in 101 steps. AMSGrad is on its way "
    "to -1, and there after 200,000.",
    repeat="mhat landscapes 'reddi:1010,-10,101'",
)
