"""Nested containers of arrays as a flat list, and back: lists, tuples and dictionaries in any mixture. It runs no rule.

How a container was built is noted once; later ones, the same container among them, are held against what was noted.
A leaf's path reads as its owner would write it: `params['layers'][3]['w']`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter
from typing import Any

import numpy as np

from mhat.errors import BadValue

Leaf = Any


def kind_of(value: Any) -> str:
    """Say what something is, with its article.

    >>> kind_of(None), kind_of([]), kind_of(1)
    ('None', 'a list', 'an int')
    """
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


class Difference(Enum):
    """How a container can differ from one that was noted."""

    NO_KEYS = "it is no dictionary"
    KEY_MISSING = "a key is missing"
    KEY_ADDED = "a key is new"
    NO_ENTRIES = "it is no list"
    LENGTH = "it has another length"


class Parted(Exception):
    """The first place where a container differs from what was noted: its path, how, and with which key or lengths."""

    def __init__(self, path: str, how: Difference, *what: Any) -> None:
        super().__init__(path, how, *what)
        self.path, self.how, self.what = path, how, what


@dataclass(frozen=True)
class _Keys:
    """A dictionary: what lies behind each key; `only_leaves`: reads its values at once, where all are leaves."""

    parts: Mapping[Any, Any]
    paths: Mapping[Any, str]
    only_leaves: Callable[[Mapping[Any, Any]], Sequence[Leaf]] | None


@dataclass(frozen=True)
class _Entries:
    """A list or a tuple: what each entry is."""

    parts: tuple[Any, ...]
    only_leaves: bool


class Structure:
    """How a container was built: the paths of its leaves, each another, and the leaves themselves as they were."""

    def __init__(self, container: Any, called: str) -> None:
        noted: list[tuple[str, Leaf]] = []
        try:
            self._root = _noted(container, "", noted)
        except RecursionError:
            raise BadValue(
                f"{called} contains itself, or lists within lists without end", "Give arrays in a few levels of lists."
            ) from None
        self.leaves: list[Leaf] = [leaf for _, leaf in noted]
        self.paths = _told_apart([path for path, _ in noted])

    def leaves_of(self, container: Any) -> list[Leaf]:
        """List the leaves of a container of this structure, in the order that was noted; raises Parted."""
        if self._root is None:
            return [container]
        leaves: list[Leaf] = []
        _read(self._root, container, "", leaves)
        return leaves

    def rebuilt(self, leaves: Sequence[Leaf]) -> Any:
        """Make a container of this structure with other leaves."""
        return _rebuilt(self._root, iter(leaves))


def _noted(container: Any, path: str, leaves: list[tuple[str, Leaf]]) -> _Keys | _Entries | None:
    """Note a container; what is no list, tuple or mapping is a leaf, noted as None and added to the leaves."""
    if isinstance(container, Mapping):
        paths = {key: f"{path}[{_written(key, place)}]" for place, key in enumerate(container)}
        parts = {key: _noted(value, paths[key], leaves) for key, value in container.items()}
        flat = len(parts) > 1 and not any(parts.values())
        return _Keys(parts, paths, itemgetter(*parts) if flat else None)
    if isinstance(container, list | tuple):
        entries = tuple(_noted(value, f"{path}[{i}]", leaves) for i, value in enumerate(container))
        return _Entries(entries, all(entry is None for entry in entries))
    leaves.append((path, container))
    return None


def _written(key: Any, place: int) -> str:
    """Write a key as its owner would, and by its place where Python writes where it lies in memory."""
    if isinstance(key, np.generic):
        key = key.item()
    own: Any = type(key).__repr__
    return f"<{type(key).__name__} {place}>" if own is object.__repr__ else repr(key)


def _told_apart(paths: Sequence[str]) -> list[str]:
    """Number the paths that are written alike: different keys may be."""
    counts, seen = Counter(paths), Counter[str]()
    apart = []
    for path in paths:
        seen[path] += 1
        apart.append(f"{path}#{seen[path]}" if counts[path] > 1 else path)
    return apart


def _read(noted: _Keys | _Entries, container: Any, path: str, leaves: list[Leaf]) -> None:
    if isinstance(noted, _Keys):
        _check_keys(noted, container, path)
        if noted.only_leaves is not None:
            leaves.extend(noted.only_leaves(container))
            return
        for key, part in noted.parts.items():
            _read_part(part, container[key], noted.paths[key], leaves)
        return
    if not isinstance(container, list | tuple):
        raise Parted(path, Difference.NO_ENTRIES, container)
    if len(container) != len(noted.parts):
        raise Parted(path, Difference.LENGTH, len(container), len(noted.parts))
    if noted.only_leaves:
        leaves.extend(container)
        return
    for i, (part, value) in enumerate(zip(noted.parts, container, strict=True)):
        _read_part(part, value, f"{path}[{i}]", leaves)


def _read_part(noted: _Keys | _Entries | None, value: Any, path: str, leaves: list[Leaf]) -> None:
    if noted is None:
        leaves.append(value)
    else:
        _read(noted, value, path, leaves)


def _check_keys(noted: _Keys, container: Any, path: str) -> None:
    if not isinstance(container, Mapping):
        raise Parted(path, Difference.NO_KEYS, container)
    if container.keys() == noted.parts.keys():
        return
    for key in noted.parts:
        if key not in container:
            raise Parted(path, Difference.KEY_MISSING, key, noted.paths[key])
    for place, key in enumerate(container):
        if key not in noted.parts:
            raise Parted(path, Difference.KEY_ADDED, key, f"{path}[{_written(key, place)}]")


def _rebuilt(noted: _Keys | _Entries | None, leaves: Iterator[Leaf]) -> Any:
    if isinstance(noted, _Keys):
        return {key: _rebuilt(part, leaves) for key, part in noted.parts.items()}
    if isinstance(noted, _Entries):
        return [_rebuilt(part, leaves) for part in noted.parts]
    return next(leaves)
