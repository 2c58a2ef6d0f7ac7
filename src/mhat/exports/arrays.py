"""What files on arrays have in common: which lines are numbers of the step, and how their helpers look in Python.

It knows no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from mhat.language.definition import Rule
from mhat.language.inference import SCALAR, WHOLE, Level, shape_of
from mhat.language.tree import EVALUATION, Expression, Name, Number, Operation
from mhat.language.walking import all_expressions
from mhat.notation.decimals import exact
from mhat.ops.orthogonality import SETS, USUAL
from mhat.ops.table import OPERATIONS
from mhat.printers.numpy import ArrayPrinter, set_name
from mhat.printers.scalars import Facts, python_number

MakePrinter = Callable[[Collection[str], Facts, Mapping[Expression, str]], ArrayPrinter]
INDENT = "    "
NOTHING: Mapping[Expression, str] = {}
# Numbers of the step where Python's own operations raise.
SCALAR_HELPERS = {
    "_divide": '''def _divide(a: float, b: float) -> float:
    """Divide as IEEE arithmetic does: by zero it gives an infinity, or NaN."""
    if b != 0:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)''',
    "_power": '''def _power(a: float, b: float) -> float:
    """Raise to a power as IEEE arithmetic does: what is too large is infinite."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.nan if a != 0 else math.copysign(math.inf, a if b % 2 == 1 else 1.0)''',
    "_sqrt": '''def _sqrt(a: float) -> float:
    """Take the root; NaN of a negative number."""
    return math.nan if a < 0 else math.sqrt(a)''',
    "_remainder": '''def _remainder(a: float, b: float) -> float:
    """Give the remainder with the sign of the divisor; NaN by zero."""
    return math.nan if b == 0 or math.isinf(a) else a % b''',
    "_floor_quotient": '''def _floor_quotient(a: float, b: float) -> float:
    """Divide and round down; by zero as IEEE arithmetic divides."""
    return _divide(a, b) if b == 0 else math.nan if math.isinf(a) else a // b''',
    "_exp": '''def _exp(a: float) -> float:
    """Give the exponential; infinity where it overflows."""
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf''',
    "_log": '''def _log(a: float) -> float:
    """Give the logarithm; minus infinity of zero, NaN of a negative number."""
    return math.log(a) if a > 0 else -math.inf if a == 0 else math.nan''',
    "_sin": '''def _sin(a: float) -> float:
    """Give the sine; NaN of an infinity."""
    return math.nan if math.isinf(a) else math.sin(a)''',
    "_cos": '''def _cos(a: float) -> float:
    """Give the cosine; NaN of an infinity."""
    return math.nan if math.isinf(a) else math.cos(a)''',
    "_round": '''def _round(a: float) -> float:
    """Round to the nearest whole number, of two to the even one."""
    return math.copysign(round(a), a) if math.isfinite(a) else a''',
    "_sign_of": '''def _sign_of(a: float) -> float:
    """Give 1, 0 or -1; NaN of NaN."""
    return (a > 0) - (a < 0) if a == a else a''',
}


@dataclass(frozen=True)
class Line:
    """One line of a rule in another language: what it assigns, and the text of its value."""

    targets: tuple[str, ...]
    text: str
    value: Expression
    number: bool

    def written(self, names: dict[str, str]) -> str:
        """Write the assignment."""
        return f"{', '.join(names.get(target, target) for target in self.targets)} = {self.text}"


@dataclass(frozen=True)
class Lines:
    """The lines of a rule, and the value that it returns, which has the shape of x; `printers`: who wrote each."""

    body: tuple[Line, ...]
    result: str
    printers: tuple[ArrayPrinter, ...]


def lines_of(
    rule: Rule,
    printer_of: MakePrinter,
    filled: Callable[[str, str], str],
    copied: Callable[[str], str],
    over_all: Callable[[int], Mapping[Expression, str]] = lambda place: NOTHING,
) -> Lines:
    """Write the lines of a rule.

    `filled(like, number)` makes an array that is full of a number, `copied(text)` a copy of one. `over_all`: what the
    reductions over all tensors are called that stand in a line, by its number; the result comes after the last.
    """
    tree = rule.tree
    numbers = {*tree.counters, *tree.knob_names, *rule.dependence.per_step_states}
    carried = {"x", "g", EVALUATION, *tree.state_names} - rule.dependence.per_step_states
    facts = Facts.of(rule)
    made = []
    printers = []
    for place, line in enumerate(tree.body):
        printer = printer_of(numbers, facts.copy(), over_all(place))
        printers.append(printer)
        text, number = printer.expression(line.value), printer.is_number(line.value)
        kept = carried.intersection(line.targets)
        single = EVALUATION in line.targets and shape_of(line.value, rule.shapes)[0] == SCALAR
        if kept and (number or single):
            text = filled("x" if EVALUATION in line.targets else line.targets[0], text)
        elif kept and _may_be_another(line.value, printer):
            text = copied(text)
        alone = number and not kept
        if alone:
            facts.learn(line.targets[0], line.value)
        (numbers.update if alone else numbers.difference_update)(line.targets)
        made.append(Line(line.targets, text, line.value, alone))
    printer = printer_of(numbers, facts, over_all(len(tree.body)))
    text = printer.expression(tree.result)
    if printer.is_number(tree.result) or shape_of(tree.result, rule.shapes)[0] == SCALAR:
        text = filled("x", text)
    return Lines(tuple(made), text, (*printers, printer))


def _may_be_another(node: Expression, printer: ArrayPrinter) -> bool:
    """Whether what a line gives may be an array that somebody else holds, and changes later."""
    if isinstance(node, Operation) and node.op == "where" and printer.is_number(node.arguments[0]):
        return any(_may_be_another(branch, printer) for branch in node.arguments[1:])
    return isinstance(node, Name)


def scalar_helpers(text: str) -> Iterator[str]:
    """Give the functions on numbers of the step that a text calls, in a fixed order."""
    needed = {name for name in SCALAR_HELPERS if f"{name}(" in text}
    if "_floor_quotient" in needed:
        needed.add("_divide")
    yield from (source for name, source in SCALAR_HELPERS.items() if name in needed)


def coefficient_sets(rule: Rule) -> Iterator[str]:
    """Give the constants of the orthogonalizations of a rule: factors of the norm and of each round."""
    nodes = [node for node in all_expressions(rule.tree) if isinstance(node, Operation) and node.op == "orthogonal"]
    for name, node in {set_name(node): node for node in nodes}.items():
        options = dict(node.options)
        chosen = SETS[str(options.get("set", USUAL))]
        rounds = chosen.of(int(options["rounds"]) if options.get("rounds") else None)
        yield f"# {chosen.source}."
        yield "# The norm is stretched by the first number; a round makes a x + b x^3 + c x^5."
        yield f"{name} = (\n{INDENT}{chosen.stretch},"
        yield from (f"{INDENT}({', '.join(map(exact, triple))})," for triple in rounds)
        yield ")"


def start_kind(rule: Rule, name: str) -> str:
    """Say how a state is carried: a "number" a step, "whole" as x is, or "other": one number, a row, a column ..."""
    if name in rule.dependence.per_step_states:
        return "number"
    return "whole" if rule.shapes[name] == WHOLE else "other"


def sizes_written(rule: Rule, name: str, rows: str, columns: str) -> str:
    """Write the shape of a state that has not that of x."""
    if rule.level is not Level.MATRIX or rule.shapes[name] == SCALAR:
        return "()"
    sizes = {"rows": rows, "columns": columns, "least": f"min({rows}, {columns})"}
    first, second = (
        f"int({part[1:]})" if part.startswith("@") else sizes.get(part, part) for part in rule.shapes[name]
    )
    return f"({first}, {second})"


def constant_start(node: Expression) -> float | None:
    """Give the number that a state starts at, where it is a literal."""
    return node.value if isinstance(node, Number) else None


def signature_of(arguments: list[str], head: str, tail: str, width: int = 100) -> list[str]:
    """Write a signature on one line, or one argument a line."""
    line = f"{head}({', '.join(arguments)}){tail}"
    if len(line) <= width:
        return [line]
    return [f"{head}(", *(f"{INDENT}{argument}," for argument in arguments), f"){tail}"]


def defaults_of(rule: Rule) -> list[str]:
    """Write the knobs as arguments with their defaults; one that is made of others is None unless it is told."""
    return [
        f"{knob.name}: float | None = None"
        if knob.expression is not None
        else f"{knob.name}: float = {python_number(knob.default)}"
        for knob in rule.tree.knobs
    ]


def matrix_operations(rule: Rule) -> list[str]:
    """List the operations on matrices of a rule, in the order in which they come."""
    nodes = [node for node in all_expressions(rule.tree) if isinstance(node, Operation)]
    return list(dict.fromkeys(node.op for node in nodes if OPERATIONS[node.op].kind == "matrix"))


def mixes_tensors(rule: Rule) -> bool:
    """Whether a rule has reductions over its tensor beside those over all tensors."""
    over = {
        node.over for node in all_expressions(rule.tree)
        if isinstance(node, Operation) and OPERATIONS[node.op].kind == "reduction"
    }  # fmt: skip
    return over == {None, "all"}


def reads(rule: Rule, *inputs: str) -> list[str]:
    """List which of some inputs a rule reads."""
    names = {node.id for node in all_expressions(rule.tree) if isinstance(node, Name)}
    return [name for name in inputs if name in rule.tree.inputs and name in names]


def without_blank_ends(lines: list[str]) -> str:
    """Join lines to a file that ends in one line break, with no blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in "\n".join(lines).strip("\n").split("\n")) + "\n"


def own_names(rule: Rule) -> set[str]:
    """Collect the names that a rule gives meanings to."""
    tree = rule.tree
    return {*tree.inputs, *tree.state_names, *tree.knob_names, *tree.variables}


def python_docstring(lines: list[str]) -> list[str]:
    """Write lines as a docstring of Python."""
    escaped = [line.replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    return [f'"""{escaped[0]}', *escaped[1:], '"""']
