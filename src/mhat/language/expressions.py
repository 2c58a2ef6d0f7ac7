"""From a Python expression to an expression of the rule language, or a refusal. It executes nothing."""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable

from mhat.errors import LanguageError, Place, abridged
from mhat.language.source import SourceText
from mhat.language.tree import INPUTS, Expression, Name, Number, Operation
from mhat.ops.orthogonality import MOST_ROUNDS, SETS, USUAL
from mhat.ops.table import OPERATIONS, Definition

BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.MatMult: "matmul",
}  # fmt: skip
COMPARISONS = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
FUNCTION_CURES = {
    "min": "Write `minimum(a, b)`.",
    "max": "Write `maximum(a, b)`.",
    "pow": "Write `a ** b`.",
    "power": "Write `a ** b`.",
    "square": "Write `a ** 2`.",
    "rsqrt": "Write `1 / sqrt(a)`.",
    "dot": "Write `sum(a * b)`, or `a @ b` for matrices.",
    "float": "Numbers are doubles already; delete the call.",
    "int": "Numbers are doubles; use `a // 1` to round down.",
}
EXPRESSION_CURES: dict[type[ast.expr], str] = {
    ast.Subscript: "A rule sees whole tensors, each coordinate treated alike; use `where` to choose.",
    ast.Attribute: "Use plain names: inputs, states, knobs and variables.",
    ast.Lambda: "Write the expression itself.",
    ast.List: "A value is a number or a tensor; there are no lists.",
    ast.Tuple: "A value is a number or a tensor; give each its own name.",
    ast.ListComp: "A rule sees whole tensors; write the operation on the tensor itself.",
    ast.NamedExpr: "Write the assignment as a line of its own.",
}

Options = tuple[tuple[str, str | int], ...]

# Deeper expressions could not be walked: Python has a limit of its own.
DEEPEST = 100
TOO_DEEP = "this expression nests too deeply", "Give its inner parts names, on lines of their own."


class ExpressionParser:
    """Parses expressions of one source; `later` are names that a later line assigns."""

    def __init__(self, source: SourceText, shown: Place | None = None) -> None:
        self.source = source
        self.shown = shown
        self.later: set[str] = set()
        self.readable: dict[str, str] = {}
        self.where = ""
        self.depth = 0

    def parse(self, node: ast.expr, readable: dict[str, str], where: str, results: int = 1) -> Expression:
        """Parse one expression that may read the given names; `where` says in messages which one it is."""
        self.readable, self.where = readable, where
        return self.expression(node, results)

    def place(self, node: ast.AST) -> Place:
        return self.shown or self.source.place(node)

    def refuse(self, node: ast.AST, what: str, cure: str) -> LanguageError:
        return LanguageError(what, cure, self.place(node))

    def typed(self, node: ast.expr) -> str:
        """Give a part of the source as the user wrote it, or its beginning if it is long."""
        text = " ".join((ast.get_source_segment(self.source.text, node) or ast.unparse(node)).split())
        return abridged(text)

    def expression(self, node: ast.expr, results: int = 1) -> Expression:
        if self.depth >= DEEPEST:
            raise self.refuse(node, *TOO_DEEP)
        self.depth += 1
        try:
            return self.shallow(node, results)
        finally:
            self.depth -= 1

    def shallow(self, node: ast.expr, results: int) -> Expression:
        match node:
            case ast.Constant():
                return self.number(node)
            case ast.Name():
                return self.name(node)
            case ast.UnaryOp():
                return self.unary(node)
            case ast.BinOp() if type(node.op) in BINARY:
                return self.operation(node, BINARY[type(node.op)], [node.left, node.right])
            case ast.BoolOp():
                return self.logic(node)
            case ast.Compare():
                return self.comparison(node)
            case ast.IfExp():
                return self.operation(node, "where", [node.test, node.body, node.orelse])
            case ast.Call():
                return self.call(node, results)
        cure = EXPRESSION_CURES.get(type(node), "Use numbers, names, operators and the functions of mhat.ops.")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
            cure = f"A power is written with **: {self.typed(node.left)}**{self.typed(node.right)}."
        raise self.refuse(node, f"`{self.typed(node)}` is not in the rule language", cure)

    def operation(
        self, node: ast.expr, op: str, arguments: list[ast.expr], over: str | None = None, options: Options = ()
    ) -> Operation:
        return Operation(op, tuple(map(self.expression, arguments)), over, self.place(node), options)

    def number(self, node: ast.Constant) -> Number:
        value = node.value
        if isinstance(value, bool):
            raise self.refuse(node, f"`{value}` is not a number", f"Write {int(value)}.")
        if not isinstance(value, int | float):
            raise self.refuse(
                node,
                f"`{self.typed(node)}` is not a number",
                "Write a number; text is allowed only as the start of a state, or the default of a knob.",
            )
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise self.refuse(
                node, f"`{self.typed(node)}` is beyond the largest double", "Write `inf`, or a smaller one."
            )
        return Number(number, self.place(node))

    def name(self, node: ast.Name) -> Name | Number:
        if node.id == "inf":
            return Number(math.inf, self.place(node))
        if node.id not in self.readable:
            raise self.refuse(node, *self.unreadable(node.id))
        return Name(node.id, self.place(node))

    def unreadable(self, name: str) -> tuple[str, str]:
        if self.where != "the line" and self.where != "the return":
            known = ", ".join(self.readable)
            return (
                f"{self.where} may not read `{name}`",
                f"It may read {known}." if known else self.constant_cure(),
            )
        if name in self.later:
            return f"`{name}` is read before it is assigned", (
                f"Assign it on an earlier line, or make it state: `{name}=0` in the signature."
            )
        if name in INPUTS:
            return f"`{name}` is not in the signature", f"Add the input `{name}` to it."
        if name in OPERATIONS:
            return f"`{name}` is a function", f"Call it: `{name}(...)`."
        near = difflib.get_close_matches(name, self.readable, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        return f"`{name}` is not known here", (
            f"{hint}A rule reads its inputs, states, knobs and earlier variables; make a constant a knob."
        )

    def constant_cure(self) -> str:
        return 'Write a number, or text such as "lr" for an expression.'

    def unary(self, node: ast.UnaryOp) -> Expression:
        if isinstance(node.op, ast.UAdd):
            return self.expression(node.operand)
        if isinstance(node.op, ast.Invert):
            raise self.refuse(node, "`~` is not in the rule language", "Write `not ...`, or `1 - ...`.")
        return self.operation(node, "not" if isinstance(node.op, ast.Not) else "neg", [node.operand])

    def logic(self, node: ast.BoolOp) -> Operation:
        *before, last = node.values
        left = before[0] if len(before) == 1 else ast.copy_location(ast.BoolOp(node.op, before), node)
        return self.operation(node, "and" if isinstance(node.op, ast.And) else "or", [left, last])

    def comparison(self, node: ast.Compare) -> Expression:
        if len(node.ops) > 1:
            raise self.refuse(node, f"`{self.typed(node)}` is two comparisons in one", "Write `a < b and b < c`.")
        op = COMPARISONS.get(type(node.ops[0]))
        if op is None:
            raise self.refuse(
                node, f"`{self.typed(node)}` is not in the rule language", "Compare with < <= > >= == or !=."
            )
        return self.operation(node, op, [node.left, node.comparators[0]])

    def call(self, node: ast.Call, results: int) -> Operation:
        name = self.function_name(node.func)
        definition = OPERATIONS[name]
        over = self.over(node) if definition.kind == "reduction" else None
        numbers, options = ([], ()) if definition.kind == "reduction" else self.keywords(node, definition)
        arity = definition.arity
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.refuse(node, "`*` is not in the rule language", "Write the arguments one by one.")
        if len(node.args) != arity:
            given = f"{len(node.args)} argument{'' if len(node.args) == 1 else 's'}"
            raise self.refuse(node, f"`{name}` is called with {given}", f"{name} takes {arity}: {definition.sentence}")
        if definition.results != results:
            raise self.refuse(
                node,
                f"`{name}` gives {definition.results} values" if definition.results > 1 else "this gives one value",
                "Write `values, vectors = eigh(a)` or `q, r = qr(a)` as a line of its own.",
            )
        return self.operation(node, name, [*node.args, *numbers], over, options)

    def function_name(self, node: ast.expr) -> str:
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        typed = ast.unparse(node)
        known = [key for key, definition in OPERATIONS.items() if definition.called or key == "where"]
        if name in known and typed in (name, f"ops.{name}", f"mhat.ops.{name}"):
            return name
        if name in known:
            raise self.refuse(node, f"`{typed}` is not in the rule language", f"Write `{name}(...)`, from mhat.ops.")
        near = difflib.get_close_matches(name, known, n=1)
        suggestion = f"Did you mean `{near[0]}`?" if near else f"The functions are {', '.join(sorted(known))}."
        raise self.refuse(node, f"there is no function `{typed}`", FUNCTION_CURES.get(name, suggestion))

    def over(self, node: ast.Call) -> str | None:
        """Read what a reduction runs over."""
        over = None
        for keyword in node.keywords:
            if keyword.arg != "over":
                raise self.no_keyword(node, keyword, 'A reduction may have over="all", over all tensors.')
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if value not in ("all", "tensor"):
                raise self.refuse(
                    keyword, f"`{ast.unparse(keyword)}` is not known", 'Write over="all", or leave it out.'
                )
            over = "all" if value == "all" else None
        return over

    def keywords(self, node: ast.Call, definition: Definition) -> tuple[list[ast.expr], Options]:
        """Read what else a function may be given: numbers, in their order, and words."""
        given: dict[str, ast.expr] = {}
        for keyword in node.keywords:
            known = (*definition.words, *definition.numbers)
            if keyword.arg is None or keyword.arg not in known:
                cure = f"It may have {', '.join(f'{name}=' for name in known)}." if known else "Give it by position."
                raise self.no_keyword(node, keyword, cure)
            given[keyword.arg] = keyword.value
        words: dict[str, Callable[[ast.expr], str | int]] = {"set": self.coefficients, "rounds": self.rounds}
        options = [(name, words[name](given[name])) for name in definition.words if name in given]
        usual = {"set": USUAL, "rounds": len(SETS[str(dict(options).get("set", USUAL))].rounds)}
        numbers = [given[name] for name in definition.numbers if name in given]
        return numbers, tuple((name, value) for name, value in options if value != usual[name])

    def no_keyword(self, node: ast.Call, keyword: ast.keyword, cure: str) -> LanguageError:
        name = self.function_name(node.func)
        return self.refuse(keyword, f"`{name}` takes no argument `{keyword.arg}`", cure)

    def coefficients(self, node: ast.expr) -> str:
        """Read the name of a set of coefficients."""
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and value in SETS:
            return value
        near = difflib.get_close_matches(str(value), SETS, n=1) if isinstance(value, str) else []
        hint = f'Did you mean "{near[0]}"? ' if near else ""
        known = ", ".join(f'"{name}"' for name in SETS)
        raise self.refuse(node, f"there is no set of coefficients `{self.typed(node)}`", f"{hint}There are {known}.")

    def rounds(self, node: ast.expr) -> int:
        """Read how many rounds an iteration has: shapes and work must be known beforehand."""
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_ROUNDS:
            cure = f"Write a whole number from 1 to {MOST_ROUNDS}."
            raise self.refuse(node, f"`rounds={self.typed(node)}` counts no rounds", cure)
        return value
