"""What expressions are made of, gradient by gradient: the weights of the past. It knows no rule and no law.

A value is seen as one of

    Number      one number a step
    Linear      a sum of gradients, each with its weight, the latest first
    Squares     a sum of squared gradients, each with its weight
    Root        the root of such a sum, or more than it
    Largest     the largest size of a gradient, each with its weight, or more than it
    Bounded     never larger than so much, whatever the gradients are
    Place       a share of where x is, and one of the others

and what is none of them has a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.laws.law import Array
from mhat.ops import OPERATIONS


class NotWeighed(Exception):
    """Why an expression is none of these: the reason in words."""


@dataclass(frozen=True)
class Number:
    """One number a step."""

    value: float


@dataclass(frozen=True)
class Linear:
    """A sum of gradients with weights."""

    weights: Array


@dataclass(frozen=True)
class Squares:
    """A sum of squared gradients with weights."""

    weights: Array


@dataclass(frozen=True)
class Root:
    """The root of a sum of squared gradients with weights."""

    weights: Array


@dataclass(frozen=True)
class Largest:
    """The largest of the sizes of gradients with weights."""

    weights: Array


@dataclass(frozen=True)
class Bounded:
    """Never larger than `value`; `gradients`, the latest first, come as near to it as there is, if they are known."""

    value: float
    gradients: Array | None = None


@dataclass(frozen=True)
class Place:
    """A share of where x is, and a move."""

    share: float
    move: Value


Value = Number | Linear | Squares | Root | Largest | Bounded | Place
Weighted = Linear | Squares | Root | Largest
_WEIGHTED = (Linear, Squares, Root, Largest)
ZERO = Number(0.0)


def later(value: Value) -> Value:
    """Give what a value is one step later: every gradient is one step older."""
    if isinstance(value, _WEIGHTED):
        return type(value)(np.concatenate(([0.0], value.weights)))
    if isinstance(value, Bounded) and value.gradients is not None:
        return replace(value, gradients=np.concatenate(([0.0], value.gradients)))
    return value


def combined(op: str, values: list[Value]) -> Value:
    """Apply an operation; raises NotWeighed."""
    if all(isinstance(value, Number) for value in values):
        numbers = [value.value for value in values if isinstance(value, Number)]
        return Number(float(OPERATIONS[op].meaning(*numbers)))
    known: Callable[..., Value] | None = _MEANINGS.get(op)
    if known is None:
        raise NotWeighed(f"`{OPERATIONS[op].symbol}` of gradients is neither a sum of them nor of their squares")
    return known(*values)


def _scaled(value: Value, factor: float) -> Value:
    if isinstance(value, Number):
        return Number(value.value * factor)
    if isinstance(value, Place):
        return Place(value.share * factor, _scaled(value.move, factor))
    if isinstance(value, Bounded):
        # Turned round it is as large.
        gradients = value.gradients if factor >= 0 or value.gradients is None else -value.gradients
        return Bounded(value.value * abs(factor), gradients)
    if isinstance(value, Root):
        return Root(value.weights * (_not_negative(factor) * factor))
    if isinstance(value, Largest):
        return Largest(value.weights * _not_negative(factor))
    if isinstance(value, Squares):
        return Squares(value.weights * factor)
    return Linear(value.weights * factor)


def _not_negative(factor: float) -> float:
    if factor < 0:
        raise NotWeighed("a root is taken with a minus sign")
    return factor


def _added(a: Value, b: Value) -> Value:
    if isinstance(a, Place) or isinstance(b, Place):
        (share, move), (other, more) = _placed(a), _placed(b)
        return Place(share + other, _added(move, more))
    for one, other_value in ((a, b), (b, a)):
        if isinstance(one, Number) and one.value == 0:
            return other_value
    if isinstance(a, Bounded) and isinstance(b, Bounded):
        return Bounded(a.value + b.value)
    if isinstance(a, Linear) and isinstance(b, Linear):
        return Linear(_sum(a.weights, b.weights))
    if isinstance(a, Squares) and isinstance(b, Squares):
        return Squares(_sum(a.weights, b.weights))
    for one, other_value in ((a, b), (b, a)):
        # What is divided by is the larger for a little that is added to it.
        if isinstance(one, Number) and isinstance(other_value, Squares | Root | Largest):
            if one.value < 0:
                raise NotWeighed("something is taken away from what it divides by")
            return other_value
        if isinstance(one, Number) and isinstance(other_value, Bounded):
            return Bounded(other_value.value + abs(one.value))
    raise NotWeighed("it adds what grows with the gradients to what does not")


def _placed(value: Value) -> tuple[float, Value]:
    return (value.share, value.move) if isinstance(value, Place) else (0.0, value)


def _sum(a: Array, b: Array) -> Array:
    short, long = sorted((a, b), key=len)
    total: Array = long.copy()
    total[: len(short)] += short
    return total


def _multiplied(a: Value, b: Value) -> Value:
    if isinstance(a, Number):
        return _scaled(b, a.value)
    if isinstance(b, Number):
        return _scaled(a, b.value)
    if isinstance(a, Linear) and isinstance(b, Linear):
        return _product(a, b)
    if isinstance(a, Bounded) and isinstance(b, Bounded):
        return Bounded(a.value * b.value)
    raise NotWeighed("it multiplies gradients with one another")


def _product(a: Linear, b: Linear) -> Squares:
    """Multiply two sums of gradients: of one and the same gradient it is its square."""
    size = max(len(a.weights), len(b.weights))
    first, second = (np.pad(each.weights, (0, size - len(each.weights))) for each in (a, b))
    seen = (first != 0) | (second != 0)
    if np.count_nonzero(seen) > 1:
        raise NotWeighed("it squares a sum of several gradients")
    return Squares(first * second)


def _divided(a: Value, b: Value) -> Value:
    if isinstance(b, Number):
        with np.errstate(all="ignore"):
            return _scaled(a, float(np.float64(1.0) / b.value))
    if isinstance(a, Linear) and isinstance(b, Root):
        return _by_cauchy_and_schwarz(a.weights, b.weights)
    if isinstance(a, Linear) and isinstance(b, Largest):
        return _by_hoelder(a.weights, b.weights)
    if isinstance(a, Bounded | Place):
        raise NotWeighed("it divides twice by what the gradients make small")
    raise NotWeighed("it divides by what is no root of a sum of squares")


def _by_cauchy_and_schwarz(above: Array, below: Array) -> Bounded:
    """Bound `sum(p g) / sqrt(sum(q g**2))`: `sqrt(sum(p**2 / q))`, and gradients as p / q reach it."""
    above, below = _alike(above, below)
    with np.errstate(all="ignore"):
        gradients = np.where(above == 0, 0.0, above / below)
        return Bounded(float(np.sqrt(np.sum(above * gradients))), gradients)


def _by_hoelder(above: Array, below: Array) -> Bounded:
    """Bound `sum(p g) / max(q abs(g))`: `sum(abs(p) / q)`, and gradients as 1 / q with the signs of p reach it."""
    above, below = _alike(above, below)
    with np.errstate(all="ignore"):
        gradients = np.where(above == 0, 0.0, np.sign(above) / below)
        return Bounded(float(np.sum(above * gradients)), gradients)


def _alike(above: Array, below: Array) -> tuple[Array, Array]:
    if np.any(below < 0):
        raise NotWeighed("it divides by a root of a difference")
    size = max(len(above), len(below))
    return np.pad(above, (0, size - len(above))), np.pad(below, (0, size - len(below)))


def _power(a: Value, b: Value) -> Value:
    if not isinstance(b, Number):
        raise NotWeighed("gradients stand in an exponent")
    if b.value == 1:
        return a
    if b.value == 2 and isinstance(a, Linear):
        return _product(a, a)
    if b.value == 2 and isinstance(a, Bounded):
        return Bounded(a.value * a.value)
    if b.value == 2 and isinstance(a, Root):
        return Squares(a.weights)
    if b.value == 0.5 and isinstance(a, Squares):
        return Root(a.weights)
    raise NotWeighed("it takes a power of gradients that is no square and no root of a square")


def _root(a: Value) -> Value:
    return _power(a, Number(0.5))


def _size(a: Value) -> Value:
    if isinstance(a, Bounded | Root | Largest):
        return Bounded(a.value, a.gradients) if isinstance(a, Bounded) else a
    if isinstance(a, Linear) and np.count_nonzero(a.weights) <= 1:
        return Largest(np.abs(a.weights))
    raise NotWeighed("it takes the size of a sum of several gradients")


def _sign(a: Value) -> Value:
    if isinstance(a, Linear):
        return Bounded(1.0, np.where(a.weights < 0, -1.0, 1.0))
    return Bounded(1.0)


def _larger(a: Value, b: Value) -> Value:
    if isinstance(a, Largest) and isinstance(b, Largest):
        first, second = _alike(a.weights, b.weights)
        return Largest(np.maximum(first, second))
    if isinstance(a, Squares) and isinstance(b, Squares):
        # It is as large as either; the one that the latest gradient is in bounds more.
        first, second = _alike(a.weights, b.weights)
        return Squares(first if first[0] > second[0] else second)
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Number) and isinstance(other, Squares | Root | Largest):
            return other
    raise NotWeighed("it takes the larger of what cannot be compared")


def _clipped(a: Value, low: Value, high: Value) -> Value:
    if isinstance(low, Number) and isinstance(high, Number):
        most = max(abs(low.value), abs(high.value))
        if isinstance(a, Bounded) and a.value <= most:
            return a
        return Bounded(most)
    raise NotWeighed("it is limited by what the gradients make")


def _chosen(condition: Value, first: Value, second: Value) -> Value:
    if not isinstance(condition, Number):
        raise NotWeighed("what it does is decided by the gradients")
    return first if condition.value != 0 else second


_MEANINGS: dict[str, Any] = {
    "add": _added,
    "sub": lambda a, b: _added(a, _scaled(b, -1.0)),
    "neg": lambda a: _scaled(a, -1.0),
    "mul": _multiplied,
    "div": _divided,
    "pow": _power,
    "sqrt": _root,
    "abs": _size,
    "sign": _sign,
    "maximum": _larger,
    "clip": _clipped,
    "where": _chosen,
}
