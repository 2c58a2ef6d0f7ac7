"""Long traces: run some steps at a time and written as they come, in memory that does not grow. It knows no terminal.

A block takes up what the one before carried, so that all of them are the run in one piece, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mhat.engines import plan
from mhat.engines.work import CARRIED, Work
from mhat.outputs import beside, said_of
from mhat.traces.files import check_save, is_saved_trace, load, need_zarr, write_zarr
from mhat.traces.request import Request
from mhat.traces.run import Report, layout_of, loop_dims, run
from mhat.traces.schema import attributes

# What a block may hold: large enough to be worth its writing, small enough for any machine.
BLOCK_BYTES = 1 << 25
# The floats engine needs some twelve times the memory that its numbers take in an array.
MOST_STEPS = 1 << 16
# Coordinates over `step` alone are small: no file for each block of them.
LABELS_IN_A_CHUNK = 1 << 14


def run_one_in_blocks(
    request: Request, report: Report | None = None, length: int | None = None
) -> Iterator[xr.Dataset]:
    """Run a request some steps at a time; each Dataset is the trace of a block of steps, the last may be shorter.

    Gradients and schedules on Dask or in a file are read a block at a time. `report` is called with the number of
    steps done. `length`: the number of steps in a block, unless as many as memory suggests.
    """
    start = request.start.compute() if isinstance(request.start, xr.DataArray) else request.start
    request = replace(request, start=start, arrays={name: array.compute() for name, array in request.arrays.items()})
    length, leg = length or steps_in_a_block(request), _Leg(request.steps)
    for first in range(1, request.steps + 1, length):
        last = min(first + length - 1, request.steps)
        ds = run(_block(request, first, last), report, leg.run)
        yield ds.assign_coords(step=np.arange(first, last + 1)).assign_attrs(attributes(request))


def write(parts: Iterable[xr.Dataset], path: str | Path, *, force: bool = False) -> xr.Dataset:
    """Write the blocks of a trace to a zarr store as they come, and open it lazily.

    The store takes its name only when it is whole. Raises OutputFileError, MissingExtra.
    """
    path = check_save(path, force=force, endings=(".zarr",))
    need_zarr()
    with beside(path, force=force, ours=is_saved_trace) as partial:
        for part in parts:
            with said_of(path):
                _append(part, partial)
    return load(path)


def steps_in_a_block(request: Request) -> int:
    """Give how many steps make a block: as many as its bytes allow, at least one."""
    given: list[Any] = [request.gradients, request.start, *request.arrays.values(), *request.schedules.values()]
    sizes = {dim: size for array in given for dim, size in getattr(array, "sizes", {}).items()}
    batch: int = math.prod(sizes[dim] for dim in loop_dims(request))
    # The gradients are there too, whether or not they are kept.
    numbers = batch * sum(math.prod(layout_of(request, name).sizes) for name in ("g", *request.keep))
    return max(1, min(BLOCK_BYTES // (8 * max(numbers, 1)), MOST_STEPS, request.steps))


class _Leg:
    """The engine of one block after another: each takes up what the last one left."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.first = 1
        self.carried: dict[str, Any] | None = None
        self.engine: str | None = None

    def run(self, work: Work) -> dict[str, Any]:
        # What a block alone is not worth, all of them are.
        self.engine = self.engine or plan.choose(_of_all_steps(work, self.steps))
        made = plan.run(replace(work, first=self.first, carried=self.carried, carries=True), self.engine)
        self.first += work.steps
        self.carried = made.pop(CARRIED)
        return made


def _of_all_steps(work: Work, steps: int) -> Work:
    """Give the whole run that a block is of, as far as its shapes go."""

    def longer(array: Any, axis: int) -> Any:
        return np.broadcast_to(np.float64(0), (*array.shape[:axis], steps, *array.shape[axis + 1 :]))

    gradients = work.gradients
    if not callable(gradients):
        gradients = longer(gradients, gradients.ndim - work.core_dimensions - 1)
    schedules = {name: longer(schedule, schedule.ndim - 1) for name, schedule in work.schedules.items()}
    return replace(work, gradients=gradients, schedules=schedules, steps=steps)


def _block(request: Request, first: int, last: int) -> Request:
    """Cut the steps first..last out of a request, and read what belongs to them."""

    def cut(array: xr.DataArray) -> xr.DataArray:
        return array.isel(step=slice(first - 1, last)).compute()

    return replace(
        request,
        gradients=None if request.gradients is None else cut(request.gradients),
        schedules={name: cut(schedule) for name, schedule in request.schedules.items()},
        steps=last - first + 1,
    )


def _append(part: xr.Dataset, path: Path) -> None:
    over_steps = {str(name): variable for name, variable in part.variables.items() if "step" in variable.dims}
    if path.exists():
        fixed = [name for name in part.variables if name not in over_steps]
        write_zarr(part.drop_vars(fixed), path, append_dim="step")
        return
    steps = part.sizes["step"]
    encoding = {
        name: {
            "chunks": tuple(steps if dim == "step" else size for dim, size in variable.sizes.items())
            if variable.ndim > 1 or name in part.data_vars
            else (max(steps, LABELS_IN_A_CHUNK),)
        }
        for name, variable in over_steps.items()
    }
    write_zarr(part, path, mode="w", encoding=encoding)
