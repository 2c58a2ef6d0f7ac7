"""Powers: integer ones by one double-double algorithm, the same operations in every language. It knows no arrays.

Only `+ - * /`, comparisons and `%` by 2 are used, in a fixed order, so that Python, NumPy, Numba,
JavaScript and C give the same bits. No libm `pow` for integers anywhere.
"""

from __future__ import annotations

import math
from functools import lru_cache

# Scaling steps: exact powers of two, small ones first so that only the last product can round.
SCALES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512)
# Each step with its power of two and the inverse, as doubles; compilers take the code below as it stands.
SMALL_FIRST = tuple((float(step), 2.0**step, 2.0**-step) for step in SCALES[:-2])
LAST = tuple((float(step), 2.0**step, 2.0**-step) for step in SCALES[-2:])
LARGE_FIRST = (*LAST, *SMALL_FIRST[::-1])
SPLITTER = 134217729.0  # 2**27 + 1, Dekker's constant for doubles
LARGEST_INTEGER = 2.0**53


def product_of(a: float, b: float) -> tuple[float, float]:
    """Multiply two doubles of moderate size exactly: the rounded product and its error (Dekker 1971)."""
    product = a * b
    scaled = SPLITTER * a
    a_high = scaled - (scaled - a)
    a_low = a - a_high
    scaled = SPLITTER * b
    b_high = scaled - (scaled - b)
    b_low = b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _multiply(high: float, low: float, other_high: float, other_low: float) -> tuple[float, float, float]:
    """Multiply two double-doubles in [1, 2): high and low in [1, 2) again, and the exponent taken out."""
    product, error = product_of(high, other_high)
    error = error + (high * other_low + low * other_high)
    total = product + error
    rest = error - (total - product)
    if total >= 2.0:
        return total * 0.5, rest * 0.5, 1.0
    return total, rest, 0.0


def _normalised(size: float) -> tuple[float, float]:
    """Write a positive finite double as significand in [1, 2) and exponent."""
    exponent = 0.0
    for step, up, down in LARGE_FIRST:
        if size >= up:
            size = size * down
            exponent = exponent + step
    for step, up, down in LARGE_FIRST:
        if size < 2.0 * down:
            size = size * up
            exponent = exponent - step
    return size, exponent


def _scaled(value: float, exponent: float) -> float:
    """Multiply by a power of two, rounding once at most."""
    rest = min(abs(exponent), 1535.0)
    for step, up, down in SMALL_FIRST:
        if rest % (2.0 * step) >= step:
            value = value * (up if exponent > 0.0 else down)
            rest = rest - step
    for step, up, down in LAST:
        if rest >= step:
            value = value * (up if exponent > 0.0 else down)
            rest = rest - step
    return value


def ipow(base: float, exponent: float) -> float:
    """Raise a double to an integer power, correctly rounded but for rare ties; under 2.2e-308 rounded twice.

    `exponent` is a double that holds an integer of at most 2**53.

    >>> ipow(0.9, 10.0) == float(__import__("fractions").Fraction(0.9) ** 10)
    True
    """
    if exponent == 0.0:
        return 1.0
    if base != base or exponent == 1.0:
        return base
    odd = abs(exponent) % 2.0 == 1.0
    if base == 0.0 or abs(base) == math.inf:
        size = abs(base) if exponent > 0.0 else (math.inf if base == 0.0 else 0.0)
        return math.copysign(size, base) if odd else size
    size = _power_of_size(abs(base), exponent)
    return -size if odd and base < 0.0 else size


@lru_cache(maxsize=1 << 16)
def _power_of_size(size: float, exponent: float) -> float:
    """Raise a positive finite double: square and multiply in double-double, the exponent of two kept apart."""
    count = abs(exponent)
    base_high, base_exponent = _normalised(size)
    base_low = 0.0
    high, low, total_exponent = 1.0, 0.0, 0.0
    while count > 0.0:
        if count % 2.0 == 1.0:
            high, low, carry = _multiply(high, low, base_high, base_low)
            total_exponent = total_exponent + base_exponent + carry
        count = (count - count % 2.0) * 0.5
        base_high, base_low, carry = _multiply(base_high, base_low, base_high, base_low)
        base_exponent = 2.0 * base_exponent + carry
    if exponent < 0.0:
        quotient = 1.0 / high
        product, error = product_of(quotient, high)
        low = (((1.0 - product) - error) - quotient * low) / high
        high, total_exponent = quotient, -total_exponent
    return _scaled(high + low, total_exponent)


def real_power(base: float, exponent: float) -> float:
    """Raise a double to any power: IEEE results, never an exception; integers go through `ipow`."""
    if exponent % 1.0 == 0.0 and abs(exponent) <= LARGEST_INTEGER:
        return ipow(base, exponent)
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.inf if base == 0.0 else math.nan
