"""The matrices that a subject is driven with: square, wide and tall, alone and beside others. It knows no rule by name.

A rule per matrix says nothing of vectors. Where a subject takes them, one is driven beside the matrices, and not looked
at: what is looked at is whether it disturbs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.gradients import ODD, STARTS, Setting, free_knobs
from mhat.dtypes import DTYPES
from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.explanations.runs import fits
from mhat.language import Rule
from mhat.search.matching import RELATIVE
from mhat.search.matrices import Layout, MatrixProbes, in_a_row
from mhat.search.observed import Observed
from mhat.subjects.beginnings import starts_of
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
SQUARE, WIDE, TALL = (3, 3), (2, 4), (4, 2)
# Tensors side by side, and what may stand between them.
BESIDE, VECTOR = ((3, 2), (2, 2), (2, 3)), (3,)
SEARCHED_STEPS, FRESH_STEPS, FURTHER_STEPS = 8, 14, 60
# A start beside which a step is small.
FAR = 100.0
# How much another knob is turned where nothing better is known.
TURNED = 1.25


@dataclass(frozen=True)
class Plan:
    """Runs on tensors of the same shapes: the setting of each, and its gradients (step, *shape) of each tensor."""

    shapes: tuple[Shape, ...]
    runs: tuple[tuple[Setting, tuple[Array, ...]], ...]


def plans(
    subject: Subject, rule: Rule, held: Mapping[str, float], steps: int, seed: int, sizes: float = 1.0
) -> list[Plan]:
    """Plan the runs on matrices that the rule can be run on: each shape twice, as it stands and with odd knobs."""
    made = []
    for number, shapes in enumerate(shapes_for(subject, rule)):
        rng = np.random.Generator(np.random.PCG64([seed, number, 913]))
        plain = tuple(designed(rng, shape, steps) for shape in shapes)
        sized = tuple(sizes * designed(rng, shape, steps) * 10.0 ** rng.uniform(-1, 1) for shape in shapes)
        special = odd_knobs(subject, rule, held)
        # From far away a decay shows, however small.
        start = (FAR if number == 0 else 1.0) if subject.starts else 0.0
        made.append(Plan(shapes, ((Setting(), plain), (Setting(start, special), sized))))
    return made


def shapes_for(subject: Subject, rule: Rule) -> list[tuple[Shape, ...]]:
    """Choose the shapes of the tensors that are driven together; at least the square ones fit a rule."""
    fitting = [shape for shape in (SQUARE, WIDE, TALL) if fits(rule, shape)] or [SQUARE]
    if subject.tensors:
        return [tuple((fitting * subject.tensors)[i : i + subject.tensors]) for i in range(len(fitting))]
    alone: list[tuple[Shape, ...]] = [(shape,) for shape in fitting]
    several = tuple(shape for shape in BESIDE if fits(rule, shape))
    if not subject.several or len(several) < 1:
        return alone
    together: tuple[Shape, ...] = several if len(several) > 1 else (*several, *several)
    return [*alone, (together[0], VECTOR, *together[1:]) if takes_vectors_beside(subject) else together]


def takes_vectors_beside(subject: Subject) -> bool:
    """Whether a subject can be driven with a vector beside matrices."""
    if subject.matrices:
        return False
    rng = np.random.Generator(np.random.PCG64(5))
    try:
        subject.run([designed(rng, shape, 2) for shape in ((2, 3), VECTOR)])
    except SubjectHangs:
        raise
    except SubjectError:
        return False
    return True


def designed(rng: np.random.Generator, shape: Shape, steps: int) -> Array:
    """Make gradients (step, *shape) with a drift, one of small integers, one of one row alone, and one large."""
    values = rng.normal(size=shape) + rng.normal(size=(steps, *shape))
    values[1 % steps] = rng.integers(-3, 4, size=shape)
    values[3 % steps, 1:] = 0.0
    values[5 % steps] *= 20.0
    return np.asarray(values)


def odd_knobs(subject: Subject, rule: Rule, held: Mapping[str, float]) -> dict[str, float]:
    """Choose odd values of the knobs that a subject takes: those that are known to tell much, else turned a little."""
    chosen = {}
    for name in free_knobs(subject, rule, held):
        plain = {**rule.knobs, **subject.defaults}[name]
        whole = plain >= 1 and float(plain).is_integer()
        chosen[name] = ODD.get(name, plain + 1 if whole else plain * TURNED if plain else 0.3)
    return chosen


def drive(
    subject: Subject, rule: Rule, held: Mapping[str, float], planned: Sequence[Plan], observe: str = "x"
) -> Observed:
    """Drive a subject with matrices. Raises SubjectError if it fails."""
    layouts, answers = [], []
    for plan in planned:
        runs = [_run(subject, rule, held, setting, streams, observe) for setting, streams in plan.runs]
        matrices = [k for k, shape in enumerate(plan.shapes) if len(shape) == 2]
        knobs: dict[str, Any] = {}
        for name in rule.knobs:
            own = [run.knobs[name] for run in runs]
            knobs[name] = own[0] if len(set(own)) == 1 else np.array(own)[:, None, None]
        layouts.append(
            Layout(
                tuple(np.stack([run.gradients[k] for run in runs]) for k in matrices),
                tuple(np.stack([run.starts[k] for run in runs]) for k in matrices),
                knobs, tuple(k + 1 for k in matrices), len(plan.shapes),
            )
        )  # fmt: skip
        answers.append([np.stack([run.values[k] for run in runs], axis=1) for k in matrices])
    return Observed(MatrixProbes.of(layouts, observe), in_a_row(answers))


@dataclass(frozen=True)
class Ran:
    """One run: what each tensor was given, where it began, what was seen, and the knobs."""

    gradients: list[Array]
    starts: list[Array]
    values: list[Array]
    knobs: dict[str, float]


def _run(
    subject: Subject, rule: Rule, held: Mapping[str, float], setting: Setting, streams: Sequence[Array], observe: str
) -> Ran:
    """Drive one run; of odd knobs those are left out that the subject cannot do."""
    try:
        return run_once(subject, rule, held, setting, streams, observe)
    except SubjectHangs:
        raise
    except SubjectError:
        if not setting.knobs:
            raise
    taken: dict[str, float] = {}
    for name in free_knobs(subject, rule, held):
        one = {name: setting.knobs[name]} if name in setting.knobs else {}
        try:
            run_once(subject, rule, held, Setting(setting.start, one), streams, observe)
        except SubjectHangs:
            raise
        except SubjectError:
            continue
        taken |= one
    return run_once(subject, rule, held, replace(setting, knobs=taken), streams, observe)


def run_once(
    subject: Subject, rule: Rule, held: Mapping[str, float], setting: Setting, streams: Sequence[Array],
    observe: str = "x",
) -> Ran:  # fmt: skip
    """Drive a subject with gradients (step, *shape) of each tensor, held within what its dtype can do."""
    low, high = DTYPES[subject.dtype].usual
    given = [np.where(g == 0, 0.0, np.sign(g) * np.clip(np.abs(g), low, high)) for g in streams]
    starts = [setting.start * np.resize(np.array(STARTS), g.shape[1:]) for g in given]
    known = {**rule.knobs, **subject.defaults, **held}
    known |= {name: value for name, value in setting.knobs.items() if name in free_knobs(subject, rule, held)}
    passed = {name: known[name] for name in known if name in subject.knobs}
    answer = subject.run(given, [0.0] * len(given) if subject.begins else starts, passed)
    if subject.begins and observe == "x":
        starts = list(starts_of(subject, [g.shape for g in given]))
    return Ran(given, starts, [np.asarray(part) for part in answer], {name: known[name] for name in rule.knobs})


def drive_long(subject: Subject, rule: Rule, held: Mapping[str, float], steps: int, observe: str = "x") -> Observed:
    """Drive a subject as it stands with one square matrix a tensor, whose gradients neither die nor grow."""
    rng = np.random.Generator(np.random.PCG64(57))
    shapes = ((2, 2) if fits(rule, (2, 2)) else SQUARE,) * (subject.tensors or 1)
    streams = tuple(0.5 + rng.normal(size=(steps, *shape)) for shape in shapes)
    return drive(subject, rule, held, [Plan(shapes, ((Setting(), streams),))], observe)


def first_steps(subject: Subject, rule: Rule, held: Mapping[str, float], gradients: Array) -> Array:
    """Give what each of some gradients (run, rows, columns) makes of x in a first step from zero."""
    shapes = (gradients.shape[1:],) * (subject.tensors or 1)
    runs = tuple((Setting(), (g[None],) * len(shapes)) for g in gradients)
    return drive(subject, rule, held, [Plan(shapes, runs)]).values


def looks_at_rows(subject: Subject) -> bool:
    """Whether a subject makes something else of a matrix than of the same numbers in one row."""
    rng = np.random.Generator(np.random.PCG64(19))
    matrix = designed(rng, (2, 3), 6)
    # As a matrix too: some leave vectors out of what they do to every other tensor.
    row = matrix.reshape(6, 1, 6)
    start = 1.0 if subject.starts else 0.0
    count = subject.tensors or 1
    try:
        apart = subject.run([matrix] * count, start)[0].reshape(6, 6)
    except SubjectHangs:
        raise
    except (SubjectError, BadValue):
        return False
    try:
        together = subject.run([row] * count, start)[0].reshape(6, 6)
    except SubjectHangs:
        raise
    except (SubjectError, BadValue):
        return True
    scale = np.max(np.abs(np.where(np.isfinite(together), together, 0.0)))
    return not np.allclose(apart, together, rtol=0.0, atol=RELATIVE[subject.dtype] * scale, equal_nan=True)
