"""How numbers are put into sentences: steps in learning rates, lists, plurals. It knows no rule and no number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mhat.explanations.claims import four_digits
from mhat.explanations.numbers.parts import Parts


def in_rates(value: float, parts: Parts) -> str:
    """Write a step told in learning rates, with the name that the rule gives the rate: `0.2294 lr`."""
    if not math.isfinite(value):
        return four_digits(value) if math.isnan(value) else "infinite"
    value = 0.0 if abs(value) < 1e-12 else value
    if parts.rate is None or value == 0.0:
        return four_digits(value)
    if math.isclose(value, 1.0, rel_tol=5e-5):
        return parts.rate
    return f"{four_digits(value)} {parts.rate}"


def steps_long(value: float) -> str:
    """Write a length in steps.

    >>> steps_long(692.8005), steps_long(1.0)
    ('692.8 steps', '1 step')
    """
    if math.isinf(value):
        return "for ever"
    return "1 step" if value == 1 else f"{four_digits(value)} steps"


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
