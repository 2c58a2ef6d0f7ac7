"""What a step returns, sorted: the new parameters or the update, the states, the count. It calls nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mhat.subjects.conventions.layouts import is_like, shape_of
from mhat.subjects.conventions.roles import Roles
from mhat.subjects.conventions.texts import Written, core_of


@dataclasses.dataclass(frozen=True)
class Answer:
    """The parameters in what a step returned, one value a tensor or None; and the new values of other arguments."""

    params: Mapping[str, Any]
    others: Mapping[str, Any]


def sorted_answer(
    returned: Any,
    written: Written,
    roles: Roles,
    layout: str,
    tensors: Sequence[Any],
    held: Mapping[str, Any],
) -> Answer:
    """Sort what a step returned by the names of its items, else by its places.

    `written`: the text, which may name the items; `tensors`: the parameters before; `held`: states, count, config.
    """
    wanted = [name for name, role in roles.by_name.items() if role.startswith("params")] or ["x"]
    named = {core_of(name) for name in written.returned if name}
    back = [name for name in held if roles.by_name.get(name) != "count" or core_of(name) in named]
    items = list(_items(returned, written, roles, list(tensors), layout, len(wanted) + len(back)))
    params: dict[str, Any] = {}
    others: dict[str, Any] = {}
    left = []
    for name, value in items:
        core = core_of(name) if name else ""
        own = [each for each in wanted if core and core_of(each) == core and each not in params]
        known = [each for each in held if core and core_of(each) == core and each not in others]
        if own and _fits(value, own[0], wanted, tensors, layout):
            params[own[0]] = value
        elif known:
            others[known[0]] = value
        else:
            left.append(value)
    for value in left:
        missing = [each for each in wanted if each not in params]
        if missing and _fits(value, missing[0], wanted, tensors, layout):
            params[missing[0]] = value
            continue
        open_ = [each for each in held if each not in others and _may_follow(value, held[each], roles.by_name[each])]
        if open_:
            others[open_[0]] = value
    return Answer(params, others)


def _fits(value: Any, name: str, wanted: Sequence[str], tensors: Sequence[Any], layout: str) -> bool:
    if len(wanted) > 1:
        return bool(shape_of(value) == np.shape(tensors[wanted.index(name)]))
    return is_like(value, list(tensors), layout)


def _may_follow(value: Any, before: Any, role: str) -> bool:
    """Whether a value can be what a state has become."""
    if role == "count":
        return isinstance(value, int | np.integer) and not isinstance(value, bool)
    if before is None or role == "config":
        return value is not None
    if isinstance(before, dict):
        return isinstance(value, dict)
    if isinstance(before, tuple):
        return isinstance(value, tuple | list) and len(value) == len(before)
    return bool(shape_of(value) == shape_of(before) or isinstance(value, type(before)))


def _items(
    returned: Any, written: Written, roles: Roles, tensors: list[Any], layout: str, expected: int
) -> Iterator[tuple[str, Any]]:
    """Take what was returned apart, with names where they are known; nested tuples too, if more are `expected`."""
    if returned is None:
        return
    if dataclasses.is_dataclass(returned) and not isinstance(returned, type):
        yield from ((field.name, getattr(returned, field.name)) for field in dataclasses.fields(returned))
        return
    if isinstance(returned, tuple) and hasattr(returned, "_fields"):
        yield from zip(returned._fields, returned, strict=True)
        return
    # Where each tensor has a name of its own, what is returned is one item a tensor.
    single = not roles.tensors and is_like(returned, tensors, layout)
    if isinstance(returned, dict) and not single:
        yield from ((str(key), value) for key, value in returned.items())
    elif isinstance(returned, tuple | list) and not single:
        nested = len(returned) < expected
        flat = list(_flat(returned)) if nested else list(returned)
        names = written.returned if nested else written.returned_above
        yield from zip(names if len(names) == len(flat) else [""] * len(flat), flat, strict=True)
    else:
        names = written.returned
        yield (names[0] if len(names) == 1 else ""), returned


def _flat(returned: Any) -> Iterator[Any]:
    for value in returned:
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            yield from _flat(value)
        else:
            yield value
