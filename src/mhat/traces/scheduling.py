"""Schedules as the values of a knob: tabulated over the steps of a trace, and named in it. It runs nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from mhat import schedules
from mhat.schedules import Schedule

# The attribute of a knob's coordinate that names the schedules it was made of.
RECIPE = "schedule"


def schedule_array(name: str, value: Any, steps: int) -> xr.DataArray | None:
    """Tabulate what stands for a schedule: itself, a text, a function of the step, or a list with one among them.

    A list is a sweep along the dimension `NAME_schedule`, labelled with the recipes; a number in it stays. None where
    there is no schedule. Raises UnknownName and BadValue for a text that names one that cannot be.
    """
    if not isinstance(value, list | tuple):
        one = schedules.meant(value)
        return None if one is None else xr.DataArray(one.values(steps), dims="step", attrs={RECIPE: said(one)})
    meant = [schedules.meant(each) for each in value]
    if not any(meant):
        return None
    whole = [schedules.constant(each) if one is None else one for each, one in zip(value, meant, strict=True)]
    table = np.stack([one.values(steps) for one in whole])
    labels = [said(one) for one in whole]
    along = f"{name}_{RECIPE}"
    return xr.DataArray(table, {along: labels}, dims=(along, "step"), attrs={RECIPE: "; ".join(labels)})


def said(schedule: Schedule) -> str:
    """Name a schedule: by its recipe, or as the function that it follows."""
    return schedule.recipe or schedule.sentence.removeprefix("follows ")
