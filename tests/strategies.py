"""Random well-formed rules for hypothesis, made from the grammar: all print and parse. It knows no engine.

    rules()                      everything: reductions, over="all", matrix operations
    rules(matrices=False)        elementwise operations and reductions
    rules(elementwise=True)      elementwise operations only: rules per coordinate
    rules(exact_only=True)       `+ - * / sqrt` and integer powers only: the same bits in every engine
    rules(mixed=True)            states of every sort: started and set by whatever is at hand, whatever its shape
    expressions({"g": WHOLE})    one expression over the given names, with the same flags
    applied("clip")              not random: an operation applied to the names a, b, c

Shapes are those of `mhat.language.inference`: operands of matrix operations fit, a reduction always has a
tensor to run over, and a state keeps its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from mhat.language.inference import SCALAR, WHOLE, Shape
from mhat.language.tree import Assignment, Expression, Knob, Name, Number, Operation, State, Tree
from mhat.ops import OPERATIONS

Draw = Callable[..., Any]
STATES = ("m", "v", "s", "z_bar", "delta")
KNOBS = ("lr", "beta1", "beta2", "eps", "kappa")
INPUTS = (("x", "g"), ("x", "g", "t"), ("x", "g", "t", "k", "n"), ("g", "t"), ("x",))
VARIABLES = ("m_hat", "v_hat", "u", "ratio", "d2")
EXACT = ("add", "sub", "mul", "div", "neg", "sqrt", "pow")
ROWS, COLUMNS = ("rows", "rows"), ("columns", "columns")
TURNED = ("columns", "rows")
MATRIX_SHAPES: tuple[Shape, ...] = (WHOLE, SCALAR, ROWS, COLUMNS, TURNED, ("rows", "1"), ("1", "columns"))

# Literals are never negative: the parser reads `-1` as an operation on 1.
NUMBERS = st.one_of(
    st.integers(0, 12).map(float),
    st.sampled_from([0.5, 0.1, 0.9, 0.999, 1e-3, 1e-8, 0.25, 2.5, 1e22]),
    st.floats(0.0, allow_nan=False, allow_infinity=False).map(abs),
)
DEFAULTS = st.one_of(NUMBERS, NUMBERS.map(lambda value: -value))


@dataclass(frozen=True)
class Limits:
    """What random expressions may be made of."""

    exact_only: bool = False
    elementwise: bool = False
    matrices: bool = True
    over_all: bool = True
    depth: int = 3

    @property
    def operations(self) -> tuple[str, ...]:
        """Names of the elementwise operations to choose from."""
        if self.exact_only:
            return EXACT
        return tuple(name for name, definition in OPERATIONS.items() if definition.elementwise)

    @property
    def reductions(self) -> bool:
        """Whether sums over the tensor may be drawn."""
        return not (self.exact_only or self.elementwise)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Shapes that states and variables may have."""
        return MATRIX_SHAPES if self.reductions and self.matrices else (WHOLE, SCALAR)


def _fits(shape: Shape, into: Shape) -> bool:
    return all(a in ("1", b) for a, b in zip(shape, into, strict=True))


class _Grower:
    """Grows expressions over names whose shapes are known by now."""

    def __init__(self, draw: Draw, limits: Limits, names: Mapping[str, Shape]) -> None:
        self.draw: Draw = draw
        self.limits = limits
        self.names = dict(names)
        # States that start as a number have no shape to rely on before something of that shape is assigned.
        self.unshaped: set[str] = set()

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def fitting(self, shape: Shape, depth: int | None = None) -> Expression:
        """Grow an expression that broadcasts to a shape."""
        depth = self.limits.depth if depth is None else depth
        names = [name for name, known in self.names.items() if _fits(known, shape)]
        ways: list[str] = ["number", "name", "name"] if names else ["number"]
        if depth > 0:
            ways += ["operation"] * 5
            ways += ["reduction"] if self.limits.reductions and self.wide() else []
            ways += ["exact"] if shape != SCALAR and self.can(shape) else []
        way = self.pick(*ways)
        if way == "number":
            return Number(self.draw(NUMBERS))
        if way == "name":
            return Name(self.pick(*names))
        if way == "operation":
            return self.elementwise(shape, depth, exact=False)
        return self.reduction(depth) if way == "reduction" else self.exact(shape, depth)

    def exact(self, shape: Shape, depth: int | None = None) -> Expression:
        """Grow an expression of exactly this shape."""
        depth = self.limits.depth if depth is None else depth
        if shape == SCALAR:
            return self.fitting(SCALAR, depth)
        names = [name for name, known in self.shaped().items() if known == shape]
        if depth <= 0 and names:
            return Name(self.pick(*names))
        if depth <= 0:
            return self.matrix(shape, 0)
        ways = (["name"] if names else []) + ["operation"] * 3
        ways += ["matrix"] if len(self.limits.shapes) > 2 and "least" not in shape else []
        way = self.pick(*ways)
        if way == "name":
            return Name(self.pick(*names))
        return self.elementwise(shape, depth, exact=True) if way == "operation" else self.matrix(shape, depth)

    def shaped(self) -> dict[str, Shape]:
        return {name: shape for name, shape in self.names.items() if name not in self.unshaped}

    def can(self, shape: Shape) -> bool:
        """Whether an expression of exactly this shape can be made."""
        if shape in self.shaped().values() or shape == SCALAR:
            return True
        return len(self.limits.shapes) > 2 and WHOLE in self.names.values() and "least" not in shape

    def wide(self) -> list[Shape]:
        """Shapes over which a reduction has more than one number to run."""
        return [shape for shape in dict.fromkeys((*self.limits.shapes, *self.names.values()))
                if shape != SCALAR and self.can(shape)]  # fmt: skip

    def elementwise(self, shape: Shape, depth: int, exact: bool) -> Operation:
        op = str(self.pick(*self.limits.operations))
        arity = OPERATIONS[op].arity
        # An exact shape needs one operand that has it; the exponent of an exact power is no such operand.
        whole = self.draw(st.integers(0, 0 if op == "pow" else arity - 1)) if exact else -1
        arguments = [
            self.exact(shape, depth - 1) if i == whole else self.fitting(shape, depth - 1) for i in range(arity)
        ]
        if op == "pow" and (self.limits.exact_only or self.draw(st.booleans())):
            arguments[1] = self.integer()
        return Operation(op, tuple(arguments))

    def integer(self) -> Expression:
        number = Number(float(self.draw(st.integers(0, 9))))
        ways = ["number", "number", "negative"] + (["t"] if "t" in self.names else [])
        way = self.pick(*ways)
        if way == "t":
            return Operation("add", (Name("t"), number)) if number.value > 4 else Name("t")
        return Operation("neg", (number,)) if way == "negative" else number

    def reduction(self, depth: int) -> Operation:
        if len(self.limits.shapes) > 2 and self.draw(st.integers(0, 4)) == 0:
            return Operation(str(self.pick("rows", "columns")), (self.exact(self.pick(*self.wide()), depth - 1),))
        over = self.pick(None, None, "all") if self.limits.over_all else None
        op = str(self.pick("sum", "mean", "norm", "largest", "size"))
        return Operation(op, (self.exact(self.pick(*self.wide()), depth - 1),), over)

    def matrix(self, shape: Shape, depth: int) -> Operation:
        """Grow an expression whose outermost operation is one on matrices."""
        rows, columns = shape
        down = max(depth - 1, 0)
        other = {"rows": "columns", "columns": "rows"}
        if columns == "1":
            return Operation(str(self.pick("row_mean", "row_largest")), (self.exact((rows, other[rows]), down),))
        if rows == "1":
            op = str(self.pick("column_mean", "column_largest"))
            return Operation(op, (self.exact((other[columns], columns), down),))
        if depth > 0 and self.draw(st.integers(0, 3)) == 0:
            options = self.pick((), (("set", "quintic"),), (("set", "polar express"), ("rounds", 2)), (("rounds", 1),))
            eps = (self.fitting(SCALAR, down),) if self.draw(st.integers(0, 3)) == 0 else ()
            return Operation("orthogonal", (self.exact(shape, down), *eps), options=options)
        if depth > 0 and self.draw(st.integers(0, 5)) == 0:
            return Operation("sorted_by", (self.exact(shape, down), self.exact(("1", columns), down)))
        if rows == columns and depth > 0 and self.draw(st.integers(0, 5)) == 0:
            return Operation("identity", (self.exact(shape, down),))
        if shape == TURNED or (rows != columns and depth > 0 and self.draw(st.booleans())):
            return Operation("transpose", (self.exact((columns, rows), down),))
        inner = other[rows] if rows == columns else "rows"
        if depth > 0:
            inner = str(self.pick(*(k for k in ("rows", "columns", "least")
                                    if self.can((rows, k)) and self.can((k, columns)))))  # fmt: skip
        return Operation("matmul", (self.exact((rows, inner), down), self.exact((inner, columns), down)))


def applied(op: str, *arguments: Expression, over: str | None = None) -> Operation:
    """Apply an operation to the arguments given, and to names if more are needed."""
    definition = OPERATIONS[op]
    arity = 1 if definition.kind == "reduction" else definition.arity
    rest = [Name(name) for name in ("a", "b", "c")][len(arguments) : arity]
    return Operation(op, (*arguments[:arity], *rest), over)


@st.composite
def expressions(
    draw: Draw,
    names: Mapping[str, Shape] | Iterable[str] = ("x", "g"),
    *,
    exact_only: bool = False,
    elementwise: bool = False,
    matrices: bool = True,
    over_all: bool = True,
    depth: int = 3,
) -> Expression:
    """Draw one expression over names (with their shapes, or just names of whole tensors)."""
    known = names if isinstance(names, Mapping) else dict.fromkeys(names, WHOLE)
    grower = _Grower(draw, Limits(exact_only, elementwise, matrices, over_all, depth), known)
    return grower.fitting(WHOLE)


@st.composite
def rules(
    draw: Draw,
    *,
    exact_only: bool = False,
    elementwise: bool = False,
    matrices: bool = True,
    over_all: bool = True,
    mixed: bool = False,
    max_lines: int = 5,
    depth: int = 3,
) -> Tree:
    """Draw a whole rule: the tree of it (`mhat.language.of_tree` makes a rule of that)."""
    limits = Limits(exact_only, elementwise, matrices, over_all, depth)
    inputs = draw(st.sampled_from(INPUTS))
    if len(limits.shapes) > 2:
        inputs = tuple(dict.fromkeys(("x", "g", *inputs)))
    knobs = tuple(
        Knob(name, draw(DEFAULTS)) for name in draw(st.lists(st.sampled_from(KNOBS), unique=True, max_size=3))
    )
    planned = {
        name: draw(st.sampled_from(limits.shapes))
        for name in draw(st.lists(st.sampled_from(STATES), unique=True, max_size=3))
    }
    starts = _Grower(draw, limits, {"x": WHOLE, "g": WHOLE, **{knob.name: SCALAR for knob in knobs}})
    states = []
    unshaped = set()
    for name, shape in planned.items():
        start, shaped = (starts.fitting(WHOLE, 1), True) if mixed else _start(starts, shape)
        states.append(State(name, start))
        unshaped |= set() if shaped else {name}
    grower = _Grower(draw, limits, {name: WHOLE if name in ("x", "g") else SCALAR for name in inputs})
    grower.names.update({**{knob.name: SCALAR for knob in knobs}, **planned})
    grower.unshaped = unshaped
    lines = draw(st.integers(0, max_lines))
    body = [_state_line(grower, planned) if mixed and planned and draw(st.booleans()) else _line(grower, planned)
            for _ in range(lines)]  # fmt: skip
    body += [Assignment((name,), grower.exact(planned[name])) for name in planned if name in grower.unshaped]
    result = grower.exact(WHOLE) if draw(st.integers(0, 3)) else grower.fitting(WHOLE)
    return Tree(draw(st.sampled_from(["rule", "adam_2"])), inputs, tuple(states), knobs, tuple(body), result)


def _start(grower: _Grower, shape: Shape) -> tuple[Expression, bool]:
    """Grow the start of a state, and say whether it gives the state its shape."""
    way = grower.pick("number", "number", "negative", "fitting", "exact")
    if way in ("fitting", "exact"):
        return (grower.exact if way == "exact" else grower.fitting)(shape, 2), way == "exact" or shape == SCALAR
    number = Number(grower.draw(NUMBERS))
    return Operation("neg", (number,)) if way == "negative" else number, shape == SCALAR


def _state_line(grower: _Grower, states: Mapping[str, Shape]) -> Assignment:
    """Set a state to whatever broadcasts: a number of the step, another state, an input as it is."""
    return Assignment((str(grower.pick(*states)),), grower.fitting(WHOLE))


def _line(grower: _Grower, states: Mapping[str, Shape]) -> Assignment:
    inputs = [name for name in ("x", "g") if name in grower.names]
    ways = ["variable"] * 3 + ["state"] * 3 * bool(states) + ["x_eval"] + ["input"] * bool(inputs)
    ways += ["eigh", "qr"] if len(grower.limits.shapes) > 2 else []
    way = grower.pick(*ways)
    if way == "state":
        name = str(grower.pick(*states))
        line = Assignment((name,), grower.exact(states[name]))
        grower.unshaped.discard(name)
        return line
    if way in ("eigh", "qr"):
        return _two(grower, str(way))
    if way == "input":
        name, shape = str(grower.pick(*inputs)), WHOLE
    elif way == "x_eval":
        name, shape = "x_eval", WHOLE
    else:
        name = str(grower.pick(*VARIABLES))
        # A number may become a tensor on a later line and back; beside matrix operations, shapes stay.
        free = name not in grower.names or len(grower.limits.shapes) == 2
        shape = grower.pick(*grower.limits.shapes) if free else grower.names[name]
    line = Assignment((name,), grower.exact(shape))
    grower.names[name] = shape
    return line


def _two(grower: _Grower, op: str) -> Assignment:
    shape = grower.pick(ROWS, COLUMNS) if op == "eigh" else grower.pick(WHOLE, ROWS)
    value = Operation(op, (grower.exact(shape),))
    rows, columns = shape
    least = rows if rows == columns else "least"
    made = {"eigh": [("1", rows), (rows, rows)], "qr": [(rows, least), (least, columns)]}[op]
    targets = tuple(f"{name}{len(grower.names)}" for name in ("first", "second"))
    grower.names.update(zip(targets, made, strict=True))
    return Assignment(targets, value)
