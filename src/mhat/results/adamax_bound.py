"""The bound of AdaMax's step in its paper."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat import streams
from mhat.results.result import Number, Result
from mhat.results.runs import traced


def _runs() -> Mapping[str, xr.Dataset]:
    return {"gradients that shrink": traced("adamax", streams.exponential(0.999, steps=1000), "ratio", eps=0.0)}


adamax_bound = Result(
    name="adamax_bound",
    claim="No step of AdaMax is longer than lr.",
    source="Kingma & Ba 2015, section 7.1, arXiv:1412.6980",
    verdict="refuted",
    numbers=(Number("longest step, in lr", 1.00909, 1e-5),),
    run=lambda: {"longest step, in lr": float(_runs()["gradients that shrink"].ratio.max())},
    picture=lambda: (_runs(), "ratio"),
    teaches="Gradients that shrink by beta2 a step keep pace with the fading maximum, and m lags behind them from "
    "above: (1 - beta1) / (1 - beta1 / beta2) = 1.00909.",
    repeat="mhat trace adamax --stream exponential:0.999 --steps 1000 -k eps=0",
)
