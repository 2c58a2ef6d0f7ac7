"""The laws that a subject keeps or breaks, asked of it from outside. It names no mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mhat.checks.question import Question
from mhat.checks.verdict import LawFinding
from mhat.laws import hold
from mhat.subjects.subject import Subject


def findings(question: Question, knobs: Mapping[str, float]) -> tuple[LawFinding, ...]:
    """Ask the subject for every law that the rule obeys; only where parameters are seen can they be asked."""
    if question.observe != "x":
        return ()
    subject, rule = question.subject, question.rule
    known = {**rule.knobs, **subject.defaults, **question.held, **knobs}
    found = hold(
        subject.run if subject.tensors is None else _filled_up(subject, subject.tensors),
        rule,
        knobs={name: known[name] for name in rule.knobs},
        accepts=subject.knobs,
        free=subject.knobs - set(question.held),
        several=subject.several,
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
        for law in found
    )


def _filled_up(subject: Subject, count: int) -> Callable[..., Any]:
    """Let a subject that drives a fixed number of tensors be asked about fewer: the last one is repeated in front."""

    def run(gradients: Any, start: Any = 0.0, knobs: Mapping[str, float] | None = None) -> Any:
        given = list(gradients) if isinstance(gradients, list | tuple) else [gradients]
        starts = list(start) if isinstance(start, list | tuple) else [start] * len(given)
        missing = max(count - len(given), 0)
        filled = [given[-1]] * missing + given
        answered = subject.run(filled[:count], ([starts[-1]] * missing + starts)[:count], knobs)
        return answered[missing:] if isinstance(gradients, list | tuple) else answered[-1]

    return run
