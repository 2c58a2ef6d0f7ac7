"""In which order a trace goes through time: what carries from step to step first, the rest many steps at once.

A value that depends on itself through the state of the step before (an average, x) must be computed step by step; all
others can be computed for a block of steps in one loop without order. Stages alternate: 0 is free, 1 step by step,
2 free again, and so on; a value stands in the first stage in which all it reads is known. It knows no target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mhat.engines.kernels.lowering import Kind, Lowered, Value, X
from mhat.language.tree import Expression, Name, Operation
from mhat.language.walking import names_in, product_length


@dataclass(frozen=True)
class Stages:
    """A lowered rule with its stages.

    `values`: values in order, with what does not carry taken out of those that do. `stage`: of each
    value. `carried`: names of the state (and x) at the start of a step, and the value that each takes next.
    """

    values: tuple[Value, ...]
    stage: Mapping[str, int]
    carried: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many stages there are."""
        return max(self.stage.values(), default=0) + 1

    def at(self, stage: int) -> list[Value]:
        """List the values of a stage, in order."""
        return [value for value in self.values if self.stage[value.id] == stage]


def stages_of(lowered: Lowered) -> Stages:
    """Find the stages of a rule without reductions."""
    carried = {lowered.before[name]: lowered.after[name] for name in lowered.states(Kind.COORDINATE)}
    carried[X] = lowered.result
    # What is computed from numbers of the step alone, but as tensors are, is one number for all coordinates.
    values = list(lowered.values)
    taken = _taken_over(carried, {value.id for value in values})
    carried |= {name: value.id for name, value in taken.items()}
    values = [*values, *taken.values()]
    circles = _circles(values, carried)
    values = [part for value in values for part in _taken_apart(value, circles)]
    return Stages(tuple(values), _settled(values, carried), carried)


def _taken_over(carried: Mapping[str, str], own: set[str]) -> dict[str, Value]:
    """Make a value of its own of what a state takes over: the gradient, a number of the step, what another state has.

    The row of a state's next value begins with the state itself, so no two states have one row.
    """
    taken: dict[str, Value] = {}
    for name, after in carried.items():
        others = [other for other in carried if other != name and carried[other] == after and other not in taken]
        if after != name and (after not in own or others):
            taken[name] = Value(f"{name}_next", Name(after), Kind.COORDINATE)
    return taken


def _settled(values: list[Value], carried: Mapping[str, str]) -> dict[str, int]:
    """Give each value its stage; stages only grow, so this comes to an end."""
    groups = _groups(values, carried)
    own = {name: group for group in groups for name in group}
    stage = {value.id: 0 for value in values}
    before: dict[str, int] = {}
    while before != stage:
        before = dict(stage)
        for value in values:
            circle = own.get(value.id, set[str]())
            read = [carried.get(name, name) for name in names_in(value.expression) - circle]
            least = max([stage[value.id], *(stage.get(name, 0) for name in read)])
            stage[value.id] = least if least % 2 == bool(circle) else least + 1
        for group in groups:
            together = max((stage[name] for name in group if name in stage), default=0)
            stage.update({name: together for name in group if name in stage})
    return stage


def _reads(values: list[Value], carried: Mapping[str, str]) -> dict[str, set[str]]:
    graph = {value.id: names_in(value.expression) for value in values}
    graph.update({before: {after} for before, after in carried.items()})
    return graph


def _groups(values: list[Value], carried: Mapping[str, str]) -> list[set[str]]:
    """List the circles: sets of names each of which depends on each, through time."""
    graph = _reads(values, carried)
    reach = {name: reached(graph, name) for name in graph}
    found: list[set[str]] = []
    for name in graph:
        if name in reach[name] and not any(name in circle for circle in found):
            found.append({other for other in reach[name] if name in reach.get(other, ())})
    return found


def reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """Find all names that one leads to."""
    seen: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph.get(name, ())
    return seen


def _circles(values: list[Value], carried: Mapping[str, str]) -> set[str]:
    return set().union(*_groups(values, carried))


def _taken_apart(value: Value, circles: set[str]) -> list[Value]:
    """Take out of a value that carries the parts that do not, as values of their own."""
    if value.id not in circles:
        return [value]
    parts: list[Value] = []

    def inner(node: Expression) -> Expression:
        if not isinstance(node, Operation):
            return node
        if names_in(node).isdisjoint(circles):
            parts.append(Value(f"{value.id}_part_{len(parts)}", node, Kind.COORDINATE))
            return Name(parts[-1].id)
        if product_length(node) is not None:
            return replace(node, arguments=(inner(node.arguments[0]), node.arguments[1]))
        return replace(node, arguments=tuple(map(inner, node.arguments)))

    made = replace(value, expression=inner(value.expression))
    return [*parts, made]
