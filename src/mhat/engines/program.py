"""A rule made into closures over an arithmetic: the walk that all engines share. It knows no numbers.

Sub-expressions of knobs, `t`, `k` and `n` alone are per-step: computed once a step in double precision,
whatever the precision of the tensors, and then entered into the tensors' arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from mhat.language.definition import Rule
from mhat.language.inference import WHOLE, Level
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import names_in, product_length
from mhat.ops import OPERATIONS

# What an arithmetic computes with: a float, an array, a number of many digits.
Operand = Any
Environment = dict[str, Any]
Compiled = Callable[[Environment], Operand]

REDUCTIONS = frozenset(name for name, op in OPERATIONS.items() if op.kind == "reduction")
MATRIX_OPERATIONS = frozenset(name for name, op in OPERATIONS.items() if op.kind == "matrix")

# Where an environment keeps the environments of all tensors; no name of a rule can be this.
PEERS = "@peers"


class Arithmetic(Protocol):
    """What an engine brings: operations on tensors, on per-step doubles, and the way from one to the other."""

    def operation(self, op: str) -> Callable[..., Operand]:
        """Give an elementwise or matrix operation on tensors; options of it are keyword arguments."""

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Operand]], Operand]:
        """Give a reduction over one tensor (a list of one), or over all tensors."""

    def step_operation(self, op: str) -> Callable[..., Operand]:
        """Give an elementwise operation on per-step numbers."""

    def number(self, value: float) -> Operand:
        """Make a per-step number of a literal."""

    def enter(self, value: Operand) -> Operand:
        """Round a per-step number to the precision that operations on tensors are done in."""

    def store(self, value: Operand) -> Operand:
        """Round what is carried from step to step to the dtype; no change where operations have its precision."""

    def spread(self, value: Operand, x: Operand) -> Operand:
        """Give a value of one number the shape of x."""


class Program:
    """One rule over one arithmetic, ready to be run step by step."""

    def __init__(self, rule: Rule, arithmetic: Arithmetic) -> None:
        tree = rule.tree
        self.rule = rule
        self.arithmetic = arithmetic
        per_step = {"t", "k", "n", *tree.knob_names}
        self._derived = [
            (knob.name, names_in(knob.expression), self._step_value(knob.expression))
            for knob in tree.knobs
            if knob.expression is not None
        ]
        self.per_step_states = rule.dependence.per_step_states
        self._starts = {
            state.name: self._step_value(state.start)
            if state.name in self.per_step_states
            else self._stored(state.start, per_step)
            for state in tree.states
        }
        per_step |= self.per_step_states
        # What a state of tensors carries is entered, even where a line sets it to a per-step value.
        carried = set(tree.state_names) - self.per_step_states
        self._lines: list[tuple[tuple[str, ...], Compiled]] = []
        for line in tree.body:
            alone = names_in(line.value) <= per_step and carried.isdisjoint(line.targets)
            carries = not alone and names_in(line.value) <= per_step
            make = self._stored if carries else self._value
            compiled = self._step_value(line.value) if alone else make(line.value, per_step)
            self._lines.append((line.targets, compiled))
            # In place: copies would make a rule of many lines quadratic.
            (per_step.update if alone else per_step.difference_update)(line.targets)
        self._result = self._stored(tree.result, per_step)
        self.per_step = frozenset(per_step)
        # Reductions count coordinates: a state of tensors has them also where it starts or ends a step as one number.
        self._spread = [
            name for name in tree.state_names
            if name in carried and rule.shapes[name] == WHOLE and rule.level != Level.COORDINATE
        ]  # fmt: skip
        assigned = tree.variables
        # The trace keeps `x` after the step and `g` as given; what a rule assigns to them is kept beside.
        self.recorded = {f"{name}_used" if name in ("x", "g") else name: name for name in assigned}

    def settle(self, environment: Environment, given: Iterable[str]) -> None:
        """Make knobs that are not given of those that are, where their defaults say so."""
        told = set(given)
        for name, read, compiled in self._derived:
            if name not in told and not read.isdisjoint(told):
                environment[name] = compiled(environment)
                told.add(name)

    def start(self, environment: Environment) -> dict[str, Operand]:
        """Compute the states before step 1 from an environment with knobs, `x` and the first `g`."""
        return self.starts([environment])[0]

    def starts(self, environments: Sequence[Environment]) -> list[dict[str, Operand]]:
        """Compute the states before step 1 of all tensors: a start may look at all of them, as a step may."""
        for environment in environments:
            environment[PEERS] = environments
        return [
            {name: compiled(environment) for name, compiled in self._starts.items()} for environment in environments
        ]

    def step(self, environments: Sequence[Environment]) -> list[Operand]:
        """Run one step, all tensors in lockstep: each environment takes the new values, the new x comes back."""
        for environment in environments:
            environment[PEERS] = environments
            for name in self._spread:
                environment[name] = self.arithmetic.spread(environment[name], environment["x"])
        for targets, compiled in self._lines:
            values = [compiled(environment) for environment in environments]
            for environment, value in zip(environments, values, strict=True):
                if len(targets) == 1:
                    environment[targets[0]] = value
                else:
                    environment.update(zip(targets, value, strict=True))
        return [self._result(environment) for environment in environments]

    def entered(self, name: str, value: Operand) -> Operand:
        """Give a variable as the tensors' arithmetic sees it."""
        return self.arithmetic.enter(value) if name in self.per_step else value

    def _value(self, node: Expression, per_step: set[str]) -> Compiled:
        return self._entered(node) if names_in(node) <= per_step else self._tensor_value(node, per_step)

    def _stored(self, node: Expression, per_step: set[str]) -> Compiled:
        """Compute what is carried: operations round their result, what has only entered is still to be rounded."""
        if not names_in(node) <= per_step:
            return self._tensor_value(node, per_step)
        inner, store = self._entered(node), self.arithmetic.store
        return lambda environment: store(inner(environment))

    def _entered(self, node: Expression) -> Compiled:
        inner, enter = self._step_value(node), self.arithmetic.enter
        if isinstance(node, Number):
            constant = enter(inner({}))
            return lambda environment: constant
        return lambda environment: enter(inner(environment))

    def _step_value(self, node: Expression) -> Compiled:
        if isinstance(node, Number):
            constant = self.arithmetic.number(node.value)
            return lambda environment: constant
        if isinstance(node, Name):
            return _reading(node.id)
        if node.op in REDUCTIONS or node.op in MATRIX_OPERATIONS:
            return self._tensor_operation(node, [self._entered(argument) for argument in node.arguments])
        return _applied(node, [self._step_value(a) for a in node.arguments], self.arithmetic.step_operation)

    def _tensor_value(self, node: Expression, per_step: set[str]) -> Compiled:
        if isinstance(node, Name):
            return _reading(node.id)
        if isinstance(node, Number):
            return self._entered(node)
        return self._tensor_operation(node, [self._value(argument, per_step) for argument in node.arguments])

    def _tensor_operation(self, node: Operation, arguments: list[Compiled]) -> Compiled:
        if node.op not in REDUCTIONS:
            return _applied(node, arguments, self.arithmetic.operation)
        reduce, (argument,) = self.arithmetic.reduction(node.op, node.over), arguments
        if node.over == "all":
            return lambda environment: reduce([argument(peer) for peer in environment[PEERS]])
        return lambda environment: reduce([argument(environment)])


def _reading(name: str) -> Compiled:
    return lambda environment: environment[name]


def _applied(node: Operation, arguments: list[Compiled], operation: Callable[[str], Any]) -> Compiled:
    """Make the closure of an operation; a literal power 2 to 4 is a product from left to right."""
    length = product_length(node)
    if length is not None:
        return _product(arguments[0], operation("mul"), length)
    function = partial(operation(node.op), **dict(node.options)) if node.options else operation(node.op)
    if len(arguments) == 1:
        (only,) = arguments
        return lambda environment: function(only(environment))
    if len(arguments) == 2:
        first, second = arguments
        return lambda environment: function(first(environment), second(environment))
    return lambda environment: function(*[argument(environment) for argument in arguments])


def _product(base: Compiled, multiply: Callable[..., Any], length: int) -> Compiled:
    def product(environment: Environment) -> Operand:
        value = base(environment)
        result = value
        for _ in range(length - 1):
            result = multiply(result, value)
        return result

    return product


def first_environment(
    rule: Rule, x: Operand, g: Operand, knobs: Mapping[str, Operand], t: Operand, k: Operand, n: Operand
) -> Environment:
    """Gather what a rule may read before it assigns anything."""
    return {"x": x, "g": g, "t": t, "k": k, "n": n, **rule.knobs, **knobs}
