"""With which power of the gradients' size a variable grows. It knows no numbers and no rule by name.

A ratio of what grows like g and of the root of what grows like its square does not grow at all: its size does not
depend on how large the gradients are. A knob that is added to something (eps) is taken to be small beside it.
"""

from __future__ import annotations

from fractions import Fraction

from mhat.language.tree import Expression, Name, Number, Operation, Tree

# Of what is nothing yet (a state that starts at zero), of what has no degree, and of numbers.
Degree = Fraction | None
ANY = Fraction(-1000)
NUMBER = Fraction(0)
SAME = frozenset({
    "neg", "abs", "norm", "mean", "sum", "largest", "transpose", "row_mean", "column_mean", "row_largest",
    "column_largest", "leading", "sorted_by",
})  # fmt: skip
JOINED = frozenset({"add", "sub", "maximum", "minimum"})
NONE_LEFT = frozenset({
    "sign", "orthogonal", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "size", "rows", "columns",
    "identity",
})  # fmt: skip
# So often the lines are gone through until nothing changes.
ROUNDS = 6


def degrees_of(tree: Tree) -> dict[str, Degree]:
    """Give the degree of every name, as it is at the end of a step."""
    knobs: dict[str, Degree] = dict.fromkeys((*tree.knob_names, "t", "k", "n"), NUMBER)
    known: dict[str, Degree] = {**knobs, "g": Fraction(1), "x": None, **dict.fromkeys(tree.state_names, ANY)}
    for _ in range(ROUNDS):
        before = dict(known)
        for line in tree.body:
            degree = degree_of(line.value, known)
            for target in line.targets:
                known[target] = degree if target not in tree.state_names else _joined(known[target], degree)
        if known == before:
            break
    return known


def degree_of(node: Expression, known: dict[str, Degree]) -> Degree:
    """Give the degree of an expression; None where it has none."""
    if isinstance(node, Number):
        return ANY if node.value == 0.0 else NUMBER
    if isinstance(node, Name):
        return known.get(node.id)
    parts = [degree_of(argument, known) for argument in node.arguments]
    first = parts[0]
    if node.op in NONE_LEFT:
        return NUMBER
    if node.op in SAME:
        return first
    if node.op in JOINED:
        return _joined(*_without_small(node, parts))
    if node.op == "clip":
        return first
    if node.op == "where":
        return _joined(parts[1], parts[2])
    if node.op == "sqrt" and first is not None:
        return first if first == ANY else first / 2
    if node.op == "pow" and first is not None and isinstance(node.arguments[1], Number):
        return first if first in (ANY, NUMBER) else first * Fraction(node.arguments[1].value)
    if node.op in ("mul", "div", "matmul") and first is not None and parts[1] is not None:
        if ANY in (first, parts[1]):
            return ANY
        return first - parts[1] if node.op == "div" else first + parts[1]
    return NUMBER if all(part in (NUMBER, ANY) for part in parts) else None


def _without_small(node: Operation, parts: list[Degree]) -> tuple[Degree, Degree]:
    """Leave out a knob or a literal that stands beside something of the gradients."""
    first, second = parts
    if isinstance(node.arguments[1], Name | Number) and second == NUMBER and first not in (NUMBER, ANY):
        return first, first
    if isinstance(node.arguments[0], Name | Number) and first == NUMBER and second not in (NUMBER, ANY):
        return second, second
    return first, second


def _joined(first: Degree, second: Degree) -> Degree:
    if first == ANY:
        return second
    return first if second in (ANY, first) else None
