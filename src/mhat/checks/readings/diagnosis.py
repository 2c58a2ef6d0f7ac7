"""A diagnosis by reading: the subject is read, its rule is held beside the reference, and the edits have their lines.

It knows no framework and no process: a subject that cannot be recorded is left to the search.
"""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mhat.checks.question import Question
from mhat.checks.readings.answers import SECONDS, Answer, Seen, answers
from mhat.checks.readings.points import NEAR
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError
from mhat.reading.reading import ROUNDED, Reading, read
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort

Places = tuple[tuple[str, int], ...]


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
        if verdict.diagnosis is None:
            return verdict
        places = tuple(self._places(seen) for seen in self.answers[0].seen)
        lines = tuple(_lines([place for each in places for place in each]))
        return replace(verdict, diagnosis=replace(verdict.diagnosis, places=places, lines=lines))

    def _places(self, seen: Sequence[Seen]) -> Places:
        found: dict[tuple[str, int], None] = {}
        for each in seen:
            place = getattr(each.node, "place", None)
            if place is not None:
                found[place.file, place.line] = None
            else:
                found.update(dict.fromkeys(self.reading.lines[each.line].places))
        return tuple(found)


def _lines(places: Sequence[tuple[str, int]]) -> list[tuple[int, str]]:
    """Give the lines of the user's own text among the places."""
    found = {}
    for place, number in places:
        text = linecache.getline(place, number).strip()
        if text:
            found[number] = text
    return sorted(found.items())


def by_reading(question: Question, effort: Effort, hidden: Sequence[str]) -> ReadOff | None:
    """Read a subject and find what was changed in the rule; None where that cannot be, or nothing is found."""
    subject = question.subject
    if question.recorded is not None or question.observe != "x" or subject.record is None:
        return None
    if subject.dtype not in NEAR:
        return None
    effort.begin(f"{question.rule.name}: its operations are read")
    try:
        reading = read(subject)
    except MhatError:
        return None
    if reading.rule is None or not reading.complete:
        return None
    near = NEAR["float32"] if ROUNDED in reading.notes else NEAR[subject.dtype]
    left = min(SECONDS, effort.seconds - effort.spent)
    found = answers(question, reading.rule.tree, hidden, near=near, seconds=left)
    return ReadOff(reading, found) if found else None
