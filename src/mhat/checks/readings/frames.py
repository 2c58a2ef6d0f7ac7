"""One step of the reference, line by line, at the points where the rule that was read was computed.

Every value is written over what is there before the step, so that parts of both rules can be joined. States that both
have are taken from the rule that was read once they are updated: what is wrong in one line is seen in that line alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mhat.checks.readings.points import Points, constant, is_made_of
from mhat.checks.readings.products import Algebra, Value
from mhat.language.tree import INPUTS, Expression, Name, Number, Operation, Tree
from mhat.language.walking import all_expressions, subexpressions
from mhat.mistakes.slots import RESULT, Slot

RESULT_NAME = "x"
# Numbers are told with so many digits.
DIGITS = 10


@dataclass(frozen=True)
class Read:
    """The rule that was read, its lines put into one another: what each state and `x` become, over the step before."""

    tree: Tree
    becomes: Mapping[str, Expression]  # by the names of its states; `x` is the result
    lines: Mapping[int, int]  # the line (from 0) in which an operation, by its identity, stands
    kept: Sequence[Expression]  # those operations, so that no other gets the identity of one

    @classmethod
    def of(cls, tree: Tree, names: Mapping[str, str]) -> Read:
        """Put the lines of a rule into one another, states called as in `names`."""
        known: dict[str, Expression] = {name: Name(new) for name, new in names.items()}
        lines: dict[int, int] = {}
        kept: list[Expression] = []
        for i, (targets, value) in enumerate([*((line.targets, line.value) for line in tree.body), ((), tree.result)]):
            made = _inlined(value, known)
            waiting = [made]
            while waiting:
                node = waiting.pop()
                if isinstance(node, Operation) and id(node) not in lines:
                    lines[id(node)] = i
                    kept.append(node)
                    waiting += node.arguments
            known.update(dict.fromkeys(targets, made))
            result = made
        becomes = {name: known[name] for name in tree.state_names} | {RESULT_NAME: result}
        ends = {id(becomes[s]): after(names[s]) for s in tree.state_names if isinstance(becomes[s], Operation)}
        return cls(tree, {name: _shortened(node, ends, lines, {}) for name, node in becomes.items()}, lines, kept)


def _inlined(node: Expression, known: Mapping[str, Expression]) -> Expression:
    if isinstance(node, Name):
        return known.get(node.id, node)
    if isinstance(node, Operation):
        return Operation(node.op, tuple(_inlined(each, known) for each in node.arguments), node.over, node.place)
    return node


def after(state: str) -> str:
    """Call what a state has become, as a name that no rule may have."""
    return f"{state}+"


def _shortened(
    node: Expression, ends: Mapping[int, str], lines: dict[int, int], known: dict[int, Expression], whole: bool = True
) -> Expression:
    """Put the name of what a state has become where that stands within something else."""
    if not whole and id(node) in ends:
        return Name(ends[id(node)])
    if not isinstance(node, Operation):
        return node
    if id(node) not in known:
        parts = tuple(_shortened(each, ends, lines, known, whole=False) for each in node.arguments)
        made = node if all(a is b for a, b in zip(parts, node.arguments, strict=True)) else replace(
            node, arguments=parts)  # fmt: skip
        known[id(node)] = made
        lines[id(made)] = lines[id(node)]
    return known[id(node)]


class Frame:
    """One step of a tree; `shared` says which of its states are which of the rule that was read."""

    def __init__(
        self, points: Points, tree: Tree, read: Read, shared: Mapping[str, str], algebra: Algebra,
        like: Frame | None = None,
    ) -> None:  # fmt: skip
        """Compute the step, states as they are in `shared` pinned to what they become in the rule that was read.

        `like`: a frame of a tree that may begin alike, so that this need not be computed again.
        """
        self.points, self.tree, self.read, self.shared, self.algebra = points, tree, read, shared, algebra
        self.known: dict[Slot, dict[str, Expression]] = {}
        self.made: dict[str, Value] = {}
        self._inlined: dict[tuple[Slot, int], tuple[Expression, Value]] = {}
        self._visible: dict[Slot, list[tuple[str, Value]]] = {}
        self._written_in: dict[tuple[Slot, int], tuple[Value, Expression | None]] = {}
        self._run(like)

    def _run(self, like: Frame | None) -> None:
        known: dict[str, Expression] = {}
        for state in self.tree.states:
            if state.name not in self.shared:
                known[state.name] = state.start
        last = {target: i for i, line in enumerate(self.tree.body) for target in line.targets}
        self.last = {name: last.get(name) for name in self.shared}
        first = 0 if like is None else self._begun(like, known)
        for i, line in enumerate(self.tree.body[first:], first):
            slot: Slot = ("line", i)
            self.known[slot] = dict(known)
            target = line.targets[0]
            value = self.value(slot, line.value)
            if target in self.shared and last[target] == i:
                self.made[target] = value
                known[target] = self.algebra.name(after(target))
            else:
                known[target] = value.node
        self.known[RESULT] = dict(known)
        self.made[RESULT_NAME] = self.value(RESULT, self.tree.result)
        for name in self.shared:
            if name not in self.made:
                self.made[name] = self.algebra.value(self.algebra.name(name))

    def _begun(self, like: Frame, known: dict[str, Expression]) -> int:
        """Take over the lines that are alike from the first on; give the number of the first that is not."""
        if known != {name: like.tree_starts[name] for name in known if name in like.tree_starts}:
            return 0
        mine, theirs = self.tree.body, like.tree.body
        first = next((i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a is not b and a != b),
                     min(len(mine), len(theirs)))  # fmt: skip
        # What is set for the last time in one of them must be so in the other too.
        if any((self.last[name] or 0) < first != ((like.last.get(name) or 0) < first) for name in self.last):
            return 0
        if any(self.last[name] != like.last.get(name) for name in self.last if (self.last[name] or 0) < first):
            return 0
        if first == len(theirs):
            known.update(like.known[RESULT])
        else:
            known.update(like.known["line", first])
        for i in range(first):
            self.known["line", i] = like.known["line", i]
            target = mine[i].targets[0]
            if target in self.shared and self.last[target] == i:
                self.made[target] = like.made[target]
        return first

    @property
    def tree_starts(self) -> dict[str, Expression]:
        """How the states begin that the other rule has not."""
        return {state.name: state.start for state in self.tree.states if state.name not in self.shared}

    def wanted(self, name: str) -> Value:
        """Give what a state, or `x`, becomes in the rule that was read."""
        return self.algebra.value(self.read.becomes[self.shared.get(name, name)])

    def value(self, slot: Slot, node: Expression) -> Value:
        """Give what a part of a line comes to, over what is there before the step."""
        key = slot, id(node)
        known = self._inlined.get(key)
        if known is None:
            known = self._inlined[key] = node, self.algebra.value(self._written(slot, node))
        return known[1]

    def _written(self, slot: Slot, node: Expression) -> Expression:
        if isinstance(node, Name):
            return self.known[slot].get(node.id) or self.algebra.name(node.id)
        if isinstance(node, Operation):
            return self.algebra.node(node.op, tuple(self.value(slot, each).node for each in node.arguments), node.over)
        return self.algebra.number(node.value).node

    @property
    def apart(self) -> list[str]:
        """The states, and `x`, that become something else than in the rule that was read."""
        return [name for name, value in self.made.items() if not self.algebra.equal(value, self.wanted(name))]

    def own_parts(self, name: str) -> list[Value]:
        """List the operations that make a state, or `x`, in the rule that was read, and nothing else there."""
        others = [self.wanted(other).node for other in self.shared if other != name]
        foreign = {id(node) for other in others for node in _operations(other, frozenset())}
        ends = frozenset() if name == RESULT_NAME else frozenset(foreign)
        whole = self.wanted(name).node
        own = _operations(whole, ends) or ([whole] if isinstance(whole, Operation) else [])
        return [self.algebra.value(node) for node in own]

    def line_of(self, slot: Slot, name: str) -> int | None:
        """Give the line that a name has its value from where a slot reads it; None if it is not made in one."""
        before = range(int(slot[1]) if slot[0] == "line" else len(self.tree.body))
        line = next((i for i in reversed(before) if name in self.tree.body[i].targets), None)
        pinned = line is not None and self.last.get(name, -1) == line
        return None if line is None or pinned or len(self.tree.body[line].targets) > 1 else line

    def visible(self, slot: Slot) -> list[tuple[str, Value]]:
        """Give the names that may be read in a slot, with what they come to."""
        if slot in self._visible:
            return self._visible[slot]
        names = [*self.tree.knob_names, *INPUTS, *self.tree.state_names]
        names += [target for line in self.tree.body for target in line.targets if target in self.known[slot]]
        found = []
        for name in dict.fromkeys(names):
            if name not in self.algebra.environment and name not in self.known[slot]:
                continue
            found.append((name, self.algebra.value(self.known[slot].get(name) or self.algebra.name(name))))
        self._visible[slot] = found
        return found

    def spelled(self, value: Value, slot: Slot) -> Expression | None:
        """Write a value with the names that a slot may read; None where it is made of anything else."""
        key = slot, id(value.node)
        if key not in self._written_in:
            self._written_in[key] = value, self._spelled(value, slot)
        return self._written_in[key][1]

    def novelty(self, node: Expression) -> int:
        """Count the parts of an expression, what stands in the rule already as two at most."""
        if isinstance(node, Operation):
            if node in self._standing:
                return 2
            return 1 + sum(map(self.novelty, node.arguments)) if not _is_power_of_two(node) else 2
        return 1

    @cached_property
    def _standing(self) -> frozenset[Expression]:
        return frozenset(node for node in all_expressions(self.tree) if isinstance(node, Operation))

    def _spelled(self, value: Value, slot: Slot) -> Expression | None:
        number = constant(value.at)
        if number is not None and is_made_of(value.node, frozenset()):
            return _told(number)
        for name, known in self.visible(slot):
            if self.algebra.equal(known, value):
                return Name(name)
        if number is not None:
            return _told(number)
        for knob in self.tree.knob_names:
            complement = self.algebra.complement(knob)
            if self.algebra.equal(complement, value):
                return complement.node
        if not isinstance(value.node, Operation):
            return None
        parts = [self.spelled(self.algebra.value(each), slot) for each in value.node.arguments]
        if any(part is None for part in parts):
            return None
        return Operation(value.node.op, tuple(parts), value.node.over)  # type: ignore[arg-type]


def _operations(node: Expression, ends: frozenset[int]) -> list[Expression]:
    """List the operations of an expression from the outside in, each once, down to where it ends."""
    found: dict[int, Expression] = {}
    waiting = [node]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, Operation) and id(part) not in found and id(part) not in ends:
            found[id(part)] = part
            waiting += part.arguments
    return list(found.values())


def _told(number: float) -> Number:
    return Number(float(f"{number:.{DIGITS}g}") + 0.0)


def _is_power_of_two(node: Operation) -> bool:
    return node.op == "pow" and isinstance(node.arguments[0], Name) and isinstance(node.arguments[1], Number)


def size_of(node: Expression) -> int:
    """Count the parts of an expression."""
    return sum(1 for _ in subexpressions(node))
