"""An expression as a product of powers, or as a sum of terms, however it is written. It knows no rule.

A value is kept beside each part, so that parts are compared by what they come to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mhat.checks.readings.points import SIZE, Points, Vector
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.search.evaluator import SHAPE

ONE = Number(1.0)
MOST_PARTS = 12
# The point at which values are compared first.
SEEN = 31


@dataclass(frozen=True, eq=False)
class Value:
    """An expression over what is there before the step, with what it comes to at all points."""

    node: Expression
    raw: Any
    points: Points

    @cached_property
    def at(self) -> Vector:
        """What it comes to at all points, as plain numbers."""
        return self.points.vector(self.raw)

    @cached_property
    def first(self) -> float:
        """What it comes to at one of the points: most values differ there already."""
        return float(self.at[SEEN])


@dataclass(frozen=True, eq=False)
class Factor:
    """A base with its exponent."""

    base: Value
    exponent: float


class Algebra:
    """Takes values apart and puts them together, at the same points."""

    def __init__(self, points: Points, environment: dict[str, Any]) -> None:
        self.points = points
        self.environment = environment
        self._known: dict[int, tuple[Expression, Value]] = {}
        self._factors: dict[int, list[Factor]] = {}
        self._templates: dict[Any, Operation] = {}
        self._names: dict[str, Name] = {}
        self._numbers: dict[float, Number] = {}
        self._nodes: dict[Any, Operation] = {}
        self._complements: dict[str, Value] = {}

    def value(self, node: Expression) -> Value:
        """Compute an expression, once."""
        known = self._known.get(id(node))
        if known is None:
            raw = self._applied(node) if isinstance(node, Operation) else self.points.raw(node, self.environment)
            known = self._known[id(node)] = (node, Value(node, raw, self.points))
        return known[1]

    def _applied(self, node: Operation) -> Any:
        """Apply an operation to what its parts come to, each computed once."""
        literal = node.op == "pow" and isinstance(node.arguments[1], Number)
        key = (node.op, node.over, node.arguments[1] if literal else len(node.arguments))
        template = self._templates.get(key)
        if template is None:
            names: tuple[Expression, ...] = tuple(Name(f"@{i}") for i in range(len(node.arguments)))
            template = Operation(node.op, (names[0], node.arguments[1]) if literal else names, node.over)
            self._templates[key] = template
        environment = {f"@{i}": self.value(each).raw for i, each in enumerate(node.arguments)}
        environment[SHAPE] = SIZE
        with np.errstate(all="ignore"):
            return self.points.raw(template, environment)

    @cached_property
    def one(self) -> Value:
        """One."""
        return self.value(ONE)

    def name(self, name: str) -> Name:
        """Give a name, always the same node."""
        return self._names.setdefault(name, Name(name))

    def complement(self, name: str) -> Value:
        """Give one minus what a name holds."""
        if name not in self._complements:
            self._complements[name] = self.made("sub", self.one, self.value(self.name(name)))
        return self._complements[name]

    def made(self, op: str, *parts: Value) -> Value:
        """Apply an operation to values."""
        return self.value(self.node(op, tuple(part.node for part in parts)))

    def node(self, op: str, parts: tuple[Expression, ...], over: str | None = None, place: Any = None) -> Expression:
        """Give an operation, the same node for the same parts, so that it is computed once."""
        key = op, over, *map(id, parts)
        if key not in self._nodes:
            self._nodes[key] = Operation(op, parts, over, place)
        return self._nodes[key]

    def equal(self, a: Value, b: Value) -> bool:
        """Whether two values are the same."""
        near = self.points.near * (abs(a.first) + abs(b.first)) + 1e-300
        return a is b or (abs(a.first - b.first) <= near and self.points.equal(a.at, b.at))

    def number(self, value: float) -> Value:
        """Give a number."""
        return self.value(self._numbers.setdefault(value, Number(value)))

    def factors(self, whole: Value) -> list[Factor]:
        """Take a value apart into powers; the whole alone where that is not so plain."""
        known = self._factors.get(id(whole.node))
        if known is None:
            found = self._joined(self._powers(whole.node, 1.0))
            if len(found) > MOST_PARTS or not self.equal(self.product(found), whole):
                found = [Factor(whole, 1.0)]
            known = self._factors[id(whole.node)] = found
        return known

    def _powers(self, node: Expression, exponent: float) -> list[Factor]:
        match node:
            case Operation("mul", (a, b)):
                return self._powers(a, exponent) + self._powers(b, exponent)
            case Operation("div", (a, b)):
                return self._powers(a, exponent) + self._powers(b, -exponent)
            case Operation("neg", (a,)):
                return [Factor(self.number(-1.0), exponent), *self._powers(a, exponent)]
            case Operation("sqrt", (a,)):
                return self._powers(a, exponent / 2)
            case Operation("pow", (a, Number(power))) if power != 0.0:
                return self._powers(a, exponent * power)
        return [] if node == ONE else [Factor(self.value(node), exponent)]

    def _joined(self, factors: Sequence[Factor]) -> list[Factor]:
        """Add up the exponents of equal bases."""
        joined: list[Factor] = []
        for factor in factors:
            for i, other in enumerate(joined):
                if self.equal(other.base, factor.base):
                    joined[i] = Factor(other.base, other.exponent + factor.exponent)
                    break
            else:
                joined.append(factor)
        return [factor for factor in joined if factor.exponent != 0.0]

    def product(self, factors: Sequence[Factor]) -> Value:
        """Multiply powers."""
        above = [self._power(f.base, f.exponent) for f in factors if f.exponent > 0]
        below = [self._power(f.base, -f.exponent) for f in factors if f.exponent < 0]
        made = self._folded("mul", above) or self.value(ONE)
        under = self._folded("mul", below)
        return made if under is None else self.made("div", made, under)

    def _power(self, base: Value, exponent: float) -> Value:
        if exponent == 1.0:
            return base
        if exponent == 0.5:
            return self.made("sqrt", base)
        return self.made("pow", base, self.number(exponent))

    def _folded(self, op: str, parts: Sequence[Value]) -> Value | None:
        made: Value | None = None
        for part in parts:
            made = part if made is None else self.made(op, made, part)
        return made

    def quotient(self, a: Value, b: Value) -> Value:
        """Divide, without what both have."""
        inverse = [Factor(f.base, -f.exponent) for f in self.factors(b)]
        return self.product(self._joined([*self.factors(a), *inverse]))

    def times(self, a: Value, b: Value) -> Value:
        """Multiply, powers of one base joined."""
        return self.product(self._joined([*self.factors(a), *self.factors(b)]))

    def power(self, a: Value, exponent: float) -> Value:
        """Raise to a power; of a square the root is the size."""
        made = self.product([Factor(f.base, f.exponent * exponent) for f in self.factors(a)])
        wanted = self._power(a, exponent)
        return made if self.equal(made, wanted) else wanted

    def terms(self, whole: Value) -> list[Value]:
        """Take a sum apart into its terms, with their signs."""
        return self._terms(whole.node, self._signed, 1.0)

    def expanded(self, whole: Value) -> list[Value]:
        """Take a sum apart, products of sums multiplied out; one term where that is nothing plain."""
        found = self._multiplied(whole.node)
        return found if len(found) <= MOST_PARTS else [whole]

    def _multiplied(self, node: Expression) -> list[Value]:
        match node:
            case Operation("add" | "sub" as op, (a, b)):
                second = self._multiplied(b)
                return self._multiplied(a) + (second if op == "add" else [self.negative(v) for v in second])
            case Operation("neg", (a,)):
                return [self.negative(v) for v in self._multiplied(a)]
            case Operation("mul", (a, b)):
                first, second = self._multiplied(a), self._multiplied(b)
                if 1 < len(first) * len(second) <= MOST_PARTS:
                    return [self.times(one, other) for one in first for other in second]
            case Operation("div", (a, b)):
                first = self._multiplied(a)
                if len(first) > 1:
                    return [self.quotient(each, self.value(b)) for each in first]
        return [self.value(node)]

    def _terms(self, node: Expression, signed: Callable[[Expression, float], Value], sign: float) -> list[Value]:
        match node:
            case Operation("add", (a, b)):
                return self._terms(a, signed, sign) + self._terms(b, signed, sign)
            case Operation("sub", (a, b)):
                return self._terms(a, signed, sign) + self._terms(b, signed, -sign)
            case Operation("neg", (a,)):
                return self._terms(a, signed, -sign)
        return [signed(node, sign)]

    def _signed(self, node: Expression, sign: float) -> Value:
        return self.value(node) if sign > 0 else self.negative(self.value(node))

    def negative(self, value: Value) -> Value:
        """Change the sign."""
        match value.node:
            case Operation("neg", (a,)):
                return self.value(a)
            case Number(number):
                return self.number(-number)
        return self.made("neg", value)

    def sum(self, terms: Sequence[Value]) -> Value:
        """Add up terms."""
        made: Value | None = None
        positive_first = sorted(terms, key=lambda v: isinstance(v.node, Operation) and v.node.op == "neg")
        for term in positive_first:
            if made is None:
                made = term
            elif isinstance(term.node, Operation) and term.node.op == "neg":
                made = self.made("sub", made, self.value(term.node.arguments[0]))
            else:
                made = self.made("add", made, term)
        return made or self.number(0.0)

    def difference(self, a: Value, b: Value) -> Value:
        """Subtract, without what both have."""
        left = self.terms(a)
        for term in self.terms(b):
            same = next((i for i, other in enumerate(left) if self.equal(other, term)), None)
            left = [*left, self.negative(term)] if same is None else left[:same] + left[same + 1 :]
        return self.sum(left)

    def is_per_step(self, at: Vector) -> bool:
        """Whether a value is one number in each run, whatever the tensor and the coordinate."""
        runs = at.reshape(SIZE[0], -1)
        return bool((np.abs(runs - runs[:, :1]) <= self.points.near * np.abs(runs)).all())
