"""Numbers for people: as they would be typed, in full, brief, or told apart. It knows no language and no drawing.

A number that stands for itself (a knob, a label) is written in full; one of many measured ones to four digits; and
numbers that stand beside each other with as many digits as tell them apart.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from decimal import Decimal

DIGITS = 4
# A number of so few characters is written in full.
SHORT = 8
# How far a written number may be from what it stands for, in distances to its neighbour.
NEAR = 0.05
# With so many digits any two doubles are told apart.
ALL_DIGITS = 17
# Up to here whole numbers are written out: 1000 rather than 1e3.
WRITTEN_OUT = 1e6


def exact(value: float) -> str:
    """Write a number as people type it, so that it reads back as the same.

    >>> [exact(value) for value in (0.001, 0.9, 10.0, 0.99999, 1e-8, 1500.0, 2e22, 3)]
    ['1e-3', '0.9', '10', '0.99999', '1e-8', '1500', '2e22', '3']
    """
    if not isinstance(value, float) or not math.isfinite(value):
        return str(value)
    sign = "-" if math.copysign(1.0, value) < 0.0 else ""
    if reads_better_scientific(value):
        significand, exponent = scientific_of(value)
        return f"{sign}{significand}e{exponent}"
    return sign + decimal_of(value)


def brief(value: float, digits: int = DIGITS) -> str:
    """Write a number to so many digits.

    >>> [brief(value) for value in (0.9999000099990011, 3.40488818e-70, -1234.5, 2.0)]
    ['0.9999', '3.405e-70', '-1234', '2']
    """
    text = f"{value:.{digits}g}"
    if math.isinf(float(text)) and math.isfinite(value):  # the largest doubles would be rounded to infinity
        return exact(float(value))
    significand, e, exponent = text.partition("e")
    return f"{significand}e{int(exponent)}" if e else text


def apart(values: Iterable[float], digits: int = DIGITS) -> list[str]:
    """Write numbers in full where that is short, else to so many digits, or as many more as tell them apart.

    >>> apart([0.9, 0.99999]), apart([1 / 3, 0.5]), apart([1 / 3, 1 / 3 + 1e-6])
    (['0.9', '0.99999'], ['0.3333', '0.5'], ['0.3333333', '0.3333343'])
    """
    numbers = [float(value) for value in values]
    ordered = sorted({value for value in numbers if math.isfinite(value)})
    gap = min((after - before for before, after in itertools.pairwise(ordered)), default=math.inf)
    texts: list[str] = []
    for many in range(digits, ALL_DIGITS + 1):
        texts = [_short(value) or brief(value, many) for value in numbers]
        # So near to itself that no neighbour is meant.
        if all(_off(text, value) <= NEAR * gap for text, value in zip(texts, numbers, strict=True)):
            break
    return texts


def near(value: float, digits: int = 6) -> str:
    """Write a number to so many digits, or to as many more as tell it from the whole number next to it.

    >>> near(0.1), near(1 / 3), near(0.99999994), near(1 - 1e-12), near(3.0), near(1e-9)
    ('0.1', '0.333333', '0.99999994', '0.999999999999', '3', '1e-9')
    """
    return apart([value, float(round(value))], digits)[0] if math.isfinite(value) else exact(value)


def _short(value: float) -> str:
    text = exact(value)
    return text if len(text) <= SHORT else ""


def _off(text: str, value: float) -> float:
    return abs(float(text) - value) if math.isfinite(value) else 0.0


def digits_of(value: float) -> tuple[str, int]:
    """Give the shortest digits that read back as the same finite double, and the exponent of the last digit.

    >>> digits_of(0.001), digits_of(1500.0), digits_of(0.0)
    (('1', -3), ('15', 2), ('0', 0))
    """
    _, digits, exponent = Decimal(repr(abs(value))).as_tuple()
    text = "".join(map(str, digits))
    short = text.rstrip("0") or "0"
    return short, int(exponent) + len(text) - len(short) if short != "0" else 0


def scientific_of(value: float) -> tuple[str, int]:
    """Give the significand (one digit before the point) and the exponent of ten of a finite double.

    >>> scientific_of(0.00125)
    ('1.25', -3)
    """
    digits, exponent = digits_of(value)
    return digits[0] + ("." + digits[1:] if digits[1:] else ""), exponent + len(digits) - 1


def decimal_of(value: float) -> str:
    """Write the size of a finite double without an exponent.

    >>> decimal_of(0.00125), decimal_of(1500.0)
    ('0.00125', '1500')
    """
    digits, exponent = digits_of(value)
    if exponent >= 0:
        return digits + "0" * exponent
    padded = digits.rjust(1 - exponent, "0")
    return f"{padded[:exponent]}.{padded[exponent:]}"


def reads_better_scientific(value: float) -> bool:
    """Whether people would write a finite double as `1e-3` rather than `0.001`: where that is shorter."""
    if value == 0.0 or (value == int(value) and abs(value) < WRITTEN_OUT):
        return False
    significand, exponent = scientific_of(value)
    # The length of the decimal form is counted, not built: 5e-324 would be 326 characters.
    digits, last = digits_of(value)
    length = len(digits) + last if last >= 0 else max(len(digits) + 1, 2 - last)
    return len(f"{significand}e{exponent}") < length
