"""Numbers of a step (of knobs and `t` alone) as plain Python floats, for files that need nothing else.

Python raises where IEEE arithmetic has an infinity or NaN. What may come to that is written as a call of a function
with an underscore before its name, which whoever prints a file defines there; all else is as a person writes it. It
knows no arrays and no values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from mhat.language.definition import Rule
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import product_length
from mhat.notation.decimals import decimal_of, reads_better_scientific, scientific_of
from mhat.ops.table import CHOICE, MULTIPLY, NEGATE, OPERATIONS, OR, POWER
from mhat.printers.base import Printed, Printer

SIZES = ("size", "rows", "columns")


def python_number(value: float) -> str:
    """Write a double as Python reads it back; whole numbers without a point.

    >>> [python_number(value) for value in (0.001, 2.0, 1e-8, -0.5, math.inf)]
    ['1e-3', '2', '1e-8', '-0.5', 'math.inf']
    """
    if math.isnan(value):
        return "math.nan"
    sign = "-" if math.copysign(1.0, value) < 0.0 else ""
    if math.isinf(value):
        return f"{sign}math.inf"
    if value == 0.0:
        return "-0.0" if sign else "0"
    if reads_better_scientific(value):
        significand, exponent = scientific_of(value)
        return f"{sign}{significand}e{exponent}"
    return sign + decimal_of(value)


def is_number(node: Expression, numbers: Iterable[str]) -> bool:
    """Whether an expression is one number a step: of names that are, and of sizes of tensors."""
    if isinstance(node, Number):
        return True
    if isinstance(node, Name):
        return node.id in numbers
    if node.op in SIZES:
        return True
    if OPERATIONS[node.op].kind in ("reduction", "matrix"):
        return False
    return all(is_number(argument, numbers) for argument in node.arguments)


@dataclass
class Facts:
    """What is known of the numbers of a step: names that are above zero, not below zero, below one."""

    positive: set[str] = field(default_factory=set)
    nonnegative: set[str] = field(default_factory=set)
    below_one: set[str] = field(default_factory=set)

    @staticmethod
    def of(rule: Rule) -> Facts:
        """Gather what the ranges of the knobs say; the step counts from one."""
        meanings = {name: rule.meaning(name) for name in rule.knobs}
        meanings = {name: meaning for name, meaning in meanings.items() if meaning.allows(rule.knobs[name])}
        return Facts(
            {"t", "n", "k"},
            {"t", "n", "k", *(name for name, meaning in meanings.items() if meaning.low >= 0.0)},
            {name for name, meaning in meanings.items() if meaning.high == 1.0 and not meaning.closed},
        )

    def copy(self) -> Facts:
        """Give what is known now, which stays as it is."""
        return Facts(set(self.positive), set(self.nonnegative), set(self.below_one))

    def learn(self, name: str, node: Expression) -> None:
        """Take up what a line says of the name that it assigns."""
        known = self.is_positive(node), self.is_nonnegative(node), self.is_below_one(node)
        for names, true in zip((self.positive, self.nonnegative, self.below_one), known, strict=True):
            (names.add if true else names.discard)(name)

    def is_positive(self, node: Expression) -> bool:
        """Whether a number is above zero for certain."""
        if isinstance(node, Number):
            return node.value > 0.0
        if isinstance(node, Name):
            return node.id in self.positive
        first, *rest = node.arguments
        if node.op == "sub":
            return isinstance(first, Number) and first.value >= 1.0 and self.is_below_one(rest[0])
        if node.op == "add":
            both = self.is_nonnegative(first) and self.is_nonnegative(rest[0])
            return both and (self.is_positive(first) or self.is_positive(rest[0]))
        if node.op in ("minimum", "maximum"):
            return (all if node.op == "minimum" else any)(map(self.is_positive, node.arguments))
        # Not products and quotients: what is above zero may be too small for a double.
        return node.op in ("sqrt", *SIZES) and (node.op in SIZES or self.is_positive(first))

    def is_nonnegative(self, node: Expression) -> bool:
        """Whether a number is not below zero for certain."""
        if self.is_positive(node):
            return True
        if isinstance(node, Number):
            return node.value >= 0.0
        if isinstance(node, Name):
            return node.id in self.nonnegative
        if node.op == "maximum":
            return any(map(self.is_nonnegative, node.arguments))
        if node.op in ("add", "mul", "div", "minimum"):
            return all(map(self.is_nonnegative, node.arguments))
        return node.op in ("sqrt", "abs") or (node.op == "pow" and self.is_nonnegative(node.arguments[0]))

    def is_below_one(self, node: Expression) -> bool:
        """Whether a number is below one for certain."""
        if isinstance(node, Number):
            return node.value < 1.0
        if isinstance(node, Name):
            return node.id in self.below_one
        if node.op == "mul":
            return all(self.is_below_one(each) and self.is_nonnegative(each) for each in node.arguments)
        return node.op == "pow" and self.is_share(node.arguments[0]) and self.at_least_one(node.arguments[1])

    def is_share(self, node: Expression) -> bool:
        """Whether a number lies between zero and one, one left out."""
        return self.is_nonnegative(node) and self.is_below_one(node)

    def at_least_one(self, node: Expression) -> bool:
        """Whether a number is one or more for certain."""
        if isinstance(node, Number):
            return node.value >= 1.0
        if isinstance(node, Name):
            return node.id in ("t", "n", "k") and node.id in self.positive
        return node.op == "add" and any(map(self.at_least_one, node.arguments)) and self.is_nonnegative(node)


class ScalarPrinter(Printer):
    """Writes numbers of a step in Python."""

    symbols: ClassVar[Mapping[str, str]] = {
        "add": " + ", "sub": " - ", "mul": " * ", "neg": "-", "lt": " < ", "le": " <= ", "gt": " > ", "ge": " >= ",
        "eq": " == ", "ne": " != ", "and": " and ", "or": " or ", "not": "not ",
    }  # fmt: skip
    functions: ClassVar[Mapping[str, str]] = {
        "abs": "abs", "minimum": "min", "maximum": "max", "mod": "_remainder", "floordiv": "_floor_quotient",
        "exp": "_exp", "log": "_log", "sin": "_sin", "cos": "_cos", "tanh": "math.tanh", "cbrt": "math.cbrt",
        "round": "_round", "sign": "_sign_of", "atan2": "math.atan2",
    }  # fmt: skip

    def __init__(self, facts: Facts | None = None, names: Mapping[str, str] | None = None) -> None:
        self.facts = facts or Facts()
        self.names = names or {}

    def number(self, value: float) -> Printed:
        text = python_number(value)
        return Printed(text, NEGATE) if text.startswith("-") else Printed(text)

    def name(self, name: str) -> Printed:
        return Printed(self.names.get(name, name))

    def print_div(self, node: Operation) -> Printed:
        first, second = node.arguments
        if not self.facts.is_positive(second):
            return self.called("_divide", node)
        text = f"{self.expression(first, MULTIPLY)} / {self.expression(second, MULTIPLY + 1)}"
        return Printed(text, MULTIPLY)

    def print_pow(self, node: Operation) -> Printed:
        base, exponent = node.arguments
        if product_length(node) == 2 and isinstance(base, Name):
            return Printed(f"{self.name(base.id).text} * {self.name(base.id).text}", MULTIPLY)
        if self.facts.is_share(base) and self.facts.is_nonnegative(exponent):
            return Printed(f"{self.expression(base, POWER + 1)}**{self.expression(exponent, NEGATE)}", POWER)
        return self.called("_power", node)

    def print_sqrt(self, node: Operation) -> Printed:
        return self.called("math.sqrt" if self.facts.is_nonnegative(node.arguments[0]) else "_sqrt", node)

    def print_clip(self, node: Operation) -> Printed:
        x, low, high = map(self.expression, node.arguments)
        return Printed(f"min(max({x}, {low}), {high})")

    def print_where(self, node: Operation) -> Printed:
        condition, first, second = node.arguments
        text = f"{self.expression(first, OR)} if {self.expression(condition, OR)} else {self.expression(second)}"
        return Printed(text, CHOICE)

    def print_mod(self, node: Operation) -> Printed:
        first, second = node.arguments
        if not self.facts.is_positive(second):
            return self.called("_remainder", node)
        return Printed(f"{self.expression(first, MULTIPLY)} % {self.expression(second, MULTIPLY + 1)}", MULTIPLY)
