"""Theorem 1 of the AMSGrad paper: Adam may go to the worst point."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from mhat.landscapes import reddi as problem
from mhat.results.result import Number, Result
from mhat.results.runs import ends, online

STEPS = 3000


def _runs() -> Mapping[str, xr.Dataset]:
    knobs = {"beta1": 0.0, "beta2": 0.1}
    return {f"{name}, end": online(name, problem(), STEPS, **knobs) for name in ("adam", "amsgrad")}


reddi = Result(
    name="reddi",
    claim="There are convex problems on which Adam goes to the worst point, whatever its knobs; AMSGrad does not.",
    source="Reddi, Kale & Kumar 2018, Theorem 1, arXiv:1904.09237",
    verdict="holds",
    numbers=(Number("adam, end", 1.0, 1e-4), Number("amsgrad, end", -0.998, 0.01)),
    run=lambda: ends(_runs()),
    picture=lambda: (_runs(), "x"),
    teaches="Adam divides the rare large gradient by its own size and forgets it until the next: three small steps the "
    "wrong way outweigh it. The largest second moment so far never forgets.",
    repeat="mhat landscapes reddi",
)
