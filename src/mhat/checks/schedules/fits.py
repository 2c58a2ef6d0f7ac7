"""Rates over the steps, recognised as a schedule with its knobs. They know neither who made the rates, nor any slip.

Each fit reads the knobs off the rates, writes them as short as people do, and is believed only where the schedule so
made gives every rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat import schedules
from mhat.errors import BadValue
from mhat.schedules import Schedule

Array = np.ndarray[Any, Any]
# Of the largest rate: rates in double precision, and those that were float32 at any time.
DOUBLE, SINGLE = 1e-9, 3e-6
DIGITS = (1, 2, 3, 4, 6, 9, 15)
# A count that is read off rates is whole up to this.
NEARLY = 0.02
# The share of the first rate below which no digits are left of others.
NOTHING = 1e-20
# The first step is counted as one of these.
FIRSTS = (0, 1, 2, 3)
# In how many steps people let a rate fall by a round factor.
EVERY = (1, 10, 100, 1000, 10_000, 5, 50, 500, 5000)


@dataclass(frozen=True)
class Rates:
    """The rate of each step, and how far a rate may be from what it should be."""

    values: Array
    tolerance: float

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.values)

    def part(self, start: int, stop: int | None = None, every: int = 1) -> Rates:
        """Give some of them, told apart as finely as all."""
        return Rates(self.values[start:stop:every], self.tolerance)

    def are(self, others: Array) -> bool:
        """Whether other values are these rates."""
        with np.errstate(all="ignore"):
            return bool((np.abs(self.values - others) <= self.tolerance).all())

    def is_straight(self, start: int = 0, stop: int | None = None) -> bool:
        """Whether a part of them lies on a line."""
        part = self.values[start:stop]
        if len(part) < 3:
            return True
        line = np.linspace(part[0], part[-1], len(part))
        return bool((np.abs(part - line) <= 2 * self.tolerance).all())


def rates_of(values: Any) -> Rates:
    """Say how exactly rates are known: those that are float32 are known as such."""
    array = np.asarray(values, dtype=np.float64)
    finite = array[np.isfinite(array)]
    largest = float(np.abs(finite).max(initial=0.0))
    with np.errstate(all="ignore"):
        single = bool((finite == finite.astype(np.float32)).all()) and bool((finite != np.round(finite)).any())
    return Rates(array, largest * (SINGLE if single else DOUBLE))


def fitted(rates: Rates) -> Schedule | None:
    """Give the plainest schedule that gives all the rates, or None."""
    if rates.steps < 3 or not np.isfinite(rates.values).all():
        return None
    for fit in FITS:
        for function, positional, knobs in fit(rates):
            found = shortest(rates, function, positional, knobs)
            if found is not None:
                return found
    return None


Guess = tuple[Callable[..., Schedule], tuple[int, ...], dict[str, float]]
WHOLE = frozenset({"warmup", "steps", "every", "period", "rise", "fall", "decay_steps", "growth", "first", "width"})


def shortest(rates: Rates, function: Callable[..., Schedule], at: tuple[int, ...], knobs: dict[str, float]) -> (
    Schedule | None
):  # fmt: skip
    """Write the knobs with as few digits as give the rates; None where no number of digits does."""
    for digits in DIGITS:
        short = {name: _short(name, value, digits, function) for name, value in knobs.items()}
        try:
            first = next(iter(short.values()))
            made = function(first, *at, **dict(list(short.items())[1:])) if at else function(**short)
        except BadValue:
            return None
        if rates.are(made.values(rates.steps)):
            return made
    return None


def _short(name: str, value: float, digits: int, function: Callable[..., Schedule]) -> float:
    is_count = name in WHOLE or (name == "decay" and function is schedules.wsd)
    if is_count and abs(value - round(value)) <= NEARLY:
        return float(round(value))
    return float(f"{value:.{digits}g}")


def _constant(rates: Rates) -> Iterator[Guess]:
    if np.ptp(rates.values) <= rates.tolerance:
        yield schedules.constant, (), {"value": float(rates.values[0])}


def jumps_of(rates: Rates) -> Array:
    """Give the places whose rates are others than those before them."""
    return np.flatnonzero(np.abs(np.diff(rates.values)) > rates.tolerance) + 1


def _stepped(rates: Rates) -> Iterator[Guess]:
    jumps = jumps_of(rates)
    if not len(jumps) or len(jumps) > max(1, rates.steps // 2):
        return
    levels = rates.values[[0, *jumps]]
    if (np.abs(levels[:-1]) <= rates.tolerance).any():
        return
    factors = levels[1:] / levels[:-1]
    if np.ptp(factors) > 1e-3 * np.abs(factors).max():
        return
    start, factor, gaps = float(levels[0]), float(factors[0]), np.diff(jumps)
    if len(gaps) and np.ptp(gaps) == 0 and jumps[0] <= gaps[0] and gaps[0] > 1:
        every = int(gaps[0])
        yield schedules.step, (), {"start": start, "factor": factor, "every": every, "first": every - int(jumps[0])}
    if len(jumps) <= 20:
        yield schedules.milestones, tuple(map(int, jumps)), {"start": start, "factor": factor}


def end_of(rates: Rates) -> int:
    """Give the place from which on the rates stay as they are."""
    moving = np.flatnonzero(np.abs(rates.values - rates.values[-1]) > rates.tolerance)
    return int(moving[-1]) + 1 if len(moving) else 0


@dataclass(frozen=True)
class Fall:
    """A way between two levels: how it is shaped, its ends, its steps, and at which count it is begun."""

    shape: str
    start: float
    end: float
    steps: float
    begun: float = 0.0
    power: float = 1.0


def falls(rates: Rates) -> Iterator[Fall]:
    """Yield the ways from one level to another that the rates could be, from the first of them on."""
    yield from _straight(rates)
    yield from cosines(rates)
    yield from _powers(rates)


def _straight(rates: Rates) -> Iterator[Fall]:
    values, end = rates.values, end_of(rates)
    if end < 1 or not rates.is_straight(0, end):
        return
    slope = (values[end - 1] - values[0]) / max(end - 1, 1) if end > 1 else values[1] - values[0]
    if slope == 0:
        return
    start, last = float(values[0]), float(values[-1])
    if end < rates.steps - 1 and start * last >= 0:
        yield Fall("linear", start, last, (last - start) / slope)
    yield Fall("linear", start, 0.0, -start / slope)
    if start * last >= 0:
        yield Fall("linear", start, last, float(end))


def cosines(rates: Rates) -> Iterator[Fall]:
    """Yield half cosines, which may have begun before the first rate, and may end beyond the last."""
    values = rates.values
    lowest = int(np.argmin(values)) if values[0] > values[-1] else int(np.argmax(values))
    used = min(lowest, end_of(rates)) + 1
    lag = (used - 1) // 3
    if used < 4 or lag < 1:
        return
    part = values[:used]
    x, y = part[lag:-lag], part[2 * lag :] + part[: -2 * lag]
    if len(x) < 2 or np.ptp(x) == 0:
        return
    turn = float(np.polyfit(x - x.mean(), y, 1)[0]) / 2
    if not -1 < turn < 1:
        return
    period = np.pi * lag / float(np.arccos(turn))
    for steps in dict.fromkeys((float(round(period)), float(used - 1), float(used), round(period * 2) / 2, period)):
        if not 1 <= steps < 1e7:
            continue
        yield from _of_a_period(part, steps)


def _of_a_period(part: Array, steps: float) -> Iterator[Fall]:
    angle = np.pi * np.arange(len(part)) / steps
    columns = np.stack([np.ones(len(part)), np.cos(angle), np.sin(angle)], axis=1)
    middle, even, odd = np.linalg.lstsq(columns, part, rcond=None)[0]
    begun = float(np.arctan2(-odd, even)) * steps / np.pi
    whole = float(round(begun))
    if abs(begun - whole) > 0.1 or not 0 <= whole < steps:
        return
    shifted = np.stack([np.ones(len(part)), np.cos(angle + np.pi * whole / steps)], axis=1)
    middle, height = np.linalg.lstsq(shifted, part, rcond=None)[0]
    start, end = float(middle + height), float(middle - height)
    nought = 1e-7 * max(abs(start), abs(end))
    yield Fall("cosine", 0.0 if abs(start) < nought else start, 0.0 if abs(end) < nought else end, steps, whole)


def _powers(rates: Rates) -> Iterator[Fall]:
    values, end = rates.values, end_of(rates)
    for steps, last in dict.fromkeys(((end, float(values[-1])), (rates.steps, 0.0))):
        if steps < 4 or abs(values[0] - last) <= rates.tolerance or values[0] * last < 0:
            continue
        gone = np.arange(1, steps - 1) / steps
        left = (values[1 : steps - 1] - last) / (values[0] - last)
        if not ((left > 0) & (left < 1)).all():
            continue
        for shape, over, under in (("polynomial", left, 1 - gone), ("root", 1 - left, gone)):
            power = float(np.median(np.log(over) / np.log(under)))
            if 0.05 < power < 20:
                yield Fall(shape, float(values[0]), last, float(steps), 0.0, float(f"{power:.4g}"))


def _fallen(rates: Rates) -> Iterator[Guess]:
    families = {"linear": schedules.linear, "cosine": schedules.cosine, "polynomial": schedules.polynomial}
    for fall in falls(rates):
        if fall.shape not in families:
            continue
        more = {"power": fall.power} if fall.shape == "polynomial" else {}
        knobs = {"start": fall.start, "end": fall.end, "steps": fall.steps, "first": fall.begun, **more}
        yield families[fall.shape], (), knobs
    yield from _endless(rates)


def _endless(rates: Rates) -> Iterator[Guess]:
    # What has sunk to nothing tells no factor.
    values = rates.values[rates.values > NOTHING * rates.values[0]]
    last = len(values) - 1
    if last < 2 or (rates.values < 0).any() or values[0] <= 0 or values[0] == values[-1]:
        return
    factor = float((values[-1] / values[0]) ** (1 / last))
    with np.errstate(all="ignore"):
        over = [(every, float(np.power(factor, every))) for every in EVERY]
    plain = [(every, power) for every, power in over if abs(float(f"{power:.3g}") - power) < 1e-6 * power]
    for every, power in [*plain, (1, factor)]:
        yield schedules.exponential, (), {"start": float(values[0]), "factor": power, "every": float(every)}
    yield schedules.inverse_time, (), {"start": float(values[0]), "decay": float(values[0] / values[-1] - 1) / last}
    for first in (0, 1):
        count = np.arange(first, len(values) + first)
        root = float(np.median(values[1:] * np.sqrt(count[1:])))
        yield schedules.inverse_root, (), {"peak": root, "warmup": 1.0, "first": float(first)}


@dataclass(frozen=True)
class Rise:
    """A warm-up: from a level to the peak, in so many steps of a count that is `first` at the first rate."""

    start: float
    peak: float
    steps: float
    first: int
    top: int  # the place of the last rate on the line


def rise_of(rates: Rates) -> Rise | None:
    """Read the warm-up off the rates: the longest line that grows from the first of them."""
    values = rates.values
    if not values[1] - values[0] > rates.tolerance:
        return None
    steps = np.diff(values)
    same = np.abs(steps - steps[0]) <= 4 * rates.tolerance
    top = int(np.argmin(same)) if not same.all() else rates.steps - 1
    slope = (values[top] - values[0]) / top
    first = float(values[0] / slope)
    if abs(first - round(first)) * slope <= 4 * rates.tolerance and round(first) in FIRSTS:
        return Rise(0.0, float(values[top]), top + float(round(first)), round(first), top)
    return Rise(float(values[0]), float(values[top]), float(top), 0, top)


def _warmed(rates: Rates) -> Iterator[Guess]:
    rise = rise_of(rates)
    if rise is None or rise.top == rates.steps - 1:
        return
    begun = {"peak": rise.peak, "warmup": rise.steps}
    ends: dict[str, float] = {"start": rise.start, "first": float(rise.first)}
    rest = rates.part(rise.top)
    if np.ptp(rest.values) <= rates.tolerance:
        yield schedules.warmup_constant, (), {**begun, **ends}
        return
    stays = int(jumps_of(rest)[0]) - 1
    for stay in dict.fromkeys((0, stays)):
        for fall in falls(rest.part(stay)):
            knobs = {**begun, "steps": rise.steps + stay + fall.steps, "end": fall.end, **ends}
            if stay == 0 and fall.shape in ("linear", "cosine") and not fall.begun:
                yield _WARMED[fall.shape], (), knobs
            elif fall.shape in ("linear", "root"):
                yield schedules.wsd, (), {**knobs, "decay": fall.steps, "power": fall.power}
    if rise.start == 0.0:
        width = 1 / (rise.peak**2 * rise.steps)
        is_odd = abs(float(f"{rise.peak:.4g}") - rise.peak) > rates.tolerance
        if is_odd and width >= 8 and abs(width - round(width)) < 1e-4 and round(width) % 8 == 0:
            yield schedules.noam, (), {"width": width, "warmup": rise.steps, "first": float(rise.first)}
        yield schedules.inverse_root, (), {"peak": rise.peak, "warmup": rise.steps, "first": float(rise.first)}


_WARMED = {"linear": schedules.warmup_linear, "cosine": schedules.warmup_cosine}


def _stable(rates: Rates) -> Iterator[Guess]:
    """Yield what stays at first and then goes down, without a warm-up."""
    jumps = jumps_of(rates)
    stays = int(jumps[0]) - 1 if len(jumps) else 0
    for fall in falls(rates.part(stays)) if stays > 0 else ():
        if fall.shape in ("linear", "root"):
            yield schedules.wsd, (), {
                "peak": float(rates.values[0]), "warmup": 0.0, "decay": fall.steps, "steps": stays + fall.steps,
                "end": fall.end, "power": fall.power, "first": 0.0,
            }  # fmt: skip


def _restarted(rates: Rates) -> Iterator[Guess]:
    values = rates.values
    up = np.flatnonzero(np.diff(values) > 0.2 * np.ptp(values)) + 1
    if not len(up):
        return
    period, shrink = float(up[0]), float(values[up[0]] / values[0]) if values[0] else 1.0
    second = float(up[1] - up[0]) if len(up) > 1 else period
    for first in (0, 1):
        length = period + first
        angle = np.pi * (np.arange(int(period)) + first) / length
        columns = np.stack([(1 + np.cos(angle)) / 2, (1 - np.cos(angle)) / 2], axis=1)
        start, end = (float(each) for each in np.linalg.lstsq(columns, values[: int(period)], rcond=None)[0])
        end = 0.0 if abs(end) <= 10 * rates.tolerance else end
        knobs = {"start": start, "end": end, "period": length, "growth": second / length, "first": float(first)}
        yield schedules.cosine_restarts, (), knobs
        yield schedules.cosine_restarts, (), {**knobs, "shrink": shrink}


def _cycled(rates: Rates) -> Iterator[Guess]:
    values = rates.values
    top = int(np.argmax(values))
    if not 2 <= top < rates.steps - 2:
        return
    behind = np.flatnonzero(np.diff(values[top:]) > rates.tolerance)
    bottom = top + int(behind[0]) if len(behind) else 0
    if bottom and rates.is_straight(0, top + 1) and rates.is_straight(top, bottom + 1):
        yield schedules.cyclic, (), {
            "low": float(values[0]), "high": float(values[top]), "rise": float(top), "fall": float(bottom - top),
        }  # fmt: skip
    for fall in cosines(rates.part(top)):
        if values[0] > 0 and not fall.begun:
            final = values[0] / fall.end if fall.end > 0 else np.inf
            for rise in (float(top), top - 0.5, top + 0.5):
                yield schedules.one_cycle, (), {
                    "peak": float(values[top]), "rise": rise, "steps": top + fall.steps,
                    "div": float(values[top] / values[0]), "final_div": float(final),
                }  # fmt: skip


FITS: tuple[Callable[[Rates], Iterator[Guess]], ...] = (
    _constant, _stepped, _warmed, _fallen, _stable, _restarted, _cycled,
)  # fmt: skip
