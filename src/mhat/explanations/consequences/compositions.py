"""By what the whole step is multiplied, composed through all lines: a formula of knobs and the step number alone.

It holds whatever the gradients are, apart from `eps`, and it is believed only where two runs confirm it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mhat.explanations.claims import Formula, Number, four_digits
from mhat.explanations.consequences.effects import Effect, run_of, telling_of
from mhat.explanations.consequences.factors import chooses, equal, expression_text, times_what, value_at
from mhat.explanations.consequences.formulas import elsewhere, formula_of
from mhat.explanations.consequences.inlining import lines_of, written_out
from mhat.explanations.consequences.pairs import MOVED, Course, Pair, step_of
from mhat.explanations.consequences.panel import STEADY, Panel
from mhat.explanations.consequences.speech import as_long, listed, times
from mhat.language import Rule
from mhat.language.algebra import ONE, ZERO, added, subtracted
from mhat.language.recurrences import recurrence_of
from mhat.language.tree import Expression, Name, Operation
from mhat.language.tree import Number as Literal
from mhat.language.walking import mapped, names_in

SHOWN = (1, 2, 10, 100, 1000)
# Where a factor of the step number has come to its end, and how far it is looked for.
END = 10**7
NEAR = 0.01
CONFIRMED = 2e-3
LONGEST = 60
TOLD = "told"


def of_step(panel: Panel, said: Sequence[Expression] = ()) -> Effect | None:
    """Say by what the step is multiplied, where it is one number a step for all gradients, and that is confirmed.

    `said`: factors that were told already.
    """
    factor = factor_of_step(panel.pair)
    if factor is None or factor == ONE or not _confirmed(panel, factor):
        return None
    pair = panel.pair
    values = {step: value_at(factor, pair.known, step) for step in SHOWN}
    text = expression_text(factor)
    shown = text if len(text) <= LONGEST else ""
    if "t" not in names_in(factor) and values[1] < 0:
        words, kind = f"every step goes the wrong way, uphill{_long(values[1])}", "sign"
    elif "t" not in names_in(factor):
        formula = f", {shown}" if shown and shown != four_digits(values[1]) else ""
        words, kind = f"every step is {as_long(values[1])}{formula}{_same_as(pair, values[1])}", "scaled"
    else:
        told = any(equal(factor, each) for each in said)
        words, kind = _over_steps(pair, factor, values, TOLD if told else shown)
    course = panel.course(STEADY)
    run = run_of(pair, course, "wrong", MOVED, 100)
    right = float(course.right[MOVED][99])
    evidence = Number(
        right * values[100], Formula(f"{text} times the right step"), "composed through all lines", run, CONFIRMED
    )
    telling = max(telling_of(abs(value)) for value in values.values())
    return Effect(kind, f"Whatever the gradients are, {words}", evidence, telling)


def _long(factor: float) -> str:
    return "" if abs(factor + 1.0) < 1e-6 else f", {times(-factor)} as far as it should"


def _same_as(pair: Pair, factor: float) -> str:
    """Say which learning rate would do the same, where another one makes the same steps longer wherever x is."""
    return f": lr = {four_digits(pair.lr * factor)} would do the same" if pair.unit and not pair.decays else ""


def _over_steps(pair: Pair, factor: Expression, values: Mapping[int, float], shown: str) -> tuple[str, str]:
    last = value_at(factor, pair.known, END)
    parts = [f"{four_digits(values[step])} at step {step}" for step in (1, 2, 10, 100)]
    begin = f"a step is {shown or 'so many'} times as long as it should be: {listed(parts)}"
    if shown == TOLD:
        begin = "the step is so many times as long too"
    if abs(last) < 1e-6 or not math.isfinite(last) or abs(last) > 1e6:
        return begin, "dies" if abs(last) < 1e-6 else "grows"
    there = _arrives(pair, factor, last)
    if abs(last - 1.0) < 1e-6:
        return f"{begin}; from step {there} on it is right to 1 %", "transient"
    return f"{begin}; in the end, from step {there} on, it is {four_digits(last)}{_formula(pair, factor)}", "limit"


def _formula(pair: Pair, factor: Expression) -> str:
    measured = [
        (value_at(factor, knobs, END), knobs)
        for knobs in (pair.known, *({**pair.known, **other} for other in elsewhere(pair.known)))
    ]
    found = formula_of(measured)
    return "" if found is None else f", {expression_text(found)}"


def _arrives(pair: Pair, factor: Expression, last: float) -> int:
    """Find the step from which on the factor stays near to its last value."""
    far, near = 1, END
    for step in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000):
        far = step if abs(value_at(factor, pair.known, step) / last - 1.0) > NEAR else far
    while near - far > 1:
        middle = (near + far) // 2
        near, far = (near, middle) if abs(value_at(factor, pair.known, middle) / last - 1.0) > NEAR else (middle, far)
    return near


def _confirmed(panel: Panel, factor: Expression) -> bool:
    """Whether runs on two streams show the factor, step by step."""
    steps = np.array([1, 2, 3, 5, 10, 30, 100, 300, 1000])
    wanted = np.array([value_at(factor, panel.pair.known, int(step)) for step in steps])
    return all(_shows(panel.course(stream), steps, wanted) for stream in (STEADY, "normal"))


def _shows(course: Course, steps: np.ndarray, wanted: np.ndarray) -> bool:
    wrong, right = (values[steps - 1] for values in course.moves)
    expected = wanted * right
    return bool(np.all(np.abs(wrong - expected) <= CONFIRMED * np.abs(expected) + 1e-300))


def factor_of_step(pair: Pair) -> Expression | None:
    """Compose both steps through all lines down to the states, without eps, and give what one is times the other."""
    right, wrong = step_of(pair.right.tree.result), step_of(pair.wrong.tree.result)
    scales = _scales(pair)
    if right is None or wrong is None or scales is None:
        return None
    own, other = _expanded(pair.wrong, wrong, scales), _expanded(pair.right, right, {})
    if own is None or other is None or ZERO in (own, other):
        return None
    factor = times_what(own, other)
    allowed = {"t", *pair.known} - {"eps"}
    return factor if names_in(factor) <= allowed and not chooses(factor) else None


def _scales(pair: Pair) -> dict[str, Expression] | None:
    """Give by what each state is multiplied; None where one of them is not just the right one a number of times."""
    if set(pair.right.tree.state_names) != set(pair.wrong.tree.state_names):
        return None
    starts = {state.name: state.start for state in pair.right.tree.states}
    scales: dict[str, Expression] = {}
    for state in pair.wrong.tree.states:
        right, wrong = recurrence_of(pair.right, state.name), recurrence_of(pair.wrong, state.name)
        if not equal(state.start, starts[state.name]):
            return None
        if right is None or wrong is None:
            if right is not wrong:
                return None
            continue
        if not equal(right.gain, wrong.gain):
            return None
        if equal(right.fed, wrong.fed):
            continue
        factor = times_what(wrong.fed, right.fed)
        if not names_in(factor) <= set(pair.known) or state.start != ZERO:
            return None
        scales[state.name] = factor
    return scales


def _expanded(rule: Rule, node: Expression, scales: Mapping[str, Expression]) -> Expression | None:
    """Write variables as what their last lines make them, states with their scales, and eps as nothing."""
    lines = lines_of(rule)
    if "g" in lines or "x" in lines:
        return None

    def change(part: Expression) -> Expression:
        if not isinstance(part, Name):
            return _without_nothing(part)
        if part.id == "eps":
            return ZERO
        return Operation("mul", (scales[part.id], part)) if part.id in scales else part

    return mapped(written_out(node, lines), change)


def _without_nothing(node: Expression) -> Expression:
    """Leave out what is added of nothing."""
    if isinstance(node, Operation) and node.op in ("add", "sub") and ZERO in node.arguments:
        return (added if node.op == "add" else subtracted)(*node.arguments)
    if isinstance(node, Operation) and node.op in ("mul", "div") and node.arguments[0] == ZERO:
        return ZERO
    if isinstance(node, Operation) and node.op == "mul" and node.arguments[1] == ZERO:
        return Literal(0.0)
    return node
