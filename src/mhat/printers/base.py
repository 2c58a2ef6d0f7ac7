"""What printers share: how an operation is looked up and where brackets go. It knows no language.

A printer is a subclass that says how a number and a name are written, and has for every operation one of

    symbols["add"] = " + "          written between its two operands, or before its only one
    functions["sqrt"] = "Math.sqrt" written as a call
    def print_where(self, node)     anything else: a method that returns `Printed`

Precedences are those of `mhat.ops.table` unless `precedences` says otherwise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

from mhat.language.tree import Expression, Name, Number, Operation
from mhat.ops.table import ADD, CALL, CHOICE, COMPARE, NEGATE, NOT, OPERATIONS, POWER


class MissingOperationError(NotImplementedError):
    """A printer has no way to write an operation: an omission in mhat, not a mistake of the user."""


class Printed(NamedTuple):
    """A text and how tightly it binds."""

    text: str
    precedence: int = CALL


class Printer(ABC):
    """Writes expressions in one language, with the brackets they need and no others but for legibility."""

    symbols: ClassVar[Mapping[str, str]] = {}
    functions: ClassVar[Mapping[str, str]] = {}
    precedences: ClassVar[Mapping[str, int]] = {}
    # Operations that the language has no way to write, and why; under "over": reductions over all tensors.
    lacking: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def number(self, value: float) -> Printed:
        """Write a literal; a negative one binds as the sign does."""

    @abstractmethod
    def name(self, name: str) -> Printed:
        """Write the name of an input, a state, a knob or a variable."""

    def expression(self, node: Expression, room: int = CHOICE) -> str:
        """Write an expression, in brackets if it binds less tightly than its place (`room`) asks for."""
        text, precedence = self.printed(node)
        return self.bracketed(text) if precedence < room else text

    def printed(self, node: Expression) -> Printed:
        """Write an expression without brackets around it."""
        if isinstance(node, Number):
            return self.number(node.value)
        if isinstance(node, Name):
            return self.name(node.id)
        special: Callable[[Operation], Printed] | None = getattr(self, f"print_{node.op}", None)
        if special is not None:
            return special(node)
        if node.op in self.functions:
            return self.called(self.functions[node.op], node)
        if node.op in self.symbols:
            return self.prefix(node) if len(node.arguments) == 1 else self.infix(node)
        raise MissingOperationError(f"{type(self).__name__} has no symbol, function or method for {node.op!r}")

    def bracketed(self, text: str) -> str:
        """Put brackets around a text."""
        return f"({text})"

    def called(self, function: str, node: Operation) -> Printed:
        """Write a call; arguments need no brackets."""
        return Printed(f"{function}({', '.join(self.expression(argument) for argument in node.arguments)})")

    def precedence(self, op: str) -> int:
        """How tightly an operation binds in this language."""
        return self.precedences.get(op, OPERATIONS[op].precedence)

    def rooms(self, op: str) -> tuple[int, int]:
        """How tightly the left and the right operand must bind to stand without brackets."""
        precedence = self.precedence(op)
        if precedence == COMPARE:
            return COMPARE + 1, COMPARE + 1
        return (CALL, NEGATE) if precedence == POWER else (precedence, precedence + 1)

    def infix(self, node: Operation) -> Printed:
        """Write a symbol between two operands."""
        left, right = node.arguments
        left_room, right_room = self.rooms(node.op)
        precedence = self.precedence(node.op)
        right_text, right_precedence = self.printed(right)
        # `a - (-b)`: brackets that no grammar asks for, so that two signs do not meet.
        if right_precedence < right_room or (precedence == ADD and right_precedence == NEGATE):
            right_text = self.bracketed(right_text)
        return Printed(self.expression(left, left_room) + self.symbols[node.op] + right_text, precedence)

    def prefix(self, node: Operation) -> Printed:
        """Write a symbol before its operand: `-(-x)`, `-x**2`, `not not a`."""
        precedence = self.precedence(node.op)
        room = precedence if precedence == NOT else precedence + 1
        return Printed(self.symbols[node.op] + self.expression(node.arguments[0], room), precedence)
