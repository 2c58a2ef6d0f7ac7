"""What the steps of two rules answer to: the gradient's size, its sign, its turning, no gradient, where x is.

Each trait is measured of both and said only where they part. It knows no rule by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mhat.explanations.claims import Comparison, four_digits
from mhat.explanations.consequences.effects import Effect, run_of, side_by_side, telling_of
from mhat.explanations.consequences.memories import MEMORIES
from mhat.explanations.consequences.pairs import MOVED
from mhat.explanations.consequences.panel import NOTED, SIZES, STEADY, Panel, moved_at
from mhat.explanations.consequences.speech import as_long, listed, times
from mhat.language import Level
from mhat.language.inference import names_read, reductions_over_all

Array = np.ndarray[Any, Any]
# The step at which a steady state is read.
STEADILY = 100
# What is less than this share of what it should be is nothing.
NOTHING = 1e-3


def effects_of(panel: Panel) -> list[Effect]:
    """Measure every trait, and give those in which the two part, the most telling first."""
    with np.errstate(all="ignore"):
        found = [trait(panel) for trait in TRAITS]
    return sorted((effect for effect in found if effect is not None), key=lambda effect: -effect.telling)


def of_scale(panel: Panel) -> Effect | None:
    """How the length of a step follows the size of the gradient, between a gradient of 1 and one of 100."""
    powers = []
    for which in ("wrong", "right"):
        small, large = (abs(moved_at(panel.course(f"constant:{size}"), which, STEADILY)) for size in ("1", "100"))
        powers.append(math.log10(large / small) / 2 if small > 0 and large > 0 else math.nan)
    wrong, right = powers
    if not (math.isfinite(wrong) and math.isfinite(right)) or abs(wrong - right) < 0.1:
        return None
    sentence = (
        f"A gradient 100 times as large {_scaled(100**wrong)}, where "
        f"{'it should stay as long' if abs(right) < 0.02 else f'{times(100**right)} is right'}"
    )
    return Effect("scale", sentence, _beside(panel, ("1", "100"), STEADILY), abs(wrong - right) * math.log(100))


def _scaled(factor: float) -> str:
    return "leaves the step as long" if abs(factor - 1.0) < NOTED else f"makes the step {times(factor)} as long"


def of_size(panel: Panel) -> Effect | None:
    """For which sizes of the gradient it matters, where it does for some and not for others."""
    return _of_size_at(panel, STEADILY) or _of_size_at(panel, 1)


def _of_size_at(panel: Panel, step: int) -> Effect | None:
    factors = []
    for size in SIZES:
        wrong, right = (moved_at(panel.course(f"constant:{size}"), which, step) for which in ("wrong", "right"))
        factors.append(wrong / right if right else math.nan)
    off = [abs(factor - 1.0) > NOTED for factor in factors]
    if all(off) or not any(off) or not all(map(math.isfinite, factors)):
        return None
    small = off[0] and not off[-1]
    edge = off.index(False) if small else off.index(True)
    if any(off[edge:]) if small else (any(off[:edge]) or not all(off[edge:])):
        return None
    worst = max((i for i, away in enumerate(off) if away), key=lambda i: telling_of(factors[i]))
    side = f"below {SIZES[edge]}" if small else f"of {SIZES[edge]} and more"
    which = "the step" if step == STEADILY else "the first step"
    sentence = (
        f"It matters for gradients {side} only: for one of {SIZES[worst]} {which} is {as_long(factors[worst])}, "
        f"for one of {SIZES[-1 if small else 0]} it is right"
    )
    shown = (SIZES[worst], SIZES[-1 if small else 0])
    return Effect("condition", sentence, _beside(panel, shown, step), telling_of(factors[worst]))


def of_coupling(panel: Panel) -> Effect | None:
    """Whether a coordinate's step depends on the gradients of the others in its tensor."""
    if Level.TENSOR not in (panel.pair.right.level, panel.pair.wrong.level):
        return None
    alone, beside = panel.pair.courses_beside("scaled:1,size=2", "scaled:1000,size=2")
    sizes = [[float(np.sqrt(np.mean(values[:, 0] ** 2))) for values in each.moves] for each in (alone, beside)]
    (wrong, right), (wrong_beside, right_beside) = sizes
    if not all(map(math.isfinite, (wrong, right, wrong_beside, right_beside))) or 0.0 in (wrong, right):
        return None
    if abs(wrong_beside / wrong - right_beside / right) <= NOTED * right_beside / right:
        return _of_two(panel, wrong, right)
    sentence = (
        f"Beside a coordinate with gradients 1000 times as large a step is {times(wrong_beside / wrong)} as long, "
        f"where {_coupled(right_beside / right)} is right"
    )
    evidence = Comparison(
        ("the other one's gradients", "as it is", "as it should be"),
        ((1.0, wrong, right), (1000.0, wrong_beside, right_beside)),
    )
    return Effect("coupling", sentence, evidence, 8.0)


def _of_two(panel: Panel, wrong: float, right: float) -> Effect | None:
    """Say how long a step is in a tensor of two coordinates, where it is another than in one of one."""
    alone, wanted = (float(np.sqrt(np.mean(values**2))) for values in panel.course("normal").moves)
    if abs(wrong / right - 1.0) <= NOTED or abs(wrong / right * wanted / alone - 1.0) <= 0.1:
        return None
    sentence = f"In a tensor of two coordinates, under noise, a typical step is {as_long(wrong / right)}"
    return Effect("coupling", sentence, Comparison(("", "as it is", "as it should be"), (("rms", wrong, right),)), 6.0)


def _coupled(factor: float) -> str:
    return "as long as alone" if abs(factor - 1.0) < NOTED else four_digits(factor)


def of_tensors(panel: Panel) -> Effect | None:
    """Whether a tensor's step depends on how many there are, which one it is, or what the others' gradients are."""
    rules = panel.pair.right, panel.pair.wrong
    if not any(names_read(rule.tree) & {"k", "n"} or reductions_over_all(rule.tree) for rule in rules):
        return None
    course = panel.pair.course_of_tensors()
    factors = []
    for tensor in (0, 2):
        wrong, right = (values[:, tensor] for values in course.moves)
        if not (np.isfinite(wrong).all() and np.isfinite(right).all()) or np.any(right == 0.0):
            return None
        factors.append(wrong / right)
    first, third = factors
    if np.all(np.abs(np.array(factors) - 1.0) <= NOTED):
        return None
    if np.all(np.abs(third - third[0]) <= 1e-3 * np.abs(third[0])):
        words = f"every step of the third one is {as_long(float(third[0]))}"
    else:
        shown = [f"{times(float(third[step - 1]))} at step {step}" for step in (2, 10, 100)]
        words = f"the first step of the third one is {as_long(float(third[0]))}, {listed(shown)}"
    sentence = (
        f"In a model of three tensors, with gradients of 10, -100 and 1000, {words}; the first step of the first one "
        f"is {as_long(float(first[0]))}"
    )
    rows = tuple((step, float(first[step - 1]), float(third[step - 1])) for step in (1, 2, 10, 100))
    return Effect("tensors", sentence, Comparison(("step", "first tensor", "third tensor"), rows), 6.0)


def of_no_gradient(panel: Panel) -> Effect | None:
    """Whether x moves without a gradient."""
    course = panel.course("zeros", 1.0)
    wrong, right = (moved_at(course, which, 1) for which in ("wrong", "right"))
    if not math.isfinite(wrong) and math.isfinite(right):
        sentence = f"Without a gradient x is {four_digits(wrong)} from step 1 on"
        return Effect("not finite", sentence, side_by_side(panel.pair, course, (1,)), 9.0)
    if not (math.isfinite(wrong) and math.isfinite(right)) or abs(wrong - right) <= NOTED * max(abs(wrong), abs(right)):
        return None
    if max(abs(wrong), abs(right)) <= 1e-12:
        return None
    moves = "does not move" if not wrong else f"moves by {four_digits(-wrong)} in the first step"
    sentence = f"Without a gradient x = 1 {moves}, where {_stay(right)}"
    return Effect("idle", sentence, side_by_side(panel.pair, course, (1, 10)), 3.0)


def _stay(right: float) -> str:
    return "it should stay" if not right else f"it should move by {four_digits(-right)}"


def _step(move: float) -> str:
    return four_digits(move) if move else "nothing"


def of_pull(panel: Panel) -> Effect | None:
    """How much more a step is because x is 1 and not 0, beside large gradients and small ones."""
    pulls: list[tuple[float, float]] = []
    for stream, free in ((STEADY, STEADY), ("constant:0.01", "constant:0.01")):
        from_one, from_zero = panel.course(stream, 1.0), panel.course(free)
        pulls.append(
            (
                moved_at(from_one, "wrong", 1) - moved_at(from_zero, "wrong", 1),
                moved_at(from_one, "right", 1) - moved_at(from_zero, "right", 1),
            )
        )
    (large, right), (small, other) = pulls
    size = max(map(abs, (large, right, small, other)))
    if not math.isfinite(size) or size < 1e-6 * panel.pair.lr:
        return None
    if all(abs(each - right) <= NOTED * abs(right) for each in (large, small)):
        return None
    idle = [moved_at(panel.course("zeros", 1.0), which, 1) for which in ("wrong", "right")]
    if all(abs(each - idle[0]) <= NOTED * size for each in (large, small)) and abs(right - idle[1]) <= NOTED * size:
        return None
    if abs(large - right) <= NOTED * size and abs(small - other) <= NOTED * size:
        return None
    if not abs(right):
        sentence = (
            f"The step depends on where x is: from x = 1 the first one is longer by {_step(large)} with a gradient "
            f"of 10 and by {_step(small)} with one of 0.01, where nothing is right"
        )
    elif max(abs(large), abs(small)) <= NOTHING * abs(right):
        sentence = (
            f"x = 1 is not pulled back at all beside a gradient of 10 or of 0.01, where {_step(right)} a step is right"
        )
    else:
        sentence = (
            f"x = 1 is pulled back by {_step(large)} a step beside a gradient of 10 and by {_step(small)} beside one "
            f"of 0.01, where {_step(right)} is right"
        )
    course = panel.course(STEADY, 1.0)
    other_course = panel.course("constant:0.01", 1.0)
    first, second = (side_by_side(panel.pair, each, (1,)) for each in (course, other_course))
    evidence = Comparison(first.head, first.rows + second.rows, first.runs + second.runs)
    return Effect("pull", sentence, evidence, 2.5)


def of_sign(panel: Panel) -> Effect | None:
    """Whether a gradient of the other sign makes the other step."""
    up, down = panel.course(STEADY), panel.course("constant:-10")
    here, there = (moved_at(course, "wrong", STEADILY) for course in (up, down))
    right_here, right_there = (moved_at(course, "right", STEADILY) for course in (up, down))
    if not all(map(math.isfinite, (right_here, right_there))) or abs(right_here + right_there) > NOTED * abs(
        right_here
    ):
        return None
    evidence = side_by_side(panel.pair, down, (1, STEADILY))
    if math.isfinite(here) and not math.isfinite(there):
        return Effect("not finite", f"Under a gradient of -10 x is {four_digits(there)}", evidence, 8.0)
    if not (math.isfinite(here) and math.isfinite(there)) or abs(here + there) <= NOTED * abs(here):
        return None
    if here * right_here > 0 and there * right_there < 0:
        sentence = "Under a gradient of -10 it goes the wrong way, as it would under one of 10"
        if abs(here - there) > NOTED * abs(here):
            sentence = f"Under a gradient of -10 it goes the wrong way, {times(abs(there / right_there))} as far"
        return Effect("sign", sentence, evidence, 6.0)
    sentence = (
        f"It is not the same up and down: under a gradient of -10 the step is {as_long(there / right_there)}, "
        f"under one of 10 {times(here / right_here)}"
    )
    return Effect("sign", sentence, evidence, min(telling_of(abs(there / here)), 6.0))


def of_eps(panel: Panel) -> Effect | None:
    """How large a gradient must be for half a step, where a step does not grow with it any more."""
    if "eps" not in panel.pair.known:
        return None
    wrong, right = (panel.half(which) for which in ("wrong", "right"))
    if not (math.isfinite(wrong) and right > 0.0) or (wrong > 0.0 and abs(math.log(wrong / right)) < 0.2):
        return None
    half = f"one of {four_digits(right)} should"
    if wrong == 0.0:
        sentence = f"`eps` does not shorten the steps of small gradients: {half} make half a step"
    else:
        sentence = f"A gradient of {four_digits(wrong)} makes half a step, where {half}: that small, `eps` rules"
    evidence = Comparison(("", "as it is", "as it should be"), (("gradient of half a step", wrong, right),))
    return Effect("eps", sentence, evidence, 20.0)


def _beside(panel: Panel, sizes: tuple[str, ...], step: int) -> Comparison:
    """Put the steps under constant gradients of some sizes side by side."""
    rows: list[tuple[Any, ...]] = []
    runs = []
    for size in sizes:
        course = panel.course(f"constant:{size}")
        wrong, right = (run_of(panel.pair, course, which, MOVED, step) for which in ("wrong", "right"))
        rows.append((float(size), wrong.value, right.value))
        runs += [wrong, right]
    return Comparison(("gradient", "as it is", "as it should be"), tuple(rows), tuple(runs))


TRAITS: tuple[Callable[[Panel], Effect | None], ...] = (
    of_coupling, of_tensors, of_scale, of_size, of_no_gradient, of_pull, of_sign, *MEMORIES, of_eps,
)  # fmt: skip
