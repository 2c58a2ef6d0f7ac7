"""Changes of several lines that are one mistake: made alike, or exchanged throughout. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from mhat.language.tree import Assignment, Expression, Name, Operation, Tree
from mhat.language.walking import mapped, names_in
from mhat.mistakes.expressions import ONE, counters
from mhat.mistakes.lines import average_parts, before_all, single_lines
from mhat.mistakes.paths import at, operation, places, replaced, said
from mhat.mistakes.slots import AFTER, RESULT, Content, Edit, Slot


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
    for i, target, line in single_lines(tree):
        read = [part.id for _, part in places(line.value) if isinstance(part, Name) and part.id in tree.knob_names]
        for knob in sorted({name for name in read if read.count(name) > 1}):
            others: list[Expression] = [Name(other) for other in tree.knob_names if other != knob]
            for new in (*others, operation("sub", ONE, Name(knob))):
                value = mapped(line.value, exchanged_name(knob, new))
                sentence = f"in `{target}` {said(new)} stands wherever `{knob}` should"
                yield Edit(sentence, ((("line", i), (replace(line, value=value),)),), "knob everywhere", 1.05)


def _averages_complemented(tree: Tree) -> Iterator[Edit]:
    """Take the knobs of averages for their complements, there and not in the corrections."""
    changes: list[tuple[Slot, Content]] = []
    for i, _, line in single_lines(tree):
        parts = average_parts(line)
        if parts is None or not isinstance(line.value, Operation):
            continue
        decay, rate, _ = parts
        if rate != operation("sub", ONE, decay):
            continue
        old, new = line.value.arguments
        assert isinstance(old, Operation) and isinstance(new, Operation)
        swapped = operation(
            "add",
            replace(old, arguments=tuple(rate if a == decay else a for a in old.arguments)),
            replace(new, arguments=(decay, new.arguments[1])),
        )
        change = ((("line", i), (replace(line, value=swapped),)),)
        changes += change
        yield Edit(f"the weights of the average `{line.targets[0]}` are exchanged", change, "weights exchanged")
    if len(changes) > 1:
        yield Edit("the weights of all averages are exchanged", tuple(changes), "weights exchanged")


def weights_elsewhere(tree: Tree) -> Iterator[Edit]:
    """Take a knob for its complement wherever it is not what an average decays by."""
    for knob in tree.knob_names:
        change = exchanged_name(knob, operation("sub", ONE, Name(knob)))

        def is_other(line: Assignment, knob: str = knob) -> bool:
            parts = average_parts(line)
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


def addends(tree: Tree) -> list[tuple[Slot, tuple[int, ...], int, Expression]]:
    """Find terms with a knob that are added to something: slot, way to the sum, which operand, the term."""
    found = []
    slots: list[tuple[Slot, Expression]] = [(("line", i), line.value) for i, _, line in single_lines(tree)]
    slots.append((RESULT, tree.result))
    for slot, value in slots:
        for path, part in places(value):
            if not (isinstance(part, Operation) and part.op in ("add", "sub")):
                continue
            for i, term in enumerate(part.arguments):
                if part.op == "sub" and i == 0:
                    continue
                read = names_in(term)
                plain = isinstance(term, Name) and term.id in tree.knob_names
                with_x = "x" in read and bool(read & set(tree.knob_names)) and len(read) <= 3
                if plain or with_x:
                    found.append((slot, path, i, term))
    return found


def _value_of(tree: Tree, slot: Slot) -> Expression:
    return tree.result if slot == RESULT else tree.body[int(slot[1])].value


def _content(tree: Tree, slot: Slot, value: Expression) -> Content:
    return value if slot == RESULT else (replace(tree.body[int(slot[1])], value=value),)


def moved_addends(tree: Tree) -> Iterator[Edit]:
    """Move a term that is added to one place, to another: into a root, out of a factor, to the gradient."""
    every: list[Slot] = [("line", i) for i, _, _ in single_lines(tree)] + [RESULT]
    for slot, path, which, term in addends(tree):
        value = _value_of(tree, slot)
        part = at(value, path)
        assert isinstance(part, Operation)
        without = replaced(value, path, part.arguments[1 - which])
        for other in every:
            base = without if other == slot else _value_of(tree, other)
            for place, node in places(base):
                for op in ("add", "sub"):
                    new = replaced(base, place, operation(op, node, term))
                    if other == slot and new == value:
                        continue
                    changes = [(other, _content(tree, other, new))]
                    if other != slot:
                        changes.insert(0, (slot, _content(tree, slot, without)))
                    word = "added to" if op == "add" else "taken from"
                    sentence = f"{said(term)} is {word} {said(node)} and not to {said(part.arguments[1 - which])}"
                    # The nearer it stands to its right place, the likelier.
                    far = 0.01 * abs(every.index(slot) - every.index(other))
                    yield Edit(sentence, tuple(changes), "term moved", far + (1.0 if op == "add" else 1.15))
        yield from _to_gradient(tree, slot, term, without)


def _to_gradient(tree: Tree, slot: Slot, term: Expression, without: Expression) -> Iterator[Edit]:
    """Add the term to the gradient before anything else."""
    coupled = before_all(operation("add", Name("g"), term), f"{said(term)} is added to the gradient", "term moved", 1.0)
    yield replace(coupled, changes=(*coupled.changes, (slot, _content(tree, slot, without))))


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
