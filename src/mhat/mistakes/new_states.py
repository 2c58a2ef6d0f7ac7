"""Mistakes that remember what a rule does not: a new state comes with them. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.walking import mapped, names_in
from mhat.mistakes.averages import LARGEST
from mhat.mistakes.lines import single_lines
from mhat.mistakes.paths import operation, replaced, said
from mhat.mistakes.slots import AFTER, BEFORE, RESULT, Content, Edit, Slot
from mhat.mistakes.throughout import addends, exchanged_name, throughout

ZERO, ONE, G, X, T = Number(0.0), Number(1.0), Name("g"), Name("x"), Name("t")
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
    for slot, path, which, term in addends(tree):
        if "x" not in names_in(term):
            continue
        away = mapped(term, exchanged_name("x", operation("sub", X, Name(FIRST))))
        whole = tree.result if slot == RESULT else tree.body[int(slot[1])].value
        new = replaced(whole, (*path, which), away)
        content: Content = new if slot == RESULT else (replace(tree.body[int(slot[1])], value=new),)
        sentence = f"{said(term)} pulls towards where x was at the start, not towards 0"
        yield Edit(sentence, ((("start", FIRST), X), (slot, content)), "remembered", 1.15)


def _rate(tree: Tree) -> Iterator[Edit]:
    """Overwrite the learning rate with the corrected one, so that the corrections of all steps multiply."""
    if "lr" not in tree.knob_names or "lr" not in names_in(tree.result):
        return
    corrections: list[tuple[int, Expression, Expression]] = []
    for i, _, line in single_lines(tree):
        value = line.value
        if isinstance(value, Operation) and value.op == "div" and "t" in names_in(value.arguments[1]):
            corrections.append((i, value.arguments[0], value.arguments[1]))
    result = mapped(tree.result, exchanged_name("lr", Name(RATE)))
    if len(corrections) == 2:
        (i, first, by_first), (j, second, by_second) = corrections
        factor = operation("div", operation("sqrt", by_second), by_first)
        stored = Assignment((RATE,), operation("mul", Name(RATE), factor))
        changes: dict[Slot, Content] = {("start", RATE): Name("lr"), RESULT: result}
        changes["line", i] = (replace(tree.body[i], value=first),)
        changes["line", j] = (replace(tree.body[j], value=second),)
        changes[AFTER] = (stored,)
        sentence = "the learning rate is overwritten by the corrected one: the corrections of all steps multiply"
        yield Edit(sentence, tuple(changes.items()), "remembered", 1.1)


def scheduled(tree: Tree) -> Iterator[Edit]:
    """Let the learning rate fall with the steps, or forget a state once in so many."""
    if "lr" in tree.knob_names:
        for factor, sentence in _schedules():
            changes = throughout(tree, exchanged_name("lr", operation("mul", Name("lr"), factor)))
            if changes:
                yield Edit(sentence, changes, "scheduled", 1.2)
    for i, target, line in single_lines(tree):
        if target not in tree.state_names or target not in names_in(line.value):
            continue
        start = next(state.start for state in tree.states if state.name == target)
        if names_in(start):
            continue
        for every in (2, 3, 4, 5, 6, 7, 8, 10):
            due = operation("eq", operation("mod", T, Number(float(every))), Number(1.0))
            forgets = operation("where", due, start, Name(target))
            new = replace(line, value=mapped(line.value, exchanged_name(target, forgets)))
            sentence = f"`{target}` starts anew once in {every} steps"
            yield Edit(sentence, ((("line", i), (new,)),), "scheduled", 1.2, f"anew:{every}")


def _schedules() -> Iterator[tuple[Expression, str]]:
    yield operation("div", ONE, operation("sqrt", T)), "the learning rate is divided by `sqrt(t)`"
    yield operation("div", ONE, T), "the learning rate is divided by `t`"


def powers_in_a_line(tree: Tree) -> Iterator[Edit]:
    """Raise a knob to the power of the step number throughout one line, as a schedule of it."""
    for i, target, line in single_lines(tree):
        for knob in sorted(names_in(line.value) & set(tree.knob_names) - {"lr", "eps"}):
            if "t" in names_in(line.value):
                continue
            new = mapped(line.value, exchanged_name(knob, operation("pow", Name(knob), T)))
            sentence = f"in `{target}` `{knob}**t` stands wherever `{knob}` should"
            yield Edit(sentence, ((("line", i), (replace(line, value=new),)),), "power added", 1.05)
