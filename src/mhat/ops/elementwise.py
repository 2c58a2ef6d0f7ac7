"""What every elementwise operation means, on doubles: IEEE results, never an exception. It knows no arrays.

Truth is a number: a comparison gives 1 or 0, and any number but 0 counts as true.
"""

from __future__ import annotations

import math

from mhat.ops.powers import real_power
from mhat.ops.table import ADD, AND, CHOICE, COMPARE, MULTIPLY, NEGATE, NOT, OR, POWER, define


@define("arithmetic", symbol="+", precedence=ADD)
def add(a: float, b: float) -> float:
    """Sum of two numbers."""
    return a + b


@define("arithmetic", symbol="-", precedence=ADD)
def sub(a: float, b: float) -> float:
    """Difference of two numbers."""
    return a - b


@define("arithmetic", symbol="*", precedence=MULTIPLY)
def mul(a: float, b: float) -> float:
    """Product of two numbers."""
    return a * b


@define("arithmetic", symbol="/", precedence=MULTIPLY)
def div(a: float, b: float) -> float:
    """Quotient; a number by zero is an infinity of its sign, zero by zero is NaN."""
    if b != 0.0:
        return a / b
    if a == 0.0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


@define("arithmetic", symbol="//", precedence=MULTIPLY)
def floordiv(a: float, b: float) -> float:
    """Quotient rounded down, as Python's `//`; by zero as `/`."""
    if b == 0.0:
        return div(a, b)
    if math.isinf(a) or a != a or b != b:
        return math.nan
    rest = math.fmod(a, b)
    quotient = div(a - rest, b)
    if rest != 0.0 and (b < 0.0) != (rest < 0.0):
        quotient -= 1.0
    if quotient == 0.0:
        return math.copysign(0.0, div(a, b))
    if math.isinf(quotient):
        return quotient
    down = float(math.floor(quotient))
    return down + 1.0 if quotient - down > 0.5 else down


@define("arithmetic", symbol="%", precedence=MULTIPLY)
def mod(a: float, b: float) -> float:
    """Remainder with the sign of the divisor, as Python's `%`; by zero NaN."""
    if b == 0.0 or math.isinf(a) or a != a or b != b:
        return math.nan
    rest = math.fmod(a, b)
    if rest == 0.0:
        return math.copysign(0.0, b)
    return rest + b if (b < 0.0) != (rest < 0.0) else rest


@define("arithmetic", symbol="**", precedence=POWER)
def pow_(a: float, b: float) -> float:
    """Power; an integer exponent by `ipow`, a literal exponent 2 to 4 as a product (the engines see to it)."""
    return real_power(a, b)


@define("arithmetic", symbol="-", precedence=NEGATE)
def neg(a: float) -> float:
    """The number with its sign changed."""
    return -a


@define("comparison", symbol="<", precedence=COMPARE)
def lt(a: float, b: float) -> float:
    """1 if the first is less, else 0."""
    return float(a < b)


@define("comparison", symbol="<=", precedence=COMPARE)
def le(a: float, b: float) -> float:
    """1 if the first is less or equal, else 0."""
    return float(a <= b)


@define("comparison", symbol=">", precedence=COMPARE)
def gt(a: float, b: float) -> float:
    """1 if the first is greater, else 0."""
    return float(a > b)


@define("comparison", symbol=">=", precedence=COMPARE)
def ge(a: float, b: float) -> float:
    """1 if the first is greater or equal, else 0."""
    return float(a >= b)


@define("comparison", symbol="==", precedence=COMPARE)
def eq(a: float, b: float) -> float:
    """1 if they are equal, else 0."""
    return float(a == b)


@define("comparison", symbol="!=", precedence=COMPARE)
def ne(a: float, b: float) -> float:
    """1 if they differ (NaN differs from itself), else 0."""
    return float(a != b)


@define("logic", symbol="and", precedence=AND)
def and_(a: float, b: float) -> float:
    """The second if the first is true, else the first, as Python's `and`."""
    return b if a != 0.0 else a


@define("logic", symbol="or", precedence=OR)
def or_(a: float, b: float) -> float:
    """The first if it is true, else the second, as Python's `or`."""
    return a if a != 0.0 else b


@define("logic", symbol="not", precedence=NOT)
def not_(a: float) -> float:
    """1 for zero, else 0."""
    return float(a == 0.0)


@define("logic", symbol="if", precedence=CHOICE)
def where(condition: float, a: float, b: float) -> float:
    """Choose the first where the condition is true, else the second: the same as `a if condition else b`."""
    return a if condition != 0.0 else b


@define("function")
def sqrt(x: float) -> float:
    """Square root; NaN for a negative number, -0 for -0."""
    return math.nan if x < 0.0 else math.sqrt(x)


@define("function")
def cbrt(x: float) -> float:
    """Cube root, of negative numbers too; libm's may be 4 ulp off, one Newton step brings it within 2."""
    root = math.cbrt(x)
    return root - (root - x / (root * root)) / 3.0 if x != 0.0 and math.isfinite(x) else root


@define("function")
def abs_(x: float) -> float:
    """Size without sign."""
    return math.fabs(x)


@define("function")
def sign(x: float) -> float:
    """1, 0 or -1; +0 for both zeros, NaN for NaN."""
    if x > 0.0:
        return 1.0
    if x < 0.0:
        return -1.0
    return 0.0 if x == 0.0 else x


@define("function")
def exp(x: float) -> float:
    """The exponential; infinity where it overflows."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


@define("function")
def log(x: float) -> float:
    """Natural logarithm; minus infinity for zero, NaN for a negative number."""
    if x == 0.0:
        return -math.inf
    return math.nan if x < 0.0 else math.log(x)


@define("function")
def sin(x: float) -> float:
    """Sine of an angle in radians; NaN for an infinity."""
    return math.nan if math.isinf(x) else math.sin(x)


@define("function")
def cos(x: float) -> float:
    """Cosine of an angle in radians; NaN for an infinity."""
    return math.nan if math.isinf(x) else math.cos(x)


@define("function")
def tanh(x: float) -> float:
    """Hyperbolic tangent: near 0 the number itself, far away 1 or -1."""
    return math.tanh(x)


@define("function")
def round_(x: float) -> float:
    """The nearest whole number, of two equally near the even one; a zero keeps the sign."""
    return math.copysign(float(round(x)), x) if math.isfinite(x) else x


@define("function")
def atan2(y: float, x: float) -> float:
    """Angle of the point (x, y), in radians, signed zeros as in IEEE 754."""
    return math.atan2(y, x)


@define("function")
def minimum(a: float, b: float) -> float:
    """The smaller; the first if they are equal (so for 0 and -0), NaN if either is NaN."""
    return a if a <= b or a != a else b


@define("function")
def maximum(a: float, b: float) -> float:
    """The larger; the first if they are equal (so for 0 and -0), NaN if either is NaN."""
    return a if a >= b or a != a else b


@define("function")
def clip(x: float, low: float, high: float) -> float:
    """Limit x to low..high: `minimum(maximum(x, low), high)`."""
    return minimum(maximum(x, low), high)
