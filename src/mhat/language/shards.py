"""What a step must see beside its own coordinate, so that a tensor cut into shards steps as a whole one.

Derived from the tree. It knows no rule by name, no arrays, and nothing of how numbers get from one machine to another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mhat.language.definition import Rule
from mhat.language.inference import Level
from mhat.language.tree import Expression, Name, Operation
from mhat.language.walking import all_expressions
from mhat.ops.table import OPERATIONS

# What is known of a tensor without looking into it.
SIZES = frozenset({"rows", "columns", "size"})


class Need(StrEnum):
    """What the machines must send each other at a step."""

    NOTHING = "nothing"
    TENSOR = "sums over the whole tensor"
    EVERYTHING = "sums over all tensors"
    MATRIX = "the whole matrix"


@dataclass(frozen=True)
class Sight:
    """What a step must see beside its own coordinate.

    `tensor`: reductions over the tensor; `everything`: reductions over all tensors; `matrix`: operations that want the
    whole matrix in one place; `place`: it asks which tensor it is, or how many there are; `sizes`: how large the whole
    tensor is. `numbers`: how many numbers a shard sends for each tensor, and the machines for all tensors together;
    `rounds`: how often they wait for each other, where a reduction is of what an earlier one gave.
    """

    tensor: tuple[str, ...]
    everything: tuple[str, ...]
    matrix: tuple[str, ...]
    place: tuple[str, ...]
    sizes: tuple[str, ...]
    numbers: tuple[int, int]
    rounds: int

    @property
    def need(self) -> Need:
        """The most that it needs."""
        if self.matrix:
            return Need.MATRIX
        return Need.EVERYTHING if self.everything else Need.TENSOR if self.tensor else Need.NOTHING


def sight_of(rule: Rule) -> Sight:
    """Find what a step must see beside its own coordinate; how a state starts counts too.

    >>> from mhat.language import rule
    >>> plain = rule("def plain(x, g, *, lr=0.1):\\n    return x - lr * g / norm(g, over='all')")
    >>> sight_of(plain).need
    <Need.EVERYTHING: 'sums over all tensors'>
    """
    nodes = [node for node in all_expressions(rule.tree) if isinstance(node, Operation)]
    matrices = [
        node.op for node in nodes
        if rule.level == Level.MATRIX and OPERATIONS[node.op].kind == "matrix" and node.op not in SIZES
    ]  # fmt: skip
    reductions = list(_reductions(rule))
    own, shared = ([each for each in reductions if (each[0].over is None) is alone] for alone in (True, False))
    return Sight(
        tuple(dict.fromkeys(node.op for node, _, _ in own)),
        tuple(dict.fromkeys(node.op for node, _, _ in shared)),
        tuple(dict.fromkeys(OPERATIONS[op].symbol for op in matrices)),
        tuple(name for name in ("k", "n") if name in rule.tree.inputs),
        tuple(dict.fromkeys(node.op for node in nodes if node.op in SIZES)),
        (len(own), len(shared)),
        max((depth for _, _, depth in reductions), default=0),
    )


def on_a_shard(rule: Rule) -> str:
    """Say what a step needs where a tensor is cut into shards, each on a machine of its own."""
    sight = sight_of(rule)
    needs = [f"the whole matrix in one place: {_listed(sight.matrix)}"] if sight.matrix else []
    if sight.tensor and not sight.matrix:
        needs.append(f"{_listed(sight.tensor)} of the whole tensor: {_counted(sight.numbers[0])} from every shard")
    if sight.everything:
        many = _counted(sight.numbers[1])
        needs.append(f"{_listed(sight.everything)} over all tensors: {many} from every machine")
    rounds = f", in {sight.rounds} rounds" if sight.rounds > 1 and not sight.matrix else ""
    return "; ".join(needs) + rounds if needs else "nothing: every shard steps alone"


# A reduction, the value it runs over told apart by the lines that made it, and how many rounds it takes to be known.
_Found = tuple[Operation, object, int]


def _reductions(rule: Rule) -> Iterator[_Found]:
    """Yield each different reduction of a step once: of the same name before and after a line they are two."""
    known: dict[str, tuple[int, int]] = {}  # which line assigned a name last, and how many rounds it waits for
    seen: set[object] = set()
    parts: list[tuple[int, tuple[str, ...], Expression]] = [(0, (), state.start) for state in rule.tree.states]
    parts += [(i, line.targets, line.value) for i, line in enumerate(rule.tree.body, 1)]
    parts.append((len(parts), (), rule.tree.result))
    for line, targets, value in parts:
        found: list[_Found] = []
        depth = _depth(value, known, found)
        for each in found:
            if each[1] not in seen:
                seen.add(each[1])
                yield each
        known.update(dict.fromkeys(targets, (line, depth)))


def _depth(node: Expression, known: Mapping[str, tuple[int, int]], found: list[_Found]) -> int:
    """Count the rounds that an expression waits for, and collect its reductions."""
    if isinstance(node, Name):
        return known.get(node.id, (0, 0))[1]
    if not isinstance(node, Operation) or node.op in SIZES:
        return 0
    depth = max((_depth(argument, known, found) for argument in node.arguments), default=0)
    if OPERATIONS[node.op].kind != "reduction":
        return depth
    found.append((node, _told_apart(node, known), depth + 1))
    return depth + 1


def _told_apart(node: Expression, known: Mapping[str, tuple[int, int]]) -> object:
    if isinstance(node, Name):
        return node.id, known.get(node.id, (0, 0))[0]
    if isinstance(node, Operation):
        return node.op, node.over, tuple(_told_apart(argument, known) for argument in node.arguments)
    return node.value


def _counted(numbers: int) -> str:
    return "one number" if numbers == 1 else f"{numbers} numbers"


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
