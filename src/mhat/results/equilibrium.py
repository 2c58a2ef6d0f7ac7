"""The size that weights come to under AdamW."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from mhat import streams
from mhat.results.result import Number, Result
from mhat.results.runs import traced

RATE, DECAY = 0.02, 0.1


def _runs() -> Mapping[str, xr.Dataset]:
    noise = streams.normal(seed=3, size=128, steps=8000)
    return {"noise": traced("adamw", noise, "x", lr=RATE, weight_decay=DECAY)}


def _found() -> Mapping[str, float]:
    x = _runs()["noise"].x.values[3000:]
    return {"root mean square of x": float(np.sqrt(np.mean(x**2)))}


equilibrium = Result(
    name="equilibrium",
    claim="Under noise AdamW's weights come to the size sqrt(lr / (2 weight_decay)), wherever they start.",
    source="Kosson, Messmer & Jaggi 2023, rotational equilibrium, arXiv:2305.17212",
    verdict="holds",
    numbers=(Number("root mean square of x", 0.3162, 0.012),),
    run=_found,
    picture=lambda: (_runs(), "x"),
    teaches="Decay balances a random walk: learning rate and decay set the size of weights, and with it how far a step "
    "turns them.",
    repeat="mhat explain adamw --why decay",
)
