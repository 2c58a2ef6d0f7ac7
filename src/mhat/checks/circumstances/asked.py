"""One rule in one form, asked of one reading of a record, and what all attempts need of it. It knows no file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.fitting import Fitting
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.checks.circumstances.rows import Rows
from mhat.language import Rule
from mhat.language.inference import names_read
from mhat.language.vocabulary import USUAL, meaning_of

Array = np.ndarray[Any, Any]
Late = Callable[[], bool]
# What is fitted by, of a long or wide record.
STEPS, COORDINATES = 60, 12
STARTS = 4


@dataclass(frozen=True)
class Asked:
    """One rule in one form, asked of one reading: on a part to fit by, and on the whole."""

    rows: Rows
    rule: Rule
    held: Mapping[str, float]
    whole: Replay
    fitting: Fitting
    late: Late

    @property
    def free(self) -> tuple[str, ...]:
        """The knobs that nobody has told and that matter."""
        told = {*self.held, *self.rows.schedules}
        return tuple(name for name in self.rule.knobs if name not in told and name in names_read(self.rule.tree))

    @property
    def plain(self) -> Setting:
        """What is told, and the defaults."""
        return Setting({**self.rule.knobs, **self.held})

    def explains(self, setting: Setting) -> bool:
        """Whether the rule gives the whole record in these circumstances."""
        return bool(self.whole.agrees(self.rule.tree, self.whole.with_start(self.rule.tree, setting)).all())

    def on_part(self, setting: Setting) -> bool:
        """Whether it gives the part that is fitted by."""
        part = self.fitting.replay
        return bool(part.agrees(self.rule.tree, part.with_start(self.rule.tree, setting)).all())

    def enough(self, sought: int) -> bool:
        """Whether there are at least twice as many numbers as are sought."""
        return int(self.fitting.rows.known[1:].sum()) >= 2 * sought


def starts(asked: Asked) -> list[Setting]:
    """List the likeliest values to begin with: usual ones, the rate by what the first steps were."""
    return asked.fitting.nearest([_with_rate(asked, each) for each in usual(asked)], STARTS)


def usual(asked: Asked) -> list[Setting]:
    """List settings with usual values."""

    def grid() -> Iterator[dict[str, float]]:
        yield {}
        pairs = [name for name in ("beta1", "beta2", "momentum", "rho") if name in asked.free]
        for values in itertools.product(*(USUAL[name] for name in pairs)):
            yield dict(zip(pairs, values, strict=True))
        if "weight_decay" in asked.free:
            yield from ({"weight_decay": value} for value in (0.0, *USUAL["weight_decay"]))

    return [replace(asked.plain, knobs={**asked.plain.knobs, **each}) for each in grid()]


def _with_rate(asked: Asked, setting: Setting) -> Setting:
    """Give the setting the rate with which the rule's steps have the size of those of the record."""
    if "lr" not in asked.free:
        return setting
    factors = rates_of(asked, setting)
    usable = factors[np.isfinite(factors) & (factors > 0)]
    rate = float(np.median(usable)) if usable.size else 1.0
    return replace(setting, knobs={**setting.knobs, "lr": float(setting.knobs["lr"]) * rate})


def rates_of(asked: Asked, setting: Setting) -> Array:
    """Give for each step the factor from the rule's move to that of the record, by least squares over coordinates."""
    return rated_by_step(asked, setting)[0]


def rated_by_step(asked: Asked, setting: Setting, *, weighed: bool = False) -> tuple[Array, float]:
    """Give the factors, and how much of the record's moves they leave unexplained."""
    replay, rows = asked.fitting.replay, asked.fitting.rows
    setting = replay.with_start(asked.rule.tree, setting)
    predicted = replay.run(asked.rule.tree, setting)
    before = np.zeros_like(predicted)
    if rows.observe == "x":
        start = rows.start if setting.start is None else np.where(np.isnan(rows.start), setting.start, rows.start)
        before = np.concatenate([start[None], rows.observed[:-1]])
    moved, wanted = predicted - before, rows.observed - before
    usable = np.isfinite(moved) & np.isfinite(wanted)
    moved, wanted = np.where(usable, moved, 0.0), np.where(usable, wanted, 0.0)
    # A coordinate tells as much as is known of it: what is written coarsely tells little.
    size = np.maximum(np.abs(wanted).max(axis=0), 1e-300)
    unsure = replay.limit(asked.rule.tree, setting, predicted) if weighed else 0.0
    size = np.where(usable, np.maximum(unsure, 1e-9 * size), 1.0) if weighed else size
    moved, wanted = moved / size, wanted / size
    factors = (moved * wanted).sum(axis=(1, 2)) / (moved * moved).sum(axis=(1, 2))
    left = wanted - np.nan_to_num(factors)[:, None, None] * moved
    return np.asarray(factors), float((left * left).mean())


def believed(asked: Asked, setting: Setting, names: Sequence[str], *, part: bool = False) -> Setting | None:
    """Give a setting that gives the record, as it was fitted or with all its knobs written short; None if none does.

    Least squares comes near a round number that somebody chose, and no nearer than the record tells.
    """
    fits = asked.on_part if part else asked.explains
    if fits(setting):
        return setting
    known = [name for name in names if name in setting.knobs]
    for digits, places, least in itertools.product((1, 2, 3, 4), (3, 2, 4), (1e-6, 1e-2)):
        rounded = {name: _rounded(setting.knobs[name], places if _is_rate(name) else digits, least) for name in known}
        tried = replace(setting, knobs={**setting.knobs, **rounded})
        if fits(tried):
            return tried
    return None


def _is_rate(name: str) -> bool:
    """Whether a knob is a share of one: its digits are counted from the point, the others' from their first."""
    return meaning_of(name).is_share


def _rounded(value: Any, digits: int, least: float) -> Any:
    """Round a knob, or the knobs of groups, to so many digits; what is less than a part of the largest is nothing."""
    if np.ndim(value) == 0:
        return 0.0 if abs(float(value)) < 1e-14 else written(float(value), digits)
    values = np.asarray(value, np.float64)
    near = np.vectorize(lambda each: written(float(each), digits))(values)
    return np.where(np.abs(values) < least * max(float(np.abs(values).max()), 1e-4), 0.0, near) + 0.0


def short(asked: Asked, setting: Setting, names: Sequence[str] = (), *, part: bool = False) -> Setting:
    """Write each knob that was estimated with as few digits as still give the record: people choose round numbers."""
    fits = asked.on_part if part else asked.explains
    for name in names or asked.free:
        value = setting.knobs.get(name)
        if value is None or np.ndim(value) or name in setting.over_steps:
            continue
        default = asked.rule.knobs[name]
        near = [default, 0.0, *(written(float(value), digits) for digits in range(1, 10))]
        for each in near:
            shorter = replace(setting, knobs={**setting.knobs, name: each})
            if fits(shorter):
                setting = shorter
                break
    return setting


def written(value: float, digits: int) -> float:
    """Write a value with so many digits, or that many behind the point where it is near one."""
    return round(value, digits) if 0.5 < value < 1 else float(f"{value:.{digits}g}")
