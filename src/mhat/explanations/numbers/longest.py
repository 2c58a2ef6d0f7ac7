"""The longest step there is, at a step number and ever, and what a spike does. It knows no rule by name.

How long a step can be is derived in `mhat.laws`; here it is told, with gradients that come near it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Formula, Number, Proof, Run, four_digits
from mhat.explanations.numbers.parts import Array, Parts, parts_of
from mhat.explanations.numbers.readings import measured
from mhat.explanations.numbers.wording import counted, in_rates
from mhat.explanations.runs import Setting
from mhat.laws import LongestStep, longest_step
from mhat.printers.python import expression_text

SPIKES = (10.0, 100.0, 1e4)
QUIET = 3000
ON_THE_WAY = (300, 1000, 2000)


def longest_at(parts: Parts, step: int | None = None) -> float | None:
    """Give the longest step there can be, at a step number or ever, in learning rates; None where it is not known."""
    found = longest_step(parts.rule, parts.moving)
    if not isinstance(found, LongestStep) or (step is None and not found.followed):
        return None
    return (found.value if step is None else found.at(step)) / _scale(parts)


def _scale(parts: Parts) -> float:
    """Give what laws tell a step in: `lr`, where a knob is called so."""
    return 1.0 if "lr" in parts.knobs or parts.rate is None else parts.lr


def _is_longer_on_the_way(found: LongestStep) -> bool:
    return found.first is not None and found.first >= ON_THE_WAY[0]


def longest_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield the longest step there is, and the stream that comes near it."""
    parts = parts_of(setting)
    found = longest_step(parts.rule, parts.moving)
    if not isinstance(found, LongestStep):
        return
    if _is_longer_on_the_way(found):
        yield _on_the_way(parts, found)
        return
    most = found.value / _scale(parts)
    run, reached = _nearest(setting, found)
    text = "sqrt(sum of w_k**2 / u_k)" if found.formula is None else expression_text(found.formula)
    yield Claim(
        "numbers",
        f"{'Beside the decay of x no' if parts.decay else 'No'} step {'' if found.followed else 'that was looked at '}"
        f"is longer than {in_rates(most, parts)}{reached}.",
        "computed",
        Number(most * parts.lr, Formula(text), "Cauchy and Schwarz", run, 0.1),
        parts.rate or "",
    )  # fmt: skip


def unbounded_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield why no longest step is known, where none is."""
    parts = parts_of(setting)
    found = longest_step(parts.rule, parts.moving)
    if not isinstance(found, LongestStep):
        yield Claim("numbers", f"No longest step is known: {found.reason}.", "proved", Proof((found.reason,)))


def _on_the_way(parts: Parts, found: LongestStep) -> Claim:
    """Tell the steps that can be longer on the way than in the end: where the weights themselves change with t."""
    rows = tuple((step, longest_at(parts, step) or 0.0) for step in ON_THE_WAY)
    step, most = max(rows, key=lambda row: row[1])
    end = found.limit / _scale(parts)
    return Claim(
        "numbers",
        f"Its weights change with the steps: at step {step} a step can be {in_rates(most, parts)} long, in the end "
        f"{in_rates(end, parts)}.",
        "computed",
        Comparison(("step", "longest"), (*rows, ("in the end", end))),
    )  # fmt: skip


def _nearest(setting: Setting, found: LongestStep) -> tuple[Run | None, str]:
    """Run the stream that comes near the longest step, and say so."""
    parts = parts_of(setting)
    if found.first == 1 or found.growth is None:
        run = measured(setting, Run("", "constant:-1", 1, "update", 1, over="largest"))
        alike = run.value and math.isclose(run.value / parts.lr, found.value / _scale(parts), rel_tol=0.05)
        return (run, f": the first one is {in_rates((run.value or 0.0) / parts.lr, parts)}") if alike else (None, "")
    if found.growth <= 0 or found.growth == 1:
        return None, ""
    steps = min(3000, int(280 / abs(math.log10(found.growth))))
    stream = f"exponential:ratio={found.growth:.12g},start=-1"
    run = measured(setting, Run("", stream, steps, "update", 1, over="largest"))
    if not run.value or not math.isfinite(run.value):
        return None, ""
    how = "grow" if found.growth > 1 else "shrink"
    far = in_rates(run.value / parts.lr, parts)
    if not math.isclose(run.value, found.value / _scale(parts) * parts.lr, rel_tol=0.1):
        return None, ""
    return run, f"; gradients that {how} by {four_digits(found.growth)} a step come near it: {far} in {steps} steps"


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
    if not (np.isfinite(at_once).all() and np.isfinite(shortest).all()) or not (before or at_once.any()):
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
