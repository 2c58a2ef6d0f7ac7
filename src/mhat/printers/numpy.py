"""Expressions on NumPy arrays, as a person writes them; numbers of the step stay Python's. It knows no arrays itself.

A Python float beside an array takes the precision of the array, so that what is one number a step is computed in
double and rounded once. Truth is Python's where it is asked for, and the numbers 1 and 0 where it is computed with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from mhat.language.inference import Shape, shape_of
from mhat.language.tree import Expression, Number, Operation
from mhat.language.walking import product_length
from mhat.ops.orthogonality import USUAL
from mhat.ops.table import ADD, CALL, CHOICE, COMPARE, NEGATE, OR, POWER
from mhat.printers.base import MissingOperationError, Printed, Printer
from mhat.printers.scalars import Facts, ScalarPrinter, is_number

COMPARISONS = {"lt": " < ", "le": " <= ", "gt": " > ", "ge": " >= ", "eq": " == ", "ne": " != "}


def set_name(node: Operation) -> str:
    """Name the constant that holds the coefficients of an orthogonalization: POLAR_EXPRESS_6."""
    options = dict(node.options)
    name = str(options.get("set", USUAL)).replace(" ", "_").upper()
    return f"{name}_{options['rounds']}" if options.get("rounds") else name


class ArrayPrinter(Printer):
    """What writers of arrays share: which expressions are numbers of the step, and where truth is wanted.

    `numbers`: names that are one number a step. `shapes`: those of the names, so that a branch is chosen before it is
    computed only where it has the shape of both. `names`: how names are written that mean something else there.
    `over_all`: what reductions over all tensors are called that have been computed before.
    """

    symbols: ClassVar[Mapping[str, str]] = {
        "add": " + ", "sub": " - ", "mul": " * ", "div": " / ", "neg": "-", "matmul": " @ ",
    }  # fmt: skip

    def __init__(
        self,
        numbers: Collection[str] = (),
        facts: Facts | None = None,
        shapes: Mapping[str, Shape] | None = None,
        names: Mapping[str, str] | None = None,
        over_all: Mapping[Expression, str] | None = None,
    ) -> None:
        self.over_all = over_all or {}
        self.numbers = frozenset(numbers)
        self.shapes = shapes or {}
        self.names = names or {}
        self.scalars = self.scalar_printer(facts or Facts())

    def scalar_printer(self, facts: Facts) -> ScalarPrinter:
        """Give what writes numbers of the step."""
        return ScalarPrinter(facts, self.names)

    def number(self, value: float) -> Printed:
        return self.scalars.number(value)

    def name(self, name: str) -> Printed:
        return Printed(self.names.get(name, name))

    def printed(self, node: Expression) -> Printed:
        if isinstance(node, Operation) and node.op not in ("size", "rows", "columns") and self.is_number(node):
            made = self.scalars.printed(node)
            # Frameworks do not compute with True and False.
            return Printed(f"float({made.text})") if node.op in (*COMPARISONS, "not") else made
        return super().printed(node)

    def is_number(self, node: Expression) -> bool:
        """Whether an expression is one number a step."""
        return is_number(node, self.numbers)

    def entered(self, node: Expression) -> str:
        """Write an expression that must be an array, even where it is one number."""
        raise NotImplementedError

    def truth_as_number(self, text: str) -> Printed:
        """Write a truth of arrays that is computed with."""
        raise NotImplementedError

    def chosen(self, condition: str, first: Expression, second: Expression) -> Printed:
        """Write a choice number by number."""
        raise NotImplementedError

    def condition(self, node: Expression, room: int = CHOICE) -> str:
        """Write an expression of which only the truth is asked."""
        text, precedence = self._condition(node)
        return self.bracketed(text) if precedence < room else text

    def _condition(self, node: Expression) -> Printed:
        if self.is_number(node):
            return self.scalars.printed(node)
        if isinstance(node, Operation) and node.op in COMPARISONS:
            left, right = (self.expression(argument, ADD) for argument in node.arguments)
            return Printed(left + COMPARISONS[node.op] + right, COMPARE)
        if isinstance(node, Operation) and node.op in ("and", "or"):
            sign = " & " if node.op == "and" else " | "
            parts = [self._truth(argument) for argument in node.arguments]
            return Printed(sign.join(parts), COMPARE)
        if isinstance(node, Operation) and node.op == "not":
            return Printed(f"{self.expression(node.arguments[0], ADD)} == 0", COMPARE)
        return Printed(f"{self.expression(node, ADD)} != 0", COMPARE)

    def _truth(self, node: Expression) -> str:
        """Write a truth beside `&`: of a number it must be Python's True or False."""
        return f"bool({self.scalars.expression(node)})" if self.is_number(node) else self.condition(node, CALL)

    def comparison(self, node: Operation) -> Printed:
        return self.truth_as_number(self.condition(node))

    print_lt = print_le = print_gt = print_ge = print_eq = print_ne = print_not = comparison

    def print_and(self, node: Operation) -> Printed:
        first, second = node.arguments
        return self._chosen(first, second, first)

    def print_or(self, node: Operation) -> Printed:
        first, second = node.arguments
        return self._chosen(first, first, second)

    def _chosen(self, condition: Expression, first: Expression, second: Expression) -> Printed:
        if self.is_number(condition):
            return self.chosen_by_number(condition, first, second)
        return self.chosen(self.condition(condition), first, second)

    def print_where(self, node: Operation) -> Printed:
        condition, first, second = node.arguments
        if not self.is_number(condition) or not self._alike(node):
            return self._chosen(condition, first, second)
        text = f"{self.expression(first, OR)} if {self.condition(condition, OR)} else {self.expression(second)}"
        return Printed(text, CHOICE)

    def chosen_by_number(self, condition: Expression, first: Expression, second: Expression) -> Printed:
        """Write a choice by a number of the step between what has different shapes."""
        return self.chosen(self.condition(condition), first, second)

    def _alike(self, node: Operation) -> bool:
        whole, *shapes = [shape_of(part, self.shapes)[0] for part in (node, *node.arguments[1:])]
        numbers = [self.is_number(branch) for branch in node.arguments[1:]]
        return not any(numbers) and (not self.shapes or all(shape == whole for shape in shapes))

    def print_pow(self, node: Operation) -> Printed:
        base, exponent = node.arguments
        length = product_length(node)
        power = str(length) if length is not None else self.expression(exponent, NEGATE)
        return Printed(f"{self.expression(base, POWER + 1)}**{power}", POWER)

    def print_orthogonal(self, node: Operation) -> Printed:
        matrix, *eps = node.arguments
        more = "".join(f", eps={self.expression(each)}" for each in eps)
        return Printed(f"_orthogonal({self.entered(matrix)}, {set_name(node)}{more})")

    def reduction(self, node: Operation) -> Printed:
        return self.known_over_all(node) if node.over == "all" else self.reduced(node)

    def known_over_all(self, node: Operation) -> Printed:
        """Write a reduction over all tensors by the name of what was computed before."""
        if node not in self.over_all:
            raise MissingOperationError(f"{type(self).__name__} writes no {node.op} over all tensors")
        return Printed(self.over_all[node])

    def reduced(self, node: Operation) -> Printed:
        """Write a reduction over one tensor."""
        raise NotImplementedError

    print_sum = print_mean = print_norm = print_largest = reduction


class NumpyPrinter(ArrayPrinter):
    """Writes expressions on NumPy arrays."""

    functions: ClassVar[Mapping[str, str]] = {
        "sqrt": "np.sqrt", "cbrt": "np.cbrt", "abs": "np.abs", "sign": "np.sign", "exp": "np.exp", "log": "np.log",
        "sin": "np.sin", "cos": "np.cos", "tanh": "np.tanh", "round": "np.round", "atan2": "np.arctan2",
        "minimum": "np.minimum", "maximum": "np.maximum", "clip": "np.clip", "mod": "np.remainder",
        "floordiv": "np.floor_divide", "eigh": "_eigh", "qr": "_qr", "sorted_by": "_sorted_by",
    }  # fmt: skip
    lacking: ClassVar[Mapping[str, str]] = {"over": "an array holds all parameters: there is nothing over it"}

    def scalar_printer(self, facts: Facts) -> ScalarPrinter:
        return SizingScalars(self, facts)

    def entered(self, node: Expression) -> str:
        return f"x.dtype.type({self.expression(node)})" if self.is_number(node) else self.expression(node)

    def truth_as_number(self, text: str) -> Printed:
        return Printed(f"({text}).astype(x.dtype)")

    def chosen(self, condition: str, first: Expression, second: Expression) -> Printed:
        both = self.is_number(first) and self.is_number(second)
        text = self.entered(first) if both else self.expression(first)
        return Printed(f"np.where({condition}, {text}, {self.expression(second)})")

    def reduced(self, node: Operation) -> Printed:
        names = {"sum": "np.sum", "mean": "np.mean", "norm": "np.linalg.norm", "largest": "np.max"}
        return Printed(f"{names[node.op]}({self.entered(node.arguments[0])})")

    def line(self, node: Operation) -> Printed:
        name = "np.mean" if node.op.endswith("mean") else "np.max"
        axis = 1 if node.op.startswith("row") else 0
        return Printed(f"{name}({self.entered(node.arguments[0])}, axis={axis}, keepdims=True)")

    print_row_mean = print_column_mean = print_row_largest = print_column_largest = line

    def _attribute(self, node: Operation, attribute: str) -> Printed:
        (argument,) = node.arguments
        text = self.entered(argument) if self.is_number(argument) else self.expression(argument, CALL)
        return Printed(f"{text}.{attribute}")

    def print_transpose(self, node: Operation) -> Printed:
        return self._attribute(node, "T")

    def print_size(self, node: Operation) -> Printed:
        return self.known_over_all(node) if node.over == "all" else self._attribute(node, "size")

    def print_rows(self, node: Operation) -> Printed:
        return self._attribute(node, "shape[0]")

    def print_columns(self, node: Operation) -> Printed:
        return self._attribute(node, "shape[1]")

    def print_identity(self, node: Operation) -> Printed:
        return Printed(f"np.eye(len({self.entered(node.arguments[0])}), dtype=x.dtype)")

    def print_leading(self, node: Operation) -> Printed:
        matrix, count = node.arguments
        text = self.expression(count)
        sliced = f":{text}" if isinstance(count, Number) else f": int({text})"
        return Printed(f"{self.expression(matrix, CALL)}[:, {sliced}]")


class SizingScalars(ScalarPrinter):
    """Writes numbers of the step, sizes of arrays among them."""

    def __init__(self, arrays: ArrayPrinter, facts: Facts) -> None:
        super().__init__(facts, arrays.names)
        self.arrays = arrays

    def size_of(self, node: Operation) -> Printed:
        return self.arrays.printed(node)

    print_size = print_rows = print_columns = size_of
