"""What is said of one course beside another, and the numbers it is said with. It knows no rule by name.

Effect       a sentence that its own numbers confirm, what kind of consequence it is, and how telling
of_course    what becomes of the steps on one stream
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.explanations.claims import Comparison, Evidence, Run, four_digits
from mhat.explanations.consequences.factors import expression_text
from mhat.explanations.consequences.formulas import elsewhere, formula_of
from mhat.explanations.consequences.pairs import MOVED, Course, Pair, Setting
from mhat.explanations.consequences.shapes import ALIKE, Shape, shape_of
from mhat.explanations.consequences.speech import as_long, listed, stream_of, times

Array = np.ndarray[Any, Any]
SHOWN = (1, 2, 10, 100, 1000)
# Courses that part by less than this share of a typical step are not worth a sentence.
NOTED = 1e-2
HEAD = ("step", "as it is", "as it should be")


@dataclass(frozen=True)
class Effect:
    """One consequence: its class, the sentence, what shows it, and how telling it is (a difference in powers of e)."""

    kind: str
    sentence: str
    evidence: Evidence
    telling: float
    about: str = ""


def run_of(pair: Pair, course: Course, which: str, variable: str, step: int) -> Run:
    """Give the run that shows a number of a course, with the number."""
    values = (course.right if which == "right" else course.wrong)[variable]
    rule = pair.measured[0 if which == "right" else 1]
    named = variable if variable in rule.variables or variable in ("x", "g") else "update"
    value = float(values[step - 1])
    # A trace gives what x moves by, and a step here is what is taken from it.
    return pair.run_of(which, course.setting, named, step, -value if named == "update" else value)


def side_by_side(pair: Pair, course: Course, steps: Iterable[int], variable: str = MOVED) -> Comparison:
    """Put a variable of both rules side by side at some steps."""
    shown = [step for step in steps if step <= course.setting.steps]
    rows = tuple(
        (step, *(float(values[variable][step - 1]) for values in (course.wrong, course.right))) for step in shown
    )
    runs = tuple(run_of(pair, course, which, variable, step) for step in shown for which in ("wrong", "right"))
    return Comparison(HEAD, rows, runs)


def apart(course: Course) -> float:
    """Say how far two courses part, beside the typical step of the right one; infinite where one is not finite."""
    wrong, right = course.moves
    with np.errstate(all="ignore"):
        there = np.isfinite(right)
        if not np.isfinite(wrong[there]).all():
            return math.inf
        typical = float(np.sqrt(np.mean(right[there] ** 2))) if there.any() else 0.0
        difference = float(np.sqrt(np.mean((wrong - right)[there] ** 2))) if there.any() else 0.0
    if difference == 0.0:
        return 0.0
    return difference / typical if typical > 0.0 else math.inf


def telling_of(factor: float) -> float:
    """Say how telling a factor is; a sign, nothing and infinity are most telling."""
    if not math.isfinite(factor) or factor <= 0.0:
        return 10.0
    return min(abs(math.log(factor)), 10.0)


def of_course(pair: Pair, course: Course, everywhere: bool = False) -> Effect | None:
    """Say what becomes of the steps on one stream; `everywhere`: the same holds for any gradients."""
    shape = shape_of(*course.moves)
    where = (
        "Whatever the gradients are,"
        if everywhere
        else f"Under {stream_of(course.setting.stream)}{_from(course.setting)}"
    )
    if apart(course) < NOTED and not shape.factors:
        return None
    words = _SHAPES.get(shape.kind, _at_steps)(pair, course, shape)
    if not words:
        return None
    if everywhere and _only_by_lr(pair):
        words += f": lr = {four_digits(pair.lr * shape.last)} would do the same"
    evidence = side_by_side(pair, course, _steps_of(shape))
    return Effect(_CLASSES[shape.kind], f"{where} {words}", evidence, 10.0 if not shape.factors else _most(shape))


def _most(shape: Shape) -> float:
    return max(telling_of(factor) for factor in (*shape.factors.values(), shape.last))


def _from(setting: Setting) -> str:
    return f", from x = {four_digits(setting.start)}," if setting.start else ""


def _steps_of(shape: Shape) -> tuple[int, ...]:
    return tuple(sorted({*SHOWN, shape.step}))


_CLASSES = {
    "same": "same", "constant": "scaled", "transient": "transient", "limit": "limit", "dies": "dies",
    "vanishes": "drifts", "grows": "grows", "power": "grows", "uphill": "sign", "still": "still", "moves": "moves",
    "infinite": "not finite", "nan": "not finite", "skips": "skips", "wanders": "course",
}  # fmt: skip


def _same(pair: Pair, course: Course, shape: Shape) -> str:
    return ""


def _constant(pair: Pair, course: Course, shape: Shape) -> str:
    return f"every step is {as_long(shape.last)}{_by_formula(pair, course, len_of(course))}"


def _only_by_lr(pair: Pair) -> bool:
    """Whether another learning rate makes the same steps longer, wherever x is."""
    return bool(pair.unit) and not pair.decays


def len_of(course: Course) -> int:
    """Give the last step of a course."""
    return course.setting.steps


def _uphill(pair: Pair, course: Course, shape: Shape) -> str:
    length = "" if abs(shape.last + 1.0) < ALIKE else f", and each step is {times(-shape.last)} as long"
    return f"every step goes the wrong way, uphill{length}"


def _transient(pair: Pair, course: Course, shape: Shape) -> str:
    late = {step: factor for step, factor in shape.factors.items() if abs(factor - 1.0) > 0.01}
    if not late:
        return ""
    formula = _by_formula(pair, course, 1) if 1 in late else ""
    return f"{_course_of(late, formula)}; from step {shape.step} on it is right to 1 %"


def _limit(pair: Pair, course: Course, shape: Shape) -> str:
    early = {step: factor for step, factor in shape.factors.items() if step < shape.step and step < 1000}
    formula = _by_formula(pair, course, len_of(course))
    if not early:
        return f"every step is {as_long(shape.last)}{formula}"
    return f"{_course_of(early)}; from step {shape.step} on it is {times(shape.last)} as long{formula}"


def _course_of(factors: dict[int, float], formula: str = "") -> str:
    """Say the factors of some steps one after the other: the first one in full."""
    (step, factor), *others = factors.items()
    begin = f"the {_counted(step)} step"
    if factor == 0.0:
        first = f"{begin} is missing"
    else:
        first = f"{begin} is right" if abs(factor - 1.0) < ALIKE else f"{begin} is {as_long(factor)}{formula}"
    return listed([first, *(f"the {_counted(step)} {_beside_the_right(factor)}" for step, factor in others)])


def _counted(step: int) -> str:
    """Count a step.

    >>> _counted(1), _counted(2), _counted(23), _counted(100)
    ('first', '2nd', '23rd', '100th')
    """
    ending = "th" if step % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(step % 10, "th")
    return "first" if step == 1 else f"{step}{ending}"


def _beside_the_right(factor: float) -> str:
    return "right" if abs(factor - 1.0) < ALIKE else times(factor)


def _dies(pair: Pair, course: Course, shape: Shape) -> str:
    if shape.last == 0.0 and shape.step <= 2:
        return "nothing moves after the first step" if shape.step == 2 else "nothing moves"
    there = {step: factor for step, factor in shape.factors.items() if factor}
    if not there:
        return f"less than a hundredth of the right step is left from step {shape.step} on"
    rate = f", shrinking to {four_digits(shape.rate)} of itself each step" if 0.0 < shape.rate < 0.97 else ""
    end = f"from step {shape.step} on it is less than a hundredth of the right one"
    return f"the step dies{rate}: {_course_of(there)}; {end}"


def _skips(pair: Pair, course: Course, shape: Shape) -> str:
    length = "as long as it should be" if abs(shape.last - 1.0) < 0.01 else as_long(shape.last)
    return f"x moves at one step in {shape.step} only, and that step is {length} in the end"


def _power(pair: Pair, course: Course, shape: Shape) -> str:
    shown = {step: factor for step, factor in shape.factors.items() if step != 2}
    return f"{_course_of(shown)}: it {_grows_with(shape.power)}"


def _grows_with(power: float) -> str:
    for known, word in (
        (1.0, "the step number"),
        (0.5, "the root of the step number"),
        (2.0, "the square of the step number"),
    ):
        if abs(abs(power) - known) < 0.05:
            return f"grows with {word}" if power > 0 else f"falls as one over {word}"
    return f"goes with the step number to the power {four_digits(round(power, 2))}"


def _at_steps(pair: Pair, course: Course, shape: Shape) -> str:
    if not shape.factors:
        wrong, right = (float(np.sqrt(np.mean(each[np.isfinite(each)] ** 2))) for each in course.moves)
        if right == 0.0 or not math.isfinite(wrong / right):
            return ""
        difference = float(np.sqrt(np.mean((course.moves[0] - course.moves[1]) ** 2))) / right
        if abs(wrong / right - 1.0) < 0.01:
            return f"the steps are as long as they should be, but others by {four_digits(100 * difference)} % of that"
        return f"the steps are {times(wrong / right)} as long as they should be, on average (root mean square)"
    if min(shape.factors.values()) < 0:
        return _at_steps(pair, course, Shape("wanders", {}))
    course_of = _course_of({step: factor for step, factor in shape.factors.items() if step != 2})
    return course_of + (
        f": {times(shape.rate)} as much each step" if shape.kind == "grows" and shape.rate > 1.03 else ""
    )


def _still(pair: Pair, course: Course, shape: Shape) -> str:
    return "x does not move at all"


def _moves(pair: Pair, course: Course, shape: Shape) -> str:
    first = int(np.argmax(course.moves[0] != 0.0)) + 1
    return f"x moves, from step {first} on, where it should stand still"


def _nan(pair: Pair, course: Course, shape: Shape) -> str:
    reason = _spoiled(pair, course, shape.step)
    return f"x is {four_digits(shape.last)} from step {shape.step} on{reason}"


def _infinite(pair: Pair, course: Course, shape: Shape) -> str:
    return _nan(pair, course, shape)


def _spoiled(pair: Pair, course: Course, step: int) -> str:
    """Say which variable is spoiled first, and what the one before it was."""
    before = ""
    for name in pair.wrong.variables:
        if name not in course.wrong:
            continue
        value = float(course.wrong[name][step - 1])
        if not math.isfinite(value):
            return f": `{name}` is the first to go{before}"
        if value < 0.0 and name != "x":
            before = f", with `{name}` at {four_digits(value)}"
        elif value == 0.0:
            before = f", with `{name}` at 0"
    return ""


_SHAPES = {
    "same": _same, "constant": _constant, "uphill": _uphill, "transient": _transient, "limit": _limit, "dies": _dies,
    "power": _power, "skips": _skips, "still": _still, "moves": _moves, "nan": _nan, "infinite": _infinite,
}  # fmt: skip


def _by_formula(pair: Pair, course: Course, step: int) -> str:
    """Name the formula of the knobs that a factor at a step is, where one holds at other knobs too."""
    if course.setting.start or course.setting.landscape:
        return ""
    measured = [(_factor(course, step), pair.known)]
    for other in elsewhere(pair.known):
        knobs = {**pair.known, **other}
        (there,) = pair.courses([Setting(course.setting.stream, 0.0, step)], knobs)
        measured.append((_factor(there, step), knobs))
    found = formula_of(measured)
    return "" if found is None else f", {expression_text(found)}"


def _factor(course: Course, step: int) -> float:
    wrong, right = (float(each[step - 1]) for each in course.moves)
    return wrong / right if right and math.isfinite(wrong) else math.nan
