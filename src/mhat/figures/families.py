"""What the dimensions of a trace mean for its picture: colours, columns of panels, bands. It draws nothing.

The first sweep is told apart by colour, further sweeps by columns. Coordinates of the gradient are lines if they
are few and no sweep has taken the colours, columns if they are very few, and else a band that says how they spread.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm, Normalize, to_hex
from numpy.typing import NDArray

from mhat.figures import inks
from mhat.figures.canvas import escaped
from mhat.figures.numerals import texts
from mhat.printers.latex import name_latex
from mhat.traces.schema import tensor_of

Array = NDArray[np.floating[Any]]

FEW_LINES, FEW_COLUMNS, MOST_MEMBERS, MOST_SWEPT_GRADIENTS = 8, 4, 40, 20
MOST_NAMED, MOST_BAND_STEPS = 8, 1500


@dataclass(frozen=True)
class Column:
    """One column of panels: what is selected for it, and what it is called."""

    selection: Mapping[str, int] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True)
class Family:
    """How the lines of one variable are told apart.

    `dims` are stacked into members, each with a label and a colour; `values` are the members as numbers if they
    are ordered. `spread` are the dimensions drawn as a band.
    """

    dims: tuple[str, ...] = ()
    title: str = ""
    labels: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    values: tuple[float, ...] | None = None
    chosen: tuple[int, ...] = ()
    spread: tuple[str, ...] = ()
    columns: tuple[Column, ...] = (Column(),)
    notes: tuple[str, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether the members are values of a sweep."""
        return self.values is not None


def arrange(ds: xr.Dataset, names: Iterable[str], knobs: Iterable[str], *, colours_taken: bool = False) -> Family:
    """Decide for the dimensions of the variables `names`, given the names of the rule's knobs.

    Where the colours are taken, by the rules that are compared, a sweep is told apart by columns.
    """
    arrays = [ds[name] for name in names]
    sizes = {str(dim): size for array in arrays for dim, size in array.sizes.items() if dim != "step" and size > 1}
    swept = sweeps_of(ds, sizes, knobs)
    # Each variable has coordinates of its own kind; those of x stand for the trace.
    whole = ds["x"] if "x" in ds else max(arrays, key=lambda array: array.ndim, default=xr.DataArray())
    coordinates = tuple(str(dim) for dim in whole.dims if dim in sizes and dim not in swept)
    count = int(np.prod([sizes[dim] for dim in coordinates], dtype=int))
    spread = tuple(dim for dim in sizes if dim not in swept)
    if not (swept or colours_taken) and coordinates and count <= FEW_LINES:
        return _coordinates(ds, coordinates, sizes, spread)
    others = swept if colours_taken else swept[1:]
    fits = bool(swept or colours_taken) and count * math.prod(sizes[dim] for dim in others) <= FEW_COLUMNS
    as_columns = coordinates if fits else ()
    columns, notes = _columns(ds, (*others, *as_columns), sizes)
    spread = tuple(dim for dim in spread if dim not in as_columns)
    if colours_taken or not swept:
        return Family(spread=spread, columns=columns, notes=tuple(notes))
    return _sweep(ds, swept[0], sizes[swept[0]], spread, columns, notes)


def sweeps_of(ds: xr.Dataset, dims: Iterable[str], knobs: Iterable[str]) -> list[str]:
    """Choose those dimensions that are sweeps."""
    return [dim for dim in dims if _is_sweep(ds, dim, set(knobs))]


def _is_sweep(ds: xr.Dataset, dim: str, knobs: set[str]) -> bool:
    if any(dim in ds[knob].dims for knob in knobs if knob in ds.coords):
        return True
    numeric = dim in ds.coords and ds[dim].dtype.kind in "iuf"
    return numeric and dim not in tensor_of(ds) and ds.sizes[dim] <= MOST_SWEPT_GRADIENTS


# The name of a dimension, its members' names, and their values if they are numbers.
Members = tuple[str, list[str], list[float] | None]


def members_of(ds: xr.Dataset, dim: str) -> Members:
    """Name a dimension and its members: after itself, or after the one knob that varies along it."""
    source = dim
    if dim not in ds.coords:
        along = [str(name) for name, coord in ds.coords.items() if coord.dims == (dim,)]
        source = along[0] if len(along) == 1 else dim
    if source not in ds.coords:
        return plain_or_math(dim), [f"{i}" for i in range(ds.sizes[dim])], None
    values = np.asarray(ds[source])
    if values.dtype.kind not in "iuf":
        return plain_or_math(source), [str(value) for value in values.tolist()], None
    return plain_or_math(source), texts([float(value) for value in values]), [float(value) for value in values]


def plain_or_math(name: Hashable) -> str:
    """Write the name of a knob or dimension in math, unless the symbol would not recall it, like eta for `lr`."""
    text = str(name)
    if not text.isidentifier():
        return escaped(text)
    symbol = name_latex(text)
    return f"${symbol}$" if re.split(r"[\d_]", text)[0] in symbol else text


def evenly(count: int, most: int) -> list[int]:
    """Choose at most so many places, evenly, the first and the last among them."""
    return list(range(count)) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()


def _columns(ds: xr.Dataset, dims: tuple[str, ...], sizes: Mapping[str, int]) -> tuple[tuple[Column, ...], list[str]]:
    named = {dim: members_of(ds, dim) for dim in dims}
    every = list(itertools.product(*(range(sizes[dim]) for dim in dims)))
    kept = [every[i] for i in evenly(len(every), FEW_COLUMNS)]
    columns = tuple(
        Column(
            dict(zip(dims, places, strict=True)),
            ", ".join(f"{named[dim][0]} = {named[dim][1][i]}" for dim, i in zip(dims, places, strict=True)),
        )
        for places in kept
    )
    return columns, [f"{len(kept)} of {len(every)} columns are shown."] if len(kept) < len(every) else []


def _sweep(
    ds: xr.Dataset, dim: str, size: int, spread: tuple[str, ...], columns: tuple[Column, ...], notes: list[str]
) -> Family:
    title, labels, values = members_of(ds, dim)
    chosen = evenly(size, MOST_MEMBERS)
    if len(chosen) < size:
        notes = [*notes, f"{len(chosen)} of {size} values of {title} are shown."]
    numbers = values or [float(i) for i in range(size)]
    shades = shades_of(numbers)
    return Family(
        (dim,),
        title,
        tuple(labels[i] for i in chosen),
        tuple(to_hex(shades[i]) for i in chosen),
        tuple(numbers[i] for i in chosen),
        tuple(chosen),
        spread,
        columns,
        tuple(notes),
    )


def norm_of(values: Iterable[float]) -> Normalize:
    """Spread values over a colour map, by their logarithms if they span much."""
    values = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(values), max(values)
    return LogNorm(low, high) if low > 0 and high > 50 * low else Normalize(low, high)


def shades_of(values: list[float]) -> Array:
    """Colour the members of a sweep evenly in their order, so that 0.99 and 0.999 are as unlike as 0.9 and 0.99."""
    order = np.argsort(np.argsort(values, kind="stable"))
    return np.asarray(inks.gradual()(order / max(len(values) - 1, 1)))


def _coordinates(ds: xr.Dataset, dims: tuple[str, ...], sizes: Mapping[str, int], spread: tuple[str, ...]) -> Family:
    named = [members_of(ds, dim) for dim in dims]
    places = list(itertools.product(*(range(sizes[dim]) for dim in dims)))
    labels = tuple(", ".join(name[1][i] for name, i in zip(named, place, strict=True)) for place in places)
    colours = inks.distinct()
    return Family(
        dims,
        ", ".join(name[0] for name in named),
        labels,
        tuple(colours[i % len(colours)] for i in range(len(places))),
        None,
        tuple(range(len(places))),
        tuple(dim for dim in spread if dim not in dims),
    )


@dataclass(frozen=True)
class Strand:
    """The lines of one variable in one panel that share a look: (steps, lines), one line unless `spread`."""

    values: Array
    member: int | None
    spread: bool


def strands(array: xr.DataArray, family: Family, column: Column) -> list[Strand]:
    """Take a variable apart into what is drawn of it."""
    array = array.isel({dim: i for dim, i in column.selection.items() if dim in array.dims})
    array = array.isel({dim: 0 for dim in array.dims if dim != "step" and array.sizes[dim] == 1})
    own = [str(dim) for dim in array.dims if dim != "step"]
    stacked = family.dims if set(family.dims) <= set(own) else ()
    rest = [dim for dim in own if dim not in stacked]
    array = array.transpose("step", *stacked, *rest)
    if rest:
        array = array.isel(step=band_steps(array.sizes["step"]))
    members = math.prod(array.sizes[dim] for dim in stacked)
    values = np.asarray(array, dtype=np.float64)
    lines = values.reshape(len(values), members, math.prod(array.sizes[dim] for dim in rest))
    if not stacked:
        return [Strand(lines[:, 0], None, bool(rest))]
    return [Strand(lines[:, i], member, bool(rest)) for member, i in enumerate(family.chosen)]


def band_steps(count: int) -> NDArray[np.intp]:
    """Choose the steps at which a band is computed: all, or evenly many."""
    if count <= MOST_BAND_STEPS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MOST_BAND_STEPS).round().astype(np.intp))
