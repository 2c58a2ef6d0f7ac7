"""Which state of the reference is which of the rule that was read: those with which most of both steps agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from mhat.checks.readings.bindings import Binding
from mhat.checks.readings.frames import Frame, Read, after
from mhat.checks.readings.points import Points
from mhat.checks.readings.products import Algebra, Value
from mhat.language.tree import Operation, Tree
from mhat.language.walking import names_in

# More orders than these are not tried.
MOST = 200


@dataclass
class Alignment:
    """A rule that was read beside a reference, its states under the names of the reference."""

    reference: Tree
    read: Read
    points: Points
    algebra: Algebra
    shared: Mapping[str, str]  # from states of the reference to those of the rule that was read
    binding: Binding
    frame: Frame = field(init=False)

    def __post_init__(self) -> None:
        self.frame = self.of(self.reference)

    def of(self, tree: Tree, like: Frame | None = None) -> Frame:
        """Compute the step of the reference, or of one that edits have made of it (`like`: of what it was made)."""
        return Frame(self.points, tree, self.read, self.shared, self.algebra, like)

    @property
    def starts_apart(self) -> list[str]:
        """States that start elsewhere."""
        starts = {state.name: state.start for state in self.reference.states}
        return [name for name in self.shared if not self.algebra.equal(*self.starts(name, starts[name]))]

    def starts(self, name: str, start: Any) -> tuple[Value, Value]:
        """Give how a state starts here, and there."""
        theirs = {state.name: state.start for state in self.read.tree.states}[self.shared[name]]
        return self.algebra.value(start), self.algebra.value(theirs)

    @property
    def distance(self) -> float:
        """How much is apart before anything is changed, and how unlike the names are."""
        unlike = sum(name != other for name, other in self.shared.items())
        lacking = abs(len(self.reference.states) - len(self.read.tree.states))
        return len(self.frame.apart) + 0.5 * len(self.starts_apart) + 0.1 * unlike + 1.3 * lacking

    @property
    def lacking(self) -> tuple[str, ...]:
        """States of the reference that the other one has not."""
        return tuple(name for name in self.reference.state_names if name not in self.shared)


def alignments(reference: Tree, binding: Binding, near: float, tensors: int = 2) -> list[Alignment]:
    """Give the ways to lay the states upon one another, the nearest first."""
    points = Points(binding.tree, binding.values, near, tensors)
    found = [_made(reference, binding, points, shared) for shared in _pairings(reference, binding.tree)]
    return sorted(found, key=lambda each: each.distance)


def _pairings(reference: Tree, read: Tree) -> Iterator[dict[str, str]]:
    ours, theirs = reference.state_names, read.state_names
    size = min(len(ours), len(theirs))
    shorter, longer = (ours, theirs) if len(ours) <= len(theirs) else (theirs, ours)
    for count, order in enumerate(permutations(longer, size)):
        if count >= MOST:
            return
        pairs = zip(shorter, order, strict=True)
        yield dict(pairs) if len(ours) <= len(theirs) else {mine: other for other, mine in pairs}


def _made(reference: Tree, binding: Binding, points: Points, shared: Mapping[str, str]) -> Alignment:
    called = {theirs: ours for ours, theirs in shared.items()}
    names = {name: called.get(name, f"{name}'") for name in binding.tree.state_names}
    environment = {**points.inputs, **{new: points.states[name] for name, new in names.items()}}
    read = Read.of(binding.tree, names)
    algebra = Algebra(points, environment)
    _set(read, names, algebra)
    return Alignment(reference, read, points, algebra, shared, binding)


def _set(read: Read, names: Mapping[str, str], algebra: Algebra) -> None:
    """Compute what the states become, each after those that it is made of."""
    waiting = [name for name in names if isinstance(read.becomes[name], Operation)]
    later = {after(names[name]) for name in waiting}
    while waiting:
        ready = [name for name in waiting if names_in(read.becomes[name]).isdisjoint(later)]
        assert ready
        for name in ready:
            algebra.environment[after(names[name])] = algebra.value(read.becomes[name]).raw
            later.discard(after(names[name]))
        waiting = [name for name in waiting if name not in ready]
    for name in names:
        if not isinstance(read.becomes[name], Operation):
            algebra.environment[after(names[name])] = algebra.value(read.becomes[name]).raw
