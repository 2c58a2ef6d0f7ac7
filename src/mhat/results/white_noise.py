"""The step under noise alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat import streams
from mhat.results.result import Number, Result
from mhat.results.runs import traced


def _runs() -> Mapping[str, xr.Dataset]:
    return {"noise": traced("adam", streams.normal(seed=1, size=8, steps=10_000), "ratio")}


def _found() -> Mapping[str, float]:
    ratio = _runs()["noise"].ratio.values[2000:]
    return {"typical step, in lr": float(np.sqrt(np.mean(ratio**2)))}


white_noise = Result(
    name="white_noise",
    claim="Under noise alone a step of Adam is typically sqrt((1 - beta1) / (1 + beta1)) learning rates long.",
    source="variance of an exponential average",
    verdict="shown",
    numbers=(Number("typical step, in lr", 0.2294, 0.004),),
    run=_found,
    picture=lambda: (_runs(), "ratio"),
    teaches="The sum of the squared weights of m: momentum shortens noise, and a steady gradient not at all.",
    repeat="mhat trace adam --stream normal:seed=1 --steps 2000 --keep ratio",
)
