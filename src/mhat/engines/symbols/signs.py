"""Signs that follow from where knobs lie: a share is below one, and so are its powers. It knows no rule."""

from __future__ import annotations

from collections.abc import Iterable

from mhat.engines.symbols.conversions import Symbolic, sympy
from mhat.language.vocabulary import meaning_of


def sign_of(value: Symbolic, shares: frozenset[str], sizes: frozenset[str]) -> int | None:
    """Give 1 or -1 where a value is never the other way round, 0 where it is nothing, None where it is not known.

    `shares` are names of numbers from 0 to below 1, `sizes` of numbers that are not negative; none of them is at the
    very end of its range.
    """
    value = sympy().sympify(value)
    if value.is_zero:
        return 0
    if value.is_positive or value.is_negative:
        return 1 if value.is_positive else -1
    if value.is_Symbol:
        return 1 if value.name in shares | sizes else None
    if value.is_Mul:
        return _product(sign_of(part, shares, sizes) for part in value.args)
    if value.is_Pow:
        base, exponent = value.args
        if exponent.is_integer and exponent.is_even and base.is_real:
            return 1 if sign_of(base, shares, sizes) else None
        inner = sign_of(base, shares, sizes)
        return 1 if inner == 1 else inner if inner == -1 and exponent.is_odd else None
    if value.is_Add:
        signs = {sign_of(term, shares, sizes) for term in value.args}
        return signs.pop() if len(signs) == 1 else _one_less_share(value, shares, sizes)
    return None


def _product(signs: Iterable[int | None]) -> int | None:
    total = 1
    for sign in signs:
        if sign is None:
            return None
        total *= sign
    return total


def _one_less_share(value: Symbolic, shares: frozenset[str], sizes: frozenset[str]) -> int | None:
    """See `1 - b`, and `b**t - 1`, where b is a share or a product of shares."""
    constant, rest = value.as_coeff_Add()
    if not constant.is_Rational or abs(constant) < 1 or rest.is_Add:
        return None
    factor, powers = rest.as_coeff_mul()
    below_one = abs(factor) <= abs(constant) and factor * constant < 0 and all(_is_share(p, shares) for p in powers)
    strictly = any(power.as_base_exp()[1].is_positive for power in powers)
    return (1 if constant > 0 else -1) if below_one and strictly else None


def _is_share(value: Symbolic, shares: frozenset[str]) -> bool:
    """Whether a value is a power of a share, one at most."""
    base, exponent = value.as_base_exp()
    return base.is_Symbol and base.name in shares and bool(exponent.is_nonnegative)


def shares_and_sizes(knobs: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Sort knobs by what their words mean: shares of one, and numbers that are not negative."""
    meanings = {knob: meaning_of(knob) for knob in knobs}
    shares = frozenset(knob for knob, meaning in meanings.items() if meaning.is_share)
    sizes = frozenset(knob for knob, meaning in meanings.items() if meaning.low >= 0 and not meaning.is_share)
    return shares, sizes


def plain_signs(value: Symbolic, shares: frozenset[str], sizes: frozenset[str]) -> Symbolic:
    """Take what has a known sign out of `sign(...)` and `abs(...)`."""

    def change(node: Symbolic) -> Symbolic:
        inner = sympy().factor(node.args[0])
        known, rest = sympy().Integer(1), sympy().Integer(1)
        for part in sympy().Mul.make_args(inner):
            sign = sign_of(part, shares, sizes)
            if sign is None:
                rest *= part
            else:
                known *= sign if isinstance(node, sympy().sign) else sign * part
        return known * node.func(rest)

    kinds = (sympy().sign, sympy().Abs)
    for _ in range(3):
        found = [node for node in value.atoms(*kinds) if node.args[0].is_Mul or node.args[0].is_Add]
        new = {node: change(node) for node in found}
        new = {node: made for node, made in new.items() if made != node}
        if not new:
            break
        value = value.xreplace(new)
    return value
