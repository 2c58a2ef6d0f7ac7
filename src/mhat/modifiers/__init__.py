"""Modifiers, one file each: functions from a rule to a rule, made on the tree. They know no engine and no rule by name.

    before the step   clipped

    names, named      what there is, and one of it by its name
    parted            what `clipped(adam)` is made of

What a modifier gives is an ordinary rule: it prints as pseudo code, and is traced, run and checked as any other.
A modifier and its file share a name, so the members are imported here at once: `mhat.modifiers.clipped` is the
function, always.
"""

import re
from collections.abc import Callable

from mhat.errors import UnknownName
from mhat.language import Rule
from mhat.modifiers.clipped import clipped

__all__ = ["clipped", "named", "names", "parted"]

Modifier = Callable[[Rule], Rule]


def names() -> list[str]:
    """List the names of the modifiers.

    >>> names()
    ['clipped']
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
    """Part `clipped(adam)` into the modifier and what it is applied to; None for any other name. Raises UnknownName.

    >>> parted("clipped(adam)")[1], parted("adam")
    ('adam', None)
    """
    typed = re.fullmatch(r"\s*(\w+)\s*\((.+)\)\s*", name)
    return (named(typed[1]), typed[2].strip()) if typed else None


def __dir__() -> list[str]:
    return sorted(__all__)
