"""Expressions on JAX arrays, as a person writes them; the number of the step is an array too, for it is traced.

It knows no arrays itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mhat.language.tree import Expression, Operation
from mhat.language.walking import product_length
from mhat.ops.table import CALL, COMPARE, MULTIPLY, NEGATE, POWER
from mhat.printers.base import Printed
from mhat.printers.numpy import COMPARISONS, NumpyPrinter, SizingScalars
from mhat.printers.scalars import Facts, ScalarPrinter

FUNCTIONS = {
    "sqrt": "jnp.sqrt", "cbrt": "jnp.cbrt", "abs": "jnp.abs", "sign": "jnp.sign", "exp": "jnp.exp", "log": "jnp.log",
    "sin": "jnp.sin", "cos": "jnp.cos", "tanh": "jnp.tanh", "round": "jnp.round", "atan2": "jnp.arctan2",
    "minimum": "jnp.minimum", "maximum": "jnp.maximum", "clip": "jnp.clip", "mod": "jnp.remainder",
    "floordiv": "jnp.floor_divide",
}  # fmt: skip


class JaxScalars(SizingScalars):
    """Writes numbers of the step, which may be traced: nothing asks for their truth."""

    functions: ClassVar[Mapping[str, str]] = FUNCTIONS

    def print_div(self, node: Operation) -> Printed:
        first, second = node.arguments
        if not self.facts.is_positive(second):
            return self.called("jnp.divide", node)
        text = f"{self.expression(first, MULTIPLY)} / {self.expression(second, MULTIPLY + 1)}"
        return Printed(text, MULTIPLY)

    def print_pow(self, node: Operation) -> Printed:
        base, exponent = node.arguments
        length = product_length(node)
        if length is None and not self.facts.is_share(base):
            return self.called("jnp.power", node)
        power = str(length) if length is not None else self.expression(exponent, NEGATE)
        return Printed(f"{self.expression(base, POWER + 1)}**{power}", POWER)

    def _function(self, node: Operation) -> Printed:
        return self.called(FUNCTIONS[node.op], node)

    print_sqrt = print_clip = print_mod = _function

    def print_where(self, node: Operation) -> Printed:
        return self.called("jnp.where", node)

    def print_and(self, node: Operation) -> Printed:
        first, second = map(self.expression, node.arguments)
        return Printed(f"jnp.where({first}, {second}, {first})")

    def print_or(self, node: Operation) -> Printed:
        first, second = map(self.expression, node.arguments)
        return Printed(f"jnp.where({first}, {first}, {second})")

    def print_not(self, node: Operation) -> Printed:
        return Printed(f"{self.expression(node.arguments[0], COMPARE + 1)} == 0", COMPARE)


class JaxPrinter(NumpyPrinter):
    """Writes expressions on JAX arrays."""

    functions: ClassVar[Mapping[str, str]] = {**FUNCTIONS, "eigh": "_eigh", "qr": "_qr", "sorted_by": "_sorted_by"}
    lacking: ClassVar[Mapping[str, str]] = {"over": "what is over all tensors is computed before, from all of them"}

    def scalar_printer(self, facts: Facts) -> ScalarPrinter:
        return JaxScalars(self, facts)

    def printed(self, node: Expression) -> Printed:
        if isinstance(node, Operation) and node.op not in ("size", "rows", "columns") and self.is_number(node):
            made = self.scalars.printed(node)
            return Printed(f"1.0 * ({made.text})", MULTIPLY) if node.op in (*COMPARISONS, "not") else made
        return super().printed(node)

    def _truth(self, node: Expression) -> str:
        if self.is_number(node):
            return f"({self.scalars.expression(node)} != 0)"
        return self.condition(node, CALL)

    def entered(self, node: Expression) -> str:
        return f"jnp.asarray({self.expression(node)}, g.dtype)" if self.is_number(node) else self.expression(node)

    def truth_as_number(self, text: str) -> Printed:
        return Printed(f"({text}).astype(g.dtype)")

    def chosen(self, condition: str, first: Expression, second: Expression) -> Printed:
        both = self.is_number(first) and self.is_number(second)
        text = self.entered(first) if both else self.expression(first)
        return Printed(f"jnp.where({condition}, {text}, {self.expression(second)})")

    def print_where(self, node: Operation) -> Printed:
        condition, first, second = node.arguments
        return self.chosen(self.condition(condition), first, second)

    def reduced(self, node: Operation) -> Printed:
        names = {"sum": "jnp.sum", "mean": "jnp.mean", "norm": "jnp.linalg.norm", "largest": "jnp.max"}
        return Printed(f"{names[node.op]}({self.entered(node.arguments[0])})")

    def line(self, node: Operation) -> Printed:
        name = "jnp.mean" if node.op.endswith("mean") else "jnp.max"
        axis = 1 if node.op.startswith("row") else 0
        return Printed(f"{name}({self.entered(node.arguments[0])}, axis={axis}, keepdims=True)")

    print_row_mean = print_column_mean = print_row_largest = print_column_largest = line

    def print_identity(self, node: Operation) -> Printed:
        return Printed(f"jnp.eye(len({self.entered(node.arguments[0])}), dtype=g.dtype)")
