"""One difference of a line from what was read: what stands there instead, and the lines with some of them made.

It compares nothing. Several slips of one line are made together, each at its place in the line as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mhat.language.tree import Expression, Name, Operation, Tree
from mhat.language.walking import mapped
from mhat.mistakes.paths import Path
from mhat.mistakes.slots import Content, Slot, content, value_at

HOLE = Name("@")


@dataclass(frozen=True)
class Slip:
    """What stands at a place of a line: something else, a part of it alone, another operation, something around it.

    `condition`: it is so only there. `seen`: the operation of the rule that was read in which it shows.
    """

    slot: Slot
    path: Path
    kind: str  # put, kept, operator, around, into root, out of root
    new: Expression | None = None
    keep: int = 0
    op: str = ""
    condition: Expression | None = None
    seen: Expression | None = None

    def on(self, node: Expression) -> Expression:
        """Make the slip at its place."""
        made = self.made(node)
        return made if self.condition is None else Operation("where", (self.condition, made, node))

    def made(self, node: Expression) -> Expression:
        if self.kind == "around":
            assert self.new is not None
            return mapped(self.new, lambda part: node if part == HOLE else part)
        if self.kind == "put":
            assert self.new is not None
            return self.new
        assert isinstance(node, Operation)
        if self.kind == "into root":
            root, other = node.arguments
            assert isinstance(root, Operation)
            return Operation("sqrt", (Operation("add", (root.arguments[0], other)),))
        if self.kind == "out of root":
            inner = node.arguments[0]
            assert isinstance(inner, Operation)
            return Operation("add", (Operation("sqrt", (inner.arguments[0],)), inner.arguments[1]))
        return node.arguments[self.keep] if self.kind == "kept" else replace(node, op=self.op)


def slipped(tree: Tree, slot: Slot, slips: Sequence[Slip]) -> Expression:
    """Give what a line or the result computes with slips; of several at one place the first is the outermost."""
    own = [slip for slip in slips if slip.slot == slot]

    def rebuilt(node: Expression, path: Path) -> Expression:
        if isinstance(node, Operation):
            parts = tuple(rebuilt(each, (*path, i)) for i, each in enumerate(node.arguments))
            node = replace(node, arguments=parts)
        for slip in reversed([each for each in own if each.path == path]):
            node = slip.on(node)
        return node

    return rebuilt(value_at(tree, slot), ())


def changes_of(tree: Tree, slips: Sequence[Slip]) -> tuple[tuple[Slot, Content], ...]:
    """Give the slots that slips fill anew."""
    slots = dict.fromkeys(slip.slot for slip in slips)
    return tuple((slot, content(tree, slot, slipped(tree, slot, slips))) for slot in slots)
