"""What a tree says about itself: level, per-step parts, and which dimensions each name has. It knows no arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush

from mhat.language.arrows import Node, gathered, members
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import all_expressions, names_in, product_length, subexpressions
from mhat.ops.table import OPERATIONS


class Level(StrEnum):
    """What one coordinate's update looks at: itself, its tensor, or the rows and columns of a matrix."""

    COORDINATE = "per coordinate"
    TENSOR = "per tensor"
    MATRIX = "per matrix"


def level(tree: Tree) -> Level:
    """Infer the level of a rule from the operations it uses."""
    kinds = {OPERATIONS[node.op].kind for node in all_expressions(tree) if isinstance(node, Operation)}
    if "matrix" in kinds:
        return Level.MATRIX
    return Level.TENSOR if "reduction" in kinds else Level.COORDINATE


def reductions_over_all(tree: Tree) -> bool:
    """Whether the rule looks at all tensors at once."""
    return any(isinstance(node, Operation) and node.over == "all" for node in all_expressions(tree))


def names_read(tree: Tree) -> frozenset[str]:
    """Collect every name that the rule reads."""
    return frozenset(node.id for node in all_expressions(tree) if isinstance(node, Name))


# Of these a value is one number a step, the same for every tensor and coordinate.
COUNTERS = ("t", "n")


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
    bases = tuple(dict.fromkeys((*tree.inputs, *tree.knob_names, "x", "g")))
    # Arrows go from a name, or the number of a line, to what it is made of.
    arrows: dict[Node, list[Node]] = {name: [] for name in bases}
    arrows["x"] = ["return"]
    own: dict[Node, int] = {name: 1 << i for i, name in enumerate(bases)}
    for state in tree.states:
        own[state.name], arrows[state.name] = sum(own[name] for name in names_in(state.start)), []
    latest: dict[str, Node] = {}  # for a name assigned in this step, the line that did it last
    for i, line in enumerate(tree.body):
        arrows[i] = [latest.get(name, name) for name in names_in(line.value)]
        for target in line.targets:
            # An input that the rule assigns anew means the new value from here on in this step only.
            arrows.setdefault(f"{target}_used" if target in ("x", "g") else target, []).append(i)
        latest.update(dict.fromkeys(line.targets, i))
    arrows["return"] = [latest.get(name, name) for name in names_in(tree.result)]
    of = gathered(own, arrows)
    found = {name: frozenset(bases[i] for i in members(of[name])) for name in arrows if isinstance(name, str)}
    return Dependence(found, _per_step_states(tree, found))


def _per_step_states(tree: Tree, found: dict[str, frozenset[str]]) -> frozenset[str]:
    """List the states that depend on knobs and counters alone, and that every line sets from what is per-step there.

    A line may read a state of tensors that an earlier line has set to a number of the step: it is one of tensors still.
    """
    allowed = {*COUNTERS, *({"loss"} & {*tree.inputs}), *tree.knob_names}
    states = {name for name in tree.state_names if found[name] <= allowed}
    while True:
        per_step, spoilt = {*allowed, "k", *states}, set[str]()
        carried = set(tree.state_names) - states
        for line in tree.body:
            if names_in(line.value) <= per_step and carried.isdisjoint(line.targets):
                per_step |= set(line.targets)
            else:
                per_step -= set(line.targets)
                spoilt |= states.intersection(line.targets)
        if not spoilt:
            return frozenset(states)
        states -= spoilt


def averages_squares(tree: Tree, knob: str) -> bool:
    """Whether a state that decays by a knob, or by what is made of it, takes in squares."""
    squares: set[str] = set()
    rates = {knob}
    for line in tree.body:
        read = names_in(line.value)
        if read & squares or any(map(_is_square, subexpressions(line.value))):
            squares.update(line.targets)
            if read & rates and any(target in tree.state_names and target in read for target in line.targets):
                return True
        if read & rates and read <= {*COUNTERS, *tree.knob_names, *rates}:
            rates.update(line.targets)
    return False


def _is_square(node: Expression) -> bool:
    if not isinstance(node, Operation):
        return False
    first, *others = node.arguments
    if node.op == "matmul":
        return any(Operation("transpose", (a,)) == b for a, b in (node.arguments, node.arguments[::-1]))
    return (node.op == "mul" and first == others[0]) or product_length(node) == 2


# A shape in terms of the tensor: rows and columns as "rows", "columns" or "1".
Shape = tuple[str, str]
SCALAR: Shape = ("1", "1")
WHOLE: Shape = ("rows", "columns")


def sizes_of(shape: Shape, tensor: tuple[int, ...], ranks: Mapping[str, int]) -> tuple[int, ...]:
    """Give a shape in numbers, where the tensor has the given one; `ranks`: of dimensions that knobs count."""
    if shape == WHOLE:
        return tensor
    if len(tensor) != 2 or shape == SCALAR:
        return ()
    sizes = {"rows": tensor[0], "columns": tensor[1], "least": min(tensor), **ranks}
    first, second = (int(part) if part.isdigit() else sizes[part] for part in shape)
    return first, second


def ranks_of(tree: Tree) -> dict[str, int]:
    """List the dimensions that are as long as a knob says, `@rank`, with the default of the knob."""
    counts = {
        node.arguments[1] for node in all_expressions(tree) if isinstance(node, Operation) and node.op == "leading"
    }
    return {f"@{knob.name}": int(knob.default) for knob in tree.knobs if Name(knob.name) in counts}


def _joined(a: Shape, b: Shape) -> Shape:
    """Broadcast two shapes; of two that do not fit the first is kept (running the rule says so)."""
    first, second = (p if q == "1" else q if p == "1" else p for p, q in zip(a, b, strict=True))
    return first, second


def shapes(tree: Tree) -> dict[str, Shape]:
    """Infer the shape of every state, variable and the result as if each tensor were a matrix.

    Only matrix operations make other shapes than the tensor's own or a single number's.
    """
    known: dict[str, Shape] = {"x": WHOLE, "g": WHOLE, "return": WHOLE}
    known.update(dict.fromkeys((*tree.counters, *tree.knob_names), SCALAR))
    known.update(dict.fromkeys({"h"} & {*tree.inputs}, WHOLE))
    for state in tree.states:
        known[state.name] = shape_of(state.start, known)[0]
    readers: dict[str, list[int]] = {}
    for i, line in enumerate(tree.body):
        for name in names_in(line.value):
            readers.setdefault(name, []).append(i)
    # Lines are looked at in their order, pass after pass, but after the first only those that read what has changed.
    now, later = list(range(len(tree.body))), set[int]()
    waiting = set(now)
    while now:
        i = heappop(now)
        waiting.discard(i)
        for target, shape in zip(tree.body[i].targets, shape_of(tree.body[i].value, known), strict=True):
            key = f"{target}_used" if target in ("x", "g") else target
            joined = _joined(known.get(key, SCALAR), shape)
            if known.setdefault(key, SCALAR) == joined:
                continue
            known[key] = joined
            for reader in readers.get(key, ()):
                if reader <= i:
                    later.add(reader)
                elif reader not in waiting:
                    waiting.add(reader)
                    heappush(now, reader)
        if not now:
            now, later = sorted(later), set()
            waiting = set(now)
    return known


def shape_of(node: Expression, known: Mapping[str, Shape]) -> list[Shape]:
    """Infer the shapes of what an expression gives, over names of known shapes: one, and two for `eigh` and `qr`."""
    if isinstance(node, Number):
        return [SCALAR]
    if isinstance(node, Name):
        return [known.get(node.id, SCALAR)]
    given = [shape_of(argument, known)[0] for argument in node.arguments]
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
        "row_largest": [(rows, "1")],
        "column_largest": [("1", columns)],
        "rows": [SCALAR],
        "columns": [SCALAR],
        "orthogonal": [(rows, columns)],
        "identity": [(rows, columns)],
        "eigh": [("1", rows), (rows, rows)],
        "sorted_by": [(rows, columns)],
    }
    if node.op == "leading":
        return [(rows, _counted(node.arguments[1]))]
    if node.op == "qr":
        shorter = next((part for part in (columns, rows) if part[0] == "@" or part.isdigit()), "least")
        least = rows if rows == columns else shorter
        return [(rows, least), (least, columns)]
    return made[node.op]


def _counted(node: Expression) -> str:
    """Name the dimension that has so many places."""
    return f"@{node.id}" if isinstance(node, Name) else str(int(node.value)) if isinstance(node, Number) else "least"
