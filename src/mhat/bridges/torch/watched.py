"""Dictionaries that note when they are changed, so that what a step has prepared is prepared anew. It knows no rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Tensor = Any


@dataclass(eq=False)
class Marks:
    """Whether what was prepared for steps is out of date."""

    stale: bool = True


class Watched(dict[Any, Any]):
    """A dictionary that marks every change of its entries."""

    def __init__(self, entries: Mapping[Any, Any], marks: Marks) -> None:
        super().__init__(entries)
        self._marks = marks

    def __setitem__(self, key: Any, value: Any) -> None:
        self._marks.stale = True
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self._marks.stale = True
        super().__delitem__(key)

    def update(self, *given: Any, **named: Any) -> None:
        """Set several entries."""
        for key, value in dict(*given, **named).items():
            self[key] = value

    def __ior__(self, other: Any) -> Watched:  # type: ignore[misc]
        self.update(other)
        return self

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Give an entry, and set it first if it is not there."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: Any, *default: Any) -> Any:
        """Take an entry out."""
        self._marks.stale = True
        return super().pop(key, *default)

    def popitem(self) -> tuple[Any, Any]:
        """Take the last entry out."""
        self._marks.stale = True
        return super().popitem()

    def clear(self) -> None:
        """Take all entries out."""
        self._marks.stale = True
        super().clear()

    def settle(self, key: Any, value: Any) -> None:
        """Set an entry that prepared steps know of."""
        super().__setitem__(key, value)

    def forget(self, key: Any) -> None:
        """Take an entry out that prepared steps know nothing of."""
        super().pop(key, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class States(Watched):
    """The states of an optimizer: for each parameter its own dictionary. An absent one is made when it is read."""

    def __init__(self, entries: Mapping[Any, Any], marks: Marks) -> None:
        super().__init__({}, marks)
        self.update(entries)

    def __missing__(self, key: Any) -> Any:
        self[key] = {}
        return self[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, Watched(value, self._marks) if isinstance(value, dict) else value)
