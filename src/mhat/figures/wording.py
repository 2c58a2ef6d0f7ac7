"""The words of a figure: its title, its caption, the names of what was run. It knows no drawing."""

from __future__ import annotations

import json
import re

import numpy as np
import xarray as xr

from mhat.errors import MhatError
from mhat.figures.canvas import escaped
from mhat.figures.families import plain_or_math
from mhat.figures.scales import number_text
from mhat.language import Rule
from mhat.language import rule as rule_of


def rule_in(ds: xr.Dataset) -> Rule | None:
    """Give the rule of a trace from the source it carries, or None if it carries none."""
    try:
        return rule_of(str(ds.attrs.get("source", "")))
    except MhatError:
        return None


def title_of(ds: xr.Dataset) -> str:
    """Say which rule ran on what, for how long, and with which knobs unlike their defaults."""
    rule = rule_in(ds)
    name = str(ds.attrs.get("rule", "")) or "trace"
    steps = ds.sizes.get("step", 0)
    pieces = [f"{escaped(name)} on {escaped(_given(ds))}", f"{steps:,} step{'' if steps == 1 else 's'}"]
    if rule is not None:
        pieces += _knobs(ds, rule)
    if ds.attrs.get("dtype", "float64") != "float64":
        pieces.append(str(ds.attrs["dtype"]))
    return ", ".join(pieces)


def _given(ds: xr.Dataset) -> str:
    if "landscape" in ds.attrs:
        return str(ds.attrs["landscape"]) or "a landscape of your own"
    recipe = re.sub(r"(,|:)steps=\d+$|steps=\d+,", "", str(ds.attrs.get("stream", "")))
    return recipe or "gradients of your own"


def _knobs(ds: xr.Dataset, rule: Rule) -> list[str]:
    defaults = rule.knobs
    given = json.loads(str(ds.attrs.get("knobs", "{}")))
    unlike = [(name, value) for name, value in given.items() if name in defaults and value != defaults[name]]
    pieces = [f"{plain_or_math(name)} = {number_text(float(value))}" for name, value in unlike]
    for name in defaults:
        if name in ds.coords and "step" in ds[name].dims:
            pieces.append(f"{plain_or_math(name)} by a schedule")
        elif name in ds.coords and ds[name].size == 1:
            pieces.append(f"{plain_or_math(name)} = {number_text(float(np.ravel(ds[name])[0]))}")
    return pieces


def paper_of(ds: xr.Dataset) -> str:
    """Give the publication that the rule follows, or nothing."""
    return escaped(str(ds.attrs.get("paper", "")))


def count_of(number: int, noun: str) -> str:
    """Count something: `1 value`, `2,000 values`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
