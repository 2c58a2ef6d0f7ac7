"""A schedule: what a knob is worth at each step. It knows no rule, and no framework.

A schedule is a curve over a count. Step 1 has the count `first`, and every step one more: 0 is where torch, optax and
Keras begin to count, 1 where papers do.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat import notation
from mhat.errors import BadValue
from mhat.notation.decimals import brief, exact

Array = NDArray[np.float64]
# Arguments that a recipe says even where they are at their defaults.
TOLD = frozenset({"warmup", "steps", "period", "factor", "decay", "rise", "fall", "high"})


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """What a knob is worth at step t, counted from 1: `schedule(t)`.

    `recipe` names it on the command line. `formula` is the same as an expression of the rule language in `t`, and
    `sentence` in words. `first`: the count of step 1. `last`: the count from which on it stays as it is, None where it
    never does. Two schedules of one recipe are equal.

    In the count of optax and Keras, which begins at 0, it is `schedule(count + 1)`; in torch's `last_epoch` as well.

    >>> from mhat.schedules import warmup_cosine
    >>> lr = warmup_cosine(1e-3, warmup=10, steps=100)
    >>> lr(1), lr(10), lr(100)
    (0.0001, 0.001, 0.0)
    """

    recipe: str
    formula: str
    sentence: str
    curve: Callable[[Array], Array]
    first: int = 0
    last: float | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of its family."""
        return self.recipe.partition(":")[0]

    def __call__(self, t: float) -> float:
        """Give the value at step t; raises BadValue for what is no step, such as 0."""
        plain: Any = t.item() if hasattr(t, "item") else t
        if isinstance(plain, bool) or not isinstance(plain, Real) or not 1 <= float(plain) < math.inf:
            raise BadValue(
                f"a schedule has no step {notation.cut(repr(t))}",
                "Steps are counted from 1; of a count that begins at 0 it is schedule(count + 1).",
            )
        return float(self.at(np.array([float(plain)]))[0])

    def traced(self, t: Any) -> Any:
        """Give the values at steps that are arrays of JAX, also while it traces: in their namespace and dtype."""
        return self.curve(t - 1 + self.first)

    def at(self, steps: Any) -> Array:
        """Give the values at steps, an array of numbers from 1."""
        with np.errstate(all="ignore"):
            return np.asarray(self.curve(np.asarray(steps, dtype=np.float64) - 1.0 + self.first), dtype=np.float64)

    def values(self, steps: int) -> Array:
        """Give the values of the first so many steps, of shape (steps,).

        >>> from mhat.schedules import linear
        >>> linear(1, 0, steps=4).values(6)
        array([1.  , 0.75, 0.5 , 0.25, 0.  , 0.  ])
        """
        return self.at(np.arange(1, notation.count_steps(steps) + 1))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and bool(self.recipe) and self.recipe == other.recipe

    def __hash__(self) -> int:
        return hash(self.recipe)

    def __repr__(self) -> str:
        return f"Schedule({self.recipe!r})"


def namespace(count: Any) -> Any:
    """Give the functions for an array: its own, or NumPy's."""
    return np if isinstance(count, np.ndarray | np.generic) else count.__array_namespace__()


def counted(first: int) -> str:
    """Write the count of step t as an expression, to stand within others.

    >>> counted(1), counted(0), counted(3)
    ('t', '(t - 1)', '(t + 2)')
    """
    return "t" if first == 1 else "(t - 1)" if first == 0 else f"(t + {first - 1})"


def text_of(value: float) -> str:
    """Write a number as it stands in a formula; raises BadValue for one that no formula has."""
    if not math.isfinite(value):
        raise BadValue(f"a schedule with the number {value}", "Give finite numbers.")
    text = repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return f"({text})" if value < 0 else text


def finite(name: str, value: object) -> float:
    """Return `value` as a finite float; raises BadValue."""
    checked = notation.number(name, value)
    if not math.isfinite(checked):
        raise BadValue(f"`{name}` is {brief(checked)}", f"Give a finite number: {name}=1e-3.")
    return checked


def made(
    function: Callable[..., Schedule],
    curve: Callable[[Array], Array],
    formula: str,
    sentence: str,
    /,
    last: float | None = None,
    **arguments: Any,
) -> Schedule:
    """Return the schedule that `function` made of `arguments`, with the recipe that makes it again."""
    recipe = _recipe(function, arguments)
    return Schedule(recipe, formula, sentence, curve, int(arguments.get("first", 0)), last, arguments)


def _recipe(function: Callable[..., Schedule], arguments: dict[str, Any]) -> str:
    """Write the call in the notation; of what stands at its default only that which nobody would guess is written."""
    pieces: list[str] = []
    for place, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
        value = arguments[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            pieces += [exact(float(each)) for each in value]
        elif not place:
            pieces.append(exact(float(value)))
        elif name in TOLD or value != parameter.default or (name == "every" and value != 1):
            pieces.append(f"{name}={exact(float(value))}")
    return f"{function.__name__}:{','.join(pieces)}"
