"""What a check answers: frozen data with a stable JSON form, which shows itself. It knows no terminal and no subject.

Verdict     conforms, dialect, knobs, and what was found out: laws, deviation, diagnosis
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mhat.checks import reasons, story
from mhat.checks.findings import Course, Deviation, Diagnosis, Fix, LawFinding
from mhat.explanations.claims import Claim
from mhat.language import Rule
from mhat.notation import strict_json
from mhat.writing.html import html_of
from mhat.writing.passages import Diff, Headline, Paragraph, Passage
from mhat.writing.plain import page_of

__all__ = ["Course", "Deviation", "Diagnosis", "Fix", "LawFinding", "Verdict", "as_dict"]
SCHEMA = 1


@dataclass(frozen=True, repr=False)
class Verdict:
    """The answer of a check.

    `knobs` are those the rule was run with, `estimated` those of them that were found out and not told.
    `dialect` names a documented other form that the subject follows. `finished`: the search for the mistake went to
    its end, or was not needed. `notes` are findings besides. `why`: what becomes of the mistake, or what it means to
    conform, once that was asked for. `fix`: the change of the user's file that makes it conform, once that was asked
    for; None where there is nothing to mend. `reference` is the rule it was judged by.
    """

    subject: str
    against: str
    paper: str
    conforms: bool
    observe: str = "x"
    dtype: str = "float64"
    dialect: str | None = None
    knobs: dict[str, float] = field(default_factory=dict)
    estimated: dict[str, float] = field(default_factory=dict)
    laws: tuple[LawFinding, ...] = ()
    deviation: Deviation | None = None
    diagnosis: Diagnosis | None = None
    nearest: Diagnosis | None = None
    finished: bool = True
    notes: tuple[str, ...] = ()
    why: tuple[Claim, ...] | None = None
    fix: Fix | None = None
    reference: Rule | None = field(default=None, compare=False)
    # What was meant by the file that was named, and of a script what was fed and read: to ask the same again.
    meant: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def explained(self) -> Verdict:
        """Say why, too: from the mistake to its consequence, or which laws hold for what conforms."""
        if self.reference is None:
            return replace(self, why=())
        if self.conforms:
            return replace(self, why=reasons.of_conforming(self.reference, self.knobs))
        return replace(self, why=() if self.diagnosis is None else reasons.of_mistake(self.reference, self.diagnosis))

    @property
    def broken(self) -> tuple[LawFinding, ...]:
        """The laws that do not hold."""
        return tuple(law for law in self.laws if not law.holds)

    @property
    def story(self) -> tuple[Passage, ...]:
        """What is to be said about it, in order: the answer first, then the diff, then what shows it."""
        passages = self._conforming() if self.conforms else self._deviating()
        why = () if self.why is None else story.of_why(self.why, conforms=self.conforms)
        notes = (Paragraph(f"note: {note}", "quiet") for note in self.notes)
        return (*passages, *why, *notes, *(() if self.fix is None else story.of_fix(self.fix)))

    def _conforming(self) -> Iterator[Passage]:
        told = f" with {story.knobs_text(self.estimated)}" if self.estimated else ""
        yield Headline(f"{self.subject} conforms to {self._rule}{told}", good=True)
        if self.dialect is not None:
            yield Paragraph(f"in its dialect: {self.dialect}", "good")
            if self.diagnosis is not None:
                yield Diff(story.shown_lines(self.diagnosis), quiet=True)

    def _deviating(self) -> Iterator[Passage]:
        step = "" if self.deviation is None else f" from step {self.deviation.step} on"
        known = "that mhat knows" if self.finished else "that was tried"
        # A law can be broken where the steps are right: by a tensor that has no gradient for a while.
        only_laws = self.diagnosis is None and self.deviation is None and bool(self.broken)
        end = f", and no mistake {known} explains it" if self.diagnosis is None and not only_laws else ":"
        yield Headline(f"{self.subject} deviates from {self._rule}{step}{end}", good=False)
        if self.diagnosis is not None:
            yield from story.of_diagnosis(self.diagnosis, self.estimated)
        if self.deviation is not None:
            yield from story.of_deviation(self.deviation, self.observe, self.subject, self.against)
        yield from story.of_laws(self.broken)
        if self.diagnosis is not None:
            yield from story.of_alternatives(self.diagnosis)
        elif not only_laws:
            yield from story.of_nothing_found(self.nearest, finished=self.finished)

    @property
    def _rule(self) -> str:
        return f"{self.against} ({self.paper})" if self.paper else self.against

    def to_json(self) -> str:
        """Write the verdict as JSON: the keys are the fields; non-finite numbers are the strings nan, inf, -inf."""
        return strict_json.text_of(as_dict(self), indent=2)

    def __str__(self) -> str:
        return page_of(self.story)

    def __repr__(self) -> str:
        dialect = " in a dialect" if self.dialect is not None else ""
        answer = f"conforms to {self.against}{dialect}" if self.conforms else f"deviates from {self.against}"
        return f"<Verdict: {self.subject} {answer}>"

    def _repr_html_(self) -> str:
        return html_of(self.story)


def as_dict(verdict: Verdict) -> dict[str, Any]:
    """Give a verdict as plain dictionaries and lists."""
    return {
        "schema": SCHEMA,
        "subject": verdict.subject,
        "against": verdict.against,
        "paper": verdict.paper,
        "conforms": verdict.conforms,
        "observe": verdict.observe,
        "dtype": verdict.dtype,
        "dialect": verdict.dialect,
        "knobs": verdict.knobs,
        "estimated": verdict.estimated,
        "laws": [vars(law) for law in verdict.laws],
        "deviation": None if verdict.deviation is None else asdict(verdict.deviation),
        "diagnosis": None if verdict.diagnosis is None else _diagnosis(verdict.diagnosis),
        "nearest": None if verdict.nearest is None else _diagnosis(verdict.nearest),
        "finished": verdict.finished,
        "notes": list(verdict.notes),
        "fix": None if verdict.fix is None else _fix(verdict.fix),
        "why": None if verdict.why is None else [claim.as_dict() for claim in verdict.why],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "file": fix.file,
        "diff": fix.diff or None,
        "reason": fix.reason or None,
        "tried": fix.tried,
        "kept": fix.kept or None,
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "against": diagnosis.against,
        "edits": [{"sentence": edit.sentence, "operator": edit.operator} for edit in diagnosis.edits],
        "knobs": diagnosis.knobs,
        "diff": diagnosis.diff,
        "lines": [list(line) for line in diagnosis.lines],
        "places": [[list(place) for place in each] for each in diagnosis.places],
        "others": [_diagnosis(other) for other in diagnosis.others],
    }
