"""A tree as a list of values, each computed once: what kernels are printed from. It knows no arrays and no target.

Every assignment makes a new value (static single assignment), so that `m` before and after the step are two names.
Values have a kind: `STEP` is one double a step (knobs, `t`, `n`, and `k` of the tensor), `TENSOR` one number a tensor
(what reductions give), `COORDINATE` one number a coordinate. Sub-expressions of STEP values alone are values of their
own, computed in double and then entered into the tensors' arithmetic: the walk of `mhat.engines.program`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from mhat.engines.program import MATRIX_OPERATIONS, REDUCTIONS
from mhat.language.algebra import ONE, added, equal
from mhat.language.definition import Rule
from mhat.language.inference import SCALAR
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import names_in, product_length


class Kind(IntEnum):
    """How many numbers a value is: the kind of an operation is the largest of its arguments' kinds."""

    STEP = 0
    TENSOR = 1
    COORDINATE = 2


class NotLowered(Exception):
    """A rule that kernels do not run; the arrays engine does."""


@dataclass(frozen=True)
class Value:
    """One value: its own name, what it is computed from (over names of values), and its kind."""

    id: str
    expression: Expression
    kind: Kind

    @property
    def reduction(self) -> Operation | None:
        """The reduction that this value is, if it is one."""
        node = self.expression
        return node if isinstance(node, Operation) and node.op in REDUCTIONS else None


@dataclass(frozen=True)
class Lowered:
    """A rule in single assignment.

    `sizes`: whether it asks how many numbers a tensor has. `step_values`: doubles, in order. `entered`: the names under
    which tensors see some of them, and the value. `values`: the others, in order. `before`, `after`: the value of each
    state at the start and at the end of a step. `variables`: the last value of each name that the rule assigns.
    `result`: the new x.
    """

    rule: Rule
    sizes: bool
    step_values: tuple[Value, ...]
    entered: Mapping[str, str]
    values: tuple[Value, ...]
    kinds: Mapping[str, Kind]
    before: Mapping[str, str]
    after: Mapping[str, str]
    variables: Mapping[str, str]
    result: str

    def state_kind(self, state: str) -> Kind:
        """The kind of a state: of its value before the step."""
        return self.kinds[self.before[state]]

    def states(self, kind: Kind) -> list[str]:
        """List the states of one kind, in the order of the signature."""
        return [name for name in self.rule.tree.state_names if self.state_kind(name) == kind]

    @property
    def by_id(self) -> dict[str, Value]:
        """The tensors' values by name."""
        return {value.id: value for value in self.values}


# What a kernel is given: names that no value has, since values end in a number.
X, G = "x_in", "g_in"
# How many numbers the tensor has, and all tensors that are stepped have together.
SIZES = {None: "size_in", "all": "all_sizes_in"}


def lower(rule: Rule, *, rearranged: bool = False) -> Lowered:
    """Lower a rule; `rearranged`: averages as `m + (1 - beta) * (g - m)`, quotients by a step's number as products.

    Raises NotLowered for matrix rules and for reductions of what is not one number a coordinate.
    """
    return _Lowering(rule, rearranged).lowered()


@dataclass
class _Lowering:
    rule: Rule
    rearranged: bool
    names: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    step_values: list[Value] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    entered: dict[str, str] = field(default_factory=dict)
    known_steps: dict[Expression, str] = field(default_factory=dict)

    def lowered(self) -> Lowered:
        tree = self.rule.tree
        if tree.given:
            raise NotLowered(f"`{tree.given[0]}`, which steps are given")
        carried = set(tree.state_names) - self.rule.dependence.per_step_states
        self.inputs()
        before = {name: self.names[name] for name in tree.state_names}
        for line in tree.body:
            if len(line.targets) > 1:
                raise NotLowered("a matrix operation")
            (target,) = line.targets
            node = self.rewritten(line.value)
            alone = self.kind(node) == Kind.STEP and carried.isdisjoint(line.targets)
            self.names[target] = self.step_value(node, target) if alone else self.tensor_value(node, target)
        result = self.tensor_value(self.rewritten(tree.result), "result")
        variables = {f"{n}_used" if n in ("x", "g") else n: self.names[n] for n in tree.variables}
        after = {name: self.names[name] for name in tree.state_names}
        sizes = not set(SIZES.values()).isdisjoint(self.entered.values())
        return Lowered(
            self.rule, sizes, tuple(self.step_values), self.entered, tuple(self.values), self.kinds, before, after,
            variables, result,
        )  # fmt: skip

    def inputs(self) -> None:
        tree = self.rule.tree
        for name in ("t", "k", "n", *tree.knob_names):
            self.define(name, f"{name}_in", Kind.STEP)
        self.kinds |= dict.fromkeys(SIZES.values(), Kind.STEP)
        self.define("x", X, Kind.COORDINATE)
        self.define("g", G, Kind.COORDINATE)
        for name in tree.state_names:
            kind = Kind.TENSOR if self.rule.shapes[name] == SCALAR else Kind.COORDINATE
            self.define(name, f"{name}_in", Kind.STEP if name in self.rule.dependence.per_step_states else kind)

    def define(self, name: str, value: str, kind: Kind) -> str:
        self.names[name] = value
        self.kinds[value] = kind
        return value

    def fresh(self, name: str) -> str:
        # The end tells values from whatever else a printed module names.
        return f"{name}_v{len(self.kinds)}"

    def rewritten(self, node: Expression) -> Expression:
        """Write an expression over the names of values, with places left out, so that equal ones are equal."""
        if isinstance(node, Number):
            return Number(node.value)
        if isinstance(node, Name):
            return Name(self.names[node.id])
        if node.op in MATRIX_OPERATIONS:
            raise NotLowered("a matrix operation")
        made = Operation(node.op, tuple(map(self.rewritten, node.arguments)), node.over)
        return self.rearrange(made) if self.rearranged else made

    def kind(self, node: Expression) -> Kind:
        """The kind of an expression over values: a reduction gives one number a tensor."""
        if isinstance(node, Number):
            return Kind.STEP
        if isinstance(node, Name):
            return self.kinds[node.id]
        if node.op in REDUCTIONS:
            return Kind.TENSOR
        return max(map(self.kind, node.arguments), default=Kind.STEP)

    def step_value(self, node: Expression, name: str) -> str:
        """Give the name of a double a step; equal expressions are one value."""
        if isinstance(node, Name):
            return node.id
        if node not in self.known_steps:
            made = self.fresh(name)
            self.kinds[made] = Kind.STEP
            self.step_values.append(Value(made, node, Kind.STEP))
            self.known_steps[node] = made
        return self.known_steps[node]

    def enter(self, node: Expression) -> Name:
        """Let tensors see a double of the step."""
        value = self.step_value(node, "h")
        for name, known in self.entered.items():
            if known == value:
                return Name(name)
        name = self.fresh("e")
        self.entered[name] = value
        self.kinds[name] = Kind.TENSOR
        return Name(name)

    def tensor_value(self, node: Expression, name: str) -> str:
        """Give the name of a value of tensors; a name alone makes no new one."""
        inner = self.with_steps_entered(node)
        if isinstance(inner, Name):
            return inner.id
        return self.add(inner, name)

    def add(self, node: Expression, name: str) -> str:
        made = self.fresh(name)
        kind = max((self.kinds[read] for read in names_in(node)), default=Kind.TENSOR)
        if isinstance(node, Operation) and node.op in REDUCTIONS:
            kind = Kind.TENSOR
        self.kinds[made] = kind
        self.values.append(Value(made, node, kind))
        return made

    def shared(self, node: Expression, name: str) -> Name:
        """Give a value that may have been computed before, for passes over memory are dear."""
        known = next((value.id for value in self.values if value.expression == node), None)
        return Name(known or self.add(node, name))

    def with_steps_entered(self, node: Expression) -> Expression:
        """Replace what is one double a step by its entered name, and each reduction by a value of its own."""
        if self.kind(node) == Kind.STEP:
            return self.enter(node)
        if isinstance(node, Name | Number):
            return node
        exponent = product_length(node)
        if exponent is not None:
            return replace(node, arguments=(self.with_steps_entered(node.arguments[0]), node.arguments[1]))
        if node.op == "size":
            return self.size(node)
        inner = replace(node, arguments=tuple(map(self.with_steps_entered, node.arguments)))
        if node.op not in REDUCTIONS:
            return inner
        (argument,) = inner.arguments
        if max((self.kinds[read] for read in names_in(argument)), default=Kind.STEP) != Kind.COORDINATE:
            raise NotLowered("a reduction of what is not one number a coordinate")
        if not isinstance(argument, Name):
            argument = self.shared(argument, "inner")
        return self.shared(replace(inner, arguments=(argument,)), node.op)

    def size(self, node: Operation) -> Expression:
        """Give the name under which tensors see how many numbers there are: it is known beforehand."""
        if self.kind(node.arguments[0]) != Kind.COORDINATE:
            raise NotLowered("the size of what is not one number a coordinate")
        return self.enter(Name(SIZES[node.over]))

    def rearrange(self, node: Operation) -> Expression:
        """Write averages and quotients of tensors in the form that loses least in float32."""
        if self.kind(node) == Kind.STEP:
            return node
        if node.op == "add":
            return self.as_average(node) or node
        if node.op == "div" and self.kind(node.arguments[1]) == Kind.STEP:
            # The inverse is taken in double, so that it is rounded once, as the divisor itself would be.
            return Operation("mul", (node.arguments[0], Operation("div", (Number(1.0), node.arguments[1]))))
        return node

    def as_average(self, node: Operation) -> Expression | None:
        """Write `b * m + (1 - b) * g` as `m + (1 - b) * (g - m)`: in float32 b and 1 - b do not sum to one.

        Either part can be the one that is kept; a state is, since an average over steps gives it nearly all the weight.
        """
        ways = [
            (old, rest, fresh)
            for kept, new in (node.arguments, node.arguments[::-1])
            for weight, old in _factors(kept)
            for rest, fresh in _factors(new)
            if self.complementary(rest, weight)
        ]
        if not ways:
            return None
        old, rest, fresh = next((way for way in ways if way[0] in self.carried), ways[0])
        return Operation("add", (old, Operation("mul", (rest, Operation("sub", (fresh, old))))))

    @property
    def carried(self) -> list[Expression]:
        """The states as they were before the step."""
        return [Name(f"{name}_in") for name in self.rule.tree.state_names]

    def complementary(self, one: Expression, other: Expression) -> bool:
        """Whether two weights sum to one, whatever the knobs are, perhaps under a name."""
        return equal(added(self.written_out(one), self.written_out(other)), ONE)

    def written_out(self, node: Expression) -> Expression:
        """Give what the name of a step's double stands for."""
        if isinstance(node, Name):
            return next((value.expression for value in self.step_values if value.id == node.id), node)
        return node


def _factors(node: Expression) -> list[tuple[Expression, Expression]]:
    """List the ways to see a product as weight and value."""
    if not (isinstance(node, Operation) and node.op == "mul"):
        return []
    first, second = node.arguments
    return [(first, second), (second, first)]
