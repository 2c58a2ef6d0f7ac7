"""Knobs as a call sets them: by keyword, or in a mapping where a keyword has another meaning. It runs no rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mhat.errors import BadValue


def knobs_set(
    verb: str,
    keywords: Mapping[str, Any],
    mapping: Mapping[str, Any] | None,
    names: Iterable[str],
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    """Join the knobs that a call gives by keyword and in `knobs={...}`; raises BadValue.

    `names`: the knobs of the rule. `arguments`: what the call gave to arguments of `verb` that are no knobs. Where a
    knob has the name of one of them nobody can tell which is meant, unless there is a mapping.
    """
    if mapping is not None and not isinstance(mapping, Mapping):
        raise BadValue(f"knobs={mapping!r} is no mapping", 'Give names and values: knobs={"lr": 0.01}.')
    for name in sorted({*names} & arguments.keys()) if mapping is None else ():
        raise BadValue(
            f"`{name}` is an argument of `{verb}` and a knob of the rule",
            f'For the knob write knobs={{"{name}": ...}}; beside it, {name}= is the argument.',
        )
    for name in sorted({*(mapping or {})} & {*keywords}):
        raise BadValue(f"the knob `{name}` is given twice", "Give it by keyword or in knobs={...}.")
    return {**keywords, **{str(name): value for name, value in (mapping or {}).items()}}
