"""Mistakes in what is averaged, and how: other kinds of averages, products, differences. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language.recurrences import shares_of
from mhat.language.tree import Assignment, Expression, Name, Operation, Tree
from mhat.language.vocabulary import meaning_of
from mhat.language.walking import names_in, renamed
from mhat.mistakes.lines import reading_after
from mhat.mistakes.paths import ONE, TWO, ZERO, T, operation, said
from mhat.mistakes.slots import Content, Edit, Slot, Spot, line_spots, spots

# A state that an edit adds.
LARGEST = "largest"


def averaging(tree: Tree) -> Iterator[Edit]:
    """Yield all of them."""
    yield from _kinds(tree)
    yield from _largest(tree)
    yield from _ahead(tree)
    yield from _products(tree)
    yield from _roots_of_sums(tree)
    yield from _powers_of_two_knobs(tree)
    yield from _exchanged_steps(tree)


def _kinds(tree: Tree) -> Iterator[Edit]:
    """Keep the largest, the sum or the plain mean where an average that decays should be."""
    for spot in line_spots(tree):
        parts = shares_of(spot.line)
        if parts is None:
            continue
        decay, _, new = parts
        state = Name(spot.target)
        kept = operation("mul", decay, state)
        kinds = (
            (operation("maximum", kept, new), f"the larger of {said(kept)} and {said(new)}"),
            (operation("maximum", state, spot.part), "the largest that it has been"),
            (operation("maximum", state, new), f"the largest {said(new)} so far"),
            (operation("add", state, new), f"the sum of every {said(new)}"),
            (_moved_by_one_in_t(state, new), f"the mean of every {said(new)}"),
        )  # fmt: skip
        for value, word in kinds:
            sentence = f"`{spot.target}` is {word}, not an average that decays"
            yield spot.edit(value, sentence, "averaged", 1.1, f"kind:{word[:11]}")


def _moved_by_one_in_t(state: Expression, new: Expression) -> Expression:
    return operation("add", state, operation("div", operation("sub", new, state), T))


def _largest(tree: Tree) -> Iterator[Edit]:
    """Use the largest value that a variable has had so far."""
    for spot in line_spots(tree):
        target = spot.target
        stored = Assignment((LARGEST,), operation("maximum", Name(LARGEST), Name(target)))
        later = reading_after(tree, spot.index, {target: LARGEST})
        if later:
            begun: list[tuple[Slot, Content]] = [(("start", LARGEST), ZERO), (spot.slot, (spot.line, stored))]
            yield Edit(f"the largest `{target}` so far is used", (*begun, *later), "remembered", 1.1)


def _ahead(tree: Tree) -> Iterator[Edit]:
    """Mix the new gradient once more into what has been averaged, wherever that is read."""
    averages = [parts for spot in line_spots(tree) if (parts := shares_of(spot.line)) is not None]
    for spot in spots(tree):
        part = spot.part
        if not isinstance(part, Name) or part.id in (*tree.knob_names, "x", "g", "t", "k", "n"):
            continue
        for decay, rate, new in averages:
            mixed = operation("add", operation("mul", decay, part), operation("mul", rate, new))
            if names_in(mixed) <= {part.id, *names_in(decay), *names_in(rate), "g"}:
                yield _instead(spot, mixed, "graft", 1.2)


def _instead(spot: Spot, new: Expression, operator: str, cost: float) -> Edit:
    return spot.edit(new, f"{spot.where} {said(new)} stands where {said(spot.part)} should", operator, cost)


def _products(tree: Tree) -> Iterator[Edit]:
    """Take a product where a square should be, or a difference from a state where a name should."""
    others = ("g", *tree.state_names)
    for spot in spots(tree):
        part = spot.part
        if isinstance(part, Operation) and part.op == "pow" and part.arguments[1] == TWO:
            base = part.arguments[0]
            for other in others:
                if base != Name(other):
                    yield _instead(spot, operation("mul", base, Name(other)), "square lost", 1.15)
        if isinstance(part, Name) and part.id in others:
            for other in others:
                if other != part.id:
                    yield _instead(spot, operation("sub", part, Name(other)), "difference", 1.2)


def _roots_of_sums(tree: Tree) -> Iterator[Edit]:
    """Take the roots of terms and not the root of their sum; weights stand outside of the roots."""
    for spot in spots(tree):
        if not (isinstance(spot.part, Operation) and spot.part.op == "sqrt"):
            continue
        total = spot.part.arguments[0]
        if isinstance(total, Operation) and total.op in ("add", "sub"):
            roots = replace(total, arguments=tuple(_rooted(term, tree) for term in total.arguments))
            sentence = f"{spot.where} roots are taken of the terms of {said(total)} and not of their sum"
            yield spot.edit(roots, sentence, "root moved", 1.15)


def _rooted(term: Expression, tree: Tree) -> Expression:
    if isinstance(term, Operation) and term.op == "mul" and names_in(term.arguments[0]) <= set(tree.knob_names):
        return replace(term, arguments=(term.arguments[0], _rooted(term.arguments[1], tree)))
    if isinstance(term, Operation) and term.op == "pow" and term.arguments[1] == TWO:
        return operation("abs", term.arguments[0])
    return operation("sqrt", term)


def _powers_of_two_knobs(tree: Tree) -> Iterator[Edit]:
    """Keep a power as a running product, and multiply it by another knob than the one that it began with."""
    shares = [knob for knob in tree.knob_names if meaning_of(knob).is_share]
    for spot in spots(tree):
        part = spot.part
        if not (isinstance(part, Operation) and part.op == "pow" and part.arguments[1] == T):
            continue
        base, before = part.arguments[0], operation("sub", T, ONE)
        for other in map(Name, shares):
            if other != base:
                for new in (
                    operation("mul", base, operation("pow", other, before)),
                    operation("mul", other, operation("pow", base, before)),
                ):
                    yield _instead(spot, new, "power", 1.15)


def _exchanged_steps(tree: Tree) -> Iterator[Edit]:
    """Do two operations in the other order: the second one first, and the first one with what that gives."""
    lines = list(line_spots(tree))
    for i, early in enumerate(lines):
        first = early.target
        for late in lines[i + 1 :]:
            second = late.target
            if first not in names_in(late.part) or first in tree.state_names:
                continue
            for name in sorted(names_in(early.part) & {"g", *tree.state_names} - {second}):
                before = replace(late.line, value=renamed(late.part, {first: name}))
                after = replace(early.line, value=renamed(early.part, {name: second}))
                changes = [(early.slot, (before,)), (late.slot, (after,))]
                sentence = f"`{second}` is made of `{name}` before `{first}` is made of `{second}`"
                rest = reading_after(tree, late.index, {second: first})
                yield Edit(sentence, (*changes, *rest), "moved", 1.2)
