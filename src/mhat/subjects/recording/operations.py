"""What an operation of NumPy or torch is in the rule language, on single numbers. It computes no arrays."""

from __future__ import annotations

import math
from collections.abc import Callable

from mhat.subjects.recording.tape import Tape

SAME = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "floor_divide": "floordiv", "remainder": "mod", "power": "pow", "float_power": "pow", "negative": "neg",
    "sqrt": "sqrt", "cbrt": "cbrt", "absolute": "abs", "fabs": "abs", "sign": "sign", "exp": "exp", "log": "log",
    "sin": "sin", "cos": "cos", "tanh": "tanh", "rint": "round", "arctan2": "atan2", "maximum": "maximum",
    "fmax": "maximum", "minimum": "minimum", "fmin": "minimum", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge", "equal": "eq", "not_equal": "ne", "logical_and": "and", "logical_or": "or",
    "logical_not": "not", "bitwise_and": "and", "bitwise_or": "or", "invert": "not", "clip": "clip", "where": "where",
    "add.reduce": "sum", "maximum.reduce": "largest", "norm.reduce": "norm", "cast": "cast",
}  # fmt: skip
SELF = frozenset({"positive", "conjugate"})

# The value is of the last node that is made; those in between have one that is only near.
Composition = Callable[[Tape, tuple[int, ...], float, int], int]


def compose(tape: Tape, name: str, operands: tuple[int, ...], value: float, place: int) -> int:
    """Enter an operation under its name in the rule language, made of several where it has none."""
    if name in SELF:
        return operands[0]
    made = COMPOSED.get(name)
    if made is not None:
        return made(tape, operands, value, place)
    return tape.add(SAME.get(name, f"np.{name}"), operands, value, place)


def _near(function: Callable[..., float], *values: float) -> float:
    try:
        return float(function(*values))
    except (ArithmeticError, ValueError):
        return math.nan


def _squared(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    return tape.add("pow", (operands[0], tape.constant(2.0)), value, place)


def _reciprocal(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    return tape.add("div", (tape.constant(1.0), operands[0]), value, place)


def _reciprocal_root(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    root = tape.add("sqrt", operands, _near(math.sqrt, tape.values[operands[0]]), place)
    return tape.add("div", (tape.constant(1.0), root), value, place)


def _expm1(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    power = tape.add("exp", operands, _near(math.exp, tape.values[operands[0]]), place)
    return tape.add("sub", (power, tape.constant(1.0)), value, place)


def _log1p(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    total = tape.add("add", (tape.constant(1.0), operands[0]), 1.0 + tape.values[operands[0]], place)
    return tape.add("log", (total,), value, place)


def _power_of_two(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    return tape.add("pow", (tape.constant(2.0), operands[0]), value, place)


def _hypot(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    squares = [tape.add("pow", (node, tape.constant(2.0)), tape.values[node] ** 2, place) for node in operands]
    total = tape.add("add", (squares[0], squares[1]), value * value, place)
    return tape.add("sqrt", (total,), value, place)


def _copysign(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    size = tape.add("abs", operands[:1], abs(value), place)
    sign = tape.add("sign", operands[1:], math.copysign(1.0, tape.values[operands[1]]), place)
    return tape.add("mul", (size, sign), value, place)


def _is_nan(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    return tape.add("ne", (operands[0], operands[0]), value, place)


def _is_finite(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    nothing = tape.add("sub", (operands[0], operands[0]), 0.0 if value else math.nan, place)
    return tape.add("eq", (nothing, tape.constant(0.0)), value, place)


def _floor(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    return tape.add("floordiv", (operands[0], tape.constant(1.0)), value, place)


def _negated(op: str) -> Composition:
    def made(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
        minus = [tape.add("neg", (node,), -tape.values[node], place) for node in operands]
        return tape.add("neg", (tape.add(op, tuple(minus), -value, place),), value, place)

    return made


def _all(op: str) -> Composition:
    def made(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
        # Of truth values: all are, if the smallest is; any is, if the largest is.
        if op == "all":
            denied = [tape.add("not", (node,), 1.0 - tape.values[node], place) for node in operands]
            largest = tape.add("largest", tuple(denied), 1.0 - value, place)
            return tape.add("not", (largest,), value, place)
        return tape.add("largest", operands, value, place)

    return made


def _mean(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
    return tape.add("mean", operands, value, place)


def _sizes(op: str) -> Composition:
    def made(tape: Tape, operands: tuple[int, ...], value: float, place: int) -> int:
        return tape.add(op, tuple(tape.add("abs", (n,), abs(tape.values[n]), place) for n in operands), value, place)

    return made


COMPOSED: dict[str, Composition] = {
    "square": _squared, "reciprocal": _reciprocal, "rsqrt": _reciprocal_root, "expm1": _expm1, "log1p": _log1p,
    "exp2": _power_of_two, "hypot": _hypot, "copysign": _copysign, "isnan": _is_nan, "isfinite": _is_finite,
    "floor": _floor, "minimum.reduce": _negated("largest"), "logical_and.reduce": _all("all"),
    "logical_or.reduce": _all("any"), "mean.reduce": _mean,
    "norm1.reduce": _sizes("sum"), "norminf.reduce": _sizes("largest"),
}  # fmt: skip
