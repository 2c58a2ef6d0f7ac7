"""The settings that both rules are run in: constant gradients of many sizes, noise, events, no gradient, a bowl.

It knows no rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mhat.explanations.consequences.effects import apart
from mhat.explanations.consequences.pairs import Course, Pair, Setting

STEADY = "constant:10"
SIZES = ("1e-8", "1e-6", "1e-4", "0.01", "1", "10", "100", "1e4")
EVENTS = (
    "normal", "alternating", "sparse", "spike:100,at=500", "shift:1,-1,at=500", "ramp", "exponential:0.99,100",
    "drift:0.1,1", "constant:-10",
)  # fmt: skip
STANDING = ("zeros", STEADY, "constant:0.01", "constant:-10", "normal")
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
