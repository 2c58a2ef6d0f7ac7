"""The smallest matrices that show a difference: few rows, few steps, small integers. It names no mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.findings import Course, Deviation, Matrices, Matrix
from mhat.checks.gradients import ODD, STARTS, Setting, free_knobs
from mhat.checks.matrices import oracle
from mhat.checks.matrices.gradients import FAR, Plan, Shape, drive
from mhat.checks.matrices.oracle import Way
from mhat.checks.matrices.orthogonals import has_orthogonal, in_few_digits
from mhat.checks.question import Question
from mhat.dtypes import DTYPES
from mhat.errors import SubjectError
from mhat.explanations.runs import fits
from mhat.language.tree import Tree
from mhat.laws.forms import Form
from mhat.search.matching import update_scale
from mhat.search.matrices import MatrixEvaluator, MatrixProbes, Sheet
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
Knobs = Mapping[str, float]
# From the smallest on, so many steps of each; all sequences of one shape and length are driven in one go.
SMALL: tuple[tuple[Shape, int], ...] = (
    ((1, 1), 1), ((1, 2), 1), ((2, 1), 1), ((2, 2), 1), ((1, 1), 2), ((1, 2), 2), ((2, 1), 2), ((2, 2), 2),
    ((2, 3), 1), ((3, 2), 1), ((1, 1), 3), ((2, 2), 3), ((2, 3), 2), ((3, 2), 2), ((2, 2), 6), ((2, 3), 4), ((3, 2), 4),
    ((2, 2), 12),
)  # fmt: skip
# A difference of this share of the update can be seen in four digits.
VISIBLE = 2e-3
FOLLOWED = 40
# Beside this what guards against dividing by zero is large.
TINY = 1e-6
# How many of the sequences of one size are held against the oracle.
TRIED = 3


def _sizes(setting: Setting) -> tuple[tuple[Shape, int], ...]:
    """Give the shapes and lengths to try: from far away few, for what shows there shows at once."""
    return SMALL[:8] if setting.start == FAR else SMALL


def first_deviation(question: Question, knobs: Knobs, named: Tree | None = None) -> Deviation | None:
    """Find the smallest of simple matrices that show a difference; else the designed ones that do."""
    for setting in _settings(question):
        for shape, steps in _sizes(setting):
            shown = _shown_by(question, knobs, shape, steps, setting)
            if shown is not None:
                return _continued(question, shown, knobs, named)
    for shape, steps in SMALL[:4]:
        shown = _shown_by(question, knobs, shape, steps, Setting(), TINY)
        if shown is not None:
            return _continued(question, shown, knobs, named)
    for observed in (question.searched, question.fresh):
        found = _first_in(question, observed, knobs)
        if found is not None:
            return found
    return None


def _settings(question: Question) -> Iterator[Setting]:
    """Yield the settings to try, the plainest first: from 0, from 1, with knobs on that are off, with odd knobs."""
    yield Setting()
    start = 1.0 if question.subject.starts else 0.0
    if start:
        yield from (Setting(start), Setting(FAR))
    plain = {**question.rule.knobs, **question.subject.defaults}
    free = [name for name in free_knobs(question.subject, question.rule, question.held) if name in ODD]
    on = {name: ODD[name] for name in free if plain[name] == 0}
    if on:
        yield Setting(start, on)
    if len(on) < len(free):
        yield Setting(start, {name: ODD[name] for name in free})


def sequences(shape: Shape, steps: int) -> list[Array]:
    """Give gradients (step, *shape) of a length, the simplest first."""
    rows, columns = shape
    counted = np.arange(1.0, rows * columns + 1).reshape(shape)
    diagonal = np.eye(rows, columns) * np.arange(1.0, columns + 1)
    signed = counted * np.where(np.add.outer(np.arange(rows), np.arange(columns)) % 2, -1.0, 1.0)
    corner = np.zeros(shape)
    corner[0, -1] = 2.0
    simple = [np.ones(shape), diagonal, counted, signed, corner]
    simple = list({value.tobytes(): value for value in simple}.values())
    if steps == 1:
        return [value[None] for value in [*simple, -counted, 10 * counted]]
    zero = np.zeros(shape)
    if steps == 2:
        pairs = [(a, b) for a in simple[:4] for b in [a, zero, *simple[:4], -a]]
        return [np.stack(pair) for pair in pairs]
    turns = [[a, *[b] * (steps - 1)] for a in simple[:4] for b in (a, zero, *simple[:4])]
    return [np.stack(turn) for turn in turns] + [
        np.stack([simple[(i * step) % len(simple)] * (1 - 2 * (step % 3 == 2)) for step in range(steps)])
        for i in (1, 2, 3)
    ]


def _shown_by(
    question: Question, knobs: Knobs, shape: Shape, steps: int, setting: Setting, size: float = 1.0
) -> Deviation | None:
    """Find the first of the sequences of a shape and length that shows a difference which can be seen."""
    if not fits(question.rule, shape):
        return None
    count = question.subject.tensors or 1
    runs = tuple((setting, (size * sequence,) * count) for sequence in sequences(shape, steps))
    try:
        observed = _driven(question, Plan((shape,) * count, runs))
    except SubjectError:
        return None
    probes = observed.probes
    assert isinstance(probes, MatrixProbes)
    made = MatrixEvaluator(probes).run(question.rule.tree, knobs)
    with np.errstate(all="ignore"):
        share = probes.pooled(np.abs(observed.values - made)) / _moved(probes, made)
    visible = ~(share < VISIBLE) & ~((observed.values == made) | (np.isnan(observed.values) & np.isnan(made)))
    steps_of = [(_first(visible[:, 0, 0, sheet.begin : sheet.end]), i) for i, sheet in enumerate(probes.sheets)]
    for _, i in sorted(each for each in steps_of if each[0] < steps)[:TRIED]:
        # Only what is likely to show something is held against many digits.
        alone, lanes = probes.alone(probes.sheets[i])
        found = _first_in(question, Observed(alone, observed.values[..., lanes]), knobs, VISIBLE)
        if found is not None:
            return found
    return None


def _first(visible: Array) -> int:
    hits = np.flatnonzero(visible.any(axis=-1))
    return int(hits[0]) if hits.size else len(visible)


def _moved(probes: MatrixProbes, values: Array) -> Array:
    """Give how far the matrices have moved so far, the farthest entry of each."""
    return probes.pooled(update_scale(values - probes.base, np.zeros_like(probes.base)))


def _driven(question: Question, plan: Plan) -> Observed:
    return drive(question.subject, question.rule, question.held, [plan], question.observe)


def _first_in(question: Question, observed: Observed, knobs: Knobs, least: float = 0.0) -> Deviation | None:
    """Find the matrix that shows a difference soonest, of at least some share of how far it moved."""
    probes = observed.probes
    assert isinstance(probes, MatrixProbes)
    exact = oracle.expected(question.rule, probes, knobs)
    limit = oracle.bound(question.rule, probes, knobs, exact, question.subject.dtype, _ways(question))
    with np.errstate(all="ignore"):
        apart = np.abs(observed.values - exact)
        alike = (apart <= limit) | (np.isnan(observed.values) & np.isnan(exact)) | (observed.values == exact)
        share = apart / _moved(probes, exact)
    differs = ~(alike | np.isinf(limit)) & ~(share < least)
    soonest = [(_first(differs[:, 0, 0, sheet.begin : sheet.end]), i) for i, sheet in enumerate(probes.sheets)]
    step, i = min(soonest)
    return None if step == len(exact) else _deviation(question, observed, exact, probes.sheets[i], step, knobs)


def _ways(question: Question) -> list[Way]:
    """List the ways in which the rule may be computed; in few digits, where the subject does so."""
    ways = list(oracle.ways_of(question.rule))
    if has_orthogonal(question.rule) and question.computed != question.subject.dtype:
        form = Form(question.rule)
        ways += [Way(form, {"orthogonal": way}) for way in in_few_digits(question.computed)]
    return ways


def _deviation(
    question: Question, observed: Observed, exact: Array, sheet: Sheet, step: int, knobs: Knobs
) -> Deviation:
    """Say what one matrix shows at a step (from 0), and which of its entries shows it most."""
    probes = observed.probes
    assert isinstance(probes, MatrixProbes)
    layout = probes.layouts[sheet.layout]
    lane = (slice(step + 1), 0, 0, slice(sheet.begin, sheet.end))
    base = np.ravel(probes.base[0, 0])[sheet.begin : sheet.end]
    gradients = layout.gradients[sheet.tensor][sheet.probe, : step + 1].reshape(step + 1, -1)
    got, wanted = observed.values[lane], exact[lane]
    with np.errstate(all="ignore"):
        apart = np.abs(got[-1] - wanted[-1])
        entry = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        scale = float(np.max(np.abs(np.where(np.isfinite(wanted), wanted - base, 0.0))))
    own = {**layout.own_knobs(sheet.probe), **knobs}
    unit, rate = _unit(question, own)
    moved, right = _in_unit(got, base, rate), _in_unit(wanted, base, rate)
    start = np.ravel(layout.starts[sheet.tensor][sheet.probe])
    plain = {**question.rule.knobs, **question.subject.defaults, **question.held}
    return Deviation(
        step + 1,
        _ulps(float(apart[entry]), scale, question.subject.dtype),
        tuple(gradients[:, entry].tolist()),
        tuple(moved[:, entry].tolist()),
        tuple(right[:, entry].tolist()),
        unit,
        layout.numbers[sheet.tensor],
        float(start[entry]),
        {name: value for name, value in own.items() if value != plain[name] and name not in knobs},
        matrices=Matrices(
            gradients=sheets(gradients, sheet.shape),
            got=sheets(moved, sheet.shape),
            expected=sheets(right, sheet.shape),
            start=sheets(start[None], sheet.shape)[0],
            row=entry // sheet.shape[1] + 1,
            column=entry % sheet.shape[1] + 1,
        ),
    )


def _ulps(apart: float, scale: float, dtype: str) -> float:
    from_zero = scale > 0 and np.isfinite(apart)
    return apart / (DTYPES[dtype].epsilon * scale) if from_zero else float("inf")


def sheets(rows: Array, shape: tuple[int, int]) -> tuple[Matrix, ...]:
    """Write entries in rows (step, entry) as matrices."""
    return tuple(tuple(map(tuple, row.reshape(shape).tolist())) for row in rows)


def _unit(question: Question, knobs: Knobs) -> tuple[str, float | None]:
    """Give the unit of what is said and how many of x it is; None for what is said as it was observed."""
    if question.observe != "x":
        return "", None
    rate = knobs.get("lr", 0.0)
    return ("learning rates", rate) if rate else ("steps downhill", 1.0)


def _in_unit(values: Array, base: Array, rate: float | None) -> Array:
    """Express parameters (step, entry) as steps downhill in a unit."""
    if rate is None:
        return values
    with np.errstate(all="ignore"):
        # Adding zero makes a plain zero of a negative one.
        return np.asarray(-np.diff(values, axis=0, prepend=base[None]) / rate + 0.0)


def _continued(question: Question, shown: Deviation, knobs: Knobs, named: Tree | None) -> Deviation:
    """Follow the entry that shows it on, the last gradient repeated."""
    assert shown.matrices is not None
    first = np.array(shown.matrices.gradients)
    gradients = np.concatenate([first, np.repeat(first[-1:], FOLLOWED - len(first), axis=0)])
    count = question.subject.tensors or 1
    start = float(shown.matrices.start[0][0] / STARTS[0])
    plan = Plan((gradients.shape[1:],) * count, ((Setting(start, shown.knobs), (gradients,) * count),))
    try:
        observed = _driven(question, plan)
    except SubjectError:
        return shown
    probes = observed.probes
    assert isinstance(probes, MatrixProbes)
    exact = oracle.expected(question.rule, probes, knobs)
    entry = (shown.matrices.row - 1) * gradients.shape[2] + shown.matrices.column - 1
    base = np.ravel(probes.base[0, 0])[entry : entry + 1]
    _, rate = _unit(question, {**probes.layouts[0].own_knobs(0), **knobs})

    def lane(values: Array) -> tuple[float, ...]:
        return tuple(_in_unit(values[:, 0, 0, entry : entry + 1], base, rate)[:, 0].tolist())

    followed = None if named is None else lane(MatrixEvaluator(probes).run(named, knobs))
    course = Course(
        tuple(gradients[:, shown.matrices.row - 1, shown.matrices.column - 1].tolist()),
        lane(observed.values), lane(exact), followed,
    )  # fmt: skip
    again = np.allclose(course.got[: shown.step], shown.got, rtol=1e-6, atol=0, equal_nan=True)
    return replace(shown, course=course) if again else shown
