"""A function that answers with the next gradient, whatever it is asked for, and notes where. It runs nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from mhat.subjects.conventions.layouts import shape_of
from mhat.subjects.conventions.proposals import entering, leaving


class Enough(BaseException):
    """Ends a run that has made all its steps; no `except Exception` of the subject's stops it."""


class Feed:
    """The gradients of a run, handed out as they are asked for.

    `each`: how often a step asks, `lead`: how often more the first one does. `answers`: what is given, "gradient",
    "value and gradient" or "gradient and value". Asked for a gradient beyond the last, it ends the run.
    """

    def __init__(self, gradients: Sequence[Any], start: Any, answers: str, each: int = 1, lead: int = 0) -> None:
        self.gradients, self.start, self.answers = gradients, start, answers
        self.each, self.lead = each, lead
        self.noted: list[Any] = []
        self.values = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.noted.append(leaving(self.place_in([*arguments, *named.values()])))
        step = self.step_of(len(self.noted) - 1)
        if step >= len(self.gradients):
            raise Enough
        gradient = entering(self.gradients[step])
        gradient = gradient if np.ndim(gradient) else gradient[()]
        if self.answers == "gradient":
            return gradient
        return (self.value(), gradient) if self.answers == "value and gradient" else (gradient, self.value())

    def value(self, *arguments: Any, **named: Any) -> float:
        """Give a value of the function that always falls, so that nobody thinks the run has converged."""
        self.values += 1
        return 1e6 / self.values

    def step_of(self, call: int) -> int:
        """Which step the call of a number belongs to, both from 0."""
        return max(0, (call - self.lead) // self.each)

    def place_in(self, arguments: Sequence[Any]) -> Any:
        """Choose among what was given to the gradient the one that is x: what has its shape."""
        fitting = [each for each in arguments if shape_of(each) == np.shape(self.start)]
        numbers = [each for each in arguments if shape_of(each) == ()]
        if not fitting and np.ndim(self.start) == 1 and len(numbers) == np.size(self.start) > 1:
            return np.array(numbers)  # grad(x[0], x[1])
        if not fitting:
            raise TypeError("the gradient was asked for at nothing of the shape of x")
        return fitting[0]

    @property
    def places(self) -> list[Any]:
        """Where each step asked first: the start, then x after every step."""
        first: dict[int, Any] = {}
        for call, place in enumerate(self.noted):
            first.setdefault(self.step_of(call), place)
        return [first[step] for step in sorted(first)]


def rhythm_of(noted: Sequence[Any]) -> tuple[int, int]:
    """Find out how often a step asks for its gradient, and how often more the first one does, by where it asked."""
    same = [np.array_equal(a, b, equal_nan=True) for a, b in itertools.pairwise(noted)]
    for each in (1, 2, 3):
        for lead in (0, 1):
            steps = [max(0, (call - lead) // each) for call in range(len(noted))]
            if [a == b for a, b in itertools.pairwise(steps)] == same:
                return each, lead
    return 1, 0
