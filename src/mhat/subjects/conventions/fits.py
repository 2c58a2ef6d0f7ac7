"""A linear or logistic model that computes its gradients inside, from data: `fit(X, y)`, `descend(X, y, theta)`.

It is handed one sample whose products are ours: X @ theta notes where theta is, X.T @ residual is the next gradient.
It knows no model.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.errors import SubjectError
from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import PARAMS, is_required
from mhat.subjects.conventions.feeding import Enough
from mhat.subjects.conventions.gradients import NEVER, TOLERANCES, is_count
from mhat.subjects.conventions.making import has_arguments
from mhat.subjects.conventions.proposals import Asked, Proposal, entering, stacked
from mhat.subjects.conventions.roles import MORE_PARAMS, parameters_of
from mhat.subjects.conventions.texts import Written
from mhat.subjects.spelling import STARTS, Keywords, keywords_of

NAME = "fit"
DATA = frozenset({"xtrain", "features", "data", "inputs", "trainx", "xs", "xdata", "xb", "trainingdata", "samples"})
ANSWERS = frozenset({"y", "ytrain", "labels", "targets", "target", "outputs", "trainy", "ys", "ydata", "label", "t"})
FITS = ("fit", "train", "gradient_descent", "optimize", "learn", "fit_model")


class Samples:
    """One sample of as many features as x has coordinates; what is multiplied with it is noted, or answered."""

    __array_priority__ = 1e9
    ndim, dtype = 2, np.dtype(np.float64)

    def __init__(self, gradients: Sequence[Any], factor: float, turned: Samples | None = None) -> None:
        self.gradients, self.factor = gradients, factor
        self.noted: list[Any] = []
        self.answered, self.sign = 0, 0.0
        self.is_turned = turned is not None
        self.T = turned if turned is not None else Samples(gradients, factor, self)

    @property
    def shape(self) -> tuple[int, int]:
        wide = int(np.size(self.gradients[0]))
        return (wide, 1) if self.is_turned else (1, wide)

    @property
    def size(self) -> int:
        return int(np.size(self.gradients[0]))

    def __len__(self) -> int:
        return self.shape[0]

    def transpose(self) -> Samples:
        return self.T

    def dot(self, other: Any) -> Any:
        """Multiply: with x on the right, or turned with the residual."""
        return self.T.answer(other) if self.is_turned else self.note(other)

    __matmul__ = dot

    def __rmatmul__(self, other: Any) -> Any:
        # residual @ X is a row; x @ X.T a prediction.
        return self.T.note(other) if self.is_turned else self.answer(other)

    def __mul__(self, other: Any) -> Scaled:
        return Scaled(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Scaled:
        return Scaled(self, 1 / other)

    def note(self, x: Any) -> Any:
        """Note where x is, once a step."""
        if len(self.noted) == self.answered:
            self.noted.append(np.array(x, dtype=np.float64))
        if self.answered >= len(self.gradients):
            raise Enough
        return np.ones((1, *np.shape(x)[1:]))

    def answer(self, residual: Any) -> Any:
        """Give the next gradient, as the model means it: for the residual's sign, and without its factor."""
        if self.answered >= len(self.gradients) or not self.noted:
            raise Enough
        self.sign = self.sign or float(np.sign(np.ravel(residual)[0])) or 1.0
        gradient = np.asarray(self.gradients[self.answered]) * (self.sign / self.factor)
        self.answered += 1
        return gradient.reshape(np.shape(self.noted[-1]))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        if ufunc is np.matmul and method == "__call__" and len(inputs) == 2:
            return self._product(*inputs)
        if ufunc is np.multiply and method == "__call__":
            return Scaled(self, next(each for each in inputs if each is not self))
        return NotImplemented

    def __array_function__(self, function: Any, types: Any, arguments: Any, named: Any) -> Any:
        if function in (np.dot, np.matmul):
            return self._product(*arguments)
        known: dict[Any, Any] = {np.transpose: self.T, np.shape: self.shape, np.size: self.size, np.ndim: 2}
        return known.get(function, NotImplemented)

    def _product(self, left: Any, right: Any) -> Any:
        return left.dot(right) if isinstance(left, Samples) else right.__rmatmul__(left)


@dataclass(frozen=True)
class Scaled:
    """Samples times a number: `alpha * X.T @ residual`."""

    samples: Samples
    number: Any
    __array_ufunc__ = None

    def dot(self, other: Any) -> Any:
        return self.number * self.samples.dot(other)

    __matmul__ = dot

    def __mul__(self, other: Any) -> Scaled:
        return Scaled(self.samples, self.number * other)

    __rmul__ = __mul__


@dataclass(frozen=True)
class Fit:
    """A fit, and what its arguments are."""

    name: str
    thing: Any
    method: str  # nothing for a function
    data: str
    answers: str
    point: str | None
    counts: tuple[str, ...]
    tolerances: tuple[str, ...]
    inside: tuple[str, ...]  # counts and tolerances of the constructor
    maker: Keywords
    call: Keywords
    factor: float

    def course(self, gradients: list[Any], starts: list[Any], knobs: Mapping[str, float]) -> list[Any]:
        """Run it on one sample; give where it was after each step."""
        steps, start = len(gradients[0]), entering(starts[0])
        samples = Samples([np.ravel(g) for g in gradients[0]], self.factor)
        before = np.random.get_state()
        np.random.seed(0)
        try:
            self._run(samples, start, knobs, steps)
        except Enough:
            pass
        finally:
            np.random.set_state(before)
        places = [place.reshape(np.shape(start)) for place in samples.noted[1 : steps + 1]]
        if len(places) < steps:
            raise SubjectError(self.name, f"ended by itself after {len(places)} steps, and {steps} are needed", "")
        return [stacked(places)]

    def _run(self, samples: Samples, start: Any, knobs: Mapping[str, float], steps: int) -> None:
        numbers = {name: NEVER if name in self.tolerances else steps + 1 for name in (*self.counts, *self.tolerances)}
        told: dict[str, Any] = self._told(self.call, knobs)
        told |= {self.data: samples, self.answers: np.zeros(1)}
        told |= {name: value for name, value in numbers.items() if name not in self.inside}
        if self.point is not None:
            told[self.point] = np.atleast_1d(start)
        function = self.thing
        if self.method:
            made = self._told(self.maker, knobs) | {name: numbers[name] for name in self.inside}
            function = getattr(self.thing(**made), self.method)
        function(**told)

    @staticmethod
    def _told(keywords: Keywords, knobs: Mapping[str, float]) -> dict[str, Any]:
        return keywords.arguments({k: v for k, v in knobs.items() if k in keywords.spelling.names})


def proposed(asked: Asked) -> Iterator[Proposal]:
    """Propose to fit a model to one sample."""
    thing = asked.thing
    if inspect.isroutine(thing):
        yield from _ways(asked, thing, "", parameters_of(thing), [])
        return
    if not isinstance(thing, type):
        return
    own = parameters_of(thing) if has_arguments(thing) else []
    for method in FITS:
        function = getattr(thing, method, None)
        if callable(function):
            yield from _ways(asked, function, method, parameters_of(function)[1:], own)


def _ways(
    asked: Asked,
    function: Callable[..., Any],
    method: str,
    arguments: Sequence[inspect.Parameter],
    own: Sequence[inspect.Parameter],
) -> Iterator[Proposal]:
    spelled = {p.name: plain_spelling(p.name) for p in arguments if is_required(p)}
    data = [name for name, plain in spelled.items() if name == "X" or plain in DATA] or list(spelled)[:1]
    answers = [name for name, plain in spelled.items() if plain in ANSWERS]
    if not data or not answers or data[0] == answers[0] or not _is_data(Written.of(asked.thing), data[0], method):
        return
    points = PARAMS | MORE_PARAMS | {plain_spelling(start) for start in STARTS}
    point = next((n for n, plain in spelled.items() if n not in (data[0], answers[0]) and plain in points), None)
    numbers = [p.name for p in (*arguments, *own)]
    counts = tuple(n for n in numbers if is_count(plain_spelling(n)) and n not in (point, *data[:1], *answers[:1]))
    tolerances = tuple(n for n in numbers if plain_spelling(n) in TOLERANCES)
    inside = tuple(p.name for p in own if p.name in (*counts, *tolerances))
    apart = [data[0], answers[0], *([point] if point else []), *counts, *tolerances]
    call = keywords_of(asked.name, arguments, asked.rule_knobs, skip=apart)
    maker = keywords_of(asked.name, own, asked.rule_knobs, asked.options if own else None, skip=inside)
    if call.spelling.unknown or maker.spelling.unknown or (not method and point is None):
        return
    fit = Fit(
        asked.name, asked.thing, method, data[0], answers[0], point, counts, tolerances, inside, maker, call,
        _factor(Written.of(asked.thing)),
    )  # fmt: skip
    how = "by fitting it to one sample whose products are the gradients"
    how += " (the 2 of the squared error belongs to them)" if fit.factor == 2 else ""
    yield Proposal(NAME, how, 0.5, fit.course, [maker, call], starts=point is not None)


def _is_data(written: Written, name: str, method: str) -> bool:
    """Whether something is turned round and multiplied, as a gradient of a model is."""
    nodes = ast.walk(written.tree) if written.tree is not None else ()
    multiplied = any(isinstance(node, ast.MatMult) for node in nodes) or written.words & {"T", "dot", "matmul"}
    return bool(multiplied) and (bool(method) or name in written.words)


def _factor(written: Written) -> float:
    """Give the number that a gradient is multiplied by where it is computed: the 2 of a square."""
    for node in ast.walk(written.tree) if written.tree is not None else ():
        if isinstance(node, ast.Assign | ast.AugAssign) and "T" in Written(node.value).words:
            found = _constant(node.value)
            if found == 2.0:
                return 2.0
    return 1.0


def _constant(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return abs(float(value)) or 1.0
        case ast.UnaryOp(operand=inner):
            return _constant(inner)
        case ast.BinOp(left=left, op=ast.Mult() | ast.MatMult(), right=right):
            return _constant(left) * _constant(right)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _constant(left) / _constant(right)
        case ast.BinOp(left=left, op=ast.Sub() | ast.Add(), right=right) if "T" in Written(right).words:
            return _constant(right)
        case ast.Call(func=ast.Attribute(value=inner)):
            return _constant(inner)
    return 1.0
