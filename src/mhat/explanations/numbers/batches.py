"""What the knobs become when the batch grows: a larger batch means fewer steps and quieter gradients. It knows no rule.

With kappa times the batch a step stands for kappa steps, and the noise of a gradient is sqrt(kappa) times smaller.
The walk keeps its width if a decay rate b becomes 1 - kappa (1 - b), floors follow the size of the noise, and the
learning rate makes up for fewer steps: sqrt(kappa) where a step does not know the size of the noise, kappa where it
is proportional to it. (Malladi et al. 2022, arXiv:2205.10287.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Formula, Number, Run, four_digits
from mhat.explanations.numbers.floors import standing
from mhat.explanations.numbers.parts import Parts, parts_of
from mhat.explanations.numbers.readings import measured
from mhat.explanations.numbers.wording import listed
from mhat.explanations.runs import Setting
from mhat.language import Name
from mhat.notation.decimals import exact

KAPPA = 4
STEPS = 800
COORDINATES = 256
ALIKE = 0.2
SOURCE = "Malladi et al. 2022, arXiv:2205.10287"


@dataclass(frozen=True)
class Scaled:
    """What a knob becomes, and by which formula."""

    knob: str
    value: float
    formula: str


def scaled(parts: Parts, kappa: float) -> list[Scaled]:
    """Give the knobs for a batch kappa times as large; none where the step is no power of the gradient."""
    found: list[Scaled] = []
    degree = parts.step.degree
    if parts.rate is None or degree not in (0.0, 1.0):
        return found
    # A denominator that never forgets shrinks with the noise and with the number of steps: that is enough.
    endless = any(each.kind == "sum" for each in parts.sizes)
    grows = kappa if degree == 1 else 1.0 if endless else kappa**0.5
    # A sum of gradients that fades piles up to 1 / (1 - b): with fewer steps it piles up less.
    piled = 1.0
    for mean in parts.means:
        if mean.kind == "decaying sum" and 0 < mean.gain < 1:
            piled = max(1 - kappa * (1 - mean.gain), 0.0)
            piled = (1 - piled) / (1 - mean.gain)
    root = "kappa * " if degree == 1 else "" if endless else "sqrt(kappa) * "
    formula = f"{root}{parts.rate}" if piled == 1 else f"{root}(1 - new decay) / (1 - old decay) * {parts.rate}"
    found.append(Scaled(parts.rate, parts.lr * grows * piled, formula))
    for average in parts.averages:
        if len(average.knobs) == 1 and average.written == average.knobs[0] and 0 < average.gain < 1:
            knob = average.knobs[0]
            found.append(Scaled(knob, max(1 - kappa * (1 - average.gain), 0.0), f"1 - kappa * (1 - {knob})"))
    for each in standing(parts):
        if isinstance(each.floor.spot.expression, Name) and each.value:
            power = "sqrt(kappa)" if each.floor.degree == 1 else "kappa"
            found.append(Scaled(each.name, each.value / kappa ** (each.floor.degree / 2), f"{each.name} / {power}"))
    if parts.decay:
        found += _decays(parts, kappa, grows * piled)
    return list({each.knob: each for each in found}.values())


def _decays(parts: Parts, kappa: float, grown: float) -> list[Scaled]:
    """Let decay take as much in fewer steps: kappa times as much a step, of which the learning rate brings its part."""
    for knob, value in parts.knobs.items():
        if knob != parts.rate and value and _takes(parts, {knob: 0.0}) == 0:
            factor = (
                kappa / grown if _takes(parts, {parts.rate or knob: 2 * parts.lr}) > 1.5 * (parts.decay or 0) else kappa
            )
            return [Scaled(knob, value * factor, f"{exact(float(f'{factor:.6g}'))} * {knob}")]
    return []


def _takes(parts: Parts, changed: Mapping[str, float]) -> float:
    return Parts(parts.rule, {**parts.knobs, **changed}).decay or 0.0


def walked(setting: Setting, noise: float, steps: int) -> Run:
    """Read how far noise carries x in so many steps, in the root mean square of many coordinates."""
    stream = f"normal:scale={noise:.12g},seed=3,size={COORDINATES}"
    return measured(setting, Run("", stream, steps, "x", steps, over="rms"))


def batch_numbers(setting: Setting, kappa: int = KAPPA) -> Iterator[Claim]:
    """Yield what the knobs become for a batch kappa times as large, and the walk that shows it."""
    parts = parts_of(setting)
    new = scaled(parts, kappa)
    if not new:
        return
    told = listed([f"{each.knob}={four_digits(each.value)}" for each in new])
    yield Claim(
        "numbers",
        f"With {kappa} times the batch, and so {kappa} times fewer steps: {told}.",
        "computed",
        Comparison(("knob", "now", "then", "formula"), tuple(
            (each.knob, parts.knobs[each.knob], each.value, each.formula) for each in new
        )),
        parts.rate or "",
    )  # fmt: skip
    before = walked(setting, 1.0, STEPS)
    then = setting
    for each in new:
        then = then.turned(each.knob, each.value)
    after = walked(then, kappa**-0.5, STEPS // kappa)
    if not before.value or not after.value or not np.isfinite([before.value, after.value]).all():
        return
    alike = abs(after.value / before.value - 1) < ALIKE
    told = "as it should" if alike else "which is not the same: this rule does not keep to it"
    yield Claim(
        "numbers",
        f"Noise carries x by {four_digits(before.value)} in {STEPS} steps now, and by {four_digits(after.value)} in "
        f"{STEPS // kappa} of the larger batch then, {told}.",
        "computed",
        Number(before.value if alike else after.value, Formula("the same walk in fewer steps"), SOURCE, after, ALIKE),
        parts.rate or "",
    )  # fmt: skip


def token_half_life(gain: float, kappa: float) -> float:
    """Give the decay rate that has the same half-life in tokens when the batch is kappa times as large: gain**kappa.

    >>> round(token_half_life(0.999, 8), 6)
    0.992028
    """
    return float(gain**kappa)
