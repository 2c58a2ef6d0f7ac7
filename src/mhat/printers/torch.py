"""Expressions on torch tensors, as a person writes them; numbers of the step stay Python's. It knows no tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mhat.language.inference import WHOLE, shape_of
from mhat.language.tree import Expression, Number, Operation
from mhat.ops.table import CALL, CHOICE, OR
from mhat.printers.base import Printed
from mhat.printers.numpy import ArrayPrinter, SizingScalars
from mhat.printers.scalars import Facts, ScalarPrinter


class TorchPrinter(ArrayPrinter):
    """Writes expressions on torch tensors."""

    functions: ClassVar[Mapping[str, str]] = {
        "sqrt": "torch.sqrt", "cbrt": "_cbrt", "abs": "torch.abs", "sign": "_sign", "exp": "torch.exp",
        "log": "torch.log", "sin": "torch.sin", "cos": "torch.cos", "tanh": "torch.tanh", "round": "torch.round",
        "eigh": "_eigh", "qr": "_qr", "sorted_by": "_sorted_by",
    }  # fmt: skip
    lacking: ClassVar[Mapping[str, str]] = {"over": "what is over all tensors is computed before, in a loop of its own"}

    def scalar_printer(self, facts: Facts) -> ScalarPrinter:
        return SizingScalars(self, facts)

    def entered(self, node: Expression) -> str:
        text = self.expression(node)
        return f"x.new_tensor({text})" if self.is_number(node) else text

    def truth_as_number(self, text: str) -> Printed:
        return Printed(f"({text}).to(x.dtype)")

    def chosen(self, condition: str, first: Expression, second: Expression) -> Printed:
        both = self.is_number(first) and self.is_number(second)
        text = self.entered(first) if both else self.expression(first)
        return Printed(f"torch.where({condition}, {text}, {self.expression(second)})")

    def chosen_by_number(self, condition: Expression, first: Expression, second: Expression) -> Printed:
        whole = shape_of(Operation("where", (condition, first, second)), self.shapes)[0] == WHOLE
        texts = [self._whole(branch, whole) for branch in (first, second)]
        return Printed(f"{texts[0]} if {self.condition(condition, OR)} else {texts[1]}", CHOICE)

    def _whole(self, node: Expression, whole: bool) -> str:
        """Write a branch so that it has the shape of x, or that of a number."""
        if not whole:
            return self.entered(node)
        if self.is_number(node):
            return f"torch.full_like(x, {self.expression(node)})"
        if self.shapes and shape_of(node, self.shapes)[0] != WHOLE:
            return f"({self.expression(node)}).expand_as(x)"
        return self.expression(node, OR)

    def _of_two(self, node: Operation, function: str) -> Printed:
        first, second = map(self.entered, node.arguments)
        return Printed(f"torch.{function}({first}, {second})")

    def _limited(self, node: Operation, function: str, limit: str) -> Printed:
        """Write a number as a limit of a tensor, which torch takes only so."""
        first, second = node.arguments
        for tensor, number in ((first, second), (second, first)):
            if self.is_number(number):
                return Printed(f"{self.expression(tensor, CALL)}.clamp({limit}={self.expression(number)})")
        return self._of_two(node, function)

    def print_minimum(self, node: Operation) -> Printed:
        return self._limited(node, "minimum", "max")

    def print_maximum(self, node: Operation) -> Printed:
        return self._limited(node, "maximum", "min")

    def print_clip(self, node: Operation) -> Printed:
        x, low, high = node.arguments
        if self.is_number(low) and self.is_number(high) and not self.is_number(x):
            return Printed(f"{self.expression(x, CALL)}.clamp({self.expression(low)}, {self.expression(high)})")
        return self.printed(Operation("minimum", (Operation("maximum", (x, low)), high)))

    def print_atan2(self, node: Operation) -> Printed:
        return self._of_two(node, "atan2")

    def print_mod(self, node: Operation) -> Printed:
        return self._of_two(node, "remainder")

    def print_floordiv(self, node: Operation) -> Printed:
        first, second = map(self.entered, node.arguments)
        return Printed(f'torch.div({first}, {second}, rounding_mode="floor")')

    def reduced(self, node: Operation) -> Printed:
        names = {"sum": "torch.sum", "mean": "torch.mean", "norm": "torch.linalg.vector_norm", "largest": "torch.max"}
        return Printed(f"{names[node.op]}({self.entered(node.arguments[0])})")

    def line(self, node: Operation) -> Printed:
        function = "mean" if node.op.endswith("mean") else "amax"
        dim = 1 if node.op.startswith("row") else 0
        return Printed(f"torch.{function}({self.entered(node.arguments[0])}, dim={dim}, keepdim=True)")

    print_row_mean = print_column_mean = print_row_largest = print_column_largest = line

    def _attribute(self, node: Operation, attribute: str) -> Printed:
        (argument,) = node.arguments
        text = self.entered(argument) if self.is_number(argument) else self.expression(argument, CALL)
        return Printed(f"{text}.{attribute}")

    def print_transpose(self, node: Operation) -> Printed:
        return self._attribute(node, "T")

    def print_size(self, node: Operation) -> Printed:
        return self.known_over_all(node) if node.over == "all" else self._attribute(node, "numel()")

    def print_rows(self, node: Operation) -> Printed:
        return self._attribute(node, "shape[0]")

    def print_columns(self, node: Operation) -> Printed:
        return self._attribute(node, "shape[1]")

    def print_identity(self, node: Operation) -> Printed:
        return Printed(f"torch.eye(len({self.entered(node.arguments[0])}), dtype=x.dtype, device=x.device)")

    def print_leading(self, node: Operation) -> Printed:
        matrix, count = node.arguments
        text = self.expression(count)
        sliced = f":{text}" if isinstance(count, Number) else f": int({text})"
        return Printed(f"{self.expression(matrix, CALL)}[:, {sliced}]")
