"""Reductions over all tensors, for files where a step goes over tensors one by one: each gets a loop of its own.

The loop computes the lines that the reduction needs, from the states as the step before left them. It knows no
language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mhat.language.definition import Rule
from mhat.language.tree import Expression, Name, Operation
from mhat.language.walking import names_in, subexpressions


@dataclass(frozen=True)
class Total:
    """A reduction over all tensors: its name in the file, the line where it stands (None: a start of a state)."""

    name: str
    node: Operation
    place: int | None

    @property
    def argument(self) -> Expression:
        """What is reduced."""
        return self.node.arguments[0]


def totals_of(rule: Rule) -> list[Total]:
    """List the reductions over all tensors in the order in which they are computed; equal ones of one line once."""
    tree = rule.tree
    taken = {*tree.inputs, *tree.state_names, *tree.knob_names, *tree.variables}
    found: list[Total] = []

    def named(node: Operation) -> str:
        subject = node.arguments[0]
        stem = f"{node.op}_of_{subject.id}" if isinstance(subject, Name) else f"{node.op}_over_all"
        names = (stem, *(f"{stem}_{i}" for i in range(2, 1000)))
        return next(name for name in names if name not in taken)

    def take(node: Expression, place: int | None) -> None:
        known = {(total.node, total.place) for total in found}
        for part in _inner_first(node):
            if (part, place) not in known:
                known.add((part, place))
                name = named(part)
                taken.add(name)
                found.append(Total(name, part, place))

    for state in tree.states:
        take(state.start, None)
    for place, line in enumerate(tree.body):
        take(line.value, place)
    take(tree.result, len(tree.body))
    return found


def _inner_first(node: Expression) -> Iterator[Operation]:
    parts = [part for part in subexpressions(node) if isinstance(part, Operation) and part.over == "all"]
    yield from reversed(parts)


def names_at(totals: list[Total], place: int | None) -> Mapping[Expression, str]:
    """Give what the reductions of a line are called."""
    return {total.node: total.name for total in totals if total.place == place}


def needed_lines(rule: Rule, node: Expression, place: int) -> list[int]:
    """List the lines before a place that an expression needs, in order; a reduction over all is known already."""
    wanted, lines = _read(node), []
    for i in reversed(range(place)):
        line = rule.tree.body[i]
        if wanted.intersection(line.targets):
            lines.append(i)
            wanted -= set(line.targets)
            wanted |= _read(line.value)
    return lines[::-1]


def _read(node: Expression) -> set[str]:
    """Collect the names that an expression reads outside of reductions over all tensors."""
    if isinstance(node, Operation):
        return set() if node.over == "all" else set().union(*map(_read, node.arguments))
    return names_in(node)


def read_outside(node: Expression) -> set[str]:
    """Collect the names that are read where the reductions over all tensors are known."""
    return _read(node)
