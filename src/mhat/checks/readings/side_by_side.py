"""Two subjects read, and their pseudo code held against each other: the second as the first with edits.

It knows no rule of the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mhat.checks.diagnosis import diagnosis_of
from mhat.checks.findings import Diagnosis
from mhat.checks.question import Question
from mhat.checks.readings.answers import answers
from mhat.checks.readings.diagnosis import Places, ReadOff, lines_at
from mhat.checks.readings.points import NEAR
from mhat.errors import MhatError
from mhat.mistakes.slots import RESULT, Edit
from mhat.reading.reading import Reading, read
from mhat.subjects.subject import Subject


@dataclass(frozen=True)
class Difference:
    """What makes the first subject do what the second does: the edits of its pseudo code, and the lines in both."""

    diagnosis: Diagnosis  # its places are those of the second
    places: tuple[Places, ...]  # those of the first, for each edit

    @property
    def first_lines(self) -> tuple[tuple[int, str], ...]:
        """The lines of the first that differ."""
        return tuple(lines_at([place for each in self.places for place in each]))


def difference(first: Subject, second: Subject, held: Mapping[str, float]) -> Difference | None:
    """Read both, and find the least edits of the first that make the second; None where that cannot be."""
    if first.record is None or second.record is None or not {first.dtype, second.dtype} <= NEAR.keys():
        return None
    try:
        ours, theirs = read(first), read(second)
        if ours.rule is None or theirs.rule is None or not (ours.complete and theirs.complete):
            return None
        rule = ours.rule
        question = Question(second, rule, "x", {name: held[name] for name in held if name in rule.knobs})
        near = max(NEAR[first.dtype], NEAR[second.dtype])
        found = answers(question, theirs.rule.tree, (), near=near)
    except MhatError:
        return None
    if not found:
        return None
    diagnosis = ReadOff(theirs, found).on(diagnosis_of(question, found[0].candidate))
    return Difference(diagnosis, tuple(_places(ours, edit) for edit in diagnosis.edits))


def _places(reading: Reading, edit: Edit) -> Places:
    """Give the places of the lines that an edit changes."""
    lines = [len(reading.lines) - 1 if slot == RESULT else int(slot[1]) for slot in edit.slots
             if slot == RESULT or slot[0] == "line"]  # fmt: skip
    return tuple(dict.fromkeys(place for line in sorted(lines) for place in reading.lines[line].places))
