"""What the source text of a function or class says of its arguments, of what it returns and asks of objects.

It runs nothing.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.sandbox import is_users

_AFFIXES = ("updated", "update", "new", "next", "prev", "old", "out", "now", "curr", "current")


@dataclass(frozen=True)
class Written:
    """The syntax tree of a function, a method or a class; None where no text is at hand."""

    tree: ast.AST | None = None

    @staticmethod
    def of(thing: Any) -> Written:
        """Read the text of a thing."""
        return Written(_tree_of(inspect.unwrap(thing) if callable(thing) else thing))

    @property
    def returned(self) -> tuple[str, ...]:
        """The names of what the last `return` gives, one an item, nested tuples laid out; "" for what has no name."""
        value = self._returned
        return () if value is None else tuple(_names(value))

    @property
    def returned_above(self) -> tuple[str, ...]:
        """The same, but nested tuples are one item without a name."""
        value = self._returned
        if isinstance(value, ast.Tuple):
            return tuple(_name(item) for item in value.elts)
        return self.returned

    @property
    def _returned(self) -> ast.expr | None:
        returns = [node.value for node in self._own_nodes() if isinstance(node, ast.Return) and node.value is not None]
        return self._meant(returns[-1]) if returns else None

    def unpacked(self, name: str) -> tuple[str, ...]:
        """The names that a tuple is taken apart into: `m, v, t = state`; nothing if it is not."""
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=items)], value=ast.Name(id=taken)) if taken == name:
                    return tuple(_name(item) for item in items)
        return ()

    def _meant(self, value: ast.expr) -> ast.expr:
        """Look through a name that is assigned a tuple just before: `out = w, m, v` and then `return out`."""
        if not isinstance(value, ast.Name):
            return value
        assigned = [
            node.value
            for node in self._own_nodes()
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == value.id for t in node.targets)
        ]
        tuples = [each for each in assigned if isinstance(each, ast.Tuple)]
        return tuples[-1] if tuples and len(tuples) == len(assigned) else value

    def adds_one_to(self, name: str) -> bool:
        """Whether it goes on to count a name before it uses it: `t + 1`, `t += 1`."""
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.BinOp(left=ast.Name(id=left), op=ast.Add(), right=ast.Constant(value=1)) if left == name:
                    return True
                case ast.BinOp(left=ast.Constant(value=1), op=ast.Add(), right=ast.Name(id=right)) if right == name:
                    return True
                case ast.AugAssign(target=ast.Name(id=target), op=ast.Add(), value=ast.Constant(value=1)):
                    if target == name:
                        return True
        return False

    def changes(self, name: str) -> bool:
        """Whether it changes what a name holds in place: `v *= 2`, `v[...] = 0`, `v.append(0)` are such."""
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.AugAssign(target=ast.Name(id=target)) if target == name:
                    return True
                case ast.Subscript(value=ast.Name(id=target), ctx=ast.Store()) if target == name:
                    return True
                case ast.Attribute(value=ast.Name(id=target), ctx=ast.Store()) if target == name:
                    return True
        return False

    def keeps(self, name: str) -> bool:
        """Whether it may change what a name holds: in place, by a method of it, or by handing it on whole."""
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=target))) if target == name:
                    return True
                case ast.Call(args=arguments, keywords=named):
                    handed = [*arguments, *(each.value for each in named)]
                    if any(isinstance(each, ast.Name) and each.id == name for each in handed):
                        return True
        return self.changes(name) or bool(self.unpacked(name))

    def calls(self, name: str) -> bool:
        """Whether it calls what a name holds."""
        nodes = ast.walk(self.tree) if self.tree is not None else ()
        return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name for n in nodes)

    def calls_again(self, name: str) -> bool:
        """Whether it calls what a name holds in a loop."""
        loops = [n for n in ast.walk(self.tree) if isinstance(n, ast.For | ast.While)] if self.tree is not None else []
        return any(Written(loop).calls(name) for loop in loops)

    def only_hands(self, name: str, function: str) -> bool:
        """Whether all that is done with a name is to hand it to a function."""
        handed, used = 0, 0
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.Call(func=ast.Name(id=called), args=arguments) if called == function:
                    handed += sum(isinstance(each, ast.Name) and each.id == name for each in arguments)
                case ast.Name(id=used_name) if used_name == name:
                    used += 1
        return 0 < handed == used

    def only_compares(self, name: str) -> bool:
        """Whether all that is done with a name is to hold something against it."""
        nodes = list(ast.walk(self.tree)) if self.tree is not None else []
        used = sum(isinstance(n, ast.Name) and n.id == name for n in nodes)
        return used > 0 and used == sum(
            isinstance(each, ast.Name) and each.id == name
            for n in nodes if isinstance(n, ast.Compare) for each in (n.left, *n.comparators)
        )  # fmt: skip

    def adds(self, name: str) -> bool:
        """Whether a name is added to something: `sqrt(v) + epsilon`."""
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    if any(isinstance(each, ast.Name) and each.id == name for each in (left, right)):
                        return True
        return False

    def goes_on_with(self, name: str) -> bool:
        """Whether it takes one value after the other from a name: `next(rates)`."""
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.Call(func=ast.Name(id="next"), args=[ast.Name(id=taken), *_]) if taken == name:
                    return True
        return False

    def methods_of(self, name: str) -> frozenset[str]:
        """The attributes of a name that are called: `problem.grad(x)`, `self.problem.grad(x)`."""
        found = set()
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=word)) if owner == name:
                    found.add(word)
                case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=owner), attr=word)) if owner == name:
                    found.add(word)
        return frozenset(found)

    def unpacks_call_of(self, name: str) -> tuple[str, ...]:
        """The names that what a function gives is taken apart into: `loss, g = f(x)`; nothing if it is not."""
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=items)], value=ast.Call(func=function)):
                    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                    if called == name and len(items) == 2:
                        return tuple(_name(item) for item in items)
        return ()

    @property
    def words(self) -> frozenset[str]:
        """Every attribute, name and short text in it."""
        found = set()
        for node in ast.walk(self.tree) if self.tree is not None else ():
            match node:
                case ast.Attribute(attr=word) | ast.Name(id=word):
                    found.add(word)
                case ast.Constant(value=str(word)) if word.isidentifier():
                    found.add(word)
        return frozenset(found)

    @property
    def called(self) -> frozenset[str]:
        """Every attribute that is called."""
        nodes = ast.walk(self.tree) if self.tree is not None else ()
        return frozenset(
            node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        )

    @property
    def yields(self) -> bool:
        """Whether it is a generator."""
        return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in self._own_nodes())

    def _own_nodes(self) -> Iterator[ast.AST]:
        """Go over the nodes in the order of the text, functions inside of it left out."""
        if self.tree is None:
            return
        waiting = list(reversed(list(ast.iter_child_nodes(self.tree))))
        while waiting:
            node = waiting.pop()
            yield node
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                waiting += reversed(list(ast.iter_child_nodes(node)))


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> ast.AST | None:
    try:
        tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree.body[0] if tree.body else None


def _tree_of(thing: Any) -> ast.AST | None:
    try:
        return _parsed(inspect.getsource(thing))
    except (OSError, TypeError):
        return None


def _names(value: ast.expr) -> list[str]:
    """Name the items of a returned expression."""
    match value:
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [name for item in items for name in (_names(item) if isinstance(item, ast.Tuple) else [_name(item)])]
        case ast.Dict(keys=keys):
            return [str(key.value) if isinstance(key, ast.Constant) else "" for key in keys]
    return [_name(value)]


def _name(value: ast.expr) -> str:
    match value:
        case ast.Name(id=name):
            return name
        case ast.BinOp(left=left, op=ast.Sub() | ast.Add()):
            # `w - lr * step` is the new w.
            return _name(left) if isinstance(left, ast.Name) else ""
    return ""


def core_of(name: str) -> str:
    """Strip a name of what says that it is the old or the new one.

    >>> core_of("m_new"), core_of("prev_v"), core_of("m_t"), core_of("dW1"), core_of("updated_params")
    ('m', 'v', 'm', 'dw1', 'params')
    """
    parts = [part for part in name.lower().split("_") if part]
    kept = [part for part in parts if part not in _AFFIXES and part not in ("t", "1")] or parts
    return plain_spelling("_".join(kept)).removesuffix("'")


@dataclass(frozen=True)
class Words:
    """What is asked of objects: attributes, those that are called, those of an attribute, and short texts."""

    attributes: frozenset[str]
    called: frozenset[str]
    chained: frozenset[tuple[str, str]]  # (grad, data) for p.grad.data
    texts: frozenset[str]
    tested: frozenset[str] = frozenset()  # attributes of which it is asked whether they are None
    zipped: frozenset[str] = frozenset()  # attributes that are gone through together: `zip(layer.params, layer.grads)`
    unpacked: tuple[str, ...] = ()  # attributes that are taken apart: `w, b = layer.weights`

    def __contains__(self, word: str) -> bool:
        return word in self.attributes or word in self.texts


def words_of(thing: Any) -> Words:
    """Read the text of a thing, of its base classes, and of the functions beside it that it names."""
    attributes, called, chained, texts, tested, unpacked = set(), set(), set(), set(), set(), []
    zipped: set[str] = set()
    for tree in _trees(thing):
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="zip"), args=[ast.Attribute(attr=one), ast.Attribute(attr=other)]):
                    zipped |= {one, other}
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
        frozenset(zipped), tuple(dict.fromkeys(unpacked)),
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
