"""An expression made plain by what changes no meaning: nothing added, nothing times one. It sees no tape."""

from __future__ import annotations

from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.values import value_of
from mhat.language.walking import mapped, names_in

ZERO, ONE = Number(0.0), Number(1.0)


def tidied(node: Expression) -> Expression:
    """Make an expression plain."""
    return mapped(node, _plain)


def at_first(node: Expression) -> Expression:
    """Give what an expression is at the first step, states as they are."""
    return mapped(node, lambda part: ONE if part == Name("t") else part)


def _plain(node: Expression) -> Expression:
    match node:
        case Operation("add", (a, b)) if a == ZERO:
            return b
        case Operation("add" | "sub", (a, b)) if b == ZERO:
            return a
        case Operation("sub", (a, b)) if a == ZERO:
            return Operation("neg", (b,))
        case Operation("mul", (a, b)) if a == ONE:
            return b
        case Operation("mul" | "div", (a, b)) if b == ONE:
            return a
        case Operation("pow", (a, b)) if b == ONE:
            return a
        case Operation("mul", (Operation("neg", (a,)), b)):
            return _plain(Operation("neg", (Operation("mul", (a, b)),)))
        case Operation("mul", (a, Operation("neg", (b,)))):
            return _plain(Operation("neg", (Operation("mul", (a, b)),)))
        case Operation("div", (Operation("neg", (a,)), b)):
            return _plain(Operation("neg", (Operation("div", (a, b)),)))
        case Operation("add", (a, Operation("neg", (b,)))):
            return Operation("sub", (a, b))
        case Operation("add", (Operation("neg", (a,)), b)):
            return Operation("sub", (b, a))
        case Operation("sub", (a, Operation("neg", (b,)))):
            return Operation("add", (a, b))
        case Operation("neg", (Operation("neg", (a,)),)):
            return a
        case Operation("add", (a, Number(value))) if value < 0:
            return Operation("sub", (a, Number(-value)))
        case Operation("sub", (a, Number(value))) if value < 0:
            return Operation("add", (a, Number(-value)))
        case Operation("mul", (a, Number(value))) if not isinstance(a, Number):
            return _plain(Operation("mul", (Number(value), a))) if value >= 0 else _negative(Number(-value), a)
        case Operation("mul", (Number(value), a)) if value < 0:
            return _negative(Number(-value), a)
        case Operation("where", (_, a, b)) if a == b:
            return a
        case Operation("where", (Operation("eq", (Name("t"), Number(1.0))), a, b)) if a == tidied(at_first(b)):
            return b
        case Operation("neg", (Number(value),)):
            return Number(-value)
    if isinstance(node, Operation) and node.op in ("add", "mul", "div", "pow") and not names_in(node):
        value = value_of(node, {})
        if value == float(f"{value:.6g}"):
            return Number(value)
    return node


def _negative(size: Number, other: Expression) -> Expression:
    return Operation("neg", (_plain(Operation("mul", (size, other))),))
