"""Places in an expression: the way down to each node, and the expression with that node replaced. It knows no edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language.tree import Expression, Name, Number, Operation
from mhat.printers import python

ZERO, ONE, TWO = Number(0.0), Number(1.0), Number(2.0)
G, X, T = Name("g"), Name("x"), Name("t")
# Which argument to take at each operation on the way down.
Path = tuple[int, ...]


def places(node: Expression, path: Path = ()) -> Iterator[tuple[Path, Expression]]:
    """Yield every node of an expression with the way to it, from the outside in."""
    yield path, node
    if isinstance(node, Operation):
        for i, argument in enumerate(node.arguments):
            yield from places(argument, (*path, i))


def replaced(node: Expression, path: Path, new: Expression) -> Expression:
    """Give the expression with the node at the end of the way replaced."""
    if not path:
        return new
    assert isinstance(node, Operation)
    arguments = list(node.arguments)
    arguments[path[0]] = replaced(arguments[path[0]], path[1:], new)
    return replace(node, arguments=tuple(arguments))


def at(node: Expression, path: Path) -> Expression | None:
    """Give the node at the end of the way, None if the way does not exist."""
    for i in path:
        if not isinstance(node, Operation) or i >= len(node.arguments):
            return None
        node = node.arguments[i]
    return node


def said(node: Expression) -> str:
    """Print an expression for a sentence."""
    return f"`{python.expression_text(node)}`"


def operation(op: str, *arguments: Expression) -> Operation:
    """Make an operation."""
    return Operation(op, arguments)
