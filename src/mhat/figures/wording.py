"""The words of a figure: its title, its caption, the names of what was run. It knows no drawing."""

from __future__ import annotations

import numpy as np
import xarray as xr

from mhat.errors import MhatError
from mhat.figures.canvas import escaped
from mhat.figures.families import plain_or_math
from mhat.figures.scales import number_text
from mhat.language import Rule
from mhat.traces.schema import Ran, knobs_of, rule_of, what_ran


def rule_in(ds: xr.Dataset) -> Rule | None:
    """Give the rule of a trace from the source it carries, or None if it carries none."""
    try:
        return rule_of(ds)
    except MhatError:
        return None


def title_of(ds: xr.Dataset) -> str:
    """Say which rule ran on what, for how long, and with which knobs unlike their defaults."""
    ran, rule = what_ran(ds), rule_in(ds)
    pieces = [f"{escaped(ran.rule or 'trace')} on {escaped(_given(ran))}", count_of(ran.steps, "step")]
    if rule is not None:
        pieces += _knobs(ds, rule)
    if ran.dtype != "float64":
        pieces.append(ran.dtype)
    return ", ".join(pieces)


def _given(ran: Ran) -> str:
    return ran.on or ("a landscape of your own" if ran.closed else "gradients of your own")


def _knobs(ds: xr.Dataset, rule: Rule) -> list[str]:
    defaults = rule.knobs
    unlike = [(name, value) for name, value in knobs_of(ds).items() if name in defaults and value != defaults[name]]
    pieces = [f"{plain_or_math(name)} = {number_text(value)}" for name, value in unlike]
    for name in defaults:
        if name in ds.coords and "step" in ds[name].dims:
            pieces.append(f"{plain_or_math(name)} by a schedule")
        elif name in ds.coords and ds[name].size == 1:
            pieces.append(f"{plain_or_math(name)} = {number_text(float(np.ravel(ds[name])[0]))}")
    return pieces


def paper_of(ds: xr.Dataset) -> str:
    """Give the publication that the rule follows, or nothing."""
    return escaped(what_ran(ds).paper)


def count_of(number: int, noun: str) -> str:
    """Count something: `1 value`, `2,000 values`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
