"""A second moment that is lost in bfloat16."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat import streams
from mhat.results.result import Number, Result
from mhat.results.runs import traced


def _runs() -> Mapping[str, xr.Dataset]:
    return {
        f"beta2 = {beta2:g}": traced("adam", streams.constant(1.0, steps=4000), "v", beta2=beta2, dtype="bfloat16")
        for beta2 in (0.95, 0.999)
    }


bfloat16 = Result(
    name="bfloat16",
    claim="In bfloat16 a second moment stops where (1 - beta2) g**2 is lost beside it.",
    source="eight bits of precision; see Zamirai et al. 2020, arXiv:2010.06192",
    verdict="shown",
    numbers=(
        Number("beta2 = 0.95, v after 4000 ones", 0.98, 0.002),
        Number("beta2 = 0.999, v after 4000 ones", 0.5, 0.0),
    ),
    run=lambda: {f"{name}, v after 4000 ones": float(ds.v[-1]) for name, ds in _runs().items()},
    picture=lambda: (_runs(), "v"),
    teaches="v should come to 1. With beta2 = 0.999 each step adds less than half a unit in the last place as soon as "
    "v is a half: keep v in float32, or round by chance.",
    repeat="mhat trace adam --stream constant:1 --steps 4000 --dtype bfloat16 --keep v",
)
