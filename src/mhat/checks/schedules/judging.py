"""The question of a scheduler, driven and answered. It knows no framework: it sees a subject, or rates.

A schedule is believed only where it gives every rate that was seen; where nothing does, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.schedules.fits import Rates, fitted, rates_of
from mhat.checks.schedules.slips import from_what_is_meant, unexplained
from mhat.checks.schedules.verdict import ScheduleVerdict
from mhat.errors import BadValue, SubjectError
from mhat.notation import count_steps, cut
from mhat.notation.decimals import brief
from mhat.schedules import Schedule
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
# So many steps are looked at first, and so many where these do not show all of it.
LENGTHS = (3000, 30_000)
FEWEST = 3
# What is left of the way to the end, of all of it, that is worth a word.
LEFT = 0.05
# Rates that are kept in a verdict.
KEPT = 3000


def check_scheduler(
    subject: Subject, against: Schedule | None = None, *, steps: int | None = None, first: int | None = None
) -> ScheduleVerdict:
    """Check a scheduler that is driven: which schedule it is, or whether it is the one that is meant.

    `steps`: how many the training has; else as many as show all of it. `first`: the number that the first step is
    called with. Raises SubjectError if it fails, BadValue for fewer steps than tell anything.
    """
    if first is not None and "first" not in subject.knobs:
        raise BadValue(f"`{subject.name}` is no function of the step number, and counts by itself", "Leave first= out.")
    lengths = LENGTHS if steps is None else (_enough(steps),)
    if steps is None and against is not None and against.last is not None:
        lengths = (round(1.2 * against.last) + 20,)
    asked = {} if first is None else {"first": float(first)}
    rates, found = _driven(subject, lengths[0], asked), None
    for length in lengths:
        rates = _driven(subject, length, asked)
        found = fitted(rates)
        if len(rates.values) < length or (found is not None and _is_whole(found, length)):
            break
    notes = list(subject.notes)
    if rates.steps not in lengths:
        # The last rate that it gives may be one for a step that is not taken.
        shorter = fitted(rates.part(0, -1)) if found is None else None
        rates, found = (rates, found) if shorter is None else (rates.part(0, -1), shorter)
        notes.append(f"it ends with step {rates.steps}")
    verdict = _judged(subject.name, rates, found, against, steps, notes)
    resumed = _resumption(subject, rates, asked)
    return _with_slips(verdict, resumed)


def check_rates(
    name: str, values: Any, against: Schedule | None = None, *, steps: int | None = None
) -> ScheduleVerdict:
    """Check rates that were written down, one a step; raises BadValue for what are none."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadValue(f"{cut(repr(values))} are no rates", "Give one number a step.") from None
    if array.ndim != 1 or array.size < FEWEST:
        what = f"the rates of {name} have the shape {array.shape}"
        raise BadValue(what, f"Give one number a step, {FEWEST} at least.")
    rates = rates_of(array if steps is None else array[: _enough(steps)])
    return _judged(name, rates, fitted(rates), against, steps, [])


def _enough(steps: int) -> int:
    count = count_steps(steps)
    if count < FEWEST:
        raise BadValue(f"{count} step{'s' * (count > 1)} tell nothing of a schedule", f"Give {FEWEST} at least.")
    return count


def _driven(subject: Subject, steps: int, asked: dict[str, float]) -> Rates:
    """Drive a scheduler; what it does not give behind its own end is left out."""
    values = subject.run(np.zeros(steps), knobs=asked)
    there = np.flatnonzero(~np.isnan(values))
    if not len(there):
        raise SubjectError(subject.name, "gave no rate that is a number", "Look at what it returns at the first step.")
    return rates_of(values[: max(int(there[-1]) + 1, FEWEST)])


def _is_whole(found: Schedule, seen: int) -> bool:
    """Whether so many steps show all of a schedule: up to its end; what stays or rises only may go on otherwise."""
    if found.name == "constant" or (found.name in ("linear", "polynomial") and found(1) < found(seen)):
        return False
    return found.last is None or found.last + 2 < seen


def _judged(
    name: str, rates: Rates, found: Schedule | None, against: Schedule | None, steps: int | None, notes: list[str]
) -> ScheduleVerdict:
    slip = unexplained(rates) if found is None else None
    meant = found if slip is None else slip.schedule if slip.dialect else None
    told: dict[str, Any] = {"subject": name, "rates": rates.values[:KEPT], "notes": tuple(notes)}
    if against is None:
        wrong = tuple(_unsound(rates))
        if slip is not None:
            dialect = slip.sentence if slip.dialect and not wrong else None
            slips = wrong if slip.dialect else (f"{slip.sentence}; {slip.schedule.recipe} is meant", *wrong)
        else:
            dialect, slips = None, wrong
        conforms = meant is not None and not slips
        warnings = tuple(_warned(rates, meant, steps))
        return ScheduleVerdict(
            conforms=conforms, schedule=meant, slips=slips, dialect=dialect, warnings=warnings, **told
        )
    expected = against.values(rates.steps)
    if rates.are(expected):
        warnings = tuple(_warned(rates, against, steps))
        return ScheduleVerdict(conforms=True, schedule=against, against=against, warnings=warnings, **told)
    wrong_at = ~(np.abs(rates.values - expected) <= rates.tolerance)
    slips = (*from_what_is_meant(rates, against, found), *_unsound(rates))
    step = int(np.argmax(wrong_at)) + 1
    return ScheduleVerdict(conforms=False, schedule=meant, against=against, step=step, slips=slips, **told)


def _unsound(rates: Rates) -> Iterator[str]:
    """Say what no rate may be."""
    strange = np.flatnonzero(~np.isfinite(rates.values))
    if len(strange):
        yield f"the rate of step {strange[0] + 1} is {rates.values[strange[0]]:g}"
    negative = np.flatnonzero(rates.values < -rates.tolerance)
    if len(negative):
        place = int(negative[0])
        yield f"the rate is negative: {brief(float(rates.values[place]))} at step {place + 1}"


def _warned(rates: Rates, found: Schedule | None, steps: int | None) -> Iterator[str]:
    """Say what a training may not want, where that is sure."""
    values = rates.values
    if values[0] == 0 and (values > 0).any():
        yield "the rate of the first step is 0: it moves nothing (the step is counted as 0; counted as 1 it would)"
    if found is None or steps is None or rates.steps < steps:
        return
    warmup, first = found.arguments.get("warmup", 0), found.first
    if warmup > steps - 1 + first:
        yield f"the warm-up takes {warmup:g} steps, and the training ends after {steps}: the peak is never reached"
    elif found.name == "linear" and values[-1] > values[0]:
        yield f"it still grows at the last of {steps} steps: if this is a warm-up, it never reaches its peak"
    elif found.last is not None and _is_short_of(found, steps):
        at, end = round(found.last) - first + 1, brief(float(found.at([found.last + 1 - first])[0]))
        yield (
            f"the end is not reached: the last of {steps} steps has {brief(float(values[-1]))}, and {end} would come "
            f"at step {at}"
        )
    nothing = np.flatnonzero(np.abs(values) > rates.tolerance * 1e-3)
    idle = steps - int(nothing[-1]) - 1 if len(nothing) else 0
    if idle > 1 and found.last is not None:
        yield f"the rate is 0 from step {steps - idle + 1} on: the last {idle} of {steps} steps move nothing"


def _is_short_of(found: Schedule, steps: int) -> bool:
    """Whether so many steps leave more than a little of the way to the end."""
    end = float(found.at([(found.last or 0) + 1 - found.first])[0])
    values = found.values(steps)
    left = abs(float(values[-1]) - end)
    return found.name not in ("constant", "milestones") and left > LEFT * float(np.abs(values - end).max())


def _resumption(subject: Subject, rates: Rates, asked: dict[str, float]) -> str | None:
    """Stop it in the middle and go on from what it saved; say how that differs from going on."""
    if "resume" not in subject.knobs or rates.steps < 6:
        return None
    moving = np.flatnonzero(np.abs(np.diff(rates.values)) > rates.tolerance)
    length = min(rates.steps, int(moving[-1]) + 2 if len(moving) else rates.steps)
    at = int(moving[min(2, len(moving) - 1)]) + 1 if len(moving) else 2
    values = subject.run(np.zeros(length), knobs={**asked, "resume": float(at)})
    resumed = Rates(values, rates.tolerance)
    if resumed.are(rates.values[:length]):
        return None
    place = int(np.argmax(~(np.abs(values - rates.values[:length]) <= rates.tolerance)))
    rest = resumed.part(at)
    if rest.are(rates.values[: length - at]) or rest.part(1).are(rates.values[1 : length - at]):
        return f"resumed after step {at}, it starts over from the first step"
    if rest.are(rates.values[at - 1 : length - 1]):
        return f"resumed after step {at}, it gives the rate of step {at} once more: it is a step late from there"
    if length > at + 1 and resumed.part(at, length - 1).are(rates.values[at + 1 : length]):
        return f"resumed after step {at}, it leaves the rate of step {at + 1} out: it is a step early from there"
    now, before = (brief(float(each[place])) for each in (values, rates.values))
    return f"resumed after step {at}, it goes on otherwise: step {place + 1} has {now} where it had {before}"


def _with_slips(verdict: ScheduleVerdict, slip: str | None) -> ScheduleVerdict:
    if slip is None:
        return verdict
    return replace(verdict, conforms=False, slips=(*verdict.slips, slip))
