"""What is wanted of a product, or of a sum, dealt out to its two sides by what their factors and terms come to.

It knows no slip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from mhat.checks.readings.frames import Frame
from mhat.checks.readings.products import Algebra, Factor, Value
from mhat.language.tree import Operation
from mhat.mistakes.slots import Slot

# How many parts that are like nothing on either side are dealt out in every way.
DEALT = 3


class Dealer:
    """Deals out what is wanted of the operations of one frame."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.algebra = frame.algebra

    def divided(self, slot: Slot, node: Operation, wanted: Value, alone: bool) -> Iterator[tuple[Value, Value]]:
        """Deal the factors of what is wanted out to the two sides of a product or a quotient.

        `alone`: also what is wanted of one side where the other is right.
        """
        algebra = self.algebra
        sides = [self.frame.value(slot, part) for part in node.arguments]
        own = [algebra.factors(side) for side in sides]
        sign = 1.0 if node.op == "mul" else -1.0
        dealt: list[list[Factor]] = [[], []]
        left: list[Factor] = []
        for factor in algebra.factors(wanted):
            which = _owner(algebra, own, factor, sign)
            (left if which is None else dealt[which]).append(factor)
        if len(left) <= DEALT:
            for choice in product((0, 1), repeat=len(left)):
                parts = [[*dealt[s], *(f for f, c in zip(left, choice, strict=True) if c == s)] for s in (0, 1)]
                if all(parts):
                    second = [Factor(f.base, sign * f.exponent) for f in parts[1]]
                    yield algebra.product(parts[0]), algebra.product(second)
        terms = algebra.expanded(wanted)
        if len(terms) > 1:
            # What is divided by a number of the step alone is so term by term.
            if algebra.is_per_step(sides[0].at) and sign > 0:
                yield sides[0], algebra.sum([algebra.quotient(term, sides[0]) for term in terms])
            if algebra.is_per_step(sides[1].at):
                turn = algebra.quotient if sign > 0 else algebra.times
                yield algebra.sum([turn(term, sides[1]) for term in terms]), sides[1]
        if not alone:
            return
        first, second_side = sides
        if sign > 0:
            yield algebra.quotient(wanted, second_side), second_side
            yield first, algebra.quotient(wanted, first)
        else:
            yield algebra.times(wanted, second_side), second_side
            yield first, algebra.quotient(first, wanted)

    def shared_out(self, slot: Slot, node: Operation, wanted: Value, alone: bool) -> Iterator[tuple[Value, Value]]:
        """Deal the terms of what is wanted out to the two sides of a sum or a difference; `alone` as above."""
        algebra = self.algebra
        sides = [self.frame.value(slot, part) for part in node.arguments]
        plus = node.op == "add"
        signed = [sides[0], sides[1] if plus else algebra.negative(sides[1])]
        own = [[*algebra.terms(side), *algebra.expanded(side)] for side in signed]
        seen: list[int] = []
        for terms in (algebra.terms(wanted), algebra.expanded(wanted)):
            if len(terms) in seen or len(terms) < 2:
                continue
            seen.append(len(terms))
            for parts in self._dealt(own, terms):
                first, second = algebra.sum(parts[0]), algebra.sum(parts[1])
                yield first, second if plus else algebra.negative(second)
        if not alone:
            return
        rest = algebra.difference(wanted, signed[0])
        yield sides[0], rest if plus else algebra.negative(rest)
        yield algebra.difference(wanted, signed[1]), sides[1]

    def _dealt(self, own: Sequence[Sequence[Value]], terms: Sequence[Value]) -> Iterator[list[list[Value]]]:
        algebra = self.algebra
        dealt: list[list[Value]] = [[], []]
        left: list[tuple[Value, int]] = []
        for term in terms:
            same = [s for s in (0, 1) if any(algebra.equal(term, each) for each in own[s])]
            if same:
                dealt[same[0]].append(term)
            else:
                left.append((term, 1 if any(self._alike(term, each) for each in own[1]) else 0))
        if len(left) > DEALT:
            return
        for turned in product((0, 1), repeat=len(left)):
            choice = [first ^ turn for (_, first), turn in zip(left, turned, strict=True)]
            parts = [[*dealt[s], *(t for (t, _), c in zip(left, choice, strict=True) if c == s)] for s in (0, 1)]
            if all(parts):
                yield parts

    def _alike(self, a: Value, b: Value) -> bool:
        """Whether two values differ by a number a step only."""
        with np.errstate(all="ignore"):
            ratio = a.at / b.at
        return bool(np.isfinite(ratio).all()) and self.algebra.is_per_step(ratio)


def _owner(algebra: Algebra, own: Sequence[Sequence[Factor]], factor: Factor, sign: float) -> int | None:
    """Say to which side of a product a factor belongs: where there is one like it, the exponent too if both have."""
    with_base = [(s, each) for s in (0, 1) for each in own[s] if algebra.equal(each.base, factor.base)]
    if not with_base:
        return None
    exact = [s for s, each in with_base if each.exponent * (1.0 if s == 0 else sign) == factor.exponent]
    return (exact or [s for s, _ in with_base])[0]
