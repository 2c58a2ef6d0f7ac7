"""Names and labels of dimensions: what one Dataset cannot hold is refused, and schedules follow their labels.

It knows no engine and no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import xarray as xr

from mhat.errors import BadValue
from mhat.language import Level, Rule

GRADIENTS, START = "the gradients", "start"
# Where a trace is of several rules.
RULE = "rule"


def check_dimensions(
    rule: Rule,
    variables: Iterable[str],
    places: Mapping[str, Any],
    knobs: Mapping[str, xr.DataArray],
    own: tuple[str, ...],
    tensor: tuple[str, ...],
) -> None:
    """Refuse a name with two meanings, and two lengths for one dimension; raises BadValue.

    `places`: the gradients and the start. `knobs`: those with dimensions, by name. `own`: the dimensions of the
    gradients, of which `tensor` make up one tensor.
    """
    taken, new = set(variables), _made_by(rule, tensor)
    for name, array in knobs.items():
        if name in taken:
            raise BadValue(f"the knob `{name}` has the name of a variable", "Rename one of them in the rule.")
        if name == RULE:
            raise BadValue(
                f"the knob `{name}` has the name of the dimension of rules, and several values",
                "Rename the knob in the rule.",
            )
        _check_knob(name, array, places, knobs, own, new)
    first: dict[Any, tuple[str, xr.DataArray]] = {}
    for what, array in (*places.items(), *knobs.items()):
        for dim in getattr(array, "dims", ()):
            _check_agreement(dim, *first.setdefault(dim, (what, array)), what, array)
            if dim in taken:
                raise BadValue(
                    f"the dimension `{dim}` has the name of a variable of {rule.name}",
                    f'Rename it: .rename({{"{dim}": "..."}}).',
                )
            if dim == RULE:
                raise BadValue(
                    f"the dimension `{RULE}` of {what} is that of the rules of a trace",
                    f'Rename it: .rename({{"{dim}": "..."}}).',
                )
            if dim in new:
                raise BadValue(
                    f"the dimension `{dim}` has the name of one that {rule.name} makes",
                    f'Rename it: .rename({{"{dim}": "..."}}).',
                )
    for dim in own:
        if dim in taken:
            raise BadValue(
                f"the dimension `{dim}` has the name of a variable of {rule.name}", "Rename the variable in the rule."
            )


def _check_knob(
    name: str,
    array: xr.DataArray,
    places: Mapping[str, Any],
    knobs: Mapping[str, xr.DataArray],
    own: tuple[str, ...],
    new: tuple[str, ...],
) -> None:
    """Refuse a knob with values that is called like a dimension of something else: it would be taken along that."""
    if name in new:
        raise BadValue(
            f"the knob `{name}` has the name of a dimension that the rule makes, and several values",
            "Rename the knob in the rule.",
        )
    whose = GRADIENTS if name in own else _having(name, places)
    if whose is None and array.dims != (name,):
        # Beside a sweep of this knob another may go along with it, and says so by the name.
        other = _having(name, {each: knob for each, knob in knobs.items() if each != name})
        whose = None if other is None else f"`{other}`"
    if whose is not None:
        where = "in them" if whose == GRADIENTS else "there"
        raise BadValue(
            f"the knob `{name}` has the name of a dimension of {whose}, and several values",
            f"Give the dimension another name {where}, as in DataArray(..., dims=...), or rename the knob in the rule.",
        )


def _having(dim: str, arrays: Mapping[str, Any]) -> str | None:
    return next((name for name, array in arrays.items() if dim in getattr(array, "dims", ())), None)


KNOWN = ("rows", "columns", "least", "1")


def _made_by(rule: Rule, tensor: tuple[str, ...]) -> tuple[str, ...]:
    """Name the dimensions that a rule on matrices makes beside those of its tensor."""
    if rule.level != Level.MATRIX:
        return ()
    names = {"least": "least", **dict(zip(("rows", "columns"), tensor, strict=False))}
    squares = (f"{names[one]}_2" for one, other in rule.shapes.values() if one == other and one in names)
    ranks = {
        part.lstrip("@") for shape in rule.shapes.values() for part in shape if part[0] == "@" or part not in KNOWN
    }
    return (
        *sorted(ranks),
        *(("least",) if any("least" in shape for shape in rule.shapes.values()) else ()),
        *dict.fromkeys(squares),
    )


def _check_agreement(dim: Any, one: str, first: xr.DataArray, other: str, second: xr.DataArray) -> None:
    """Refuse a dimension that is not the same in two arrays."""
    if first.sizes[dim] != second.sizes[dim]:
        raise BadValue(
            f"the dimension `{dim}` has {first.sizes[dim]} values in {one} and {second.sizes[dim]} in {other}",
            "Give both the same length, or one of the dimensions another name.",
        )
    if dim in first.indexes and dim in second.indexes and not first.indexes[dim].equals(second.indexes[dim]):
        raise BadValue(
            f"the dimension `{dim}` has other labels in {one} than in {other}",
            "Give both the same labels in one order, or one of the dimensions another name.",
        )


def labels_of(gradients: xr.DataArray | None) -> pd.Index | None:
    """Give the labels of the steps of gradients, if they have any."""
    return None if gradients is None else gradients.indexes.get("step")


def without_labels(array: xr.DataArray) -> xr.DataArray:
    """Drop the labels of the steps: those of a trace are counted, and to compare a million of them takes time."""
    return array.drop_vars("step", errors="ignore")


def scheduled(name: str, array: xr.DataArray, steps: int, labels: pd.Index | None) -> xr.DataArray:
    """Give the values of a knob over the steps of a trace, in their order.

    Values with labels go to the steps that have them: as the gradients label theirs, or counted from 1. Raises
    BadValue if one lacks.
    """
    own = array.indexes.get("step")
    if own is None:
        if array.sizes["step"] < steps:
            raise BadValue(
                f"the schedule of {name} has {array.sizes['step']} steps and the trace {steps}",
                "Give a value for every step.",
            )
        return array.transpose("step", ...).isel(step=slice(steps))
    counted = pd.RangeIndex(1, steps + 1)
    wanted = labels[:steps] if labels is not None and labels[:steps].isin(own).all() else counted
    if own[:steps].equals(wanted):
        return without_labels(array).transpose("step", ...).isel(step=slice(steps))
    if own.has_duplicates:
        twice = own[own.duplicated()][0]
        raise BadValue(f"the schedule of {name} has two values for the step {twice}", "Give one value for each step.")
    places = own.get_indexer(wanted)
    if (places < 0).any():
        raise BadValue(
            f"the schedule of {name} has no value for the step {wanted[places < 0][0]}: its labels go from "
            f"{own[0]} to {own[-1]}",
            f"Label its steps 1, 2, 3 ..., or take the labels off: {name}.drop_vars('step').",
        )
    return without_labels(array).transpose("step", ...).isel(step=places)
