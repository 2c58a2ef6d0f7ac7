"""Changes of several lines that are one mistake: made alike, or exchanged throughout. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from mhat.language.recurrences import shares_of
from mhat.language.tree import Assignment, Expression, Name, Operation, Tree
from mhat.language.walking import mapped, names_in
from mhat.mistakes.expressions import counters
from mhat.mistakes.lines import before_all
from mhat.mistakes.paths import ONE, G, operation, places, replaced, said
from mhat.mistakes.shapes import Term, terms
from mhat.mistakes.slots import AFTER, RESULT, Content, Edit, Slot, line_spots, worded_slots


def throughout(
    tree: Tree, change: Callable[[Expression], Expression], where: Callable[[Assignment], bool] | None = None
) -> tuple[tuple[Slot, Content], ...]:
    """Change every node of all lines (or of those chosen) and of the result; only what changes is listed."""
    changes: list[tuple[Slot, Content]] = []
    for i, line in enumerate(tree.body):
        if where is not None and not where(line):
            continue
        value = mapped(line.value, change)
        if value != line.value:
            changes.append((("line", i), (replace(line, value=value),)))
    result = mapped(tree.result, change)
    if where is None and result != tree.result:
        changes.append((RESULT, result))
    return tuple(changes)


def exchanged_name(name: str, new: Expression) -> Callable[[Expression], Expression]:
    """Make the change that puts an expression wherever a name stands."""
    return lambda node: new if isinstance(node, Name) and node.id == name else node


def counted(tree: Tree) -> Iterator[Edit]:
    """Count the steps wrongly throughout, and in all powers alone."""
    for new, sentence in counters():
        changes = throughout(tree, exchanged_name("t", new))
        if changes:
            yield Edit(sentence, changes, "counter everywhere", 0.9)


def knobs_exchanged(tree: Tree) -> Iterator[Edit]:
    """Exchange two knobs, use one in place of another, or its complement, throughout or in all averages."""
    for first, second in combinations(tree.knob_names, 2):
        both = {first: Name(second), second: Name(first)}

        def change(node: Expression, both: dict[str, Name] = both) -> Expression:
            return both.get(node.id, node) if isinstance(node, Name) else node

        if changes := throughout(tree, change):
            yield Edit(f"`{first}` and `{second}` are exchanged", changes, "knobs exchanged")
        for old, new in ((first, second), (second, first)):
            if len(changes := throughout(tree, exchanged_name(old, Name(new)))) > 0:
                yield Edit(f"`{new}` stands wherever `{old}` should", changes, "knob everywhere", 1.1)
    for knob in tree.knob_names:
        new_value = operation("sub", ONE, Name(knob))
        if changes := throughout(tree, exchanged_name(knob, new_value)):
            yield Edit(f"`{knob}` is taken for its complement `1 - {knob}`", changes, "complement everywhere")
    yield from _knobs_in_a_line(tree)
    yield from _averages_complemented(tree)


def _knobs_in_a_line(tree: Tree) -> Iterator[Edit]:
    """Use another knob, or the complement, wherever a knob stands in one line, if it stands there more than once."""
    for spot in line_spots(tree):
        read = [part.id for _, part in places(spot.part) if isinstance(part, Name) and part.id in tree.knob_names]
        for knob in sorted({name for name in read if read.count(name) > 1}):
            others: list[Expression] = [Name(other) for other in tree.knob_names if other != knob]
            for new in (*others, operation("sub", ONE, Name(knob))):
                value = mapped(spot.part, exchanged_name(knob, new))
                sentence = f"{spot.where} {said(new)} stands wherever `{knob}` should"
                yield spot.edit(value, sentence, "knob everywhere", 1.05)


def _averages_complemented(tree: Tree) -> Iterator[Edit]:
    """Take the knobs of averages for their complements, there and not in the corrections."""
    changes: list[tuple[Slot, Content]] = []
    for spot in line_spots(tree):
        parts = shares_of(spot.line)
        if parts is None or not isinstance(spot.part, Operation):
            continue
        decay, rate, _ = parts
        if rate != operation("sub", ONE, decay):
            continue
        old, new = spot.part.arguments
        assert isinstance(old, Operation) and isinstance(new, Operation)
        swapped = operation(
            "add",
            replace(old, arguments=tuple(rate if a == decay else a for a in old.arguments)),
            replace(new, arguments=(decay, new.arguments[1])),
        )
        edit = spot.edit(swapped, f"the weights of the average `{spot.target}` are exchanged", "weights exchanged")
        changes += edit.changes
        yield edit
    if len(changes) > 1:
        yield Edit("the weights of all averages are exchanged", tuple(changes), "weights exchanged")


def weights_elsewhere(tree: Tree) -> Iterator[Edit]:
    """Take a knob for its complement wherever it is not what an average decays by."""
    for knob in tree.knob_names:
        change = exchanged_name(knob, operation("sub", ONE, Name(knob)))

        def is_other(line: Assignment, knob: str = knob) -> bool:
            parts = shares_of(line)
            return "t" not in names_in(line.value) and (parts is None or parts[0] != Name(knob))

        changes = throughout(tree, change, is_other)
        if 1 < len(changes) < len(throughout(tree, change)):
            sentence = f"`1 - {knob}` stands wherever `{knob}` should, but in averages and corrections"
            yield Edit(sentence, changes, "complement everywhere", 1.1)


def corrections_complemented(tree: Tree) -> Iterator[Edit]:
    """Change the base of all powers with the step number."""
    for word, make in (
        ("the complement of the decay rate", lambda base: operation("sub", ONE, base)),
        ("the square of the decay rate", lambda base: operation("mul", base, base)),
    ):

        def change(node: Expression, make: Callable[[Expression], Expression] = make) -> Expression:
            if isinstance(node, Operation) and node.op == "pow" and "t" in names_in(node.arguments[1]):
                return replace(node, arguments=(make(node.arguments[0]), node.arguments[1]))
            return node

        if changes := throughout(tree, change):
            yield Edit(f"all powers of the step number are of {word}", changes, "powers", 1.2)

    def without_power(node: Expression) -> Expression:
        if isinstance(node, Operation) and node.op == "pow" and "t" in names_in(node.arguments[1]):
            return node.arguments[0]
        return node

    if changes := throughout(tree, without_power):
        yield Edit("the power of the step number is missing everywhere", changes, "powers", 0.85)


def moved_terms(tree: Tree) -> Iterator[Edit]:
    """Move a term that is added to one place, to another: into a root, out of a factor, to the gradient."""
    every = list(worded_slots(tree))
    numbers = {whole.slot: number for number, whole in enumerate(every)}
    for term in terms(tree):
        here, without = term.sum, term.sum.holding(term.rest)
        for there in every:
            base = without if there.slot == here.slot else there.part
            # The nearer it stands to its right place, the likelier.
            far = 0.01 * abs(numbers[here.slot] - numbers[there.slot])
            for place, node in places(base):
                for op, word, cost in (("add", "added to", 1.0), ("sub", "taken from", 1.15)):
                    new = replaced(base, place, operation(op, node, term.expression))
                    changes = [there.change(new)]
                    if there.slot != here.slot:
                        changes.insert(0, here.change(term.rest))
                    elif new == here.whole:
                        continue
                    sentence = f"{said(term.expression)} is {word} {said(node)} and not to {said(term.rest)}"
                    yield Edit(sentence, tuple(changes), "term moved", far + cost)
        yield _to_gradient(term)


def _to_gradient(term: Term) -> Edit:
    """Add the term to the gradient before anything else."""
    gradient = operation("add", G, term.expression)
    coupled = before_all(gradient, f"{said(term.expression)} is added to the gradient", "term moved", 1.0)
    return replace(coupled, changes=(*coupled.changes, term.sum.change(term.rest)))


def terms_in_turn(tree: Tree) -> Iterator[Edit]:
    """Apply two terms of the result one after the other: the second sees the parameter that the first has moved."""
    for path, part in places(tree.result):
        if not (isinstance(part, Operation) and part.op in ("add", "sub")) or not path:
            continue
        first, second = part.arguments
        only_second = second if part.op == "add" else operation("neg", second)
        a, b = replaced(tree.result, path, first), replaced(tree.result, path, only_second)
        for before, after, term in ((a, b, second), (b, a, first)):
            if "x" in names_in(before) and "x" in names_in(after):
                changes: tuple[tuple[Slot, Content], ...] = (
                    (AFTER, (Assignment(("x",), before),)),
                    (RESULT, after),
                )
                sentence = f"{said(term)} is applied after the rest of the step, to the parameter already moved"
                yield Edit(sentence, changes, "in turn")


def alike(edits: list[tuple[tuple[object, ...], Edit]]) -> Iterator[Edit]:
    """Join changes of the same kind at the same place of two or three different lines into one."""
    groups: dict[tuple[object, ...], list[Edit]] = {}
    for key, edit in edits:
        groups.setdefault(key, []).append(edit)
    for members in groups.values():
        if not 2 <= len(members) <= 8:
            continue
        for size in (2, 3):
            for chosen in combinations(members, size):
                slots = [edit.slots for edit in chosen]
                if len(frozenset().union(*slots)) != sum(map(len, slots)):
                    continue
                changes = tuple(change for edit in chosen for change in edit.changes)
                sentences = list(dict.fromkeys(edit.sentence for edit in chosen))
                cost = max(edit.cost for edit in chosen) + 0.05
                yield Edit(" and ".join(sentences), changes, chosen[0].operator, cost)
