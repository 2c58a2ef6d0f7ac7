"""Modifiers, one file each: functions from a rule to a rule, made on the tree. They know no engine and no rule by name.

    before the step   clipped, clipped_tensor, clipped_units, clipped_value, coupled_decay, centralised
    the step itself   cautious, signed, stable, hyperball, decoupled_decay, nesterov, amsgrad
    around the step   lookahead, averaged, lazy, skip_outliers
    knobs             scheduled, warmed_up

    names, named      what there is, and one of it by its name
    parted            what `clipped(adam)` is made of

What a modifier gives is an ordinary rule: it prints as pseudo code, and is traced, run and checked as any other.
A modifier and its file share a name, so the members are imported here at once: `mhat.modifiers.clipped` is the
function, always.
"""

import re
from collections.abc import Callable
from functools import partial

from mhat.errors import BadValue, UnknownName
from mhat.language import Rule
from mhat.modifiers.amsgrad import amsgrad
from mhat.modifiers.averaged import averaged
from mhat.modifiers.cautious import cautious
from mhat.modifiers.centralised import centralised
from mhat.modifiers.clipped import clipped
from mhat.modifiers.clipped_tensor import clipped_tensor
from mhat.modifiers.clipped_units import clipped_units
from mhat.modifiers.clipped_value import clipped_value
from mhat.modifiers.coupled_decay import coupled_decay
from mhat.modifiers.decoupled_decay import decoupled_decay
from mhat.modifiers.hyperball import hyperball
from mhat.modifiers.lazy import lazy
from mhat.modifiers.lookahead import lookahead
from mhat.modifiers.nesterov import nesterov
from mhat.modifiers.scheduled import scheduled
from mhat.modifiers.signed import signed
from mhat.modifiers.skip_outliers import skip_outliers
from mhat.modifiers.stable import stable
from mhat.modifiers.warmed_up import warmed_up

__all__ = [
    "amsgrad", "averaged", "cautious", "centralised", "clipped", "clipped_tensor", "clipped_units",
    "clipped_value", "coupled_decay", "decoupled_decay", "hyperball", "lazy", "lookahead", "named", "names",
    "nesterov", "parted", "scheduled", "signed", "skip_outliers", "stable", "warmed_up",
]  # fmt: skip

Modifier = Callable[[Rule], Rule]


def names() -> list[str]:
    """List the names of the modifiers.

    >>> names()[:3]
    ['amsgrad', 'averaged', 'cautious']
    """
    return sorted(name for name in __all__ if name not in ("named", "names", "parted"))


def named(name: str) -> Modifier:
    """Look a modifier up by its name; raises UnknownName.

    >>> named("clipped") is clipped
    True
    """
    if name not in names():
        raise UnknownName("modifier", name, names())
    found: Modifier = globals()[name]
    return found


def parted(name: str) -> tuple[Modifier, str] | None:
    """Part `clipped(adam)` into the modifier and what it is applied to; None for any other name.

    What a modifier takes besides stands behind a comma: `scheduled(adam, lr=lr / sqrt(t))`. Raises UnknownName;
    BadValue for what a modifier does not take.

    >>> parted("clipped(adam)")[1], parted("adam")
    ('adam', None)
    >>> parted("scheduled(clipped(adam), lr=lr / sqrt(t))")[1]
    'clipped(adam)'
    """
    typed = re.fullmatch(r"\s*(\w+)\s*\((.+)\)\s*", name)
    if typed is None:
        return None
    modifier = named(typed[1])
    inner, *more = _arguments(typed[2])
    if not more:
        return modifier, inner
    if modifier is not scheduled:
        raise BadValue(f"{typed[1]} takes a rule and nothing else, not `{more[0]}`", "A knob is set with -k.")
    pairs = [each.partition("=") for each in more]
    for each, (_, equals, _) in zip(more, pairs, strict=True):
        if not equals:
            raise BadValue(f"`{each}` is no schedule", f"Write KNOB=EXPRESSION: scheduled({inner}, lr=lr / sqrt(t)).")
    return partial(scheduled, **{knob.strip(): text.strip() for knob, _, text in pairs}), inner


def _arguments(text: str) -> list[str]:
    """Part arguments at their commas, those in brackets left alone."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def __dir__() -> list[str]:
    return sorted(__all__)
