"""What torch's operations are on single elements, in the operations of the rule language. It knows no tensor.

A formula gets the nodes of one element of each argument, in the order of torch's schema, and gives the node of the
result, whose value is set by whoever computed it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mhat.subjects.recording.tape import CONSTANT, GIVEN, Tape

Formula = Callable[..., int]
NEAR: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b, "neg": lambda a: -a, "sqrt": math.sqrt, "exp": math.exp, "log": math.log,
    "sin": math.sin, "cos": math.cos, "tanh": math.tanh, "abs": abs, "maximum": max, "minimum": min,
}  # fmt: skip


def operated(tape: Tape, place: int, op: str, *nodes: int) -> int:
    """Enter an operation with a value that is near."""
    near = NEAR.get(op)
    try:
        value = math.nan if near is None else float(near(*(tape.values[node] for node in nodes)))
    except (ArithmeticError, ValueError, TypeError):
        value = math.nan
    return tape.add(op, tuple(nodes), value, place)


def finished(tape: Tape, node: int, value: float, place: int) -> int:
    """Give a node the value that was computed; one that was there before stays as it is."""
    own = tape.values[node]
    if own == value or (own != own and value != value):
        return node
    if tape.ops[node] in (CONSTANT, *GIVEN) or tape.where[node] != place or node < len(tape.ops) - 1:
        return tape.add("cast", (node,), value, place)
    tape.values[node] = value
    tape.know_again(node, value)
    return node


def _plain(op: str, count: int) -> Formula:
    return lambda tape, place, *nodes: operated(tape, place, op, *(int(node) for node in nodes[:count]))


def _is_one(tape: Tape, node: Any) -> bool:
    return node is None or (tape.ops[node] == CONSTANT and tape.values[node] == 1.0)


def _scaled(op: str, reversed_: bool = False) -> Formula:
    def made(tape: Tape, place: int, first: int, second: int, alpha: Any = None, *more: Any) -> int:
        a, b = (second, first) if reversed_ else (first, second)
        if not _is_one(tape, alpha):
            b = operated(tape, place, "mul", alpha, b)
        return operated(tape, place, op, a, b)

    return made


def _lerp(tape: Tape, place: int, start: int, end: int, weight: int, *more: Any) -> int:
    way = operated(tape, place, "sub", end, start)
    return operated(tape, place, "add", start, operated(tape, place, "mul", weight, way))


def _added(op: str) -> Formula:
    def made(tape: Tape, place: int, base: int, one: int, two: int, value: Any = None, *more: Any) -> int:
        if not _is_one(tape, value):
            one = operated(tape, place, "mul", value, one)
        return operated(tape, place, "add", base, operated(tape, place, op, one, two))

    return made


def _divided(tape: Tape, place: int, first: int, second: int, mode: Any = None, *more: Any) -> int:
    whole = operated(tape, place, "div", first, second)
    return operated(tape, place, "floordiv", first, second) if mode == "floor" else whole


def _clamped(tape: Tape, place: int, value: int, low: Any = None, high: Any = None, *more: Any) -> int:
    if low is not None:
        value = operated(tape, place, "maximum", value, low)
    return value if high is None else operated(tape, place, "minimum", value, high)


def _reciprocal(tape: Tape, place: int, value: int, *more: Any) -> int:
    return operated(tape, place, "div", tape.constant(1.0), value)


def _reciprocal_root(tape: Tape, place: int, value: int, *more: Any) -> int:
    return operated(tape, place, "div", tape.constant(1.0), operated(tape, place, "sqrt", value))


def _squared(tape: Tape, place: int, value: int, *more: Any) -> int:
    return operated(tape, place, "pow", value, tape.constant(2.0))


def _sigmoid(tape: Tape, place: int, value: int, *more: Any) -> int:
    power = operated(tape, place, "exp", operated(tape, place, "neg", value))
    return operated(tape, place, "div", tape.constant(1.0), operated(tape, place, "add", tape.constant(1.0), power))


def _copysign(tape: Tape, place: int, size: int, sign: int, *more: Any) -> int:
    size = operated(tape, place, "abs", size)
    return operated(tape, place, "mul", size, operated(tape, place, "sign", sign))


def _filled(tape: Tape, place: int, value: int, mask: int, new: int, *more: Any) -> int:
    return operated(tape, place, "where", mask, new, value)


FORMULAS: dict[str, Formula] = {
    "add": _scaled("add"), "sub": _scaled("sub"), "rsub": _scaled("sub", True), "subtract": _scaled("sub"),
    "mul": _plain("mul", 2), "multiply": _plain("mul", 2), "div": _divided, "true_divide": _divided,
    "pow": _plain("pow", 2), "neg": _plain("neg", 1), "sqrt": _plain("sqrt", 1), "rsqrt": _reciprocal_root,
    "reciprocal": _reciprocal, "square": _squared, "abs": _plain("abs", 1), "sign": _plain("sign", 1),
    "sgn": _plain("sign", 1), "exp": _plain("exp", 1), "log": _plain("log", 1), "sin": _plain("sin", 1),
    "cos": _plain("cos", 1), "tanh": _plain("tanh", 1), "sigmoid": _sigmoid, "maximum": _plain("maximum", 2),
    "minimum": _plain("minimum", 2), "max": _plain("maximum", 2), "min": _plain("minimum", 2),
    "fmax": _plain("maximum", 2), "fmin": _plain("minimum", 2), "clamp": _clamped, "clip": _clamped,
    "clamp_min": _plain("maximum", 2), "clamp_max": lambda tape, place, value, high, *more: _clamped(
        tape, place, value, None, high
    ),
    "lerp": _lerp, "addcmul": _added("mul"), "addcdiv": _added("div"), "where": _plain("where", 3),
    "masked_fill": _filled, "eq": _plain("eq", 2), "ne": _plain("ne", 2), "lt": _plain("lt", 2),
    "le": _plain("le", 2), "gt": _plain("gt", 2), "ge": _plain("ge", 2), "logical_not": _plain("not", 1),
    "logical_and": _plain("and", 2), "logical_or": _plain("or", 2), "bitwise_and": _plain("and", 2),
    "bitwise_or": _plain("or", 2), "bitwise_not": _plain("not", 1), "atan2": _plain("atan2", 2),
    "round": _plain("round", 1), "copysign": _copysign, "remainder": _plain("mod", 2),
    "floor_divide": _plain("floordiv", 2),
}  # fmt: skip
