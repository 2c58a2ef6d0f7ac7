"""A diagnosis by reading: the subject is read, its rule is held beside the reference, and the edits have their lines.

It knows no framework and no process: a subject that cannot be recorded is left to the search.
"""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mhat.checks.diagnosis import tensor_of
from mhat.checks.findings import Diagnosis
from mhat.checks.question import Question
from mhat.checks.readings.answers import SECONDS, Answer, Seen, answers, nearness
from mhat.checks.readings.points import NEAR
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError
from mhat.language.inference import Level
from mhat.reading.reading import ROUNDED, Reading, read
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort

Places = tuple[tuple[str, int], ...]
# How many rules are walked when it is asked which one it is.
RULES = 4


@dataclass(frozen=True)
class ReadOff:
    """What was found by reading: the answers, the simplest first, and the reading."""

    reading: Reading
    answers: Sequence[Answer]

    @property
    def candidates(self) -> list[Candidate]:
        """The rules with their edits."""
        return [answer.candidate for answer in self.answers]

    def placed(self, verdict: Verdict) -> Verdict:
        """Say in a verdict where each edit stands in the user's code."""
        return replace(verdict, diagnosis=None if verdict.diagnosis is None else self.on(verdict.diagnosis))

    def on(self, diagnosis: Diagnosis) -> Diagnosis:
        """Say in the diagnosis of the first answer where each edit stands."""
        if tensor_of(diagnosis.edits):
            # What was read has the places of the first tensor: the text is asked for those of another.
            return diagnosis
        places = tuple(self._places(seen) for seen in self.answers[0].seen)
        lines = tuple(lines_at([place for each in places for place in each]))
        return replace(diagnosis, places=places, lines=lines)

    def _places(self, seen: Sequence[Seen]) -> Places:
        found: dict[tuple[str, int], None] = {}
        for each in seen:
            place = getattr(each.node, "place", None)
            if place is not None:
                found[place.file, place.line] = None
            else:
                found.update(dict.fromkeys(self.reading.lines[each.line].places))
        return tuple(found)


def lines_at(places: Sequence[tuple[str, int]]) -> list[tuple[int, str]]:
    """Give the lines of text at places, each once."""
    found = {}
    for place, number in places:
        text = linecache.getline(place, number).strip()
        if text:
            found[number] = text
    return sorted(found.items())


def by_reading(question: Question, effort: Effort, hidden: Sequence[str]) -> ReadOff | None:
    """Read a subject and find what was changed in the rule; None where that cannot be, or nothing is found."""
    # What is read is laid beside the rule coordinate by coordinate.
    reading = None if question.rule.level == Level.MATRIX else _read(question, effort)
    if reading is None or reading.rule is None:
        return None
    left = min(SECONDS, effort.seconds - effort.spent)
    found = _answers(question, reading, hidden, left)
    return ReadOff(reading, found) if found else None


def nearest_by_reading(questions: Sequence[Question], effort: Effort) -> tuple[Question, ReadOff] | None:
    """Read a subject, and find which rule it is nearest to and what was changed there; None where nothing is found."""
    reading = None if questions[0].rule.level == Level.MATRIX else _read(questions[0], effort)
    if reading is None or reading.rule is None:
        return None
    tree, near = reading.rule.tree, _near(questions[0], reading)
    ranked = sorted(questions, key=lambda question: nearness(question, tree, question.hidden, near))
    best: tuple[Question, ReadOff] | None = None
    for question in ranked[:RULES]:
        most = best[1].answers[0].weight - 1 if best else None
        if most == 0 or effort.late():
            break
        effort.begin(f"{question.rule.name} beside what was read")
        found = _answers(question, reading, question.hidden, SECONDS / 2)
        if found and (most is None or found[0].weight <= most):
            best = question, ReadOff(reading, found)
    return best


def _answers(question: Question, reading: Reading, hidden: Sequence[str], seconds: float) -> list[Answer]:
    """Find the answers; none where numbers of what was read cannot be computed with: the search is asked then."""
    assert reading.rule is not None
    try:
        return answers(question, reading.rule.tree, hidden, near=_near(question, reading), seconds=seconds)
    except (ArithmeticError, RecursionError):
        return []


def _read(question: Question, effort: Effort) -> Reading | None:
    """Read the subject of a question, where that says anything about it."""
    subject = question.subject
    seen = question.recorded is None and question.observe == "x" and subject.record is not None
    if not seen or subject.dtype not in NEAR:
        return None
    effort.begin("its operations are read")
    try:
        reading = read(subject)
    except MhatError:
        return None
    return reading if reading.complete else None


def _near(question: Question, reading: Reading) -> float:
    """Say how exactly its numbers were read."""
    return NEAR["float32"] if ROUNDED in reading.notes else NEAR[question.subject.dtype]
