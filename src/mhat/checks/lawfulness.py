"""The laws that a subject keeps or breaks, asked of it from outside. It names no mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mhat.checks.findings import LawFinding
from mhat.checks.question import Question
from mhat.laws import hold
from mhat.subjects.subject import Subject


def findings(question: Question, knobs: Mapping[str, float]) -> tuple[LawFinding, ...]:
    """Ask the subject for every law that the rule obeys; only where parameters are seen, from 0 on, can they be."""
    if question.observe != "x" or question.recorded is not None or question.subject.begins:
        return ()
    subject, rule = question.subject, question.rule
    in_force = {**rule.knobs, **subject.defaults, **question.held, **knobs}
    asked = hold(
        subject.run if subject.tensors is None else _filled_up(subject, subject.tensors),
        rule,
        knobs={name: in_force[name] for name in rule.knobs},
        dtype=_arithmetic(question),
        accepts=subject.knobs,
        free=subject.knobs - set(question.held),
        # Laws about several ask about two at least.
        several=subject.several and subject.tensors != 1,
        starts=subject.starts,
        vectors=subject.vectors,
    )
    return tuple(
        LawFinding(
            law.name,
            law.holds,
            law.intuition,
            None if law.counterexample is None else law.counterexample.sentence,
        )
        for law in asked
    )


def _arithmetic(question: Question) -> str:
    """Give the dtype in which a subject computes; one that answers in doubles may be seen to compute in float32."""
    if question.subject.dtype != "float64":
        return question.subject.dtype
    answers = question.searched.values
    with np.errstate(all="ignore"):
        single = answers.astype(np.float32)
    return "float32" if np.array_equal(single, answers, equal_nan=True) else "float64"


def _filled_up(subject: Subject, count: int) -> Callable[..., Any]:
    """Let a subject that drives a fixed number of tensors be asked about fewer: the last one is repeated in front."""

    def run(gradients: Any, start: Any = 0.0, knobs: Mapping[str, float] | None = None) -> Any:
        tensors = list(gradients) if isinstance(gradients, list | tuple) else [gradients]
        starts = list(start) if isinstance(start, list | tuple) else [start] * len(tensors)
        missing = max(count - len(tensors), 0)
        filled = [tensors[-1]] * missing + tensors
        answered = subject.run(filled[:count], ([starts[-1]] * missing + starts)[:count], knobs)
        return answered[missing:] if isinstance(gradients, list | tuple) else answered[-1]

    return run
