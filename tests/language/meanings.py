"""What a line comes to in fractions, functions being any functions at all: an identity of trees must hold for each."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from mhat.language.tree import Expression, Name, Number, Tree


class Undefined(Exception):
    """A quotient by zero, a power that is no fraction, a number that is not finite, or one of too many digits."""


def meaning(node: Expression, known: Mapping[str, Fraction]) -> Fraction:
    """Compute an expression; raises Undefined."""
    if isinstance(node, Number):
        if not abs(node.value) < 1e30 or 0 < abs(node.value) < 1e-30:
            raise Undefined
        return Fraction(repr(node.value))
    if isinstance(node, Name):
        return known[node.id]
    if node.op == "where":
        return meaning(node.arguments[1 if meaning(node.arguments[0], known) else 2], known)
    values = [meaning(argument, known) for argument in node.arguments]
    if node.op == "neg":
        return -values[0]
    if node.op == "add":
        return values[0] + values[1]
    if node.op == "sub":
        return values[0] - values[1]
    if node.op == "mul":
        return values[0] * values[1]
    if node.op in ("div", "pow"):
        return _quotient(*values) if node.op == "div" else _power(*values)
    # Any function of what it is given.
    return sum((value * (i + 2) for i, value in enumerate(values)), Fraction(len(node.op))) ** 2 / 7


def _quotient(a: Fraction, b: Fraction) -> Fraction:
    if not b:
        raise Undefined
    return a / b


def _power(a: Fraction, b: Fraction) -> Fraction:
    if b.denominator != 1 or abs(b) > 20 or a.denominator.bit_length() + abs(a.numerator).bit_length() > 2000:
        raise Undefined
    return Fraction(1) if not b else a ** int(b) if a or b > 0 else _quotient(Fraction(1), a)


def stepped(tree: Tree, known: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Compute the lines of a rule; the new x is `return`. Raises Undefined."""
    values = dict(known)
    for line in tree.body:
        values[line.targets[0]] = meaning(line.value, values)
    return {**values, "return": meaning(tree.result, values)}
