"""Sums, products and quotients of expressions, and whether two are the same number whatever their names hold.

It knows no meaning of a name. Literals are read as they are written: 0.9 and 0.1 are nine tenths and one.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from mhat.language.tree import Expression, Name, Number, Operation

ZERO, ONE = Number(0.0), Number(1.0)
# A sum of products: each product, names (and what is no polynomial) with their exponents, with its factor.
Product = frozenset[tuple[Any, int]]
Polynomial = dict[Product, Fraction]
Quotient = tuple[Polynomial, Polynomial]

_UNIT: Product = frozenset()
# Beyond, an identity is not looked for: products of sums grow without end.
MOST_TERMS = 400
LARGEST_POWER = 8


class _TooLarge(Exception):
    """An expression of too many terms to be multiplied out."""


def added(a: Expression, b: Expression) -> Expression:
    """Add, without zeros and double signs; `a + (b - a)` is b."""
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    if isinstance(b, Operation) and b.op == "neg":
        return subtracted(a, b.arguments[0])
    if isinstance(a, Operation) and a.op == "neg":
        return subtracted(b, a.arguments[0])
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Operation) and one.op == "sub" and one.arguments[1] == other:
            return one.arguments[0]
    return Operation("add", (a, b))


def subtracted(a: Expression, b: Expression) -> Expression:
    """Subtract; `a - (a - b)` is b, and what is taken from itself is nothing."""
    if a == b:
        return ZERO
    if b == ZERO:
        return a
    if a == ZERO:
        return negated(b)
    if isinstance(b, Operation):
        if b.op == "neg":
            return added(a, b.arguments[0])
        if b.op == "sub" and b.arguments[0] == a:
            return b.arguments[1]
    return Operation("sub", (a, b))


def negated(a: Expression) -> Expression:
    """Change the sign."""
    if a == ZERO:
        return ZERO
    if isinstance(a, Operation) and a.op == "neg":
        return a.arguments[0]
    if isinstance(a, Operation) and a.op == "sub":
        return subtracted(a.arguments[1], a.arguments[0])
    return Operation("neg", (a,))


def multiplied(a: Expression, b: Expression) -> Expression:
    """Multiply, without ones, zeros and two signs."""
    if ZERO in (a, b):
        return ZERO
    if a == ONE:
        return b
    if b == ONE:
        return a
    for first, second in ((a, b), (b, a)):
        if isinstance(first, Operation) and first.op == "neg":
            return negated(multiplied(first.arguments[0], second))
    return Operation("mul", (a, b))


def divided(a: Expression, b: Expression) -> Expression:
    """Divide, without ones and without signs inside."""
    if a == ZERO or b == ONE:
        return a
    if isinstance(a, Operation) and a.op == "neg":
        return negated(divided(a.arguments[0], b))
    return Operation("div", (a, b))


def equal(a: Expression, b: Expression) -> bool:
    """Whether two expressions are the same rational function of their names; False also where that is not found out.

    >>> beta = Name("beta")
    >>> equal(subtracted(ONE, Operation("sub", (ONE, beta))), beta)
    True
    """
    try:
        (above, below), (over, under) = _quotient(a), _quotient(b)
        # What divides by nothing is no number, and equal to none.
        return bool(below and under) and _times(above, under) == _times(over, below)
    except _TooLarge:
        return a == b


@lru_cache(maxsize=4096)
def _quotient(node: Expression) -> Quotient:
    if isinstance(node, Number):
        if not math.isfinite(node.value):
            return _atom(("number", repr(node.value)))
        return _constant(Fraction(repr(node.value))), _constant(Fraction(1))
    if isinstance(node, Name):
        return _atom(node.id)
    if node.op == "pow":
        return _power(node)
    parts = [_quotient(argument) for argument in node.arguments]
    if node.op == "neg":
        ((above, below),) = parts
        return _scaled(above, Fraction(-1)), below
    if node.op in ("add", "sub"):
        return _sum(parts[0], parts[1], Fraction(1 if node.op == "add" else -1))
    if node.op == "mul":
        return _times(parts[0][0], parts[1][0]), _times(parts[0][1], parts[1][1])
    if node.op == "div" and parts[1][0]:
        return _times(parts[0][0], parts[1][1]), _times(parts[0][1], parts[1][0])
    return _opaque(node.op, (node.over, node.options), parts)


def _power(node: Operation) -> Quotient:
    """Multiply out a power of a small integer; of other exponents, take the integer that is added out of them."""
    base, exponent = map(_quotient, node.arguments)
    # Only where nothing is divided by: the exponent is a polynomial then.
    if exponent[1] != _constant(Fraction(1)):
        return _opaque("pow", None, [base, exponent])
    whole = exponent[0].get(_UNIT, Fraction(0))
    if whole.denominator != 1 or abs(whole) > LARGEST_POWER or (whole < 0 and not base[0]):
        return _opaque("pow", None, [base, exponent])
    rest = {product: factor for product, factor in exponent[0].items() if product != _UNIT}
    made = _atom(_key("pow", None, [base, (rest, exponent[1])])) if rest else (_constant(Fraction(1)),) * 2
    turned = base if whole >= 0 else base[::-1]
    for _ in range(abs(int(whole))):
        made = _times(made[0], turned[0]), _times(made[1], turned[1])
    return made


def _opaque(op: str, how: Any, parts: list[Quotient]) -> Quotient:
    return _atom(_key(op, how, parts))


def _key(op: str, how: Any, parts: list[Quotient]) -> Any:
    return op, how, tuple((frozenset(above.items()), frozenset(below.items())) for above, below in parts)


def _atom(key: Any) -> Quotient:
    return {frozenset({(key, 1)}): Fraction(1)}, _constant(Fraction(1))


def _constant(value: Fraction) -> Polynomial:
    return {_UNIT: value} if value else {}


def _scaled(polynomial: Polynomial, factor: Fraction) -> Polynomial:
    return {product: value * factor for product, value in polynomial.items()}


def _sum(one: Quotient, other: Quotient, sign: Fraction) -> Quotient:
    if one[1] == other[1]:
        return _plus(one[0], _scaled(other[0], sign)), one[1]
    above = _plus(_times(one[0], other[1]), _scaled(_times(other[0], one[1]), sign))
    return above, _times(one[1], other[1])


def _plus(one: Polynomial, other: Polynomial) -> Polynomial:
    total = dict(one)
    for product, factor in other.items():
        total[product] = total.get(product, Fraction(0)) + factor
    return {product: factor for product, factor in total.items() if factor}


def _times(one: Polynomial, other: Polynomial) -> Polynomial:
    if len(one) * len(other) > MOST_TERMS:
        raise _TooLarge
    total: Polynomial = {}
    for first, factor in one.items():
        for second, weight in other.items():
            exponents = dict(first)
            for key, exponent in second:
                exponents[key] = exponents.get(key, 0) + exponent
            product = frozenset(exponents.items())
            total[product] = total.get(product, Fraction(0)) + factor * weight
    return {product: factor for product, factor in total.items() if factor}
