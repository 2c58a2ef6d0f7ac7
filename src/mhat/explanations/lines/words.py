"""Expressions in words that can be read aloud, and numbers in them. It knows no rule and no name but x and g."""

from __future__ import annotations

import math

from mhat.explanations.claims import four_digits
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.notation.decimals import exact
from mhat.printers.python import expression_text

# More operations than this are no phrase any more: the code itself is read.
MOST_OPERATIONS = 3
OF_ONE = {
    "sqrt": "the root of", "cbrt": "the cube root of", "abs": "the size of", "sign": "the sign of", "neg": "minus",
    "norm": "the norm of", "mean": "the mean of", "sum": "the sum of", "largest": "the largest of",
    "exp": "the exponential of", "log": "the logarithm of", "orthogonal": "the nearest orthogonal matrix to",
    "transpose": "the transpose of", "row_mean": "the row means of", "column_mean": "the column means of",
    "tanh": "the hyperbolic tangent of", "round": "the nearest whole number to",
    "size": "how many numbers there are in", "rows": "how many rows there are in",
    "columns": "how many columns there are in", "identity": "the identity of the shape of",
    "row_largest": "the largest of each row of", "column_largest": "the largest of each column of",
}  # fmt: skip
BETWEEN = {"add": "plus", "sub": "minus", "mul": "times", "div": "over", "matmul": "times"}
OF_TWO = {"maximum": "the larger of", "minimum": "the smaller of"}
POWERS = {2.0: ("squared", "the square of"), 3.0: ("cubed", "the cube of"), 0.5: ("", "the root of")}
KNOWN = {"g": "the gradient", "x": "x"}


def said(node: Expression) -> str:
    """Say an expression; one of many operations is left as code.

    >>> from mhat.language.tree import Name, Number, Operation
    >>> square = Operation("pow", (Name("g"), Number(2.0)))
    >>> said(square), said(Operation("sqrt", (Name("v"),)))
    ('the squared gradient', 'the root of `v`')
    """
    if isinstance(node, Name):
        return KNOWN.get(node.id, f"`{node.id}`")
    if isinstance(node, Number):
        return exact(node.value)
    if operations(node) > MOST_OPERATIONS:
        return coded(node)
    return _said(node) or coded(node)


def coded(node: Expression) -> str:
    """Write an expression as code."""
    return f"`{expression_text(node)}`"


def _said(node: Operation) -> str:
    first, *rest = node.arguments
    if node.op == "pow" and isinstance(rest[0], Number) and rest[0].value in POWERS:
        adjective, noun = POWERS[rest[0].value]
        if first == Name("g") and adjective:
            return f"the {adjective} gradient"
        return f"{noun} {_grouped(first)}"
    if node.op in OF_ONE:
        every = " over all tensors" if node.over else ""
        return f"{OF_ONE[node.op]} {_grouped(first)}{every}"
    if node.op in BETWEEN and not (_is_sum(first) and node.op not in ("add", "sub")) and not _is_compound(rest[0]):
        return f"{said(first)} {BETWEEN[node.op]} {said(rest[0])}"
    if node.op in OF_TWO:
        return f"{OF_TWO[node.op]} {said(first)} and {said(rest[0])}"
    return ""


def _grouped(node: Expression) -> str:
    """Say what `the root of` is taken of: where that is a sum, its end would not be heard."""
    return coded(node) if _is_compound(node) else said(node)


def _is_sum(node: Expression) -> bool:
    return isinstance(node, Operation) and node.op in ("add", "sub")


def _is_compound(node: Expression) -> bool:
    return isinstance(node, Operation) and node.op in BETWEEN


def operations(node: Expression) -> int:
    """Count the operations of an expression."""
    return 1 + sum(map(operations, node.arguments)) if isinstance(node, Operation) else 0


def amount(value: float, unit: str, size: float) -> str:
    """Write how far x moves, in a unit if there is one.

    >>> amount(1e-3, "lr", 1e-3), amount(2e-4, "lr", 1e-3), amount(0.5, "", 1.0)
    ('lr', '0.2 lr', '0.5')
    """
    if math.isinf(value):
        return "infinite"
    if not unit or math.isnan(value):
        return four_digits(value)
    share = four_digits(value / size)
    return "0" if share == "0" else unit if share in ("1", "1.000") else f"{share} {unit}"
