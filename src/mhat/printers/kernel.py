"""Expressions in the Python that Numba compiles: names of values, operators, calls of compiled functions.

Operators are written as they are; every other operation is a call of a function of its name with an underscore
behind, which whoever prints a module binds to the right precision. It knows no numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from mhat.language.tree import Operation
from mhat.language.walking import product_length
from mhat.ops.table import NEGATE, OPERATIONS
from mhat.printers.base import Printed, Printer

_OPERATORS = {"add": " + ", "sub": " - ", "mul": " * ", "div": " / ", "neg": "-"}
_PRODUCTS = {2: "square_", 3: "cube_", 4: "fourth_"}


class KernelPrinter(Printer):
    """Writes expressions over the names of values."""

    symbols: ClassVar[Mapping[str, str]] = _OPERATORS
    functions: ClassVar[Mapping[str, str]] = {name: f"{name}_" for name in OPERATIONS if name not in _OPERATORS}

    def number(self, value: float) -> Printed:
        if math.isnan(value):
            return Printed("nan_")
        sign = "-" if math.copysign(1.0, value) < 0.0 else ""
        size = "inf_" if math.isinf(value) else repr(abs(value))
        return Printed(sign + size, NEGATE) if sign else Printed(size)

    def name(self, name: str) -> Printed:
        return Printed(name)

    def print_pow(self, node: Operation) -> Printed:
        length = product_length(node)
        if length is None:
            return self.called("pow_", node)
        return Printed(f"{_PRODUCTS[length]}({self.expression(node.arguments[0])})")

    def reduction(self, node: Operation) -> Printed:
        return self.called(f"{node.op}_{node.over}_" if node.over else f"{node.op}_", node)

    print_sum = print_mean = print_norm = print_largest = print_size = reduction
