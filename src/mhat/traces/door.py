"""What is asked of traces: one rule or several, whole or in blocks. It knows how neither is done.

A list of rules gives one Dataset with the dimension `rule`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import xarray as xr

from mhat.language import Rule
from mhat.traces.request import Request, understand_one
from mhat.traces.run import Report, run
from mhat.traces.schema import check_dataset, is_several, request_of
from mhat.traces.several import Several, again_several, run_several, run_several_in_blocks, understand_several
from mhat.traces.streaming import run_one_in_blocks


def trace(
    rule: Rule | Sequence[Rule],
    stream: Any,
    /,
    steps: int | None = None,
    start: Any = None,
    dtype: str = "float64",
    keep: str | Iterable[str] | None = None,
    tensor: str | Iterable[str] | None = None,
    **knobs: Any,
) -> xr.Dataset:
    """Run a rule and record what every line of it gives.

    `rule`: one, or a list of several, which run on the same gradients. `stream`: gradients given beforehand (a
    `Stream`, an array with the steps first, a DataArray with the dimension `step`), or a `Landscape`, whose gradient
    answers to where x is. `steps`: how many (all there are; 1,000 on a landscape). `start`: x before step 1 (0; on a
    landscape its own start). `dtype`: float64, float32, float16 or bfloat16 (the last two held as float32, with the
    attribute `arithmetic`). `keep`: the variables to record (all). `tensor`: the dimensions that make up one tensor,
    which `norm` and `mean` run over (all but `step`). A knob is a number, a list (a sweep along a dimension of its
    name) or a DataArray: named dimensions broadcast, and over `step` it is a schedule.

    Returns a Dataset over `step` = 1..T, then the dimensions of sweeps, then those of the gradients; `x` is the
    parameter after the step. Dask-backed inputs stay lazy. A non-finite gradient never raises. Of several rules the
    dimension `rule` comes after `step`, with their names (one that is there twice is numbered); a knob goes to every
    rule that has it; a variable that a rule lacks is NaN; gradients given beforehand are the same for all.

    Raises UnknownName for a knob or variable that no rule has, BadValue for numbers that cannot be.

    >>> from mhat.rules import adam
    >>> ds = trace(adam, [10.0] * 100, eps=1e-3)
    >>> float(ds.ratio.sel(step=100))
    0.9999000099990011
    >>> from mhat.rules import sgd
    >>> ds = trace([adam, sgd], [1.0, 1.0], lr=0.5)
    >>> ds.x.sel(rule="sgd").values.tolist(), ds.x.dims
    ([-0.5, -1.0], ('step', 'rule'))
    """
    asked = understand(rule, stream, steps=steps, start=start, dtype=dtype, keep=keep, tensor=tensor, knobs=knobs)
    return run_whole(asked)


def again(ds: xr.Dataset) -> xr.Dataset:
    """Run a trace again from what it carries: its rules, knobs, start and gradients.

    Raises BadValue if the gradients were left out by `keep` and no recipe names them.
    """
    check_dataset(ds)
    if is_several(ds):
        return again_several(ds)
    return run(request_of(ds))


def understand(
    rule: Rule | Sequence[Rule],
    given: Any,
    *,
    steps: int | None,
    start: Any,
    dtype: str,
    keep: str | Iterable[str] | None,
    tensor: str | Iterable[str] | None,
    knobs: Mapping[str, Any],
) -> Request | Several:
    """Understand the arguments of `trace`; raises UnknownName or BadValue.

    What it gives can be run: its `steps`, its `name`, what it is to `keep`, and `keeping(...)` more.
    """
    asked: dict[str, Any] = {"steps": steps, "start": start, "dtype": dtype, "keep": keep, "tensor": tensor}
    if isinstance(rule, list | tuple):
        return understand_several(rule, given, **asked, knobs=knobs)
    return understand_one(rule, given, **asked, knobs=knobs)  # type: ignore[arg-type]


def run_whole(asked: Request | Several, report: Report | None = None) -> xr.Dataset:
    """Run what was asked for; `report` is called with the number of steps done, for a progress bar."""
    return run_several(asked, report) if isinstance(asked, Several) else run(asked, report)


def run_in_blocks(asked: Request | Several, report: Report | None = None) -> Iterator[xr.Dataset]:
    """Run what was asked for some steps at a time; each Dataset is the trace of a block of steps.

    Gradients and schedules on Dask or in a file are read a block at a time. `report` is called with the number of
    steps done.
    """
    return run_several_in_blocks(asked, report) if isinstance(asked, Several) else run_one_in_blocks(asked, report)
