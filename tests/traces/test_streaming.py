"""A trace streamed to disk is the trace in one piece, bit for bit, in memory that does not grow with the steps."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import landscapes, progress, traces
from mhat.engines import plan
from mhat.engines.work import Work
from mhat.errors import BadValue, InputFileError, MissingExtra, OutputFileError
from mhat.traces import run_in_blocks, streaming, understand, write
from mhat.traces.request import Request
from tests.traces.test_files import CASES, names_in
from tests.traces.test_schema import NOISE, ON_MATRICES, ON_TENSORS

dask_array = pytest.importorskip("dask.array")
zarr = pytest.importorskip("zarr")
GRADIENTS = xr.DataArray(NOISE, dims=("step", "i", "j"))
SCHEDULE = xr.DataArray(np.linspace(0.1, 0.5, 5), dims="step")
MORE_CASES: dict[str, Callable[[], xr.Dataset]] = {
    "lazy gradients": lambda: mhat.trace("adam", GRADIENTS.chunk({"step": 3, "i": 1}), dtype="float32"),
    "lazy knobs": lambda: mhat.trace("adam", NOISE, lr=xr.DataArray([0.1, 0.2], dims="run").chunk({"run": 1})),
    "lazy schedules": lambda: mhat.trace("adam", NOISE, lr=SCHEDULE.chunk({"step": 2})),
    "lazy starts": lambda: mhat.trace("adamw", NOISE, start=xr.DataArray([1.0, 2.0], dims="s").chunk({"s": 1})),
    "integers": lambda: mhat.trace("adam", GRADIENTS.round().astype(int).chunk({"step": 2})),
    "labelled steps": lambda: mhat.trace("adam", GRADIENTS.assign_coords(step=[5, 4, 3, 2, 1])),
    "part of the steps": lambda: mhat.trace("adam", GRADIENTS, steps=3, lr=SCHEDULE),
    "no state": lambda: mhat.trace("sgd", NOISE),
    "noisy landscape": lambda: mhat.trace("adam", "noisy:seed=3", steps=5, lr=[0.1, 0.2], beta1=SCHEDULE),
    "domain": lambda: mhat.trace("adam", "reddi", steps=5, lr=[1.0, 3.0]),
}


def asked(given: Any, rule: Any = mhat.rules.adam, steps: int | None = None, **knobs: Any) -> Request:
    return understand(rule, given, steps=steps, start=None, dtype="float64", keep=None, tensor=None, knobs=knobs)


@contextmanager
def small_blocks(monkeypatch: pytest.MonkeyPatch, steps: int = 2) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(streaming, "MOST_STEPS", steps)
        yield


ALL_CASES = {**CASES, **MORE_CASES}
# Blocks of two steps leave a shorter one at the end; of one and of all at once, what is cut in every way.
LENGTHS = [
    *((name, 2) for name in ALL_CASES),
    *((n, k) for k in (1, 100) for n in ("schedule and sweep", "lazy starts")),
]


@pytest.mark.parametrize(("name", "length"), LENGTHS)
def test_a_streamed_trace_is_the_trace(name: str, length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, plain = ALL_CASES[name], mhat.trace
    expected = make()
    with small_blocks(monkeypatch, length):
        monkeypatch.setattr(mhat, "trace", lambda *given, **more: plain(*given, **more, to=tmp_path / "t.zarr"))
        streamed = make()
    assert streamed.x.chunks is not None if "x" in streamed else True
    xr.testing.assert_identical(streamed.compute(), expected.compute())
    for variable, array in expected.compute().data_vars.items():
        np.testing.assert_array_equal(
            np.signbit(streamed[variable]) & ~np.isnan(array), np.signbit(array) & ~np.isnan(array)
        )
    xr.testing.assert_identical(mhat.again(streamed).compute(), expected.compute())
    assert names_in(tmp_path) == ["t.zarr"]


def test_blocks_are_as_long_as_their_bytes_allow() -> None:
    def length(*given: Any, **more: Any) -> int:
        return streaming.steps_in_a_block(asked(*given, **more))

    assert length(mhat.streams.constant(1, steps=10**6)) == streaming.MOST_STEPS
    assert length([1.0, 2.0]) == 2
    assert length(dask_array.zeros((10, 10**7), chunks=(1, 10**7))) == 1
    # g, and g and x to be kept: 3 numbers a coordinate and knob.
    swept = length(landscapes.rosenbrock(), mhat.rules.sgd, steps=10**6, lr=np.linspace(0.1, 0.2, 500))
    assert swept == streaming.BLOCK_BYTES // (8 * 3 * 1000)


@pytest.mark.parametrize("more", [{}, {"lr": [0.1, 0.2]}, {"lr": SCHEDULE}], ids=["plain", "sweep", "schedule"])
def test_the_engine_is_chosen_for_the_whole_run(more: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    choose = plan.choose

    def watched(work: Work) -> str:
        seen.append((work.steps, work.coordinates))
        return choose(work)

    monkeypatch.setattr(plan, "choose", watched)
    mhat.trace("adam", NOISE, **more)
    with small_blocks(monkeypatch):
        mhat.trace("adam", NOISE, **more, to=tmp_path / "t.zarr")
    assert len(seen) == 2 and seen[0] == seen[1]


# Files


def saved(kind: str, folder: Path) -> Path:
    path = folder / f"g.{kind.split()[-1]}"
    if kind.endswith("npy"):
        np.save(path, NOISE if kind == "npy" else np.asfortranarray(NOISE.astype(np.float32)))
    elif kind == "plain zarr":
        zarr.save_array(str(path), NOISE)
    elif kind == "nc":
        GRADIENTS.to_dataset(name="g").to_netcdf(path, engine="h5netcdf")
    elif kind == "transposed zarr":
        GRADIENTS.transpose("i", "step", "j").to_dataset(name="g").to_zarr(path, consolidated=False)
    elif kind == "trace.zarr":
        mhat.save(mhat.trace("adam", GRADIENTS, lr=[0.1, 0.2]), path := folder / "g.zarr")
    else:
        np.savetxt(path, NOISE[..., 0], delimiter=",")
    return path


KINDS = ["npy", "float32 npy", "nc", "plain zarr", "transposed zarr", "trace.zarr", "csv"]


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_in_a_file(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(saved(kind, tmp_path))
    with small_blocks(monkeypatch):
        streamed = mhat.trace("adam", path, to=tmp_path / "t.zarr")
        part = mhat.trace("adam", path, steps=3, to=tmp_path / "p.zarr")
    xr.testing.assert_identical(streamed.compute(), mhat.trace("adam", path))
    xr.testing.assert_identical(part.compute(), mhat.trace("adam", path, steps=3))
    assert streamed.attrs["stream"] == path


@pytest.mark.parametrize("kind", ["nc", "plain zarr", "transposed zarr"])
def test_a_file_is_read_a_block_at_a_time(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, most = str(saved(kind, tmp_path)), 0
    given = mhat.streams.stored_or_named(path)
    request = understand(
        mhat.rules.adam, given, steps=None, start=None, dtype="float64", keep=None, tensor=None, knobs={}
    )
    plain = np.asarray

    def watched(array: Any, *more: Any, **options: Any) -> Any:
        nonlocal most
        made = plain(array, *more, **options)
        most = max(most, made.size if made.dtype == float else 0)
        return made

    with small_blocks(monkeypatch):
        monkeypatch.setattr(np, "asarray", watched)
        parts = list(run_in_blocks(request))
    assert [part.sizes["step"] for part in parts] == [2, 2, 1]
    assert 0 < most <= 2 * NOISE[0].size


def test_dask_computes_a_block_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def block(number: int) -> Any:
        seen.append(f"read {number}")
        return np.ones((2, 3))

    from dask import delayed

    lazy = dask_array.concatenate(
        [dask_array.from_delayed(delayed(block)(number), shape=(2, 3), dtype=float) for number in range(3)]
    )
    with small_blocks(monkeypatch):
        append = streaming._append
        monkeypatch.setattr(streaming, "_append", lambda *given: (seen.append("written"), append(*given)))
        mhat.trace("sgd", lazy, to=tmp_path / "t.zarr")
    assert seen == ["read 0", "written", "read 1", "written", "read 2", "written"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent_gradients.npy", "there is no file absent_gradients.npy\nCheck the path; it was looked up in {}."),
        ("words.npy", "words.npy holds no real numbers but <U1\nSave it as float64."),
        ("none.npy", "none.npy holds no gradients\nGive a file with at least one step."),
        ("one.npy", "one.npy holds a single number and no dimension step\nSave an array whose first axis is the step."),
        ("other.nc", "other.nc, variable `g` has no dimension `step`; its dimensions: t\n"
         "Rename the one that counts the steps: dataset.rename({{'t': 'step'}})."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_stream(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("words.npy", ["a"])
    np.save("none.npy", np.zeros((0, 2)))
    np.save("one.npy", 1.0)
    xr.Dataset({"g": ("t", [1.0])}).to_netcdf("other.nc", engine="h5netcdf")
    for to in (None, "t.zarr"):
        with pytest.raises(InputFileError) as error:
            mhat.trace("adam", name, to=to)
        assert str(error.value) == message.format(tmp_path)
    np.save("three.npy", np.zeros(3))
    with pytest.raises(BadValue) as refused:
        mhat.trace("adam", "three.npy", steps=9, to="t.zarr")
    assert str(refused.value) == "three.npy has 3 steps, not 9\nAsk for at most steps=3."


# The store


def test_a_store_is_overwritten_only_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mhat.trace("sgd", [1.0], to="t.zarr")
    computed = dask_array.map_blocks(lambda block: pytest.fail("computed"), dask_array.ones(3), meta=np.empty(0))
    with pytest.raises(OutputFileError) as error:
        mhat.trace("sgd", computed, to="t.zarr")
    assert str(error.value) == "`t.zarr` exists already\nChoose another name, or overwrite it with force=True."
    assert mhat.load("t.zarr").sizes["step"] == 1
    assert mhat.trace("sgd", [1.0, 2.0], to="t.zarr", force=True).sizes["step"] == 2
    assert names_in(tmp_path) == ["t.zarr"]


def test_only_zarr_can_be_appended_to(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError) as error:
        mhat.trace("sgd", [1.0], to="t.nc")
    assert str(error.value) == "`t.nc` ends in '.nc'\nChoose a name that ends in .zarr."


def test_a_missing_extra_is_named_before_a_step_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    computed = dask_array.map_blocks(lambda block: pytest.fail("computed"), dask_array.ones(3), meta=np.empty(0))
    with pytest.raises(MissingExtra, match=r"^zarr is not installed\nInstall it with: pip install 'mhat\[scale\]'$"):
        mhat.trace("sgd", computed, to=tmp_path / "t.zarr")


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), OSError(5, "unreadable")])
def test_an_interrupted_run_leaves_nothing(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(done: int) -> None:
        if done == 4:
            (partial,) = names_in(tmp_path)
            assert partial.startswith(".t.zarr.") and partial.endswith(".part")
            raise error

    request = asked(NOISE)
    with small_blocks(monkeypatch), pytest.raises(type(error)) as raised:
        write(run_in_blocks(request, interrupt), tmp_path / "t.zarr")
    assert raised.value is error
    assert names_in(tmp_path) == []


def test_a_disk_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(streaming, "_append", full)
    with pytest.raises(OutputFileError) as error:
        mhat.trace("sgd", [1.0], to="t.zarr")
    assert str(error.value) == (
        "`t.zarr` could not be written: No space left on device\nFree some space, or choose another place."
    )
    assert names_in(tmp_path) == []


KILLED = """
import os, signal
from mhat import rules, traces
from mhat.traces import streaming
streaming.MOST_STEPS = 2
kill = lambda done: os.kill(os.getpid(), signal.SIGKILL) if done == 5 else None
asked = {"steps": None, "start": None, "dtype": "float64", "keep": None, "tensor": None, "knobs": {}}
request = traces.understand(rules.adam, [1.0] * 9, **asked)
traces.write(traces.run_in_blocks(request, kill), "t.zarr")
"""


def test_a_killed_run_leaves_no_file_that_looks_finished(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, capture_output=True, text=True)
    assert (killed.returncode, killed.stderr) == (-9, "")
    (partial,) = names_in(tmp_path)
    assert partial.startswith(".t.zarr.") and partial.endswith(".part")
    ds = mhat.trace("adam", [1.0, 2.0], to=tmp_path / "t.zarr")
    assert ds.sizes["step"] == 2 and names_in(tmp_path) == ["t.zarr"]


def test_chunks_are_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_blocks(monkeypatch):
        ds = mhat.trace(ON_TENSORS, NOISE, tensor="j", lr=SCHEDULE, to=tmp_path / "t.zarr")
    assert ds.x.chunks is not None and ds.x.chunks[0] == (2, 2, 1)
    assert ds.lr.chunks in (None, ((5,),))
    with small_blocks(monkeypatch):
        assert mhat.trace(ON_MATRICES, NOISE, to=tmp_path / "m.zarr").x.chunks[0] == (2, 2, 1)


# Memory and progress


def peak(steps: int, stream: Any, folder: Path, **more: Any) -> int:
    """Trace to disk, and give the most memory that was held at once."""
    tracemalloc.start()
    try:
        # Without powers of a knob: the engines remember those, up to a number of them.
        written = mhat.trace("momentum", stream, steps=steps, to=folder / "t.zarr", force=True, **more)
        assert written.nbytes > steps * 3000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["landscape", "dask", "file"])
def test_the_peak_of_memory_does_not_grow_with_the_steps(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve times the steps, 12 MB in place of 1 MB or more, and the same peak."""
    monkeypatch.setattr(streaming, "BLOCK_BYTES", 1 << 20)
    lazy = dask_array.random.default_rng(0).standard_normal((3600, 200), chunks=(50, 200))
    if kind == "file":
        dask_array.to_zarr(lazy, str(tmp_path / "g.zarr"))
    streams: dict[str, Any] = {"landscape": "rosenbrock", "dask": lazy, "file": str(tmp_path / "g.zarr")}
    more = {"lr": np.linspace(0.01, 0.1, 100)} if kind == "landscape" else {}
    peak(300, streams[kind], tmp_path, **more)  # what is loaded at the first use is not counted
    short, long = (peak(steps, streams[kind], tmp_path, **more) for steps in (300, 3600))
    assert long < 1.5 * short, (short, long)


def test_progress_counts_all_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    @contextmanager
    def bar(total: int, what: str) -> Iterator[Callable[[int], None]]:
        seen.append((total, what))
        yield seen.append

    monkeypatch.setattr(progress, "bar", bar)
    with small_blocks(monkeypatch):
        mhat.trace("adam", NOISE, to=tmp_path / "t.zarr")
    assert seen == [(5, "adam, steps"), 1, 2, 3, 4, 5]


def test_the_door_names_what_is_used_here() -> None:
    assert {"run_in_blocks", "understand", "write"} <= set(traces.__all__)
