"""Run candidate rules on matrices: several tensors side by side, each with its rows and columns. It knows no subject.

What is observed of matrices lies in one row, as many coordinates of one tensor do: who compares, scores and fits sees
no difference. Which of them make up one matrix is asked of the probes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mhat.engines.array_operations import operations
from mhat.engines.arrays import Arrays
from mhat.errors import BadValue
from mhat.language.inference import SCALAR, WHOLE, Shape, ranks_of, shapes, sizes_of
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.ops import OPERATIONS
from mhat.search.evaluator import SHAPE, Closure, Closures, Environment, Evaluator
from mhat.search.observed import Probes

Array = np.ndarray[Any, Any]
ARRAYS: dict[str, Callable[..., Any]] = operations(np)
# What the quick forms below lack is left to the engine.
ENGINE = Arrays(np, np.float64, tensor_dimensions=2)
# Where an environment keeps those of all tensors of its run.
PEERS = "@peers"


@dataclass(frozen=True)
class Layout:
    """Runs of a subject on tensors of the same shapes, (probe, step, rows, columns) of each, and the knobs of each.

    `starts` are (probe, rows, columns) of each tensor; `numbers` say which of the driven tensors they are, from 1,
    `count` how many were driven: a vector beside the matrices is driven too, and not looked at.
    """

    gradients: tuple[Array, ...]
    starts: tuple[Array, ...]
    knobs: Mapping[str, Any]
    numbers: tuple[int, ...]
    count: int

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.starts[0])

    def own_knobs(self, probe: int) -> dict[str, float]:
        """Give the knobs of one run."""
        return {name: float(np.ravel(value)[probe if np.size(value) > 1 else 0]) for name, value in self.knobs.items()}


@dataclass(frozen=True)
class Sheet:
    """Where one matrix lies in the row: its layout, tensor and run, where it begins, and its shape."""

    layout: int
    tensor: int
    probe: int
    begin: int
    shape: tuple[int, int]

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.begin + self.shape[0] * self.shape[1]


@dataclass(frozen=True)
class MatrixProbes(Probes):
    """Runs on matrices, as probes of one row of coordinates."""

    layouts: tuple[Layout, ...] = ()

    @classmethod
    def of(cls, layouts: Sequence[Layout], observe: str = "x") -> MatrixProbes:
        """Lay out the runs in one row."""
        gradients = in_a_row([[np.moveaxis(g, 1, 0) for g in layout.gradients] for layout in layouts])
        start = in_a_row([[start[None] for start in layout.starts] for layout in layouts])[0]
        return cls(np.moveaxis(gradients, 1, 0), start, {}, observe, tuple(layouts))

    @cached_property
    def sheets(self) -> tuple[Sheet, ...]:
        """The matrices in the order in which they lie in the row."""
        found, begin = [], 0
        for i, layout in enumerate(self.layouts):
            for k, start in enumerate(layout.starts):
                rows, columns = start.shape[1:]
                for probe in range(layout.runs):
                    found.append(Sheet(i, k, probe, begin, (rows, columns)))
                    begin = found[-1].end
        return tuple(found)

    def pooled(self, sizes: Array) -> Array:
        """Give every coordinate the largest size in its matrix: what is rounded in one ends in all of them."""
        begins = [sheet.begin for sheet in self.sheets]
        lengths = [sheet.end - sheet.begin for sheet in self.sheets]
        return np.repeat(np.maximum.reduceat(sizes, begins, axis=-1), lengths, axis=-1)

    def alone(self, sheet: Sheet) -> tuple[MatrixProbes, Array]:
        """Give the run of one matrix alone, and where what was observed of it lies in the row."""
        layout, probe = self.layouts[sheet.layout], slice(sheet.probe, sheet.probe + 1)
        own = Layout(
            tuple(g[probe] for g in layout.gradients), tuple(start[probe] for start in layout.starts),
            layout.own_knobs(sheet.probe), layout.numbers, layout.count,
        )  # fmt: skip
        lanes = [
            np.arange(other.begin, other.end) for other in self.sheets
            if (other.layout, other.probe) == (sheet.layout, sheet.probe)
        ]  # fmt: skip
        return MatrixProbes.of([own], self.observe), np.concatenate(lanes)

    def part(self, layouts: Sequence[int]) -> MatrixProbes:
        """Give some of the layouts alone."""
        return MatrixProbes.of([self.layouts[i] for i in layouts], self.observe)


def in_a_row(values: Sequence[Sequence[Array]]) -> Array:
    """Put matrices (step, probe, rows, columns), by layout and tensor, into one row: (step, 1, 1, coordinate)."""
    flat = [value.reshape(len(value), -1) for tensors in values for value in tensors]
    return np.concatenate(flat, axis=1)[:, None, None, :]


def evaluator_of(probes: Probes, operations: Mapping[str, Callable[..., Any]] | None = None) -> Evaluator:
    """Make what runs trees over probes; on matrices with some operations in the place of others."""
    return MatrixEvaluator(probes, operations) if isinstance(probes, MatrixProbes) else Evaluator(probes)


class MatrixEvaluator(Evaluator):
    """Runs trees over matrices, the tensors of a run in lockstep.

    `operations` stand in the place of those of arrays, where something is computed otherwise.
    """

    def __init__(self, probes: MatrixProbes, operations: Mapping[str, Callable[..., Any]] | None = None) -> None:
        super().__init__(probes)
        self.matrices = probes
        self.operations = dict(operations or {})
        self._closure = MatrixClosures(self.operations).of

    def on(self, probes: MatrixProbes) -> MatrixEvaluator:
        """Make one like it for other matrices."""
        return MatrixEvaluator(probes, self.operations)

    def steps(self, tree: Tree, knobs: Mapping[str, Any] | None = None) -> Iterator[Array]:
        """Yield what is observed after each step, in one row. Raises ValueError for a tree that does not fit."""
        known = shapes(tree)
        sides = {state.name: known[state.name] for state in tree.states if known[state.name] not in (WHOLE, SCALAR)}
        courses = [self._course(layout, tree, knobs or {}, sides) for layout in self.matrices.layouts]
        for _ in range(self.matrices.steps):
            try:
                yield in_a_row([[value[None] for value in next(course)] for course in courses])[0]
            except (AttributeError, IndexError, OverflowError, BadValue) as error:
                raise ValueError(str(error)) from error

    def _course(
        self, layout: Layout, tree: Tree, knobs: Mapping[str, Any], sides: Mapping[str, Shape]
    ) -> Iterator[list[Array]]:
        """Run one layout; `sides`: shapes of states that are other than the tensor's."""
        defaults = {knob.name: knob.default for knob in tree.knobs}
        observe, peers, ranks = self.probes.observe, [], ranks_of(tree)
        for k, start in enumerate(layout.starts):
            environment: Environment = {**defaults, **layout.knobs, **knobs, "x": start, "g": layout.gradients[k][:, 0]}
            environment |= {"t": 1.0, "k": float(layout.numbers[k]), "n": float(layout.count), SHAPE: start.shape}
            peers.append(environment)
        for environment in peers:
            environment[PEERS] = peers
            for state in tree.states:
                value = self._closure(state.start)(environment)
                if state.name in sides and np.ndim(value) < 2:
                    value = np.broadcast_to(value, sizes_of(sides[state.name], environment[SHAPE][1:], ranks))
                environment[state.name] = value
        lines = [(line.targets, self._closure(line.value)) for line in tree.body]
        result = self._closure(tree.result)
        for i in range(self.probes.steps):
            before = [environment["x"] for environment in peers]
            for k, environment in enumerate(peers):
                environment.update(t=i + 1.0, g=layout.gradients[k][:, i])
            for targets, closure in lines:
                values = [closure(environment) for environment in peers]
                for environment, value in zip(peers, values, strict=True):
                    environment.update(zip(targets, (value,) if len(targets) == 1 else value, strict=True))
            after = [result(environment) for environment in peers]
            for environment, x in zip(peers, after, strict=True):
                environment["x"] = np.broadcast_to(x, environment[SHAPE])
            yield [_seen(environment, old, observe) for environment, old in zip(peers, before, strict=True)]


def _seen(environment: Environment, before: Array, observe: str) -> Array:
    if observe == "x":
        return np.asarray(environment["x"])
    value = environment["x"] - before if observe == "update" else environment[observe]
    return np.broadcast_to(value, environment[SHAPE])


class MatrixClosures(Closures):
    """Makes functions of expressions: reductions go over rows and columns, over all tensors where it is said."""

    def __init__(self, instead: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__()
        self._instead = instead

    def _made(self, node: Expression) -> Closure:
        if isinstance(node, Name | Number):
            return super()._made(node)
        inner = [self.of(argument) for argument in node.arguments]
        if node.op in self._instead:
            return _of_matrices(self._instead[node.op], node, inner)
        kind = OPERATIONS[node.op].kind
        if kind == "reduction":
            return _reduced(node, inner[0])
        if kind == "matrix":
            return _of_matrices(ARRAYS[node.op], node, inner)
        return super()._made(node)


def _whole(value: Any, environment: Environment) -> Array:
    """Give a number the shape of x."""
    whole: Array = np.broadcast_to(value, environment[SHAPE]) if np.ndim(value) < 2 else value
    return whole


def _of_matrices(function: Callable[..., Any], node: Operation, inner: list[Closure]) -> Closure:
    """Make a function of matrices; arguments beyond its own are numbers that were given by keyword."""
    arity, options = OPERATIONS[node.op].arity, dict(node.options)

    def applied(environment: Environment) -> Any:
        given = [closure(environment) for closure in inner]
        return function(*(_whole(value, environment) for value in given[:arity]), *given[arity:], **options)

    return applied


def _reduced(node: Operation, inner: Closure) -> Closure:
    def total(value: Array) -> Array:
        return np.asarray(np.sum(value, axis=(-2, -1), keepdims=True))

    def reduced(environment: Environment) -> Any:
        peers = environment[PEERS] if node.over == "all" else [environment]
        values = [_whole(inner(peer), peer) for peer in peers]
        if node.op not in ("sum", "mean", "norm"):
            return ENGINE.reduction(node.op, None)(values)
        if node.op == "norm":
            return np.sqrt(sum(total(value * value) for value in values))
        whole = sum(total(value) for value in values)
        return whole if node.op == "sum" else whole / sum(value.shape[-2] * value.shape[-1] for value in values)

    return reduced
