"""A rule as papers print it: states with `t-1` before they are assigned and `t` after. It knows no numbers.

Every line by itself is also within what matplotlib's mathtext understands, so `lines_latex` is for figures
and `rule_latex`, which aligns the lines, for papers. Elementwise and matrix products are told apart where a
rule has both: the elementwise product of two tensors is then written with a circle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import ClassVar

from mhat.language.definition import Rule
from mhat.language.inference import SCALAR, Level, dependence, level, shapes
from mhat.language.tree import Assignment, Expression, Name, Operation, Tree
from mhat.notation.decimals import decimal_of, reads_better_scientific, scientific_of
from mhat.ops.table import ADD, COMPARE, MULTIPLY, NEGATE, OPERATIONS, OR, POWER
from mhat.printers.base import Printed, Printer
from mhat.printers.math_names import name_latex

__all__ = ["LatexPrinter", "expression_latex", "lines_latex", "name_latex", "rule_latex", "starts_latex"]


# Of a matrix these give numbers.
SIZES = ("rows", "columns")


def _word(word: str) -> str:
    return f"\\mathrm{{{word}}}"


class LatexPrinter(Printer):
    """Writes expressions in LaTeX math; `named` writes a name, `tensors` are names of what is no single number."""

    symbols: ClassVar[Mapping[str, str]] = {
        "add": " + ",
        "sub": " - ",
        "neg": "-",
        "lt": " < ",
        "le": r" \leq ",
        "gt": " > ",
        "ge": r" \geq ",
        "eq": " = ",
        "ne": r" \neq ",
        "and": r" \wedge ",
        "or": r" \vee ",
        "not": r"\neg ",
        "mod": rf"\;{_word('mod')}\;",
    }
    functions: ClassVar[Mapping[str, str]] = {
        "sign": _word("sign"),
        "exp": r"\exp",
        "log": r"\ln",
        "sin": r"\sin",
        "cos": r"\cos",
        "tanh": r"\tanh",
        "round": _word("round"),
        "atan2": _word("atan2"),
        "minimum": r"\min",
        "maximum": r"\max",
        "clip": _word("clip"),
        "row_mean": rf"{_word('mean')}_{{{_word('rows')}}}",
        "column_mean": rf"{_word('mean')}_{{{_word('columns')}}}",
        "row_largest": rf"\max_{{{_word('rows')}}}",
        "column_largest": rf"\max_{{{_word('columns')}}}",
        "rows": _word("rows"),
        "columns": _word("columns"),
        "identity": _word("identity"),
        "leading": _word("leading"),
        "sorted_by": _word("sorted"),
        "eigh": _word("eigh"),
        "qr": _word("qr"),
    }
    # As words between operands, `mod` needs brackets wherever it is part of something else.
    precedences: ClassVar[Mapping[str, int]] = {"mod": COMPARE}

    def __init__(self, named: Callable[[str], str] = name_latex, tensors: Collection[str] = ()) -> None:
        self.named = named
        self.tensors = tensors

    def number(self, value: float) -> Printed:
        sign = "-" if math.copysign(1.0, value) < 0.0 else ""
        if not math.isfinite(value):
            return Printed(_word("NaN") if math.isnan(value) else rf"{sign}\infty", NEGATE)
        if not reads_better_scientific(value):
            return Printed(sign + decimal_of(value), NEGATE if sign else Printed("").precedence)
        significand, exponent = scientific_of(value)
        power = f"10^{{{exponent}}}"
        text = power if significand == "1" else rf"{significand} \cdot {power}"
        return Printed(sign + text, NEGATE if sign else POWER if significand == "1" else MULTIPLY)

    def name(self, name: str) -> Printed:
        return Printed(self.named(name))

    def bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def called(self, function: str, node: Operation) -> Printed:
        arguments = ", ".join(self.expression(argument) for argument in node.arguments)
        # Binds as a power does: `\ln(x)^2` would leave open what is squared.
        return Printed(rf"{function}\left({arguments}\right)", POWER)

    def prefix(self, node: Operation) -> Printed:
        if node.op == "neg":
            return Printed("-" + self.expression(node.arguments[0], MULTIPLY), ADD)
        return super().prefix(node)

    def infix(self, node: Operation) -> Printed:
        if node.op == "add" or node.op == "sub":
            left, right = node.arguments
            text = self.expression(left, ADD) + self.symbols[node.op] + self.expression(right, MULTIPLY)
            return Printed(text, ADD)
        return super().infix(node)

    def print_mul(self, node: Operation) -> Printed:
        left, right = (self.expression(node.arguments[0], MULTIPLY), self.expression(node.arguments[1], MULTIPLY + 1))
        if all(self.is_tensor(argument) for argument in node.arguments):
            return Printed(rf"{left} \odot {right}", MULTIPLY)
        return Printed(left + (r" \cdot " if right[0].isdigit() else r" \, ") + right, MULTIPLY)

    def print_matmul(self, node: Operation) -> Printed:
        left, right = node.arguments
        return Printed(rf"{self.expression(left, MULTIPLY)} \, {self.expression(right, MULTIPLY + 1)}", MULTIPLY)

    def is_tensor(self, node: Expression) -> bool:
        """Whether an expression is known to be more than a single number."""
        if isinstance(node, Name):
            return node.id in self.tensors
        if isinstance(node, Operation) and OPERATIONS[node.op].kind != "reduction" and node.op not in SIZES:
            return any(self.is_tensor(argument) for argument in node.arguments)
        return False

    def print_div(self, node: Operation) -> Printed:
        above, below = map(self.expression, node.arguments)
        return Printed(rf"\frac{{{above}}}{{{below}}}", POWER)

    def print_floordiv(self, node: Operation) -> Printed:
        return Printed(rf"\left\lfloor {self.print_div(node).text} \right\rfloor")

    def print_pow(self, node: Operation) -> Printed:
        base, exponent = node.arguments
        return Printed(f"{self.expression(base, POWER + 1)}^{{{self.expression(exponent)}}}", POWER)

    def print_sqrt(self, node: Operation) -> Printed:
        return Printed(rf"\sqrt{{{self.expression(node.arguments[0])}}}")

    def print_cbrt(self, node: Operation) -> Printed:
        return Printed(rf"\sqrt[3]{{{self.expression(node.arguments[0])}}}")

    def print_abs(self, node: Operation) -> Printed:
        return Printed(rf"\left|{self.expression(node.arguments[0])}\right|")

    def print_transpose(self, node: Operation) -> Printed:
        return Printed(rf"{self.expression(node.arguments[0], POWER + 1)}^{{\top}}", POWER)

    def print_where(self, node: Operation) -> Printed:
        condition, first, second = node.arguments
        return Printed(
            rf"{self.expression(first, ADD)}\;{_word('if')}\;{self.expression(condition, OR)}"
            rf"\;{_word('else')}\;{self.expression(second)}",
            self.precedence("where"),
        )

    def print_sum(self, node: Operation) -> Printed:
        return self.called(_word("sum") + _over(node), node)

    def print_mean(self, node: Operation) -> Printed:
        return self.called(_word("mean") + _over(node), node)

    def print_orthogonal(self, node: Operation) -> Printed:
        options = [_word(str(value).replace(" ", r"\ ")) for _, value in node.options]
        return self.called(_word("orthogonal") + (f"_{{{','.join(options)}}}" if options else ""), node)

    def print_largest(self, node: Operation) -> Printed:
        return self.called(rf"\max{_over(node)}", node)

    def print_size(self, node: Operation) -> Printed:
        return self.called(_word("size") + _over(node), node)

    def print_norm(self, node: Operation) -> Printed:
        return Printed(rf"\left\|{self.expression(node.arguments[0])}\right\|{_over(node)}")


def _over(node: Operation) -> str:
    return f"_{{{_word(node.over)}}}" if node.over else ""


def expression_latex(node: Expression) -> str:
    """Print one expression, names without a time."""
    return LatexPrinter().expression(node)


def starts_latex(rule: Rule | Tree) -> list[str]:
    """Print how each state starts: `m_{0} = 0`."""
    tree = rule.tree if isinstance(rule, Rule) else rule
    times = {"x": "0", "g": "1"}
    printer = LatexPrinter(lambda name: name_latex(name, times.get(name, "")))
    return [f"{name_latex(state.name, '0')} = {printer.expression(state.start)}" for state in tree.states]


def lines_latex(rule: Rule | Tree) -> list[str]:
    """Print the lines of a rule one by one, the last one says what `x_{t}` is."""
    return [f"{left} {sign} {right}" for left, sign, right in _lines(rule)]


def rule_latex(rule: Rule | Tree, *, starts: bool = False) -> str:
    """Print a rule as an `aligned` block, for math mode with amsmath; `starts=True` begins with the states."""
    rows = [f"{left} &{sign} {right}" for left, sign, right in _lines(rule)]
    if starts:
        rows = [line.replace(" = ", " &= ", 1) for line in starts_latex(rule)] + rows
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _timeless(tree: Tree) -> set[str]:
    """Names of variables that are the same at every step, as they depend on knobs alone."""
    depends = dependence(tree)
    others = set(tree.variables) - {*tree.state_names, "x", "g"}
    return {name for name in others if depends[name] <= set(tree.knob_names)}


def _lines(rule: Rule | Tree) -> list[tuple[str, str, str]]:
    """Give left side, sign and right side of each line; a second assignment of a name in the same step is an arrow."""
    return timed_lines(rule, lambda named, tensors: LatexPrinter(named, tensors), name_latex, r"\leftarrow")


def timed_lines(
    rule: Rule | Tree,
    printer_of: Callable[[Callable[[str], str], Collection[str]], Printer],
    name_of: Callable[[str, str], str],
    arrow: str,
) -> list[tuple[str, str, str]]:
    """Give left side, sign and right side of each line, names with their time, in the language of a printer.

    `printer_of` makes the printer of what writes a name and of the names of tensors; `name_of` writes a name with its
    time; `arrow` stands where a name is assigned again in the same step.
    """
    tree = rule.tree if isinstance(rule, Rule) else rule
    tensors: set[str] = set()
    if level(tree) is Level.MATRIX:
        tensors = {name for name, shape in shapes(tree).items() if shape != SCALAR}
    # Before its first assignment a state, and `x`, is that of the step before.
    times = dict.fromkeys(tree.state_names, "t-1") | {"x": "t-1", "g": "t"}
    timeless = _timeless(tree)

    def named(name: str) -> str:
        return name_of(name, times.get(name, ""))

    printer = printer_of(named, tensors)
    lines = []
    assigned: set[str] = set()
    for line in (*tree.body, Assignment(("x",), tree.result)):
        right = printer.expression(line.value)
        again = any(target in assigned or times.get(target) == "t" for target in line.targets)
        assigned |= set(line.targets)
        times |= {target: "" if target in timeless else "t" for target in line.targets}
        lines.append((", ".join(map(named, line.targets)), arrow if again else "=", right))
    return lines
