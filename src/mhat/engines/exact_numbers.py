"""Every elementwise operation on mpmath numbers, defined anew: an oracle shares no arithmetic. It knows no floats.

mpmath has no negative zero, so one is carried along: a zero of its own class, which mpmath takes for a zero.
Exponents are unlimited, so nothing overflows or underflows; only exponents of powers, and arguments of `exp`,
beyond 2**1100 (no double is) count as infinite, and there `sin` and `cos` are NaN.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

# A number of the context: mpmath has no types of its own.
Digits = Any
# No double is this large; beyond, exponents of results would no longer fit in memory.
LARGEST_EXPONENT = 1100


def nearest_double(value: Digits) -> float:
    """Round to the nearest double, ties to even; overflow gives an infinity, and zeros keep their sign."""
    sign, mantissa, exponent, bits = value._mpf_
    if not mantissa:
        return float(value)
    # Below 2**-1022 doubles have fewer bits; rounding to 53 first would round twice.
    kept = min(53, exponent + bits + 1074)
    if kept < 0:
        return -0.0 if sign else 0.0
    lost = max(bits - kept, 0)
    if lost:
        half, rest = 1 << (lost - 1), mantissa & ((1 << lost) - 1)
        mantissa >>= lost
        mantissa += rest > half or (rest == half and mantissa & 1)
    try:
        size = math.ldexp(mantissa, exponent + lost)
    except OverflowError:
        size = math.inf
    return -size if sign else size


def magnitude(a: Digits) -> int:
    """Give the binary exponent of a finite nonzero number."""
    return int(a._mpf_[2] + a._mpf_[3])


def is_integer(a: Digits) -> bool:
    """Whether a finite number is an integer."""
    return bool(a._mpf_[2] >= 0)


def is_odd(a: Digits) -> bool:
    """Whether an integer is odd (mantissas are odd, so its exponent says it)."""
    return bool(a._mpf_[1] and a._mpf_[2] == 0)


def _class_of_negative_zero(context: Any) -> type:
    def as_float(self: Any) -> float:
        return -0.0

    return type("NegativeZero", (context.mpf,), {"__float__": as_float, "__repr__": lambda self: "mpf('-0.0')"})


class Numbers:
    """Arithmetic on the numbers of an mpmath context."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.precision: int = context.prec
        self.number = context.mpf
        self.zero, self.one = context.mpf(0), context.mpf(1)
        self.nan, self.infinity = context.mpf("nan"), context.mpf("inf")
        self.negative_zero = _class_of_negative_zero(context)(0)
        self._negative_zero_class = type(self.negative_zero)
        self._integer_power = lru_cache(maxsize=1 << 14)(lambda raw, n: context.make_mpf(raw) ** n)

    def of_double(self, value: float) -> Digits:
        """Take the exact value of a double."""
        if value == 0.0 and math.copysign(1.0, value) < 0.0:
            return self.negative_zero
        return self.number(value)

    def negative(self, a: Digits) -> bool:
        """Whether the sign is minus, of zeros too."""
        return bool(a._mpf_[0]) or type(a) is self._negative_zero_class

    def finite(self, a: Digits) -> bool:
        """Whether it is neither an infinity nor NaN."""
        return bool(a._mpf_[1]) or not a

    def infinite(self, a: Digits) -> bool:
        """Whether it is an infinity."""
        return not self.finite(a) and bool(a == a)

    def signed_zero(self, negative: bool) -> Digits:
        """Give a zero of a sign."""
        return self.negative_zero if negative else self.zero

    def signed_infinity(self, negative: bool) -> Digits:
        """Give an infinity of a sign."""
        return -self.infinity if negative else self.infinity

    def _scaled(self, mantissa: int, exponent: int) -> Digits:
        return self.context.ldexp(self.number(mantissa), exponent)

    # Arithmetic

    def add(self, a: Digits, b: Digits) -> Digits:
        total = a + b
        if total:
            return total
        return self.signed_zero(not a and not b and self.negative(a) and self.negative(b))

    def sub(self, a: Digits, b: Digits) -> Digits:
        return self.add(a, self.neg(b))

    def mul(self, a: Digits, b: Digits) -> Digits:
        product = a * b
        return product if product else self.signed_zero(self.negative(a) != self.negative(b))

    def div(self, a: Digits, b: Digits) -> Digits:
        negative = self.negative(a) != self.negative(b)
        if not b:
            return self.nan if not a or a != a else self.signed_infinity(negative)
        quotient = a / b
        return quotient if quotient else self.signed_zero(negative)

    def neg(self, a: Digits) -> Digits:
        return -a if a else self.signed_zero(not self.negative(a))

    def floordiv(self, a: Digits, b: Digits) -> Digits:
        if not b:
            return self.div(a, b)
        if not self.finite(a) or b != b:
            return self.nan
        opposite = self.negative(a) != self.negative(b)
        if not a or not self.finite(b) or magnitude(a) < magnitude(b):
            return -self.one if a and opposite else self.signed_zero(opposite)
        if magnitude(a) - magnitude(b) > self.precision + 2:
            return a / b
        (sign, p, p_exponent, _), (other, q, q_exponent, _) = a._mpf_, b._mpf_
        least = min(p_exponent, q_exponent)
        p, q = p << (p_exponent - least), q << (q_exponent - least)
        quotient = (-p if sign != other else p) // q
        return self._scaled(quotient, 0) if quotient else self.signed_zero(opposite)

    def mod(self, a: Digits, b: Digits) -> Digits:
        if not b or not self.finite(a) or b != b:
            return self.nan
        if not a:
            return self.signed_zero(self.negative(b))
        opposite = self.negative(a) != self.negative(b)
        if not self.finite(b) or magnitude(a) < magnitude(b):
            return self.add(a, b) if opposite else a
        (sign, p, p_exponent, _), (other, q, q_exponent, _) = a._mpf_, b._mpf_
        if p_exponent >= q_exponent:
            least, rest = q_exponent, p * pow(2, p_exponent - q_exponent, q) % q
        else:
            least, q = p_exponent, q << (q_exponent - p_exponent)
            rest = p % q
        if rest == 0:
            return self.signed_zero(bool(other))
        rest = q - rest if sign != other else rest
        return self._scaled(-rest if other else rest, least)

    def pow(self, a: Digits, b: Digits) -> Digits:
        if not b or a == self.one:
            return self.one
        if a != a or b != b:
            return self.nan
        if not self.finite(b) or magnitude(b) > LARGEST_EXPONENT:
            size = abs(a)
            if size == self.one:
                return self.one
            return self.infinity if (size > self.one) == (b > 0) else self.zero
        integer = is_integer(b)
        if not a or not self.finite(a):
            negative = integer and is_odd(b) and self.negative(a)
            grows = bool(a) == bool(b > 0)
            return self.signed_infinity(negative) if grows else self.signed_zero(negative)
        if integer:
            return self._integer_power(a._mpf_, int(b))
        if a < 0:
            return self.nan
        exponent = b * self.context.ln(a)
        return self.exp(exponent) if magnitude(exponent) > LARGEST_EXPONENT else self.context.power(a, b)

    # Comparison and logic: truth is 1 or 0, and any number but 0 counts as true

    def _truth(self, truth: bool) -> Digits:
        return self.one if truth else self.zero

    def lt(self, a: Digits, b: Digits) -> Digits:
        return self._truth(a < b)

    def le(self, a: Digits, b: Digits) -> Digits:
        return self._truth(a <= b)

    def gt(self, a: Digits, b: Digits) -> Digits:
        return self._truth(a > b)

    def ge(self, a: Digits, b: Digits) -> Digits:
        return self._truth(a >= b)

    def eq(self, a: Digits, b: Digits) -> Digits:
        return self._truth(a == b)

    def ne(self, a: Digits, b: Digits) -> Digits:
        return self._truth(a != b)

    def and_(self, a: Digits, b: Digits) -> Digits:
        return b if a else a

    def or_(self, a: Digits, b: Digits) -> Digits:
        return a if a else b

    def not_(self, a: Digits) -> Digits:
        return self._truth(not a)

    def where(self, condition: Digits, a: Digits, b: Digits) -> Digits:
        return a if condition else b

    # Functions

    def sqrt(self, a: Digits) -> Digits:
        if a < 0:
            return self.nan
        return self.context.sqrt(a) if a else a

    def cbrt(self, a: Digits) -> Digits:
        if not a or not self.finite(a):
            return a
        root = self.context.cbrt(abs(a))
        return -root if a < 0 else root

    def abs(self, a: Digits) -> Digits:
        return abs(a) if a else self.zero

    def sign(self, a: Digits) -> Digits:
        if a != a:
            return a
        return self.one if a > 0 else -self.one if a < 0 else self.zero

    def exp(self, a: Digits) -> Digits:
        if a != a:
            return a
        if a and (not self.finite(a) or magnitude(a) > LARGEST_EXPONENT):
            return self.infinity if a > 0 else self.zero
        return self.context.exp(a)

    def log(self, a: Digits) -> Digits:
        if not a:
            return -self.infinity
        if a < 0 or a != a:
            return self.nan
        return self.context.ln(a) if self.finite(a) else a

    def sin(self, a: Digits) -> Digits:
        if not a:
            return a
        return self.context.sin(a) if self._has_angle(a) else self.nan

    def cos(self, a: Digits) -> Digits:
        return self.context.cos(a) if not a or self._has_angle(a) else self.nan

    def tanh(self, a: Digits) -> Digits:
        if not a or a != a:
            return a
        if not self.finite(a) or magnitude(a) > LARGEST_EXPONENT:
            return self.one if a > 0 else -self.one
        return self.context.tanh(a)

    def round(self, a: Digits) -> Digits:
        if not self.finite(a) or (is_integer(a) and a):
            return a
        nearest = self.context.nint(a)
        return nearest if nearest else self.signed_zero(self.negative(a))

    def _has_angle(self, a: Digits) -> bool:
        return self.finite(a) and magnitude(a) <= LARGEST_EXPONENT

    def atan2(self, y: Digits, x: Digits) -> Digits:
        if y != y or x != x:
            return self.nan
        pi = self.context.pi
        if self.infinite(y):
            quarters = (3 if self.negative(x) else 1) if self.infinite(x) else 2
            angle = pi * quarters / 4
        elif not y or self.infinite(x):
            angle = +pi if self.negative(x) else self.zero
        else:
            angle = abs(self.context.atan2(y, x)) if x else pi / 2
        return self.neg(angle) if self.negative(y) else angle

    def minimum(self, a: Digits, b: Digits) -> Digits:
        return a if a <= b or a != a else b

    def maximum(self, a: Digits, b: Digits) -> Digits:
        return a if a >= b or a != a else b

    def clip(self, a: Digits, low: Digits, high: Digits) -> Digits:
        return self.minimum(self.maximum(a, low), high)
