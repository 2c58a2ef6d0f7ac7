"""What a state is from step to step: a share of what it was, and what is fed into it. It knows no numbers.

`recurrences_of(rule)` composes all lines of a rule, those that read a state again and store it back too, into

    s = gain * s + weight * input + offset

for each state where that is so: `gain`, `weight` and `offset` are made of knobs, literals, `t`, and states that are one
number a step. Averages, running sums and running products are seen here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mhat.language.algebra import ONE, ZERO, added, divided, equal, multiplied, negated, subtracted
from mhat.language.definition import Rule
from mhat.language.inference import COUNTERS, dependence
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.walking import mapped, names_in, subexpressions

Form = Literal["textbook", "lerp", "other"]
Kind = Literal["average", "sum", "decaying sum", "product", "last"]
# Between the name of a variable and the line that gave it its value.
_LINE = "@"
# Where all lines of a rule are written out in one, it is left alone beyond this.
MOST_NODES = 2000
DEEPEST = 100


@dataclass(frozen=True)
class Recurrence:
    """A state `s = gain * s + fed` from step to step, `fed = weight * input + offset`.

    `fed` does not read the state. Its names mean what they do where it is read; where that would be two things, what
    they had before the step. Without an input, `weight` is None too. `form`: how the line is written, "other" where it
    is composed of several. `lines`: those that set the state, counted from 1. `fed_before` is what is fed with every
    variable written out: all its names mean what they did before the step.
    """

    state: str
    gain: Expression
    fed: Expression
    weight: Expression | None
    input: Expression | None
    offset: Expression
    form: Form
    lines: tuple[int, ...]
    fed_before: Expression

    @property
    def is_average(self) -> bool:
        """Whether gain and weight sum to one, whatever the knobs are."""
        return self.weight is not None and equal(added(self.gain, self.weight), ONE)

    @property
    def kind(self) -> Kind:
        """What it is, in a word or two: `last` keeps nothing of what it was, a `product` is fed nothing."""
        if equal(self.gain, ZERO):
            return "last"
        if self.fed == ZERO:
            return "product"
        if self.is_average:
            return "average"
        return "sum" if equal(self.gain, ONE) else "decaying sum"

    @property
    def changes_with_t(self) -> bool:
        """Whether its gain is written with the number of the step."""
        return "t" in names_in(self.gain)


@dataclass(frozen=True)
class _Linear:
    """`gain * s + fed` for the state as it was before the step."""

    gain: Expression
    fed: Expression


def recurrences_of(rule: Rule | Tree) -> Mapping[str, Recurrence | None]:
    """Give for every state what it is from step to step, None where that is nothing so plain."""
    return {name: recurrence_of(rule, name) for name in _tree(rule).state_names}


def recurrence_of(rule: Rule | Tree, name: str) -> Recurrence | None:
    """Give what a state, or `x`, is from step to step; None where it is no share of what it was, and something more."""
    return _Composition(_tree(rule), name).recurrence()


def recurrence_of_line(rule: Rule | Tree, number: int) -> Recurrence | None:
    """Give what one line, counted from 1, by itself makes of a state; None if it is no share of what it was.

    What the line reads of other lines counts as fed, also where the state stands behind it:
    `u = rho * u + (1 - rho) * ratio**2` averages the squared ratio, though `ratio` is made of `u`.
    """
    tree = _tree(rule)
    line = tree.body[number - 1]
    if len(line.targets) > 1 or line.targets[0] not in tree.state_names:
        return None
    return _Composition(tree, line.targets[0]).recurrence_of_line(line, number)


def shares_of(line: Assignment) -> tuple[Expression, Expression, Expression] | None:
    """Take a line `s = a * s + b * u`, in whatever order or as `s + b * (u - s)`, apart into a, b and u.

    None for other lines. Nothing is asked of a and b but that they do not read the state.
    """
    if len(line.targets) > 1:
        return None
    known: dict[str, _Linear | None] = {name: _Linear(ZERO, Name(name)) for name in names_in(line.value)}
    total = _linear({**known, line.targets[0]: _Linear(ONE, ZERO)}, line.value)
    if total is None or total.gain in (ZERO, ONE):
        return None
    if not (isinstance(total.fed, Operation) and total.fed.op == "mul"):
        return None
    weight, fresh = total.fed.arguments
    return total.gain, weight, fresh


def _tree(rule: Rule | Tree) -> Tree:
    return rule.tree if isinstance(rule, Rule) else rule


class _Composition:
    """The lines of a rule composed for one state, down to what it was before the step."""

    def __init__(self, tree: Tree, state: str) -> None:
        self.tree = tree
        self.state = state
        states = dependence(tree).per_step_states
        self.carried = set(tree.state_names) - states
        # Of these a gain may be made: they are one number a step, as they were before it.
        self.free = {*COUNTERS, "k", *tree.knob_names, *states} - {state}
        self.per_step = self.free | ({state} & states)
        names = {*tree.inputs, "x", "g", *self.free, *tree.state_names}
        self.known: dict[str, _Linear | None] = {name: _Linear(ZERO, Name(name)) for name in names}
        self.known[state] = _Linear(ONE, ZERO)
        # What a variable is made of, by its name and the number of its line.
        self.made_of: dict[str, Expression] = {}
        self.sizes: dict[str, int] = {}
        self.depths: dict[str, int] = {}

    def recurrence(self) -> Recurrence | None:
        """Compose all lines."""
        tree, state = self.tree, self.state
        for number, line in enumerate(tree.body, start=1):
            self.read(line, number)
        setting = [number for number, line in enumerate(tree.body, start=1) if state in line.targets]
        if state == "x":
            setting = [len(tree.body) + 1]
        total = _linear(self.known, tree.result) if state == "x" else self.known[state]
        if total is not None and setting and total.gain == ZERO:
            # The last line gives what it is made of, and not its own name.
            total = replace(total, fed=self.made_of.get(f"{state}{_LINE}{setting[-1]}", total.fed))
        return self.taken_apart(total, setting)

    def recurrence_of_line(self, line: Assignment, number: int) -> Recurrence | None:
        """Take one line alone: every other name is what it is."""
        for i, earlier in enumerate(self.tree.body[: number - 1], start=1):
            if names_in(earlier.value) <= self.per_step and self.carried.isdisjoint(earlier.targets):
                self.read(earlier, i)
            else:
                self.per_step -= set(earlier.targets)
                self.known.update((name, _Linear(ZERO, Name(name))) for name in earlier.targets)
        self.known[self.state] = _Linear(ONE, ZERO)
        return self.taken_apart(_linear(self.known, line.value), [number])

    def taken_apart(self, total: _Linear | None, setting: list[int]) -> Recurrence | None:
        """Make the recurrence of gain and what is fed."""
        if total is None or not names_in(total.gain) <= self.free:
            return None
        if self.is_too_long(total):
            return None
        weight, fresh, offset = self.parts(total.fed)
        parts = (total.fed, offset, *((weight, fresh) if weight is not None and fresh is not None else ()))
        written = self.plainly_named(parts)
        fed, offset = written[:2]
        weight, fresh = written[2:] if len(written) > 2 else (None, None)
        form = self.form(setting, total.gain, weight)
        before = self.written_out(total.fed)
        return Recurrence(self.state, total.gain, fed, weight, fresh, offset, form, tuple(setting), before)

    def read(self, line: Assignment, number: int) -> None:
        """Compose one line: a variable that does not depend on the state is a name from here on."""
        reads = names_in(line.value)
        alone = reads <= self.per_step and (self.carried - {self.state}).isdisjoint(line.targets)
        total = _linear(self.known, line.value)
        if total is not None and self.is_too_long(total):
            total = None
        for target in line.targets:
            if total is not None and total.gain == ZERO and not alone:
                numbered = f"{target}{_LINE}{number}"
                self.made_of[numbered] = total.fed
                self.sizes[numbered] = self.size(total.fed)
                self.depths[numbered] = self.depth(total.fed)
                self.known[target] = _Linear(ZERO, Name(numbered))
            else:
                self.known[target] = total if len(line.targets) == 1 else None
        self.per_step = self.per_step | set(line.targets) if alone else self.per_step - set(line.targets)

    def parts(self, fed: Expression) -> tuple[Expression | None, Expression | None, Expression]:
        """Take what is fed apart into weight, input, and what is added every step whatever the input is."""
        if names_in(fed) <= self.free:
            return None, None, fed
        varying: Expression = ZERO
        offset: Expression = ZERO
        for positive, term in _terms(fed):
            join = added if positive else subtracted
            if names_in(term) <= self.free:
                offset = join(offset, term)
            else:
                varying = join(varying, term)
        weight, fresh = self.factors(varying)
        return weight, fresh, offset

    def factors(self, node: Expression) -> tuple[Expression, Expression]:
        """See a product as what is one number a step, and the rest; of a sum, what all its terms have in common."""
        if names_in(node) <= self.free:
            return node, ONE
        if not isinstance(node, Operation):
            return ONE, node
        if node.op == "neg":
            weight, rest = self.factors(node.arguments[0])
            return negated(weight), rest
        if node.op in ("mul", "div"):
            (weight, rest), (other, more) = map(self.factors, node.arguments)
            join = multiplied if node.op == "mul" else divided
            return join(weight, other), join(rest, more)
        if node.op in ("add", "sub"):
            (weight, rest), (other, more) = map(self.factors, node.arguments)
            join = added if node.op == "add" else subtracted
            if equal(rest, more):
                return join(weight, other), rest
            if equal(weight, other):
                return weight, join(rest, more)
            if equal(weight, negated(other)):
                return weight, (subtracted if node.op == "add" else added)(rest, more)
        return ONE, node

    def plainly_named(self, parts: tuple[Expression, ...]) -> list[Expression]:
        """Leave the numbers of lines out of names; where that would be ambiguous, write all variables out."""
        used = {name for part in parts for name in names_in(part)}
        plain = [name.partition(_LINE)[0] for name in used]
        if len(set(plain)) < len(plain):
            parts = tuple(self.written_out(part) for part in parts)

        def rename(node: Expression) -> Expression:
            return Name(node.id.partition(_LINE)[0]) if isinstance(node, Name) else node

        return [mapped(part, rename) for part in parts]

    def written_out(self, node: Expression) -> Expression:
        """Write variables as what they are made of, as it was before the step."""

        def change(part: Expression) -> Expression:
            if isinstance(part, Name) and part.id in self.made_of:
                return self.written_out(self.made_of[part.id])
            return part

        return mapped(node, change)

    def size(self, node: Expression) -> int:
        """Count the nodes of an expression with all variables written out."""
        return sum(self.sizes.get(part.id, 1) if isinstance(part, Name) else 1 for part in subexpressions(node))

    def depth(self, node: Expression) -> int:
        """Count how deep an expression is with all variables written out."""
        deepest, waiting = 0, [(node, 1)]
        while waiting:
            part, level = waiting.pop()
            deepest = max(deepest, level + (self.depths.get(part.id, 0) if isinstance(part, Name) else 0))
            if isinstance(part, Operation):
                waiting += ((argument, level + 1) for argument in part.arguments)
        return deepest

    def is_too_long(self, total: _Linear) -> bool:
        """Whether it is left alone, written out."""
        parts = total.gain, total.fed
        return sum(map(self.size, parts)) > MOST_NODES or max(map(self.depth, parts)) > DEEPEST

    def form(self, setting: list[int], gain: Expression, weight: Expression | None) -> Form:
        if self.state == "x" or len(setting) != 1:
            return "other"
        value = self.tree.body[setting[0] - 1].value
        times = sum(part == Name(self.state) for part in subexpressions(value))
        if times == 2 and weight is not None and equal(gain, subtracted(ONE, weight)):
            return "lerp"
        return "textbook" if times == 1 else "other"


def _linear(known: Mapping[str, _Linear | None], node: Expression) -> _Linear | None:
    """Take an expression apart by the state as it was before the step; None where it cannot be."""
    if isinstance(node, Number):
        return _Linear(ZERO, node)
    if isinstance(node, Name):
        return known[node.id]
    parts = [_linear(known, argument) for argument in node.arguments]
    linear = [part for part in parts if part is not None]
    if len(linear) < len(parts):
        return None
    if all(part.gain == ZERO for part in linear):
        return _Linear(ZERO, replace(node, arguments=tuple(part.fed for part in linear)))
    return _combined(node.op, linear)


def _combined(op: str, parts: list[_Linear]) -> _Linear | None:
    """Combine operands of which one at least depends on the state."""
    if op == "neg":
        return _Linear(negated(parts[0].gain), negated(parts[0].fed))
    if op in ("add", "sub"):
        join = added if op == "add" else subtracted
        return _Linear(join(parts[0].gain, parts[1].gain), join(parts[0].fed, parts[1].fed))
    if op == "mul" and ZERO in (parts[0].gain, parts[1].gain):
        factor, other = parts if parts[0].gain == ZERO else parts[::-1]
        return _Linear(multiplied(factor.fed, other.gain), multiplied(factor.fed, other.fed))
    if op == "div" and parts[1].gain == ZERO:
        return _Linear(divided(parts[0].gain, parts[1].fed), divided(parts[0].fed, parts[1].fed))
    if op == "where" and parts[0].gain == ZERO:
        condition, first, second = parts
        return _Linear(
            _chosen(condition.fed, first.gain, second.gain), _chosen(condition.fed, first.fed, second.fed)
        )  # fmt: skip
    return None


def _chosen(condition: Expression, first: Expression, second: Expression) -> Expression:
    return first if first == second else Operation("where", (condition, first, second))


def _terms(node: Expression, positive: bool = True) -> list[tuple[bool, Expression]]:
    """List the terms of a sum, each with whether it is added."""
    if isinstance(node, Operation) and node.op in ("add", "sub"):
        first, second = node.arguments
        return [*_terms(first, positive), *_terms(second, positive == (node.op == "add"))]
    if isinstance(node, Operation) and node.op == "neg":
        return _terms(node.arguments[0], not positive)
    return [(positive, node)]
