"""What a convention proposes: one way to drive a thing, before it has been tried. It knows no convention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mhat.subjects.conventions.tensors import is_tensor
from mhat.subjects.conventions.texts import Words, Written, words_of
from mhat.subjects.sandbox import Guard
from mhat.subjects.spelling import Keywords, SpelledKnobs

# A course runs whole streams: gradients (T, *shape) and a start (*shape) for each tensor, knobs by our names; it
# gives a record (T, *shape) for each tensor.
Course = Callable[[list[Any], list[Any], Mapping[str, float]], list[Any]]
# A stepper is begun from starts and knobs, and then given the gradients of a step and its number from 1. It gives
# the parameters after it.
Stepper = Callable[[list[Any], int], Sequence[Any]]
Beginning = Callable[[list[Any], Mapping[str, float]], Stepper]


@dataclass(frozen=True)
class Asked:
    """What is to be driven, and what is known of it."""

    thing: Any
    name: str  # as the user typed it
    guard: Guard
    rule_knobs: Mapping[str, float] | None = None
    dtype: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    observe: str = "x"

    @property
    def written(self) -> Written:
        """The source text of the thing, as far as it is at hand."""
        return Written.of(self.thing)

    @cached_property
    def words(self) -> Words:
        """What its text asks of the objects that it is given."""
        return words_of(self.thing)


@dataclass(frozen=True)
class Proposal:
    """One way to drive a thing.

    `how` ends the sentence "driven ...". `tensors`: how many it must have. A proposal of more `confidence` is
    tried first; what works is taken.
    """

    convention: str
    how: str
    confidence: float
    course: Course
    keywords: Sequence[Keywords | SpelledKnobs] = ()
    together: bool = False
    tensors: int | None = None
    starts: bool = True
    forms: tuple[str, ...] = ()  # of several tensors: vectors, matrices or numbers; all if none is named
    called: tuple[str, ...] = ()  # the names of the tensors, where they have some
    reading: str = ""  # how it is read; two ways of one convention and reading are not told apart

    @property
    def knobs(self) -> frozenset[str]:
        """The knobs it takes, in our spelling."""
        return frozenset().union(*(_spelling(each).names for each in self.keywords))

    @property
    def defaults(self) -> dict[str, float]:
        """Their values if not told."""
        return {name: value for each in self.keywords for name, value in each.defaults.items()}


def _spelling(each: Keywords | SpelledKnobs) -> SpelledKnobs:
    return each.spelling if isinstance(each, Keywords) else each


def entering(value: Any) -> Any:
    """Give the array that is handed to a subject: a copy that it may change in place, of the kind that was given.

    Every number that goes into a subject driven by a convention passes here, and every one that comes out passes
    `leaving`.
    """
    return np.array(value, subok=True)


def leaving(value: Any) -> Any:
    """Give the array that a subject has come to: a copy, which what it does next leaves alone."""
    return np.array(value.detach() if is_tensor(value) else value, subok=True)


def stepped(begin: Beginning, enter: Callable[[Any], Any] = entering) -> Course:
    """Make a course of what goes step by step; `enter` makes what it is handed."""

    def course(gradients: list[Any], starts: list[Any], knobs: Mapping[str, float]) -> list[Any]:
        step = begin([enter(start) for start in starts], knobs)
        record: list[list[Any]] = [[] for _ in gradients]
        for i in range(len(gradients[0])):
            moved = step([None if g[i] is None else enter(g[i]) for g in gradients], i + 1)
            for kept, value in zip(record, moved, strict=True):
                kept.append(leaving(value))
        return [stacked(kept) for kept in record]

    return course


def stacked(kept: list[Any]) -> Any:
    """Make one array of the steps, if they have one shape; else whoever reads it says what is wrong."""
    return np.stack(kept) if len({np.shape(value) for value in kept}) == 1 else kept


def by_confidence(proposals: Iterator[Proposal] | Sequence[Proposal]) -> list[Proposal]:
    """Put those first that are likeliest."""
    return sorted(proposals, key=lambda proposal: -proposal.confidence)
