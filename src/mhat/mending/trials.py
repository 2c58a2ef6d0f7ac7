"""A changed text tried: does what it defines do what a rule does? It knows no edit and no way to change a text."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mhat import inquiry
from mhat.checks.gradients import ODD, STARTS, Setting, drive_once, tensors_of
from mhat.checks.question import Question
from mhat.errors import MhatError
from mhat.inquiry import Manner, Party
from mhat.language import Rule
from mhat.language.tree import Tree
from mhat.mending.copies import Copies
from mhat.mending.sight import Sight
from mhat.mending.texts import Text
from mhat.search.matching import RELATIVE, Matcher, loose_bound
from mhat.search.observed import Observed
from mhat.subjects.processes.workshop import Workshop

STEPS = 4
# A change that makes a loop without an end is no change to wait for.
LONGEST_RUN = 5.0


@dataclass
class Trials:
    """The place where texts of one file are tried, one after the other."""

    party: Party
    name: str  # what is named in the file
    rule: Rule
    manner: Manner
    keywords: Mapping[str, Any]
    mapping: Mapping[str, Any] | None
    copies: Copies
    deadline: float
    tried: int = 0
    driven: tuple[Any, ...] = ()
    workshop: Workshop = field(default_factory=Workshop)

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline

    def party_at(self, path: Path) -> Party:
        """Name the same in a copy of the file."""
        return replace(self.party, named=f"{path}:{self.name}" if self.name else str(path))

    def question(self, text: Text, *, watched: bool = False) -> Question:
        """Put the question about a text; raises what finding it raises."""
        manner = replace(self.manner, timeout=min(self.manner.timeout or LONGEST_RUN, LONGEST_RUN))
        party = self.party_at(self.copies.holding(text.raw))
        return inquiry.asked(
            party, self.rule, manner, self.keywords, self.mapping, self.workshop, watched=watched
        )  # fmt: skip

    def watched(self, text: Text) -> tuple[Sight, Observed] | None:
        """Run a few steps of a text and look at each of its expressions; None where that cannot be."""
        try:
            question = self.question(text, watched=True)
            self.driven = self._manner_of(question)
            observed = self._few_steps(question)
            return Sight(text, self.workshop.seen, RELATIVE[question.subject.dtype]), observed
        except (MhatError, KeyError, SyntaxError):
            return None

    @staticmethod
    def _manner_of(question: Question) -> tuple[Any, ...]:
        """Say how a subject is driven."""
        subject = question.subject
        return subject.knobs, subject.several, subject.vectors, subject.starts, subject.tensors, subject.notes

    def _few_steps(self, question: Question) -> Observed:
        subject = question.subject
        rng = np.random.Generator(np.random.PCG64(11))
        gradients = rng.normal(size=(STEPS, tensors_of(subject), 2 if subject.vectors else 1))
        start = np.resize(np.array(STARTS), gradients.shape[1:]) if subject.starts else 0.0
        try:
            setting = Setting(start, ODD)
            return drive_once(subject, question.rule, question.held, gradients, setting, observe=question.observe)
        except MhatError:
            setting = Setting(start)
            return drive_once(subject, question.rule, question.held, gradients, setting, observe=question.observe)

    def does(self, text: Text, tree: Tree, knobs: Mapping[str, float], *, driven_alike: bool) -> bool:
        """Whether a text does what a rule does, on the streams of a check; and is driven as it was, if that is asked.

        What is added to x may be taken for the new x, or the other way round, and then conforms by that alone.
        """
        self.tried += 1
        try:
            question = self.question(text)
            if driven_alike and self._manner_of(question) != self.driven:
                return False
            few = self._few_steps(question)
            if Matcher(few, 30 * loose_bound(few, question.subject.dtype)).agreed(tree, knobs) < STEPS:
                return False
            return question.matcher.agreed(tree, knobs) == question.matcher.steps and question.confirms(tree, knobs)
        except MhatError:
            return False

    def end(self) -> None:
        """End the process, and remove the copies."""
        self.workshop.end()
        self.copies.remove()
