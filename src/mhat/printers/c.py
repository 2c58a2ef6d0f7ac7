"""Expressions in C99, in two precisions: numbers of the step in double, all else in the type of the arrays.

What is one number a step and stands among arrays is entered: computed in double, rounded once. It knows no values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import ClassVar

from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import product_length
from mhat.ops.table import ADD, CALL, CHOICE, COMPARE, MULTIPLY, NEGATE, OPERATIONS
from mhat.printers.base import MissingOperationError, Printed, Printer
from mhat.printers.scalars import is_number, python_number

COMPARISONS = {"lt": " < ", "le": " <= ", "gt": " > ", "ge": " >= ", "eq": " == ", "ne": " != "}
PRODUCTS = {2: "square", 3: "cube", 4: "fourth"}
WITHOUT_MATRICES = {
    name: "there are no matrices" for name, op in OPERATIONS.items() if op.kind == "matrix"
}  # fmt: skip


class CompiledPrinter(Printer):
    """What languages with types have in common.

    `steps`: names that are one number a step. `texts`: how names are written. `enter` gives what stands for a number
    of the step among arrays, or None where it is written as usual. `prefix` stands before the functions of the file,
    `real` is the type of the arrays; not `among_arrays` all is in double.
    """

    lacking: ClassVar[Mapping[str, str]] = {**WITHOUT_MATRICES, "over": "an array holds all parameters"}
    symbols: ClassVar[Mapping[str, str]] = {"add": " + ", "sub": " - ", "mul": " * ", "div": " / ", "neg": "-"}
    double = "double"

    def __init__(
        self,
        steps: Collection[str] = (),
        texts: Mapping[str, str] | None = None,
        enter: Callable[[Expression], Printed | None] | None = None,
        prefix: str = "",
        real: str = "real",
        among_arrays: bool = True,
    ) -> None:
        self.steps = frozenset(steps)
        self.texts = texts or {}
        self.enter = enter or (lambda node: None)
        self.stem = prefix
        self.real = real
        self.among_arrays = among_arrays

    @property
    def type(self) -> str:
        """The type that is computed in."""
        return self.real if self.among_arrays else self.double

    def name(self, name: str) -> Printed:
        return Printed(self.texts.get(name, name))

    def printed(self, node: Expression) -> Printed:
        if self.among_arrays and not isinstance(node, Number) and is_number(node, self.steps):
            entered = self.enter(node)
            if entered is not None:
                return entered
        if isinstance(node, Operation) and node.op in self.lacking:
            raise MissingOperationError(f"{type(self).__name__} writes no {node.op}: {self.lacking[node.op]}")
        if isinstance(node, Operation) and node.over == "all":
            raise MissingOperationError(f"{type(self).__name__} writes no {node.op} over all tensors")
        return super().printed(node)

    def own(self, function: str, node: Operation) -> Printed:
        """Write a call of a function of the file, which there is in either precision."""
        suffix = "" if self.among_arrays else "_double"
        return self.called(f"{self.stem}{function}{suffix}", node)

    def print_minimum(self, node: Operation) -> Printed:
        return self.own("min", node)

    def print_maximum(self, node: Operation) -> Printed:
        return self.own("max", node)

    def print_clip(self, node: Operation) -> Printed:
        return self.own("clip", node)

    def print_sign(self, node: Operation) -> Printed:
        return self.own("sign", node)

    def in_double(self, function: str, node: Operation) -> Printed:
        """Write a call of a function of doubles, whatever is computed in; its result is rounded once."""
        raise NotImplementedError

    def print_mod(self, node: Operation) -> Printed:
        return self.in_double("mod", node)

    def print_floordiv(self, node: Operation) -> Printed:
        return self.in_double("floordiv", node)

    def print_pow(self, node: Operation) -> Printed:
        length = product_length(node)
        if length is None:
            return self.in_double("power", node)
        base = node.arguments[0]
        if length == 2 and isinstance(base, Name):
            text = self.expression(base, MULTIPLY + 1)
            return Printed(f"{text} * {text}", MULTIPLY)
        return self.own(PRODUCTS[length], Operation("abs", (base,)))

    def condition(self, node: Expression, room: int = CHOICE) -> str:
        """Write an expression of which only the truth is asked."""
        text, precedence = self._condition(node)
        return self.bracketed(text) if precedence < room else text

    def _condition(self, node: Expression) -> Printed:
        if self.among_arrays and is_number(node, self.steps):
            return self.in_doubles()._condition(node)
        if isinstance(node, Operation) and node.op in COMPARISONS:
            left, right = map(self.compared, node.arguments)
            return Printed(left + COMPARISONS[node.op] + right, COMPARE)
        if isinstance(node, Operation) and node.op in ("and", "or"):
            sign = " && " if node.op == "and" else " || "
            return Printed(sign.join(self.condition(argument, CALL) for argument in node.arguments), COMPARE - 1)
        if isinstance(node, Operation) and node.op == "not":
            return Printed(f"!{self.condition(node.arguments[0], CALL)}", NEGATE)
        return Printed(f"{self.expression(node, ADD)} != {self.zero}", COMPARE)

    def compared(self, node: Expression) -> str:
        """Write what stands beside a comparison."""
        return self.expression(node, ADD)

    def in_doubles(self) -> CompiledPrinter:
        """Give what writes the same in double."""
        return type(self)(self.steps, self.texts, None, self.stem, self.real, among_arrays=False)

    zero = "0"

    def truth(self, node: Operation) -> Printed:
        """Write a truth that is computed with: 1 or 0."""
        raise NotImplementedError

    def comparison(self, node: Operation) -> Printed:
        return self.truth(node)

    print_lt = print_le = print_gt = print_ge = print_eq = print_ne = print_not = comparison

    def chosen(self, condition: Expression, first: Expression, second: Expression) -> Printed:
        """Write a choice."""
        raise NotImplementedError

    def print_where(self, node: Operation) -> Printed:
        return self.chosen(*node.arguments)

    def print_and(self, node: Operation) -> Printed:
        return self.chosen(node.arguments[0], node.arguments[1], node.arguments[0])

    def print_or(self, node: Operation) -> Printed:
        return self.chosen(node.arguments[0], node.arguments[0], node.arguments[1])

    def reduction(self, node: Operation) -> Printed:
        return self.called(f"{self.stem}{node.op}", node)

    print_sum = print_mean = print_norm = print_largest = reduction

    def print_size(self, node: Operation) -> Printed:
        return self.called(f"{self.stem}size", node)


class CPrinter(CompiledPrinter):
    """Writes expressions in C99, with the functions of tgmath.h."""

    functions: ClassVar[Mapping[str, str]] = {
        "sqrt": "sqrt", "cbrt": "cbrt", "abs": "fabs", "exp": "exp", "log": "log", "sin": "sin", "cos": "cos",
        "tanh": "tanh", "round": "rint", "atan2": "atan2",
    }  # fmt: skip

    def number(self, value: float) -> Printed:
        sign = "-" if math.copysign(1.0, value) < 0.0 else ""
        if math.isnan(value):
            return Printed("NAN")
        if math.isinf(value):
            return Printed(f"{sign}INFINITY", NEGATE if sign else CALL)
        text = python_number(value)
        whole = text.lstrip("-").isdigit() and abs(value) < 2**24
        if not self.among_arrays:
            text = f"{text}.0" if text.lstrip("-").isdigit() else text
            return Printed(text, NEGATE if sign else CALL)
        return Printed(text, NEGATE if sign else CALL) if whole else Printed(f"({self.real}){text}")

    def in_double(self, function: str, node: Operation) -> Printed:
        text = self.called(f"{self.stem}{function}", node).text
        return Printed(f"({self.real}){text}" if self.among_arrays else text)

    def truth(self, node: Operation) -> Printed:
        return Printed(f"({self.type})({self.condition(node)})")

    def chosen(self, condition: Expression, first: Expression, second: Expression) -> Printed:
        asked = self.condition(condition, COMPARE)
        return Printed(f"{asked} ? {self.expression(first, ADD)} : {self.expression(second, ADD)}", CHOICE)

    def print_size(self, node: Operation) -> Printed:
        (argument,) = node.arguments
        return Printed(
            f"({self.type}){self.texts['size']}" if "size" in self.texts else f"size({self.expression(argument)})"
        )
