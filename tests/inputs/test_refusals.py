"""What is looked at before a file is read: what it is, how large it says to be, and whether that can be."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat.errors import BadValue, InputFileError, MhatError
from mhat.inputs import sizes
from mhat.inputs.arrays import PARTLY, read_npz
from mhat.inputs.files import check_input
from mhat.streams import from_file, stored_or_named
from mhat.subjects.records import record_of
from mhat.traces.files import write_zarr

TABLES = (".csv", ".tsv", ".txt")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(error: pytest.ExceptionInfo[MhatError]) -> str:
    return str(error.value)


@pytest.mark.parametrize("ending", [".csv", ".npy", ".npz", ".txt", ".nc", ".parquet"])
def test_what_is_no_file_is_not_read(ending: str) -> None:
    """A pipe would be waited for, and a device read for ever."""
    os.mkfifo(f"pipe{ending}")
    Path(f"zero{ending}").symlink_to("/dev/zero")
    for name, kind in ((f"pipe{ending}", "pipe"), (f"zero{ending}", "device")):
        for read in (from_file, stored_or_named):
            with pytest.raises(InputFileError) as error:
                read(name)
            assert said(error) == (
                f"{name} is a {kind} and no file\nWrite what comes out of it to a file, and give that."
            )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a\0b.csv", "a\\x00b.csv cannot be read: embedded null byte\nCheck the path."),
        ("x" * 300 + ".csv", f"{57 * 'x'}... cannot be read: File name too long\nCheck the path."),
        ("g." + "x" * 300,
         f"g.{55 * 'x'}... has the ending `.{56 * 'x'}...`, which mhat does not read\nIt reads: .csv."),
        ("~nobody_of_this_name/g.csv", "there is no file ~nobody_of_this_name/g.csv\n"
         "There is no folder ~nobody_of_this_name either; check the path."),
    ],
)  # fmt: skip
def test_a_path_that_no_system_takes(path: str, message: str) -> None:
    with pytest.raises(InputFileError) as error:
        check_input(path, [".csv"])
    assert said(error) == message


def test_what_is_no_path() -> None:
    with pytest.raises(BadValue) as error:
        check_input(["g.csv"], [".csv"])  # type: ignore[arg-type]
    assert said(error) == "`['g.csv']` is no path\nGive the path of a file, such as 'gradients.csv'."


def header(shape: str, kind: str = "<f8", version: int = 1) -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text.encode()


NOT_THERE = "is cut off: an array of float64 of the shape {} takes {}, and 64 bytes are there\nSave it again."
NUMPY = "is no NumPy file of numbers: {}\nSave numbers with numpy.save or numpy.savez."


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (header("(1000000000000,)"), NOT_THERE.format("(1000000000000,)", "8 TB")),
        (header("(9, 1)"), NOT_THERE.format("(9, 1)", "72 bytes")),
        (header("(99999999999999999999,)"), NOT_THERE.format("(99999999999999999999,)", "800 EB")),
        (header("(-1,)"), NUMPY.format("its shape is (-1,)")),
        (header("(True,)"), NUMPY.format("its shape is (True,)")),
        (header("(2,)", "|O"), NUMPY.format("it holds Python objects, and those are not loaded")),
        (header("(2,)", version=3), NUMPY.format("it has a header of another kind than arrays of numbers have")),
    ],
)
def test_an_array_that_says_what_is_not_there(head: bytes, message: str) -> None:
    Path("g.npy").write_bytes(head + 64 * b"\0")
    for read in (from_file, stored_or_named):
        with pytest.raises(InputFileError) as error:
            read("g.npy")
        assert said(error) == f"g.npy {message}"


def test_an_archive_that_says_what_is_not_there() -> None:
    with zipfile.ZipFile("g.npz", "w") as archive:
        archive.writestr("g.npy", header("(1000000000000,)") + 64 * b"\0")
    for read in (from_file, record_of):
        with pytest.raises(InputFileError) as error:
            read("g.npz")
        assert said(error) == f"g.npz, array `g` {NOT_THERE.format('(1000000000000,)', '8 TB')}"


def test_an_archive_that_unpacks_to_more_than_there_is_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip bomb: it is not unpacked to find that out."""
    np.savez_compressed("g.npz", g=np.zeros(1_000_000))
    assert Path("g.npz").stat().st_size < 10_000
    monkeypatch.setattr(sizes, "room", lambda: 1_000_000)
    unpacked: list[int] = []
    read = zipfile.ZipExtFile.read
    monkeypatch.setattr(
        zipfile.ZipExtFile, "read", lambda self, n=-1: (unpacked.append(len(data := read(self, n))), data)[1]
    )
    with pytest.raises(InputFileError) as error:
        from_file("g.npz")
    assert said(error) == f"g.npz, array `g` holds 8 MB, and there is memory for 1 MB\n{PARTLY}"
    with pytest.raises(InputFileError, match=r"^g.npz holds 8 MB, and there is memory for 1 MB\n"):
        read_npz(Path("g.npz"))
    assert sum(unpacked) < 1000


def test_a_text_that_does_not_fit_into_memory() -> None:
    with Path("g.csv").open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(InputFileError, match=r"^g.csv as text holds 132 TB, and there is memory for .*\n.* \.npy"):
        from_file("g.csv")


@pytest.mark.parametrize("name", ["g.nc", "g.zarr"])
def test_a_dataset_that_does_not_fit_into_memory(name: str) -> None:
    """Of a quadrillion numbers that nobody has written; where they stay in the file it is opened."""
    if name == "g.nc":
        h5py = pytest.importorskip("h5py")
        with h5py.File(name, "w") as file:
            step = file.create_dataset("step", shape=(10**15,), chunks=(10**6,), dtype="f4")
            step.make_scale("step")
            file.create_dataset("g", shape=(10**15,), chunks=(10**6,), dtype="f8").dims[0].attach_scale(step)
    else:
        zarr = pytest.importorskip("zarr")
        zarr.create_array(name, shape=(10**15,), chunks=(10**6,), dtype="f8")
    for read in (from_file, lambda path: mhat.trace("sgd", path)):
        with pytest.raises(InputFileError, match=rf"^{name} (holds 8 PB, and there is memory for|does not fit)"):
            read(name)


def test_a_chunk_that_is_damaged_is_said_when_it_is_read() -> None:
    pytest.importorskip("zarr")
    ds = mhat.trace("sgd", [1.0, 2.0])
    write_zarr(ds, Path("t.zarr"))
    for chunk in Path("t.zarr", "x").rglob("*"):
        if chunk.is_file() and chunk.name != "zarr.json":
            chunk.write_bytes(b"damaged")
    loaded = mhat.load("t.zarr")
    xr.testing.assert_equal(loaded.g.compute(), ds.g)
    with pytest.raises(InputFileError, match=r"^t.zarr cannot be read: .*\nWrite it with xarray: to_zarr\.$"):
        loaded.x.compute()
