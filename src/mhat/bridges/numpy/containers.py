"""Nested containers of arrays as a flat list, and back: lists, tuples and dictionaries in any mixture. It runs no rule.

A leaf's path reads as its owner would write it: `params['layers'][3]['w']`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mhat.errors import BadValue

Leaf = Any


def flattened(container: Any, called: str) -> list[tuple[str, Any]]:
    """List the leaves of a container with their paths; whatever is no list, tuple or mapping is a leaf."""
    return list(_leaves(container, called))


def _leaves(container: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(container, Mapping):
        for key, value in container.items():
            yield from _leaves(value, f"{path}[{key!r}]")
    elif isinstance(container, list | tuple):
        for i, value in enumerate(container):
            yield from _leaves(value, f"{path}[{i}]")
    else:
        yield path, container


def matched(container: Any, like: Any, called: str, path: str = "") -> list[Any]:
    """List the leaves of a container that must have the structure of another, in the other's order.

    Raises BadValue with the path of the first place where they differ.
    """
    found: list[Any] = []
    _match(container, like, called, path, found.append)
    return found


def _match(container: Any, like: Any, called: str, path: str, take: Callable[[Any], None]) -> None:
    if isinstance(like, Mapping):
        if not isinstance(container, Mapping):
            raise BadValue(
                f"{called}{path} is {_kind(container)}", "Give a dictionary with the keys of the parameters."
            )
        for key, value in like.items():
            if key not in container:
                raise BadValue(f"{called}{path} has no key {key!r}", "Give None for a parameter without a gradient.")
            _match(container[key], value, called, f"{path}[{key!r}]", take)
        for key in container:
            if key not in like:
                raise BadValue(f"{called}{path}[{key!r}] belongs to no parameter", "Leave it out.")
    elif isinstance(like, list | tuple):
        if not isinstance(container, list | tuple):
            raise BadValue(f"{called}{path} is {_kind(container)}", "Give a list with a gradient for each parameter.")
        if len(container) != len(like):
            raise BadValue(
                f"{called}{path} has {len(container)} entries, the parameters {len(like)}",
                "Give one gradient for each parameter, None where there is none.",
            )
        for i, (value, other) in enumerate(zip(container, like, strict=True)):
            if isinstance(other, np.ndarray):
                take(value)
            else:
                _match(value, other, called, f"{path}[{i}]", take)
    else:
        take(container)


def rebuilt(like: Any, leaves: Sequence[Leaf]) -> Any:
    """Make a container of the structure of another, with other leaves in the same order."""
    remaining = iter(leaves)
    return _rebuilt(like, remaining)


def _rebuilt(like: Any, leaves: Iterator[Leaf]) -> Any:
    if isinstance(like, Mapping):
        return {key: _rebuilt(value, leaves) for key, value in like.items()}
    if isinstance(like, list | tuple):
        return [_rebuilt(value, leaves) for value in like]
    return next(leaves)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
