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

from mhat.checks.circumstances.fitting import Fitting, Unknown
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.checks.circumstances.rows import Rows, readings
from mhat.checks.circumstances.schedules import forms
from mhat.language import Rule
from mhat.language.inference import names_read
from mhat.language.vocabulary import USUAL, meaning_of
from mhat.mistakes.dialects import Dialect, dialects_of
from mhat.notation.decimals import exact

Array = np.ndarray[Any, Any]
# What is fitted by, of a long or wide record.
STEPS, COORDINATES = 60, 12
BEGINS = (2, 3, 5, 8, 11, 16, 21, 31, 51, 101, 201, 501, 1001, 2001, 5001, 10001, 50001)
STARTS = 4
# How near a form comes to rates that are estimated, as a share of the largest, to be tried.
NEAR = 0.02
# Beyond this a knob of each coordinate is not looked for, only one of each tensor.
FEW = 64


@dataclass(frozen=True)
class Found:
    """A reading of a record that its rule explains: the rule in the form that was followed, and the circumstances."""

    rows: Rows
    rule: Rule
    spoken: tuple[Dialect, ...]
    setting: Setting
    estimated: dict[str, float]
    notes: tuple[str, ...]


Late = Callable[[], bool]
Attempt = Callable[["_Asked"], Iterator[tuple[Setting, tuple[str, ...]]]]


@dataclass(frozen=True)
class _Asked:
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


def plainly(rows: Rows, rule: Rule, held: Mapping[str, float], *, strict: bool, late: Late) -> Found | None:
    """Find circumstances in which a rule, or a documented form of it, gives the record: those that need no excuse."""
    return _first(rows, rule, held, (_as_told,) if strict else (_as_told, _estimated, _in_groups), late)


def scheduled(rows: Rows, rule: Rule, held: Mapping[str, float], *, odd: bool, late: Late) -> Found | None:
    """Find a rate over the steps with which a rule gives the record; `odd`: also one that follows no known form."""
    return _first(rows, rule, held, (_any_rate,) if odd else (_rate_of_a_form,), late)


def first_half(rows: Rows, rule: Rule, held: Mapping[str, float], *, late: Late) -> Found | None:
    """Find the knobs with which a rule gives the first steps of a record, from as few of them as tell it."""
    return _first(rows.first_steps(max(rows.steps // 3, min(8, rows.steps))), rule, held, (_as_told, _estimated), late)


def begun_before(rows: Rows, rule: Rule, held: Mapping[str, float], *, late: Late) -> Found | None:
    """Find a beginning in the middle of a run with which a rule gives the record."""
    return _first(rows, rule, held, (_begun_before,), late)


def _first(rows: Rows, rule: Rule, held: Mapping[str, float], attempts: Sequence[Attempt], late: Late) -> Found | None:
    spoken_forms = [((), rule), *((spoken, form) for spoken, form in dialects_of(rule) if len(spoken) == 1)]
    for attempt, reading in itertools.product(attempts, readings(rows)):
        for spoken, form in spoken_forms:
            if late():
                return None
            part = reading.part(STEPS, COORDINATES)
            asked = _Asked(reading, form, held, Replay(reading), Fitting(Replay(part), form.tree, late), late)
            with np.errstate(all="ignore"):
                for setting, notes in attempt(asked):
                    return Found(reading, form, spoken, setting, _estimates(asked, setting), (*reading.notes, *notes))
    return None


def _estimates(asked: _Asked, setting: Setting) -> dict[str, float]:
    return {
        name: float(setting.knobs[name])
        for name in asked.free
        if name not in setting.over_steps and np.ndim(setting.knobs[name]) == 0
        and setting.knobs[name] != asked.rule.knobs[name]
    }  # fmt: skip


def _as_told(asked: _Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    if asked.explains(asked.plain):
        yield asked.plain, ()


def _estimated(asked: _Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Estimate the knobs that nobody has told, one value each."""
    if not asked.enough(len(asked.free)) or not asked.free:
        return
    for start in _starts(asked):
        fitted = asked.fitting.fit(start, [Unknown(name) for name in asked.free])
        good = None if fitted is None else _believed(asked, replace(fitted, start=None), asked.free)
        if good is not None:
            yield _short(asked, good), ()
            return


def _starts(asked: _Asked) -> list[Setting]:
    """List the likeliest values to begin with: usual ones, the rate by what the first steps were."""
    return asked.fitting.nearest([_with_rate(asked, each) for each in _usual(asked)], STARTS)


def _usual(asked: _Asked) -> list[Setting]:
    """List settings with usual values."""

    def grid() -> Iterator[dict[str, float]]:
        yield {}
        pairs = [name for name in ("beta1", "beta2", "momentum", "rho") if name in asked.free]
        for values in itertools.product(*(USUAL[name] for name in pairs)):
            yield dict(zip(pairs, values, strict=True))
        if "weight_decay" in asked.free:
            yield from ({"weight_decay": value} for value in (0.0, *USUAL["weight_decay"]))

    return [replace(asked.plain, knobs={**asked.plain.knobs, **each}) for each in grid()]


def _with_rate(asked: _Asked, setting: Setting) -> Setting:
    """Give the setting the rate with which the rule's steps have the size of those of the record."""
    if "lr" not in asked.free:
        return setting
    factors = _rates(asked, setting)
    usable = factors[np.isfinite(factors) & (factors > 0)]
    rate = float(np.median(usable)) if usable.size else 1.0
    return replace(setting, knobs={**setting.knobs, "lr": float(setting.knobs["lr"]) * rate})


def _rates(asked: _Asked, setting: Setting) -> Array:
    """Give for each step the factor from the rule's move to that of the record, by least squares over coordinates."""
    return _rated_by_step(asked, setting)[0]


def _rated_by_step(asked: _Asked, setting: Setting, *, weighed: bool = False) -> tuple[Array, float]:
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


def _in_groups(asked: _Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Look for knobs that each tensor, or each coordinate of a flattened record, has for itself."""
    rows, count = asked.rows, asked.rows.observed[0].size
    named = [name for name in ("lr", "weight_decay", "momentum") if name in asked.free]
    several = len(np.unique(rows.groups())) > 1
    kinds = (["tensor"] if several else []) + (["coordinate"] if count <= FEW and not several else [])
    if count < 2 or not named or not kinds:
        return
    fitting = asked.fitting if several else Fitting(Replay(rows.part(STEPS, FEW)), asked.rule.tree, asked.late)
    others = [name for name in asked.free if name not in named]
    for kind in kinds:
        for start in _starts(asked)[:2]:
            sought = [*(Unknown(name, kind) for name in named), *(Unknown(name) for name in others)]  # type: ignore[arg-type]
            fitted = fitting.fit(start, sought)
            if fitted is None:
                continue
            spread = _believed(asked, _over_the_whole(asked, fitting, fitted, named), asked.free)
            if spread is not None:
                rounded = _short(asked, _short_groups(asked, spread, named))
                yield rounded, _said_of_groups(asked, rounded, named)
                return


def _over_the_whole(asked: _Asked, fitting: Fitting, setting: Setting, named: Sequence[str]) -> Setting:
    """Give every coordinate of the record the value that its tensor has in the part that was fitted."""
    whole, part = asked.rows.groups(), fitting.groups
    knobs = dict(setting.knobs)
    for name in named:
        values = np.broadcast_to(np.asarray(knobs[name], np.float64), part.shape)
        if part.shape == whole.shape:
            knobs[name] = values
            continue
        by_group = {int(group): float(np.median(values[part == group])) for group in np.unique(part)}
        knobs[name] = np.vectorize(lambda group, known=by_group: known.get(int(group), np.nan))(whole)
    return replace(setting, knobs=knobs, start=None)


def _believed(asked: _Asked, setting: Setting, names: Sequence[str], *, part: bool = False) -> Setting | None:
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
        return 0.0 if abs(float(value)) < 1e-14 else _written(float(value), digits)
    values = np.asarray(value, np.float64)
    near = np.vectorize(lambda each: _written(float(each), digits))(values)
    return np.where(np.abs(values) < least * max(float(np.abs(values).max()), 1e-4), 0.0, near) + 0.0


def _short_groups(asked: _Asked, setting: Setting, named: Sequence[str]) -> Setting:
    """Write what was estimated for groups with few digits, and as one number where it is one."""
    for name in named:
        values = np.asarray(setting.knobs[name], np.float64)
        for digits in range(1, 10):
            near = np.vectorize(
                lambda value, d=digits: round(value, 10) if abs(value) < 1e-9 else float(f"{value:.{d}g}")
            )(values)
            for tried in (near, np.where(np.abs(near) < 1e-3 * np.abs(near).max(), 0.0, near)):
                one = float(tried.flat[0]) if (tried == tried.flat[0]).all() else tried
                shorter = replace(setting, knobs={**setting.knobs, name: one})
                if asked.explains(shorter):
                    setting = shorter
                    break
            else:
                continue
            break
    return setting


def _said_of_groups(asked: _Asked, setting: Setting, named: Sequence[str]) -> tuple[str, ...]:
    groups, notes = asked.rows.groups(), []
    names = asked.rows.tensors
    for name in named:
        values = setting.knobs[name]
        if np.ndim(values) == 0:
            continue
        parts: dict[str, list[str]] = {}
        for place in np.ndindex(groups.shape):
            of = (names[int(groups[place])] or "all") if len(names) > 1 else f"coordinate {place[-1]}"
            value = exact(float(f"{float(values[place]):.6g}"))
            if of not in parts.setdefault(value, []):
                parts[value].append(of)
        said = "; ".join(f"{name}={value} for {_listed(where)}" for value, where in parts.items())
        notes.append(f"in groups: {said}")
    return tuple(notes)


def _listed(where: list[str]) -> str:
    return ", ".join(where) if len(where) <= 4 else f"{', '.join(where[:3])} and {len(where) - 3} more"


def _rate_of_a_form(asked: _Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Look for a rate over the steps that follows a form; the form has to give the record, and not only the rates."""
    for setting, rates in _rated(asked):
        for form in forms(rates, NEAR):
            for shape in (form.rounded(3), form.rounded(4), form.rounded(6), form):
                shaped = replace(setting, over_steps={**setting.over_steps, "lr": shape.values})
                if asked.explains(shaped):
                    yield shaped, (f"the rate follows a schedule, estimated: {shape.sentence}",)
                    return


def _any_rate(asked: _Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    for setting, rates in _rated(asked):
        if asked.rows.observed[0].size < 2:
            return
        low, high = (exact(float(f"{value:.3g}")) for value in (rates.min(), rates.max()))
        yield (
            setting,
            (f"the rate has a value of its own at each step, from {low} to {high}, which follows no known form",),
        )
        return


def _rated(asked: _Asked) -> Iterator[tuple[Setting, Array]]:
    """Yield settings in which a rate of its own at each step gives the record."""
    if "lr" not in asked.free or "lr" in asked.rows.schedules:
        return
    others = [name for name in asked.free if name != "lr"]
    part = asked.fitting.rows
    if not asked.enough(part.steps + len(others)) and part.observed[0].size < 2:
        return
    tried = [(_rated_by_step(asked, each), each) for each in _usual(asked)]
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
        good = None if fitted is None else _believed(asked, replace(fitted, start=None), others, part=True)
        if good is None:
            continue
        setting = _rated_to_the_end(asked, _short(asked, good, others, part=True))
        if asked.explains(setting):
            yield setting, np.asarray(setting.over_steps["lr"])
            return


def _rated_to_the_end(asked: _Asked, setting: Setting) -> Setting:
    """Find the rate at the steps beyond the part that was fitted by, and anew within it."""
    steps = asked.rows.steps
    rates = np.asarray(setting.over_steps["lr"])
    long = np.concatenate([rates, np.full(steps - len(rates), rates[-1])])
    whole = replace(asked, fitting=Fitting(Replay(asked.rows.part(steps, COORDINATES)), asked.rule.tree))
    for _ in range(4):
        if asked.explains(replace(setting, over_steps={**setting.over_steps, "lr": long})):
            break
        factors, _ = _rated_by_step(whole, replace(setting, over_steps={"lr": long}), weighed=True)
        long = np.where(np.isfinite(factors) & (factors > 0), long * factors, long)
    return replace(setting, over_steps={**setting.over_steps, "lr": long})


def _begun_before(asked: _Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
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
        at(begin)
    return min(tried, key=lambda begin: tried[begin][0])


def _carried(asked: _Asked, begin: int, states: Sequence[str]) -> Setting:
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


def _as_new(asked: _Asked, setting: Setting, states: Sequence[str]) -> bool:
    """Whether what was carried in is nothing: then the run did not begin before, and something else is wrong."""
    empty = replace(setting, states={name: np.zeros_like(setting.states[name]) for name in states})
    # Of runs that began before, no two coordinates carry the same; where all do, something else is wrong at the start.
    alike = all(np.ptp(setting.states[name]) <= 1e-3 * np.abs(setting.states[name]).max() for name in states)
    return (alike and setting.states[states[0]].size > 1) or asked.on_part(empty)


def _carried_by_all(asked: _Asked, setting: Setting, sought: Sequence[Unknown]) -> Setting | None:
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


def _said_of_begin(asked: _Asked, setting: Setting, best: int, reads_t: bool, states: Sequence[str]) -> str:
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


def _short(asked: _Asked, setting: Setting, names: Sequence[str] = (), *, part: bool = False) -> Setting:
    """Write each knob that was estimated with as few digits as still give the record: people choose round numbers."""
    fits = asked.on_part if part else asked.explains
    for name in names or asked.free:
        value = setting.knobs.get(name)
        if value is None or np.ndim(value) or name in setting.over_steps:
            continue
        default = asked.rule.knobs[name]
        near = [default, 0.0, *(_written(float(value), digits) for digits in range(1, 10))]
        for each in near:
            shorter = replace(setting, knobs={**setting.knobs, name: each})
            if fits(shorter):
                setting = shorter
                break
    return setting


def _written(value: float, digits: int) -> float:
    """Write a value with so many digits, or that many behind the point where it is near one."""
    return round(value, digits) if 0.5 < value < 1 else float(f"{value:.{digits}g}")
