"""What the user calls what an operation gives: the target of the assignment that it stands in. It runs nothing."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator
from functools import lru_cache

from mhat.reading.courses import Span

Key = tuple[int, int, int, int]
# What people call a tensor in a dictionary of them.
PARAMETER = re.compile(r"[dgv]?(W|b|w|B|weights?|bias(es)?|p|x|params?)_?\d*")
HOLDERS = frozenset({"state", "states", "s", "cache", "self", "opt_state", "config", "memory", "slots"})


def spelled(place: tuple[Span, ...]) -> str:
    """Name what is computed at a place, as the user does; nothing if it has no name of its own."""
    for span in place:
        targets, returns, _ = _targets(span[0])
        key = span[1:]
        if key in targets:
            return targets[key]
        if key not in returns:
            return ""
    return ""


def is_in_place(place: tuple[Span, ...]) -> bool:
    """Whether what is computed at a place changes what was there before."""
    return any(span[1:] in _targets(span[0])[2] for span in place[:1])


def text_of(span: Span) -> str:
    """Give the line of a place."""
    return linecache.getline(span[0], span[1]).strip()


@lru_cache(maxsize=256)
def _targets(file: str) -> tuple[dict[Key, str], frozenset[Key], frozenset[Key]]:
    """Find in a file which expressions are assigned to which names, and which are returned or in place."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return {}, frozenset(), frozenset()
    targets: dict[Key, str] = {}
    returns, in_place = set[Key](), set[Key]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Return | ast.Lambda):
            value = node.value if isinstance(node, ast.Return) else node.body
            if value is not None:
                returns.add(_key(value))
        for name, key in _assigned(node):
            if name:
                targets.setdefault(key, name)
                in_place.update([key] if isinstance(node, ast.AugAssign | ast.Call) else [])
    return targets, frozenset(returns), frozenset(in_place)


def _assigned(node: ast.AST) -> Iterator[tuple[str, Key]]:
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            for name, value in zip(names, values, strict=False):
                yield _name(name), _key(value)
        case ast.Assign(value=ast.Call(func=ast.Attribute(attr=method))) if method.startswith("_foreach"):
            # A list of tensors, of which a rule sees one.
            yield _name(node.targets[0]).removesuffix("s"), _key(node.value)
        case ast.Assign():
            yield _name(node.targets[0]), _key(node.value)
            if isinstance(node.value, ast.IfExp):
                yield _name(node.targets[0]), _key(node.value.body)
                yield _name(node.targets[0]), _key(node.value.orelse)
        case ast.AnnAssign() if node.value is not None:
            yield _name(node.target), _key(node.value)
        case ast.AugAssign():
            yield _name(node.target), _key(node)
        case ast.NamedExpr():
            yield _name(node.target), _key(node.value)
        case ast.Call(func=ast.Attribute(attr=method) as function):
            out = next((word.value for word in node.keywords if word.arg == "out"), None)
            if out is not None:
                yield _name(out), _key(node)
            elif method.startswith("_foreach") and method.endswith("_") and node.args:
                yield _name(node.args[0]).removesuffix("s"), _key(node)
            elif method.endswith("_") and not method.startswith("_"):
                yield _name(function.value), _key(node)


def _name(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=ast.Name(id=holder) | ast.Attribute(attr=holder), slice=ast.Constant(value=str(key))):
            is_of_tensor = PARAMETER.fullmatch(key) and holder not in HOLDERS
            return holder if is_of_tensor or not key.isidentifier() else key
        case ast.Subscript(value=inner):
            return _name(inner)
        case ast.Call(func=ast.Attribute(value=inner)):
            return _name(inner)
        case ast.Starred(value=inner):
            return _name(inner)
    return ""


def _key(node: ast.expr | ast.stmt) -> Key:
    return node.lineno, node.end_lineno or node.lineno, node.col_offset, node.end_col_offset or 0
