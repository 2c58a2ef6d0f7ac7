"""What is looked at on which stream, and how a difference there is said. It knows no rule and no line.

A lesson is a number that is read from one run: the first step under a constant gradient, the typical step under noise.
It can be said as a whole sentence of two rules, one with and one without something.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from mhat.explanations.claims import Over, Run
from mhat.explanations.runs import fits
from mhat.language import Level, Rule

# What is smaller than this share of the largest number seen is no difference worth a sentence.
TELLING = 0.02
# A difference of this factor is telling enough for a lesson that suits the line.
CLEAR = 1.25
NOWHERE = 1e-4


@dataclass(frozen=True)
class Lesson:
    """What is read: `said` says both numbers, `{without}` and `{with}`; `beside` is a second stream to divide by."""

    name: str
    said: str
    stream: str
    steps: int
    step: int
    over: Over = ""
    variable: str = "update"
    start: float = 0.0

    @property
    def is_from(self) -> bool:
        """Whether it is said with a start first."""
        return self.said.startswith("starting")

    def run(self) -> Run:
        """Give the run that it is read from, of no rule yet."""
        return Run("", self.stream, self.steps, self.variable, self.step, {}, self.start, self.over)


NOISE, VECTOR, SPIKE = "normal:seed=1,size=200", "normal:seed=1,size=4", "spike:100,at=50"
# Matrices that a rule is tried on, the first that fits.
SIZES = ((3, 4), (4, 3), (4, 4), (1, 1))
BOTH = "{without} instead of {with}"
ALL = (
    Lesson("first", f"the first step is {BOTH}", "constant:1", 100, 1),
    Lesson("late", f"step 100 under a constant gradient is {BOTH}", "constant:1", 100, 100),
    Lesson("tenfold", f"under a constant gradient of 10 step 100 is {BOTH}", "constant:10", 100, 100),
    Lesson("noise", f"the typical step under normal noise, steps 101 to 200, is {BOTH}", NOISE, 200, 101, "rms"),
    Lesson("longest", f"the longest step under normal noise, steps 101 to 200, is {BOTH}", NOISE, 200, 101, "largest"),
    Lesson(
        "turning", f"under a gradient that turns round at every step, a step is {BOTH}", "alternating", 200, 101, "rms"
    ),
    Lesson("spike", f"a gradient of 100 among ones makes a step of {BOTH}", SPIKE, 100, 50),
    Lesson(
        "after", f"the fifty steps after a gradient of 100 among ones are on average {BOTH}", SPIKE, 100, 51, "mean"
    ),
    Lesson("between", f"five steps after a lone gradient x still moves by {BOTH}", "sparse:10", 100, 95),
    Lesson(
        "rest",
        f"starting from x = 1, with no gradient for 100 steps, x comes to {BOTH}",
        "zeros",
        100,
        100,
        "",
        "x",
        1.0,
    ),
)
EARLY = (
    Lesson("second", f"the second step under a constant gradient is {BOTH}", "constant:1", 100, 2),
    Lesson("turned", f"the second step, where the gradient has turned round, is {BOTH}", "alternating", 200, 2),
)
# What is lost a little at every step shows late.
LATE_REST = Lesson(
    "late rest",
    f"starting from x = 1, with no gradient for 10000 steps, x comes to {BOTH}",
    "zeros",
    10000,
    10000,
    "",
    "x",
    1.0,
)
# One number for a tensor tells something where the tensor has several coordinates, and x is somewhere.
OF_TENSORS = (
    Lesson(
        "noise",
        f"the typical step of four coordinates under normal noise is {BOTH}",
        VECTOR,
        200,
        101,
        "rms",
        "update",
        1.0,
    ),
    Lesson(
        "longest",
        f"the longest step of four coordinates under normal noise is {BOTH}",
        VECTOR,
        200,
        101,
        "largest",
        "update",
        1.0,
    ),
    *(
        replace(each, said=f"starting from x = 1, {each.said}", start=1.0)
        for each in ALL
        if each.stream not in (NOISE, "sparse:10", "zeros")
    ),
    ALL[-1],
)
# What suits the kind of a line, the most telling first.
SUITING = {
    "average": ("noise", "longest", "turning", "after", "spike", "between"),
    "sum": ("late", "noise", "between"),
    "correction": ("first",),
    "ratio": ("tenfold", "spike"),
    "maximum": ("after", "spike", "noise"),
    "sign": ("tenfold", "spike", "noise"),
    "clip": ("spike", "longest", "first"),
    "choice": ("first", "longest", "noise"),
    "factor": ("noise", "tenfold", "first"),
    "schedule": ("first", "late", "noise"),
    "mix": ("turning", "noise", "spike"),
    "ahead": ("turning", "noise", "first"),
    "difference": ("turning", "noise"),
    "memory": ("turning", "noise"),
    "decay": ("rest", "late rest"),
    "root": ("tenfold", "spike"),
}


def size_of(rule: Rule) -> tuple[int, int] | None:
    """Give the size of the matrices that a rule is tried on; None where it fits none of them."""
    return next((size for size in SIZES if fits(rule, size)), None)


@lru_cache(maxsize=64)
def lessons_of(rule: Rule) -> tuple[Lesson, ...]:
    """Give the lessons that a rule of this level can be asked; none where it fits no tensor that is tried."""
    if rule.level == Level.MATRIX:
        size = size_of(rule)
        return () if size is None else _of_matrices("x".join(map(str, size)))
    return OF_TENSORS if rule.level == Level.TENSOR else ALL


def early(rule: Rule) -> tuple[Lesson, ...]:
    """Give the lessons of the first steps, which are asked where no other shows anything."""
    return EARLY if rule.level == Level.COORDINATE else ()


def _of_matrices(size: str) -> tuple[Lesson, ...]:
    """Matrices: only noise is of full rank."""
    stream = f"normal:seed=1,size={size}"
    return (
        Lesson("noise", f"the typical step of a {size} matrix under normal noise is {BOTH}", stream, 60, 31, "rms"),
        Lesson("longest", f"the longest step of a coordinate of a {size} matrix is {BOTH}", stream, 60, 31, "largest"),
        Lesson("first", f"the first step of a {size} matrix under normal noise is {BOTH}", stream, 60, 1),
    )


def change(before: float, after: float, scale: float) -> float:
    """Give how much a number has changed, as the logarithm of a factor; what is next to nothing counts as nothing.

    >>> round(change(1.0, 2.0, 1.0), 3), change(1.0, 1.0, 1.0), change(1.0, float("nan"), 1.0)
    (0.693, 0.0, inf)
    """
    if math.isnan(before) and math.isnan(after):
        return 0.0
    if not (math.isfinite(before) and math.isfinite(after)):
        return 0.0 if before == after else math.inf
    least = NOWHERE * scale
    sizes = [max(abs(value), least) for value in (before, after)]
    if not all(sizes):
        return 0.0
    turned = before * after < 0.0 and min(abs(before), abs(after)) > least
    return abs(math.log(sizes[1] / sizes[0])) + (math.log(CLEAR) if turned else 0.0)
