"""Mistakes that remember what a rule does not: a new state comes with them. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.language.tree import Assignment, Expression, Name, Operation, Tree
from mhat.language.walking import mapped, names_in
from mhat.mistakes.averages import LARGEST
from mhat.mistakes.paths import ONE, ZERO, G, T, X, operation, said
from mhat.mistakes.shapes import terms
from mhat.mistakes.slots import AFTER, BEFORE, RESULT, Content, Edit, Slot, Spot, line_spots
from mhat.mistakes.throughout import exchanged_name, throughout

# States that edits may add; none is a name of the rule language.
SUM, OLD, FIRST, RATE = "g_sum", "g_old", "x_first", "rate"
ADDED = (SUM, OLD, FIRST, RATE, LARGEST)


def remembering(tree: Tree) -> Iterator[Edit]:
    """Yield all of them."""
    yield from _gradients(tree)
    yield from _origin(tree)
    yield from _rate(tree)


def _gradients(tree: Tree) -> Iterator[Edit]:
    """Use the sum of all gradients, as if they were never set to zero, or the gradient of the step before."""
    total = Assignment((SUM,), operation("add", Name(SUM), G))
    summed = (total, Assignment(("g",), Name(SUM)))
    sentence = "the gradients are never set to zero: they add up"
    yield Edit(sentence, ((("start", SUM), ZERO), (BEFORE, summed)), "remembered", 1.05)
    now, use, keep = Assignment(("g_now",), G), Assignment(("g",), Name(OLD)), Assignment((OLD,), Name("g_now"))
    sentence = "the gradient of the step before is used"
    yield Edit(sentence, ((("start", OLD), ZERO), (BEFORE, (now, use, keep))), "remembered", 1.2)


def _origin(tree: Tree) -> Iterator[Edit]:
    """Let a term pull towards where x was at the start, and not towards zero."""
    for term in terms(tree):
        if "x" in names_in(term.expression):
            away = mapped(term.expression, exchanged_name("x", operation("sub", X, Name(FIRST))))
            sentence = f"{said(term.expression)} pulls towards where x was at the start, not towards 0"
            changes: tuple[tuple[Slot, Content], ...] = (("start", FIRST), X), term.spot.change(away)
            yield Edit(sentence, changes, "remembered", 1.15)


def _rate(tree: Tree) -> Iterator[Edit]:
    """Overwrite the learning rate with the corrected one, so that the corrections of all steps multiply."""
    if "lr" not in tree.knob_names or "lr" not in names_in(tree.result):
        return
    corrected: list[tuple[Spot, Expression, Expression]] = []
    for spot in line_spots(tree):
        if isinstance(spot.part, Operation) and spot.part.op == "div" and "t" in names_in(spot.part.arguments[1]):
            divided, by = spot.part.arguments
            corrected.append((spot, divided, by))
    if len(corrected) == 2:
        (first, m, by_m), (second, v, by_v) = corrected
        factor = operation("div", operation("sqrt", by_v), by_m)
        changes: tuple[tuple[Slot, Content], ...] = (
            (("start", RATE), Name("lr")),
            (RESULT, mapped(tree.result, exchanged_name("lr", Name(RATE)))),
            first.change(m),
            second.change(v),
            (AFTER, (Assignment((RATE,), operation("mul", Name(RATE), factor)),)),
        )
        sentence = "the learning rate is overwritten by the corrected one: the corrections of all steps multiply"
        yield Edit(sentence, changes, "remembered", 1.1)


def scheduled(tree: Tree) -> Iterator[Edit]:
    """Let the learning rate fall with the steps."""
    if "lr" in tree.knob_names:
        for factor, sentence in _schedules():
            changes = throughout(tree, exchanged_name("lr", operation("mul", Name("lr"), factor)))
            if changes:
                yield Edit(sentence, changes, "scheduled", 1.2)


def _schedules() -> Iterator[tuple[Expression, str]]:
    yield operation("div", ONE, operation("sqrt", T)), "the learning rate is divided by `sqrt(t)`"
    yield operation("div", ONE, T), "the learning rate is divided by `t`"


def powers_in_a_line(tree: Tree) -> Iterator[Edit]:
    """Raise a knob to the power of the step number throughout one line, as a schedule of it."""
    for spot in line_spots(tree):
        for knob in sorted(names_in(spot.part) & set(tree.knob_names) - {"lr", "eps"}):
            if "t" not in names_in(spot.part):
                value = mapped(spot.part, exchanged_name(knob, operation("pow", Name(knob), T)))
                yield spot.edit(value, f"{spot.where} `{knob}**t` stands wherever `{knob}` should", "power added", 1.05)
