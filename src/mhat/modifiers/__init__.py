"""Modifiers, one file each: functions from a rule to a rule, made on the tree. They know no engine and no rule by name.

    before the step   clipped

    names, named      what there is, and one of it by its name

What a modifier gives is an ordinary rule: it prints as pseudo code, and is traced, run and checked as any other.
A modifier and its file share a name, so the members are imported here at once: `mhat.modifiers.clipped` is the
function, always.
"""

from collections.abc import Callable

from mhat.errors import UnknownName
from mhat.language import Rule
from mhat.modifiers.clipped import clipped

__all__ = ["clipped", "named", "names"]

Modifier = Callable[[Rule], Rule]


def names() -> list[str]:
    """List the names of the modifiers.

    >>> names()
    ['clipped']
    """
    return sorted(name for name in __all__ if name not in ("named", "names"))


def named(name: str) -> Modifier:
    """Look a modifier up by its name; raises UnknownName.

    >>> named("clipped") is clipped
    True
    """
    if name not in names():
        raise UnknownName("modifier", name, names())
    found: Modifier = globals()[name]
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
