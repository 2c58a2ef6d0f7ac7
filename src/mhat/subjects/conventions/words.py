"""Which attributes a class uses of what it is given, its base classes and helpers included. It runs nothing."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mhat.subjects.conventions.texts import Written
from mhat.subjects.sandbox import is_users


@dataclass(frozen=True)
class Words:
    """What is asked of objects: attributes, those that are called, those of an attribute, and short texts."""

    attributes: frozenset[str]
    called: frozenset[str]
    chained: frozenset[tuple[str, str]]  # (grad, data) for p.grad.data
    texts: frozenset[str]
    tested: frozenset[str] = frozenset()  # attributes of which it is asked whether they are None
    unpacked: tuple[str, ...] = ()  # attributes that are taken apart: `w, b = layer.weights`

    def __contains__(self, word: str) -> bool:
        return word in self.attributes or word in self.texts


def words_of(thing: Any) -> Words:
    """Read the text of a thing, of its base classes, and of the functions beside it that it names."""
    attributes, called, chained, texts, tested, unpacked = set(), set(), set(), set(), set(), []
    for tree in _trees(thing):
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=inner, attr=word)) if not _is_self(inner):
                    called.add(word)
                    attributes.add(word)
                case ast.Attribute(value=ast.Attribute(attr=inner), attr=outer):
                    chained.add((inner, outer))
                    attributes |= {outer}
                case ast.Attribute(value=inner, attr=word) if not _is_self(inner):
                    attributes.add(word)
                case ast.Constant(value=str(word)) if word.isidentifier():
                    texts.add(word)
                case ast.Compare(left=ast.Attribute(attr=word), comparators=[ast.Constant(value=None)]):
                    tested.add(word)
                case ast.Assign(targets=[ast.Tuple(elts=[_, _])], value=ast.Attribute(value=inner, attr=word)):
                    unpacked += [] if _is_self(inner) else [word]
    # Where they stand in the text, so that weights come before their gradients.
    return Words(
        frozenset(attributes), frozenset(called), frozenset(chained), frozenset(texts), frozenset(tested),
        tuple(dict.fromkeys(unpacked)),
    )  # fmt: skip


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "np", "numpy", "math")


def _trees(thing: Any) -> Iterator[ast.AST]:
    owner = thing if isinstance(thing, type) or inspect.isroutine(thing) else type(thing)
    classes = [each for each in inspect.getmro(owner) if each is not object] if isinstance(owner, type) else [owner]
    for each in classes:
        tree = Written.of(each).tree
        if tree is None:
            continue
        yield tree
        space = vars(inspect.getmodule(each)) if inspect.getmodule(each) else getattr(each, "__globals__", {})
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for name in sorted(names):
            helper = space.get(name)
            if isinstance(helper, types.FunctionType) and is_users(helper.__code__.co_filename):
                inner = Written.of(helper).tree
                if inner is not None and helper is not each:
                    yield inner
