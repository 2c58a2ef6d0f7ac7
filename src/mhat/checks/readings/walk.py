"""Two expressions walked together: the least slips that make what a line computes what was read.

What is wanted of a part follows from what is wanted of the whole, part by part down to where they agree: factors and
terms are dealt out by what they come to, so that it does not matter how either is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mhat.checks.readings.dealing import Dealer
from mhat.checks.readings.frames import Frame, size_of
from mhat.checks.readings.products import Value
from mhat.checks.readings.slips import HOLE, Slip
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.mistakes.expressions import OTHER_OPERATOR, counters
from mhat.mistakes.paths import Path
from mhat.mistakes.slots import RESULT, Slot, value_at
from mhat.ops import OPERATIONS

# How many ways are kept of each part, and how large what is put in may be.
KEPT, LARGEST = 5, 9
# What is larger, and stands nowhere in the rule, counts as several slips.
PLAIN = 5
COMMUTING = ("maximum", "minimum", "add", "mul")


@dataclass(frozen=True)
class Way:
    """Slips that lead to what is wanted, and how far-fetched they are."""

    cost: float = 0.0
    slips: tuple[Slip, ...] = ()
    weight: int = 0  # what is put in and is large counts as several

    def joined(self, other: Way) -> Way:
        """Both together."""
        slips = self.slips + tuple(slip for slip in other.slips if slip not in self.slips)
        return Way(self.cost + other.cost, slips, self.weight + other.weight)


class Walk:
    """Walks the lines of one frame, up to a moment."""

    def __init__(self, frame: Frame, until: float) -> None:
        self.frame = frame
        self.algebra = frame.algebra
        self.dealer = Dealer(frame)
        self.until = until
        self._met: dict[tuple[Slot, Path, int], list[tuple[Value, list[Way]]]] = {}
        self._above: list[Value] = []  # what is wanted of what holds the part that is walked
        self._own: list[Value] = []

    def ways(self, name: str, most: int) -> list[Way]:
        """Find the least slips that make a state, or `x`, become what was read."""
        last = self.frame.last.get(name)
        slot: Slot = RESULT if name == "x" else ("line", -1 if last is None else last)
        if name != "x" and last is None:
            return []
        node = value_at(self.frame.tree, slot)
        self._own = self.frame.own_parts(name)
        for budget in range(1, most + 1):
            found = self.found(slot, (), node, self.frame.wanted(name), budget)
            if found:
                return found
        return []

    def late(self) -> bool:
        """Whether time is up."""
        return time.thread_time() > self.until

    def found(self, slot: Slot, path: Path, node: Expression, wanted: Value, budget: int) -> list[Way]:
        """Find the ways in which a part becomes what is wanted, with so many slips at most."""
        have = self.frame.value(slot, node)
        if self.algebra.equal(have, wanted):
            return [Way()]
        if budget <= 0 or self.late():
            return []
        if budget > 1:
            # The least slips of a part are enough: what needs more there is not looked for.
            fewer = self.found(slot, path, node, wanted, budget - 1)
            if fewer:
                return fewer
        met = self._met.setdefault((slot, path, budget), [])
        for other, ways in met:
            if self.algebra.equal(other, wanted):
                return ways
        own: list[Way] = []
        met.append((wanted, own))
        self._above.append(wanted)
        ways = list(self._ways(slot, path, node, have, wanted, budget))
        self._above.pop()
        kept: dict[frozenset[Slip], Way] = {}
        for way in sorted(ways, key=lambda way: (way.weight, way.cost)):
            kept.setdefault(frozenset(way.slips), way)
        own += list(kept.values())[:KEPT]
        return own

    def _ways(self, slot: Slot, path: Path, node: Expression, have: Value, wanted: Value, budget: int) -> Iterator[Way]:
        yield from self._put(slot, path, node, wanted, budget)
        if isinstance(node, Name):
            line = self.frame.line_of(slot, node.id)
            if line is not None:
                yield from self.found(("line", line), (), self.frame.tree.body[line].value, wanted, budget)
        yield from self._around(slot, path, node, have, wanted, budget)
        if isinstance(node, Operation):
            yield from self._kept(slot, path, node, wanted, budget)
            yield from self._inside(slot, path, node, wanted, budget)
        yield from self._chosen(slot, path, node, wanted, budget)

    def _seen(self, wanted: Value) -> Expression | None:
        """Give the least operation of the rule that was read in which something is to be seen."""
        for value in (wanted, *reversed(self._above)):
            for own in self._own:
                if own.node is value.node or self.algebra.equal(own, value):
                    return own.node
        return self._own[0].node if self._own else None

    def _put(self, slot: Slot, path: Path, node: Expression, wanted: Value, budget: int) -> Iterator[Way]:
        new = self.frame.spelled(wanted, slot)
        if new is None or new == node:
            return
        size = self.frame.novelty(new)
        weight = 1 + size // PLAIN
        if size > LARGEST or weight > budget:
            return
        cost = (1.0 if isinstance(node, Name | Number) else 1.15 + 0.02 * size_of(node)) + 0.08 * (size - 1)
        cost += 1.4 * (weight - 1) + (0.35 if new == Number(0.0) else 0.1 if isinstance(new, Number) else 0.0)
        yield Way(cost, (Slip(slot, path, "put", new, seen=self._seen(wanted)),), weight)

    def _kept(self, slot: Slot, path: Path, node: Operation, wanted: Value, budget: int) -> Iterator[Way]:
        """Leave an operation out: one of its operands alone."""
        if OPERATIONS[node.op].kind in ("comparison", "logic"):
            return
        for i, part in enumerate(node.arguments):
            if isinstance(part, Number) or (node.op == "pow" and i == 1) or (node.op == "where" and i == 0):
                continue
            if node.op in ("div", "sub") and i == 1:
                continue
            lost = size_of(node) - size_of(part) - 1
            slip = Slip(slot, path, "kept", keep=i, seen=self._seen(wanted))
            for way in self.found(slot, (*path, i), part, wanted, budget - 1):
                yield Way(1.0 + 0.02 * lost, (slip,), 1).joined(way)

    def _around(
        self, slot: Slot, path: Path, node: Expression, have: Value, wanted: Value, budget: int
    ) -> Iterator[Way]:
        """Put something around a part: a factor, a term, a function."""
        if isinstance(node, Number):
            return
        algebra = self.algebra
        for op, other in (("mul", algebra.quotient(wanted, have)), ("add", algebra.difference(wanted, have))):
            slip = self._with(slot, path, op, other, wanted)
            if slip is not None:
                yield Way(1.05 + 0.08 * size_of(slip.new or HOLE), (slip,), 1)
        for inner, slip in self._peeled(slot, path, node, have, wanted, deeper=budget > 1):
            for way in self.found(slot, path, node, inner, budget - 1):
                yield Way(1.1 + 0.08 * size_of(slip.new or HOLE), (slip,), 1).joined(way)

    def _with(self, slot: Slot, path: Path, op: str, other: Value, wanted: Value) -> Slip | None:
        """Put a factor or a term around a part, written as plainly as may be."""
        turned = {"mul": ("div", self.algebra.quotient(self.algebra.number(1.0), other)),
                  "add": ("sub", self.algebra.negative(other))}[op]  # fmt: skip
        written = [(op, self.frame.spelled(other, slot)), (turned[0], self.frame.spelled(turned[1], slot))]
        fit = [(o, new) for o, new in written if new is not None and self.frame.novelty(new) <= PLAIN]
        if not fit:
            return None
        name, new = min(fit, key=lambda each: (size_of(each[1]), _is_negative(each[1])))
        if new in (Number(1.0), Number(0.0)) or (name == "div" and new == Number(-1.0)):
            return None
        made = Operation("neg", (HOLE,)) if name == "mul" and new == Number(-1.0) else Operation(name, (HOLE, new))
        return Slip(slot, path, "around", made, seen=self._seen(wanted))

    def _peeled(
        self, slot: Slot, path: Path, node: Expression, have: Value, wanted: Value, deeper: bool
    ) -> Iterator[tuple[Value, Slip]]:
        """Take from what is wanted what may have been put around: what is left, and the slip."""
        algebra, outer = self.algebra, wanted.node
        own = getattr(node, "op", "neg")
        if isinstance(outer, Operation) and len(outer.arguments) == 1 and outer.op not in (own, "neg"):
            around = Operation(outer.op, (HOLE,), outer.over)
            yield algebra.value(outer.arguments[0]), Slip(slot, path, "around", around, seen=self._seen(wanted))
        if isinstance(outer, Operation) and outer.op in ("maximum", "minimum") and len(outer.arguments) == 2:
            for inner, other in (outer.arguments, outer.arguments[::-1]):
                new = self.frame.spelled(algebra.value(other), slot)
                if new is not None and self.frame.novelty(new) <= PLAIN:
                    around = Operation(outer.op, (HOLE, new))
                    yield algebra.value(inner), Slip(slot, path, "around", around, seen=self._seen(wanted))
        for exponent in (2.0, 0.5):
            root = algebra.power(wanted, 1.0 / exponent)
            if (deeper or algebra.equal(root, have)) and algebra.equal(algebra.power(root, exponent), wanted):
                around = Operation("sqrt", (HOLE,)) if exponent == 0.5 else Operation("pow", (HOLE, Number(2.0)))
                yield root, Slip(slot, path, "around", around, seen=self._seen(wanted))
        if deeper:
            yield from self._less(slot, path, have, wanted)

    def _less(self, slot: Slot, path: Path, have: Value, wanted: Value) -> Iterator[tuple[Value, Slip]]:
        """Take one factor or one term away that the part does not have."""
        algebra = self.algebra
        own = algebra.factors(have)
        factors = algebra.factors(wanted)
        for i, factor in enumerate(factors):
            if len(factors) > 1 and not any(algebra.equal(factor.base, each.base) for each in own):
                slip = self._with(slot, path, "mul", algebra.product([factor]), wanted)
                if slip is not None:
                    yield algebra.product([*factors[:i], *factors[i + 1 :]]), slip
        terms, has = algebra.terms(wanted), algebra.terms(have)
        for i, term in enumerate(terms):
            if len(terms) > 1 and not any(algebra.equal(term, each) for each in has):
                slip = self._with(slot, path, "add", term, wanted)
                if slip is not None:
                    yield algebra.sum([*terms[:i], *terms[i + 1 :]]), slip

    def _inside(self, slot: Slot, path: Path, node: Operation, wanted: Value, budget: int) -> Iterator[Way]:
        """Go on in the operands of an operation."""
        algebra, parts = self.algebra, node.arguments
        if node.op in ("mul", "div"):
            yield from self._both(slot, path, node, self.dealer.divided(slot, node, wanted, budget == 1), budget)
        elif node.op in ("add", "sub"):
            yield from self._both(slot, path, node, self.dealer.shared_out(slot, node, wanted, budget == 1), budget)
            yield from self._into_root(slot, path, node, wanted, budget - 1)
            slip = Slip(slot, path, "operator", op={"add": "sub", "sub": "add"}[node.op], seen=self._seen(wanted))
            turned = replace(node, op=slip.op)
            for way in self._both(slot, path, turned, self.dealer.shared_out(slot, turned, wanted, False), budget - 1):
                yield Way(1.0, (slip,), 1).joined(way)
        elif node.op == "neg":
            yield from self.found(slot, (*path, 0), parts[0], algebra.negative(wanted), budget)
        elif node.op == "sqrt":
            yield from self._out_of_root(slot, path, node, wanted, budget - 1)
            yield from self.found(slot, (*path, 0), parts[0], algebra.power(wanted, 2.0), budget)
        elif node.op == "pow":
            yield from self._of_power(slot, path, node, wanted, budget)
        outer = wanted.node
        if isinstance(outer, Operation) and (outer.op, outer.over) == (node.op, node.over) and node.op not in ("neg",):
            yield from self._pairwise(slot, path, node, outer, budget)
        for op in OTHER_OPERATOR.get(node.op, ()):
            if node.op in ("add", "sub") or not (isinstance(outer, Operation) and outer.op == op):
                continue
            slip = Slip(slot, path, "operator", op=op, seen=self._seen(wanted))
            for way in self._pairwise(slot, path, replace(node, op=op), outer, budget - 1):
                yield Way(1.0, (slip,), 1).joined(way)

    def _into_root(self, slot: Slot, path: Path, node: Operation, wanted: Value, budget: int) -> Iterator[Way]:
        """Move what is added to a root into it."""
        root, other = node.arguments
        if node.op == "add" and isinstance(root, Operation) and root.op == "sqrt":
            inner = Operation("add", (root.arguments[0], other))
            slip = Slip(slot, path, "into root", seen=self._seen(wanted))
            pairs = self.dealer.shared_out(slot, inner, self.algebra.power(wanted, 2.0), budget <= 1)
            for way in self._both(slot, path, inner, pairs, budget, ((*path, 0, 0), (*path, 1))):
                yield Way(1.0, (slip,), 1).joined(way)

    def _out_of_root(self, slot: Slot, path: Path, node: Operation, wanted: Value, budget: int) -> Iterator[Way]:
        """Move what is added under a root out of it."""
        inner = node.arguments[0]
        if isinstance(inner, Operation) and inner.op == "add":
            outer = Operation("add", (Operation("sqrt", (inner.arguments[0],)), inner.arguments[1]))
            slip = Slip(slot, path, "out of root", seen=self._seen(wanted))
            for first, second in self.dealer.shared_out(slot, outer, wanted, budget <= 1):
                squared = self.algebra.power(first, 2.0)
                pairs = [(squared, second)]
                for way in self._both(slot, path, inner, iter(pairs), budget, ((*path, 0, 0), (*path, 0, 1))):
                    yield Way(1.0, (slip,), 1).joined(way)

    def _of_power(self, slot: Slot, path: Path, node: Operation, wanted: Value, budget: int) -> Iterator[Way]:
        algebra = self.algebra
        base, exponent = (self.frame.value(slot, part) for part in node.arguments)
        root: Value | None = None
        if isinstance(node.arguments[1], Number):
            root = algebra.power(wanted, 1.0 / node.arguments[1].value)
        elif algebra.is_per_step(wanted.at) and (wanted.at > 0).all():
            root = algebra.made("pow", wanted, algebra.quotient(algebra.one, exponent))
            for new, _ in counters():
                if algebra.equal(algebra.made("pow", base, algebra.value(new)), wanted):
                    yield Way(1.0, (Slip(slot, (*path, 1), "put", new, seen=self._seen(wanted)),), 1)
        if root is not None and algebra.equal(algebra.made("pow", root, exponent), wanted):
            yield from self.found(slot, (*path, 0), node.arguments[0], root, budget)

    def _pairwise(self, slot: Slot, path: Path, node: Operation, outer: Operation, budget: int) -> Iterator[Way]:
        """Make each operand what the operand of the same operation is there."""
        if len(outer.arguments) != len(node.arguments):
            return
        wanted = [self.algebra.value(each) for each in outer.arguments]
        yield from self._each(slot, path, node, wanted, budget)
        if node.op in COMMUTING:
            yield from self._each(slot, path, node, wanted[::-1], budget)

    def _both(
        self, slot: Slot, path: Path, node: Operation, pairs: Iterator[tuple[Value, Value]], budget: int,
        at: tuple[Path, ...] = (),
    ) -> Iterator[Way]:  # fmt: skip
        for pair in pairs:
            if self.late():
                return
            yield from self._each(slot, path, node, pair, budget, at)

    def _each(
        self, slot: Slot, path: Path, node: Operation, wanted: Sequence[Value], budget: int, at: tuple[Path, ...] = ()
    ) -> Iterator[Way]:
        """Make every operand what is wanted of it, with so many slips together; `at`: where they stand."""
        if budget < 0:
            return
        ways = [Way()]
        apart = [
            i for i, part in enumerate(node.arguments)
            if not self.algebra.equal(self.frame.value(slot, part), wanted[i])
        ]  # fmt: skip
        if len(apart) > budget:
            return
        for done, i in enumerate(apart, 1):
            more: list[Way] = []
            for way in ways:
                # Each of the others needs one at least.
                left = budget - way.weight - (len(apart) - done)
                for each in self.found(slot, at[i] if at else (*path, i), node.arguments[i], wanted[i], left):
                    more.append(way.joined(each))
            ways = sorted(more, key=lambda way: (way.weight, way.cost))[:KEPT]
            if not ways:
                return
        yield from (way for way in ways if way.weight <= budget)

    def _chosen(self, slot: Slot, path: Path, node: Expression, wanted: Value, budget: int) -> Iterator[Way]:
        """See a choice: what is wanted is right on one side of it, and slips are made on the other alone."""
        outer = wanted.node
        if not (isinstance(outer, Operation) and outer.op == "where"):
            return
        condition, first, second = outer.arguments
        asked = self.frame.spelled(self.algebra.value(condition), slot)
        if asked is None:
            return
        right, wrong = self.algebra.value(first), self.algebra.value(second)
        for one, other, turned in ((wrong, right, False), (right, wrong, True)):
            if any(not way.slips for way in self.found(slot, path, node, one, 0)):
                where = _denied(asked) if turned else asked
                for way in self.found(slot, path, node, other, budget):
                    slips = tuple(replace(slip, condition=where, seen=self._seen(wanted)) for slip in way.slips)
                    yield Way(way.cost + 0.3, slips, way.weight)


def _denied(condition: Expression) -> Expression:
    turned = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
    if isinstance(condition, Operation) and condition.op in turned:
        return replace(condition, op=turned[condition.op])
    return Operation("not", (condition,))


def _is_negative(node: Expression) -> bool:
    return node.value < 0 if isinstance(node, Number) else isinstance(node, Operation) and node.op == "neg"
