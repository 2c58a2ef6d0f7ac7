"""A rate of its own at each step, and the form that it follows. They know no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.asked import (
    COORDINATES,
    STARTS,
    Asked,
    believed,
    rated_by_step,
    short,
    usual,
)
from mhat.checks.circumstances.fitting import Fitting, Unknown
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.checks.circumstances.schedules import forms
from mhat.notation.decimals import exact

Array = np.ndarray[Any, Any]
# How near a form comes to rates that are estimated, as a share of the largest, to be tried.
NEAR = 0.02


def rate_of_a_form(asked: Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Look for a rate over the steps that follows a form; the form has to give the record, and not only the rates."""
    for setting, found in rated(asked):
        rates = found.copy()
        if np.isnan(asked.rows.start).any() and len(rates) > 3:
            # Where nobody says where x starts, the first step tells no rate.
            rates[0] = 2 * rates[1] - rates[2]
        for form in forms(rates, NEAR):
            for shape in form.written_short(float(rates.max())):
                shaped = replace(setting, over_steps={**setting.over_steps, "lr": shape.values})
                if asked.explains(shaped):
                    yield shaped, (f"the rate follows a schedule, estimated: {shape.sentence}",)
                    return


def any_rate(asked: Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Look for any rate over the steps; of a single coordinate any steps at all could be explained so."""
    for setting, rates in rated(asked):
        if asked.rows.observed[0].size < 2:
            return
        low, high = (exact(float(f"{value:.3g}")) for value in (rates.min(), rates.max()))
        yield (
            setting,
            (f"the rate has a value of its own at each step, from {low} to {high}, which follows no known form",),
        )
        return


def rated(asked: Asked) -> Iterator[tuple[Setting, Array]]:
    """Yield settings in which a rate of its own at each step gives the record."""
    if "lr" not in asked.free or "lr" in asked.rows.schedules:
        return
    others = [name for name in asked.free if name != "lr"]
    part = asked.fitting.rows
    if not asked.enough(part.steps + len(others)) and part.observed[0].size < 2:
        return
    tried = [(rated_by_step(asked, each), each) for each in usual(asked)]
    for (factors, _), start in sorted(tried, key=lambda one: one[0][1])[:STARTS]:
        if asked.late():
            return
        rates = float(start.knobs["lr"]) * factors
        if not (np.isfinite(rates) & (rates > 0)).all():
            continue
        begun = replace(start, over_steps={"lr": rates})
        fitted: Setting | None = begun
        if not asked.on_part(begun):
            fitted = asked.fitting.fit(begun, [Unknown("lr", "step"), *(Unknown(name) for name in others)])
        good = None if fitted is None else believed(asked, replace(fitted, start=None), others, part=True)
        if good is None:
            continue
        setting = _rated_to_the_end(asked, short(asked, good, others, part=True))
        if asked.explains(setting):
            yield setting, np.asarray(setting.over_steps["lr"])
            return


def _rated_to_the_end(asked: Asked, setting: Setting) -> Setting:
    """Find the rate at the steps beyond the part that was fitted by, and anew within it."""
    steps = asked.rows.steps
    rates = np.asarray(setting.over_steps["lr"])
    long = np.concatenate([rates, np.full(steps - len(rates), rates[-1])])
    whole = replace(asked, fitting=Fitting(Replay(asked.rows.part(steps, COORDINATES)), asked.rule.tree))
    for _ in range(4):
        if asked.explains(replace(setting, over_steps={**setting.over_steps, "lr": long})):
            break
        factors, _ = rated_by_step(whole, replace(setting, over_steps={"lr": long}), weighed=True)
        long = np.where(np.isfinite(factors) & (factors > 0), long * factors, long)
    return replace(setting, over_steps={**setting.over_steps, "lr": long})
