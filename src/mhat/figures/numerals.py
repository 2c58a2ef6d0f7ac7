"""Numbers set for a figure: what `mhat.notation.decimals` writes, with powers of ten as a reader expects them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from mhat.notation import decimals

MINUS = "\N{MINUS SIGN}"
# Down to here people read 0.0001 more easily than a power of ten.
LOWEST_PLAIN = -4


def texts(values: Iterable[float]) -> list[str]:
    """Write numbers beside each other, told apart."""
    return [_set(text) for text in decimals.apart(values)]


def whole(value: float) -> str:
    """Write a number that stands for itself in full.

    >>> whole(0.99999), whole(2e-8)
    ('0.99999', '$2\\\\cdot10^{-8}$')
    """
    return _set(decimals.exact(value))


def rounded(value: float, digits: int = decimals.DIGITS) -> str:
    """Write a measured number to so many digits.

    >>> rounded(0.9999000099990011), rounded(1e-6)
    ('0.9999', '$10^{-6}$')
    """
    return _set(decimals.brief(value, digits))


def power_text(value: float) -> str:
    """Write a tick: a power of ten as one, and small ones as numbers."""
    return _set(f"{value:g}" if value == 0 or 1e-3 < abs(value) < 1e4 else f"{value:.0e}", LOWEST_PLAIN + 2)


def _set(text: str, lowest: int = LOWEST_PLAIN) -> str:
    digits, _, power = text.partition("e")
    if not power:
        return text.replace("-", MINUS)
    exponent = int(power)
    if lowest <= exponent < 0:
        return f"{Decimal(text):f}".replace("-", MINUS)
    sign, lead = ("-" if digits.startswith("-") else ""), digits.lstrip("-")
    return f"${sign}10^{{{exponent}}}$" if lead == "1" else rf"${sign}{lead}\cdot10^{{{exponent}}}$"
