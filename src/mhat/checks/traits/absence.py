"""What a subject does with a tensor that has no gradient for a while. It sees subjects only.

The subject is held against itself: a tensor whose gradient is missing is to stay where it is, and to go on later as if
the steps in between had not been, its count included. So it is for rules that treat each tensor by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.findings import LawFinding
from mhat.checks.gradients import fresh, tensors_of
from mhat.checks.question import Question
from mhat.checks.verdict import Verdict
from mhat.dtypes import DTYPES
from mhat.errors import SubjectError, SubjectHangs
from mhat.language.inference import Level, reductions_over_all
from mhat.subjects.missing import marked

Array = np.ndarray[Any, Any]
NAME = "missing gradient"
INTUITION = "A tensor without a gradient stays where it is, and its averages and its count wait for the next one."
CANNOT = "a gradient that is missing (None) it does not take: {}"
OTHERWISE = "where a gradient is missing (None), its tensor does not wait: {}"
STEPS, SEED, COORDINATES = 12, 31, 4
# At which steps, from 0, the gradient of each tensor is missing.
ABSENT = ((), (2, 3, 7), (0, 1, 5, 10))


def with_absence(verdict: Verdict, question: Question) -> Verdict:
    """Add to the verdict on a subject that conforms what it does where gradients are missing.

    In a framework, where that is part of what an optimizer promises, it deviates if tensors do not wait; somebody's own
    code is told so in a note.
    """
    subject, tree = question.subject, question.rule.tree
    if not subject.missing or question.observe != "x" or {"k", "n"} & set(tree.inputs) or reductions_over_all(tree):
        return verdict
    if subject.tensors is None and not subject.several:
        return verdict
    knobs = {**subject.defaults, **question.held}
    try:
        shown = _does_not_wait(question, {name: value for name, value in knobs.items() if name in subject.knobs})
    except SubjectHangs:
        raise
    except SubjectError as error:
        if subject.missing != "promised":
            # Nobody said that it would, and no user of it misses it.
            return verdict
        said = error.what.partition("` ")[2]
        return replace(verdict, notes=(*verdict.notes, CANNOT.format(said)))
    if shown is None:
        return verdict
    if subject.missing != "promised":
        return replace(verdict, notes=(*verdict.notes, OTHERWISE.format(shown)))
    law = LawFinding(NAME, False, INTUITION, shown)
    return replace(verdict, conforms=False, dialect=None, diagnosis=None, laws=(*verdict.laws, law))


def _does_not_wait(question: Question, knobs: Mapping[str, float]) -> str | None:
    """Say where a tensor does not do what it does without the steps that it misses; None if all wait."""
    subject = question.subject
    count = max(2, tensors_of(subject)) if subject.tensors is None else subject.tensors
    streams = fresh(STEPS, SEED, count, COORDINATES)
    streams = np.sign(streams) * np.clip(np.abs(streams), 0.1, 10.0)
    # Rules per matrix are asked with matrices, subjects that take nothing else too.
    shape = (2, COORDINATES // 2) if subject.matrices or question.rule.level == Level.MATRIX else (COORDINATES,)

    def ran(gradients: list[Array]) -> list[Array]:
        answered = subject.run([g.reshape(len(g), *shape) for g in gradients], start, knobs)
        return [each.reshape(len(each), COORDINATES) for each in answered]

    absent = [ABSENT[min(k, len(ABSENT) - 1)] for k in range(count)]
    start = 0.5 if subject.starts else 0.0
    with_gaps = ran([marked(streams[:, k], absent[k]) for k in range(count)])
    scale = 4096.0 * DTYPES[subject.dtype].epsilon
    for k in range(count):
        present = [step for step in range(STEPS) if step not in absent[k]]
        alone = ran([streams[present, k]] * count)[k]
        waiting = np.cumsum(np.isin(np.arange(STEPS), present)) - 1
        expected = np.where(waiting[:, None] < 0, start, alone[waiting])
        apart = np.abs(with_gaps[k] - expected) > scale * np.maximum(np.abs(expected), np.max(np.abs(alone - start)))
        if apart.any():
            step, i = (int(n) for n in np.argwhere(apart)[0])
            listed = ", ".join("None" if n in absent[k] else f"{streams[n, k, i]:.4g}" for n in range(step + 1))
            got, wanted = float(with_gaps[k][step, i]), float(expected[step, i])
            return f"tensor {k + 1} is at {got:.6g} where {wanted:.6g} is expected, after the gradients [{listed}]"
    return None
