"""The first difference, the smallest gradients that show it, and how it goes on. It names no mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from mhat.checks.findings import Course, Deviation
from mhat.checks.gradients import ODD, Setting, drive_once, free_knobs, tensors_of
from mhat.checks.matrices import deviation as matrices
from mhat.checks.oracle import bound, expected, in_ulps
from mhat.checks.question import Question
from mhat.errors import SubjectError
from mhat.language.inference import Level
from mhat.language.tree import Tree
from mhat.printers import python
from mhat.search.evaluator import Evaluator
from mhat.search.matching import update_scale
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
Knobs = Mapping[str, float]
LONGEST = 8
# A difference of this share of the update can be seen in four digits.
VISIBLE = 2e-3
# How many sequences are tried each by itself, where coordinates turn out to influence each other.
ALONE = 40
# For how many steps subject and rule are followed.
STEPS = 100


def sequences() -> Iterator[tuple[float, ...]]:
    """Yield short gradient sequences, the simplest first."""
    yield from ((value,) for value in (1.0, -1.0, 10.0, 0.0, 1e-3, 1e-6, 1e-8))
    for length in (2, 3):
        values = (1.0, 0.0, -1.0, 2.0) if length == 2 else (1.0, 0.0, -1.0)
        yield from (tuple(s) for s in product(values, repeat=length))
    for length in range(4, LONGEST + 1):
        yield (1.0,) * length
        yield (*(1.0,) * (length - 1), 0.0)
        yield (*(0.0,) * (length - 1), 1.0)
    yield from ((1e-8,) * 2, (1e-3,) * 2, (100.0, 1.0), (1.0, 100.0), (1.0, 1e-8))


def first_deviation(question: Question, knobs: Knobs, named: Tree | None = None) -> Deviation | None:
    """Find the shortest of the simple sequences that shows a difference; else the designed one that does.

    `named`: the rule of the diagnosis, to be followed beside the subject and its rule. Of a record, which cannot be
    driven, it is the first difference in it.
    """
    if question.rule.level == Level.MATRIX:
        return matrices.first_deviation(question, knobs, named)
    if question.recorded is not None:
        return deviation_in(question, question.fresh, knobs, named, to_the_end=True)
    simple = list(dict.fromkeys(sequences()))
    for setting in _settings(question):
        shown = _by_sequences(question, knobs, simple, setting)
        if shown is not None:
            return _continued(question, shown, knobs, named)
    for observed in (question.searched, question.fresh):
        shown = deviation_in(question, observed, knobs)
        if shown is not None:
            return _continued(question, shown, knobs, named)
    return None


def _settings(question: Question) -> Iterator[Setting]:
    """Yield the settings to try, the plainest first: from 0, from 1, with knobs on that are off, with odd knobs."""
    yield Setting()
    start = 1.0 if question.subject.starts else 0.0
    if start:
        yield Setting(start)
    plain = {**question.rule.knobs, **question.subject.defaults}
    free = [name for name in free_knobs(question.subject, question.rule, question.held) if name in ODD]
    on = {name: ODD[name] for name in free if plain[name] == 0}
    if on:
        yield Setting(start, on)
    if len(on) < len(free):
        yield Setting(start, {name: ODD[name] for name in free})


def _by_sequences(
    question: Question, knobs: Knobs, many: Sequence[tuple[float, ...]], setting: Setting
) -> Deviation | None:
    """Find the best of many sequences, driven side by side as the coordinates of one tensor, then by itself."""
    together = _shortest(question, knobs, many, setting)
    if together is None:
        return None
    for sequence in (together.gradients, *many[:ALONE]):
        alone = _shortest(question, knobs, [sequence], setting)
        if alone is not None:
            return alone
    return replace(together, beside=len(many) - 1)


def _shortest(
    question: Question, knobs: Knobs, many: Sequence[tuple[float, ...]], setting: Setting
) -> Deviation | None:
    gradients = np.zeros((max(map(len, many)), tensors_of(question.subject), len(many)))
    for i, sequence in enumerate(many):
        gradients[: len(sequence), :, i] = np.array(sequence)[:, None]
    observed = drive_once(question.subject, question.rule, question.held, gradients, setting, observe=question.observe)
    exact = expected(question.rule, observed.probes, knobs)
    limit = bound(question.rule, observed.probes, knobs, exact, question.subject.dtype)
    differs, share = _differences(observed.values, exact, limit, observed.probes.base)
    best: tuple[float, tuple[int, int, int, int]] | None = None
    for i, sequence in enumerate(many):
        for tensor in range(gradients.shape[1]):
            hits = np.flatnonzero(differs[: len(sequence), 0, tensor, i])
            if not hits.size:
                continue
            visible = share[hits[0], 0, tensor, i] >= VISIBLE
            rank = (hits[0] + 1) + (0 if visible else 2.5) + 0.01 * i
            if best is None or rank < best[0]:
                best = (rank, (int(hits[0]), 0, tensor, i))
    return None if best is None else _deviation(question, observed, exact, best[1], knobs)


def deviation_in(
    question: Question, observed: Observed, knobs: Knobs, named: Tree | None = None, *, to_the_end: bool = False
) -> Deviation | None:
    """Find the first difference in what was observed; None if there is none.

    `to_the_end`: its course is what was observed of the same coordinate; `named` is followed beside it.
    """
    exact = expected(question.rule, observed.probes, knobs)
    limit = bound(question.rule, observed.probes, knobs, exact, question.subject.dtype) + observed.slack
    differs, _ = _differences(observed.values, exact, limit, observed.probes.base)
    if not differs.any():
        return None
    at = tuple(int(n) for n in np.argwhere(differs)[0])
    deviation = _deviation(question, observed, exact, at, knobs)  # type: ignore[arg-type]
    if not to_the_end:
        return deviation
    if np.any(observed.slack):
        # Where x starts is not known.
        deviation = replace(deviation, start=0.0)
    _, probe, tensor, i = at
    course = _course(question, observed, exact, (probe, tensor, i), knobs, named)
    return replace(deviation, course=replace(course, repeated=False))


def _differences(values: Array, exact: Array, limit: Array, base: Array) -> tuple[Array, Array]:
    """Tell where values differ beyond the bound, and by what share of the update."""
    with np.errstate(all="ignore"):
        apart = np.abs(values - exact)
        alike = (apart <= limit) | (np.isnan(values) & np.isnan(exact)) | (values == exact) | np.isinf(limit)
        share = apart / update_scale(exact, base)
    return ~alike, np.where(np.isfinite(share), share, np.inf)


def _deviation(
    question: Question, observed: Observed, exact: Array, at: tuple[int, int, int, int], knobs: Knobs
) -> Deviation:
    """Say what lies at (step, probe, tensor, coordinate)."""
    step, probe, tensor, i = at
    lane = (slice(step + 1), probe, tensor, i)
    base = float(np.broadcast_to(observed.probes.base, observed.values.shape[1:])[probe, tensor, i])
    got, wanted = _seen(observed)[lane], exact[lane]
    scale = float(np.max(np.abs(np.where(np.isfinite(wanted), wanted, 0.0) - base)))
    with np.errstate(all="ignore"):
        ulps = in_ulps(float(np.abs(got[-1] - wanted[-1])), scale, question.subject.dtype)
    own = _knobs_of(observed, probe)
    plain = {**question.rule.knobs, **question.subject.defaults, **question.held}
    unit, rate = _unit(question, {**own, **knobs})
    return Deviation(
        step + 1,
        ulps,
        tuple(observed.probes.gradients[probe, : step + 1, tensor, i].tolist()),
        _in_unit(got, base, rate),
        _in_unit(wanted, base, rate),
        unit,
        tensor + 1,
        float(observed.probes.start[probe, tensor, i]),
        {name: value for name, value in own.items() if value != plain[name] and name not in knobs},
        called=question.subject.called[tensor] if len(question.subject.called) > tensor else "",
    )


def _seen(observed: Observed) -> Array:
    """Give what was observed, NaN where anything would do."""
    return np.where(np.isinf(observed.slack), np.nan, observed.values)


def _knobs_of(observed: Observed, probe: int) -> dict[str, float]:
    knobs = observed.probes.knobs
    return {name: float(np.ravel(value)[probe if np.size(value) > 1 else 0]) for name, value in knobs.items()}


def _unit(question: Question, knobs: Knobs) -> tuple[str, float | None]:
    """Give the unit of what is said and how many of x it is; None for what is said as it was observed."""
    if question.observe != "x":
        return "", None
    rate = knobs.get("lr", 0.0)
    return ("learning rates", rate) if rate else ("steps downhill", 1.0)


def _in_unit(values: Array, base: float, rate: float | None) -> tuple[float, ...]:
    """Express parameters as steps downhill in a unit."""
    if rate is not None:
        with np.errstate(all="ignore"):
            # Adding zero makes a plain zero of a negative one.
            values = -np.diff(values, prepend=base) / rate + 0.0
    return tuple(values.tolist())


def _continued(question: Question, shown: Deviation, knobs: Knobs, named: Tree | None) -> Deviation:
    """Follow subject and rule on from a deviation, its last gradient repeated, if it shows without company."""
    if shown.beside:
        return shown
    gradients = np.array([*shown.gradients, *[shown.gradients[-1]] * (STEPS - shown.step)])
    stream = np.repeat(gradients[:, None, None], tensors_of(question.subject), axis=1)
    setting = Setting(shown.start, shown.knobs)
    try:
        observed = drive_once(question.subject, question.rule, question.held, stream, setting, observe=question.observe)
    except SubjectError:
        return shown
    exact = expected(question.rule, observed.probes, knobs)
    course = _course(question, observed, exact, (0, shown.tensor - 1, 0), knobs, named)
    again = np.allclose(course.got[: shown.step], shown.got, rtol=1e-6, atol=0, equal_nan=True)
    return replace(shown, course=course) if again else shown


def _course(
    question: Question, observed: Observed, exact: Array, lane: tuple[int, int, int], knobs: Knobs, named: Tree | None
) -> Course:
    """Follow one coordinate (probe, tensor, coordinate) through all that was observed."""
    probe, tensor, i = lane
    base = float(np.broadcast_to(observed.probes.base, observed.values.shape[1:])[lane])
    _, rate = _unit(question, {**_knobs_of(observed, probe), **knobs})
    followed = None if named is None else _followed(observed, lane, knobs, named, rate)
    return Course(
        tuple(observed.probes.gradients[probe, :, tensor, i].tolist()),
        _in_unit(_seen(observed)[:, probe, tensor, i], base, rate),
        _in_unit(exact[:, probe, tensor, i], base, rate),
        followed,
    )


def _followed(
    observed: Observed, lane: tuple[int, int, int], knobs: Knobs, named: Tree, rate: float | None
) -> tuple[float, ...]:
    """Follow the rule of the diagnosis; by its ratio if it has one, since what is far smaller than x is lost in x."""
    if rate is None:
        return tuple(Evaluator(observed.probes).run(named, knobs)[:, *lane].tolist())
    has_ratio = "ratio" in named.variables and python.expression_text(named.result) == "x - lr * ratio"
    made = Evaluator(replace(observed.probes, observe="ratio" if has_ratio else "update")).run(named, knobs)
    # A parameter that is lost stays lost, whatever the ratio becomes.
    lost = np.isnan(Evaluator(observed.probes).run(named, knobs))
    made = np.where(lost, np.nan, made if has_ratio else -made / rate + 0.0)
    return tuple(made[:, *lane].tolist())
