"""What keeps a denominator from zero: which number, where it stands, and from which gradients on it rules the step.

It knows no rule and no knob by its name: a floor is a number without the gradient's unit beside what has one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Formula, Number, Proof, four_digits
from mhat.explanations.numbers.parts import LATE, Parts, parts_of
from mhat.explanations.numbers.past import corrected_by
from mhat.explanations.numbers.readings import move
from mhat.explanations.numbers.responses import Floor
from mhat.explanations.numbers.wording import in_rates
from mhat.explanations.runs import Setting
from mhat.language import Name
from mhat.language.values import value_of
from mhat.language.walking import names_in
from mhat.notation.decimals import exact
from mhat.printers.python import expression_text

SIZES = (1e-10, 1e-8, 1e-6, 1e-4, 1.0)
SMALL = 1e-4


@dataclass(frozen=True)
class Standing:
    """A floor as it stands: its number, what it is beside, and the gradient at which both are alike.

    `first` at step 1, `late` after all corrections.
    """

    floor: Floor
    value: float
    name: str
    beside: str
    first: float
    late: float

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        if self.floor.form == "least":
            return f"is the least that `{self.beside}` may be"
        return f"is added to `{self.beside}`" + (", under the root" if self.floor.degree == 2.0 else "")

    @property
    def corrected(self) -> bool:
        """Whether it means the same at step 1 and later: it stands beside what is corrected, or needs no correction."""
        return math.isclose(self.first, self.late, rel_tol=1e-6)


def standing(parts: Parts) -> list[Standing]:
    """List the floors that the step stands on, the last one in the rule last."""
    found = []
    for floor in parts.floors:
        if not names_in(floor.spot.expression) <= set(parts.knobs):
            continue
        value = value_of(floor.spot.expression, parts.knobs)
        if not 0 <= value < math.inf:
            continue
        first, late = _alike(parts, floor, value, None), _alike(parts, floor, value, LATE)
        if first is not None and late is not None:
            name, beside = expression_text(floor.spot.expression), expression_text(floor.beside.expression)
            found.append(Standing(floor, value, name, beside, first, late))
    return found


def _alike(parts: Parts, floor: Floor, value: float, late: int | None) -> float | None:
    """Give the size of a constant gradient at which a floor is as large as what it stands beside."""
    if late is None:
        seen = parts.walk(np.full((1, 1), 1e3), parts.moving, spots=(floor.beside,)).spots[0][0, 0]
        seen /= 1e3**floor.degree
    else:
        states, gradients = parts.steady
        walked = parts.walk(gradients, parts.moving, spots=(floor.beside,), held=True, first=late + 400, states=states)
        # On a constant gradient what is squared may vanish, as g - m does.
        constant, alternating = walked.spots[0][0]
        seen = constant if constant > 1e-3 * alternating else alternating
    return float((value / seen) ** (1 / floor.degree)) if np.isfinite(seen) and seen > 0 else None


def share(parts: Parts, size: float) -> float:
    """Give the share of the step that floors leave to a constant gradient of some size, once all has settled.

    Gradients of another size are the same as floors of another size: that is what having a unit means.
    """
    changed, bare = dict(parts.knobs), dict(parts.knobs)
    for floor in parts.floors:
        if isinstance(floor.spot.expression, Name):
            knob = floor.spot.expression.id
            changed[knob] = parts.knobs[knob] / size**floor.degree
            bare[knob] = 0.0
    with_floor, without = Parts(parts.rule, changed).answers, Parts(parts.rule, bare).answers
    if with_floor is None or without is None or not without[0]:
        return math.nan
    return with_floor[0] / without[0]


def half_size(parts: Parts) -> float | None:
    """Give the size of a constant gradient at which the floors halve the step; None where none does."""
    if parts.step.degree != 0 or not any(isinstance(floor.spot.expression, Name) for floor in parts.floors):
        return None
    near = [each for each in standing(parts) if each.late]
    for each in near:
        guess = each.late / (2 if each.floor.form == "least" else 1 if each.floor.degree == 1 else math.sqrt(3))
        if math.isclose(share(parts, guess), 0.5, rel_tol=1e-6):
            return guess
    low, high = (min(each.late for each in near) / 100, max(each.late for each in near) * 100) if near else (1e-30, 1.0)
    if not (share(parts, low) < 0.5 < share(parts, high)):
        return None
    while high / low > 1 + 1e-5:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if share(parts, middle) < 0.5 else (low, middle)
    return math.sqrt(low * high)


def floor_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what floors do: where they stand, where they rule, and the share of the step they take."""
    parts = parts_of(setting)
    stands = standing(parts)
    if not stands:
        yield from _without(setting)
        return
    for each in stands:
        yield Claim(
            "numbers", f"`{each.name}` = {exact(each.value)} {each.place}{_alike_at(parts, each)}.", "computed",
            Number(each.late, Formula(_alike_formula(each)), "both sides set equal"), each.name,
        )  # fmt: skip
    yield from _half(setting, stands[-1])
    yield from _shares(setting, stands[-1].name)


def _alike_at(parts: Parts, each: Standing) -> str:
    """Say at which gradients a floor is as large as what it stands beside."""
    if not each.value:
        return ", and is zero here: a gradient of zero is divided by nothing"
    if each.corrected:
        return f"; at gradients of size {four_digits(each.late)} both are alike"
    if parts.answers is None:
        return f"; at step 1 both are alike at gradients of size {four_digits(each.first)}, and later at others"
    why = "where it is not corrected" if corrected_by(parts.rule, parts) else "what it stands beside begins at zero"
    later, first = four_digits(each.late), four_digits(each.first)
    return f"; at gradients of size {later} both are alike, at step 1 ({why}) at {first}"


def _alike_formula(each: Standing) -> str:
    root = "" if each.floor.degree == 1.0 else "sqrt" if each.floor.degree == 2.0 else "root"
    return f"abs(g) = {root}({each.name})" if root else f"abs(g) = {each.name}"


def _half(setting: Setting, last: Standing) -> Iterator[Claim]:
    parts = parts_of(setting)
    half = half_size(parts)
    if half is None:
        return
    half = float(f"{half:.6g}")
    run = move(setting, f"constant:{-half:.12g}", 1)
    whole = move(setting, "constant:-1e6", 1)
    seen = (run.value or 0.0) / whole.value if whole.value else math.nan
    shown = run if math.isclose(seen, 0.5, rel_tol=1e-3) else None
    yield Claim(
        "numbers",
        f"A gradient of size {four_digits(half)} that stays makes half a step. Far below, a step is "
        f"proportional to the "
        f"gradient, as if nothing were divided; far above, its size does not matter.",
        "computed",
        Number(
            0.5 * whole.value if shown and whole.value else half, Formula("step = half of what it is for large ones"),
            "", shown, 1e-3,
        ),
        last.name,
    )  # fmt: skip


def _shares(setting: Setting, about: str) -> Iterator[Claim]:
    parts = parts_of(setting)
    if parts.step.degree != 0:
        return
    rows = tuple((size, share(parts, size)) for size in SIZES)
    if any(math.isnan(part) for _, part in rows) or rows[-1][1] < 0.5:
        return
    runs = tuple(move(setting, f"constant:{-size:g}", 1) for size in SIZES)
    small = next(((size, part) for size, part in rows if 0.9 < part < 1 - 1e-6), None)
    told = (
        f" At a gradient of {exact(small[0])} it still takes {four_digits(100 * (1 - small[1]))}% of the step."
        if small
        else ""
    )
    yield Claim(
        "numbers", f"Of a step it leaves {_listed(rows)}.{told}", "computed",
        Comparison(("gradient", "share of the step"), rows, runs), about,
    )  # fmt: skip


def _listed(rows: tuple[tuple[float, float], ...]) -> str:
    return ", ".join(f"{four_digits(100 * part)}% at {exact(size)}" for size, part in rows[:4])


def _without(setting: Setting) -> Iterator[Claim]:
    parts = parts_of(setting)
    if not parts.reads_gradient:
        return
    divides = parts.quotient is not None and parts.quotient.under is not None
    if not divides:
        yield Claim(
            "numbers", "It divides by nothing that the gradient makes, so it needs no small number there.", "proved",
            Proof(("no line of the rule divides by what has the gradient's unit",)),
        )  # fmt: skip
        return
    run = move(setting, "zeros", 1)
    outcome = "not a number" if run.value is None or math.isnan(run.value) else in_rates(run.value / parts.lr, parts)
    yield Claim(
        "numbers",
        f"It divides by what the gradient makes, and nothing keeps that from zero: at a gradient of zero its first "
        f"step is {outcome}.",
        "computed",
        Number(run.value if run.value is not None else math.nan, None, "", run),
    )  # fmt: skip
