"""A rule as the source of the rule language: printed and parsed again it is the same tree. It knows no numbers.

>>> from mhat.language import rule
>>> print(rule_text(rule("def sgd(x,g,*,lr=.001):return(x-lr*g)")))
def sgd(x, g, *, lr=1e-3):
    return x - lr * g
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from mhat.language.definition import Rule
from mhat.language.tree import Assignment, Expression, Knob, Number, Operation, Tree
from mhat.language.walking import all_expressions
from mhat.notation.decimals import decimal_of, reads_better_scientific, scientific_of
from mhat.ops.table import MULTIPLY, NEGATE, OPERATIONS, OR, Definition
from mhat.printers.base import Printed, Printer

WIDTH = 100
INDENT = "    "


def number_text(value: float) -> str:
    """Write a double as people do, so that it reads back exactly; NaN as the division that gives it.

    >>> [number_text(value) for value in (0.001, 0.9, 3.0, 1e-8, 1500.0, -0.5, 2e22)]
    ['1e-3', '0.9', '3', '1e-8', '1500', '-0.5', '2e22']
    """
    if math.isnan(value):
        return "0 / 0"
    sign = "-" if math.copysign(1.0, value) < 0.0 else ""
    if math.isinf(value):
        return f"{sign}inf"
    if value == 0.0:
        return "-0.0" if sign else "0"
    if reads_better_scientific(value):
        significand, exponent = scientific_of(value)
        return f"{sign}{significand}e{exponent}"
    return sign + decimal_of(value)


def _symbol(operation: Definition) -> str:
    if operation.name == "pow":
        return "**"
    if operation.arity == 2:
        return f" {operation.symbol} "
    return f"{operation.symbol} " if operation.symbol.isalpha() else operation.symbol


class PythonPrinter(Printer):
    """Writes expressions of the rule language."""

    symbols: ClassVar[Mapping[str, str]] = {
        name: _symbol(operation) for name, operation in OPERATIONS.items() if operation.arity < 3
    }
    functions: ClassVar[Mapping[str, str]] = {
        name: name for name, operation in OPERATIONS.items() if operation.called and operation.kind != "reduction"
    }

    def number(self, value: float) -> Printed:
        text = number_text(value)
        if math.isnan(value):
            return Printed(text, MULTIPLY)
        return Printed(text, NEGATE) if text.startswith("-") else Printed(text)

    def name(self, name: str) -> Printed:
        return Printed(name)

    def reduction(self, node: Operation) -> Printed:
        over = f', over="{node.over}"' if node.over else ""
        return Printed(f"{node.op}({self.expression(node.arguments[0])}{over})")

    def print_orthogonal(self, node: Operation) -> Printed:
        matrix, *eps = map(self.expression, node.arguments)
        options = [f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in node.options]
        return Printed(f"orthogonal({', '.join([matrix, *options, *(f'eps={each}' for each in eps)])})")

    print_sum = print_mean = print_norm = print_largest = print_size = reduction

    def print_where(self, node: Operation) -> Printed:
        return self.called("where", node)

    def whole(self, node: Expression) -> str:
        """Write an expression that has a line to itself, where a choice reads better as `a if c else b`."""
        if not (isinstance(node, Operation) and node.op == "where"):
            return self.expression(node)
        condition, first, second = node.arguments
        return f"{self.expression(first, OR)} if {self.expression(condition, OR)} else {self.expression(second)}"


PRINTER = PythonPrinter()


def expression_text(node: Expression) -> str:
    """Print one expression."""
    return PRINTER.whole(node)


def line_text(line: Assignment) -> str:
    """Print one line of a rule."""
    return f"{', '.join(line.targets)} = {PRINTER.whole(line.value)}"


def rule_text(rule: Rule | Tree, *, doc: str = "") -> str:
    """Print a whole rule as a function, with a docstring if one is given; it ends without a line break.

    A rule that says how tensors are flattened has the decorator that says so.
    """
    tree = rule.tree if isinstance(rule, Rule) else rule
    lines = [*_docstring(doc), *map(line_text, tree.body), f"return {PRINTER.whole(tree.result)}"]
    flatten = [f'@rule(flatten="{tree.flatten}")'] if tree.flatten else []
    return "\n".join([*flatten, _signature(tree), *(f"{INDENT}{line}" if line else "" for line in lines)])


def module_text(rule: Rule, doc: str) -> str:
    """Print a file that holds the rule and nothing else, with the imports it needs."""
    nodes = [node for node in all_expressions(rule.tree) if isinstance(node, Operation)]
    used = {node.op for node in nodes if OPERATIONS[node.op].called}
    used |= {"where"} if "where(" in rule_text(rule) else set()
    infinite = any(isinstance(node, Number) and math.isinf(node.value) for node in all_expressions(rule.tree))
    used |= {"inf"} if infinite or any(map(math.isinf, rule.knobs.values())) else set()
    imports = ["from mhat import rule", *([f"from mhat.ops import {', '.join(sorted(used))}"] if used else [])]
    decorator = [] if rule.tree.flatten else ["@rule"]
    return "\n".join(['"""' + doc + '"""', "", *imports, "", "", *decorator, rule_text(rule), ""])


def start_text(node: Expression) -> str:
    """Print the start of a state: a number plain, an expression as a string."""
    plain = node.arguments[0] if isinstance(node, Operation) and node.op == "neg" else node
    text = PRINTER.whole(node)
    return text if isinstance(plain, Number) and not math.isnan(plain.value) else _quoted(text)


def _default_text(knob: Knob) -> str:
    """Print the default of a knob: a number, or an expression over earlier knobs as a string."""
    return number_text(knob.default) if knob.expression is None else _quoted(PRINTER.whole(knob.expression))


def _quoted(text: str) -> str:
    return repr(text) if '"' in text else f'"{text}"'


def _signature(tree: Tree) -> str:
    arguments = [*tree.inputs, *(f"{state.name}={start_text(state.start)}" for state in tree.states)]
    knobs = [f"{knob.name}={_default_text(knob)}" for knob in tree.knobs]
    arguments += ["*", *knobs] if knobs else []
    line = f"def {tree.name}({', '.join(arguments)}):"
    if len(line) <= WIDTH:
        return line
    rows = [INDENT + arguments[0]]
    for argument in arguments[1:]:
        if len(rows[-1]) + len(argument) + 3 > WIDTH:
            rows[-1] += ","
            rows.append(INDENT + argument)
        else:
            rows[-1] += f", {argument}"
    return "\n".join([f"def {tree.name}(", *(rows[:-1]), f"{rows[-1]},", "):"])


def _docstring(doc: str) -> list[str]:
    if not doc:
        return []
    text = doc.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    text = f'{text[:-1]}\\"' if text.endswith('"') else text
    lines = text.split("\n")
    return [f'"""{text}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']
