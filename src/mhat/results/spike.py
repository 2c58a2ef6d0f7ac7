"""One large gradient among equal ones."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat import streams
from mhat.results.result import Number, Result
from mhat.results.runs import traced

AT = 3001


def _runs() -> Mapping[str, xr.Dataset]:
    return {f"spike of {size}": traced("adam", streams.spike(size, at=AT, steps=6000), "ratio") for size in (10, 100)}


def _found() -> Mapping[str, float]:
    after = _runs()["spike of 100"].ratio.values[AT - 1 :]
    return {
        "longest step, in lr": float(after.max()),
        "shortest step after it, in lr": float(after.min()),
        "steps from the spike to the shortest": float(after.argmin()),
        "lost in 3000 steps, in lr": float((1 - after).sum()),
    }


spike = Result(
    name="spike",
    claim="After a spike of 100 among ones Adam first steps too far, then for long hardly at all.",
    source="closed form of Adam's moments",
    verdict="shown",
    numbers=(
        Number("longest step, in lr", 3.21, 0.005),
        Number("shortest step after it, in lr", 0.306, 5e-4),
        Number("steps from the spike to the shortest", 73, 0),
        Number("lost in 3000 steps, in lr", 1305, 1),
    ),
    run=_found,
    picture=lambda: (_runs(), "ratio"),
    teaches="m forgets in ten steps what v remembers for a thousand.",
    repeat="mhat trace adam --stream spike:100 --steps 6000 --keep ratio",
)
