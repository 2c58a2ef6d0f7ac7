"""A rule as a class of Keras optimizers, wherever a class is asked for. What it makes is an `Optimizer`."""

from __future__ import annotations

import inspect
from typing import Any

from mhat.bridges.keras.knobs import RATE
from mhat.bridges.keras.optimizer import Optimizer
from mhat.bridges.keras.rules import rules_found
from mhat.errors import BadValue

GIVEN_AWAY = ("self", "rule", "learning_rate", "weight_decay", "knobs", "named")


def optimizer_class(rule: Any, **fixed: Any) -> type[Any]:
    """Give a class that takes the knobs of one rule by name, with their defaults, and the arguments of Keras.

    `fixed`: arguments of `Optimizer` that stay as they are, but where one is given anew. What the class makes is an
    `Optimizer`, and is saved and loaded as one. Raises what `Optimizer` raises.

    >>> Adan = optimizer_class("adan", weight_decay=0.02)
    >>> Adan(learning_rate=1e-3, beta1=0.95).beta1
    0.95
    """
    found = rules_found(rule)
    if len(found) > 1 or found[0][1] is not None:
        raise BadValue("a class takes the knobs of one rule", "Make an optimizer of several: Optimizer({...}).")
    one = found[0][0]
    Optimizer(one, **fixed)

    class Made(Optimizer):
        def __new__(cls, *arguments: Any, **named: Any) -> Any:
            # Keras finds the class of what it saves by name, and this one has none.
            bound = signature.bind_partial(*arguments, **named)
            return Optimizer(one, **{**fixed, **bound.arguments.pop("named", {}), **bound.arguments})

    taken = {*GIVEN_AWAY, *one.knobs}
    options = [each for each in inspect.signature(Optimizer.__init__).parameters.values() if each.name not in taken]
    signature = inspect.Signature([*_knobs_of(one.knobs, fixed), *(_keyword(each, fixed) for each in options), REST])
    Made.__name__ = Made.__qualname__ = "".join(part.capitalize() for part in one.name.split("_"))
    Made.__doc__ = f"{one.name} as an optimizer of Keras: what it makes is a `mhat.bridges.keras.Optimizer`."
    Made.__signature__ = signature
    return Made


REST = inspect.Parameter("named", inspect.Parameter.VAR_KEYWORD)


def _knobs_of(knobs: Any, fixed: Any) -> list[inspect.Parameter]:
    """Give the knobs as parameters, the learning rate first and under its name in Keras."""
    names = sorted(knobs, key=lambda name: name != RATE)
    made = []
    for name in names:
        called = "learning_rate" if name == RATE else name
        default = fixed.get(called, fixed.get(name, knobs[name]))
        made.append(inspect.Parameter(called, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
    return made


def _keyword(parameter: inspect.Parameter, fixed: Any) -> inspect.Parameter:
    default = fixed.get(parameter.name, parameter.default)
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=default)
