"""A rule made into closures over an arithmetic: the walk that all engines share. It knows no numbers.

Sub-expressions of knobs, `t`, `k` and `n` alone are per-step: computed once a step in double precision,
whatever the precision of the tensors, and then entered into the tensors' arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.inference import SCALAR, WHOLE, Level, shape_of, sizes_of
from mhat.language.tree import GIVEN, Expression, Name, Number, Operation
from mhat.language.walking import names_in, product_length, subexpressions
from mhat.ops import OPERATIONS

# What an arithmetic computes with: a float, an array, a number of many digits.
Operand = Any
Environment = dict[str, Any]
NOTHING: Mapping[str, Any] = {}
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

    def truth(self, value: Operand) -> bool | None:
        """Say whether a per-step number is true where tensors see it; None where that is not known."""

    def shape(self, value: Operand) -> tuple[int, ...]:
        """Give the shape of one tensor, without what counts members of a batch."""


@dataclass
class _Pending:
    """A line that waits until somebody reads what it assigns, with what it reads itself as that was."""

    compiled: Compiled
    read: Environment
    value: Any = None
    done: bool = False

    def forced(self) -> Any:
        if not self.done:
            self.value, self.done, self.read = self.compiled(self.read), True, {}
        return self.value


class Program:
    """One rule over one arithmetic, ready to be run step by step.

    A choice whose condition is one number a step computes the branch that it takes, and no other. `keep`: the variables
    that the caller reads after a step, None for all; a line that only feeds branches that are not taken is not computed
    where nobody reads what it assigns.
    """

    def __init__(self, rule: Rule, arithmetic: Arithmetic, keep: Collection[str] | None = None) -> None:
        tree = rule.tree
        self.rule = rule
        self.arithmetic = arithmetic
        per_step = {*tree.counters, *tree.knob_names}
        waiting = frozenset() if keep is None else _waiting_lines(rule, keep)
        self._may_wait = {target for i in waiting for target in tree.body[i].targets}
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
        self._lines: list[tuple[tuple[str, ...], Compiled, frozenset[str] | None]] = []
        for i, line in enumerate(tree.body):
            alone = names_in(line.value) <= per_step and carried.isdisjoint(line.targets)
            carries = not alone and names_in(line.value) <= per_step
            make = self._stored if carries else self._value
            compiled = self._step_value(line.value) if alone else make(line.value, per_step)
            # The shape of x is asked for too.
            read = frozenset({"x", *names_in(line.value)}) if i in waiting else None
            self._lines.append((line.targets, compiled, read))
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
        for targets, compiled, read in self._lines:
            if read is not None:
                for environment in environments:
                    pending = _Pending(compiled, {name: environment[name] for name in read})
                    for place, target in enumerate(targets):
                        environment[target] = (pending, place if len(targets) > 1 else None)
                continue
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
            return _forcing(node.id) if node.id in self._may_wait else _reading(node.id)
        if isinstance(node, Number):
            return self._entered(node)
        if node.op == "where" and names_in(node.arguments[0]) <= per_step:
            return self._choice(node, per_step)
        return self._tensor_operation(node, [self._value(argument, per_step) for argument in node.arguments])

    def _choice(self, node: Operation, per_step: set[str]) -> Compiled:
        """Choose by a number of the step: the branch that is taken is computed alone, if it has the shape of both."""
        condition, truth = self._step_value(node.arguments[0]), self.arithmetic.truth
        branches = [self._value(branch, per_step) for branch in node.arguments[1:]]
        both = self._tensor_operation(node, [self._entered(node.arguments[0]), *branches])
        store, of_value = self.arithmetic.store, self.arithmetic.shape
        alone = self.rule.level == Level.COORDINATE
        parts = () if alone else (node, *node.arguments[1:])
        whole, *shapes = [shape_of(part, self.rule.shapes)[0] for part in parts] or [SCALAR, SCALAR, SCALAR]
        fitting, alone = [shape == whole for shape in shapes], whole == SCALAR

        def chosen(environment: Environment) -> Operand:
            true = truth(condition(environment))
            place = 0 if true else 1
            if true is None or not fitting[place]:
                return both(environment)
            value = store(branches[place](environment))
            # A state may still be the one number that it starts as.
            if alone or of_value(value) == sizes_of(whole, of_value(environment["x"]), self.rule.ranks):
                return value
            return both(environment)

        return chosen

    def _tensor_operation(self, node: Operation, arguments: list[Compiled]) -> Compiled:
        if node.op not in REDUCTIONS:
            return _applied(node, arguments, self.arithmetic.operation)
        reduce, (argument,) = self.arithmetic.reduction(node.op, node.over), arguments
        if node.over == "all":
            return lambda environment: reduce([argument(peer) for peer in environment[PEERS]])
        return lambda environment: reduce([argument(environment)])


def _reading(name: str) -> Compiled:
    return lambda environment: environment[name]


def _forcing(name: str) -> Compiled:
    def read(environment: Environment) -> Operand:
        value = environment[name]
        if type(value) is not tuple:
            return value
        pending, place = value
        made = pending.forced()
        return made if place is None else made[place]

    return read


def _waiting_lines(rule: Rule, keep: Collection[str]) -> frozenset[int]:
    """Find the lines whose values are wanted, if at all, in branches that a number of the step chooses.

    What states carry, what is kept and what is the same for all tensors never waits.
    """
    tree = rule.tree
    per_step = {*tree.counters, *tree.knob_names, *rule.dependence.per_step_states}
    wanted: list[set[str] | None] = []
    for line in tree.body:
        read = names_in(line.value)
        alone = read <= per_step
        over_all = any(isinstance(node, Operation) and node.over for node in subexpressions(line.value))
        wanted.append(None if alone or over_all else _wanted(line.value, per_step))
        (per_step.update if alone else per_step.difference_update)(line.targets)
    inner = {f"{name}_used" if name in ("x", "g") else name: name for name in tree.variables}
    needed = {*tree.state_names, *(inner[name] for name in keep if name in inner), *_wanted(tree.result, per_step)}
    found = set()
    for i, line in reversed(list(enumerate(tree.body))):
        own = wanted[i]
        if own is not None and needed.isdisjoint(line.targets) and {"x", "g"}.isdisjoint(line.targets):
            found.add(i)
            continue
        needed.difference_update(line.targets)
        needed |= names_in(line.value) if own is None else own
    return frozenset(found)


def _wanted(node: Expression, per_step: set[str]) -> set[str]:
    """Collect the names that are read whatever is chosen."""
    if isinstance(node, Operation) and node.op == "where" and names_in(node.arguments[0]) <= per_step:
        return names_in(node.arguments[0])
    if isinstance(node, Operation):
        return set().union(*(_wanted(argument, per_step) for argument in node.arguments))
    return names_in(node)


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
    rule: Rule, x: Operand, g: Operand, knobs: Mapping[str, Operand], t: Operand, k: Operand, n: Operand,
    given: Mapping[str, Operand] = NOTHING,
) -> Environment:  # fmt: skip
    """Gather what a rule may read before it assigns anything; raises BadValue where it reads what there is not."""
    for name in rule.tree.given:
        if name not in given:
            raise lacking(rule, name, "there is none here")
    return {"x": x, "g": g, "t": t, "k": k, "n": n, **rule.knobs, **knobs, **given}


def lacking(rule: Rule, name: str, why: str, cure: str = "") -> BadValue:
    """Say that a rule reads what its caller does not have."""
    usual = f"mhat.step and the step of mhat.Optimizer are given it: {name}=...; on a landscape a trace has it."
    return BadValue(f"{rule.name} reads `{name}` ({GIVEN[name]}), and {why}", cure or usual)
