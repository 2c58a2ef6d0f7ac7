"""What is remembered: half-lives, the weights of the past, how long corrections matter, how long to warm up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Formula, Number, Proof, Run, four_digits
from mhat.explanations.numbers.averages import Average, Changing
from mhat.explanations.numbers.parts import LATE, Parts, parts_of
from mhat.explanations.numbers.readings import measured
from mhat.explanations.numbers.responses import Spot
from mhat.explanations.numbers.wording import listed, steps_long
from mhat.explanations.runs import Setting
from mhat.language import Expression, Operation, Rule, of_tree
from mhat.language import Number as Literal
from mhat.language.values import value_of
from mhat.language.walking import mapped_tree, names_in, subexpressions
from mhat.printers.python import expression_text

SHOWN = (0, 1, 2, 5, 10, 20, 50, 100, 1000)
HARDLY = 0.01
LONGEST = 200_000
# Steps at which a share that changes is told.
TIMES = (1, 10, 100)


def past_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what the averages of a rule remember."""
    parts = parts_of(setting)
    if parts.followers:
        names = listed([f"`{name}`" for name in parts.followers])
        shown = Proof(tuple(f"`{name}` begins at x" for name in parts.followers))
        yield Claim(
            "numbers", f"{names} begin where x does and go with it: no averages of the gradient.", "proved", shown
        )
    yield from (changing_share(parts, each) for each in parts.changing)
    if not parts.averages and not parts.followers and not parts.changing:
        yield Claim(
            "numbers", "It remembers no gradient: a step is made of the newest one alone.", "proved", _forgets(parts)
        )
        return
    for average in parts.averages:
        yield half_life(setting, average)
    yield from weights(setting)
    yield from corrections(setting)


def changing_share(parts: Parts, changing: Changing) -> Claim:
    """Say which share of itself a state keeps, step by step, where that is not always the same."""
    known = dict(parts.knobs)
    per_step = names_in(changing.gain) - set(parts.knobs) - {"t"}
    rows = () if per_step else tuple((t, value_of(changing.gain, {**known, "t": float(t)})) for t in TIMES)
    told = ""
    if rows and all(math.isfinite(share) for _, share in rows):
        told = f": {listed([f'{four_digits(share)} at step {t}' for t, share in rows])}"
        told += "; above 1 it grows by itself" if any(share > 1 for _, share in rows) else ""
    sentence = f"What `{changing.state}` keeps of itself changes from step to step, `{changing.written}`{told}."
    return Claim("numbers", sentence, "computed", Comparison(("step", "share kept"), rows), changing.state)


def _forgets(parts: Parts) -> Proof:
    return Proof(("no state of the rule takes in the gradient",))


def half_life(setting: Setting, average: Average) -> Claim:
    """Say for how many steps a state remembers."""
    name, what = average.state, average.of
    if average.kind == "last":
        return _told(f"`{name}` holds {what} of the last step, and nothing older.", 0.0, average)
    begins = {
        "average": f"`{name}` averages {what}", "sum": f"`{name}` adds up {what}",
        "decaying sum": f"`{name}` adds up {what}, and fades", "maximum": f"`{name}` keeps the largest of {what}",
    }.get(average.kind, f"`{name}` is made of {what}")  # fmt: skip
    if average.gain >= 1:
        return _told(f"{begins} and forgets nothing: it never falls by itself.", math.inf, average)
    over = f" over about the last {four_digits(average.length)} steps" if average.kind == "average" else ""
    tail = f"{over}: without new ones half of it is left after {steps_long(average.half_life)}"
    if average.kind == "decaying sum":
        tail += f". Gradients that stay the same pile up to {four_digits(average.length)} times one of them"
    return _told(f"{begins}{tail}.", average.half_life, average)


def _told(sentence: str, value: float, average: Average) -> Claim:
    written = average.written or four_digits(average.gain)
    formula = Formula(f"ln(2) / -ln({written})", rf"\frac{{\ln 2}}{{-\ln {written}}}") if 0 < average.gain < 1 else None
    number = Number(value, formula, "a geometric sequence", None, unit="steps")
    return Claim("numbers", sentence, "computed", number, average.state)


def weights(setting: Setting) -> Iterator[Claim]:
    """Yield the weights of the past gradients in a step, as they are when all has settled."""
    parts = parts_of(setting)
    kernel = parts.kernel
    if kernel is None or len(kernel) < 4 or not parts.means:
        return
    total = float(kernel.sum())
    ages = [age for age in SHOWN if age < len(kernel) and abs(kernel[age]) > 1e-4 * abs(kernel).max()]
    rows = tuple((age, float(kernel[age])) for age in ages)
    said_rows = ", ".join(f"{four_digits(weight)} ({age})" for age, weight in rows[:6])
    yield Claim(
        "numbers",
        f"In a step the past gradients have these weights, by their age in steps: {said_rows}. All together they are "
        f"{four_digits(total)}.",
        "computed",
        Comparison(("age", "weight"), rows, (_shown_by(setting),)),
    )  # fmt: skip


def _shown_by(setting: Setting) -> Run:
    return measured(setting, Run("", "spike:size=1,base=0,at=1", 100, "update", 1))


def corrections(setting: Setting) -> Iterator[Claim]:
    """Yield for how long what makes up for averages that start at zero matters."""
    parts = parts_of(setting)
    for text, factor in corrected_by(setting.rule, parts):
        length = matters_for(parts, factor)
        if length is None:
            continue
        yield Claim(
            "numbers",
            f"The correction `{text}` is {four_digits(_value(parts, factor, 1))} at step 1, and within "
            f"1% of 1 from step "
            f"{length} on.",
            "computed",
            Number(length, Formula(f"abs({text} - 1) < 0.01"), "the correction itself", None, unit="steps"),
            text,
        )  # fmt: skip


def corrected_by(rule: Rule, parts: Parts) -> list[tuple[str, tuple[int, Expression]]]:
    """List what averages are divided by that goes to one with the steps: its text, and where it is read."""
    found: dict[str, tuple[int, Expression]] = {}
    for place, value in enumerate((*(line.value for line in rule.tree.body), rule.tree.result)):
        for node in subexpressions(value):
            if not (isinstance(node, Operation) and node.op == "div"):
                continue
            under = node.arguments[1]
            if _is_number(parts, node.arguments[0]) or not _is_number(parts, under) or isinstance(under, Literal):
                continue
            first, late = (_value(parts, (place, under), step) for step in (1, LATE))
            if math.isclose(late, 1.0, abs_tol=1e-9) and not math.isclose(first, 1.0, abs_tol=1e-9):
                found.setdefault(expression_text(under), (place, under))
    return list(found.items())


def _is_number(parts: Parts, node: Expression) -> bool:
    of = parts.rule.dependence.of
    reached = {deep for name in names_in(node) for deep in of.get(name, frozenset({name}))}
    reached |= {name for name in names_in(node) if name in ("x", "g")}
    return not reached & {"x", "g"}


def _value(parts: Parts, factor: tuple[int, Expression], step: int) -> float:
    return _course(parts.rule, tuple(sorted(parts.knobs.items())), factor, step)


@lru_cache(maxsize=512)
def _course(rule: Rule, knobs: tuple[tuple[str, float], ...], factor: tuple[int, Expression], step: int) -> float:
    part = Parts(rule, dict(knobs))
    first = max(1, step - 300)
    begun = part.walk(np.ones((step - first + 1, 1)), first=first, spots=(Spot(*factor),))
    return float(begun.spots[0].reshape(-1)[-1])


def matters_for(parts: Parts, factor: tuple[int, Expression]) -> int | None:
    """Give the first step from which on a correction is within a hundredth of one."""
    high = 1
    while abs(_value(parts, factor, high) - 1) >= HARDLY:
        high *= 2
        if high > LONGEST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if abs(_value(parts, factor, middle) - 1) >= HARDLY else (low, middle)
    return high


def without_corrections(rule: Rule, parts: Parts) -> Rule | None:
    """Give the rule without what makes up for averages that start at zero; None where it has none."""
    texts = {text for text, _ in corrected_by(rule, parts)}
    if not texts:
        return None

    def bare(node: Expression) -> Expression:
        divides = isinstance(node, Operation) and node.op == "div" and expression_text(node.arguments[1]) in texts
        return node.arguments[0] if divides else node  # type: ignore[union-attr]

    return of_tree(mapped_tree(rule.tree, bare))


def warm_up(parts: Parts) -> tuple[Average, float] | None:
    """Give the slowest average that is divided by, and 2 / (1 - its decay rate); None where there is none."""
    slow = [each for each in parts.sizes if each.gain < 1]
    if not slow or parts.step.degree != 0:
        return None
    slowest = max(slow, key=lambda each: each.gain)
    return slowest, 2 / (1 - slowest.gain)
