"""How a change stands in the states after some steps: products of gains, and what they lead to, predicted and measured.

It knows no rule by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Comparison, Formula, Number, Proof, four_digits
from mhat.explanations.consequences.causes import STEPS, Cause, sentence_of
from mhat.explanations.consequences.effects import Effect, run_of, side_by_side
from mhat.explanations.consequences.factors import expression_text, value_at
from mhat.explanations.consequences.pairs import Course, Pair
from mhat.explanations.consequences.panel import STEADY, Panel
from mhat.explanations.consequences.speech import listed
from mhat.language.recurrences import recurrence_of
from mhat.language.tree import Name, Operation, Tree
from mhat.language.values import value_of
from mhat.language.walking import names_in, subexpressions

LATE = 100
# Causes that are said, and the longest sentence of one that only repeats the lines.
MOST_CAUSES = 3
LONGEST = 200


def of_causes(panel: Panel, causes: list[Cause]) -> Iterator[Effect]:
    """Say what was changed, then what it makes of the states under a constant gradient."""
    pair = panel.pair
    again = sorted((cause for cause in causes if cause.kind == "again"), key=lambda cause: -_lasting(cause, pair))
    if again:
        yield from _corrected_again(again, pair)
    for cause in [cause for cause in causes if not again or cause.kind not in ("again", "line")][:MOST_CAUSES]:
        sentence = sentence_of(cause, pair)
        if len(sentence) <= LONGEST:
            yield Effect("cause", _capital(sentence), _evidence(cause, pair), 0.0, cause.about)
    course = panel.course(STEADY)
    order = again + [cause for cause in causes if cause not in again]
    read = _read_by_the_step(pair.wrong.tree)
    touched = [cause.about for cause in order if cause.about in pair.wrong.tree.state_names and cause.about in read]
    standing = _standing(pair, course, list(dict.fromkeys(touched)))
    if standing is not None:
        yield standing
    predicted = _predicted(pair, course) if again or standing is not None else None
    if predicted is not None and (again or predicted.kind != "predicted"):
        yield predicted


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _evidence(cause: Cause, pair: Pair) -> Comparison | Proof:
    """Show a factor at some steps; else the two expressions are the evidence."""
    if cause.factor is not None and cause.kind in ("gain", "again", "weight", "factor"):
        rows = tuple(zip(STEPS, cause.factors_at(pair.known), strict=True))
        return Comparison(("step", expression_text(cause.factor)), rows)
    parts = [("as it is", cause.new), ("as it should be", cause.old)]
    steps = tuple(f"{name}: {expression_text(part)}" for name, part in parts if part is not None)
    return Proof(steps, source="read from the lines")


def _lasting(cause: Cause, pair: Pair) -> float:
    product = abs(cause.products_at(pair.known)[-1])
    return abs(math.log(product)) if 0.0 < product < math.inf else math.inf


def _corrected_again(causes: list[Cause], pair: Pair) -> Iterator[Effect]:
    """Say what each state is multiplied by at every step, and what the factors of all steps come to."""
    parts = [f"`{cause.about}` by {expression_text(cause.factor)}" for cause in causes if cause.factor is not None]
    sentence = f"Each step multiplies {listed(parts)} once more, and carries that on to the next"
    yield Effect("cause", sentence, _evidence(causes[0], pair), 0.0, causes[0].about)
    totals = [cause.products_at(pair.known) for cause in causes]
    rows = tuple((step, *(products[i] for products in totals)) for i, step in enumerate(STEPS))
    head = ("up to step", *(f"product for {cause.about}" for cause in causes))
    factors = listed(
        [
            f"{four_digits(value)} at step {step}"
            for step, value in zip(STEPS, causes[0].factors_at(pair.known), strict=True)
        ]
    )
    sentence = (
        f"For `{causes[0].about}` that is {factors}; their product up to step {LATE} is {four_digits(totals[0][-1])}"
    )
    others = [
        f"{four_digits(products[-1])} for `{cause.about}`"
        for cause, products in zip(causes[1:], totals[1:], strict=True)
    ]
    sentence += f", and {listed(others)}" if others else ""
    yield Effect("grows" if totals[0][-1] > 1 else "dies", sentence, Comparison(head, rows), 5.0, causes[0].about)


def _standing(pair: Pair, course: Course, touched: list[str]) -> Effect | None:
    """Say where the states that were changed stand after a hundred steps of a constant gradient."""
    told = []
    shown = []
    for name in touched:
        if name not in course.right or name not in course.wrong:
            continue
        wrong, right = (float(values[name][LATE - 1]) for values in (course.wrong, course.right))
        if not math.isfinite(wrong) or abs(wrong - right) <= 0.01 * abs(right):
            continue
        root = f" (its root at {four_digits(math.sqrt(wrong))})" if wrong > 0 and _is_rooted(pair, name) else ""
        told.append(f"`{name}` stands at {four_digits(wrong)} where {four_digits(right)} is right{root}")
        shown.append(name)
    if not told:
        return None
    evidence = [side_by_side(pair, course, (1, 2, 10, LATE), name) for name in shown]
    rows = tuple((name, *row) for name, one in zip(shown, evidence, strict=True) for row in one.rows)
    runs = tuple(run for one in evidence for run in one.runs)
    sentence = f"After {LATE} steps of a constant gradient of 10 {listed(told)}"
    return Effect("standing", sentence, Comparison(("variable", *evidence[0].head), rows, runs), 1.0)


def _read_by_the_step(tree: Tree) -> set[str]:
    """Collect what the new x is made of, through all lines."""
    read = names_in(tree.result)
    while True:
        more = {name for line in tree.body if read.intersection(line.targets) for name in names_in(line.value)} - read
        if not more:
            return read
        read |= more


def _is_rooted(pair: Pair, name: str) -> bool:
    """Whether the root of a state itself is taken."""
    parts = (part for line in pair.wrong.tree.body for part in subexpressions(line.value))
    return any(isinstance(part, Operation) and part.op == "sqrt" and part.arguments[0] == Name(name) for part in parts)


def _predicted(pair: Pair, course: Course) -> Effect | None:
    """Compute the last variable from the products of gains alone, and hold it against what was measured."""
    names = [
        name
        for name in pair.wrong.variables
        if name in pair.right.variables and name not in pair.wrong.tree.state_names
    ]
    if not names or names[-1] not in course.right:
        return None
    name = names[-1]
    measured, right = float(course.wrong[name][LATE - 1]), float(course.right[name][LATE - 1])
    if not math.isfinite(measured) or abs(measured - right) <= 0.01 * abs(right):
        return None
    value = _by_products(pair, name)
    if value is None or not math.isclose(value, measured, rel_tol=1e-3):
        return None
    run = run_of(pair, course, "wrong", name, LATE)
    sentence = (
        f"So `{name}` must be {four_digits(value)} at step {LATE}, as these numbers predict it; "
        f"measured is {measured!r}, "
        f"where {four_digits(right)} is right"
    )
    kind = "dies" if abs(measured) < 1e-3 * abs(right) else "grows" if abs(measured) > 1e3 * abs(right) else "predicted"
    formula = Formula("s at step n = sum over j of fed(j) * gain(j + 1) * ... * gain(n)")
    return Effect(kind, sentence, Number(value, formula, "the recurrences of the states", run), 5.0, name)


def _by_products(pair: Pair, name: str) -> float | None:
    """Compute a variable at a late step: each state from the products of its gains, then the lines that read them."""
    tree, known = pair.wrong.tree, {**pair.known, "g": 10.0, "x": 0.0, "t": float(LATE), "k": 1.0, "n": 1.0}
    states: dict[str, float] = {}
    for state in tree.states:
        value = _state_at(pair, state.name)
        if value is None:
            return None
        states[state.name] = value
    known.update(states)
    for line in tree.body:
        if len(line.targets) != 1 or line.targets[0] in states:
            continue
        try:
            known[line.targets[0]] = value_of(line.value, known)
        except (KeyError, OverflowError, ZeroDivisionError, ValueError):
            return None
        if line.targets[0] == name:
            return known[name]
    return None


def _state_at(pair: Pair, name: str) -> float | None:
    recurrence = recurrence_of(pair.wrong, name)
    allowed = {"t", "g", "k", "n", *pair.wrong.knobs}
    if recurrence is None or not names_in(recurrence.fed) | names_in(recurrence.gain) <= allowed:
        return None
    known = {**pair.known, "g": 10.0}
    gains = [value_at(recurrence.gain, known, step) for step in range(1, LATE + 1)]
    fed = [value_at(recurrence.fed, known, step) for step in range(1, LATE + 1)]
    start = next(state.start for state in pair.wrong.tree.states if state.name == name)
    first = value_at(start, {**known, "x": 0.0}, 1)
    # From the last step back: the product of all gains after a step is what its share has been multiplied by.
    with np.errstate(all="ignore"):
        after = np.concatenate([np.cumprod(gains[:0:-1])[::-1], [1.0]])
        return float(np.sum(np.array(fed) * after) + first * np.prod(gains))
