"""Mistakes in what is averaged, and how: other kinds of averages, products, differences. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import meaning_of
from mhat.language.walking import names_in, renamed
from mhat.mistakes.lines import average_parts, reading_after, single_lines
from mhat.mistakes.paths import operation, places, replaced, said
from mhat.mistakes.slots import RESULT, Content, Edit, Slot

ONE, TWO, T = Number(1.0), Number(2.0), Name("t")
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


def _line(tree: Tree, i: int, value: Expression) -> tuple[Slot, Content]:
    return ("line", i), (replace(tree.body[i], value=value),)


def _slots(tree: Tree) -> Iterator[tuple[Slot, Expression, str]]:
    for i, target, line in single_lines(tree):
        yield ("line", i), line.value, f"in `{target}`"
    yield RESULT, tree.result, "in the result"


def _changed(tree: Tree, slot: Slot, value: Expression) -> tuple[tuple[Slot, Content], ...]:
    return ((RESULT, value),) if slot == RESULT else (_line(tree, int(slot[1]), value),)


def _kinds(tree: Tree) -> Iterator[Edit]:
    """Keep the largest, the sum or the plain mean where an average that decays should be."""
    for i, target, line in single_lines(tree):
        parts = average_parts(line)
        if parts is None:
            continue
        decay, _, new = parts
        state = Name(target)
        kept = operation("mul", decay, state)
        kinds = (
            (operation("maximum", kept, new), f"the larger of {said(kept)} and {said(new)}"),
            (operation("maximum", state, line.value), "the largest that it has been"),
            (operation("maximum", state, new), f"the largest {said(new)} so far"),
            (operation("add", state, new), f"the sum of every {said(new)}"),
            (_moved_by_one_in_t(state, new), f"the mean of every {said(new)}"),
        )  # fmt: skip
        for value, word in kinds:
            sentence = f"`{target}` is {word}, not an average that decays"
            yield Edit(sentence, (_line(tree, i, value),), "averaged", 1.1, f"kind:{word[:11]}")


def _moved_by_one_in_t(state: Expression, new: Expression) -> Expression:
    return operation("add", state, operation("div", operation("sub", new, state), T))


def _largest(tree: Tree) -> Iterator[Edit]:
    """Use the largest value that a variable has had so far."""
    for i, target, line in single_lines(tree):
        stored = Assignment((LARGEST,), operation("maximum", Name(LARGEST), Name(target)))
        later = reading_after(tree, i, {target: LARGEST})
        if later:
            begun: list[tuple[Slot, Content]] = [(("start", LARGEST), Number(0.0)), (("line", i), (line, stored))]
            yield Edit(f"the largest `{target}` so far is used", (*begun, *later), "remembered", 1.1)


def _ahead(tree: Tree) -> Iterator[Edit]:
    """Mix the new gradient once more into what has been averaged, wherever that is read."""
    averages = [parts for _, _, line in single_lines(tree) if (parts := average_parts(line)) is not None]
    for slot, value, where in _slots(tree):
        for path, part in places(value):
            if not isinstance(part, Name) or part.id in (*tree.knob_names, "x", "g", "t", "k", "n"):
                continue
            for decay, rate, new in averages:
                mixed = operation("add", operation("mul", decay, part), operation("mul", rate, new))
                if names_in(mixed) <= {part.id, *names_in(decay), *names_in(rate), "g"}:
                    sentence = f"{where} {said(mixed)} stands where `{part.id}` should"
                    yield Edit(sentence, _changed(tree, slot, replaced(value, path, mixed)), "graft", 1.2)


def _products(tree: Tree) -> Iterator[Edit]:
    """Take a product where a square should be, or a difference from a state where a name should."""
    for slot, value, where in _slots(tree):
        others = ("g", *tree.state_names)
        for path, part in places(value):
            if isinstance(part, Operation) and part.op == "pow" and part.arguments[1] == TWO:
                base = part.arguments[0]
                for other in others:
                    if base != Name(other):
                        new = operation("mul", base, Name(other))
                        sentence = f"{where} {said(new)} stands where {said(part)} should"
                        yield Edit(sentence, _changed(tree, slot, replaced(value, path, new)), "square lost", 1.15)
            if isinstance(part, Name) and part.id in others:
                for other in others:
                    if other != part.id:
                        new = operation("sub", part, Name(other))
                        sentence = f"{where} {said(new)} stands where `{part.id}` should"
                        yield Edit(sentence, _changed(tree, slot, replaced(value, path, new)), "difference", 1.2)


def _roots_of_sums(tree: Tree) -> Iterator[Edit]:
    """Take the roots of terms and not the root of their sum; weights stand outside of the roots."""
    for slot, value, where in _slots(tree):
        for path, part in places(value):
            if not (isinstance(part, Operation) and part.op == "sqrt"):
                continue
            total = part.arguments[0]
            if isinstance(total, Operation) and total.op in ("add", "sub"):
                new = replace(total, arguments=tuple(_rooted(term, tree) for term in total.arguments))
                sentence = f"{where} roots are taken of the terms of {said(total)} and not of their sum"
                yield Edit(sentence, _changed(tree, slot, replaced(value, path, new)), "root moved", 1.15)


def _rooted(term: Expression, tree: Tree) -> Expression:
    if isinstance(term, Operation) and term.op == "mul" and names_in(term.arguments[0]) <= set(tree.knob_names):
        return replace(term, arguments=(term.arguments[0], _rooted(term.arguments[1], tree)))
    if isinstance(term, Operation) and term.op == "pow" and term.arguments[1] == TWO:
        return operation("abs", term.arguments[0])
    return operation("sqrt", term)


def _powers_of_two_knobs(tree: Tree) -> Iterator[Edit]:
    """Keep a power as a running product, and multiply it by another knob than the one that it began with."""
    shares = [knob for knob in tree.knob_names if meaning_of(knob).is_share]
    for slot, value, where in _slots(tree):
        for path, part in places(value):
            if not (isinstance(part, Operation) and part.op == "pow" and part.arguments[1] == T):
                continue
            base = part.arguments[0]
            for other in shares:
                rest = operation("pow", Name(other), operation("sub", T, ONE))
                for new in (
                    operation("mul", base, rest),
                    operation("mul", Name(other), operation("pow", base, rest.arguments[1])),
                ):
                    if Name(other) != base:
                        sentence = f"{where} {said(new)} stands where {said(part)} should"
                        yield Edit(sentence, _changed(tree, slot, replaced(value, path, new)), "power", 1.15)


def _exchanged_steps(tree: Tree) -> Iterator[Edit]:
    """Do two operations in the other order: the second one first, and the first one with what that gives."""
    lines = list(single_lines(tree))
    for i, first, line in lines:
        for j, second, other in lines:
            if not (i < j and first in names_in(other.value) and first not in tree.state_names):
                continue
            for name in sorted(names_in(line.value) & {"g", *tree.state_names} - {second}):
                early = replace(other, value=renamed(other.value, {first: name}))
                late = replace(line, value=renamed(line.value, {name: second}))
                changes = [(("line", i), (early,)), (("line", j), (late,)), *reading_after(tree, j, {second: first})]
                sentence = f"`{second}` is made of `{name}` before `{first}` is made of `{second}`"
                yield Edit(sentence, tuple(changes), "moved", 1.2)
