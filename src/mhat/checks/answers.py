"""What is answered to a question, once it is known what is followed or what was changed. It searches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mhat.checks.acceptance import in_dialect, why_refused
from mhat.checks.deviation import first_deviation
from mhat.checks.diagnosis import diagnosis_of
from mhat.checks.findings import Diagnosis, LawFinding
from mhat.checks.lawfulness import findings
from mhat.checks.matrices.orthogonals import Meaning
from mhat.checks.question import Question
from mhat.checks.traits.blanks import BLANK, is_blank, told_apart
from mhat.checks.verdict import Verdict
from mhat.language import Rule
from mhat.mistakes.dialects import Dialect
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort


class Conforming(NamedTuple):
    """What is followed: the forms that a subject speaks, the rule in that form, its hidden knobs, and what to note.

    `meaning`: what `orthogonal` means to it, where that is not what the rule says.
    """

    spoken: tuple[Dialect, ...]
    rule: Rule
    estimated: dict[str, float]
    notes: tuple[str, ...] = ()
    meaning: Meaning | None = None


def verdict_of(question: Question, estimated: Mapping[str, float], conforms: bool) -> Verdict:
    """Begin a verdict: what was asked, and the knobs as they are known."""
    known = {**question.rule.knobs, **question.subject.defaults, **question.held, **estimated}
    return Verdict(
        subject=question.subject.name,
        against=question.rule.name,
        paper=question.rule.paper,
        conforms=conforms,
        observe=question.observe,
        dtype=question.subject.dtype,
        knobs={name: known[name] for name in question.rule.knobs},
        estimated={name: estimated[name] for name in question.rule.knobs if name in estimated},
        reference=question.rule,
        notes=question.subject.notes,
    )


def following(question: Question, followed: Conforming) -> Verdict:
    """Say that the rule is followed, and in which form."""
    spoken, meant, estimated, notes, _ = followed
    verdict = verdict_of(question, estimated, conforms=True)
    verdict = replace(verdict, notes=(*verdict.notes, *notes))
    if not spoken:
        return verdict
    dialect = "; ".join(f"{each.name} ({each.reference})" for each in spoken)
    return replace(
        verdict, dialect=dialect, diagnosis=diagnosis_of(question, Candidate(meant.tree, (), estimated), spoken)
    )


def not_accepted(question: Question, followed: Conforming, effort: Effort) -> Verdict:
    """Say that a documented form is followed which is not accepted as the rule."""
    spoken, form, estimated, *_ = followed
    verdict = deviating(question, [in_dialect(form, spoken, estimated)], Candidate(question.rule.tree, ()), effort)
    return replace(verdict, notes=(*verdict.notes, why_refused(question.rule, (spoken, form), question.dialects)))


def deviating(
    question: Question, candidates: Sequence[Candidate], nearest: Candidate, effort: Effort,
    notes: tuple[str, ...] = (), laws_of: Question | None = None,
) -> Verdict:  # fmt: skip
    """Say what was changed, or what comes nearest; `notes` stand where nothing was found.

    `laws_of`: a question about the same subject of which the laws are to be asked.
    """
    blank = is_blank(question)
    if blank:
        candidates = told_apart(question, candidates)
    answers = [diagnosis_of(question, candidate) for candidate in candidates[:4]]
    diagnosis = replace(answers[0], others=_others(answers)) if answers else None
    estimated: Mapping[str, float] = candidates[0].knobs if answers else {}
    undone = () if answers else effort.shortcomings
    effort.begin(f"{question.rule.name}: the smallest gradients that show it, and the laws")
    asked = findings(laws_of or question, estimated)
    return replace(
        verdict_of(question, estimated, conforms=False),
        laws=_told_once(asked) if blank else asked,
        deviation=first_deviation(question, estimated, None if diagnosis is None else diagnosis.rule.tree),
        diagnosis=diagnosis,
        nearest=diagnosis_of(question, nearest) if nearest.edits and not answers else None,
        finished=not undone,
        notes=question.subject.notes + ((BLANK,) if blank else ()) + (() if answers else notes + undone),
    )


def _told_once(laws: Sequence[LawFinding]) -> tuple[LawFinding, ...]:
    """Keep the first law that is broken: NaN keeps none, and each says the same of it."""
    broken = [law for law in laws if not law.holds]
    return tuple(law for law in laws if law.holds or law is broken[0])


def _others(answers: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Keep other answers that are as simple as the first and read differently."""
    first = answers[0]
    return tuple(
        other
        for other in answers[1:]
        if len(other.edits) == len(first.edits) and len(other.knobs) <= len(first.knobs) and other.diff != first.diff
    )
