"""The body of a function in a language with types: constants of the step, a loop for each reduction, one that moves x.

Nothing is stored between the loops: each computes what it needs from what the step before left, which the last one
writes anew. It knows no language: a `Dialect` says how things are written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mhat.exports.values import BEFORE, Kind, Value, Values
from mhat.language.definition import Rule
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import mapped, names_in
from mhat.notation.decimals import exact
from mhat.printers.base import Printed
from mhat.printers.c import CompiledPrinter
from mhat.printers.python import expression_text


class Dialect(ABC):
    """How a language writes what a body is made of."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    @abstractmethod
    def printer(self, among_arrays: bool, steps: Iterable[str], enter: object) -> CompiledPrinter:
        """Give what writes expressions, in double or in the type of the arrays."""

    @abstractmethod
    def constant(self, real: bool, name: str, text: str, comment: str = "") -> str:
        """Write a constant."""

    @abstractmethod
    def entered(self, text: str) -> Printed:
        """Round a double to the type of the arrays."""

    @abstractmethod
    def loop(self, lines: list[str]) -> Iterator[str]:
        """Write a loop over all coordinates."""

    @abstractmethod
    def begun(self, name: str, op: str) -> str:
        """Write how what a reduction gathers begins."""

    @abstractmethod
    def gathered(self, name: str, op: str, text: str) -> list[str]:
        """Write how a number is taken up by it."""

    @abstractmethod
    def total(self, name: str, op: str) -> str:
        """Write what comes of it."""

    @abstractmethod
    def target(self, name: str) -> str:
        """Write where a state, x or x_eval is kept."""

    @abstractmethod
    def knob(self, name: str) -> str:
        """Write a knob, in double."""

    def is_knob(self, name: str) -> bool:
        """Whether a name is a knob that stands where knobs are kept."""
        return any(knob.name == name and knob.expression is None for knob in self.rule.tree.knobs)


class Body:
    """Writes the lines of one function."""

    def __init__(self, values: Values, dialect: Dialect, taken: set[str], kinds: Mapping[str, Kind]) -> None:
        self.values, self.dialect, self.taken, self.kinds = values, dialect, taken, kinds
        steps = {name for name, kind in values.kinds.items() if kind == Kind.STEP}
        self.doubles = dialect.printer(False, steps, None)
        self.reals = dialect.printer(True, steps, self._enter)
        self.known: dict[Expression, str] = {}
        self.waiting: list[str] = []

    def lines(self) -> list[str]:
        """Give the lines."""
        made: list[str] = []
        for place, value in enumerate(self.values.values):
            if value.reduction is not None:
                made += self._reduction(value, place)
            elif value.kind == Kind.STEP:
                made.append(self.dialect.constant(False, value.name, self.doubles.expression(value.expression)))
            elif value.kind == Kind.SINGLE:
                text = self._real(value.expression)
                made += [*self._entered(), self.dialect.constant(True, value.name, text)]
        return [*made, *self._last()]

    def _entered(self) -> list[str]:
        """Give the constants that what was printed last needs."""
        waiting, self.waiting = self.waiting, []
        return waiting

    def _real(self, node: Expression) -> str:
        return self.reals.expression(node)

    def _each(self, values: Iterable[Value]) -> list[str]:
        return [self.dialect.constant(True, value.name, self._real(value.expression)) for value in values]

    def _reduction(self, value: Value, place: int) -> list[str]:
        op, parts = str(value.reduction), f"{value.name}_parts"
        inner = self._each(self.values.needed([value.expression], place))
        inner += self.dialect.gathered(parts, op, self._real(value.expression))
        return [
            *self._entered(), self.dialect.begun(parts, op), *self.dialect.loop(inner),
            self.dialect.constant(True, value.name, self.dialect.total(parts, op)),
        ]  # fmt: skip

    def _last(self) -> list[str]:
        """Write the loop that moves x and the states, and what of the states is one number."""
        given = self.values.given
        each = {name: given[name] for name in given if self.kinds[name] == Kind.EACH}
        needed = self.values.needed([Name(value) for value in each.values()], len(self.values.values))
        alone = {value.name: value for value in needed if self._may_stand_alone(value, needed, each)}
        inner = self._each(value for value in needed if value.name not in alone)
        for name, value in each.items():
            text = self._real(alone[value].expression) if value in alone else value
            inner.append(f"{self.dialect.target(name)} = {text};")
        single = [f"{self.dialect.target(name)} = {given[name]};" for name in given if name not in each]
        return [*self._entered(), *(self.dialect.loop(inner) if each else []), *single]

    def _may_stand_alone(self, value: Value, needed: list[Value], each: Mapping[str, str]) -> bool:
        """Whether a value may be written where it is kept: nothing else reads it, and it reads nothing overwritten."""
        keepers = [name for name, kept in each.items() if kept == value.name]
        read = {name for other in needed for name in names_in(other.expression)}
        before = {name for name in names_in(value.expression) if name.endswith(BEFORE)}
        harmless = {f"{name}{BEFORE}" for name in ("x", "g", "h", *keepers)}
        single = {name for name in before if self.values.kinds[name] != Kind.EACH}
        return len(keepers) == 1 and value.name not in read and before - single <= harmless

    def _enter(self, node: Expression) -> Printed | None:
        """Write a number of the step among arrays: a constant before the loop, or where it is used if it is a name."""
        if isinstance(node, Name) and not self.dialect.is_knob(node.id):
            return self.dialect.entered(self.doubles.expression(node))
        if isinstance(node, Operation) and node.op == "size":
            return None
        if node not in self.known:
            name = self._free(node)
            shown = "" if isinstance(node, Name) else expression_text(mapped(node, _as_typed))
            text = self.dialect.entered(self.doubles.expression(node)).text
            self.waiting.append(self.dialect.constant(True, name, text, shown))
            self.known[node] = name
        return Printed(self.known[node])

    def _free(self, node: Expression) -> str:
        stem = _stem(node)
        own = isinstance(node, Name)  # a knob, whose name stands for nothing else in the body
        names = (stem, *(f"{stem}_{i}" for i in range(2, 10_000)))
        name = next(
            each for each in names
            if each not in self.taken and (each not in self.values.kinds or (own and each == stem))
        )  # fmt: skip
        self.taken.add(name)
        return name


def _stem(node: Expression) -> str:
    """Name a number of the step by what it is made of, where that is short."""
    if isinstance(node, Name):
        return node.id
    if isinstance(node, Operation) and node.op == "sub":
        first, second = node.arguments
        if isinstance(first, Number) and isinstance(second, Name) and first.value == int(first.value):
            return f"{'one' if first.value == 1.0 else f'n{exact(first.value)}'}_minus_{second.id.rstrip(BEFORE)}"
    return "factor"


def _as_typed(node: Expression) -> Expression:
    return replace(node, id=node.id.rstrip(BEFORE)) if isinstance(node, Name) else node
