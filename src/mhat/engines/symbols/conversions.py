"""Expressions of the rule language as expressions of SymPy, and back. It knows no rule and solves nothing.

Literals are read as they are written: 0.1 is a tenth. Names are real numbers, `t` a positive whole one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from mhat.extras import extra
from mhat.language.algebra import ONE, added, divided, multiplied, negated, subtracted
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.ops.table import OPERATIONS

# An expression of SymPy: it has no types of its own.
Symbolic = Any

# One at the first step, and zero at all others.
FIRST = "first"
# Numbers beyond have more digits than anybody waits for.
LARGEST = 1e60
# Half a turn; no rule can have a name with an `@`.
PI = "@pi"
# Operations that SymPy would try to decide: they are left as they are.
OPAQUE = frozenset(
    name for name, definition in OPERATIONS.items()
    if definition.elementwise and name not in {
        "add", "sub", "mul", "div", "neg", "pow", "sqrt", "abs", "sign", "exp", "log", "sin", "cos",
    }
)  # fmt: skip


class NotSymbolic(Exception):
    """Why an expression cannot be one of symbols: the reason in words."""


@cache
def sympy() -> Any:
    """Import SymPy, which the extra `symbols` installs; raises MissingExtra."""
    return extra("sympy", "symbols", "SymPy", needs=("mpmath",))


@cache
def symbol(name: str) -> Symbolic:
    """Give the symbol of a name."""
    if name == PI:
        return sympy().pi
    if name == "t":
        return sympy().Symbol("t", integer=True, positive=True)
    if name == FIRST:
        return sympy().Symbol(FIRST, integer=True, nonnegative=True)
    return sympy().Symbol(name, real=True)


# Within these a sum is written shorter first: SymPy looks into none of them.
CLOSED = frozenset({"sqrt", "abs", "sign", "exp", "log", "sin", "cos", "norm"}) | OPAQUE


def symbolic(
    node: Expression, known: Mapping[str, Symbolic] | None = None, tidied: Callable[[Symbolic], Symbolic] | None = None
) -> Symbolic:
    """Make an expression of SymPy, names in `known` being what they stand for; raises NotSymbolic.

    `tidied` writes what stands within a function shorter.
    """
    if isinstance(node, Number):
        if not math.isfinite(node.value):
            raise NotSymbolic("a number in it is not finite")
        if node.value and not 1 / LARGEST < abs(node.value) < LARGEST:
            raise NotSymbolic("a number in it is too large or too small to be calculated with as it is written")
        parts = Fraction(repr(node.value))
        return sympy().Rational(parts.numerator, parts.denominator)
    if isinstance(node, Name):
        found = (known or {}).get(node.id)
        return symbol(node.id) if found is None else found
    arguments = [symbolic(argument, known, tidied) for argument in node.arguments]
    if tidied is not None and node.op in CLOSED:
        arguments = list(map(tidied, arguments))
    return operation(node.op, node.over)(*arguments)


def operation(op: str, over: str | None = None) -> Callable[..., Symbolic]:
    """Give an operation on symbols; a tensor is one number, so its sum is itself. Raises NotSymbolic."""
    if OPERATIONS[op].kind == "matrix":
        raise NotSymbolic(f"`{OPERATIONS[op].symbol}` is an operation on matrices")
    if over == "all":
        raise NotSymbolic(f"`{op}` runs over all tensors")
    if op in OPAQUE:
        return sympy().Function(op, real=True)  # type: ignore[no-any-return]
    meaning: Callable[..., Symbolic] = _MEANINGS[op]
    return meaning


def _power(a: Symbolic, b: Symbolic) -> Symbolic:
    if a.is_Rational and b.is_Rational and (b.q != 1 or abs(b.p) > 64):
        # Roots of numbers are not worked out.
        raise NotSymbolic("a power of two numbers")
    return a**b


def _divided(a: Symbolic, b: Symbolic) -> Symbolic:
    if b == 0:
        raise NotSymbolic("it divides by zero")
    return a / b


_MEANINGS: dict[str, Callable[..., Symbolic]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divided,
    "neg": lambda a: -a,
    "pow": _power,
    "sqrt": lambda a: sympy().sqrt(a),
    "abs": lambda a: sympy().Abs(a),
    "sign": lambda a: sympy().sign(a),
    "exp": lambda a: sympy().exp(a),
    "log": lambda a: sympy().log(a),
    "sin": lambda a: sympy().sin(a),
    "cos": lambda a: sympy().cos(a),
    # Of a tensor of one number.
    "sum": lambda a: a,
    "mean": lambda a: a,
    "norm": lambda a: sympy().Abs(a),
    "largest": lambda a: a,
    "size": lambda a: sympy().Integer(1),
}


# Back to the tree


def expression(value: Symbolic) -> Expression:
    """Make an expression of the rule language of one of SymPy; raises NotSymbolic where it has none."""
    if value.is_Rational:
        return _number(value)
    if value == sympy().pi:
        return Name(PI)
    if value.is_Symbol:
        return Name(value.name)
    if value.is_Add:
        return _sum(value)
    if value.is_Mul:
        return _product(value)
    if value.is_Pow:
        return _powered(value)
    name = type(value).__name__
    op = {"Abs": "abs", "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "sign": "sign"}.get(name, name)
    if op not in OPERATIONS:
        raise NotSymbolic(f"{name} is no operation of a rule")
    return Operation(op, tuple(map(expression, value.args)))


def _number(value: Symbolic) -> Expression:
    size = abs(value)
    above, below = int(size.p), int(size.q)
    try:
        whole = above / below
    except OverflowError:
        raise NotSymbolic("a number in it is too large") from None
    if Fraction(repr(whole)) == Fraction(above, below):
        made: Expression = Number(whole)
    else:
        if above >= 1 << 53 or below >= 1 << 53:
            made = Number(whole)
        else:
            made = Operation("div", (Number(float(above)), Number(float(below))))
    return negated(made) if value < 0 else made


def _is_negative(value: Symbolic) -> bool:
    """Whether a term is written with a minus sign."""
    return bool(value.could_extract_minus_sign()) if not value.is_Add else False


def _sum(value: Symbolic) -> Expression:
    """Write a sum: what is added first, what is taken away last, numbers in front."""
    terms = [(expression(term), term) for term in value.as_ordered_terms()]
    terms.sort(key=lambda term: (_unsigned(term[0]) is not None, not term[1].is_Rational, len(term[1].free_symbols)))
    total, *rest = (node for node, _ in terms)
    for node in rest:
        taken = _unsigned(node)
        total = added(total, node) if taken is None else subtracted(total, taken)
    return total


def _unsigned(node: Expression) -> Expression | None:
    """Give a term without the minus sign that it begins with; None if it begins with none."""
    if isinstance(node, Operation):
        if node.op == "neg":
            return node.arguments[0]
        if node.op in ("mul", "div"):
            first = _unsigned(node.arguments[0])
            return None if first is None else Operation(node.op, (first, node.arguments[1]))
    return None


def _product(value: Symbolic) -> Expression:
    """Write a product: a number, names, sums; a sign goes into a sum that begins with one."""
    coefficient, factors = value.as_coeff_mul()
    above: list[Symbolic] = []
    below: list[Symbolic] = []
    for factor in factors:
        base, exponent = factor.as_base_exp()
        (below if exponent.is_Rational and exponent < 0 else above).append(factor)
    sign = coefficient < 0
    for group in (above, below):
        for i, factor in enumerate(group):
            base, exponent = factor.as_base_exp()
            if base.is_Add and exponent.is_Integer and _turned(base):
                group[i] = (-base) ** exponent
                sign = sign != bool(exponent.p % 2)
    top = _of_factors(abs(coefficient.p) if coefficient.is_Rational else 1, above)
    bottom = _of_factors(coefficient.q if coefficient.is_Rational else 1, [1 / factor for factor in below])
    if sign and above:
        return divided(_with_sign(top), bottom)
    made = divided(top, bottom)
    return negated(made) if sign else made


def _with_sign(node: Expression) -> Expression:
    """Write a minus sign before the first factor of a product."""
    if isinstance(node, Operation) and node.op == "mul":
        return Operation("mul", (_with_sign(node.arguments[0]), node.arguments[1]))
    return Operation("neg", (node,))


def _turned(base: Symbolic) -> bool:
    """Whether a sum reads better with all its signs changed: more is taken away than is added, or its number is."""
    constant, _ = base.as_coeff_Add()
    if constant:
        return bool(constant < 0)
    negative = sum(map(_is_negative, base.args))
    return 2 * negative > len(base.args)


def _of_factors(number: Any, factors: list[Symbolic]) -> Expression:
    made: Expression = ONE if number == 1 else _number(sympy().Integer(number))
    for factor in sorted(factors, key=lambda f: (f.is_Add, len(f.free_symbols) == 0)):
        made = multiplied(made, expression(factor))
    return made


def _powered(value: Symbolic) -> Expression:
    base, exponent = value.args
    if exponent.is_Rational and exponent < 0:
        return divided(ONE, expression(base**-exponent))
    if exponent == sympy().Rational(1, 2):
        return Operation("sqrt", (expression(base),))
    if base == sympy().E:
        return Operation("exp", (expression(exponent),))
    return Operation("pow", (expression(base), expression(exponent)))
