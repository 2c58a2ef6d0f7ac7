"""What a Python file defines, read from its text: functions, classes, rules. It runs nothing.

Only what can mean one thing is said: a name that is bound twice, or under a condition, or by what only a run can tell,
is left to a run of the file.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from mhat.errors import BadValue, InputFileError, LanguageError, UnknownName
from mhat.language import Rule
from mhat.language import rule as rule_of
from mhat.language.definition import of_source
from mhat.language.source import SourceText
from mhat.language.vocabulary import plain_spelling
from mhat.subjects.modules import RULE_CURE, existing
from mhat.subjects.sandbox import PYTHON_2
from mhat.subjects.scripts.flow import Flow
from mhat.subjects.scripts.stepping import is_knob, is_usual, loops_of

LANGUAGE = ("mhat", "mhat.language", "mhat.language.definition")
# Code that binds names in a way that nobody sees who reads it.
UNSEEN = frozenset({"exec", "globals", "locals", "vars"})
# What methods that make a step are called, and the arguments beside gradients that show a function to be a step.
STEPS = re.compile(r"_*(step|update|apply|minimize|optimi[sz]e_step)")
MOVED = frozenset({
    "x", "w", "theta", "param", "params", "parameter", "parameters", "weights", "weight", "p", "value", "var", "state",
    "m", "v", "velocity", "config", "x0", "xs", "t", "beta", "start",
})  # fmt: skip
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Binding:
    """One place where a name is bound; `plain` if nothing decides whether it is."""

    node: ast.AST
    plain: bool


@dataclass
class Definitions:
    """What the text of a file says of the names in it."""

    where: str  # as the user typed it
    path: Path
    text: str
    tree: ast.Module = field(repr=False)

    @cached_property
    def names(self) -> dict[str, list[Binding]]:
        """The names that the file binds, and where."""
        return bindings(self.tree.body)

    @cached_property
    def is_open(self) -> bool:
        """Whether it may bind names that its text does not show."""
        return any(
            (isinstance(node, ast.ImportFrom) and node.names[0].name == "*")
            or (isinstance(node, ast.Call) and _is_unseen(node))
            or (isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
            for node in ast.walk(self.tree)
        )

    @cached_property
    def imported(self) -> dict[str, str]:
        """What the names of imports mean, by their full names."""
        meanings = {}
        for name, places in self.names.items():
            for place in places:
                match place.node:
                    case ast.Import():
                        for alias in place.node.names:
                            shown = alias.asname or alias.name.partition(".")[0]
                            if shown == name:
                                meanings[name] = alias.name if alias.asname else shown
                    case ast.ImportFrom(level=0):
                        for alias in place.node.names:
                            if (alias.asname or alias.name) == name:
                                meanings[name] = f"{place.node.module}.{alias.name}"
        return meanings

    def meaning(self, node: ast.expr) -> str:
        """Give the full name of what an expression names by an import; nothing if it does not."""
        if isinstance(node, ast.Attribute):
            inner = self.meaning(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        return self.imported.get(node.id, "") if isinstance(node, ast.Name) else ""

    def functions_and_classes(self) -> list[str]:
        """List the functions and classes that are there for others."""
        kinds = (*FUNCTIONS, ast.ClassDef)
        return [n.name for n in self.tree.body if isinstance(n, kinds) and not n.name.startswith("_")]

    def optimizers(self) -> list[str]:
        """List those of them that look like optimizers: rules, classes with a step, functions that take gradients."""
        sure, unsure = self.rules()
        return [
            node.name
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and (node.name in (*sure, *unsure) or _looks_like_one(node))
        ]

    def only_definition(self) -> str:
        """Give the name of the one function or class of the file; raises BadValue."""
        names, where = self.functions_and_classes(), self.where
        if len(names) == 1:
            return names[0]
        script = f"or of a script what is fed and what is read: {where} --feed g_list --read x_list."
        if not names:
            raise BadValue(f"there is no function or class in {where}", f"Write run(gradients); {script}")
        raise BadValue(
            f"there are {len(names)} functions and classes in {where}", f"Name one: {where}:{names[0]}; {script}"
        )

    def found(self, name: str) -> Binding | None:
        """Find what a dotted name is bound to; None if only a run tells. Raises UnknownName if it is not there."""
        body: Mapping[str, list[Binding]] = self.names
        place: Binding | None = None
        for part in name.split("."):
            if part not in body:
                if not self.where.endswith(".py") or self.is_open or (place is not None and not _is_simple(place.node)):
                    return None
                known = [known for known, places in body.items() if not known.startswith("_") and _is_made(places)]
                raise UnknownName("name", name, known, where=f" in {self.where}")
            places = body[part]
            if len(places) != 1 or not places[0].plain:
                return None
            place = places[0]
            body = bindings(place.node.body) if isinstance(place.node, ast.ClassDef) else {}
        return place

    def rule(self, name: str) -> Rule | None:
        """Make the rule of that name from its text; None if only a run tells what it is.

        Raises UnknownName if there is nothing of that name, BadValue for a class.
        """
        place = self.found(name)
        if place is None:
            return None
        if isinstance(place.node, ast.ClassDef):
            raise BadValue(f"`{name}` in {self.where} is of type type", RULE_CURE)
        if isinstance(place.node, ast.Assign):
            return self._of_text(place.node.value)
        if not isinstance(place.node, ast.FunctionDef):
            return None
        decorators = place.node.decorator_list
        told = self._told(decorators[0]) if len(decorators) == 1 else None
        return self._made(place.node, {} if told is None else told) if not decorators or told is not None else None

    def step(self, name: str) -> Rule | None:
        """Make the rule that a subject of that name is: under `@rule`, or a plain function of x and g in the language.

        None if it is something else, or only a run tells. Raises UnknownName if there is nothing of that name.
        """
        place = self.found(name)
        if place is None or not isinstance(place.node, ast.FunctionDef | ast.Assign):
            return None
        rule = self.rule(name)
        if rule is None or not isinstance(place.node, ast.FunctionDef) or place.node.decorator_list:
            return rule
        arguments = place.node.args
        if not {"x", "g"} <= {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}:
            return None
        try:
            _ = rule.tree
        except LanguageError:
            return None
        return rule

    def is_meant_as_rule(self, name: str) -> bool:
        """Whether a function stands under `@rule`, or takes x and g, or what a name is bound to is made by `rule`."""
        place = self.found(name) if name else None
        node = None if place is None else place.node
        if isinstance(node, ast.FunctionDef):
            arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            return any(map(self._is_rule, node.decorator_list)) or {"x", "g"} <= {each.arg for each in arguments}
        return isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and self._may_be_rule(node.value)

    def rules(self) -> tuple[list[str], list[str]]:
        """List the names of the file's own rules, and those of which only a run tells whether they are rules."""
        sure, open_ = [], []
        for name, places in self.names.items():
            node = places[-1].node
            match node:
                case ast.FunctionDef() if any(self._is_rule(decorator) for decorator in node.decorator_list):
                    sure.append(name)
                case ast.Assign() if self._of_text(node.value) is not None:
                    sure.append(name)
                case ast.Assign(value=ast.Call()) if self._may_be_rule(node.value):
                    open_.append(name)
        return sure, open_

    def _is_rule(self, node: ast.expr) -> bool:
        """Whether an expression is the decorator, or a call of it."""
        named = self.meaning(node.func if isinstance(node, ast.Call) else node)
        return named in {f"{module}.rule" for module in LANGUAGE}

    def _may_be_rule(self, node: ast.expr) -> bool:
        named = self.meaning(node.func) if isinstance(node, ast.Call) else ""
        return self._is_rule(node) or named.startswith("mhat.modifiers.") or named.endswith((".of_tree", ".of_source"))

    def _of_text(self, node: ast.expr) -> Rule | None:
        """Make the rule of `rule("a text")`."""
        if not (isinstance(node, ast.Call) and self._is_rule(node) and len(node.args) == 1 and not node.keywords):
            return None
        argument = node.args[0]
        text = argument.value if isinstance(argument, ast.Constant) else None
        return rule_of(text) if isinstance(text, str) else None

    def _told(self, decorator: ast.expr) -> dict[str, Any] | None:
        """Read what `@rule(...)` is told; None if it is another decorator, or not told in so many words."""
        if not self._is_rule(decorator):
            return None
        if not isinstance(decorator, ast.Call):
            return {}
        try:
            told = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in decorator.keywords}
        except ValueError:
            return None
        return told if not decorator.args and told.keys() <= {"paper", "knobs", "flatten"} else None

    def _made(self, node: ast.FunctionDef, told: Mapping[str, Any]) -> Rule:
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        lines = self.text.split("\n")[first - 1 : node.end_lineno]
        return of_source(SourceText("\n".join(lines), str(self.path.absolute()), first), **told)


def _looks_like_one(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a class has a method that steps, or a function takes gradients and what they are to move."""
    if isinstance(node, ast.ClassDef):
        return any(isinstance(each, ast.FunctionDef) and STEPS.match(each.name) for each in node.body)
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    given = [name for name in names if is_usual(name)]
    moved = [name for name in names if name not in given and (plain_spelling(name) in MOVED or is_knob(name))]
    return bool(given) and bool(moved or any(Flow(loop).carried for loop in loops_of(node)))


def _is_unseen(call: ast.Call) -> bool:
    """Whether a call may bind names, or hand out where they are bound."""
    named = call.func.id if isinstance(call.func, ast.Name) else ""
    return named in UNSEEN and (named == "exec" or not call.args)


def _is_made(places: list[Binding]) -> bool:
    """Whether a name is of the file's own making, and not imported."""
    return not all(isinstance(place.node, ast.Import | ast.ImportFrom) for place in places)


def _is_simple(node: ast.AST) -> bool:
    """Whether a class has what stands in it, and nothing else."""
    return isinstance(node, ast.ClassDef) and not (node.bases or node.keywords or node.decorator_list)


def bindings(body: list[ast.stmt]) -> dict[str, list[Binding]]:
    """Find the names that statements bind where they stand, those of functions and classes in them left out."""
    names: dict[str, list[Binding]] = {}
    for name, binding in _bound(body, plain=True):
        names.setdefault(name, []).append(binding)
    return names


def _bound(body: list[ast.stmt], plain: bool) -> Iterator[tuple[str, Binding]]:
    for statement in body:
        here = Binding(statement, plain)
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            yield statement.name, here
            yield from _global_in(statement)
            continue
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                yield (alias.asname or alias.name.partition(".")[0]), here
            continue
        blocks = list(_blocks(statement))
        inside = {id(node) for block in blocks for inner in block for node in ast.walk(inner)}
        for node in ast.walk(statement):
            if id(node) not in inside and isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                yield node.id, here if isinstance(statement, ast.Assign) else Binding(statement, False)
            elif id(node) not in inside and isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
                yield node.name or "", Binding(statement, False)
        for block in blocks:
            yield from _bound(block, plain=False)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for inner in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        yield inner.body


def _global_in(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    """Yield the names that a function may bind outside of itself when it is called."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Global):
            for name in node.names:
                yield name, Binding(node, False)


def definitions_of(where: str) -> Definitions | None:
    """Read a file, or the file of a module that is named with dots; None if there is no text to read.

    Raises InputFileError for a file that is not there or is not Python.
    """
    path = existing(where) if where.endswith(".py") else _file_of_module(where)
    if path is None:
        return None
    try:
        text = importlib.util.decode_source(path.read_bytes())
    except OSError as error:
        raise InputFileError(f"{where} cannot be loaded: {error.strerror or error}", "Check the file.") from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputFileError(f"{where} cannot be loaded: {type(error).__name__}: {error}", "Mend it first.") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # More is refused than when the tree alone is made: `return` outside of a function.
            compile(text, str(path), "exec")
            return Definitions(where, path, text, ast.parse(text))
    except SyntaxError as error:
        line = f" (line {error.lineno})" if error.lineno else ""
        said = f"{type(error).__name__}: {error.msg}{line}"
        if error.msg.startswith(("Missing parentheses in call to 'print'", "Missing parentheses in call to 'exec'")):
            raise InputFileError(
                f"{where} cannot be loaded: {said}", f"{PYTHON_2} Turn it into Python 3 first."
            ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        said = f"{type(error).__name__}: {error}"
    raise InputFileError(f"{where} cannot be loaded: {said}", "Mend it first.")


def _file_of_module(name: str) -> Path | None:
    """Find the file of a module without importing the packages that it is in."""
    places: list[str] | None = [*sys.path, str(Path.cwd())]
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for i in range(len(parts)):
        try:
            spec = PathFinder.find_spec(".".join(parts[: i + 1]), places)
        except (ImportError, ValueError, TypeError):
            return None
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or ())
    origin = None if spec is None else spec.origin
    return Path(origin) if origin and origin.endswith(".py") and os.path.isfile(origin) else None  # noqa: PTH113
