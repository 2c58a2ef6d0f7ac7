"""What a tree says about itself: level, per-step parts, and which dimensions each name has. It knows no arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import expressions, names
from mhat.ops.table import OPERATIONS


class Level(StrEnum):
    """What one coordinate's update looks at: itself, its tensor, or the rows and columns of a matrix."""

    COORDINATE = "per coordinate"
    TENSOR = "per tensor"
    MATRIX = "per matrix"


def level(tree: Tree) -> Level:
    """Infer the level of a rule from the operations it uses."""
    kinds = {OPERATIONS[node.op].kind for node in expressions(tree) if isinstance(node, Operation)}
    if "matrix" in kinds:
        return Level.MATRIX
    return Level.TENSOR if "reduction" in kinds else Level.COORDINATE


def reductions_over_all(tree: Tree) -> bool:
    """Whether the rule looks at all tensors at once."""
    return any(isinstance(node, Operation) and node.over == "all" for node in expressions(tree))


def names_read(tree: Tree) -> frozenset[str]:
    """Collect every name that the rule reads."""
    return frozenset(node.id for node in expressions(tree) if isinstance(node, Name))


# Of these a value is one number a step, the same for every tensor and coordinate.
COUNTERS = ("t", "n")


def is_per_step(node: Expression, per_step: Iterable[str]) -> bool:
    """Whether an expression reads nothing but names that are per-step."""
    return names(node) <= set(per_step)


@dataclass(frozen=True)
class Dependence:
    """What each name depends on, through states from step to step too: inputs and knobs."""

    of: dict[str, frozenset[str]]
    per_step_states: frozenset[str]

    def __getitem__(self, name: str) -> frozenset[str]:
        return self.of[name]


def dependence(tree: Tree) -> Dependence:
    """Infer for every state, variable and the result (under the name `return`) what it depends on.

    A state that depends on knobs and the step number alone is a per-step state: one number a step.
    """
    found: dict[str, frozenset[str]] = {name: frozenset([name]) for name in (*tree.inputs, *tree.knob_names)}
    found.update({name: frozenset([name]) for name in ("x", "g") if name not in found})
    for state in tree.states:
        found[state.name] = _union(names(state.start), found)
    while True:
        before = dict(found)
        current = dict(found)
        everywhere = {name: found[name] for name in found}
        for line in tree.body:
            reached = _union(names(line.value), current)
            for target in line.targets:
                # An input that the rule assigns anew means the new value from here on in this step only.
                current[target] = reached
                if target not in ("x", "g"):
                    everywhere[target] = everywhere.get(target, frozenset()) | reached
                else:
                    everywhere[f"{target}_used"] = everywhere.get(f"{target}_used", frozenset()) | reached
        everywhere["return"] = _union(names(tree.result), current)
        everywhere["x"] = found["x"] | everywhere["return"]
        found = everywhere
        if found == before:
            break
    allowed = {*COUNTERS, *tree.knob_names}
    counters = frozenset(name for name in tree.state_names if found[name] <= allowed)
    return Dependence(found, counters)


def _union(read: Iterable[str], known: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(known[name] for name in read))


# A shape in terms of the tensor: rows and columns as "rows", "columns" or "1".
Shape = tuple[str, str]
SCALAR: Shape = ("1", "1")
WHOLE: Shape = ("rows", "columns")


def _joined(a: Shape, b: Shape) -> Shape:
    """Broadcast two shapes; of two that do not fit the first is kept (running the rule says so)."""
    first, second = (p if q == "1" else q if p == "1" else p for p, q in zip(a, b, strict=True))
    return first, second


def shapes(tree: Tree) -> dict[str, Shape]:
    """Infer the shape of every state, variable and the result as if each tensor were a matrix.

    Only matrix operations make other shapes than the tensor's own or a single number's.
    """
    known: dict[str, Shape] = {"x": WHOLE, "g": WHOLE, "return": WHOLE}
    known.update(dict.fromkeys(("t", "k", "n", *tree.knob_names), SCALAR))
    for state in tree.states:
        known[state.name] = _shape(state.start, known)[0]
    while True:
        before = dict(known)
        for line in tree.body:
            given = _shape(line.value, known)
            for target, shape in zip(line.targets, given, strict=True):
                key = f"{target}_used" if target in ("x", "g") else target
                known[key] = _joined(known.get(key, SCALAR), shape)
        if known == before:
            return known


def _shape(node: Expression, known: dict[str, Shape]) -> list[Shape]:
    if isinstance(node, Number):
        return [SCALAR]
    if isinstance(node, Name):
        return [known.get(node.id, SCALAR)]
    given = [_shape(argument, known)[0] for argument in node.arguments]
    definition = OPERATIONS[node.op]
    if definition.kind == "reduction":
        return [SCALAR]
    if definition.kind != "matrix":
        shape = SCALAR
        for other in given:
            shape = _joined(shape, other)
        return [shape]
    rows, columns = given[0]
    made: dict[str, list[Shape]] = {
        "matmul": [(rows, given[-1][1])],
        "transpose": [(columns, rows)],
        "row_mean": [(rows, "1")],
        "column_mean": [("1", columns)],
        "orthogonal": [(rows, columns)],
        "eigh": [("1", rows), (rows, rows)],
        "qr": [(rows, "least" if rows != columns else rows), ("least" if rows != columns else rows, columns)],
    }
    return made[node.op]
