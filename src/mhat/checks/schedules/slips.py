"""What goes wrong with a scheduler, each as a sentence: off by one, per epoch, compounded, unclipped ...

It sees rates and schedules; who made the rates it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat import schedules
from mhat.checks.schedules.fits import Fall, Rates, cosines, end_of, falls, fitted, rise_of
from mhat.notation.decimals import brief, exact
from mhat.schedules import Schedule

Array = np.ndarray[Any, Any]
# How many steps early or late are looked for.
SHIFTS = (1, 2)
LONGEST_EPOCH = 20_000
PEAKS = ("peak", "start", "value", "high")
RISES_AGAIN = "behind its end, which is step {}, it rises again, as torch's CosineAnnealingLR does"
PER_EPOCH = "it changes only every {} steps: it goes on once an epoch of {} steps"


@dataclass(frozen=True)
class Slip:
    """What is the matter, the schedule that is meant, and whether it is a dialect that somebody has on purpose."""

    sentence: str
    schedule: Schedule
    dialect: bool = False


def unexplained(rates: Rates) -> Slip | None:
    """Find the slip by which rates that no schedule gives come from one; None where none is found."""
    for look in (_goes_on, _counted_from_the_start, _once_an_epoch, _compounded):
        slip = look(rates)
        if slip is not None:
            return slip
    return None


def _goes_on(rates: Rates) -> Slip | None:
    """Find a way down that does not stop at its end."""
    rise = rise_of(rates)
    top = 0 if rise is None else rise.top
    rest = rates.part(top)
    for fall in falls(rest):
        if fall.begun and rise is not None:
            continue
        count = np.arange(rest.steps) + fall.begun
        share = count / fall.steps
        if share[-1] <= 1:
            continue
        end = int(np.ceil(fall.steps - fall.begun)) + top
        meant = fitted(rates.part(0, end + 1))
        if meant is None:
            continue
        if fall.shape == "cosine" and rest.are(fall.end + (fall.start - fall.end) * (1 + np.cos(np.pi * share)) / 2):
            return Slip(RISES_AGAIN.format(end + 1), meant, dialect=True)
        if fall.shape == "linear" and rest.are(fall.start + (fall.end - fall.start) * share):
            said = f"it does not stop at its end, which is step {end + 1}: from step {end + 2} on the rate is negative"
            return Slip(said, meant)
    return None


def _counted_from_the_start(rates: Rates) -> Slip | None:
    """Find a way down whose share is that of all steps gone, the warm-up among them."""
    rise = rise_of(rates)
    if rise is None or rise.start or not 1 <= rise.top < rates.steps - 6:
        return None
    slope, begun = (rates.values[rise.top] - rates.values[0]) / rise.top, rise.top + 1 + rise.first
    peak = slope * begun
    for fall in _later(rates.part(rise.top + 1), begun):
        if abs(fall.start - peak) > 1e-6 * abs(peak) or fall.steps <= begun:
            continue
        family = schedules.warmup_cosine if fall.shape == "cosine" else schedules.warmup_linear
        meant = family(_tidy(peak), warmup=begun, steps=_tidy(fall.steps), end=_tidy(fall.end), first=rise.first)
        at, short = rise.top + 2, brief(float(rates.values[rise.top + 1]), 4)
        return Slip(
            f"the way down is counted from the first step, and not from the end of the warm-up: it begins with {short} "
            f"at step {at}, below the peak",
            meant,
        )
    return None


def _later(rates: Rates, begun: int) -> Iterator[Fall]:
    """Yield ways down that were begun so many steps before the first of the rates."""
    yield from (fall for fall in cosines(rates) if fall.begun == begun)
    end = end_of(rates)
    if end > 3 and rates.is_straight(0, end):
        slope = float(rates.values[end - 1] - rates.values[0]) / (end - 1)
        if slope < 0:
            start = float(rates.values[0]) - slope * begun
            last = float(rates.values[-1]) if end < rates.steps - 1 else 0.0
            yield Fall("linear", start, last, (last - start) / slope, float(begun))


def _once_an_epoch(rates: Rates) -> Slip | None:
    """Find a schedule that goes on only every so many steps."""
    epoch = epoch_of(rates)
    if epoch is None:
        return None
    meant = fitted(rates.part(0, None, epoch))
    return None if meant is None else Slip(PER_EPOCH.format(epoch, epoch), meant, dialect=True)


def epoch_of(rates: Rates) -> int | None:
    """Give the number of steps after which rates change, where they never do in between."""
    changes = np.flatnonzero(np.abs(np.diff(rates.values)) > rates.tolerance) + 1
    if len(changes) < 3:
        return None
    epoch = int(np.gcd.reduce(changes))
    return epoch if 1 < epoch <= LONGEST_EPOCH and len(changes) >= 0.3 * changes[-1] / epoch else None


def _compounded(rates: Rates) -> Slip | None:
    """Find rates that are multiplied by what should have been the factor of the first."""
    values = rates.values
    used = int(np.argmax(values <= 1e-200)) if (values <= 1e-200).any() else len(values)
    if used < 6 or not np.isfinite(values[:used]).all():
        return None
    factors = Rates(values[1:used] / values[: used - 1], 1e-9)
    meant = fitted(factors)
    if meant is None or meant.name in ("constant", "milestones"):
        return None
    return Slip("it compounds: every rate is the last one times a factor that was meant for the first", meant)


def from_what_is_meant(rates: Rates, against: Schedule, found: Schedule | None) -> Iterator[str]:
    """Say how rates come from those of a schedule that was meant; `found`: the schedule that they are."""
    expected = against.values(rates.steps)
    for look in (_shifted, _scaled):
        said = look(rates, against, expected)
        if said:
            yield said
            return
    epoch = epoch_of(rates)
    if epoch is not None and rates.part(0, None, epoch).are(against.values(rates.steps)[: -(-rates.steps // epoch)]):
        yield f"it goes on only every {epoch} steps, and should at each: it is stepped once an epoch"
        return
    said = _lost(rates, against, expected)
    if said:
        yield said
    elif found is not None and found.name == against.name:
        yield from _knobs_apart(found, against)
    elif (slip := _slipped(rates, against)) is not None:
        yield slip
    elif found is not None:
        yield f"it is {found.recipe}: it {found.sentence}"


def _shifted(rates: Rates, against: Schedule, expected: Array) -> str:
    for shift in SHIFTS:
        steps = f"{shift} step{'s' * (shift > 1)}"
        if rates.part(shift).are(expected[:-shift]):
            counted = f"the first step is counted as {against.first - shift}, and should be as {against.first}"
            return f"every rate comes {steps} late" + (f": {counted}" if against.first >= shift else "")
        if rates.are(against.values(rates.steps + shift)[shift:]):
            counted = f"the first step is counted as {against.first + shift}, and should be as {against.first}"
            return f"every rate comes {steps} early: {counted}"
    return ""


def _scaled(rates: Rates, against: Schedule, expected: Array) -> str:
    place = int(np.argmax(np.abs(expected)))
    if expected[place] == 0:
        return ""
    scale = float(rates.values[place] / expected[place])
    if not np.isfinite(scale) or not rates.are(scale * expected) or not scale:
        return ""
    peak = max(against.arguments.get(name, 0.0) for name in PEAKS)
    twice = abs(scale / peak - 1) < 1e-6 if peak else False
    more = ": the learning rate is in it twice, as a factor and as the rate" if twice else ""
    return f"every rate is {brief(scale, 6)} times what it should be{more}"


def _lost(rates: Rates, against: Schedule, expected: Array) -> str:
    """Say what is missing: the restart, the warm-up, the end."""
    wrong = np.abs(rates.values - expected) > rates.tolerance
    at = int(np.argmax(wrong))
    after = rates.values[at:]
    arguments = against.arguments
    if "period" in arguments and at and np.ptp(after) <= rates.tolerance and expected[at] > expected[at - 1]:
        return f"the restart at step {at + 1} is lost: the rate stays at {brief(float(after[0]), 4)}"
    warmup = round(arguments.get("warmup", 0)) - against.first
    if warmup > 0 and not rates.part(0, rates.steps - warmup).steps < 3:
        without = Rates(rates.values[: rates.steps - warmup], rates.tolerance)
        if without.are(expected[warmup:]):
            return "there is no warm-up: it begins at the peak"
        if at < warmup and Rates(rates.values[warmup:], rates.tolerance).are(expected[warmup:]):
            return f"the warm-up goes another way: at step 1 the rate is {brief(float(rates.values[0]), 4)}"
    if against.last is not None and at > against.last - against.first:
        grows, step = after[-1] > expected[-1] + rates.tolerance, round(against.last) - against.first + 1
        how = "rises again" if grows else "becomes negative" if (after < 0).any() else "goes on"
        return f"it does not stop at its end, which is step {step}: it {how}"
    return ""


def _knobs_apart(found: Schedule, against: Schedule) -> Iterator[str]:
    """Say in which knobs two schedules of one family differ."""
    apart = {
        name: (value, against.arguments[name])
        for name, value in found.arguments.items()
        if value != against.arguments[name]
    }
    counts = [
        name for name in ("warmup", "steps", "period", "every", "rise", "fall", "decay") if name in found.arguments
    ]
    ratios = {against.arguments[name] / found.arguments[name] for name in counts if found.arguments[name]}
    if set(apart) <= set(counts) and len(apart) == len(counts) and len(ratios) == 1:
        (times,) = ratios
        faster = f"{brief(times, 4)} times too fast" if times > 1 else f"{brief(1 / times, 4)} times too slowly"
        yield f"it goes {faster}: it may count steps where epochs are meant, or epochs where steps are"
    warmup = against.arguments.get("warmup", 0)
    for name, (value, wanted) in apart.items():
        said = f"{name} is {_written(value)}, and should be {_written(wanted)}"
        if name == "first":
            said = f"the first step is counted as {value}, and should be as {wanted}"
        if name in PEAKS and wanted not in (0, 1) and abs(value - wanted**2) <= 1e-6 * wanted**2:
            said += ": the learning rate is in it twice, as a factor and as the rate"
        if name == "steps" and warmup and value == wanted + warmup:
            said += ": the way down takes all of them, beside the warm-up"
        yield said


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else exact(float(value))


def _slipped(rates: Rates, against: Schedule) -> str | None:
    slip = unexplained(rates)
    if slip is None:
        return None
    return slip.sentence if slip.schedule == against else f"{slip.sentence}; it is {slip.schedule.recipe} otherwise"


def _tidy(value: float) -> float:
    for digits in (2, 3, 4, 6, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short - value) <= 1e-7 * abs(value):
            return short
    return value
