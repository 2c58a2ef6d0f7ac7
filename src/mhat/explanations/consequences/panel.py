"""The settings that both rules are run in: constant gradients of many sizes, noise, events, no gradient, a bowl.

It knows no rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mhat.explanations.consequences.effects import apart
from mhat.explanations.consequences.pairs import MOVED, Course, Pair, Setting, courses_of

Array = np.ndarray[Any, Any]
STEADY = "constant:10"
SIZES = ("1e-8", "1e-6", "1e-4", "0.01", "1", "10", "100", "1e4")
EVENTS = (
    "normal", "alternating", "sparse", "spike:100,at=500", "shift:1,-1,at=500", "ramp", "exponential:0.99,100",
    "drift:0.1,1", "constant:-10",
)  # fmt: skip
STANDING = ("zeros", STEADY, "constant:0.01", "constant:-10", "normal")
# Powers of ten between which the gradient of half a step is looked for, and how many are tried.
SMALL = (-14.0, 4.0, 181)
# What differs by less is not worth a sentence.
NOTED = 0.02
BOWL = "quadratic:1,dimensions=1"
# How many learning rates away from the bottom of the bowl it begins.
AWAY = 100.0


@dataclass(frozen=True, eq=False)
class Panel:
    """What both rules do in every setting."""

    pair: Pair

    @cached_property
    def _courses(self) -> dict[tuple[str, float], Course]:
        settings = [Setting(f"constant:{size}") for size in SIZES] + [Setting(stream) for stream in EVENTS]
        settings += [Setting(stream, 1.0) for stream in STANDING]
        return {(course.setting.stream, course.setting.start): course for course in self.pair.courses(settings)}

    def course(self, stream: str, start: float = 0.0) -> Course:
        """Give what both do on a stream."""
        return self._courses[stream, start]

    def half(self, which: str) -> float:
        """Give the constant gradient that makes half a step, where large ones make steps of one length.

        It is 0 where small ones make no shorter steps, and no number where it cannot be said.
        """
        logs = np.linspace(*SMALL)
        moves = self._steps(which, SMALL)
        if not np.isfinite(moves).all() or abs(moves[-20] / moves[-1] - 1.0) > 0.01:
            return math.nan
        below = np.nonzero(moves < moves[-1] / 2)[0]
        if np.any(np.diff(moves) < -1e-6 * moves[-1]):
            return math.nan
        if not len(below):
            return 0.0 if moves[0] > 0.99 * moves[-1] else math.nan
        i = int(below[-1])
        closer = (float(logs[i]), float(logs[i + 1]), 201)
        return float(10 ** np.interp(moves[-1] / 2, self._steps(which, closer), np.linspace(*closer)))

    def _steps(self, which: str, powers: tuple[float, float, int]) -> Array:
        """Give the length of the hundredth step under constant gradients of many sizes."""
        settings = [Setting(f"constant:{10**power:.9g}", 0.0, 100) for power in np.linspace(*powers)]
        rule = self.pair.measured[0 if which == "right" else 1]
        return np.array([abs(float(each[MOVED][-1])) for each in courses_of(rule, settings, self.pair.known)])

    @cached_property
    def bowl(self) -> Course:
        """What both do in a bowl of curvature one, from a hundred learning rates away."""
        (course,) = self.pair.courses([Setting(BOWL, AWAY * self.pair.lr, landscape=True)])
        return course

    @cached_property
    def ranked(self) -> list[tuple[float, Course]]:
        """The settings by how far the two part in them, the most telling first."""
        found = [(apart(course), course) for course in self._courses.values()]
        return sorted(found, key=lambda one: -one[0])


def moved_at(course: Course, which: str, step: int) -> float:
    """Give the step that one of the two takes at a step number."""
    # A number of NumPy's, which may be divided by zero.
    return np.float64((course.wrong if which == "wrong" else course.right)[MOVED][step - 1])
