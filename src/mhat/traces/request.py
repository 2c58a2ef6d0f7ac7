"""What a user asks of a trace, understood: dimensions named, knobs sorted, mistakes refused. It computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from mhat.dtypes import DTYPES
from mhat.engines.program import lacking
from mhat.engines.work import variables_of
from mhat.errors import BadValue, UnknownName
from mhat.landscapes import Landscape
from mhat.language import Level, Rule
from mhat.language.fit import require_fit
from mhat.language.inference import names_read, reductions_over_all
from mhat.notation import cut
from mhat.streams import Stream, of_array
from mhat.streams.stream import StoredStream, dims_of, is_real
from mhat.traces.dimensions import GRADIENTS, START, check_dimensions, labels_of, scheduled, without_labels
from mhat.traces.scheduling import schedule_array

COORDINATE = "i"


@dataclass(frozen=True)
class Request:
    """A trace to be made: every array with named dimensions, every number checked."""

    rule: Rule
    gradients: xr.DataArray | None
    landscape: Landscape | None
    recipe: str
    steps: int
    start: float | xr.DataArray
    numbers: Mapping[str, float]
    arrays: Mapping[str, xr.DataArray]
    schedules: Mapping[str, xr.DataArray]
    several: tuple[str, ...]
    tensor: tuple[str, ...]
    keep: tuple[str, ...]
    dtype: str

    @property
    def name(self) -> str:
        """What it is called."""
        return self.rule.name

    def keeping(self, *names: str) -> Request:
        """Keep more variables, those that are to be kept already among them."""
        return replace(self, keep=tuple(dict.fromkeys((*names, *self.keep))))

    @property
    def core(self) -> tuple[str, ...]:
        """Dimensions that must be seen whole at a step; any other can be cut into blocks."""
        return (*self.several, *self.tensor)


def understand_one(
    rule: Rule,
    given: Any,
    *,
    steps: int | None,
    start: Any,
    dtype: str,
    keep: str | Iterable[str] | None,
    tensor: str | Iterable[str] | None,
    knobs: Mapping[str, Any],
    recipe: str | None = None,
) -> Request:
    """Understand the arguments of `trace` for one rule; raises UnknownName or BadValue.

    `recipe` names gradients whose origin is known; otherwise they are asked for theirs.
    """
    check_rule(rule)
    dtype = _checked_dtype(dtype)
    if rule.tree.given and not isinstance(given, Landscape):
        name = rule.tree.given[0]
        cure = f"Give a landscape, where it is known, or take steps that are given it: mhat.step(..., {name}=...)."
        raise lacking(rule, name, "a stream has none", cure)
    landscape = given if isinstance(given, Landscape) else None
    recipe = str(getattr(given, "recipe", "")) if recipe is None else recipe
    gradients = None if landscape else _gradients(given)
    count, labels = _steps(steps, gradients, recipe), labels_of(gradients)
    if gradients is not None:
        gradients = without_labels(gradients).isel(step=slice(count))
    numbers, arrays, schedules = _sorted_knobs(rule, knobs, count, labels)
    for name in rule.ranks:
        if name[1:] in {**arrays, **schedules}:
            raise BadValue(f"`{name[1:]}` gives states their shapes, and is one number", "Trace one value at a time.")
    rule = rule.sized(numbers)
    own = (COORDINATE,) if landscape else tuple(str(dim) for dim in gradients.dims[1:])  # type: ignore[union-attr]
    several, tensors = _tensor_dimensions(rule, own, tensor, closed=landscape is not None)
    if gradients is not None:
        require_fit(rule, tuple(gradients.sizes[dim] for dim in tensors), "the tensor")
    request = Request(
        rule, gradients, landscape, recipe, count, _start(start, landscape, own), numbers, arrays, schedules,
        several, tensors, _kept(rule, keep), dtype,
    )  # fmt: skip
    places = {GRADIENTS: gradients, START: request.start}
    check_dimensions(rule, variables_of(rule), places, {**arrays, **schedules}, own, tensors)
    return request


def check_rule(rule: Any) -> None:
    """Refuse what is no rule, such as the gradients in its place; raises BadValue."""
    if not isinstance(rule, Rule):
        cure = "Give the rule first, and then the gradients: trace(rule, stream)."
        raise BadValue(f"{cut(repr(rule))} is no rule", cure)


def _checked_dtype(dtype: Any) -> str:
    """Give the name of a dtype, which may come as NumPy's own."""
    name = dtype if isinstance(dtype, str) else str(getattr(dtype, "__name__", dtype))
    if name in DTYPES:
        return name
    error = UnknownName("dtype", name, DTYPES)
    # All four are said, also where one is near.
    raise error if error.cure.startswith("Known") else UnknownName("dtype", name, DTYPES, f"All: {', '.join(DTYPES)}.")


def _gradients(given: Any) -> xr.DataArray:
    if isinstance(given, xr.DataArray):
        if "step" not in given.dims:
            named = ", ".join(map(str, given.dims)) or "none"
            raise BadValue(
                f"the gradients have no dimension `step` (dimensions: {named})",
                'Rename the one that counts the steps: gradients.rename({"...": "step"}).',
            )
        if not is_real(given.dtype):
            raise BadValue(f"the gradients are of type {given.dtype}", "Give real numbers.")
        if given.size == 0:
            raise BadValue("a stream without a step", "Give at least one gradient.")
        return given.transpose("step", ...)
    if isinstance(given, StoredStream):
        return _gradients(given.array)
    if isinstance(given, Stream):
        return xr.DataArray(given.values, dims=given.dims, coords={dim: [*each] for dim, each in given.labels.items()})
    if callable(given) or isinstance(given, str | bytes | Mapping):
        raise BadValue(
            f"{given!r} is neither gradients nor a landscape",
            "Give a stream, a landscape, an array of gradients (steps first), or a DataArray with `step`.",
        )
    if hasattr(given, "__dask_graph__") and hasattr(given, "ndim"):
        return _gradients(xr.DataArray(given, dims=dims_of(given.ndim)))
    if isinstance(given, np.ndarray) and given.size and given.ndim and is_real(given.dtype):
        # As it is: an engine may hold the numbers so.
        return xr.DataArray(given, dims=dims_of(given.ndim))
    if isinstance(given, Real):
        raise BadValue(
            f"{given!r} is one number, and gradients are one for each step",
            f'Give a list, or a stream: [{given!r}, {given!r}], "constant:{given!r}".',
        )
    stream = of_array(given)
    return xr.DataArray(stream.values, dims=stream.dims)


def _steps(steps: int | None, gradients: xr.DataArray | None, recipe: str) -> int:
    known = None if gradients is None else gradients.sizes["step"]
    if steps is None:
        steps = 1000 if known is None else known
    if isinstance(steps, bool) or not isinstance(steps, Real) or steps % 1 != 0 or steps < 1:
        raise BadValue(f"steps={steps!r}", "Ask for at least one step, a whole number.")
    if known is not None and steps > known:
        cure = "Ask the stream for more: it takes steps= too." if recipe else "Give more gradients, or fewer steps."
        raise BadValue(f"{steps} steps are asked for and there are gradients for {known}", cure)
    return int(steps)


def _sorted_knobs(
    rule: Rule, knobs: Mapping[str, Any], steps: int, labels: pd.Index | None
) -> tuple[dict[str, float], dict[str, xr.DataArray], dict[str, xr.DataArray]]:
    numbers, arrays, schedules = {}, {}, {}
    for name in knobs:
        if name not in rule.knobs:
            raise rule.unknown_knob(name)
    told = rule.settled({name: _knob_array(name, value, steps) for name, value in knobs.items()}, over_arrays)
    for name, array in told.items():
        _check_range(rule, name, array)
        if array.ndim == 0:
            numbers[name] = float(array)
        elif "step" in array.dims:
            schedules[name] = scheduled(name, array, steps, labels)
        else:
            arrays[name] = array
    return numbers, arrays, schedules


def over_arrays(function: Callable[..., float], *arrays: xr.DataArray | float) -> xr.DataArray:
    """Apply a function of numbers to every number of arrays that broadcast by their dimensions."""
    applied = np.vectorize(function, otypes=[np.float64])
    made: xr.DataArray = xr.apply_ufunc(applied, *arrays, dask="parallelized", output_dtypes=[np.float64])
    return made


def _knob_array(name: str, value: Any, steps: int) -> xr.DataArray:
    if isinstance(value, xr.DataArray):
        array = value
    elif (scheduled := schedule_array(name, value, steps)) is not None:
        array = scheduled
    else:
        try:
            plain = np.asarray(value)
        except ValueError:
            plain = np.asarray("ragged")
        if plain.size and plain.dtype.kind not in "iuf":
            raise BadValue(f"{name}={value!r} is not a number", f"Give {name} a number, or numbers.")
        if plain.ndim > 1:
            raise BadValue(
                f"{name} has {plain.ndim} dimensions without names", "Give a DataArray, whose dimensions have names."
            )
        # A plain list is a sweep along a dimension of the knob's own name.
        array = xr.DataArray(plain, dims=(name,) * plain.ndim)
    if array.size == 0:
        raise BadValue(f"{name} has no values", f"Give {name} at least one value.")
    if array.dtype.kind not in "iuf":
        raise BadValue(f"{name} holds values of type {array.dtype}", f"Give {name} a number, or numbers.")
    array = array.astype(np.float64)
    if array.dims == (name,) and name not in array.coords:
        array = array.assign_coords({name: array.values})
    return array


def _check_range(rule: Rule, name: str, array: xr.DataArray) -> None:
    """Refuse values out of the knob's range; of a lazy array the ends are computed."""
    for end in (float(array.min(skipna=False)), float(array.max(skipna=False))):
        rule.check_knobs({name: end})


def _tensor_dimensions(
    rule: Rule, own: tuple[str, ...], tensor: str | Iterable[str] | None, *, closed: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the gradients' dimensions into those that count tensors and those that make one up."""
    named = own if tensor is None else names_in("tensor", tensor)
    for name in named:
        if name not in own:
            raise UnknownName("dimension of the gradients", name, own)
    named = tuple(dim for dim in own if dim in named)
    several = tuple(dim for dim in own if dim not in named)
    if rule.level == Level.MATRIX and len(named) != 2:
        raise BadValue(
            f"{rule.name} is a rule per matrix and the tensor has {len(named)} dimensions",
            "Give gradients (step, rows, columns), or name the two dimensions: tensor=('i', 'j').",
        )
    looks_across = reductions_over_all(rule.tree) or bool(names_read(rule.tree) & {"k", "n"})
    if rule.level == Level.COORDINATE and not looks_across:
        return (), named if closed else ()
    return (several if looks_across else ()), named


def _start(start: Any, landscape: Landscape | None, own: tuple[str, ...]) -> float | xr.DataArray:
    if start is None:
        start = landscape.start if landscape else 0.0
    if isinstance(start, xr.DataArray):
        if "step" in start.dims:
            raise BadValue("start has the dimension `step`", "Give where x is before step 1, and no more.")
        array = start.astype(np.float64)
    else:
        try:
            plain = np.asarray(start, dtype=np.float64)
        except (TypeError, ValueError):
            raise BadValue(f"start={start!r} is not a number", "Give a number, or one for each coordinate.") from None
        if plain.ndim > len(own):
            raise BadValue(
                f"start has {plain.ndim} dimensions and the gradients {len(own)} beside `step`",
                "Give a number, or one for each coordinate.",
            )
        array = xr.DataArray(plain, dims=own[len(own) - plain.ndim :])
    if landscape:
        return _landscape_start(array, landscape)
    return float(array) if array.ndim == 0 else array


def _landscape_start(array: xr.DataArray, landscape: Landscape) -> xr.DataArray:
    count = len(landscape.start)
    if array.ndim == 0:
        array = xr.DataArray(np.full(count, float(array)), dims=(COORDINATE,))
    if array.sizes.get(COORDINATE) != count:
        raise BadValue(
            f"start has {array.sizes.get(COORDINATE, 'no')} coordinates and {landscape.name} has {count}",
            f"Give {count} numbers, such as start={tuple(float(v) for v in landscape.start)}.",
        )
    return array


def names_in(argument: str, given: str | Iterable[str]) -> tuple[str, ...]:
    """Give the names in an argument that takes one or several."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Iterable):
        raise BadValue(f"{argument}={given!r} is not a name", "Give a name, or a list of names.")
    return tuple(str(name) for name in given)


def _kept(rule: Rule, keep: str | Iterable[str] | None) -> tuple[str, ...]:
    names = variables_of(rule)
    if keep is None:
        return tuple(names)
    wanted = names_in("keep", keep)
    for name in wanted:
        if name not in names:
            raise UnknownName(f"variable of {rule.name}", name, names)
    if not wanted:
        raise BadValue("keep names no variable", f"Name some of {', '.join(names)}.")
    return tuple(name for name in names if name in wanted)
