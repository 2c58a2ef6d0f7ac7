"""Which formula of the knobs a measured number is: a few are tried, and believed only if they hold at other knobs too.

It knows no rule and measures nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from mhat.explanations.consequences.factors import value_at
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.vocabulary import meaning_of

ONE = Number(1.0)
NEAR = 2e-3


def elsewhere(knobs: Mapping[str, float]) -> tuple[dict[str, float], ...]:
    """Give two other settings of the knobs that are shares, none of them special, all of short memory."""
    shares = [name for name in knobs if meaning_of(name).is_share]
    one = dict(zip(shares, (0.83, 0.91, 0.71, 0.87), strict=False))
    other = dict(zip(shares, (0.61, 0.84, 0.77, 0.69), strict=False))
    return one, other


def formula_of(measured: Sequence[tuple[float, Mapping[str, float]]]) -> Expression | None:
    """Find the formula that gives every number at its knobs; None if none of those tried does, or one is not needed."""
    _, knobs = measured[0]
    if not all(math.isfinite(number) and number for number, _ in measured):
        return None
    for expression in _tried(knobs):
        if all(abs(value_at(expression, own, 1) - number) <= NEAR * abs(number) for number, own in measured):
            return expression
    return None


def _tried(knobs: Mapping[str, float]) -> Iterator[Expression]:
    shares = [Name(name) for name in knobs if meaning_of(name).is_share]
    parts: list[Expression] = []
    for share in shares:
        parts += [share, Operation("sub", (ONE, share))]
    roots = [Operation("sqrt", (part,)) for part in parts]
    yield from parts
    yield from (Operation("div", (ONE, part)) for part in parts)
    yield from roots
    yield from (Operation("div", (ONE, root)) for root in roots)
    for above in (*parts, *roots):
        yield from (Operation("div", (above, below)) for below in (*parts, *roots) if below != above)
    for i, first in enumerate((*parts, *roots)):
        yield from (Operation("mul", (first, second)) for second in (*parts, *roots)[i:])
