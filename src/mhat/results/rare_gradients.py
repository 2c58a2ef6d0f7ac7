"""Coordinates that seldom have a gradient."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat import streams
from mhat.results.result import Number, Result
from mhat.results.runs import traced

EVERY = (2, 10, 100)


def _runs() -> Mapping[str, xr.Dataset]:
    return {f"one in {k}": traced("adam", streams.sparse(every=k, steps=20_000), "ratio") for k in EVERY}


rare_gradients = Result(
    name="rare_gradients",
    claim="A coordinate with a gradient in one of k steps moves by sqrt(k) lr for each: rare features learn faster.",
    source="Kingma & Ba 2015, section 2.1, on sparse gradients, arXiv:1412.6980",
    verdict="holds",
    numbers=(
        Number("one in 2, step for each gradient in lr", 1.4142, 0.005),
        Number("one in 10, step for each gradient in lr", 3.16, 0.01),
        Number("one in 100, step for each gradient in lr", 9.8, 0.1),
    ),
    run=lambda: {
        f"{name}, step for each gradient in lr": k * float(ds.ratio[-2000:].mean())
        for k, (name, ds) in zip(EVERY, _runs().items(), strict=True)
    },
    picture=lambda: (_runs(), "ratio"),
    teaches="m spreads a gradient over the next steps whole, v averages its square over all k: 1 / sqrt(1 / k).",
    repeat="mhat trace adam --stream sparse:every=10 --steps 20000 --keep ratio",
)
