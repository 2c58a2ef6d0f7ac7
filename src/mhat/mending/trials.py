"""A changed text tried: does what it defines do what a rule does? It knows no edit and no way to change a text."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mhat import inquiry, meanings
from mhat.checks.conformance import climbing
from mhat.checks.gradients import ODD, STARTS, Setting, drive_once, tensors_of
from mhat.checks.question import Question
from mhat.errors import MhatError
from mhat.inquiry import Manner, Party
from mhat.language import Rule
from mhat.language.tree import Tree
from mhat.mending.copies import Copies
from mhat.mending.rule_texts import seen_in_rule
from mhat.mending.sight import Sight
from mhat.mending.texts import Text
from mhat.names import find_rule, find_subject, rule_if_one
from mhat.search.matching import RELATIVE, Matcher, loose_bound
from mhat.search.observed import Observed
from mhat.subjects.processes.workshop import Workshop

STEPS = 4
# Numbers of which no sum and no complement is another one: what is worth the same is the same.
KNOBS = {name: value * (1.0 + 0.0137 * (i + 1)) for i, (name, value) in enumerate(ODD.items())}
# A change that makes a loop without an end is no change to wait for: so long, or as long as the file took before.
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
    observe: str
    deadline: float
    tried: int = 0
    driven: tuple[Any, ...] = ()
    named_last: str = ""
    longest: float = LONGEST_RUN
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
        limit = self.manner.timeout if watched else min(self.manner.timeout or self.longest, self.longest)
        manner = replace(self.manner, timeout=limit)
        party = self.party_at(self.copies.holding(text.raw))
        self.named_last = str(party.named)
        held, options = inquiry.sorted_arguments([self.rule], self.keywords, self.mapping, manner, party)
        there = find_subject(
            party.named, against=self.rule, observe=manner.observe or ("x" if party.feed is None else ""),
            options=options, dtype=manner.dtype, feed=party.feed, read=party.read, limit=manner.timeout,
            convention=manner.convention, workshop=self.workshop, watched=watched,
        )  # fmt: skip
        seen = meanings.observation_of(there, [self.rule], manner, party, held)
        observe = next((what for _, what in seen.pairs if what == self.observe), seen.pairs[0][1])
        subject = climbing(seen.subject) if manner.maximize else seen.subject
        return Question(subject, self.rule, observe, held)

    def watched(self, text: Text) -> tuple[Sight, Observed] | None:
        """Run a few steps of a text and look at each of its expressions; None where that cannot be."""
        try:
            began = time.monotonic()
            question = self.question(text, watched=True)
            self.driven = self._manner_of(question)
            observed = self._few_steps(question)
            self.longest = max(LONGEST_RUN, time.monotonic() - began)
            seen = self.workshop.seen
            if self.party.feed is None and rule_if_one(self.named_last) is not None:
                seen = seen_in_rule(find_rule(self.named_last), text, observed.probes)
            return Sight(text, seen, RELATIVE[question.subject.dtype]), observed
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
            setting = Setting(start, KNOBS)
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
