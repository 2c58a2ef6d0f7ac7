"""Slips of a text: operators, names, numbers and calls exchanged or left out, by Python's own tree.

It knows no rule and no optimizer, and none of the edits of mhat: what it makes, nobody has written down as a mistake.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
# Calls that may be forgotten, and what may be called in their place.
FORGOTTEN = frozenset({"sqrt", "abs", "square", "sign", "maximum"})
METHODS = frozenset({"sqrt", "sqrt_"})


@dataclass(frozen=True)
class Slip:
    """A place in a text, the line it stands in, and what is done there."""

    index: int
    line: int
    change: Callable[[ast.expr], ast.expr | None]


def slips(text: str) -> list[Slip]:
    """List the slips that a text may have, in lines where something is computed."""
    found = []
    for index, (node, names) in enumerate(_places(ast.parse(text))):
        for change in _changes(node, names):
            found.append(Slip(index, node.lineno, change))
    return found


def slipped(text: str, chosen: list[Slip]) -> str | None:
    """Make slips in a text, whose lines keep their numbers; None where one stands within another."""
    tree = ast.parse(text)
    nodes = [node for node, _ in _places(tree)]
    lines = text.splitlines()
    for slip in sorted(chosen, key=lambda s: (-nodes[s.index].lineno, -nodes[s.index].col_offset)):
        node = nodes[slip.index]
        others = [nodes[other.index] for other in chosen if other is not slip]
        if any(other in list(ast.walk(node)) for other in others) or node.lineno != node.end_lineno:
            return None
        new = slip.change(copy.deepcopy(node))
        if new is None:
            return None
        row = lines[node.lineno - 1]
        written = ast.unparse(ast.fix_missing_locations(new))
        written = f"({written})" if isinstance(new, ast.BinOp | ast.UnaryOp) else written
        lines[node.lineno - 1] = row[: node.col_offset] + written + row[node.end_col_offset :]
    return "\n".join(lines) + "\n"


def _places(tree: ast.Module) -> Iterator[tuple[ast.expr, list[str]]]:
    """Yield the expressions that are computed with, each with the names that stand in its function."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
            continue
        names = sorted(_names(function))
        for statement in ast.walk(function):
            if (
                isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
                and statement.value is not None
            ):
                parts = [node for node in ast.walk(statement.value) if isinstance(node, ast.expr)]
                if isinstance(statement, ast.AugAssign) or any(isinstance(node, ast.BinOp) for node in parts):
                    yield from ((node, names) for node in parts)


def _names(function: ast.FunctionDef) -> set[str]:
    read = {ast.unparse(n) for n in ast.walk(function) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    read = {each for each in read if each.startswith("self.") and "(" not in each and "[" not in each}
    local = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    given = {argument.arg for argument in function.args.args}
    return (read | local | given) - {"self", "xs", "out", "path", "i", "params", "grads", "gradients", "p", "config"}


def _changes(node: ast.expr, names: list[str]) -> Iterator[Callable[[ast.expr], ast.expr | None]]:
    match node:
        case ast.BinOp(op=ast.Pow()):
            yield lambda n: n.left  # type: ignore[attr-defined]
            if not isinstance(node.right, ast.Constant):
                for by in ("- 1", "+ 1"):
                    yield (
                        lambda n, by=by: (
                            ast.parse(  # type: ignore[misc]
                                f"({ast.unparse(n.left)}) ** ({ast.unparse(n.right)} {by})", mode="eval"
                            ).body
                        )
                    )
        case ast.BinOp(op=op) if type(op) in OTHER:
            other_operator = OTHER[type(op)]
            yield lambda n, o=other_operator: ast.BinOp(n.left, o(), n.right)  # type: ignore[misc]
            yield lambda n: n.left  # type: ignore[attr-defined]
            yield lambda n: n.right  # type: ignore[attr-defined]
        case ast.Call(func=ast.Attribute(attr=name), args=[_, *_]) if name in FORGOTTEN:
            yield lambda n: n.args[0]  # type: ignore[attr-defined]
        case ast.Call(func=ast.Attribute(attr=name), args=[]) if name in METHODS:
            yield lambda n: n.func.value  # type: ignore[attr-defined]
        case ast.Constant(value=float() | int() as number):
            for new in dict.fromkeys((number * 10, number + 1)):
                yield lambda n, new=new: ast.Constant(new)  # type: ignore[misc]
        case ast.Name(id=name) | ast.Attribute(attr=name) if isinstance(node.ctx, ast.Load):
            own = ast.unparse(node)
            if own in names:
                for other in names:
                    if other != own:
                        yield lambda n, o=other: ast.parse(o, mode="eval").body  # type: ignore[misc]


def drawn(text: str, many: int, rng: random.Random) -> tuple[str, list[Slip]] | None:
    """Draw so many slips of a text in different places."""
    every = slips(text)
    by_kind: dict[int, list[Slip]] = {}
    for slip in every:
        by_kind.setdefault(slip.index, []).append(slip)
    if len(by_kind) < many:
        return None
    chosen = [rng.choice(by_kind[index]) for index in rng.sample(sorted(by_kind), many)]
    made = slipped(text, chosen)
    return None if made is None else (made, chosen)
