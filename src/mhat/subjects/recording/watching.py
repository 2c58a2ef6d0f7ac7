"""What every expression of a user's file is worth while its steps run: the file as it is, compiled with a look at each.

The text stays as it stands, so that whoever reads it finds what the user wrote. It knows no rule.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SEE, TRY = "__mhat_see__", "__mhat_try__"
MOST_EVENTS = 30_000
MOST_NUMBERS = 12  # of an array that is larger nothing is kept
MOST_PARTS = 24  # of what a dictionary or an object holds
# line, column, last line, last column, and what is seen: an expression, a name where it is bound, a target once it is
# assigned, or what it held before
Span = tuple[int, int, int, int, str]
SEEN = (
    ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.Call, ast.IfExp, ast.Constant, ast.Compare,
)  # fmt: skip
PLAIN = (ast.Name, ast.Constant, ast.Attribute, ast.BinOp, ast.Subscript, ast.operator, ast.expr_context, ast.Tuple)


class Watch:
    """What was seen of one file: places, and what stood there each time, in order."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.events: list[tuple[int, str, list[float]]] = []

    def begin(self) -> None:
        """Forget what was seen."""
        self.events.clear()

    def see(self, index: int, value: Any) -> Any:
        """Note what stands at a place, and hand it on."""
        if len(self.events) < MOST_EVENTS:
            self._note(index, "", value)
            if self.spans[index][4] != "expression" or isinstance(value, dict) or hasattr(value, "__dict__"):
                for part, inner in _parts(value):
                    self._note(index, part, inner)
        return value

    def attempt(self, index: int, look: Callable[[], Any]) -> None:
        """Note what a name holds, if it can be asked."""
        try:
            value = look()
        except Exception:
            return
        self.see(index, value)

    def _note(self, index: int, part: str, value: Any) -> None:
        numbers = numbers_of(value)
        if numbers is not None:
            self.events.append((index, part, numbers))

    def as_data(self) -> dict[str, Any]:
        """Write it for another process."""
        return {"spans": self.spans, "events": self.events}


def numbers_of(value: Any) -> list[float] | None:
    """Give the numbers of a number, a small array, or a list of such; None of anything else."""
    if isinstance(value, bool | int | float):
        return [float(value)] if abs(value) < 1e300 else [float("nan")]
    if isinstance(value, list | tuple):
        parts = [numbers_of(each) for each in value] if 0 < len(value) <= MOST_NUMBERS else [None]
        return None if None in parts else [number for part in parts for number in part or ()]
    if isinstance(value, str | bytes | dict | type | ModuleType) or value is None:
        return None
    if not (hasattr(value, "shape") and hasattr(value, "dtype")):
        return None
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().double().numpy()
        array = np.asarray(value, dtype=np.float64)
        return [float(each) for each in array.flat] if array.size <= MOST_NUMBERS else None
    except Exception:  # whatever an array of somebody's own raises
        return None


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a dictionary, a tuple or an object holds, under the text that asks for it."""
    if isinstance(value, dict):
        found = [(f"[{key!r}]", inner) for key, inner in list(value.items())[:MOST_PARTS] if isinstance(key, str)]
    elif isinstance(value, list | tuple):
        found = [(f"[{i}]", inner) for i, inner in enumerate(value[:4])]
    elif isinstance(value, ModuleType | type) or hasattr(value, "shape"):
        return
    else:
        fields = getattr(value, "__dict__", None)
        found = [(f".{k}", v) for k, v in list(fields.items())[:MOST_PARTS]] if isinstance(fields, dict) else []
    for part, inner in found:
        yield part, inner
        if isinstance(inner, list | tuple) and len(inner) <= 4:
            yield from ((f"{part}[{i}]", each) for i, each in enumerate(inner))


class Looking(ast.NodeTransformer):
    """Puts a look around every expression that can hold a number, and behind every assignment."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def _index(self, node: ast.AST, kind: str) -> ast.expr:
        place: Any = node
        span = (place.lineno, place.col_offset, place.end_lineno, place.end_col_offset, kind)
        self.watch.spans.append(span)
        return ast.copy_location(ast.Constant(len(self.watch.spans) - 1), node)

    def _called(self, name: str, node: ast.AST, *arguments: ast.expr) -> ast.Call:
        function = ast.copy_location(ast.Name(name, ast.Load()), node)
        return ast.copy_location(ast.Call(function, list(arguments), []), node)

    def visit(self, node: ast.AST) -> Any:
        """Look at an expression from the inside out."""
        if isinstance(node, ast.JoinedStr | ast.arguments | ast.MatchValue | ast.MatchMapping | ast.MatchClass):
            return node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super":
            return node
        found = super().visit(node)
        is_read = isinstance(getattr(found, "ctx", ast.Load()), ast.Load)
        if not isinstance(found, SEEN) or not is_read or not hasattr(found, "lineno"):
            return found
        if isinstance(found, ast.Constant) and type(found.value) not in (int, float):
            return found
        return self._called(SEE, found, self._index(node, "expression"), found)

    def visit_Call(self, node: ast.Call) -> Any:
        """Leave what is called as it is, but look at what its method belongs to."""
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        elif not isinstance(node.func, ast.Name):
            node.func = self.visit(node.func)
        node.args = [self.visit(each) for each in node.args]
        node.keywords = [self.visit(each) for each in node.keywords]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """Leave the annotation."""
        if node.value is None:
            return node
        node.value = self.visit(node.value)
        return [node, *self._bound(node.target)]

    def visit_Assign(self, node: ast.Assign) -> Any:
        """Look at the targets when they are bound."""
        targets = [look for target in node.targets for look in self._bound(target)]
        self.generic_visit(node)
        return [node, *targets]

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """Look at the target before and when it is changed."""
        before, targets = self._bound(node.target, "held"), self._bound(node.target)
        self.generic_visit(node)
        return [*before, node, *targets]

    def visit_For(self, node: ast.For) -> Any:
        """Look at what a loop binds."""
        targets = self._bound(node.target)
        self.generic_visit(node)
        node.body = [*targets, *node.body]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """Look at the arguments, and leave decorators, defaults and annotations."""
        looks = [self._attempted(argument, argument.arg) for argument in _arguments(node.args)]
        body: list[ast.stmt] = []
        for i, statement in enumerate(node.body):
            is_doc = i == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            made = statement if is_doc else self.visit(statement)
            body.extend(made if isinstance(made, list) else [made])
            if is_doc:
                body.extend(looks)
                looks = []
        node.body = [*looks, *body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        """Look into the methods alone: what stands in a class itself is read by others."""
        node.body = [self.visit(each) if isinstance(each, ast.FunctionDef) else each for each in node.body]
        return node

    def _attempted(self, place: ast.AST, name: str) -> ast.stmt:
        return self._try(place, ast.copy_location(ast.Name(name, ast.Load()), place), "name")

    def _try(self, place: ast.AST, value: ast.expr, kind: str) -> ast.stmt:
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        look = ast.copy_location(ast.Lambda(nothing, value), place)
        return ast.copy_location(ast.Expr(self._called(TRY, place, self._index(place, kind), look)), place)

    def _bound(self, target: ast.expr, kind: str = "target") -> list[ast.stmt]:
        if isinstance(target, ast.Tuple | ast.List):
            return [look for each in target.elts for look in self._bound(each, kind)]
        if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript) or not all(
            isinstance(part, PLAIN) for part in ast.walk(target)
        ):
            return []
        read = ast.parse(ast.unparse(target), mode="eval").body
        for part in ast.walk(read):
            if hasattr(part, "lineno"):
                ast.copy_location(part, target)
        return [self._try(target, read, kind)]


def _arguments(given: ast.arguments) -> list[ast.arg]:
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


class _Active:
    """The one file that is watched in this process, if there is one."""

    path: Path | None = None
    watch: Watch | None = None


def instrumented(tree: ast.Module, path: str) -> ast.Module:
    """Put looks into the tree of a file if it is watched."""
    if _Active.watch is None or _Active.path is None or Path(path).resolve() != _Active.path:
        return tree
    looked_at: ast.Module = Looking(_Active.watch).visit(tree)
    return ast.fix_missing_locations(looked_at)


def watch(path: str) -> Watch:
    """Watch a file in this process from now on, when it is loaded."""
    _Active.path, _Active.watch = Path(path).resolve(), Watch()
    setattr(builtins, SEE, _Active.watch.see)
    setattr(builtins, TRY, _Active.watch.attempt)
    return _Active.watch


@contextmanager
def seeing() -> Iterator[Watch | None]:
    """Let what runs be looked at, if its file is watched."""
    jax = sys.modules.get("jax") if _Active.watch is not None else None
    if _Active.watch is not None:
        _Active.watch.begin()
    if jax is not None:
        # What is compiled cannot be looked at.
        jax.config.update("jax_disable_jit", True)
    try:
        yield _Active.watch
    finally:
        if jax is not None:
            jax.config.update("jax_disable_jit", False)


@contextmanager
def loading() -> Iterator[None]:
    """Let what is loaded be compiled with its looks."""
    usual = SourceFileLoader.source_to_code

    def compiled(loader: Any, data: Any, path: Any, *more: Any, **how: Any) -> Any:
        if isinstance(data, bytes | str) and _Active.path is not None and Path(path).resolve() == _Active.path:
            data = instrumented(ast.parse(data, path), path)
        return usual(loader, data, path, *more, **how)

    SourceFileLoader.source_to_code = compiled  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        SourceFileLoader.source_to_code = usual  # type: ignore[method-assign]


def end() -> None:
    """Watch no longer."""
    _Active.path = _Active.watch = None
