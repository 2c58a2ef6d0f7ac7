"""Slips as edits with a sentence: in the words of the edits that mhat knows, where one of them does the same.

It compares nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from mhat.checks.readings.known import by_changes
from mhat.checks.readings.slips import HOLE, Slip, changes_of
from mhat.checks.readings.walk import Way
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import mapped
from mhat.mistakes.paths import at, said
from mhat.mistakes.slots import RESULT, Edit, value_at

# Of more slips together no edit that does them all is looked for.
MOST = 6


def edits_of_way(tree: Tree, way: Way) -> list[tuple[Edit, tuple[Slip, ...]]]:
    """Make edits of slips: first those that several of them are together, then each."""
    left = list(way.slips)
    made: list[tuple[Edit, tuple[Slip, ...]]] = []
    known = by_changes(tree)
    for size in range(min(len(left), MOST), 1, -1):
        for chosen in combinations(list(left), size):
            if all(slip in left for slip in chosen):
                edit = known.get(frozenset(changes_of(tree, chosen)))
                if edit is not None:
                    made.append((edit, chosen))
                    left = [slip for slip in left if slip not in chosen]
    for slip in left:
        made.append((_edit(tree, slip, known, way.cost / max(len(way.slips), 1)), (slip,)))
    return made


def _edit(tree: Tree, slip: Slip, known: Mapping[frozenset, Edit], cost: float) -> Edit:  # type: ignore[type-arg]
    changes = changes_of(tree, [slip])
    edit = known.get(frozenset(changes))
    if edit is not None:
        return edit
    return Edit(sentence(tree, slip), changes, "read", cost)


def sentence(tree: Tree, slip: Slip) -> str:
    """Say what stands at a place of the reference."""
    where = "in the result" if slip.slot == RESULT else f"in `{tree.body[int(slip.slot[1])].targets[0]}`"
    node = at(value_at(tree, slip.slot), slip.path)
    assert node is not None
    plain = f"{where} {_said(slip, node)}"
    return plain if slip.condition is None else f"{plain}, {_when(slip.condition)}"


def _said(slip: Slip, node: Expression) -> str:
    if slip.kind == "put":
        assert slip.new is not None
        return f"{said(slip.new)} stands where {said(node)} should"
    if slip.kind == "around":
        assert slip.new is not None
        return _around(slip.new, node)
    made = slip.made(node)
    return f"{said(made)} stands where {said(node)} should"


def _around(new: Expression, node: Expression) -> str:
    match new:
        case Operation("add", (part, other)) if part == HOLE:
            return f"{said(other)} is added to {said(node)}"
        case Operation("sub", (part, other)) if part == HOLE:
            return f"{said(other)} is taken from {said(node)}"
        case Operation("mul", (part, other)) if part == HOLE:
            return f"{said(node)} is multiplied by {said(other)}"
        case Operation("div", (part, other)) if part == HOLE:
            return f"{said(node)} is divided by {said(other)}"
        case Operation("sqrt", _):
            return f"a root is taken of {said(node)}"
        case Operation("pow", (_, Number(2.0))):
            return f"{said(node)} is squared"
        case Operation("neg", _):
            return f"the sign of {said(node)} is changed"
    whole = mapped(new, lambda part: node if part == HOLE else part)
    return f"{said(whole)} stands where {said(node)} should"


def _when(condition: Expression) -> str:
    match condition:
        case Operation("eq", (Name("k"), Number(value))):
            return f"in tensor {value:g} only"
        case Operation("ne", (Name("k"), Number(value))):
            return f"in every tensor but {value:g}"
        case Operation("gt", (Name("k"), Number(1.0))):
            return "in every tensor but the first"
        case Operation("eq", (Name("t"), Number(1.0))):
            return "at the first step only"
        case Operation("ne", (Name("t"), Number(1.0))) | Operation("gt", (Name("t"), Number(1.0))):
            return "from the second step on"
    return f"where {said(condition)}"
