"""Gradients that come rarely: what one of them counts, and what is lost or kept while none comes. It knows no rule."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Run, four_digits
from mhat.explanations.numbers.parts import LATE, Parts, parts_of
from mhat.explanations.numbers.readings import measured
from mhat.explanations.numbers.wording import in_rates
from mhat.explanations.runs import Setting

RARE = (2, 10, 100)
ROUNDS = 40


def rare_steps(parts: Parts, every: int, rounds: int = ROUNDS, longest: int = 4000) -> float:
    """Give the mean step in learning rates where a gradient of 1 comes at one step in `every`, once it has settled."""
    averages = [each.gain for each in parts.averages if each.gain < 1]
    slowest = max(averages, default=0.0)
    steps = min(max(rounds * every, int(4 / max(1 - slowest, 1e-9))), longest)
    steps = max(steps - steps % every, 2 * every)
    gradients = np.zeros(steps)
    gradients[every - 1 :: every] = 1.0
    moves = parts.single(gradients)
    # From one gradient to the step before the next: the last whole round.
    return float(np.mean(moves[-every - 1 : -1])) if every > 1 else float(moves[-1])


def rare_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what a rare gradient counts, each time and in the mean."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        return
    rows, runs = [], []
    for every in RARE:
        mean = rare_steps(parts, every)
        rows.append((every, mean * every, mean))
        runs.append(measured(setting, Run("", f"sparse:every={every},value=-1", 40 * every, "update", 1, over="mean")))
    each, every = rows[2][1], rows[2][0]
    table = Comparison(("one step in", "each time", "a step"), tuple(rows), tuple(runs))
    if math.isnan(each):
        told = "Where gradients come rarely it divides zero by zero: x is not a number from then on."
        yield Claim("numbers", told, "computed", table)
        return
    often = float(parts.answers[0]) if parts.answers is not None else rows[0][1]
    yield Claim(
        "numbers",
        f"A gradient that comes at one step in {every} moves x by {in_rates(each, parts)} each time, and by "
        f"{in_rates(rows[2][2], parts)} a step in the mean; one that comes always, by {in_rates(often, parts)} a step.",
        "computed",
        table,
    )  # fmt: skip


def unseen(parts: Parts, away: int = 100) -> tuple[float, float, float]:
    """Give how far x goes while no gradient comes, and the next step: dense, and where nothing had faded."""
    states, _ = parts.steady
    first = LATE + 400
    walked = parts.walk(np.zeros((away, 2)), parts.moving, held=True, first=first, states=states)
    drift = float(-walked.moves[:, 0].sum() / parts.lr)
    again = np.ones((1, 2))
    dense = parts.walk(again, parts.moving, held=True, first=first + away, states=walked.states)
    lazy = parts.walk(again, parts.moving, held=True, first=first + away, states=states)
    return drift, float(-dense.moves[0, 0] / parts.lr), float(-lazy.moves[0, 0] / parts.lr)


def unseen_numbers(setting: Setting, away: int = 100) -> Iterator[Claim]:
    """Yield what becomes of a row that is not seen for a while: moments that fade, or wait."""
    parts = parts_of(setting)
    if not parts.averages:
        return
    drift, dense, lazy = unseen(parts, away)
    left = ", ".join(
        f"{four_digits(100 * each.gain**away)}% of `{each.state}`" for each in parts.averages if each.gain < 1
    )
    yield Claim(
        "numbers",
        f"After {away} steps without a gradient {left or 'all'} is left, and x has gone on by "
        f"{in_rates(drift, parts)}; the next gradient of 1 makes a step of {in_rates(dense, parts)}. Where the row is "
        f"left alone meanwhile (lazy, sparse) x waits, and it makes {in_rates(lazy, parts)}.",
        "computed",
        Comparison(
            ("", "moved while away", "next step"), (("dense", drift, dense), ("lazy", 0.0, lazy)),
            (measured(setting, Run("", "spike:size=-1,base=0,at=1", away, "x", away)),),
        ),
    )  # fmt: skip
