"""Dask-backed gradients, starts and knobs stay lazy, and give the numbers of plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from tests.traces.test_schema import NOISE, ON_MATRICES, ON_TENSORS

cloudpickle = pytest.importorskip("cloudpickle")
dask_array = pytest.importorskip("dask.array")
GRADIENTS = xr.DataArray(NOISE, dims=("step", "i", "j"))
SCHEDULE = xr.DataArray(np.linspace(0.1, 0.5, 5), dims="step")
SWEEP = xr.DataArray([0.1, 0.2, 0.3], dims="run")
STARTS = xr.DataArray([1.0, 2.0, 3.0, 4.0], dims="s")


def check_same(lazy: xr.Dataset, plain: xr.Dataset) -> None:
    assert lazy.x.chunks is not None
    xr.testing.assert_identical(lazy.compute(), plain)


@pytest.mark.parametrize("rule", ["adam", "lamb", ON_TENSORS], ids=["adam", "lamb", "over all"])
@pytest.mark.parametrize("knobs", [{}, {"lr": 0.5}, {"lr": [0.1, 0.2]}, {"lr": SWEEP}, {"lr": SCHEDULE}], ids=str)
@pytest.mark.parametrize("keep", [None, "x"])
def test_lazy_gradients(rule: Any, knobs: dict[str, Any], keep: Any) -> None:
    lazy = mhat.trace(rule, GRADIENTS.chunk({"step": 2, "i": 1}), tensor="j", keep=keep, **knobs)
    check_same(lazy, mhat.trace(rule, GRADIENTS, tensor="j", keep=keep, **knobs))


def test_blocks_are_kept_where_no_step_looks_across() -> None:
    ds = mhat.trace("adam", GRADIENTS.chunk({"i": 1, "j": 1}))
    assert ds.x.chunks == ((5,), (1, 1, 1), (1, 1))
    ds = mhat.trace("lamb", GRADIENTS.chunk({"i": 1, "j": 1}), tensor="j")
    assert ds.x.chunks == ((5,), (1, 1, 1), (2,))
    assert ds.trust.chunks == ((5,), (1, 1, 1))


@pytest.mark.parametrize("stream", [NOISE, "rosenbrock"], ids=["stream", "landscape"])
def test_lazy_knobs(stream: Any) -> None:
    lazy = mhat.trace("adam", stream, steps=5, lr=SWEEP.chunk({"run": 1}))
    assert lazy.x.chunks is not None and lazy.x.chunks[1] == (1, 1, 1)
    assert lazy.lr.chunks is not None
    check_same(lazy, mhat.trace("adam", stream, steps=5, lr=SWEEP))


def test_lazy_schedules_and_starts() -> None:
    lazy = mhat.trace("adamw", GRADIENTS, lr=SCHEDULE.chunk({"step": 2}), start=STARTS.chunk({"s": 2}))
    assert lazy.x.chunks is not None and lazy.x.chunks[1] == (2, 2)
    check_same(lazy, mhat.trace("adamw", GRADIENTS, lr=SCHEDULE, start=STARTS))


def test_lazy_matrices() -> None:
    check_same(mhat.trace(ON_MATRICES, GRADIENTS.chunk({"j": 1}), lr=SWEEP), mhat.trace(ON_MATRICES, NOISE, lr=SWEEP))


def test_a_dask_array_without_names_stays_lazy_too() -> None:
    check_same(mhat.trace("adam", dask_array.from_array(NOISE, chunks=(5, 1, 2))), mhat.trace("adam", NOISE))


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    def explode(block: Any) -> Any:
        raise AssertionError("computed")

    lazy = dask_array.map_blocks(explode, dask_array.ones((5, 3)), dtype=float, meta=np.empty((0, 0)))
    ds = mhat.trace("adam", xr.DataArray(lazy, dims=("step", "i")))
    with pytest.raises(AssertionError, match="computed"):
        ds.x.compute()


@pytest.mark.parametrize("lazy", ["gradients", "knobs", "both"])
def test_no_block_carries_the_arrays_of_all(lazy: str) -> None:
    """What is sent to the workers of a cluster with every block is the rule and little more."""
    wide, rates = xr.DataArray(np.ones((1000, 200)), dims=("step", "i")), xr.DataArray(np.ones(5000), dims="run")
    given = wide.chunk({"i": 50}) if lazy != "knobs" else wide
    ds = mhat.trace("adam", given, keep="x", lr=rates.chunk({"run": 1000}) if lazy != "gradients" else rates)
    tasks = {key: task for key, task in dict(ds.x.data.__dask_graph__()).items() if key[0].startswith("core")}
    assert len(tasks) >= 4
    assert max(len(cloudpickle.dumps(task)) for task in tasks.values()) < 20_000


def test_a_lazy_trace_is_saved_and_run_again(tmp_path: Any) -> None:
    ds = mhat.trace("adam", GRADIENTS.chunk({"i": 1}), lr=SWEEP)
    mhat.save(ds, tmp_path / "a.zarr")
    loaded = mhat.load(tmp_path / "a.zarr")
    assert loaded.x.chunks is not None
    check_same(mhat.again(loaded), ds.compute())
