"""From text to tree: the signature and the lines of a rule, or a refusal with place and cure. It executes nothing."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from typing import Any

from mhat.errors import LanguageError, Place
from mhat.language.expressions import TOO_DEEP, ExpressionParser
from mhat.language.inference import SCALAR, shape_of, shapes
from mhat.language.source import ALL_OF_IT, SourceText
from mhat.language.tree import (
    ALSO_NAMES,
    FLATTENINGS,
    GIVEN,
    INPUTS,
    Assignment,
    Expression,
    Knob,
    Name,
    Number,
    Operation,
    State,
    Tree,
    is_taken,
)
from mhat.language.values import value_of
from mhat.language.walking import all_expressions, names_in, subexpressions
from mhat.ops.table import OPERATIONS

STATEMENT_CURES = {
    ast.For: "A rule is one update step; mhat runs the steps. Write each line of it as an assignment.",
    ast.While: "A rule is one update step; mhat runs the steps. Write each line of it as an assignment.",
    ast.If: "Choose a value with `a if condition else b` or `where(condition, a, b)`.",
    ast.Import: "Import outside of the rule; only the functions of mhat.ops can be called in it.",
    ast.ImportFrom: "Import outside of the rule; only the functions of mhat.ops can be called in it.",
    ast.FunctionDef: "Write the inner function's lines into the rule itself.",
    ast.Expr: "Give the value a name, `name = ...`, or delete the line.",
    ast.Global: "What is carried from step to step is state: a positional argument with a default, `m=0`.",
    ast.Nonlocal: "What is carried from step to step is state: a positional argument with a default, `m=0`.",
    ast.Assert: "Delete the line; look at the variable in a trace instead.",
    ast.Raise: "Delete the line; a rule gives NaN where a value cannot be.",
    ast.Try: "Delete it; in a rule nothing raises, a division by zero gives an infinity or NaN.",
    ast.With: "Delete the line.",
    ast.Pass: "Delete the line.",
    ast.Delete: "Delete the line.",
}


# What asks how large a tensor is.
SIZES = ("rows", "columns", "size")
COUNTING = (*SIZES, "leading")
# A null byte, and halves of characters.
NO_SOURCE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Parsed:
    """A tree with what the text says about it besides."""

    tree: Tree
    doc: str
    paper: str


def parse_source(source: SourceText) -> Parsed:
    """Parse the one function of a source; raises LanguageError."""
    try:
        return _Parser(source).parsed()
    except (RecursionError, MemoryError):
        raise LanguageError(*TOO_DEEP, _deepest(source)) from None


def _deepest(source: SourceText) -> Place:
    """Find the first line, with those that continue it, that is too deep for Python itself; else the longest."""
    lines = _logical_lines(source.text)
    deep = next((number for number, text in lines if _is_too_deep(text)), None)
    number = max(lines, key=lambda line: len(line[1]))[0] if deep is None else deep
    line = source.text.split("\n")[number - 1]
    return source.place_at(number, len(line) - len(line.lstrip()), ALL_OF_IT)


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Give the logical lines of a text, each with the number it begins at; physical ones where it cannot be read."""
    physical = text.split("\n")
    lines, first = [], 1
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NEWLINE:
                lines.append((first, "\n".join(physical[first - 1 : token.end[0]])))
                first = token.end[0] + 1
    except (tokenize.TokenError, SyntaxError):
        return list(enumerate(physical, 1))
    return lines or [(1, text)]


def _is_too_deep(line: str) -> bool:
    line = line.strip()
    try:
        ast.parse(f"{line} pass" if line.endswith(":") else line)
    except (RecursionError, MemoryError):
        return True
    except (SyntaxError, ValueError):
        return False
    return False


class _Parser:
    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.expressions = ExpressionParser(source)
        self.readable: dict[str, str] = {}  # every name that may be read by now, and what it is
        self.called: set[str] = set()  # the functions that the rule calls

    def refuse(self, node: ast.AST, what: str, cure: str) -> LanguageError:
        return LanguageError(what, cure, self.source.place(node))

    def parsed(self) -> Parsed:
        function = self.function()
        self.called = {node.func.id for node in ast.walk(function)
                       if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
        inputs, states, knobs = self.signature(function)
        doc = ast.get_docstring(function)
        lines = function.body if doc is None else function.body[1:]
        body, result = self.lines(function, lines)
        tree = Tree(function.name, inputs, states, knobs, body, result, self.flatten(function))
        _check_numbers(tree)
        return Parsed(tree, doc or "", self.paper(function))

    def function(self) -> ast.FunctionDef:
        self.characters()
        try:
            module = ast.parse(self.source.text, self.source.file)
        except SyntaxError as error:
            start = (error.offset or 1) - 1
            place = self.source.place_at(error.lineno or 1, start, start + 1)
            raise LanguageError(
                f"this is not Python: {error.msg}", "Mend the line; a rule is a Python function.", place
            ) from None
        functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
        others = [node for node in module.body if not isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom)]
        docstring = others[:1] if others and ast.get_docstring(module) is not None else []
        for node in others[len(docstring) :]:
            raise self.refuse(
                node,
                f"a rule is one function, and this is {_kind(node)}",
                "Write `def name(x, g, t, ...):` with one assignment a line and a `return` at the end.",
            )
        if not functions:
            raise LanguageError("there is no function in this text", "Write the rule as `def name(x, g, t, ...):`.")
        if len(functions) > 1:
            raise self.refuse(functions[1], "a second function begins here", "Give each rule as a text of its own.")
        return functions[0]

    def characters(self) -> None:
        """Refuse characters that no Python source may hold: Python does not say where they stand."""
        text = self.source.text
        if found := NO_SOURCE.search(text):
            line, start = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start()) - 1
            raise LanguageError(
                f"this is not Python: no source may hold the character {found.group()!a}",
                "Delete the character; a rule is a Python function.",
                self.source.place_at(line, start, start + 1),
            )

    def paper(self, function: ast.FunctionDef) -> str:
        keyword = _told(function, "paper")
        return str(keyword.value.value) if keyword is not None and isinstance(keyword.value, ast.Constant) else ""

    def flatten(self, function: ast.FunctionDef) -> str | None:
        keyword = _told(function, "flatten")
        if keyword is None or not isinstance(keyword.value, ast.Constant):
            # What is no literal has been looked at by the decorator itself.
            return None
        try:
            return flattening(keyword.value.value)
        except LanguageError as error:
            raise self.refuse(keyword, error.what, error.cure) from None

    def signature(self, function: ast.FunctionDef) -> tuple[tuple[str, ...], tuple[State, ...], tuple[Knob, ...]]:
        arguments = function.args
        for stars, star in (("*", arguments.vararg), ("**", arguments.kwarg)):
            if star is not None:
                raise self.refuse(
                    star, f"`{stars}{star.arg}` is not in the rule language", "Name every state and every knob."
                )
        positional = [*arguments.posonlyargs, *arguments.args]
        plain = len(positional) - len(arguments.defaults)
        self.name_arguments(positional, plain, arguments.kwonlyargs)
        inputs = []
        for argument in positional[:plain]:
            if argument.arg not in INPUTS:
                raise self.refuse(
                    argument,
                    f"`{argument.arg}` is no input (inputs are {', '.join(INPUTS)}) and has no start value",
                    f"Write `{argument.arg}=0` if it is state, or put it after `*` with a default if it is a knob.",
                )
            inputs.append(argument.arg)
        knobs_and_tensors = {name: kind for name, kind in self.readable.items() if kind == "knob"}
        knobs_and_tensors |= {"x": "input", "g": "input"}
        states = tuple(
            State(argument.arg, self.start(argument, default, knobs_and_tensors), self.source.place(argument))
            for argument, default in zip(positional[plain:], arguments.defaults, strict=True)
        )
        knobs: list[Knob] = []
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            knobs.append(self.knob(argument, default, {knob.name: knob.default for knob in knobs}))
        return tuple(inputs), states, tuple(knobs)

    def name_arguments(self, positional: list[ast.arg], plain: int, knobs: list[ast.arg]) -> None:
        for i, argument in enumerate([*positional, *knobs]):
            kind = "input" if i < plain else "state" if i < len(positional) else "knob"
            if kind != "input" and argument.arg in INPUTS and argument.arg not in GIVEN:
                raise self.refuse(
                    argument,
                    f"`{argument.arg}` is an input and takes no default",
                    f"Write `{argument.arg}` alone, before the states, or choose another name.",
                )
            self.free(argument, argument.arg, kind)
            if argument.arg in self.readable:
                raise self.refuse(argument, f"`{argument.arg}` is in the signature twice", "Keep one of the two.")
            self.readable[argument.arg] = kind

    def start(self, argument: ast.arg, default: ast.expr, allowed: dict[str, str]) -> Expression:
        where = f"the start of `{argument.arg}`"
        if not (isinstance(default, ast.Constant) and isinstance(default.value, str)):
            return self.expressions.parse(default, {}, where)
        return self.text(default, default.value, allowed, where, 'knobs, x and the first g, such as "g**2"')

    def text(self, node: ast.expr, text: str, allowed: dict[str, str], where: str, over: str) -> Expression:
        """Parse an expression that is written as text; `over` says what it may read."""
        place = self.source.place(node)
        try:
            inner = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError) as error:
            raise LanguageError(
                f"{where} is not an expression: {getattr(error, 'msg', error)}",
                f"Write a number, or an expression over {over}.",
                place,
            ) from None
        except (RecursionError, MemoryError):
            raise LanguageError(*TOO_DEEP, place) from None
        return ExpressionParser(SourceText(text.strip(), place.file), shown=place).parse(inner, allowed, where)

    def knob(self, argument: ast.arg, default: ast.expr | None, earlier: dict[str, float]) -> Knob:
        if default is None:
            raise self.refuse(
                argument, f"the knob `{argument.arg}` has no default", f"Write `{argument.arg}=...` with a number."
            )
        where, place = f"the default of `{argument.arg}`", self.source.place(argument)
        if not (isinstance(default, ast.Constant) and isinstance(default.value, str)):
            value = self.expressions.parse(default, {}, where)
            self.no_tensor(value, default)
            return Knob(argument.arg, value_of(value, {}), place)
        allowed = dict.fromkeys(earlier, "knob")
        value = self.text(default, default.value, allowed, where, 'earlier knobs, such as "sqrt(beta2)"')
        self.no_tensor(value, default)
        return Knob(argument.arg, value_of(value, earlier), place, value if names_in(value) else None)

    def no_tensor(self, value: Expression, node: ast.expr) -> None:
        """Refuse a number made by what needs a tensor."""
        for part in subexpressions(value):
            if isinstance(part, Operation) and not OPERATIONS[part.op].elementwise:
                raise self.refuse(node, f"`{part.op}` works on a tensor, and this is a number", "Write the number.")

    def lines(self, function: ast.FunctionDef, statements: list[ast.stmt]) -> tuple[tuple[Assignment, ...], Expression]:
        later = {name for line in statements for name in _targets_of(line)}
        self.expressions.later = later
        if not statements or not isinstance(statements[-1], ast.Return):
            raise self.refuse(
                statements[-1] if statements else function,
                f"`{function.name}` does not end with a return",
                "End it with the new parameter: `return x - lr * ...`.",
            )
        body = []
        for statement in statements[:-1]:
            if isinstance(statement, ast.Return):
                raise self.refuse(statement, "a return before the last line", "A rule has one return, its last line.")
            line = self.assignment(statement)
            body.append(line)
            self.readable.update((target, "variable") for target in line.targets if target not in self.readable)
        return tuple(body), self.result(statements[-1])

    def result(self, statement: ast.Return) -> Expression:
        if statement.value is None:
            raise self.refuse(statement, "the return gives nothing", "Return the new parameter.")
        if isinstance(statement.value, ast.Tuple):
            raise self.refuse(
                statement.value,
                "a rule returns the new parameter alone",
                "Write `return x - ...`; state is carried on by its name and need not be returned.",
            )
        return self.expressions.parse(statement.value, self.readable, "the return")

    def assignment(self, statement: ast.stmt) -> Assignment:
        place = self.source.place(statement)
        if isinstance(statement, ast.AugAssign):
            name = self.target(statement.target)
            left = ast.copy_location(ast.Name(name, ast.Load()), statement.target)
            value = ast.copy_location(ast.BinOp(left, statement.op, statement.value), statement)
            return Assignment((name,), self.value(value), place)
        if isinstance(statement, ast.AnnAssign):
            if statement.value is None:
                name = ast.unparse(statement.target)
                raise self.refuse(statement, f"`{name}` gets no value", f"Write `{name} = ...`, or delete the line.")
            return Assignment((self.target(statement.target),), self.value(statement.value), place)
        if not isinstance(statement, ast.Assign):
            cure = STATEMENT_CURES.get(type(statement), "A rule is assignments, one a line, and one final return.")
            raise self.refuse(statement, f"{_kind(statement)} is not in the rule language", cure)
        if len(statement.targets) > 1:
            raise self.refuse(statement, "two assignments on one line", "Write one assignment a line.")
        target = statement.targets[0]
        if isinstance(target, ast.Tuple):
            return self.several(statement, target, place)
        return Assignment((self.target(target),), self.value(statement.value), place)

    def value(self, node: ast.expr) -> Expression:
        return self.expressions.parse(node, self.readable, "the line")

    def several(self, statement: ast.Assign, target: ast.Tuple, place: Place) -> Assignment:
        value = self.expressions.parse(statement.value, self.readable, "the line", results=len(target.elts))
        if not (isinstance(value, Operation) and OPERATIONS[value.op].results == len(target.elts)):
            raise self.refuse(
                statement,
                "several names are assigned at once",
                "Only `values, vectors = eigh(a)` and `q, r = qr(a)` give two; write one assignment a line.",
            )
        names = tuple(map(self.target, target.elts))
        if len(set(names)) < len(names):
            raise self.refuse(target, "one name is assigned twice", "Give each of the two values a name of its own.")
        return Assignment(names, value, place)

    def target(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            raise self.refuse(
                node,
                f"`{ast.unparse(node)}` cannot be assigned to in a rule",
                "Assign to a plain name: a rule sees whole tensors, each coordinate treated alike.",
            )
        name = node.id
        kind = self.readable.get(name)
        if kind == "knob":
            raise self.refuse(node, f"the knob `{name}` is assigned", "Give the changed value a name of its own.")
        if name in ("t", "k", "n") or (name in GIVEN and kind == "input"):
            raise self.refuse(node, f"the input `{name}` is assigned", "Give the changed value a name of its own.")
        self.free(node, name, "variable")
        return name

    def free(self, node: ast.AST, name: str, kind: str) -> None:
        """Refuse a name that means something else already."""
        if (taken := is_taken(name, kind)) and (name in self.called or name not in ALSO_NAMES):
            raise self.refuse(node, f"`{name}` {taken}", "Choose another name.")


def _told(function: ast.FunctionDef, name: str) -> ast.keyword | None:
    """Find what a decorator is told by keyword."""
    decorators = [each for each in function.decorator_list if isinstance(each, ast.Call)]
    return next((keyword for each in decorators for keyword in each.keywords if keyword.arg == name), None)


def flattening(value: Any) -> str | None:
    """Check how a rule says that tensors of more than two dimensions are flattened; raises LanguageError."""
    if value is None or (isinstance(value, str) and value in FLATTENINGS):
        return value
    known = ", or ".join(f'flatten="{name}" ({what})' for name, what in FLATTENINGS.items())
    raise LanguageError(f"`flatten={value!r}` is not known", f"Write {known}.")


def _check_numbers(tree: Tree) -> None:
    """Refuse to ask for the size of a number, and tensors where a number is wanted."""
    asked = [node for node in all_expressions(tree)
             if isinstance(node, Operation) and (node.op in COUNTING or OPERATIONS[node.op].numbers)]  # fmt: skip
    known = shapes(tree) if asked else {}
    for node in asked:
        definition = OPERATIONS[node.op]
        if node.op == "leading" and not _counts(node.arguments[1], tree):
            raise LanguageError(
                "`leading` is not told how many columns", "Write a whole number, or a knob.", node.arguments[1].place
            )
        for name, argument in zip(definition.numbers, node.arguments[definition.arity :], strict=False):
            if shape_of(argument, known) != [SCALAR]:
                said = f"`{name}` of `{node.op}` is a tensor, and must be a number"
                raise LanguageError(said, f"Give a number or a knob: {name}=1e-8.", argument.place)
        if node.op in SIZES and shape_of(node.arguments[0], known) == [SCALAR]:
            said = f"`{node.op}` asks for the size of a number"
            raise LanguageError(said, f"Give it a tensor: {node.op}(x).", node.place)


def _counts(node: Expression, tree: Tree) -> bool:
    """Whether something is a whole number from 1 on, known before the run."""
    default = {knob.name: knob.default for knob in tree.knobs}
    assigned = {*tree.variables, *tree.state_names}
    known = node.id not in assigned if isinstance(node, Name) else isinstance(node, Number)
    value = node.value if isinstance(node, Number) else default.get(node.id, 0.0) if isinstance(node, Name) else 0.0
    return known and 1 <= value < 2**31 and value == int(value)


def _targets_of(statement: ast.stmt) -> set[str]:
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
        targets = [statement.target]
    return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}


def _kind(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr):
        return "a value without a name"
    word = ast.unparse(node).split(maxsplit=1)[0].rstrip(":")
    return f"`{word}`"
