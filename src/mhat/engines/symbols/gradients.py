"""The gradients that closed forms are asked under. It knows no rule, and streams by their names and arguments alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mhat.engines.symbols.conversions import FIRST, PI
from mhat.language.algebra import ONE
from mhat.language.tree import Expression, Name, Number, Operation

T = Name("t")
EARLIER = Operation("sub", (T, ONE))


@dataclass(frozen=True)
class Course:
    """How gradients go: `gradient` is that of step `t`, over `parameters`, each with what it is where none is given.

    `recipe`: what the parameters are called in the stream of that name.
    """

    name: str
    gradient: Expression
    parameters: Mapping[str, float]
    stream: str
    recipe: Mapping[str, str]


def _times(*factors: Expression) -> Expression:
    first, *rest = factors
    for factor in rest:
        first = Operation("mul", (first, factor))
    return first


_SINE = Operation("sin", (_times(Number(2.0), Name(PI), Operation("div", (EARLIER, Name("period")))),))
_MINUS = Operation("neg", (ONE,))

COURSES = {
    course.name: course
    for course in (
        Course("constant", Name("g"), {"g": 1.0}, "constant", {"value": "g"}),
        Course(
            "ramp", Operation("add", (Name("initial"), _times(Name("slope"), EARLIER))),
            {"initial": 1.0, "slope": 1.0}, "ramp", {"slope": "slope", "start": "initial"},
        ),
        Course(
            "geometric", _times(Name("g"), Operation("pow", (Name("growth"), EARLIER))), {"g": 1.0, "growth": 1.1},
            "exponential", {"ratio": "growth", "start": "g"},
        ),
        Course("alternating", _times(Name("g"), Operation("pow", (_MINUS, EARLIER))), {"g": 1.0}, "alternating",
               {"value": "g"}),
        Course("impulse", _times(Name("g"), Name(FIRST)), {"g": 1.0}, "spike", {"size": "g"}),
        Course("sine", _times(Name("g"), _SINE), {"g": 1.0, "period": 20.0}, "sine",
               {"amplitude": "g", "period": "period"}),
    )
}  # fmt: skip


def course_of(stream: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, float]] | None:
    """Give the course that a stream of a name and arguments takes, and its parameters; None for other streams.

    >>> course_of("ramp", {"slope": 2, "start": 0, "steps": 5})
    ('ramp', {'slope': 2.0, 'initial': 0.0})
    """
    if stream == "zeros":
        return "constant", {"g": 0.0}
    if stream == "spike":
        at_first = arguments.get("at", 50) == 1 and arguments.get("base", 1.0) == 0
        return ("impulse", {"g": float(arguments.get("size", 100.0))}) if at_first else None
    for course in COURSES.values():
        if course.stream == stream:
            known = {course.recipe[name]: float(value) for name, value in arguments.items() if name in course.recipe}
            return course.name, known
    return None
