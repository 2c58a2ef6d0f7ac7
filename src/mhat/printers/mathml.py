"""A rule as pages print it, in the formulas that browsers draw by themselves: MathML. It knows no numbers.

>>> from mhat.language.tree import Name, Operation
>>> expression_mathml(Operation("sqrt", (Name("v_hat"),)))
'<math><msqrt><mover accent="true"><mi>v</mi><mo>^</mo></mover></msqrt></math>'
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from html import escape
from typing import ClassVar

from mhat.language.definition import Rule
from mhat.language.tree import Expression, Name, Operation, Tree
from mhat.notation.decimals import decimal_of, reads_better_scientific, scientific_of
from mhat.ops.table import ADD, COMPARE, MULTIPLY, NEGATE, OPERATIONS, OR, POWER
from mhat.printers.base import Printed, Printer
from mhat.printers.latex import SIZES, timed_lines
from mhat.printers.math_names import GREEK_LETTERS, name_parts

ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "dot": "˙", "vec": "→"}
# A product is a small space, as in LaTeX.
TIMES = '<mo lspace="0" rspace="0.17em">\N{INVISIBLE TIMES}</mo>'
LETTERS = dict(zip(GREEK_LETTERS, "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True)) | {"infty": "∞", "_": "_"}


def _operator(symbol: str) -> str:
    return f"<mo>{escape(symbol)}</mo>"


def _word(word: str) -> str:
    return f'<mi mathvariant="normal">{escape(word)}</mi>'


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


WORDS = {"log": "ln", "minimum": "min", "maximum": "max", "largest": "max"}


class MathmlPrinter(Printer):
    """Writes expressions in MathML; `named` writes a name, `tensors` are names of what is no single number."""

    symbols: ClassVar[Mapping[str, str]] = {
        "add": _operator("+"), "sub": _operator("−"), "neg": _operator("−"), "lt": _operator("<"), "le": _operator("≤"),
        "gt": _operator(">"), "ge": _operator("≥"), "eq": _operator("="), "ne": _operator("≠"), "and": _operator("∧"),
        "or": _operator("∨"), "not": _operator("¬"), "mod": _operator("mod"),
    }  # fmt: skip
    functions: ClassVar[Mapping[str, str]] = {
        name: _word(WORDS.get(name, name.replace("_", " ")))
        for name, operation in OPERATIONS.items()
        if operation.called
    }
    precedences: ClassVar[Mapping[str, int]] = {"mod": COMPARE}

    def __init__(self, named: Callable[[str], str] | None = None, tensors: Collection[str] = ()) -> None:
        self.named = named or name_mathml
        self.tensors = tensors

    def number(self, value: float) -> Printed:
        negative = math.copysign(1.0, value) < 0.0
        sign = _operator("−") if negative else ""
        if not math.isfinite(value):
            return Printed(_word("NaN") if math.isnan(value) else f"{sign}<mi>∞</mi>", NEGATE)
        if not reads_better_scientific(value):
            text = decimal_of(value)
            return Printed(f"{sign}<mn>{text}</mn>", NEGATE if negative else Printed("").precedence)
        significand, exponent = scientific_of(value)
        power = f"<msup><mn>10</mn>{_number(exponent)}</msup>"
        text = power if significand == "1" else f"<mn>{significand}</mn>{_operator('·')}{power}"
        return Printed(sign + text, NEGATE if negative else POWER if significand == "1" else MULTIPLY)

    def name(self, name: str) -> Printed:
        return Printed(self.named(name))

    def bracketed(self, text: str) -> str:
        return _row(f'<mo stretchy="true">(</mo>{text}<mo stretchy="true">)</mo>')

    def called(self, function: str, node: Operation) -> Printed:
        arguments = _operator(",").join(self.expression(argument) for argument in node.arguments)
        # Binds as a power does: a power behind the brackets would leave open what is squared.
        return Printed(f"{function}{_over(node)}{self.bracketed(arguments)}", POWER)

    def prefix(self, node: Operation) -> Printed:
        if node.op == "neg":
            return Printed(self.symbols["neg"] + self.expression(node.arguments[0], MULTIPLY), ADD)
        return super().prefix(node)

    def infix(self, node: Operation) -> Printed:
        if node.op in ("add", "sub"):
            left, right = node.arguments
            return Printed(self.expression(left, ADD) + self.symbols[node.op] + self.expression(right, MULTIPLY), ADD)
        return super().infix(node)

    def print_mul(self, node: Operation) -> Printed:
        left, right = self.expression(node.arguments[0], MULTIPLY), self.expression(node.arguments[1], MULTIPLY + 1)
        both = all(self.is_tensor(argument) for argument in node.arguments)
        sign = _operator("⊙") if both else _operator("·") if right.startswith("<mn>") else TIMES
        return Printed(left + sign + right, MULTIPLY)

    def print_matmul(self, node: Operation) -> Printed:
        left, right = self.expression(node.arguments[0], MULTIPLY), self.expression(node.arguments[1], MULTIPLY + 1)
        return Printed(f'{left}<mspace width="0.2em"/>{right}', MULTIPLY)

    def is_tensor(self, node: Expression) -> bool:
        """Whether an expression is known to be more than a single number."""
        if isinstance(node, Name):
            return node.id in self.tensors
        if isinstance(node, Operation) and OPERATIONS[node.op].kind != "reduction" and node.op not in SIZES:
            return any(self.is_tensor(argument) for argument in node.arguments)
        return False

    def print_div(self, node: Operation) -> Printed:
        above, below = map(self.expression, node.arguments)
        return Printed(f"<mfrac>{_row(above)}{_row(below)}</mfrac>", POWER)

    def print_floordiv(self, node: Operation) -> Printed:
        return Printed(_row(f"<mo>⌊</mo>{self.print_div(node).text}<mo>⌋</mo>"))

    def print_pow(self, node: Operation) -> Printed:
        base, exponent = node.arguments
        return Printed(f"<msup>{_row(self.expression(base, POWER + 1))}{_row(self.expression(exponent))}</msup>", POWER)

    def print_sqrt(self, node: Operation) -> Printed:
        return Printed(f"<msqrt>{self.expression(node.arguments[0])}</msqrt>")

    def print_cbrt(self, node: Operation) -> Printed:
        return Printed(f"<mroot>{_row(self.expression(node.arguments[0]))}<mn>3</mn></mroot>")

    def print_abs(self, node: Operation) -> Printed:
        return Printed(_row(f"<mo>|</mo>{self.expression(node.arguments[0])}<mo>|</mo>"))

    def print_norm(self, node: Operation) -> Printed:
        return Printed(_row(f"<mo>‖</mo>{self.expression(node.arguments[0])}<mo>‖</mo>{_over(node)}"))

    def print_transpose(self, node: Operation) -> Printed:
        return Printed(f"<msup>{_row(self.expression(node.arguments[0], POWER + 1))}<mo>⊤</mo></msup>", POWER)

    def print_orthogonal(self, node: Operation) -> Printed:
        options = ", ".join(str(value) for _, value in node.options)
        function = _word("orthogonal")
        return self.called(f"<msub>{function}<mtext>{escape(options)}</mtext></msub>" if options else function, node)

    def print_where(self, node: Operation) -> Printed:
        condition, first, second = node.arguments
        parts = self.expression(first, ADD), self.expression(condition, OR), self.expression(second)
        chosen, asked, other = parts
        words = "<mtext> if </mtext>", "<mtext> else </mtext>"
        return Printed(f"{chosen}{words[0]}{asked}{words[1]}{other}", self.precedence("where"))


def _over(node: Operation) -> str:
    return f"<mtext>over {escape(node.over)}</mtext>" if node.over else ""


def _number(value: int) -> str:
    text = str(value)
    return _row(f"{_operator('−')}<mn>{text[1:]}</mn>") if text.startswith("-") else f"<mn>{text}</mn>"


def name_mathml(name: str, time: str = "") -> str:
    """Write a name in MathML; `time` joins the subscript, as in `name_latex`."""
    letter, indices = name_parts(name)
    if time and indices and indices[-1] == "t":
        indices = indices[:-1]
    parts = [_atom(index) for index in indices] + ([_time(time)] if time else [])
    subscript = _operator(",").join(parts)
    return f"<msub>{_atom(letter)}{_row(subscript)}</msub>" if parts else _atom(letter)


def _time(time: str) -> str:
    first, minus, rest = time.partition("-")
    return _atom(first) + (f"{_operator('−')}{_atom(rest)}" if minus else "")


def _atom(latex: str) -> str:
    """Write what a name is made of: a letter, a number, a word, or an accent over one of them."""
    command = re.fullmatch(r"\\(\w+|_)(?:\{(.*)\})?", latex)
    if command is None:
        kind = "mn" if latex.isdigit() else "mi"
        return f"<{kind}>{escape(latex)}</{kind}>"
    name, inside = command.groups()
    if name in ACCENTS and inside is not None:
        return f'<mover accent="true">{_atom(inside)}<mo>{ACCENTS[name]}</mo></mover>'
    return _word(inside) if inside is not None else f"<mi>{LETTERS[name]}</mi>"


def expression_mathml(node: Expression) -> str:
    """Print one expression, names without a time."""
    return f"<math>{MathmlPrinter().expression(node)}</math>"


def lines_mathml(rule: Rule | Tree) -> list[str]:
    """Print the lines of a rule one by one, the last one says what x is after the step."""
    return [
        f'<math displaystyle="true">{left}{_operator(sign)}{right}</math>'
        for left, sign, right in timed_lines(rule, MathmlPrinter, name_mathml, "←")
    ]
