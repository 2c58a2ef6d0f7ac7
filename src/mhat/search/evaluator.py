"""Run many candidate rules over the same probes, each stopped at its first differing step. It knows no subject.

Candidates share most of their lines, so closures are kept by the identity of their expressions. All probes
run at once: arrays (probe, tensor, coordinate), knobs (probe, 1, 1). Everything is in double precision with
NumPy's own functions: quick, and near enough to propose; what is proposed is confirmed elsewhere. (A candidate that
fails at its first step takes 23 us here, and 195 us on `engines.program`, which makes closures for each rule anew.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from mhat.engines.array_operations import operations
from mhat.language.tree import Expression, Name, Number, Tree
from mhat.language.walking import product_length
from mhat.ops import OPERATIONS
from mhat.search.observed import Probes

Environment = dict[str, Any]
Closure = Callable[[Environment], Any]


# Where an environment keeps the shape of a coordinate-wise value: an edit may make a number of `g` or of `x` itself.
SHAPE = "@shape"


class Evaluator:
    """Runs trees over probes."""

    def __init__(self, probes: Probes) -> None:
        self.probes = probes
        self._by_step = np.ascontiguousarray(np.moveaxis(probes.gradients, 1, 0))
        self._closure = Closures().of
        tensors = probes.gradients.shape[2]
        self._k: Any = np.arange(1.0, tensors + 1)[:, None] if tensors > 1 else 1.0
        self._n = float(tensors)

    def steps(self, tree: Tree, knobs: Mapping[str, Any] | None = None) -> Iterator[np.ndarray[Any, Any]]:
        """Yield what is observed after each step, (probe, tensor, coordinate)."""
        observe = self.probes.observe
        defaults = {knob.name: knob.default for knob in tree.knobs}
        environment: Environment = {**defaults, **self.probes.knobs, **(knobs or {})}
        x = self.probes.start
        environment.update({"x": x, "g": self._by_step[0], "t": 1.0, "k": self._k, "n": self._n, SHAPE: x.shape})
        environment.update({state.name: self._closure(state.start)(environment) for state in tree.states})
        lines = [(line.targets, self._closure(line.value)) for line in tree.body]
        result = self._closure(tree.result)
        shape = x.shape
        for i, g in enumerate(self._by_step):
            environment["t"] = i + 1.0
            environment["g"] = g
            environment["x"] = x
            for targets, closure in lines:
                value = closure(environment)
                if len(targets) == 1:
                    environment[targets[0]] = value
                else:
                    environment.update(zip(targets, value, strict=True))
            before, x = x, result(environment)
            if getattr(x, "shape", None) != shape:
                x = np.broadcast_to(x, shape)
            if observe == "x":
                yield x
            else:
                yield np.broadcast_to(x - before if observe == "update" else environment[observe], shape)

    def run(self, tree: Tree, knobs: Mapping[str, Any] | None = None) -> np.ndarray[Any, Any]:
        """Give what is observed after every step, (step, probe, tensor, coordinate)."""
        with np.errstate(all="ignore"):
            return np.stack(list(self.steps(tree, knobs)))


class Closures:
    """Makes functions of expressions, each once."""

    def __init__(self) -> None:
        self._made_of: dict[int, tuple[Expression, Closure]] = {}

    def of(self, node: Expression) -> Closure:
        """Give the function of an expression: an environment in, a number or an array out."""
        known = self._made_of.get(id(node))
        if known is not None:
            return known[1]
        closure = self._made(node)
        # The node is kept beside its closure so that its identity is not given to another one.
        self._made_of[id(node)] = (node, closure)
        return closure

    def _made(self, node: Expression) -> Closure:
        if isinstance(node, Number):
            constant = node.value
            return lambda environment: constant
        if isinstance(node, Name):
            name = node.id
            return lambda environment: environment[name]
        length = product_length(node)
        if length is not None:
            return _product(self.of(node.arguments[0]), length)
        inner = [self.of(argument) for argument in node.arguments]
        if OPERATIONS[node.op].kind == "reduction":
            return _reduction(node.op, inner[0], node.over)
        return _applied(node.op, inner)


def _product(base: Closure, length: int) -> Closure:
    def product(environment: Environment) -> Any:
        value = base(environment)
        result = value * value
        for _ in range(length - 2):
            result = result * value
        return result

    return product


def _reduction(op: str, inner: Closure, over: str | None) -> Closure:
    axes = (-2, -1) if over == "all" else (-1,)

    def reduced(environment: Environment) -> Any:
        value = inner(environment)
        if np.ndim(value) < 2:
            value = np.broadcast_to(value, environment[SHAPE])
        if op == "size":
            return float(np.prod([value.shape[axis] for axis in axes]))
        if op == "largest":
            return np.max(value, axis=axes, keepdims=True) + 0.0
        if op == "norm":
            return np.sqrt(np.sum(value * value, axis=axes, keepdims=True))
        return (np.sum if op == "sum" else np.mean)(value, axis=axes, keepdims=True)

    return reduced


def _applied(op: str, inner: list[Closure]) -> Closure:
    if op in _DIRECT:
        return _DIRECT[op](*inner)
    meaning, on_arrays = OPERATIONS[op].meaning, _ARRAYS[op]

    def applied(environment: Environment) -> Any:
        values = [closure(environment) for closure in inner]
        if all(type(value) is float for value in values):
            return meaning(*values)
        return on_arrays(*values)

    return applied


def _add(a: Closure, b: Closure) -> Closure:
    return lambda environment: a(environment) + b(environment)


def _sub(a: Closure, b: Closure) -> Closure:
    return lambda environment: a(environment) - b(environment)


def _mul(a: Closure, b: Closure) -> Closure:
    return lambda environment: a(environment) * b(environment)


def _div(a: Closure, b: Closure) -> Closure:
    divide = OPERATIONS["div"].meaning

    def divided(environment: Environment) -> Any:
        first, second = a(environment), b(environment)
        if type(second) is float and type(first) is float:
            return divide(first, second)
        return first / second

    return divided


def _compare(op: str) -> Callable[[Closure, Closure], Closure]:
    compare = _COMPARE[op]

    def made(a: Closure, b: Closure) -> Closure:
        return lambda environment: compare(a(environment), b(environment)) * 1.0

    return made


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
}
_DIRECT: dict[str, Callable[..., Closure]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    **{op: _compare(op) for op in _COMPARE},
}
_ARRAYS: dict[str, Callable[..., Any]] = {
    **operations(np),
    "not": lambda a: (a == 0) * 1.0,
    "where": lambda condition, a, b: np.where(condition != 0, a, b),
    "and": lambda a, b: np.where(a != 0, b, a),
    "or": lambda a, b: np.where(a != 0, a, b),
}
