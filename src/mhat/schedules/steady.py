"""A value that stays. It knows no count."""

from __future__ import annotations

from functools import partial
from typing import Any

from mhat.notation.decimals import exact
from mhat.schedules.schedule import Array, Schedule, finite, made, namespace, text_of


def constant(value: float = 1e-3) -> Schedule:
    """The same value at every step.

    >>> constant(0.1).values(3)
    array([0.1, 0.1, 0.1])
    """
    value = finite("value", value)
    return made(constant, partial(_constant, value), text_of(value), f"stays at {exact(value)}", 0.0, value=value)


def _constant(value: float, count: Array) -> Any:
    return namespace(count).full_like(count, value)
