"""Tensors as plain tuples, for engines that go number by number: shapes, rows, broadcasting. It computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from mhat.errors import BadValue

# What a tensor is made of: a float, or a number of many digits.
Entry = Any


@dataclass(frozen=True)
class Tensor:
    """Numbers in row-major order, and their shape."""

    values: tuple[Entry, ...]
    shape: tuple[int, ...]

    def rows(self) -> list[list[Entry]]:
        """Give a matrix as a list of rows."""
        if len(self.shape) != 2:
            raise BadValue(
                f"a matrix operation met a tensor of shape {self.shape}",
                "Give gradients of two dimensions a step, and name them with tensor=.",
            )
        width = self.shape[1]
        return [list(self.values[i * width : (i + 1) * width]) for i in range(self.shape[0])]


def of_rows(rows: Sequence[Sequence[Entry]]) -> Tensor:
    """Make a matrix of a list of rows."""
    return Tensor(tuple(v for row in rows for v in row), (len(rows), len(rows[0])))


def rows_of(value: Any) -> list[list[Entry]]:
    """Give a number or a matrix as a list of rows."""
    return value.rows() if isinstance(value, Tensor) else [[value]]


def values_of(value: Any) -> Sequence[Entry]:
    """Give the numbers of a number or a tensor."""
    return value.values if isinstance(value, Tensor) else (value,)


def spread(value: Any, like: Any) -> Any:
    """Give a value as many numbers as another has, if it is one number."""
    if isinstance(value, Tensor) or not isinstance(like, Tensor):
        return value
    return Tensor((value,) * len(like.values), like.shape)


def elementwise(function: Callable[..., Entry]) -> Callable[..., Any]:
    """Let a function of numbers work on tensors too, coordinate by coordinate."""

    def applied(*arguments: Any) -> Any:
        shapes = {argument.shape for argument in arguments if isinstance(argument, Tensor)}
        if not shapes:
            return function(*arguments)
        shape = shapes.pop() if len(shapes) == 1 else _common(shapes)
        columns = [_spread(argument, shape) for argument in arguments]
        return Tensor(tuple(map(function, *columns)), shape)

    return applied


def _common(shapes: set[tuple[int, ...]]) -> tuple[int, ...]:
    """Broadcast shapes of the same number of dimensions."""
    if len({len(shape) for shape in shapes}) > 1:
        raise BadValue(f"shapes {sorted(shapes)} do not broadcast", "Give tensors of the same dimensions.")
    common = []
    for sizes in zip(*shapes, strict=True):
        larger = {size for size in sizes if size != 1}
        if len(larger) > 1:
            raise BadValue(f"shapes {sorted(shapes)} do not broadcast", "Look at the matrix operations of the rule.")
        common.append(larger.pop() if larger else 1)
    return tuple(common)


def _spread(argument: Any, shape: tuple[int, ...]) -> Sequence[Entry]:
    """List a value's numbers as if it had the given shape."""
    if not isinstance(argument, Tensor):
        size = 1
        for length in shape:
            size *= length
        return [argument] * size
    if argument.shape == shape:
        return argument.values
    strides, step = [], 1
    for length in reversed(argument.shape):
        strides.append(0 if length == 1 else step)
        step *= length
    strides.reverse()
    indices = product(*(range(length) for length in shape))
    return [argument.values[sum(i * s for i, s in zip(index, strides, strict=True))] for index in indices]
