"""Run a request: `xarray.apply_ufunc` around the engines, so that lazy inputs stay lazy. It knows no drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from mhat.dtypes import DTYPES
from mhat.engines import plan
from mhat.engines.work import Work, variables_of
from mhat.language import Level, Rule
from mhat.traces.dimensions import RULE
from mhat.traces.request import Request, understand_one
from mhat.traces.schema import attributes

Report = Callable[[int], None]
# No knob can have these names.
GRADIENTS, START = "@gradients", "@start"


def recorded(
    rule: Rule, gradients: Any, arrays: Mapping[str, Any], *, start: Any, dtype: str, knobs: Mapping[str, Any]
) -> xr.Dataset:
    """Make the trace of a run that is over: what `trace` gives for these gradients, with `arrays` for its numbers.

    `gradients`: (steps, *tensor), of no step too. `arrays`: every name a trace keeps, shaped as an engine gives it.
    """
    given: dict[str, Any] = {"start": start, "dtype": dtype, "keep": None, "tensor": None, "knobs": knobs}
    if len(gradients):
        return run(understand_one(rule, gradients, steps=None, **given), engine=lambda work: dict(arrays))
    none = run(understand_one(rule, np.zeros((1, *gradients.shape[1:])), steps=None, **given)).isel(step=slice(0, 0))
    return none.assign_attrs(steps=0)


def run(
    request: Request, report: Report | None = None, engine: Callable[[Work], dict[str, Any]] = plan.run
) -> xr.Dataset:
    """Run a request; `report` is called with the number of steps done, for a progress bar."""
    names, arguments, core_dims = _arguments(request)
    layouts = {name: layout_of(request, name) for name in request.keep}

    # On a cluster `core` travels with every block: it holds no array.
    bare = replace(request, gradients=None, start=0.0, arrays={}, schedules={})
    keep, scheduled, axes = request.keep, frozenset(request.schedules), _start_axes(request)

    def core(*blocks: Any) -> Any:
        given = dict(zip(names, blocks, strict=True))
        given[START] = _with_core_axes(given[START], axes)
        made = engine(_work(bare, given, scheduled, report))
        batch = np.broadcast_shapes(
            *(np.shape(b)[: np.ndim(b) - len(dims)] for b, dims in zip(blocks, core_dims, strict=True))
        )
        whole = tuple(layouts[name].whole(made[name], batch) for name in keep)
        # `apply_ufunc` takes a tuple for several results only.
        return whole if len(whole) > 1 else whole[0]

    result = xr.apply_ufunc(
        core,
        *arguments,
        input_core_dims=core_dims,
        output_core_dims=[("step", *layouts[name].named) for name in request.keep],
        dask="parallelized",
        output_dtypes=[np.dtype(DTYPES[request.dtype].computed)] * len(request.keep),
        dask_gufunc_kwargs={"output_sizes": _new_sizes(request, layouts)},
    )
    found = dict(zip(request.keep, result if len(request.keep) > 1 else (result,), strict=True))
    # A range takes no memory until somebody looks at it.
    ds = xr.Dataset(coords={"step": pd.RangeIndex(1, request.steps + 1)}, attrs=attributes(request))
    ds = ds.assign({name: _without_repeats(request, name, array) for name, array in found.items()})
    # With a name of its own a trace can be joined with others: xr.concat([a, b], "rule").
    ds = ds.assign_coords({RULE: request.name, **request.arrays, **request.schedules})
    return ds.transpose("step", *(dim for dim in _sweep_dims(request) if dim in ds.dims), ...)


@dataclass(frozen=True)
class Layout:
    """The axes of a variable behind `step`: sizes as the engine gives them, names, None for one to be dropped."""

    sizes: tuple[int, ...]
    dims: tuple[str | None, ...]

    @property
    def named(self) -> tuple[str, ...]:
        return tuple(dim for dim in self.dims if dim is not None)

    def whole(self, made: Any, batch: tuple[int, ...]) -> Any:
        """Give a variable all batch axes, as a view."""
        dropped = tuple(axis - len(self.dims) for axis, dim in enumerate(self.dims) if dim is None)
        made = np.squeeze(made, axis=dropped) if dropped else made
        own = len(self.named) + 1
        return np.broadcast_to(made, (*batch, *made.shape[made.ndim - own :]))


def layout_of(request: Request, name: str) -> Layout:
    """Lay out a variable after the shape that the rule gives it."""
    inner = variables_of(request.rule)[name]
    tensor = _sizes(request, request.tensor)
    shape = request.rule.shape_of(inner, tensor)
    several = _sizes(request, request.several)
    dims: tuple[str | None, ...] = request.tensor if shape else ()
    if request.rule.level == Level.MATRIX and shape:
        rows, columns = request.tensor
        known: dict[str, str | None] = {"rows": rows, "columns": columns, "least": "least", "1": None}
        # What `leading` counts is called as the knob is.
        first, second = (known.get(part, part.lstrip("@")) for part in request.rule.shapes[inner])
        dims = (first, f"{second}_2" if second is not None and first == second else second)
    return Layout((*several, *shape), (*request.several, *dims))


def _sizes(request: Request, dims: tuple[str, ...]) -> tuple[int, ...]:
    array = request.gradients if request.gradients is not None else request.start
    assert isinstance(array, xr.DataArray)
    return tuple(array.sizes[dim] for dim in dims)


def _new_sizes(request: Request, layouts: dict[str, Layout]) -> dict[str, int]:
    """Tell the sizes of dimensions that no input has: lazy arrays must know them beforehand."""
    return {
        dim: size
        for layout in layouts.values()
        for dim, size in zip(layout.dims, layout.sizes, strict=True)
        if dim is not None and dim not in request.core
    } | ({"step": request.steps} if request.gradients is None and not request.schedules else {})


def _arguments(request: Request) -> tuple[list[str], list[xr.DataArray], list[tuple[str, ...]]]:
    """List what goes through `apply_ufunc`: names, arrays, and their core dimensions."""
    start = request.start if isinstance(request.start, xr.DataArray) else xr.DataArray(request.start)
    inputs = {START: (start, tuple(dim for dim in request.core if dim in start.dims))}
    if request.gradients is not None:
        inputs[GRADIENTS] = (_in_double(request.gradients, DTYPES[request.dtype].computed), ("step", *request.core))
    inputs |= {name: (array, ()) for name, array in request.arrays.items()}
    inputs |= {name: (array, ("step",)) for name, array in request.schedules.items()}
    arrays = [_in_one_block(array, dims) for array, dims in inputs.values()]
    return list(inputs), arrays, [dims for _, dims in inputs.values()]


def _in_double(array: xr.DataArray, held: str) -> xr.DataArray:
    """Give numbers as doubles, from which an engine rounds; those that it holds as they are need no copy."""
    return array if array.dtype == held else array.astype(np.float64, copy=False)


def _in_one_block(array: xr.DataArray, dims: tuple[str, ...]) -> xr.DataArray:
    """Let a lazy array have one block along the dimensions that an engine must see whole."""
    return array.chunk(dict.fromkeys(dims, -1)) if array.chunks is not None and dims else array


def _work(request: Request, blocks: dict[str, Any], scheduled: frozenset[str], report: Report | None) -> Work:
    landscape = request.landscape
    knobs = {name: block for name, block in blocks.items() if name not in (GRADIENTS, START)}
    return Work(
        request.rule,
        blocks[GRADIENTS] if landscape is None else landscape.gradient,
        request.steps,
        request.keep,
        start=blocks[START],
        knobs={**request.numbers, **{name: block for name, block in knobs.items() if name not in scheduled}},
        schedules={name: block for name, block in knobs.items() if name in scheduled},
        dtype=request.dtype,
        several_dimensions=len(request.several),
        tensor_dimensions=len(request.tensor),
        project=None if landscape is None else landscape.project,
        report=report,
        loss=None if landscape is None else landscape.value,
    )


def _start_axes(request: Request) -> tuple[int | None, ...]:
    """Give the length of each core dimension in the start, None where the start does not have it."""
    sizes = request.start.sizes if isinstance(request.start, xr.DataArray) else {}
    return tuple(sizes.get(dim) for dim in request.core)


def _with_core_axes(start: Any, axes: tuple[int | None, ...]) -> Any:
    """Insert axes of length one for the core dimensions that the start does not have."""
    if np.ndim(start) == 0:
        return start
    batch = np.shape(start)[: np.ndim(start) - sum(size is not None for size in axes)]
    return np.reshape(start, (*batch, *(1 if size is None else size for size in axes)))


def _without_repeats(request: Request, name: str, array: xr.DataArray) -> xr.DataArray:
    """Drop the dimensions of sweeps that a variable does not depend on: there it only repeats."""
    inner = variables_of(request.rule)[name]
    reached = request.rule.dependence[inner] | {inner}
    if request.landscape is not None and reached & {"g", "loss", "h"}:
        reached |= request.rule.dependence["x"]
    carriers: dict[str, Any] = {"g": request.gradients, "x": request.start, **request.arrays, **request.schedules}
    needed = {dim for part in reached for dim in getattr(carriers.get(part), "dims", ())}
    sweep = loop_dims(request)
    repeated = {dim: 0 for dim in array.dims if dim in sweep and dim not in needed}
    return array.isel(repeated, drop=True) if repeated else array


def loop_dims(request: Request) -> set[Any]:
    """Collect the dimensions that `apply_ufunc` loops over."""
    given: list[Any] = [request.gradients, request.start, *request.arrays.values(), *request.schedules.values()]
    return {dim for array in given for dim in getattr(array, "dims", ())} - {"step", *request.core}


def _sweep_dims(request: Request) -> list[Any]:
    """Order the dimensions of sweeps: those of knobs stand before those of the gradients."""
    own = set(() if request.gradients is None else request.gradients.dims) | set(request.core)
    given: list[Any] = [*request.arrays.values(), *request.schedules.values(), request.start]
    return list(dict.fromkeys(d for array in given for d in getattr(array, "dims", ()) if d not in {*own, "step"}))
