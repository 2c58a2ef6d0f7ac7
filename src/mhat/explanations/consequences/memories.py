"""What steps remember: how long a turn, a rare gradient, a spike and fading gradients are felt, and what noise leaves.

Each is measured of both rules and said only where they part. It knows no rule by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mhat.explanations.claims import Comparison, four_digits
from mhat.explanations.consequences.effects import Effect, run_of, side_by_side, telling_of
from mhat.explanations.consequences.pairs import MOVED, Course
from mhat.explanations.consequences.panel import NOTED, STEADY, Panel, moved_at
from mhat.explanations.consequences.speech import as_long, times

Array = np.ndarray[Any, Any]


def of_turning(panel: Panel) -> Effect | None:
    """How many steps after the gradient has turned around the step does."""
    course = panel.course("shift:1,-1,at=500")
    wrong, right = (_turned(course, which) for which in ("wrong", "right"))
    if wrong == right or right is None:
        return None
    evidence = side_by_side(panel.pair, course, (499, 499 + right, *(() if wrong is None else (499 + wrong,))))
    begin = "When the gradient turns around, the step turns"
    if wrong is None:
        sentence = f"{begin} not at all in the 500 steps after it, where {_new(right)} is right"
        return Effect("memory", sentence, evidence, 5.0)
    if abs(wrong - right) < max(2, 0.1 * right):
        return None
    sentence = f"{begin} {_new(wrong)}, where {_new(right)} is right"
    return Effect("memory", sentence, evidence, 1.0 + telling_of(wrong / right))


def _new(count: int) -> str:
    return "at once" if count == 1 else f"after {count} new gradients"


def _turned(course: Course, which: str) -> int | None:
    moves = (course.wrong if which == "wrong" else course.right)[MOVED]
    before, after = moves[498], moves[499:]
    turned = np.nonzero(after * before < 0)[0]
    return int(turned[0]) + 1 if len(turned) and before else None


def of_events(panel: Panel) -> Effect | None:
    """How far one rare gradient moves x in all."""
    course = panel.course("sparse")
    travelled = [float(np.sum(values[500:])) / 50 for values in course.moves]
    wrong, right = travelled
    if not (math.isfinite(wrong) and math.isfinite(right)) or right == 0.0 or abs(wrong / right - 1.0) <= NOTED:
        return None
    one, other = (four_digits(value / panel.pair.lr) for value in (wrong, right))
    sentence = f"A gradient at one step in ten moves x by {one}{panel.pair.unit} in all, where {other} is right"
    evidence = side_by_side(panel.pair, course, (500, 1000), "x")
    return Effect("rare", sentence, evidence, telling_of(wrong / right))


def of_aftermath(panel: Panel) -> Effect | None:
    """Which part of the way that a rare gradient makes x go comes at the steps after it."""
    course = panel.course("sparse")
    shares = []
    for values in course.moves:
        sizes = np.abs(values[500:])
        whole = float(np.sum(sizes))
        shares.append(1.0 - float(np.sum(sizes[9::10])) / whole if whole > 0.0 else math.nan)
    wrong, right = shares
    if not (math.isfinite(wrong) and math.isfinite(right)) or abs(wrong - right) <= 0.05:
        return None
    sentence = (
        f"Of the way that a gradient at one step in ten makes x go, {_percent(wrong)} comes at the steps after it, "
        f"where {_percent(right)} is right"
    )
    return Effect("memory", sentence, side_by_side(panel.pair, course, (990, 991, 1000)), 0.5 + abs(wrong - right))


def _percent(share: float) -> str:
    return f"{four_digits(round(100 * share, 2))} %" if share > 1e-6 else "nothing"


def of_spike(panel: Panel) -> Effect | None:
    """How long one large gradient is felt."""
    course = panel.course("spike:100,at=500")
    wrong, right = course.moves
    before = [float(abs(values[498])) for values in (wrong, right)]
    found = [_later(panel, course, before, *window) for window in ((50, 100), (450, 500))]
    return max((effect for effect in found if effect is not None), key=lambda effect: effect.telling, default=None)


def _later(panel: Panel, course: Course, before: list[float], begin: int, end: int) -> Effect | None:
    """Say how long the steps are some steps after the spike, beside those before it."""
    after = [float(np.mean(np.abs(values[499 + begin : 500 + end]))) for values in course.moves]
    if not all(map(math.isfinite, (*before, *after))) or 0.0 in before or 0.0 in after:
        return None
    shares = [after[i] / before[i] for i in (0, 1)]
    if abs(shares[0] / shares[1] - 1.0) <= 0.05:
        return None
    sentence = (
        f"{begin} to {end} steps after one gradient of 100 among ones the steps are {times(shares[0])} as long as "
        f"before it, where {four_digits(shares[1])} is right"
    )
    evidence = side_by_side(panel.pair, course, (499, 500 + begin, 500 + end))
    return Effect("memory", sentence, evidence, telling_of(shares[0] / shares[1]))


def of_fading(panel: Panel) -> Effect | None:
    """How long the steps are when the gradients have become small beside what they were."""
    course = panel.course("exponential:0.99,100")
    wrong, right = (moved_at(course, which, 1000) for which in ("wrong", "right"))
    if not (math.isfinite(wrong) and math.isfinite(right)) or right == 0.0 or abs(wrong / right - 1.0) <= NOTED:
        return None
    steady = panel.course(STEADY)
    if abs(wrong / right * moved_at(steady, "right", 1000) / moved_at(steady, "wrong", 1000) - 1.0) <= 0.05:
        return None
    sentence = (
        f"When gradients have faded from 100 to 0.004, by one hundredth a step, the step is {as_long(wrong / right)}"
    )
    return Effect(
        "fading", sentence, side_by_side(panel.pair, course, (1, 100, 1000)), telling_of(abs(wrong / right)) / 2
    )


def of_noise(panel: Panel) -> Effect | None:
    """How long the steps are under noise."""
    return _rms(panel, "normal", "noise", "Under noise")


def of_alternation(panel: Panel) -> Effect | None:
    """How long the steps are where the gradient changes its sign every step."""
    return _rms(panel, "alternating", "alternation", "Where the gradient changes its sign every step")


def _rms(panel: Panel, stream: str, kind: str, where: str) -> Effect | None:
    course = panel.course(stream)
    wrong, right = (float(np.sqrt(np.mean(values[100:] ** 2))) for values in course.moves)
    if not (math.isfinite(wrong) and math.isfinite(right)) or right == 0.0 or abs(wrong / right - 1.0) <= NOTED:
        return None
    lr = panel.pair.lr
    sentence = (
        f"{where} the typical step is {four_digits(wrong / lr)}{panel.pair.unit}, where "
        f"{four_digits(right / lr)} is right"
    )
    runs = tuple(run_of(panel.pair, course, which, MOVED, 101) for which in ("wrong", "right"))
    evidence = Comparison(
        ("steps 101 to 1000", "as it is", "as it should be"), (("root mean square", wrong, right),), runs
    )
    return Effect(kind, sentence, evidence, telling_of(wrong / right))


MEMORIES: tuple[Callable[[Panel], Effect | None], ...] = (
    of_turning, of_events, of_aftermath, of_spike, of_fading, of_noise, of_alternation,
)  # fmt: skip
