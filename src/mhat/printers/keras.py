"""Expressions on tensors of Keras, as a person writes them with `keras.ops`. It knows no tensors.

Knobs are Python's numbers. The number of the step and the learning rate are tensors of one number: on JAX nobody knows
them while the step is compiled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from mhat.language.inference import Shape
from mhat.language.tree import Expression, Number, Operation
from mhat.ops.table import CALL, MULTIPLY
from mhat.printers.base import Printed
from mhat.printers.numpy import ArrayPrinter, SizingScalars
from mhat.printers.scalars import Facts, ScalarPrinter


class KerasPrinter(ArrayPrinter):
    """Writes expressions on tensors of Keras. `tensors`: names that are one number a step, but no number of Python."""

    functions: ClassVar[Mapping[str, str]] = {
        "sqrt": "ops.sqrt", "cbrt": "_cbrt", "abs": "ops.abs", "sign": "_sign", "exp": "ops.exp", "log": "ops.log",
        "sin": "ops.sin", "cos": "ops.cos", "tanh": "ops.tanh", "round": "ops.round", "eigh": "_eigh", "qr": "_qr",
        "sorted_by": "_sorted_by",
    }  # fmt: skip
    lacking: ClassVar[Mapping[str, str]] = {"over": "Keras hands an optimizer one variable after the other"}

    def __init__(
        self,
        numbers: Collection[str] = (),
        facts: Facts | None = None,
        shapes: Mapping[str, Shape] | None = None,
        names: Mapping[str, str] | None = None,
        over_all: Mapping[Expression, str] | None = None,
        tensors: Collection[str] = (),
    ) -> None:
        super().__init__(frozenset(numbers) - frozenset(tensors), facts, shapes, names, over_all)

    def scalar_printer(self, facts: Facts) -> ScalarPrinter:
        return SizingScalars(self, facts)

    def entered(self, node: Expression) -> str:
        text = self.expression(node)
        return f"ops.convert_to_tensor({text}, variable.dtype)" if self.is_number(node) else text

    def truth_as_number(self, text: str) -> Printed:
        return Printed(f"ops.cast({text}, variable.dtype)")

    def chosen(self, condition: str, first: Expression, second: Expression) -> Printed:
        both = self.is_number(first) and self.is_number(second)
        text = self.entered(first) if both else self.expression(first)
        return Printed(f"ops.where({condition}, {text}, {self.expression(second)})")

    def _of_two(self, node: Operation, function: str) -> Printed:
        first, second = map(self.expression, node.arguments)
        return Printed(f"{function}({first}, {second})")

    def _limited(self, node: Operation, function: str) -> Printed:
        """Write a tensor before a number: it is the first that `ops.where` takes the precision from."""
        first, second = node.arguments
        if self.is_number(first):
            return Printed(f"{function}({self.entered(second)}, {self.expression(first)})")
        return self._of_two(node, function)

    def print_minimum(self, node: Operation) -> Printed:
        return self._limited(node, "_minimum")

    def print_maximum(self, node: Operation) -> Printed:
        return self._limited(node, "_maximum")

    def print_clip(self, node: Operation) -> Printed:
        x, low, high = node.arguments
        return self.printed(Operation("minimum", (Operation("maximum", (x, low)), high)))

    def print_atan2(self, node: Operation) -> Printed:
        return self._of_two(node, "ops.arctan2")

    def print_mod(self, node: Operation) -> Printed:
        return self._of_two(node, "ops.mod")

    def print_floordiv(self, node: Operation) -> Printed:
        first, second = (self.expression(argument, MULTIPLY + 1) for argument in node.arguments)
        return Printed(f"ops.floor({first} / {second})")

    def reduced(self, node: Operation) -> Printed:
        text = self.entered(node.arguments[0])
        if node.op == "norm":
            return Printed(f"ops.sqrt(ops.sum(ops.square({text})))")
        names = {"mean": "_mean", "largest": "ops.max"}
        return Printed(f"{names.get(node.op, 'ops.sum')}({text})")

    def line(self, node: Operation) -> Printed:
        axis = 1 if node.op.startswith("row") else 0
        text = f"{self.entered(node.arguments[0])}, axis={axis}"
        return Printed(f"_mean({text})" if node.op.endswith("mean") else f"ops.max({text}, keepdims=True)")

    print_row_mean = print_column_mean = print_row_largest = print_column_largest = line

    def print_transpose(self, node: Operation) -> Printed:
        return Printed(f"ops.transpose({self.entered(node.arguments[0])})")

    def _shape(self, node: Operation) -> str:
        (argument,) = node.arguments
        text = self.entered(argument) if self.is_number(argument) else self.expression(argument, CALL)
        return f"{text}.shape"

    def print_size(self, node: Operation) -> Printed:
        return self.known_over_all(node) if node.over == "all" else Printed(f"math.prod({self._shape(node)})")

    def print_rows(self, node: Operation) -> Printed:
        return Printed(f"{self._shape(node)}[0]")

    def print_columns(self, node: Operation) -> Printed:
        return Printed(f"{self._shape(node)}[1]")

    def print_identity(self, node: Operation) -> Printed:
        return Printed(f"ops.eye({self._shape(node)}[0], dtype=variable.dtype)")

    def print_leading(self, node: Operation) -> Printed:
        matrix, count = node.arguments
        text = self.expression(count) if isinstance(count, Number) else f"int({self.expression(count)})"
        return Printed(f"{self.expression(matrix, CALL)}[:, :{text}]")
