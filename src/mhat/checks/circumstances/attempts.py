"""Which circumstances are tried, the plainest first: what makes a record that of its rule. They know no file.

Plain, with knobs estimated, with knobs of each tensor or coordinate, with a rate that follows a form, begun in the
middle. A reading counts only where it gives the whole record, to the rounding of what is written, and where there are
at least twice as many numbers as are estimated.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.asked import (
    COORDINATES,
    STEPS,
    Asked,
    Late,
    believed,
    short,
    starts,
)
from mhat.checks.circumstances.beginnings import begun
from mhat.checks.circumstances.fitting import Fitting, Unknown
from mhat.checks.circumstances.groups import in_groups
from mhat.checks.circumstances.rates import any_rate, rate_of_a_form
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.checks.circumstances.rows import Rows, readings
from mhat.language import Rule
from mhat.mistakes.dialects import Dialect, dialects_of

Array = np.ndarray[Any, Any]
Attempt = Callable[[Asked], Iterator[tuple[Setting, tuple[str, ...]]]]


@dataclass(frozen=True)
class Found:
    """A reading of a record that its rule explains: the rule in the form that was followed, and the circumstances."""

    rows: Rows
    rule: Rule
    spoken: tuple[Dialect, ...]
    setting: Setting
    estimated: dict[str, float]
    notes: tuple[str, ...]


def plainly(rows: Rows, rule: Rule, held: Mapping[str, float], *, strict: bool, late: Late) -> Found | None:
    """Find circumstances in which a rule, or a documented form of it, gives the record: those that need no excuse."""
    return _first(rows, rule, held, (as_told,) if strict else (as_told, estimated, in_groups), late)


def scheduled(rows: Rows, rule: Rule, held: Mapping[str, float], *, odd: bool, late: Late) -> Found | None:
    """Find a rate over the steps with which a rule gives the record; `odd`: also one that follows no known form."""
    return _first(rows, rule, held, (any_rate,) if odd else (rate_of_a_form,), late)


def first_half(rows: Rows, rule: Rule, held: Mapping[str, float], *, late: Late) -> Found | None:
    """Find the knobs with which a rule gives the first steps of a record, from as few of them as tell it."""
    return _first(rows.first_steps(max(rows.steps // 3, min(8, rows.steps))), rule, held, (as_told, estimated), late)


def begun_before(rows: Rows, rule: Rule, held: Mapping[str, float], *, late: Late) -> Found | None:
    """Find a beginning in the middle of a run with which a rule gives the record."""
    return _first(rows, rule, held, (begun,), late)


def _first(rows: Rows, rule: Rule, held: Mapping[str, float], attempts: Sequence[Attempt], late: Late) -> Found | None:
    spoken_forms = [((), rule), *((spoken, form) for spoken, form in dialects_of(rule) if len(spoken) == 1)]
    for attempt, reading in itertools.product(attempts, readings(rows)):
        for spoken, form in spoken_forms:
            if late():
                return None
            part = reading.part(STEPS, COORDINATES)
            asked = Asked(reading, form, held, Replay(reading), Fitting(Replay(part), form.tree, late), late)
            with np.errstate(all="ignore"):
                for setting, notes in attempt(asked):
                    return Found(reading, form, spoken, setting, _estimates(asked, setting), (*reading.notes, *notes))
    return None


def _estimates(asked: Asked, setting: Setting) -> dict[str, float]:
    return {
        name: float(setting.knobs[name])
        for name in asked.free
        if name not in setting.over_steps and np.ndim(setting.knobs[name]) == 0
        and setting.knobs[name] != asked.rule.knobs[name]
    }  # fmt: skip


def as_told(asked: Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Take what is told, and the rule's defaults."""
    if asked.explains(asked.plain):
        yield asked.plain, ()


def estimated(asked: Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Estimate the knobs that nobody has told, one value each."""
    if not asked.enough(len(asked.free)) or not asked.free:
        return
    for start in starts(asked):
        fitted = asked.fitting.fit(start, [Unknown(name) for name in asked.free])
        good = None if fitted is None else believed(asked, replace(fitted, start=None), asked.free)
        if good is not None:
            yield short(asked, good), ()
            return
