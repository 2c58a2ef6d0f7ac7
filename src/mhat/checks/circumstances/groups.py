"""Knobs that each tensor, or each coordinate of a flattened record, has for itself. They know no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.checks.circumstances.asked import (
    STEPS,
    Asked,
    believed,
    short,
    starts,
)
from mhat.checks.circumstances.fitting import Fitting, Kind, Unknown
from mhat.checks.circumstances.replay import Replay, Setting
from mhat.notation.decimals import exact

Array = np.ndarray[Any, Any]
# Beyond this a knob of each coordinate is not looked for, only one of each tensor.
FEW = 64


def in_groups(asked: Asked) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """Look for knobs that each tensor, or each coordinate of a flattened record, has for itself."""
    rows, count = asked.rows, asked.rows.observed[0].size
    named = [name for name in ("lr", "weight_decay", "momentum") if name in asked.free]
    several = len(np.unique(rows.groups())) > 1
    kinds: list[Kind] = ["tensor"] if several else ["coordinate"] if count <= FEW else []
    if count < 2 or not named or not kinds:
        return
    fitting = asked.fitting if several else Fitting(Replay(rows.part(STEPS, FEW)), asked.rule.tree, asked.late)
    begun = starts(asked)[:2]
    # One knob of each group at a time first: the fewer are sought, the surer they are found.
    for own in [*([name] for name in named), named]:
        others = [name for name in asked.free if name not in own]
        for start in begun if not asked.late() else ():
            sought = [*(Unknown(name, kinds[0]) for name in own), *(Unknown(name) for name in others)]
            fitted = fitting.fit(start, sought)
            if fitted is None:
                continue
            spread = believed(asked, _over_the_whole(asked, fitting, fitted, own), asked.free)
            if spread is not None:
                rounded = short(asked, _short_groups(asked, spread, own))
                yield rounded, _said_of_groups(asked, rounded, own)
                return


def _over_the_whole(asked: Asked, fitting: Fitting, setting: Setting, named: Sequence[str]) -> Setting:
    """Give every coordinate of the record the value that its tensor has in the part that was fitted."""
    whole, part = asked.rows.groups(), fitting.groups
    knobs = dict(setting.knobs)
    for name in named:
        values = np.broadcast_to(np.asarray(knobs[name], np.float64), part.shape)
        if part.shape == whole.shape:
            knobs[name] = values
            continue
        by_group = {int(group): float(np.median(values[part == group])) for group in np.unique(part)}
        knobs[name] = np.vectorize(lambda group, known=by_group: known.get(int(group), np.nan))(whole)
    return replace(setting, knobs=knobs, start=None)


def _short_groups(asked: Asked, setting: Setting, named: Sequence[str]) -> Setting:
    """Write what was estimated for groups with few digits, and as one number where it is one."""
    for name in named:
        values = np.asarray(setting.knobs[name], np.float64)
        for digits in range(1, 10):
            near = np.vectorize(
                lambda value, d=digits: round(value, 10) if abs(value) < 1e-9 else float(f"{value:.{d}g}")
            )(values)
            for tried in (near, np.where(np.abs(near) < 1e-3 * np.abs(near).max(), 0.0, near)):
                one = float(tried.flat[0]) if (tried == tried.flat[0]).all() else tried
                shorter = replace(setting, knobs={**setting.knobs, name: one})
                if asked.explains(shorter):
                    setting = shorter
                    break
            else:
                continue
            break
    return setting


def _said_of_groups(asked: Asked, setting: Setting, named: Sequence[str]) -> tuple[str, ...]:
    groups, notes = asked.rows.groups(), []
    names = asked.rows.tensors
    for name in named:
        values = setting.knobs[name]
        if np.ndim(values) == 0:
            continue
        parts: dict[str, list[str]] = {}
        for place in np.ndindex(groups.shape):
            of = (names[int(groups[place])] or "all") if len(names) > 1 else f"coordinate {place[-1]}"
            value = exact(float(f"{float(values[place]):.6g}"))
            if of not in parts.setdefault(value, []):
                parts[value].append(of)
        said = "; ".join(f"{name}={value} for {_listed(where)}" for value, where in parts.items())
        notes.append(f"in groups: {said}")
    return tuple(notes)


def _listed(where: list[str]) -> str:
    return ", ".join(where) if len(where) <= 4 else f"{', '.join(where[:3])} and {len(where) - 3} more"
