"""Numbers as a figure writes them: true, told apart from their neighbours, powers of ten as such. It draws nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable

MINUS = "\N{MINUS SIGN}"
# A number of so many digits is written whole; one of more is rounded to as few as keep it apart, at least four.
WHOLE, FEWEST, MOST = 9, 4, 16


def texts(values: Iterable[float]) -> list[str]:
    """Write numbers beside each other: as they are if that is short, else rounded so that no two look alike.

    >>> texts([0.9, 0.99999]), texts([1 / 3, 0.3333])
    (['0.9', '0.99999'], ['0.33333', '0.3333'])
    """
    values = list(values)
    written = [_whole(value) for value in values]
    for digits in range(FEWEST, MOST + 1):
        tried = [text or f"{value:.{digits}g}" for text, value in zip(written, values, strict=True)]
        if len(set(tried)) == len(set(values)):
            return [_set(text) for text in tried]
    return [_set(repr(value)) for value in values]


def text_of(value: float, *beside: float) -> str:
    """Write one number, told apart from those beside it."""
    return texts([value, *beside])[0]


def rounded(value: float, digits: int = 4) -> str:
    """Write a measured number to so many digits, powers of ten as such.

    >>> rounded(3.40488818e-70), rounded(12345.678)
    ('$3.405\\cdot10^{-70}$', '12346')
    """
    if not math.isfinite(value):
        return str(value)
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    if digits <= exponent < 6:
        return _set(f"{value:.0f}")
    return _set(f"{value:.{digits}g}" if value == 0 or -4 <= exponent < digits else f"{value:.{digits - 1}e}")


def power_text(value: float) -> str:
    """Write a tick: a power of ten as one, and small ones as numbers."""
    return _set(f"{value:g}" if value == 0 or 1e-3 < abs(value) < 1e4 else f"{value:.0e}")


def _whole(value: float) -> str:
    """Write a number so that it reads back the same, but for the last bit, as of 0.1 + 0.2; nothing if it is long."""
    text = f"{value:.{WHOLE}g}"
    return text if not math.isfinite(value) or math.isclose(float(text), value, rel_tol=4e-16, abs_tol=0.0) else ""


def _set(text: str) -> str:
    """Set a number as a reader expects it: 0.0003, and from there on powers of ten."""
    digits, _, exponent = text.partition("e")
    if not exponent:
        return text.replace("-", MINUS)
    sign, lead = ("-" if digits.startswith("-") else ""), digits.lstrip("-")
    lead = lead.rstrip("0").rstrip(".") if "." in lead else lead
    power = f"10^{{{int(exponent)}}}"
    return f"${sign}{power}$" if lead == "1" else rf"${sign}{lead}\cdot{power}$"
