"""A rule taken apart into its operations, so that changes of one line can be joined too. It runs nothing.

A line is its operations, each with what may be put around it, and the storing of its value. A change fills some of
these parts anew, and the parts that are no longer read are empty then. What it keeps of a line is referred to by
name, so that another change may still fill it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mhat.language.tree import Assignment, Expression, Name, Operation, Tree
from mhat.language.walking import mapped, names_in
from mhat.mistakes import ADDED
from mhat.mistakes.paths import Path, at, places
from mhat.mistakes.slots import Content, Slot, slots_of

# (slot, path, "at" or "around") for an operation, (slot, (), "store") for where the value goes, or a start.
Part = tuple[Slot, Path, str]
# The order of the lines, which lines in place of their contents fill.
ORDER: Part = (("order", ""), (), "")
Filling = Expression | tuple[Assignment, ...] | None
Parts = Mapping[Part, Filling]


def reference(slot: Slot, path: Path) -> Name:
    """Give the name that stands for an operation of the rule."""
    return Name(f"@{slot[0]} {slot[1]} {'.'.join(map(str, path))}")


class Anatomy:
    """The parts of one tree, in the order in which they run."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.slots = slots_of(tree)
        self._values = {slot: _value_of(content) for slot, content in self.slots.items()}
        self._referred = {
            reference(slot, path).id: (slot, path)
            for slot, value in self._values.items()
            if value is not None and slot[0] != "start"
            for path, node in places(value)
            if isinstance(node, Operation)
        }
        self.whole: dict[Part, Filling] = {(("start", name), (), "store"): None for name in ADDED}
        for slot, content in self.slots.items():
            self.whole |= self._taken_apart(slot, content)

    def _taken_apart(self, slot: Slot, content: Content) -> dict[Part, Filling]:
        value = self._values[slot]
        if value is None or slot[0] == "start" or not isinstance(value, Operation):
            return {(slot, (), "store"): content}
        parts: dict[Part, Filling] = {}
        for path, node in _from_the_leaves(value):
            arguments = tuple(
                reference(slot, (*path, i)) if isinstance(argument, Operation) else argument
                for i, argument in enumerate(node.arguments)
            )
            parts[slot, path, "at"] = replace(node, arguments=arguments)
            parts[slot, path, "around"] = None
        root = reference(slot, ())
        parts[slot, (), "store"] = (replace(content[0], value=root),) if isinstance(content, tuple) else root
        return parts

    def parts(self, changes: Mapping[Slot, Content]) -> dict[Part, Filling]:
        """Say which parts changes of slots fill anew, and with what."""
        order: Any = self._order(changes)
        if order is not None:
            return {ORDER: order}
        found: dict[Part, Filling] = {}
        for slot, content in changes.items():
            base = self._values.get(slot)
            new = _value_of(content)
            if base is None or slot[0] == "start":
                found[slot, (), "store"] = content
            elif new is not None and isinstance(base, Operation) and _targets(content) == _targets(self.slots[slot]):
                self._compare(slot, (), base, new, found)
            else:
                self._store(slot, content, found)
        return found

    def _order(self, changes: Mapping[Slot, Content]) -> tuple[int, ...] | None:
        """Give the order of the lines if changes do no more than change it."""
        if len(changes) < 2 or any(slot[0] != "line" for slot in changes):
            return None
        lines = list(self.tree.body)
        moved = [lines[int(slot[1])] for slot in changes]
        if any(line not in moved for content in changes.values() if isinstance(content, tuple) for line in content):
            return None
        contents = [changes.get(("line", i), (line,)) for i, line in enumerate(lines)]
        left = dict(enumerate(lines))
        order = []
        for line in (line for content in contents if isinstance(content, tuple) for line in content):
            place = next((i for i, other in left.items() if other == line), None)
            if place is None:
                return None
            del left[place]
            order.append(place)
        return None if left or order == sorted(order) else tuple(order)

    def _compare(self, slot: Slot, path: Path, base: Operation, new: Expression, found: dict[Part, Filling]) -> None:
        """Find the smallest parts in which an expression differs from the one that it replaces."""
        if new == base:
            return
        if any(part == base for _, part in places(new)):
            found[slot, path, "around"] = mapped(new, lambda n: reference(slot, path) if n == base else n)
            return
        if isinstance(new, Operation) and _kind(new) == _kind(base):
            pairs = list(zip(base.arguments, new.arguments, strict=True))
            if all(isinstance(old, Operation) for old, now in pairs if old != now):
                for i, (old, now) in enumerate(pairs):
                    if isinstance(old, Operation):
                        self._compare(slot, (*path, i), old, now, found)
                return
        kept = {node: (*path, *below) for below, node in places(base) if below and isinstance(node, Operation)}
        template, used = _with_references(new, slot, kept, frozenset())
        found[slot, path, "at"] = template
        self._empty(slot, path, used, found)

    def _store(self, slot: Slot, content: Content, found: dict[Part, Filling]) -> None:
        """Fill what stores a line anew; the operations that its content still has are kept."""
        base = self._values[slot]
        kept = {node: path for path, node in places(base) if isinstance(node, Operation)} if base is not None else {}
        used: set[Path] = set()
        if isinstance(content, tuple):
            lines, assigned = [], frozenset[str]()
            for line in content:
                value, more = _with_references(line.value, slot, kept, assigned)
                used |= more
                assigned |= set(line.targets)
                lines.append(replace(line, value=value))
            found[slot, (), "store"] = tuple(lines)
        else:
            found[slot, (), "store"], used = _with_references(content, slot, kept, frozenset())
        if isinstance(base, Operation) and () not in used:
            found[slot, (), "at"] = found[slot, (), "around"] = None
            self._empty(slot, (), used, found)

    def _empty(self, slot: Slot, path: Path, used: set[Path], found: dict[Part, Filling]) -> None:
        """Empty the parts below one that are no longer read."""
        base = self._values[slot]
        assert base is not None
        node = at(base, path)
        assert node is not None
        for below, inner in places(node):
            whole = (*path, *below)
            if below and isinstance(inner, Operation) and not any(whole[: len(u)] == u for u in used):
                found[slot, whole, "at"] = found[slot, whole, "around"] = None

    def changes(self, parts: Parts) -> dict[Slot, Content]:
        """Give the slots as they are with some parts filled anew; the inverse of `parts`."""
        order: Any = parts.get(ORDER)
        changed = {slot: self._filled(slot, parts) for slot, _, _ in parts if slot != ORDER[0]}
        if order is None:
            return changed
        lines = {("line", i): self._filled(("line", j), parts) for i, j in enumerate(order)}
        return changed | {slot: content for slot, content in lines.items() if content != self.slots[slot]}

    def _filled(self, slot: Slot, parts: Parts) -> Content:
        store = slot, (), "store"
        content = parts[store] if store in parts else self.whole[store]
        if isinstance(content, tuple):
            return tuple(replace(line, value=self._resolved(line.value, parts)) for line in content)
        assert content is not None
        return self._resolved(content, parts)

    def _resolved(self, template: Expression, parts: Parts, inside: str = "") -> Expression:
        """Put what they stand for in the place of references, but for the one `inside`."""

        def change(node: Expression) -> Expression:
            if not isinstance(node, Name) or node.id == inside or node.id not in self._referred:
                return node
            slot, path = self._referred[node.id]
            inner = parts.get((slot, path, "at")) or self.whole[slot, path, "at"]
            assert isinstance(inner, Name | Operation) or inner is not None
            found = self._resolved(inner, parts)  # type: ignore[arg-type]
            around = parts.get((slot, path, "around"))
            if around is None:
                return found
            outer = self._resolved(around, parts, node.id)  # type: ignore[arg-type]
            return mapped(outer, lambda n: found if n == node else n)

        return mapped(template, change)


def _value_of(content: Content) -> Expression | None:
    """Give the expression of a slot's content; None if it is not one line with one target."""
    if not isinstance(content, tuple):
        return content
    return content[0].value if len(content) == 1 and len(content[0].targets) == 1 else None


def _targets(content: Content) -> list[tuple[str, ...]]:
    return [line.targets for line in content] if isinstance(content, tuple) else []


def _from_the_leaves(node: Expression, path: Path = ()) -> Iterator[tuple[Path, Operation]]:
    if isinstance(node, Operation):
        for i, argument in enumerate(node.arguments):
            yield from _from_the_leaves(argument, (*path, i))
        yield path, node


def _kind(node: Operation) -> tuple[Any, ...]:
    """Give all of an operation but its arguments."""
    return node.op, node.over, node.options, len(node.arguments)


def _with_references(
    node: Expression, slot: Slot, kept: Mapping[Operation, Path], assigned: frozenset[str]
) -> tuple[Expression, set[Path]]:
    """Refer to the operations that are kept, unless they read what has been assigned anew; and tell which."""
    if not isinstance(node, Operation):
        return node, set()
    if node in kept and not names_in(node) & assigned:
        return reference(slot, kept[node]), {kept[node]}
    used: set[Path] = set()
    arguments: list[Any] = []
    for argument in node.arguments:
        new, more = _with_references(argument, slot, kept, assigned)
        arguments.append(new)
        used |= more
    return replace(node, arguments=tuple(arguments)), used
