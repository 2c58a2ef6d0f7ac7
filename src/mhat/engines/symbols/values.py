"""What an expression comes to in many digits: at a step, under knobs. It knows no SymPy and no rule."""

from __future__ import annotations

from collections.abc import Mapping

from mhat.engines.exact import Digits, Exact
from mhat.engines.symbols.conversions import FIRST, PI
from mhat.language.tree import Expression, Name, Number

# Far more than a double holds: what is lost where two numbers nearly cancel is not seen.
DIGITS = 60
# What is left of so many digits where numbers cancel.
NOTHING = 1e-40
Known = Mapping[str, Digits]


def exact_numbers(digits: int = DIGITS) -> Exact:
    """Give the arithmetic that closed forms are computed in."""
    return Exact(digits)


def value_of(node: Expression, known: Known, exact: Exact) -> Digits:
    """Compute an expression over names; `t` is among them."""
    if isinstance(node, Number):
        return exact.number(node.value)
    if isinstance(node, Name):
        if node.id == PI:
            return exact.numbers.context.pi + 0
        if node.id == FIRST:
            return exact.number(float(known["t"] == 1))
        return known[node.id]
    if node.op == "where":
        chosen = value_of(node.arguments[0], known, exact)
        return value_of(node.arguments[1 if chosen else 2], known, exact)
    values = [value_of(argument, known, exact) for argument in node.arguments]
    if node.op == "sqrt" and -NOTHING < values[0] < 0:
        # What should be zero, and is what cancelling has left.
        values = [exact.numbers.zero]
    return exact.step_operation(node.op)(*values)
