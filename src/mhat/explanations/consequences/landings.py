"""Where a difference shows most and least, and what it does to training in a bowl. It knows no rule by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from mhat.explanations.claims import Comparison, four_digits
from mhat.explanations.consequences.effects import Effect, run_of, side_by_side
from mhat.explanations.consequences.pairs import MOVED, Course
from mhat.explanations.consequences.panel import AWAY, Panel
from mhat.explanations.consequences.speech import counted, stream_of

Array = np.ndarray[Any, Any]
# What counts as unseen, and as arrived.
UNSEEN = 1e-3
ARRIVED = 0.1


def where_it_shows(panel: Panel, everywhere: bool) -> Iterator[Effect]:
    """Say under which gradients it shows most, and under which least."""
    if everywhere:
        return
    ranked = [(size, course) for size, course in panel.ranked if course.setting.stream != "zeros"]
    (most, first), (least, last) = ranked[0], ranked[-1]
    if most <= UNSEEN:
        yield _unseen(panel, ranked)
        return
    if least > 0.05 or least > 0.2 * most:
        return
    more = f", where the two part by {four_digits(most)} times a typical step" if math.isfinite(most) else ""
    end = "it does not show at all" if least <= UNSEEN else f"it hardly shows ({four_digits(100 * least)} %)"
    sentence = f"It shows most under {_named(first)}{more}; under {_named(last)} {end}"
    rows = tuple((course.setting.stream, course.setting.start, size) for size, course in ranked)
    runs = tuple(
        run_of(panel.pair, course, which, MOVED, course.setting.steps)
        for course in (first, last)
        for which in ("wrong", "right")
    )
    yield Effect("where", sentence, Comparison(("stream", "from x", "apart"), rows, runs), 1.0)


def _named(course: Course) -> str:
    start = f" from x = {four_digits(course.setting.start)}" if course.setting.start else ""
    return f"{stream_of(course.setting.stream)}{start}"


def _unseen(panel: Panel, ranked: list[tuple[float, Course]]) -> Effect:
    size, course = ranked[0]
    count = len(ranked)
    rows = tuple((each.setting.stream, each.setting.start, far) for far, each in ranked)
    runs = tuple(run_of(panel.pair, course, which, MOVED, course.setting.steps) for which in ("wrong", "right"))
    sentence = (
        f"It hardly matters: on {count} streams of 1000 steps the two part by no more than "
        f"{four_digits(100 * size)} % of a "
        f"typical step, most under {_named(course)}"
        if size
        else f"For one coordinate alone it does not matter: on {count} streams of 1000 steps the two do the same"
    )
    return Effect("harmless", sentence, Comparison(("stream", "from x", "apart"), rows, runs), 0.5)


def first_to_part(panel: Panel) -> Iterator[Effect]:
    """Say which variable parts first, and when, on the stream that tells most."""
    _, course = panel.ranked[0]
    common = [name for name in panel.pair.wrong.variables if name in course.wrong and name in course.right]
    parted = [(_parts(course.wrong[name], course.right[name]), i, name) for i, name in enumerate(common)]
    there = sorted((step, i, name) for step, i, name in parted if step)
    if there:
        step, _, name = there[0]
        wrong, right = (float(values[name][step - 1]) for values in (course.wrong, course.right))
        sentence = (
            f"Under {_named(course)} `{name}` is the first to part, at step {step}: {four_digits(wrong)} where "
            f"{four_digits(right)} is right"
        )
        steps = tuple(sorted({step, 10, 100, 1000}))
        yield Effect("parts", sentence, side_by_side(panel.pair, course, steps, name), 1.0, name)


def _parts(wrong: Array, right: Array) -> int:
    """Give the first step at which two variables differ, 0 if none does."""
    with np.errstate(all="ignore"):
        apart = ~(np.isclose(wrong, right, rtol=UNSEEN, atol=0.0) | (np.isnan(wrong) & np.isnan(right)))
    return int(np.argmax(apart)) + 1 if apart.any() else 0


def in_a_bowl(panel: Panel) -> Iterator[Effect]:
    """Say how the two come down a bowl of curvature one."""
    course = panel.bowl
    start = AWAY * panel.pair.lr
    wrong, right = course.wrong["x"], course.right["x"]
    steps = [_arrived(values, start) for values in (wrong, right)]
    where = f"In a bowl, x**2 / 2, from {four_digits(start)}"
    shown = tuple(sorted({1, 10, 100, 1000, *(step for step in steps if step is not None)}))
    evidence = side_by_side(panel.pair, course, shown, "x")
    if steps[1] is None or not np.isfinite(right).all():
        return
    kind, words = _coming_down(wrong, right, steps[0], steps[1], start)
    yield Effect(kind, f"{where}, {words}", evidence, 5.0)


def _coming_down(wrong: Array, right: Array, own: int | None, other: int, start: float) -> tuple[str, str]:
    """Say how the wrong rule comes down, and what class of consequence that is."""
    rest, right_rest = _rest(wrong, start), _rest(right, start)
    if not math.isfinite(rest):
        first = int(np.argmax(~np.isfinite(wrong))) + 1
        return "diverges", f"x is {four_digits(float(wrong[first - 1]))} from step {first} on"
    if rest > 2.0:
        first = int(np.argmax(np.abs(wrong) > 2.0 * start)) + 1
        end = four_digits(float(wrong[-1]))
        return "diverges", f"it does not come down: x is twice as far away at step {first}, and {end} at step 1000"
    if own is None:
        end = four_digits(float(wrong[-1]))
        return "stalls", (
            f"it has not arrived after 1000 steps: x is still at {end}, where a tenth of the way is left after {other}"
        )
    left = f"a tenth of the way is left after {counted(own, 'step')}"
    if abs(own - other) > max(2, 0.05 * other):
        return "pace", f"it arrives {'later' if own > other else 'sooner'}: {left}, where {other} is right"
    if rest > 10 * max(right_rest, 1e-6):
        return "settles elsewhere", (
            f"it comes down as it should, but then stays {four_digits(rest * start)} away, where "
            f"{four_digits(right_rest * start)} is right"
        )
    return (
        "comes down",
        f"it still comes down as it should: {left}{'' if own == other else f', where {other} is right'}",
    )


def _arrived(values: Array, start: float) -> int | None:
    """Give the step from which on x stays within a tenth of the way."""
    far = np.nonzero(~(np.abs(values) <= ARRIVED * start))[0]
    if not len(far):
        return 1
    return int(far[-1]) + 2 if far[-1] + 1 < len(values) else None


def _rest(values: Array, start: float) -> float:
    """How far away the last hundred steps are, at most, beside the start."""
    return float(np.max(np.abs(values[-100:]))) / start if np.isfinite(values).all() else math.inf
