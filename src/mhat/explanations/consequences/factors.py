"""Expressions as products: what one is times another, as an expression again. It knows no rule and no step.

>>> from mhat.language.tree import Name, Number, Operation
>>> beta, one = Name("beta"), Number(1.0)
>>> share = Operation("sub", (one, beta))
>>> expression_text(times_what(Operation("div", (beta, share)), beta))
'1 / (1 - beta)'
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

from mhat.language.algebra import equal
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.values import value_of
from mhat.language.walking import product_length, subexpressions
from mhat.printers.python import expression_text

ONE = Number(1.0)
Factors = Counter[Expression]


def times_what(new: Expression, old: Expression) -> Expression:
    """Give what an old expression must be multiplied by to be the new one, shortened as a product."""
    sign, factors = _factors(new)
    other, divisors = _factors(old)
    factors.subtract(divisors)
    merged: Counter[Expression] = Counter()
    for factor, exponent in factors.items():
        # The same factor may be spelled in two ways.
        spelled = next((known for known in merged if equal(known, factor)), factor)
        merged[spelled] += exponent
    return _product(sign * other, {factor: power for factor, power in merged.items() if power})


def chooses(node: Expression) -> bool:
    """Whether an expression is one thing at one step and another at another: such a factor reads badly."""
    return any(isinstance(part, Operation) and part.op == "where" for part in subexpressions(node))


def value_at(node: Expression, knobs: Mapping[str, float], t: float) -> float:
    """Compute an expression of knobs and the step number; what cannot be computed is not a number."""
    try:
        return value_of(node, {**knobs, "t": float(t), "k": 1.0, "n": 1.0})
    except (KeyError, ValueError, OverflowError, ZeroDivisionError):
        return math.nan


def _factors(node: Expression) -> tuple[float, Factors]:
    """Take a product apart: its sign, and each factor with its exponent, in halves, so that roots have one too."""
    if isinstance(node, Number):
        if node.value in (1.0, -1.0):
            return node.value, Counter()
        return math.copysign(1.0, node.value), Counter({Number(abs(node.value)): 2})
    if isinstance(node, Operation):
        if node.op == "neg":
            sign, factors = _factors(node.arguments[0])
            return -sign, factors
        if node.op in ("mul", "div"):
            (sign, factors), (other, more) = map(_factors, node.arguments)
            direction = 1 if node.op == "mul" else -1
            for factor, exponent in more.items():
                factors[factor] += direction * exponent
            return sign * other, factors
        length = product_length(node)
        if length is not None:
            sign, factors = _factors(node.arguments[0])
            return sign**length, Counter({factor: exponent * length for factor, exponent in factors.items()})
        if node.op == "sqrt":
            sign, factors = _factors(node.arguments[0])
            if sign > 0 and all(exponent % 2 == 0 and _is_positive(factor) for factor, exponent in factors.items()):
                return 1.0, Counter({factor: exponent // 2 for factor, exponent in factors.items()})
            return 1.0, Counter({node.arguments[0]: 1})
    return 1.0, Counter({node: 2})


def _is_positive(node: Expression) -> bool:
    """Whether a factor is at least no gradient, whose sign a root of its square would lose."""
    return not isinstance(node, Name) or node.id not in ("g", "x")


def _product(sign: float, factors: Mapping[Expression, int]) -> Expression:
    number = Fraction(1)
    above: Expression | None = None
    below: Expression | None = None
    for factor, halves in factors.items():
        if isinstance(factor, Number) and halves % 2 == 0 and math.isfinite(factor.value) and factor.value:
            number *= Fraction(repr(factor.value)) ** (halves // 2)
            continue
        part = _power(factor, abs(halves))
        if halves > 0:
            above = part if above is None else Operation("mul", (above, part))
        else:
            below = part if below is None else Operation("mul", (below, part))
    if number != 1 or above is None:
        literal = Number(float(number))
        above = literal if above is None else Operation("mul", (literal, above))
    whole = above if below is None else Operation("div", (above, below))
    return Operation("neg", (whole,)) if sign < 0 else whole


def _power(factor: Expression, halves: int) -> Expression:
    if halves == 2:
        return factor
    if halves == 1:
        return Operation("sqrt", (factor,))
    if halves % 2 == 0:
        return Operation("pow", (factor, Number(float(halves // 2))))
    return Operation("mul", (_power(factor, halves - 1), Operation("sqrt", (factor,))))


__all__ = ["ONE", "chooses", "equal", "expression_text", "times_what", "value_at"]
