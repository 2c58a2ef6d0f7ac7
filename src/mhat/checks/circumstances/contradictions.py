"""What was done otherwise than the record tells: another rate at some steps, no decay in one tensor. They know no file.

A knob that is told is let go, and estimated with a value for each step or tensor; what then gives the whole record is
held against what is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.asked import COORDINATES, STEPS, Asked, Late, written
from mhat.checks.circumstances.fitting import Fitting
from mhat.checks.circumstances.groups import in_groups
from mhat.checks.circumstances.rates import rated
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.checks.circumstances.rows import Rows, readings
from mhat.language import Rule
from mhat.notation.decimals import exact

Array = np.ndarray[Any, Any]
GROUPED = ("weight_decay", "lr", "momentum")
# Beyond this share of what is told a rate is another one; less is what is not known of it.
APART = 0.02
FEWEST = 4


@dataclass(frozen=True)
class Contradiction:
    """What was done otherwise than is told, as a sentence; from which step on, as it is seen in `rows`."""

    sentence: str
    rows: Rows
    told: Setting
    setting: Setting


def contradicted(rows: Rows, rule: Rule, held: Mapping[str, float], *, odd: bool, late: Late) -> Contradiction | None:
    """Find what a record tells of its run and did otherwise; `odd`: also rates that no mistake of its schedule gives.

    Steps that are wrong in many ways look like those of a rate of its own at each step: that is to be asked last.
    """
    for reading in readings(rows):
        with np.errstate(all="ignore"):
            found = None if odd else _grouped(reading, rule, held, late)
            found = found or _rated_otherwise(reading, rule, held, odd, late)
        if found is not None:
            sentence, setting = found
            return Contradiction(sentence, reading, Setting({**rule.knobs, **held}), setting)
    return None


def _freed(rows: Rows, rule: Rule, held: Mapping[str, float], name: str, late: Late) -> Asked:
    """Ask of a rule as if a knob was not told."""
    over = {knob: values for knob, values in rows.schedules.items() if knob != name}
    rest = replace(rows, schedules=over)
    kept = {knob: value for knob, value in held.items() if knob != name}
    return Asked(rest, rule, kept, Replay(rest), Fitting(Replay(rest.part(STEPS, COORDINATES)), rule.tree, late), late)


def _grouped(rows: Rows, rule: Rule, held: Mapping[str, float], late: Late) -> tuple[str, Setting] | None:
    """Find a knob that is told for all and has another value in some tensors."""
    for name in GROUPED:
        if name not in held or late():
            continue
        for setting, _ in in_groups(_freed(rows, rule, held, name, late)):
            values = setting.knobs[name]
            near = np.isclose(values, held[name], rtol=APART, atol=0.0)
            if np.ndim(values) and near.any() and not near.all():
                return _said_of_groups(rows, name, held[name], np.where(near, held[name], values)), setting
    return None


def _said_of_groups(rows: Rows, name: str, told: float, values: Array) -> str:
    """Say in which tensors, or at which coordinates, a knob has which value."""
    groups, several = rows.groups(), len(rows.tensors) > 1
    where: dict[float, list[str]] = {}
    for place in np.ndindex(groups.shape):
        value = written(float(values[place]), 4) + 0.0
        called = f"`{rows.tensors[int(groups[place])]}`" if several else str(place[-1])
        if float(values[place]) != told and called not in where.setdefault(value, []):
            where[value].append(called)
    unit = "tensor" if several else "coordinate"
    said = [
        f"{exact(value)} for {unit}{'s' if len(names) > 1 else ''} {', '.join(names[:6])}"
        f"{f' and {len(names) - 6} more' if len(names) > 6 else ''}"
        for value, names in where.items()
    ]
    return f"`{name}` is {', and '.join(said)} where {exact(told)} is told"


def _rated_otherwise(
    rows: Rows, rule: Rule, held: Mapping[str, float], odd: bool, late: Late
) -> tuple[str, Setting] | None:
    """Find the rate that x moved with at each step, where another is told."""
    course = rows.schedules.get("lr")
    told = np.full(rows.steps, held["lr"]) if course is None and "lr" in held else course
    if told is None or np.ndim(told) != 1 or rows.observed[0].size < 2:
        return None
    asked = _freed(rows, rule, held, "lr", late)
    for setting, rates in rated(asked):
        for sentence, tried in (_unplanned if odd else _planned)(told, rates, changes=course is not None):
            as_tried = replace(setting, over_steps={**setting.over_steps, "lr": tried})
            if asked.explains(as_tried):
                return sentence, as_tried
        return None
    return None


def _planned(told: Array, done: Array, *, changes: bool) -> Iterator[tuple[str, Array]]:
    """Yield what comes of schedules in error: stepped too often, too early, too late; compounding; other rates."""
    steps = np.arange(len(told))
    if changes:
        for often in range(2, len(told) // FEWEST + 1):
            for place in (often * steps, often * steps + often - 1):
                yield from _taken_at(
                    told, done, place,
                    f"the schedule is stepped {often} times a step (for each micro-batch?): x moved at step {{}} as "
                    "with the rate that `lr` tells for step {}",
                )  # fmt: skip
        for by, called in ((1, "early"), (-1, "late")):
            yield from _taken_at(
                told, done, steps + by,
                f"the schedule is stepped one step too {called}: x moved at step {{}} as with the rate that `lr` tells "
                "for step {}",
            )  # fmt: skip
    factor = float((done[-1] / done[1]) ** (1 / (len(done) - 2)))
    if abs(factor - 1.0) > 1e-6 and not np.allclose(told[2:] / told[1:-1], factor, rtol=1e-6):
        for digits in (2, 3, 4, 6, 12):
            short = round(factor, digits)
            for first in (told[0], written(float(done[1] / short), digits), done[1] / short):
                yield (
                    f"the rate compounds: each step's is {exact(written(short, 6))} times that of the step before, "
                    f"from {exact(written(float(first), 6))}, and {_said_of(told)} is told",
                    first * short**steps,
                )
    apart = _apart(told, done)
    if 0 < apart.sum() <= len(told) // 2 and not apart[:2].any():
        yield _at_some(told, done, apart)


def _unplanned(told: Array, done: Array, *, changes: bool) -> Iterator[tuple[str, Array]]:
    """Yield one share of what is told at all steps, or any other rates."""
    share = float(np.median(done[1:] / told[1:]))
    for digits in (1, 2, 3, 6):
        short = written(share, digits)
        if abs(short - 1.0) > APART:
            at = f"{_said_of(told)} is told, and x moved at every step as with"
            yield f"{at} {exact(written(short, 6))} times that", short * told
    apart = _apart(told, done)
    if apart[1:].any():
        yield _at_some(told, done, apart)


def _apart(told: Array, done: Array) -> Array:
    return np.asarray(np.abs(done - told) > APART * np.abs(told).max())


def _at_some(told: Array, done: Array, apart: Array) -> tuple[str, Array]:
    """Say at which step another rate was taken first."""
    first = int(np.argmax(apart))
    more = int(apart.sum()) - 1
    others = f" (and at {more} other step{'s' if more > 1 else ''} not as told)" if more else ""
    value = exact(written(float(done[first]), 3))
    said = f"`lr` is told as {exact(written(float(told[first]), 6))} at step {first + 1}, and x moved as with {value}"
    return said + others, np.where(apart, done, told)


def _taken_at(told: Array, done: Array, places: Array, said: str) -> Iterator[tuple[str, Array]]:
    """Yield the rates that are told for other steps, as far as they are told, where they are others than the steps'."""
    inside = (places >= 0) & (places < len(told))
    taken = np.where(inside, told[np.clip(places, 0, len(told) - 1)], done)
    apart = np.abs(taken - told) > 1e-6 * np.abs(told).max()
    telling = np.flatnonzero(inside & apart)
    near = np.abs(taken - done)[1:] <= APART * np.abs(told).max()
    if len(telling) >= 2 and near.all():
        step = int(telling[-1])
        yield said.format(step + 1, int(places[step]) + 1), taken


def _said_of(told: Array) -> str:
    first, last = (exact(written(float(value), 6)) for value in (told[0], told[-1]))
    return f"`lr` = {first}" if (told == told[0]).all() else f"`lr` from {first} to {last}"
