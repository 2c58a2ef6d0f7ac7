"""The grammar of the rule language on one page: frozen nodes, each with its place. It knows no meaning and no text.

    rule       = name, inputs, states, knobs, body of assignments, result, flatten
    state      = name, start: expression over knobs, `x` and the first `g`
    knob       = name, default: number, or expression over earlier knobs
    assignment = targets (several only for `eigh` and `qr`), value: expression
    expression = Number | Name | Operation(op, arguments, over, options)

Every operator and every function call is an `Operation` named as in `mhat.ops.OPERATIONS`; `a if c
else b` is `where`. Two trees are equal if they mean the same assignments: places do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from mhat.errors import Place
from mhat.ops.table import OPERATIONS

INPUTS = ("x", "g", "t", "k", "n", "loss", "h")
# What only some callers have. A state or a knob of these names has a default, which tells it from the input.
GIVEN = {"loss": "the loss at x, a number", "h": "a second array of the shape of x, such as the diagonal of a Hessian"}
EVALUATION = "x_eval"
# What traces call something else. A knob may be called `rule`: it is no variable of a trace.
RESERVED = {
    "step": "is the dimension of every trace",
    "rule": "is the dimension of a trace of several rules",
    "x_used": "is what a trace calls the `x` that a rule assigns",
    "g_used": "is what a trace calls the `g` that a rule assigns",
    "inf": "is infinity",
}
# How a rule per matrix sees a tensor of more dimensions, if it says so.
FLATTENINGS = {"first": "all axes but the first together", "last": "all axes but the last together"}
KNOBS_MAY_BE = frozenset({"rule"})
# Functions whose names a rule that does not call them may have for its own: they are words that people use.
ALSO_NAMES = frozenset({
    "columns", "column_largest", "identity", "largest", "leading", "round", "row_largest", "rows", "size", "sorted_by",
    "tanh",
})  # fmt: skip


def is_taken(name: str, kind: str = "variable") -> str:
    """Say what a name means already, so that no variable, state or knob (`kind`) may have it; nothing if it is free."""
    if name in RESERVED and not (kind == "knob" and name in KNOBS_MAY_BE):
        return RESERVED[name]
    return "is a function of mhat.ops" if name in OPERATIONS else ""


@dataclass(frozen=True)
class Number:
    """A literal, always a double."""

    value: float
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Name:
    """An input, a state, a knob or a variable."""

    id: str
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Operation:
    """An operator or a function applied to its arguments; `over` is "all" for a reduction over all tensors.

    `options` are words given by keyword, such as the coefficients of `orthogonal`; a number given so, its `eps`, is a
    further argument.
    """

    op: str
    arguments: tuple[Expression, ...]
    over: str | None = None
    place: Place | None = field(default=None, compare=False, repr=False)
    options: tuple[tuple[str, str | int], ...] = ()


Expression = Number | Name | Operation


@dataclass(frozen=True)
class Assignment:
    """One line of the body: the targets take the value."""

    targets: tuple[str, ...]
    value: Expression
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class State:
    """What is carried from step to step; `start` is its value before step 1."""

    name: str
    start: Expression
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Knob:
    """A hyperparameter with its default; `expression` gives it anew from earlier knobs that are set."""

    name: str
    default: float
    place: Place | None = field(default=None, compare=False, repr=False)
    expression: Expression | None = None


@dataclass(frozen=True)
class Tree:
    """A whole rule. `flatten`: how a rule per matrix sees tensors of more dimensions, None where it takes none."""

    name: str
    inputs: tuple[str, ...]
    states: tuple[State, ...]
    knobs: tuple[Knob, ...]
    body: tuple[Assignment, ...]
    result: Expression
    flatten: str | None = None

    @cached_property
    def given(self) -> tuple[str, ...]:
        """Inputs that only some callers have: `loss`, `h`."""
        return tuple(name for name in self.inputs if name in GIVEN)

    @cached_property
    def counters(self) -> tuple[str, ...]:
        """Inputs that are one number, and the same for all coordinates."""
        return ("t", "k", "n", "loss") if "loss" in self.inputs else ("t", "k", "n")

    @cached_property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states, in the order of the signature."""
        return tuple(state.name for state in self.states)

    @cached_property
    def knob_names(self) -> tuple[str, ...]:
        """Names of the knobs, in the order of the signature."""
        return tuple(knob.name for knob in self.knobs)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Names that the body assigns, each once, in the order of first assignment."""
        return tuple(dict.fromkeys(target for line in self.body for target in line.targets))


def check_expression(node: Expression) -> None:
    """Check that an expression is of the grammar: known operations, right number of arguments.

    Raises ValueError. The parser cannot make such a tree; code that makes trees (edits, modifiers) can.
    """
    if not isinstance(node, Operation):
        return
    definition = OPERATIONS.get(node.op)
    if definition is None:
        raise ValueError(f"there is no operation {node.op!r}")
    arity = definition.arity
    if not arity <= len(node.arguments) <= arity + len(definition.numbers):
        raise ValueError(f"{node.op} takes {arity} arguments, not {len(node.arguments)}")
    for name, _ in node.options:
        if name not in definition.words:
            raise ValueError(f"{name}= does not belong to {node.op}")
    if node.over is not None and (definition.kind != "reduction" or node.over != "all"):
        raise ValueError(f"over={node.over!r} does not belong to {node.op}")
    for argument in node.arguments:
        check_expression(argument)
