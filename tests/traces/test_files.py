"""Traces on disk: what is saved comes back, and runs again to the same bits; what cannot be written is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import streams, traces
from mhat.errors import BadValue, InputFileError, MhatError, MissingExtra, OutputFileError
from mhat.outputs import check_output
from tests.traces.test_schema import NOISE, ON_MATRICES, ON_TENSORS

FLAT = NOISE[..., 0]
LABELLED = xr.DataArray(FLAT, dims=("step", "layer"), coords={"layer": ["a", "b,c", "d"]})
RATES = xr.DataArray(np.linspace(0.1, 1, 15).reshape(5, 3), dims=("step", "run"), coords={"run": ["p", "q", "r"]})
STARTS = xr.DataArray([1.0, 2.0], dims="s", coords={"s": [5, 6], "note": ("s", [0.5, 0.25])})
KNOBS = xr.DataArray([0.1, 0.2], dims="run", coords={"run": [1, 2], "note": ("run", [3.0, 4.0])})

CASES: dict[str, Callable[[], xr.Dataset]] = {
    "plain": lambda: mhat.trace("adam", [1.0, 2.0, 3.0]),
    "not finite": lambda: mhat.trace("adam", [1.0, np.nan, np.inf], start=-np.inf),
    "float32": lambda: mhat.trace("adam", FLAT, dtype="float32", start=[0.1, 0.2, 0.3]),
    "float16": lambda: mhat.trace("adam", 1e5 * FLAT, dtype="float16", start=[0.1, 0.2, 0.3]),
    "bfloat16": lambda: mhat.trace("adam", FLAT, dtype="bfloat16", lr=[0.1, 0.2]),
    "grid": lambda: mhat.trace("adam", FLAT, lr=[0.1, 0.2], beta2=[0.9, 0.99]),
    "schedule": lambda: mhat.trace("adam", FLAT, lr=RATES.isel(run=0, drop=True)),
    "schedule and sweep": lambda: mhat.trace("adam", FLAT, lr=RATES),
    "starts": lambda: mhat.trace("adamw", FLAT, start=STARTS),
    "knobs with notes": lambda: mhat.trace("adamw", FLAT, lr=KNOBS),
    "labels": lambda: mhat.trace("adam", LABELLED),
    "tensors": lambda: mhat.trace(ON_TENSORS, NOISE, tensor="j", lr=[0.1, 0.2]),
    "every number a tensor": lambda: mhat.trace("lamb", NOISE, tensor=(), start=1.0),
    "matrices": lambda: mhat.trace(ON_MATRICES, NOISE, lr=[1.0, 2.0]),
    "landscape": lambda: mhat.trace("adam", "rosenbrock", steps=5, lr=[0.1, 0.2]),
    "landscape, every number a tensor": lambda: mhat.trace("lamb", "rosenbrock", steps=5, tensor=()),
    "stream without g": lambda: mhat.trace("adam", streams.normal(seed=3, steps=5), keep="x"),
    "part of a stream": lambda: mhat.trace("nadam", streams.normal(seed=3, size=(2, 3), steps=5), steps=3),
    "no paper": lambda: mhat.trace(mhat.rule("def f(x, g): return x - g"), [1.0]),
}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_a_trace_runs_again(make: Callable[[], xr.Dataset]) -> None:
    ds = make()
    xr.testing.assert_identical(mhat.again(ds), ds)


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_a_saved_trace_comes_back_and_runs_again(make: Callable[[], xr.Dataset], ending: str, tmp_path: Path) -> None:
    ds = make()
    mhat.save(ds, tmp_path / f"t{ending}")
    loaded = mhat.load(tmp_path / f"t{ending}")
    xr.testing.assert_identical(loaded.compute(), ds)
    xr.testing.assert_identical(mhat.again(loaded).compute(), ds)
    assert names_in(tmp_path) == [f"t{ending}"]


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_variables_come_back_in_the_order_of_the_rule(ending: str, tmp_path: Path) -> None:
    ds = mhat.trace("adan", [1.0, 2.0], lr=[0.1, 0.2], keep=["x", "g", "v", "d", "m"])
    mhat.save(ds, tmp_path / f"t{ending}")
    assert list(mhat.load(tmp_path / f"t{ending}").data_vars) == list(ds.data_vars) != sorted(ds.data_vars)
    mhat.save(ds.assign_attrs(source="no rule"), tmp_path / f"s{ending}")
    assert set(mhat.load(tmp_path / f"s{ending}").data_vars) == set(ds.data_vars)


def table_of(path: Path) -> dict[str, list[Any]]:
    if path.suffix == ".csv":
        import csv

        with path.open(encoding="utf-8", newline="") as file:
            names, *rows = list(csv.reader(file))
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    return {name: table[name].to_pylist() for name in table.column_names}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_a_table_has_a_row_for_each_step_and_coordinate(
    make: Callable[[], xr.Dataset], ending: str, tmp_path: Path
) -> None:
    ds = make()
    path = traces.save(ds, tmp_path / f"t{ending}")
    table = table_of(path)
    dims = [name for name in table if name in ds.sizes]
    assert list(table)[: len(dims)] == dims and dims[0] == "step" and set(dims) == set(ds.sizes)
    assert list(table)[len(dims) :] == list(ds.data_vars)
    full = xr.broadcast(ds)[0].transpose(*dims)
    for name, array in full.data_vars.items():
        found = np.array([float(value) for value in table[str(name)]])
        np.testing.assert_array_equal(found, array.values.ravel().astype(float))
    for dim in dims:
        labels = np.broadcast_to(full[dim].values.reshape([-1 if d == dim else 1 for d in dims]), full.x.shape)
        assert list(map(str, table[dim])) == list(map(str, labels.ravel().tolist()))


def test_a_table_of_one_coordinate_is_a_stream_again(tmp_path: Path) -> None:
    ds = mhat.trace("adam", [0.1, np.nan, 1e-300])
    for ending in (".csv", ".parquet"):
        traces.save(ds, tmp_path / f"t{ending}")
        xr.testing.assert_equal(mhat.trace("adam", str(tmp_path / f"t{ending}")), ds)


def test_a_parquet_file_carries_the_attributes(tmp_path: Path) -> None:
    import pyarrow.parquet

    ds = mhat.trace("adam", [1.0])
    found = pyarrow.parquet.read_schema(traces.save(ds, tmp_path / "t.parquet")).metadata
    assert {key.decode(): value.decode() for key, value in found.items()} == {k: str(v) for k, v in ds.attrs.items()}


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".csv", ".parquet"])
def test_what_exists_is_overwritten_only_by_force(ending: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    ds = mhat.trace("sgd", [1.0])
    mhat.save(ds, f"t{ending}")
    with pytest.raises(OutputFileError) as error:
        mhat.save(ds, f"t{ending}")
    assert str(error.value) == f"`t{ending}` exists already\nChoose another name, or overwrite it with force=True."
    mhat.save(mhat.trace("sgd", [1.0, 2.0]), f"t{ending}", force=True)
    if ending in (".nc", ".zarr"):
        assert mhat.load(f"t{ending}").sizes["step"] == 2
    assert names_in(tmp_path) == [f"t{ending}"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("t.txt", "`t.txt` ends in '.txt'\nChoose a name that ends in .nc, .csv, .zarr, .parquet."),
        ("t", "`t` ends in nothing that names a format\nChoose a name that ends in .nc, .csv, .zarr, .parquet."),
        ("no/t.nc", "there is no directory `no` to write `t.nc` into\nMake it first."),
        ("d.nc", "`d.nc` exists already\nChoose another name, or overwrite it with force=True."),
    ],
)
def test_an_output_is_refused(path: str, message: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d.nc").mkdir()
    with pytest.raises(OutputFileError) as error:
        mhat.save(mhat.trace("sgd", [1.0]), path)
    assert str(error.value) == message


def test_a_directory_is_no_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d.nc").mkdir()
    with pytest.raises(OutputFileError) as error:
        mhat.save(mhat.trace("sgd", [1.0]), "d.nc", force=True)
    assert str(error.value) == "`d.nc` is a directory\nName a file."


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputFileError) as error:
        check_output("d/t.nc", (".nc",))
    assert str(error.value) == "the directory `d` cannot be written\nChoose a directory of your own."


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)

    def full(ds: xr.Dataset, path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(traces.files.WRITERS, ".nc", full)
    with pytest.raises(OutputFileError) as error:
        mhat.save(mhat.trace("sgd", [1.0]), "t.nc")
    assert str(error.value) == (
        "`t.nc` could not be written: No space left on device\nFree some space, or choose another place."
    )
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "text", "kind", "message"),
    [
        ("no.nc", None, InputFileError,
         "there is no file no.nc\nCheck the path; it was looked up in {}."),
        ("t.csv", "a", BadValue,
         "`t.csv` is no netCDF or zarr file\nA trace that can be read again is saved as .nc or .zarr."),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded(
    name: str, text: str | None, kind: type[MhatError], message: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path(name).write_text(text)
    with pytest.raises(kind) as error:
        mhat.load(name)
    assert str(error.value) == message.format(tmp_path)


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_a_file_that_is_no_trace(ending: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    ds = xr.Dataset({"a": ("b", [1.0])})
    if ending == ".nc":
        ds.to_netcdf("t.nc", engine="h5netcdf")
    else:
        ds.to_zarr("t.zarr", consolidated=False)
    with pytest.raises(InputFileError) as error:
        mhat.load(f"t{ending}")
    assert str(error.value) == f"t{ending} holds no trace of mhat\nGive a file that `mhat trace --save` has written."


@pytest.mark.parametrize("name", ["t.nc", "t.zarr"])
def test_a_broken_file_is_said(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"nothing")
    with pytest.raises(InputFileError) as error:
        mhat.load(name)
    said = "cannot be read: " if name == "t.nc" else "is no zarr store: it has no zarr.json"
    assert str(error.value).startswith(f"{name} {said}")
    assert str(error.value).endswith("\nSave the trace again.")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    import sys

    for ending, module, extra in ((".parquet", "pyarrow", "arrow"), (".zarr", "zarr", "scale")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtra) as error:
            mhat.save(mhat.trace("sgd", [1.0]), tmp_path / f"t{ending}")
        assert str(error.value) == f"{module} is not installed\nInstall it with: pip install 'mhat[{extra}]'"
    assert names_in(tmp_path) == []


def test_a_trace_that_lacks_something_is_not_run_again() -> None:
    ds = mhat.trace("adam", [1.0, 2.0], keep="x")
    with pytest.raises(BadValue) as error:
        mhat.again(ds)
    assert str(error.value) == "the trace holds no gradients\nSave it with `g` among the variables to keep."
    with pytest.raises(BadValue) as error:
        mhat.again(xr.Dataset())
    assert str(error.value) == "this is not a trace of mhat: it has no attribute `rule`\nGive a file saved by mhat."


def test_a_trace_on_a_landscape_of_one_s_own_is_not_run_again() -> None:
    import dataclasses

    own = dataclasses.replace(mhat.landscapes.rosenbrock(), recipe="")
    with pytest.raises(BadValue) as error:
        mhat.again(mhat.trace("sgd", own, steps=2))
    assert str(error.value) == "the trace ran on a landscape of your own\nRun it with the landscape at hand."


# What force may overwrite, and a disk that is full


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".csv", ".parquet"])
def test_force_overwrites_traces_and_nothing_else(ending: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    ds, path = mhat.trace("sgd", [1.0]), Path(f"t{ending}")
    foreign = xr.Dataset({"a": ("b", [1.0])})
    if ending == ".zarr":
        foreign.to_zarr(path, consolidated=False)
    elif ending == ".nc":
        foreign.to_netcdf(path, engine="h5netcdf")
    elif ending == ".csv":
        path.write_text("years,work\n3,1\n")
    else:
        foreign.to_dataframe().to_parquet(path)
    for save in (traces.save, lambda ds, path, force: traces.check_save(path, force=force)):
        with pytest.raises(OutputFileError) as error:
            save(ds, path, force=True)
        assert str(error.value) == (
            f"`t{ending}` is nothing that mhat has saved, and force=True overwrites only that\n"
            "Choose another name, or remove it yourself."
        )
    assert names_in(tmp_path) == [path.name]


FULL = """
import resource, signal, sys
import mhat
ds = mhat.trace("adam", mhat.streams.normal(size=40, steps=500), lr=[0.1, 0.2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for most in (0, 1000, 3000, 10_000, 100_000, 500_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        mhat.save(ds, "t.nc")
    except mhat.MhatError as error:
        print(str(error).replace(chr(10), " "))
"""


def test_a_disk_that_is_full_while_netcdf_is_written_is_said_and_no_crash(tmp_path: Path) -> None:
    """HDF5 ends the process where a write fails: it is never told."""
    done = subprocess.run([sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True)
    said = "`t.nc` could not be written: File too large Free some space, or choose another place."
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, 6 * [said], "")
    assert names_in(tmp_path) == []


def test_two_long_runs_into_one_store(tmp_path: Path, monkeypatch: Any) -> None:
    """Both were let to run, for there was nothing yet; neither is lost."""
    monkeypatch.chdir(tmp_path)

    def other(part: xr.Dataset) -> None:
        if not Path("t.zarr").exists():
            mhat.trace("adam", [1.0, 2.0, 3.0], to="t.zarr")

    with pytest.raises(OutputFileError) as error:
        mhat.trace("sgd", [1.0, 2.0], to="t.zarr", each=other)
    assert str(error.value) == ("`t.zarr` has been written by somebody else meanwhile\nThis one is kept as `t-2.zarr`.")
    assert mhat.load("t.zarr").attrs["rule"] == "adam" and mhat.load("t-2.zarr").attrs["rule"] == "sgd"
    assert names_in(tmp_path) == ["t-2.zarr", "t.zarr"]
