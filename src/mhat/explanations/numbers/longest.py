"""The longest step there is, at a step number and ever, and what a spike does. It knows no rule by name.

A step is a sum of gradients, weights w, over the root of a sum of their squares, weights u. By Cauchy and Schwarz it is
at most the root of the sum of w**2 / u, and the gradients w / u reach it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Formula, Number, Run
from mhat.explanations.numbers.parts import LATE, Array, Parts, parts_of
from mhat.explanations.numbers.readings import measured
from mhat.explanations.numbers.wording import counted, in_rates, said
from mhat.explanations.runs import Setting
from mhat.language import Name

MOST = 400
LOUD = 1e6
SPIKES = (10.0, 100.0, 1e4)
QUIET = 3000


def longest_at(parts: Parts, step: int = LATE) -> float | None:
    """Give the longest step there can be at a step number, in learning rates; None where it is not derived so."""
    weights = weights_at(parts, step)
    if weights is None:
        return _over_largest(parts)
    over, under = weights
    used = np.abs(over) > 1e-300
    if not (under[used] > 0).all():
        return math.inf
    total = float(np.sum(over[used] ** 2 / under[used]))
    return math.sqrt(total) if math.isfinite(total) else math.inf


def weights_at(parts: Parts, step: int = LATE) -> tuple[Array, Array] | None:
    """Give the weights of the gradients in the numerator, and of their squares in the denominator, the newest first."""
    quotient = parts.quotient
    if quotient is None or quotient.inside is None:
        return None
    if quotient.inside.line or quotient.inside.expression != Name("g"):
        return None
    over, under = _alone(parts, step)
    return over, under**2


def _alone(parts: Parts, step: int) -> tuple[Array, Array]:
    """Give the numerator and the denominator that each past gradient of 1 would make alone, the newest first."""
    quotient = parts.quotient
    assert quotient is not None and quotient.under is not None
    count = min(step, MOST)
    states = parts.begun(count) if step > count else {}
    walked = parts.walk(
        np.eye(count) * LOUD, parts.moving, spots=(quotient.over, quotient.under), held=True, first=step - count + 1,
        states=states,
    )  # fmt: skip
    return walked.spots[0][-1, ::-1] / LOUD * parts.factor, walked.spots[1][-1, ::-1] / LOUD


def _over_largest(parts: Parts) -> float | None:
    """Give the longest step over a maximum: that is at least what each past gradient alone makes it."""
    largest = [each for each in parts.sizes if each.kind == "maximum" and not each.squares]
    if parts.kernel is None or parts.quotient is None or parts.quotient.under is None or not largest:
        return None
    over, under = _alone(parts, LATE)
    used = np.abs(over) > 1e-15
    return float(np.sum(np.abs(over[used]) / under[used])) if (under[used] > 0).all() else math.inf


def growth(parts: Parts) -> float | None:
    """Give the ratio by which the gradients grow that make the longest step; None if it is not one ratio."""
    weights = weights_at(parts)
    if weights is None and longest_at(parts) is not None:
        return max((each.gain for each in parts.sizes if each.kind == "maximum"), default=None)
    if weights is None or len(weights[0]) < 4 or not (weights[1][:3] > 0).all() or not (weights[0][:3] != 0).all():
        return None
    first, second, third = (weights[0][age] / weights[1][age] for age in range(3))
    return float(first / second) if math.isclose(first / second, second / third, rel_tol=1e-6) else None


def longest_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield the longest step there is, and the stream that comes near it."""
    parts = parts_of(setting)
    most = longest_at(parts)
    if most is None:
        return
    if math.isinf(most):
        yield Claim(
            "numbers",
            "A step can be as long as you like: old gradients count in it that its denominator has forgotten.",
            "computed", Number(most, Formula("sqrt(sum of w_k**2 / u_k)"), "Cauchy and Schwarz"),
        )  # fmt: skip
        return
    ratio = growth(parts)
    run, reached = _nearest(setting, ratio)
    yield Claim(
        "numbers",
        f"No step is longer than {in_rates(most, parts)}{reached}.",
        "computed",
        Number(most * parts.lr, Formula("sqrt(sum of w_k**2 / u_k)"), "Cauchy and Schwarz", run, 0.1),
        parts.rate or "",
    )  # fmt: skip


def _nearest(setting: Setting, ratio: float | None) -> tuple[Run | None, str]:
    """Run the stream that comes near the longest step, and say so."""
    parts = parts_of(setting)
    if parts.kernel is not None and not parts.kernel[1:].any():
        run = measured(setting, Run("", "constant:-1", 1, "update", 1, over="largest"))
        return run, f": the first one is {in_rates((run.value or 0.0) / parts.lr, parts)}"
    if ratio is None or ratio == 1:
        return None, ""
    steps = min(3000, int(280 / abs(math.log10(ratio))))
    run = measured(setting, Run("", f"exponential:ratio={ratio:.12g},start=-1", steps, "update", 1, over="largest"))
    if not run.value or not math.isfinite(run.value):
        return None, ""
    how = "grow" if ratio > 1 else "shrink"
    far = in_rates(run.value / parts.lr, parts)
    return run, f"; gradients that {how} by {said(ratio)} a step come near it: {far} in {steps} steps"


def after_spike(parts: Parts, sizes: tuple[float, ...] = SPIKES, after: int = 300) -> tuple[float, Array, Array, Array]:
    """Give the step before a spike among ones, then for each the step at it, the shortest later, and how much later."""
    gradients = np.ones((QUIET + after, len(sizes)))
    gradients[QUIET - 1] = sizes
    moves = parts.each(gradients)
    later = moves[QUIET:]
    return float(moves[QUIET - 2, 0]), moves[QUIET - 1], later.min(axis=0), later.argmin(axis=0) + 1


def spike_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what one large gradient among equal ones does, at once and later."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        return
    before, at_once, shortest, when = after_spike(parts)
    if not (np.isfinite(at_once).all() and np.isfinite(shortest).all()):
        return
    rows = tuple(zip(SPIKES, map(float, at_once), map(float, shortest), map(int, when), strict=True))
    runs = (measured(setting, Run("", f"spike:size=-100,at={QUIET},base=-1", QUIET, "update", QUIET)),)
    told = (
        f"A gradient of 100 after {QUIET - 1} of 1 makes a step of {in_rates(rows[1][1], parts)}, where those before "
        f"it made {in_rates(before, parts)}"
    )
    if rows[1][2] < 0.99 * before:
        told += f"; {counted(rows[1][3], 'step')} later a step is {in_rates(rows[1][2], parts)} only"
    yield Claim(
        "numbers", f"{told}.", "computed", Comparison(("spike", "step", "shortest later", "steps later"), rows, runs)
    )
