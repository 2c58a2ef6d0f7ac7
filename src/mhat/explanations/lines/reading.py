"""A rule read line by line: what is one number a step, what each name grows with, which corrections belong to what.

It knows no rule by name and says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

from mhat.explanations.lines.degrees import Degree, degree_of, degrees_of
from mhat.explanations.lines.lessons import lessons_of
from mhat.explanations.runs import Setting, Unrunnable, courses
from mhat.language.algebra import ONE, equal, subtracted
from mhat.language.inference import COUNTERS
from mhat.language.recurrences import Recurrence, recurrence_of, recurrence_of_line
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.values import value_of
from mhat.language.walking import mapped, names_in, subexpressions

# The step that stands for the long run.
LATE = 1e6
KEEP_UP = ("add", "maximum")


class Reading:
    """What a tree tells of its lines."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.tree: Tree = setting.rule.tree

    @cached_property
    def degrees(self) -> dict[str, Degree]:
        """With which power of the gradients' size every name grows."""
        return degrees_of(self.tree)

    def degree(self, node: Expression) -> Degree:
        """With which power of the gradients' size an expression grows."""
        return degree_of(node, self.degrees)

    @cached_property
    def per_step(self) -> frozenset[str]:
        """The names that are one number a step, made of knobs and the number of the step."""
        depends = self.setting.rule.dependence
        allowed = {*COUNTERS, *self.tree.knob_names}
        names = {*self.tree.variables, *self.tree.state_names} - {"x", "g"}
        return frozenset({*allowed, *(name for name in names if depends[name] <= allowed)})

    def is_number(self, node: Expression) -> bool:
        """Whether an expression is one number a step."""
        return names_in(node) <= self.per_step

    def is_plain(self, node: Expression) -> bool:
        """Whether an expression is made of knobs, literals and the step number alone."""
        return names_in(node) <= {"t", *self.tree.knob_names}

    def value(self, node: Expression, t: float = LATE) -> float:
        """Compute a plain expression at a step."""
        return float(value_of(node, {**self.setting.in_force, "t": t}))

    def constant(self, node: Expression) -> float | None:
        """Give an expression of knobs alone as its value; None where it is no finite number."""
        if not names_in(node) <= set(self.tree.knob_names):
            return None
        value = self.value(node)
        return value if math.isfinite(value) else None

    def number_at(self, name: str, step: int) -> float:
        """Give a variable that is one number a step, at a step up to 100."""
        stream = next((lesson.stream for lesson in lessons_of(self.setting.rule)), "")
        try:
            return float(courses(self.setting, stream, 100)[name][step - 1].flat[0]) if stream else math.nan
        except Unrunnable:
            return math.nan

    @cached_property
    def recurrences(self) -> dict[int, Recurrence]:
        """What a line, by its number, makes of a state: a share of what it was and something new."""
        found: dict[int, Recurrence] = {}
        for number, line in enumerate(self.tree.body, start=1):
            recurrence = recurrence_of_line(self.tree, number)
            # A state that an earlier line has set, or set from itself, is no share of what it was.
            if recurrence is not None and Name(line.targets[0]) in _names(line):
                found[number] = recurrence
        return found

    def changed_again(self, state: str) -> int | None:
        """Give the last line that sets a state, where several do and the share that it keeps changes for it."""
        setting = [number for number, line in enumerate(self.tree.body, start=1) if state in line.targets]
        whole = recurrence_of(self.tree, state) if len(setting) > 1 else None
        changes = whole is not None and not names_in(whole.gain) <= set(self.tree.knob_names)
        return setting[-1] if changes else None

    @cached_property
    def moving(self) -> Recurrence | None:
        """What a step makes of x."""
        return recurrence_of(self.tree, "x")

    @cached_property
    def corrections(self) -> dict[int, tuple[str, int]]:
        """Lines that divide by 1 - gain**t, by number: the state whose start they make up for, and its line."""
        averages = {
            recurrence.state: (recurrence, number)
            for number, recurrence in self.recurrences.items()
            if recurrence.kind == "average"
        }
        found: dict[int, tuple[str, int]] = {}
        for number, line in enumerate(self.tree.body, start=1):
            value = line.value
            if not (isinstance(value, Operation) and value.op == "div" and not self.is_number(value.arguments[0])):
                continue
            for state, (recurrence, of) in averages.items():
                power = Operation("pow", (recurrence.gain, Name("t")))
                if self._descends(value.arguments[0], state) and equal(
                    self.numbers_written_out(value.arguments[1]), subtracted(ONE, power)
                ):
                    found[number] = (state, of)
                    break
        return found

    def numbers_written_out(self, node: Expression) -> Expression:
        """Write variables that are one number a step as the line that makes them."""
        lines = {line.targets[0]: line.value for line in self.tree.body if len(line.targets) == 1}
        once = {name for name in lines if sum(name in line.targets for line in self.tree.body) == 1}
        numbers = once & self.per_step - set(self.tree.state_names)

        def change(part: Expression) -> Expression:
            return self.numbers_written_out(lines[part.id]) if isinstance(part, Name) and part.id in numbers else part

        return mapped(node, change)

    def _descends(self, node: Expression, state: str) -> bool:
        """Whether an expression is a state, or is made of it at first hand."""
        if not isinstance(node, Name):
            return False
        made_of = (names_in(line.value) for line in self.tree.body if node.id in line.targets)
        return node.id == state or any(state in names for names in made_of)


def _names(line: Assignment) -> set[Name]:
    return {Name(name) for name in names_in(line.value)}


def factors(node: Expression) -> tuple[list[Expression], list[Expression]]:
    """Take a product apart into what is multiplied and what is divided by; a sign is left out.

    >>> from mhat.language.tree import Name, Operation
    >>> above, below = factors(Operation("div", (Name("m"), Name("v"))))
    >>> above, below
    ([Name(id='m')], [Name(id='v')])
    """
    if isinstance(node, Operation) and node.op == "mul":
        (above, below), (more, under) = map(factors, node.arguments)
        return above + more, below + under
    if isinstance(node, Operation) and node.op == "div":
        (above, below), (more, under) = map(factors, node.arguments)
        return above + under, below + more
    if isinstance(node, Operation) and node.op == "neg":
        return factors(node.arguments[0])
    return [node], []


def product(above: list[Expression], below: list[Expression]) -> Expression:
    """Put a product together again."""
    made: Expression = above[0] if above else Number(1.0)
    for factor in above[1:]:
        made = Operation("mul", (made, factor))
    for divisor in below:
        made = Operation("div", (made, divisor))
    return made


def terms(node: Expression) -> list[tuple[bool, Expression]]:
    """List the terms of a sum, each with whether it is added."""
    if isinstance(node, Operation) and node.op in ("add", "sub"):
        first, second = node.arguments
        turned = node.op == "sub"
        return [*terms(first), *((sign != turned, term) for sign, term in terms(second))]
    if isinstance(node, Operation) and node.op == "neg":
        return [(not sign, term) for sign, term in terms(node.arguments[0])]
    return [(True, node)]


def added_to_divisors(reading: Reading, knob: str) -> Iterator[tuple[int, bool]]:
    """Yield the lines that divide by something a knob is added to, True, or that a knob is a floor of, False."""
    values = [*(line.value for line in reading.tree.body), reading.tree.result]
    for number_of_line, value in enumerate(values, start=1):
        for node in subexpressions(value):
            divisor = node.arguments[1] if isinstance(node, Operation) and node.op == "div" else None
            for part in () if divisor is None else subexpressions(divisor):
                if isinstance(part, Operation) and part.op in KEEP_UP and Name(knob) in part.arguments:
                    yield from [(number_of_line, part.op == "add")] if not reading.is_number(part) else []
