"""What an expression of plain numbers comes to, as the engines would compute it. It knows no tensor and no step."""

from __future__ import annotations

from collections.abc import Mapping

from mhat.language.tree import Expression, Name, Number
from mhat.language.walking import product_length
from mhat.ops.table import OPERATIONS


def value_of(node: Expression, known: Mapping[str, float]) -> float:
    """Compute an expression over known names; a number is a tensor of one element and a matrix of one by one."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return known[node.id]
    values = [value_of(argument, known) for argument in node.arguments]
    length = product_length(node)
    if length is not None:
        result = values[0]
        for _ in range(length - 1):
            result *= values[0]
        return result
    definition = OPERATIONS[node.op]
    if definition.kind == "reduction":
        return float(definition.meaning(values))
    if definition.kind == "matrix":
        result = definition.meaning(*([[value]] for value in values), **dict(node.options))
        return float(result if isinstance(result, float) else result[0][0])
    return float(definition.meaning(*values))
