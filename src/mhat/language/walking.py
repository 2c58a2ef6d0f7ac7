"""Ways to walk a tree: through it, up from its leaves, and with one part replaced. It knows no meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree


def subexpressions(node: Expression) -> Iterator[Expression]:
    """Yield the expression and all that it is made of, from the outside in."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Operation):
            waiting += reversed(node.arguments)


def names_in(node: Expression) -> set[str]:
    """Collect the names that an expression reads."""
    return {part.id for part in subexpressions(node) if isinstance(part, Name)}


def values_in(node: Expression) -> set[str]:
    """Collect the names whose values an expression reads: not those of which it asks only how large they are."""
    if isinstance(node, Operation):
        sized = node.op in ("size", "rows", "columns", "identity")
        return set() if sized else set().union(*map(values_in, node.arguments))
    return {node.id} if isinstance(node, Name) else set()


def all_expressions(tree: Tree) -> Iterator[Expression]:
    """Yield every sub-expression of a rule: its starts, its lines, its result."""
    for state in tree.states:
        yield from subexpressions(state.start)
    for line in tree.body:
        yield from subexpressions(line.value)
    yield from subexpressions(tree.result)


def operations_in(tree: Tree) -> set[str]:
    """Collect the operations of a rule."""
    return {node.op for node in all_expressions(tree) if isinstance(node, Operation)}


def mapped(node: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Rebuild an expression from the leaves up, each rebuilt node passed through `change`."""
    if isinstance(node, Operation):
        node = replace(node, arguments=tuple(mapped(argument, change) for argument in node.arguments))
    return change(node)


def renamed(node: Expression, new: dict[str, str]) -> Expression:
    """Rebuild an expression with names exchanged for others."""

    def change(part: Expression) -> Expression:
        return replace(part, id=new.get(part.id, part.id)) if isinstance(part, Name) else part

    return mapped(node, change)


def mapped_tree(tree: Tree, change: Callable[[Expression], Expression]) -> Tree:
    """Rebuild the lines and the result of a rule, every node passed through `change`."""
    body = tuple(Assignment(line.targets, mapped(line.value, change), line.place) for line in tree.body)
    return replace(tree, body=body, result=mapped(tree.result, change))


def product_length(node: Expression) -> int | None:
    """Give 2, 3 or 4 where a power has that literal exponent: such a power is a product from left to right."""
    if isinstance(node, Operation) and node.op == "pow":
        exponent = node.arguments[1]
        if isinstance(exponent, Number) and exponent.value in (2.0, 3.0, 4.0):
            return int(exponent.value)
    return None
