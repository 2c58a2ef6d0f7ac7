"""The laws that a subject keeps or breaks, asked of it from outside. It names no mistake."""

from __future__ import annotations

from collections.abc import Mapping

from mhat.checks.settings import Question
from mhat.checks.verdict import LawFinding


def findings(question: Question, knobs: Mapping[str, float]) -> tuple[LawFinding, ...]:
    """Ask the subject for every law that the rule obeys."""
    return ()
