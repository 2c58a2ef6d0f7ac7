"""What happens without something, or with another knob: the largest consequence, in one sentence. It names no rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mhat.explanations.claims import Comparison, Run
from mhat.explanations.lines.lessons import CLEAR, SUITING, TELLING, Lesson, change, early, lessons_of
from mhat.explanations.lines.words import amount
from mhat.explanations.runs import Setting, Unrunnable, courses, read

# How many steps may be waited for.
PATIENCE = 100, 3000
STEADY = 0.01
# The steps at which a step is held against one with twice the knob, and how nearly it must be twice as long.
FEW = (3, 10)
NEARLY, EXACTLY = 1e-3, 1e-9
# This share of the largest step is what rounding leaves of one.
NOTHING = 1e-11


@dataclass(frozen=True)
class Unit:
    """What steps are told in: a knob that they are proportional to, with its value; or nothing."""

    name: str = ""
    size: float = 1.0
    exact: bool = True

    def amount(self, value: float, variable: str = "update") -> str:
        """Write how far x moves; where x itself is read there is no unit."""
        return amount(abs(value), self.name, self.size) if variable == "update" else amount(value, "", 1.0)


@dataclass(frozen=True)
class Consequence:
    """What one lesson shows: both runs, and how large the change is."""

    lesson: Lesson
    before: Run
    after: Run
    size: float

    def sentence(self, unit: Unit) -> str:
        """Say it."""
        variable = self.lesson.variable
        values = {"with": _number(self.before), "without": _number(self.after)}
        texts = {name: unit.amount(value, variable) for name, value in values.items()}
        return self.lesson.said.format(**texts)

    def evidence(self, unit: Unit, more: tuple[Run, ...] = ()) -> Comparison:
        """Give both numbers side by side."""
        rows = ((self.lesson.name, _number(self.before), _number(self.after)),)
        return Comparison(("what", "with it", "without it"), rows, (self.before, self.after, *more))


def _number(run: Run) -> float:
    assert run.value is not None
    return run.value


def unit_of(setting: Setting) -> Unit:
    """Find the knob that the steps are proportional to, the first in the signature; nothing if there is none."""
    for knob, value in setting.in_force.items() if lessons_of(setting.rule) else ():
        if value == 0.0 or not math.isfinite(value):
            continue
        try:
            runs = [_number(run) for run in unit_runs(setting, Unit(knob, value))]
        except Unrunnable:
            return Unit()
        pairs = list(zip(runs[::2], runs[1::2], strict=True))
        if all(once and math.isclose(2.0 * once, double, rel_tol=NEARLY) for once, double in pairs):
            return Unit(knob, value, all(math.isclose(2.0 * once, double, rel_tol=EXACTLY) for once, double in pairs))
    return Unit()


def unit_runs(setting: Setting, unit: Unit) -> tuple[Run, ...]:
    """Give the runs that show that steps are proportional to a knob: once and with twice the knob, in turn."""
    lesson = lessons_of(setting.rule)[0]
    both = setting, setting.turned(unit.name, 2.0 * unit.size)
    runs = [Run("", lesson.stream, lesson.steps, "update", step, {}, lesson.start) for step in FEW]
    return tuple(read(each, run) for run in runs for each in both)


def largest(before: Setting, after: Setting, suiting: Sequence[str], more: Sequence[Lesson] = ()) -> Consequence | None:
    """Find the most telling consequence: one that suits if it is clear, else the largest; None if none shows."""
    found = _telling([_consequence(lesson, before, after) for lesson in (*lessons_of(before.rule), *more)])
    by_name = {each.lesson.name: each for each in found}
    for name in suiting:
        if name in by_name and by_name[name].size >= math.log(CLEAR):
            return by_name[name]
    best = max(found, key=lambda each: each.size, default=None)
    if best is None or best.size < math.log1p(TELLING):
        # What dies out at once shows at the first steps, or nowhere.
        best = max(
            (_consequence(each, before, after) for each in early(before.rule)), key=lambda each: each.size, default=None
        )
    return best if best is not None and best.size >= math.log1p(TELLING) else None


def _telling(found: list[Consequence]) -> list[Consequence]:
    """Leave out where x moves by what rounding leaves of a step."""
    moves = [run.value for each in found for run in (each.before, each.after) if run.variable == "update"]
    least = NOTHING * max((abs(move) for move in moves if move is not None and math.isfinite(move)), default=0.0)

    def moved(each: Consequence) -> bool:
        sizes = (abs(_number(run)) for run in (each.before, each.after))
        return each.lesson.variable != "update" or any(not size <= least for size in sizes)

    return [each for each in found if moved(each)]


def tried(before: Setting, after: Setting) -> tuple[Run, ...]:
    """Give all runs that show nothing."""
    found = [_consequence(lesson, before, after) for lesson in (*lessons_of(before.rule), *early(before.rule))]
    return tuple(run for each in found for run in (each.before, each.after))


def _consequence(lesson: Lesson, before: Setting, after: Setting) -> Consequence:
    once, other = read(before, lesson.run()), read(after, lesson.run())
    scale = max(
        (abs(run.value) for run in (once, other) if run.value is not None and math.isfinite(run.value)), default=0
    )
    return Consequence(lesson, once, other, change(_number(once), _number(other), scale))


def suiting(kind: str) -> tuple[str, ...]:
    """Give the lessons that suit a kind of line."""
    return SUITING.get(kind, ())


def catching_up(before: Setting, after: Setting, found: Consequence, unit: Unit) -> tuple[str, tuple[Run, ...]]:
    """Say how long a first step that is off takes to come within a tenth of what it should be; nothing if it does not.

    Said only where the steps with the line are all alike.
    """
    lesson = found.lesson
    right = _steps(before, lesson, PATIENCE[0])
    wanted = right[-1]
    if not math.isfinite(wanted) or wanted == 0.0 or any(abs(step - wanted) > STEADY * wanted for step in right):
        return "", ()
    for patience in PATIENCE:
        steps = _steps(after, lesson, patience)
        below = steps[0] < wanted
        limit = 0.9 * wanted if below else 1.1 * wanted
        when = next((i for i, step in enumerate(steps, 1) if (step >= limit if below else step <= limit)), None)
        if when is not None and when > 1:
            run = Run("", lesson.stream, patience, "update", when, {}, lesson.start)
            one = unit.amount(wanted) == unit.name
            goal = (
                f"{'reach' if below else 'come down to'} {unit.amount(limit)}" if one else "come within a tenth of that"
            )
            text = f"it takes {when} steps to {goal}"
            return text, tuple(read(after, each) for each in (run, _before(run)))
    return "", ()


def _before(run: Run) -> Run:
    return Run("", run.stream, run.steps, "update", run.step - 1, {}, run.start)


def _steps(setting: Setting, lesson: Lesson, steps: int) -> list[float]:
    x = [lesson.start, *(float(value) for value in courses(setting, lesson.stream, steps, lesson.start)["x"].flat)]
    return [abs(new - old) for old, new in pairwise(x)]
