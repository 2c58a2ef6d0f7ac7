"""Lazy traces on a cluster of the user's: two worker processes, one of which is killed on the way."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat

dask_array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")
BLOCKS, STEPS, WIDTH = 10, 40, 3
RATES = xr.DataArray([0.1, 0.2, 0.4], dims="run")
PATIENCE = 30.0


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    options = {"dashboard_address": None, "silence_logs": logging.CRITICAL, "memory_limit": None}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as cluster,
        distributed.Client(cluster) as connected,
    ):
        yield connected


def slow_gradients(folder: Path, seconds: float) -> tuple[xr.DataArray, np.ndarray]:
    """Make gradients on Dask whose blocks take their time and leave a note of who made them; and the same at once."""
    values = np.random.default_rng(5).standard_normal((STEPS, BLOCKS * WIDTH))

    def noted(block: Any) -> Any:
        time.sleep(seconds)
        (folder / f"{os.getpid()} {time.time_ns()}").touch()
        return block

    lazy = dask_array.from_array(values, chunks=(STEPS, WIDTH)).map_blocks(noted, dtype=float, meta=np.empty((0, 0)))
    return xr.DataArray(lazy, dims=("step", "i")), values


def makers(folder: Path) -> Counter[int]:
    """Count the blocks that each process has made."""
    return Counter(int(path.name.split()[0]) for path in folder.iterdir())


def wait_until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def test_a_worker_is_killed_and_nothing_is_lost(client: Any, tmp_path: Path) -> None:
    lazy, values = slow_gradients(tmp_path, 0.15)
    ds = mhat.trace("adam", lazy, lr=RATES.chunk({"run": 2}))
    pids = set(client.run(os.getpid).values())
    assert len(pids) == 2 and os.getpid() not in pids
    future = client.compute(ds)
    wait_until(lambda: len(makers(tmp_path)) == 2 and min(makers(tmp_path).values()) >= 2)
    victim = min(pids)
    os.kill(victim, signal.SIGKILL)
    assert not future.done()
    found = future.result(timeout=PATIENCE)
    xr.testing.assert_identical(found, mhat.trace("adam", values, lr=RATES))
    made = makers(tmp_path)
    assert made[victim] >= 2
    # What the victim had made was made once more, by others.
    assert sum(made.values()) > BLOCKS


def test_lazy_knobs_run_on_the_workers(client: Any) -> None:
    def noted(block: Any) -> Any:
        return block + 0.0 * os.getpid()

    values = np.random.default_rng(6).standard_normal((STEPS, 2))
    rates = xr.DataArray(dask_array.from_array(RATES.values, chunks=1).map_blocks(noted, dtype=float), dims="run")
    client.wait_for_workers(1, timeout=PATIENCE)
    lazy = mhat.trace("lamb", values, lr=rates, dtype="float32", start=1.0)
    xr.testing.assert_identical(lazy.compute(), mhat.trace("lamb", values, lr=RATES, dtype="float32", start=1.0))


def test_a_long_trace_is_streamed_from_the_workers(client: Any, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    lazy, values = slow_gradients(tmp_path / "notes", 0.0)
    client.wait_for_workers(1, timeout=PATIENCE)
    streamed = mhat.trace("adam", lazy, lr=RATES, to=tmp_path / "t.zarr")
    assert os.getpid() not in makers(tmp_path / "notes")
    xr.testing.assert_identical(streamed.compute(), mhat.trace("adam", values, lr=RATES))
