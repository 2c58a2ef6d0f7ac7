"""Runs that several results make: online problems with their own schedules, and traces of a few variables.

It knows no result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from mhat import rules
from mhat.landscapes import Landscape
from mhat.language import Rule
from mhat.traces.door import trace


def online(rule: str, landscape: Landscape, steps: int, **knobs: Any) -> xr.Dataset:
    """Run a rule on an online problem with the rate that the problem comes with."""
    assert landscape.lr is not None
    rate = xr.DataArray(landscape.lr(np.arange(1, steps + 1)), dims="step")
    return trace(rules.named(rule), landscape, steps=steps, lr=rate, keep="x", **knobs)


def traced(rule: str | Rule, stream: Any, keep: str, **knobs: Any) -> xr.Dataset:
    """Run a rule on a stream and keep one variable."""
    return trace(rules.named(rule) if isinstance(rule, str) else rule, stream, keep=["g", keep], **knobs)


def ends(runs: Mapping[str, xr.Dataset]) -> dict[str, float]:
    """Give where x ends in each run."""
    return {name: float(np.ravel(ds.x.values[-1])[0]) for name, ds in runs.items()}
