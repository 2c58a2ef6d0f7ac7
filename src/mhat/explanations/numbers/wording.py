"""How numbers are put into sentences: steps in learning rates, lists, plurals. It knows no rule and no number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mhat.explanations.claims import four_digits
from mhat.explanations.numbers.parts import Parts
from mhat.notation.decimals import exact


def said(value: float) -> str:
    """Write a number to four digits, what a computer adds to it left out: `1 - 0.9` is 0.1.

    >>> said(692.8005), said(1 - 0.9), said(1 / 9.99999999995e-6), said(143500.0), said(1000)
    ('692.8', '0.1', '100000', '143500', '1000')
    """
    if math.isnan(value):
        return "not a number"
    value = float(f"{value:.11g}") + 0.0
    short = float(f"{value:.4g}")
    if math.isclose(value, short, rel_tol=5e-6) and len(exact(short)) <= 6:
        return exact(short)
    if 1e4 <= abs(value) < 1e6:
        return f"{float(f'{value:.4g}'):.0f}"
    return four_digits(value)


def in_rates(value: float, parts: Parts) -> str:
    """Write a step told in learning rates, with the name that the rule gives the rate: `0.2294 lr`."""
    if not math.isfinite(value):
        return said(value) if math.isnan(value) else "infinite"
    value = 0.0 if abs(value) < 1e-12 else value
    if parts.rate is None:
        return said(value)
    if math.isclose(value, 1.0, rel_tol=5e-5):
        return parts.rate
    return f"{said(value)} {parts.rate}"


def steps_long(value: float) -> str:
    """Write a length in steps.

    >>> steps_long(692.8005), steps_long(1.0)
    ('692.8 steps', '1 step')
    """
    if math.isinf(value):
        return "for ever"
    return "1 step" if value == 1 else f"{said(value)} steps"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Write a list as it is said: `a, b and c`.

    >>> listed(["m", "v"]), listed(["m", "d", "v"])
    ('m and v', 'm, d and v')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def counted(count: int, thing: str) -> str:
    """Write how many there are.

    >>> counted(1, "number"), counted(2, "number")
    ('1 number', '2 numbers')
    """
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
