"""What a rule costs, derived from its tree: what it keeps, what it computes, and what it must see of a tensor.

It knows no rule by name and no dtype.
"""

from __future__ import annotations

from dataclasses import dataclass

from mhat.language.definition import Rule
from mhat.language.inference import SCALAR, WHOLE, Level
from mhat.language.tree import Operation
from mhat.language.walking import all_expressions, names_in, subexpressions
from mhat.ops.table import OPERATIONS

# What is known of a tensor without looking into it.
SIZES = frozenset({"rows", "columns", "size"})


@dataclass(frozen=True)
class Kept:
    """The states of a rule by size: as many numbers as parameters, a row or a column, one a tensor or a step.

    `other`: matrices of another shape, such as one as high and as wide as the matrix is high.
    """

    whole: tuple[str, ...]
    partial: tuple[str, ...]
    other: tuple[str, ...]
    single: tuple[str, ...]

    def bytes_each(self, size: int) -> int:
        """Give the bytes of state a parameter at so many bytes a number; smaller states are left out."""
        return len(self.whole) * size


def kept_by(rule: Rule) -> Kept:
    """Sort the states of a rule by their size."""
    per_step = rule.dependence.per_step_states
    single = [name for name in rule.tree.state_names if name in per_step or rule.shapes[name] == SCALAR]
    whole = [name for name in rule.tree.state_names if name not in single and rule.shapes[name] == WHOLE]
    rest = [name for name in rule.tree.state_names if name not in single and name not in whole]
    partial = [name for name in rest if "1" in rule.shapes[name]]
    other = [name for name in rest if name not in partial]
    return Kept(tuple(whole), tuple(partial), tuple(other), tuple(single))


def operations_of(rule: Rule) -> tuple[int, int]:
    """Count the operations of a step for each coordinate, and those that are done once a step."""
    of = rule.dependence.of
    each = once = 0
    for value in (*(line.value for line in rule.tree.body), rule.tree.result):
        for node in subexpressions(value):
            if isinstance(node, Operation):
                once, each = (once + 1, each) if _is_per_step(node, of) else (once, each + 1)
    return each, once


def _is_per_step(node: Operation, of: dict[str, frozenset[str]]) -> bool:
    return not any({name, *of.get(name, ())} & {"x", "g", "h"} for name in names_in(node))


@dataclass(frozen=True)
class Sight:
    """What a step must see beside its own coordinate, so that a tensor cut into shards steps as a whole one.

    `tensor`: reductions over the tensor, each one number a shard sends; `everything`: reductions over all tensors;
    `matrix`: operations that want the whole matrix in one place; `place`: it asks which tensor it is, or how many.
    """

    tensor: tuple[str, ...]
    everything: tuple[str, ...]
    matrix: tuple[str, ...]
    place: tuple[str, ...]


def sight_of(rule: Rule) -> Sight:
    """Find what a step must see beside its own coordinate."""
    nodes = [node for node in all_expressions(rule.tree) if isinstance(node, Operation)]
    reductions = [node for node in nodes if OPERATIONS[node.op].kind == "reduction"]
    matrices = [
        node.op for node in nodes
        if rule.level == Level.MATRIX and OPERATIONS[node.op].kind == "matrix" and node.op not in SIZES
    ]  # fmt: skip
    return Sight(
        tuple(dict.fromkeys(node.op for node in reductions if node.over is None)),
        tuple(dict.fromkeys(node.op for node in reductions if node.over is not None)),
        tuple(dict.fromkeys(OPERATIONS[op].symbol for op in matrices)),
        tuple(name for name in ("k", "n") if name in rule.tree.inputs),
    )


def on_a_shard(rule: Rule) -> str:
    """Say what a step needs where a tensor is cut into shards, each on a machine of its own."""
    sight = sight_of(rule)
    if sight.matrix:
        return f"the whole matrix in one place: {_listed(sight.matrix)}"
    needs = []
    if sight.tensor:
        needs.append(f"{_listed(sight.tensor)} of the whole tensor: {_numbers(sight.tensor)} from every shard")
    if sight.everything:
        needs.append(f"{_listed(sight.everything)} over all tensors: {_numbers(sight.everything)} from every machine")
    return "; ".join(needs) or "nothing: every shard steps alone"


def _numbers(reductions: tuple[str, ...]) -> str:
    return "one number" if len(reductions) == 1 else f"{len(reductions)} numbers"


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
