"""Expressions in Rust, in two precisions: numbers of the step in f64, all else in the type of the slices.

It knows no values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from mhat.language.tree import Expression, Operation
from mhat.language.walking import names_in
from mhat.ops.table import ADD, CALL, CHOICE, NEGATE
from mhat.printers.base import Printed
from mhat.printers.c import CompiledPrinter
from mhat.printers.scalars import python_number

METHODS = {
    "sqrt": "sqrt", "cbrt": "cbrt", "abs": "abs", "exp": "exp", "log": "ln", "sin": "sin", "cos": "cos",
    "tanh": "tanh", "round": "round_ties_even",
}  # fmt: skip


class RustPrinter(CompiledPrinter):
    """Writes expressions in Rust, with the methods of its floats."""

    double = "f64"
    zero = "0.0"
    functions: ClassVar[Mapping[str, str]] = {}

    def number(self, value: float) -> Printed:
        sign = "-" if math.copysign(1.0, value) < 0.0 else ""
        if math.isnan(value):
            return Printed(f"{self.type}::NAN")
        if math.isinf(value):
            return Printed(f"{sign}{self.type}::INFINITY", NEGATE if sign else CALL)
        text = python_number(value)
        text = f"{text}.0" if text.lstrip("-").isdigit() else text
        return Printed(text, NEGATE if sign else CALL)

    def method(self, node: Operation) -> Printed:
        (argument,) = node.arguments
        if names_in(argument):
            return Printed(f"{self.expression(argument, CALL)}.{METHODS[node.op]}()")
        return self.called(f"{self.type}::{METHODS[node.op]}", node)

    print_sqrt = print_cbrt = print_abs = print_exp = print_log = print_sin = print_cos = print_tanh = method
    print_round = method

    def print_mod(self, node: Operation) -> Printed:
        return self.in_double("modulo", node)

    def print_atan2(self, node: Operation) -> Printed:
        return self.called(f"{self.type}::atan2", node)

    def in_double(self, function: str, node: Operation) -> Printed:
        if not self.among_arrays:
            return self.called(f"{self.stem}{function}", node)
        arguments = ", ".join(f"{self.expression(argument, CALL)} as f64" for argument in node.arguments)
        return Printed(f"{self.stem}{function}({arguments}) as {self.real}", NEGATE)

    def compared(self, node: Expression) -> str:
        text, precedence = self.printed(node)
        # `a as f64 < b` would begin a type.
        return self.bracketed(text) if precedence < ADD or (precedence == NEGATE and " as " in text) else text

    def truth(self, node: Operation) -> Printed:
        return Printed(f"{self.type}::from({self.condition(node)})")

    def chosen(self, condition: Expression, first: Expression, second: Expression) -> Printed:
        asked = self.condition(condition)
        return Printed(f"if {asked} {{ {self.expression(first)} }} else {{ {self.expression(second)} }}", CHOICE)

    def print_size(self, node: Operation) -> Printed:
        (argument,) = node.arguments
        if "size" in self.texts:
            return Printed(f"{self.texts['size']} as {self.type}", NEGATE)
        return Printed(f"size({self.expression(argument)})")
