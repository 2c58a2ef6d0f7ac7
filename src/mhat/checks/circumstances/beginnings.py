"""A record that begins in the middle of a run: from which step, and with which states. They know no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.asked import (
    COORDINATES,
    STEPS,
    Asked,
    Late,
)
from mhat.checks.circumstances.fitting import Fitting, Unknown
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.language.inference import names_read

Array = np.ndarray[Any, Any]
BEGINS = (2, 3, 5, 8, 11, 16, 21, 31, 51, 101, 201, 501, 1001, 2001, 5001, 10001, 50001)


def begun(asked: Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Look for a number of steps, and states, with which the record began in the middle of a run."""
    states = [state.name for state in asked.rule.tree.states if state.name not in asked.rule.dependence.per_step_states]
    count = asked.fitting.rows.observed[0].size
    if not states or not asked.enough(count * len(states) + 1) or asked.rows.observe not in ("x", "update"):
        return
    sought = [Unknown(name, "coordinate", state=True) for name in states]
    reads_t = "t" in names_read(asked.rule.tree)
    tried: dict[int, tuple[float, Setting]] = {}

    def at(begin: int) -> float:
        if begin not in tried:
            fitted = asked.fitting.fit(_carried(asked, begin, states), sought)
            error = float("inf") if fitted is None else asked.fitting.error(fitted)
            tried[begin] = (error, asked.plain if fitted is None else fitted)
        return tried[begin][0]

    for begin in BEGINS if reads_t else (101,):
        if asked.late():
            return
        at(begin)
    best = _narrowed(at, tried, asked.late) if reads_t else 101
    error, setting = tried[best]
    if not np.isfinite(error) or not asked.on_part(setting) or _as_new(asked, setting, states):
        return
    whole = _carried_by_all(asked, setting, sought)
    if whole is not None and asked.explains(whole):
        yield whole, (_said_of_begin(asked, setting, best, reads_t, states),)


def _narrowed(at: Callable[[int], float], tried: Mapping[int, Any], late: Late) -> int:
    """Find the beginning that fits best, between the neighbours of the best that was tried."""
    ranked = sorted(tried)
    place = ranked.index(min(ranked, key=lambda begin: tried[begin][0]))
    low, high = ranked[max(place - 1, 0)], ranked[min(place + 1, len(ranked) - 1)]
    while high - low > 2 and not late():
        third = max((high - low) // 3, 1)
        if at(low + third) <= at(high - third):
            high = high - third
        else:
            low = low + third
    for begin in range(low, high + 1):
        if late():
            break
        at(begin)
    return min(tried, key=lambda begin: tried[begin][0])


def _carried(asked: Asked, begin: int, states: Sequence[str]) -> Setting:
    """Guess what was carried into a record: what its own gradients leave when they come again and again before it."""
    replay = Replay(asked.fitting.rows.first_steps(begin - 1))
    setting = replay.with_start(asked.rule.tree, asked.plain)
    before = replace(setting, begin=0.0)
    _, carried = replay.course(asked.rule.tree, before)
    often = min((begin - 1) // replay.rows.steps, 8)
    for turn in range(often):
        _, carried = replay.course(
            asked.rule.tree, replace(before, begin=float((turn + 1) * replay.rows.steps), states=carried)
        )
    kept = {name: np.where(np.isfinite(carried[name]), carried[name], 0.0) for name in states}
    return replace(asked.plain, begin=float(begin - 1), states=kept)


def _as_new(asked: Asked, setting: Setting, states: Sequence[str]) -> bool:
    """Whether what was carried in is nothing: then the run did not begin before, and something else is wrong."""
    empty = replace(setting, states={name: np.zeros_like(setting.states[name]) for name in states})
    # Of runs that began before, no two coordinates carry the same; where all do, something else is wrong at the start.
    alike = all(np.ptp(setting.states[name]) <= 1e-3 * np.abs(setting.states[name]).max() for name in states)
    return (alike and setting.states[states[0]].size > 1) or asked.on_part(empty)


def _carried_by_all(asked: Asked, setting: Setting, sought: Sequence[Unknown]) -> Setting | None:
    """Find what every coordinate of the record carried in, some of them at a time."""
    shape = asked.rows.observed.shape[1:]
    if shape == asked.fitting.rows.observed.shape[1:]:
        return replace(setting, start=None)
    states = {unknown.name: np.zeros(shape) for unknown in sought}
    for first in range(0, shape[1], COORDINATES):
        chosen = slice(first, first + COORDINATES)
        cut = {n: getattr(asked.rows, n)[:STEPS, :, chosen] for n in ("gradients", "observed", "g_half", "x_half")}
        over = {name: values[:STEPS] for name, values in asked.rows.schedules.items()}
        rows = replace(asked.rows, **cut, start=asked.rows.start[:, chosen], widths=(), schedules=over)
        some = replace(asked, fitting=Fitting(Replay(rows), asked.rule.tree))
        guess = _carried(some, int(setting.begin) + 1, list(states))
        fitted = some.fitting.fit(replace(guess, knobs=setting.knobs), sought)
        if fitted is None or asked.late():
            return None
        for name, values in states.items():
            values[:, chosen] = fitted.states[name]
    return replace(setting, states=states, start=None)


def _said_of_begin(asked: Asked, setting: Setting, best: int, reads_t: bool, states: Sequence[str]) -> str:
    if not reads_t:
        return f"the record begins in the middle of a run: what was carried into it ({', '.join(states)}) is estimated"
    near = [
        begin for begin in (best - 1, best + 1) if begin > 1 and asked.on_part(replace(setting, begin=float(begin - 1)))
    ]
    about = "about " if near else ""
    return (
        f"the record begins in the middle of a run, with t from {about}{best}: "
        f"that and what was carried into it ({', '.join(states)}) are estimated"
    )
