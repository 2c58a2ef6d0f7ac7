"""A rule as a list of values for languages with types: each assigned once, numbers of the step apart from arrays.

A reduction is a value of its own, so that a file has one loop for each, and one that moves x. It knows no language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from mhat.language.definition import Rule
from mhat.language.inference import SCALAR
from mhat.language.tree import EVALUATION, Expression, Name, Number, Operation
from mhat.language.walking import names_in
from mhat.ops.table import OPERATIONS

# What is read as it was before the step has this behind its name, which no name of a rule can have.
BEFORE = "@"


class Kind(IntEnum):
    """How many numbers a value is: one a step, in double; one of the arrays' type; one for each coordinate."""

    STEP = 0
    SINGLE = 1
    EACH = 2


@dataclass(frozen=True)
class Value:
    """One value: its name in the file, what it is made of, its kind; `reduction`: of what its expression gives."""

    name: str
    expression: Expression
    kind: Kind
    reduction: str | None = None


@dataclass
class Values:
    """The values of one function of a file, in order, and what it gives: for each name outside, a value's."""

    kinds: dict[str, Kind]
    values: list[Value] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)

    def prune(self) -> None:
        """Leave out values that nothing needs."""
        wanted, kept = set(self.given.values()), []
        for value in reversed(self.values):
            if value.name in wanted:
                kept.append(value)
                wanted |= names_in(value.expression)
        self.values = kept[::-1]

    def needed(self, roots: Iterable[Expression], before: int) -> list[Value]:
        """List the values of each coordinate among the first `before` that some expressions need, in order."""
        wanted = set().union(*map(names_in, roots))
        found = []
        for value in reversed(self.values[:before]):
            if value.kind == Kind.EACH and value.name in wanted:
                found.append(value)
                wanted |= names_in(value.expression)
        return found[::-1]


def state_kinds(rule: Rule) -> dict[str, Kind]:
    """Say how each state is carried."""
    per_step = rule.dependence.per_step_states
    return {
        name: Kind.STEP if name in per_step else Kind.SINGLE if rule.shapes[name] == SCALAR else Kind.EACH
        for name in rule.tree.state_names
    }


class _Lowering:
    """Makes values of lines."""

    def __init__(self, rule: Rule, taken: Iterable[str]) -> None:
        self.rule = rule
        self.states = state_kinds(rule)
        self.taken = set(taken)
        arrays = {f"{name}{BEFORE}": Kind.EACH for name in ("x", "g", "h")}
        carried = {f"{name}{BEFORE}": kind for name, kind in self.states.items()}
        numbers = dict.fromkeys((*rule.tree.counters, *rule.tree.knob_names), Kind.STEP)
        self.made = Values({**arrays, **carried, **numbers})
        self.current = {name: f"{name}{BEFORE}" for name in ("x", "g", "h", *self.states)}

    def kind(self, node: Expression) -> Kind:
        if isinstance(node, Number):
            return Kind.STEP
        if isinstance(node, Name):
            return self.made.kinds[node.id]
        if node.op == "size":
            return Kind.STEP
        return max(map(self.kind, node.arguments))

    def free(self, stem: str) -> str:
        names = (stem, *(f"{stem}_{i}" for i in range(2, 10_000)))
        name = next(each for each in names if each not in self.taken and each not in self.made.kinds)
        self.taken.add(name)
        return name

    def add(self, stem: str, node: Expression, kind: Kind, reduction: str | None = None) -> str:
        name = self.free(stem)
        self.made.kinds[name] = kind
        self.made.values.append(Value(name, node, kind, reduction))
        return name

    def lowered(self, node: Expression) -> Expression:
        """Rename what is read, and take reductions out."""
        if isinstance(node, Number):
            return node
        if isinstance(node, Name):
            return Name(self.current.get(node.id, node.id))
        arguments = tuple(map(self.lowered, node.arguments))
        if OPERATIONS[node.op].kind != "reduction" or node.op == "size":
            return Operation(node.op, arguments)
        (argument,) = arguments
        if self.kind(argument) == Kind.EACH:
            subject = node.arguments[0]
            stem = f"{node.op}_{subject.id}" if isinstance(subject, Name) else f"{node.op}_of_all"
            return Name(self.add(stem, argument, Kind.SINGLE, node.op))
        # Of one number: the number itself, or its size.
        return Operation("sqrt", (Operation("mul", (argument, argument)),)) if node.op == "norm" else argument

    def assign(self, name: str, node: Expression) -> None:
        value = self.lowered(node)
        least = Kind.EACH if name in ("x", "g", "h", EVALUATION) else self.states.get(name, Kind.STEP)
        self.current[name] = self.add(name, value, max(least, self.kind(value)))


def starting_values(rule: Rule, taken: Iterable[str]) -> Values:
    """Make the values that states start with: `given` says which is whose."""
    lowering = _Lowering(rule, taken)
    for state in rule.tree.states:
        value = lowering.lowered(state.start)
        kind = lowering.states[state.name]
        lowering.made.given[state.name] = lowering.add(state.name, value, kind)
    lowering.made.prune()
    return lowering.made


def stepping_values(rule: Rule, taken: Iterable[str]) -> Values:
    """Make the values of a step: `given` says which is the new x, which each state that changes, which x_eval."""
    lowering = _Lowering(rule, taken)
    for line in rule.tree.body:
        lowering.assign(line.targets[0], line.value)
    current: Mapping[str, str] = dict(lowering.current)
    changed = [name for name in (*rule.tree.state_names, EVALUATION) if name in rule.variables]
    lowering.made.given = {name: current[name] for name in changed}
    result = lowering.lowered(rule.tree.result)
    lowering.made.given["x"] = lowering.add("moved", result, Kind.EACH)
    lowering.made.prune()
    return lowering.made
