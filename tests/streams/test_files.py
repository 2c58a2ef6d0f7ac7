"""Gradients from files: every format, every notation, and one clear message for everything that can be wrong."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import streams
from mhat.errors import BadValue, InputFileError, MhatError, MissingExtra, UnknownName
from mhat.traces.files import write_zarr


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "g.csv") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1\n2\n3\n", [1, 2, 3]),
        ("1\n2\n3", [1, 2, 3]),
        ("weight\n1\n-2e-3\n", [1, -2e-3]),
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("step,a\n1,10\n2,20\n", [10, 20]),
        ("a,Step,b\n10,5,1\n20,7,2\n", [[10, 1], [20, 2]]),
        (",a\n0,10\n1,20\n", [10, 20]),
        ("step,g,x,m\n1,10,0,1\n2,20,0,what\n", [10, 20]),
        ("# made by hand\n\n1,2  # first\n\n3,4\n", [[1, 2], [3, 4]]),
        ("nan\ninf\n-inf\nNaN\n", [np.nan, np.inf, -np.inf, np.nan]),
        ('"a";"b"\r\n"1";2\r\n', [[1, 2]]),
        ("a\tb\n1\t2\n", [[1, 2]]),
        ("\ufeffg\n1\n", [1]),
    ],
)
def test_a_table_of_text(text: str, values: list[Any]) -> None:
    stream = streams.from_file(write(text))
    np.testing.assert_array_equal(stream.values, values)
    assert stream.dims == ("step", "i")[: stream.values.ndim]


def test_what_numpy_writes_is_read() -> None:
    np.savetxt("g.txt", [[1.5, 2], [3, 4]], header="a b")
    np.testing.assert_array_equal(streams.from_file("g.txt"), [[1.5, 2], [3, 4]])
    np.savetxt("g.csv", [1.5, 2], delimiter=",")
    np.testing.assert_array_equal(streams.from_file("g.csv"), [1.5, 2])


@pytest.mark.parametrize("column", ["b", 3, "3"])
def test_a_column_by_name_or_number(column: str | int) -> None:
    stream = streams.from_file(write("step,a,b\n1,10,11\n2,20,21\n"), column)
    np.testing.assert_array_equal(stream.values, [11, 21])
    np.testing.assert_array_equal(streams.named(stream.recipe).values, [11, 21])


def test_npy_and_npz() -> None:
    np.save("g.npy", np.arange(6, dtype=np.float16).reshape(3, 2))
    assert streams.from_file("g.npy").values.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert streams.from_file("g.npy", column=2).values.tolist() == [1, 3, 5]
    np.savez("one.npz", step=[1, 2], loss=[3, 4])
    assert streams.from_file("one.npz").values.tolist() == [3, 4]
    np.savez("trace.npz", x=[0, 0], g=[1, 2])
    assert streams.from_file("trace.npz").values.tolist() == [1, 2]
    assert streams.named("trace.npz:column=x").values.tolist() == [0, 0]


def dataset() -> xr.Dataset:
    g = (("layer", "step"), np.arange(6.0).reshape(2, 3))
    return xr.Dataset({"g": g, "x": ("step", np.ones(3)), "loss": ("epoch", np.ones(2))})


def test_netcdf_keeps_the_names_of_dimensions() -> None:
    dataset().to_netcdf("run.nc", engine="h5netcdf")
    stream = streams.from_file("run.nc")
    assert stream.dims == ("step", "layer")
    assert stream.values.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert streams.named("run.nc:x").values.tolist() == [1, 1, 1]
    xr.DataArray([1.0, 2.0], dims="step").to_netcdf("array.nc", engine="h5netcdf")
    assert streams.from_file("array.nc").values.tolist() == [1, 2]


def test_zarr_groups_and_plain_arrays() -> None:
    zarr = pytest.importorskip("zarr")
    dataset().to_zarr("run.zarr", consolidated=False)
    assert streams.from_file("run.zarr").dims == ("step", "layer")
    assert streams.named("run.zarr:column=x", steps=2).values.tolist() == [1, 1]
    zarr.save_array("plain.zarr", np.arange(4.0))
    assert streams.from_file("plain.zarr").values.tolist() == [0, 1, 2, 3]


def test_parquet() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"step": [1, 2], "a": [1, 2], "b": [0.5, None]}), "g.parquet")
    np.testing.assert_array_equal(streams.from_file("g.parquet"), [[1, 0.5], [2, np.nan]])
    assert streams.from_file("g.parquet", "a").values.tolist() == [1, 2]
    parquet.write_table(pyarrow.table({"step": [2, 1], "g": [1, 2], "name": ["a", "b"]}), "bad.parquet")
    parquet.write_table(pyarrow.table({"g": [1, 2], "name": ["a", "b"]}), "words.parquet")
    refused("bad.parquet", "bad.parquet, row 2: step 1 after step 2", "in order")
    refused("words.parquet:name", "words.parquet, column `name` holds no numbers but string", "one of g, name")
    refused("g.parquet:c", "there is no column of g.parquet `c`", "Known: a, b, step.", UnknownName)
    Path("text.parquet").write_text("hello")
    refused("text.parquet", "text.parquet is no parquet file: ", "Write it again")


def test_steps_takes_the_first() -> None:
    stream = streams.named(write("1\n2\n3\n"), steps=2)
    assert stream.values.tolist() == [1, 2]
    assert stream.recipe == "g.csv:steps=2"
    assert streams.named(stream.recipe).values.tolist() == [1, 2]
    assert streams.named(stream.recipe, steps=1).values.tolist() == [1]


def test_a_path_may_be_anywhere_and_have_colons(folder: Path) -> None:
    (folder / "a:b").mkdir()
    write("a,b\n1,2\n", "a:b/g.csv")
    assert streams.named("a:b/g.csv").values.tolist() == [[1, 2]]
    assert streams.named("a:b/g.csv:column=b").values.tolist() == [2]
    assert streams.named(str(folder / "a:b" / "g.csv")).values.tolist() == [[1, 2]]
    assert streams.from_file(folder / "a:b" / "g.csv").recipe == str(folder / "a:b" / "g.csv")


def refused(spec: str, what: str, cure: str, kind: type[MhatError] = InputFileError) -> None:
    with pytest.raises(kind) as caught:
        streams.named(spec)
    assert type(caught.value) is kind
    assert re.match(re.escape(what), caught.value.what), caught.value.what
    assert cure in caught.value.cure, caught.value.cure


@pytest.mark.parametrize(
    ("text", "what", "cure"),
    [
        ("", "g.csv is empty", "at least one step"),
        ("# nothing\n\n", "g.csv holds only comments or blank lines", "one row a step"),
        ("a,b\n", "g.csv has a header and no rows", "one row a step"),
        ("1,2\n\n3\n", "g.csv, line 3: 1 column, where line 1 has 2", "write nan where there is no number"),
        ("a,b\n1,2\n1,2,3\n", "g.csv, line 3: 3 columns, where line 1 has 2", "the same number of columns"),
        ("1\n2\nthree\n", "g.csv, line 3, column 1: `three` is no number", "nan and inf are numbers"),
        ("a,b\n1,2\n3,1.o\n", "g.csv, line 3, column b: `1.o` is no number", "nan and inf are numbers"),
        ("1.o\n2\n", "g.csv, line 1, column 1: `1.o` is no number", "nan and inf are numbers"),
        ("a,b\n1,\n", "g.csv, line 2, column b: there is no number", "nan and inf are numbers"),
        ("1;2,5\n", "g.csv, line 1, column 2: `2,5` is no number", "nan and inf are numbers"),
        ("step\n1\n", "g.csv has no column but `step`", "Add a column"),
        ("step,i,g\n1,0,5\n1,1,6\n", "g.csv, line 3: step 1 after step 1", "read from .nc or .npy"),
    ],
)
def test_a_table_that_is_wrong_says_where(text: str, what: str, cure: str) -> None:
    refused(write(text), what, cure)


def test_a_path_that_is_wrong(folder: Path) -> None:
    write("1\n", "gradients.csv")
    refused("gradient.csv", "there is no file gradient.csv", "Did you mean gradients.csv?")
    refused("./xyz.npy", "there is no file xyz.npy", f"it was looked up in {folder}")
    refused("nowhere/g.csv", "there is no file nowhere/g.csv", "There is no folder nowhere either")
    refused("g.xlsx", "g.xlsx has the ending `.xlsx`, which mhat does not read", "It reads: .csv .tsv .txt")
    refused("data/g", "data/g has no ending", "It reads: .csv")
    Path("runs.csv").mkdir()
    refused("runs.csv", "runs.csv is a directory", "Give a file in it")
    with pytest.raises(BadValue, match="`3` is no path"):
        streams.from_file(3)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    write("1\n")

    def deny(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", deny)
    refused("g.csv", "g.csv cannot be read: Permission denied", "Check the file")


def test_arguments_of_a_file_that_are_wrong() -> None:
    write("a,b\n1,2\n")
    refused("g.csv:column=c", "there is no column of g.csv `c`", "Known: a, b.", UnknownName)
    refused("g.csv:column=3", "there is no column of g.csv `3`", "Known: a, b.", UnknownName)
    refused("g.csv:colum=a", "there is no argument of a file `colum`", "Did you mean `column`?", UnknownName)
    refused("g.csv:a,b", "`g.csv:a,b` chooses more than one column", "g.csv:column=a", BadValue)
    refused("g.csv:a,column=b", "`g.csv:a,column=b` chooses more than one column", "g.csv:column=a", BadValue)
    refused("g.csv:steps=9", "g.csv has 1 steps, not 9", "at most steps=1", BadValue)
    refused("g.csv:steps=0", "`steps` is 0", "at least 1", BadValue)
    refused("g.csv:steps=two", "`two` is no number", "Write a number", BadValue)


def test_text_that_is_no_text() -> None:
    Path("g.csv").write_bytes(b"\xff\xfe1\x00\n\x00")
    refused("g.csv", "g.csv is no text: ", "Save it as text in UTF-8")


def test_numpy_files_that_are_wrong() -> None:
    np.save("scalar.npy", 3.0)
    refused("scalar.npy", "scalar.npy holds a single number and no dimension step", "first axis is the step")
    np.save("none.npy", np.zeros((0, 2)))
    refused("none.npy", "none.npy holds no gradients", "at least one step")
    np.save("text.npy", np.array(["a"]))
    refused("text.npy", "text.npy holds no real numbers but <U1", "float64")
    np.save("objects.npy", np.array([None]), allow_pickle=True)
    refused("objects.npy", "objects.npy is no NumPy file of numbers: ", "numpy.save")
    Path("broken.npy").write_text("hello")
    refused("broken.npy", "broken.npy is no NumPy file of numbers: ", "numpy.save")
    np.save("cube.npy", np.zeros((2, 2, 2)))
    refused("cube.npy:1", "cube.npy has the shape (2, 2, 2), and no columns", "Leave `column` out", BadValue)
    np.save("table.npy", np.zeros((2, 2)))
    refused("table.npy:3", "there is no column of table.npy `3`", "Known: 1, 2.", UnknownName)
    np.savez("two.npz", a=[1], b=[2])
    refused("two.npz", "two.npz holds several variables and none is `g`: a, b", "two.npz:column=a")
    refused("two.npz:c", "there is no variable of two.npz `c`", "Known: a, b.", UnknownName)
    np.savez("objects.npz", a=np.array([None]))
    refused("objects.npz", "objects.npz, array `a` cannot be read: ", "Save it as numbers")
    np.savez("empty.npz")
    refused("empty.npz", "empty.npz holds no variable", "as the variable `g`")
    Path("two.npz").rename("two.npy")
    refused("two.npy", "two.npy is an archive of arrays", ".npz")
    Path("table.npy").rename("table.npz")
    refused("table.npz", "table.npz is a single array", ".npy")


def test_datasets_that_are_wrong() -> None:
    dataset().drop_vars("g").to_netcdf("run.nc", engine="h5netcdf")
    refused("run.nc", "run.nc holds several variables and none is `g`: x, loss", "run.nc:column=x")
    refused(
        "run.nc:loss", "run.nc, variable `loss` has no dimension `step`; its dimensions: epoch", "{'epoch': 'step'}"
    )
    refused("run.nc:g", "there is no variable of run.nc `g`", "Known: loss, x.", UnknownName)
    xr.Dataset({"g": ("step", ["a", "b"])}).to_netcdf("text.nc", engine="h5netcdf")
    refused("text.nc", "text.nc, variable `g` holds no real numbers but", "float64")
    xr.Dataset().to_netcdf("empty.nc", engine="h5netcdf")
    refused("empty.nc", "empty.nc holds no variable", "as the variable `g`")
    Path("broken.nc").write_text("hello")
    refused("broken.nc", "broken.nc cannot be read: ", "netCDF 4")
    Path("broken.zarr").mkdir()
    refused("broken.zarr", "broken.zarr is no zarr store: ", "to_zarr")


@pytest.mark.parametrize(
    ("name", "module", "package", "extra"),
    [("g.parquet", "pyarrow.parquet", "pyarrow", "arrow"), ("g.zarr", "zarr", "zarr", "scale")],
)
def test_a_missing_extra_is_named(
    name: str, module: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("there is something", name)
    monkeypatch.setitem(sys.modules, module, None)
    refused(name, f"{package} is not installed", f"pip install 'mhat[{extra}]'", MissingExtra)


def test_the_names_of_columns_are_labels() -> None:
    """They go on into the trace: in place of the numbers 0 and 1."""
    stream = streams.from_file(write("step,weight,bias\n1,1,2\n2,3,4\n"))
    assert stream.labels == {"i": ("weight", "bias")}
    ds = mhat.trace("sgd", stream, lr=1.0)
    assert ds.i.values.tolist() == ["weight", "bias"]
    assert ds.x.sel(i="bias").values.tolist() == [-2.0, -6.0]
    xr.testing.assert_identical(mhat.again(mhat.trace("sgd", "g.csv", keep="x")), mhat.trace("sgd", "g.csv", keep="x"))
    for text in ("1,2\n3,4\n", "a,a\n1,2\n3,4\n", "a,\n1,2\n3,4\n"):
        assert "i" not in mhat.trace("sgd", write(text)).coords
    with pytest.raises(BadValue, match=r"^3 labels for the dimension `i`\nGive each place one label\.$"):
        streams.Stream([[1, 2]], ("step", "i"), labels={"i": ("a", "b", "c")})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["run.nc", "run.zarr"])
def test_the_labels_of_a_dataset_stay(name: str) -> None:
    labelled = dataset().assign_coords(layer=["conv", "head"], epoch=[1, 2])
    if name.endswith("nc"):
        labelled.to_netcdf(name, engine="h5netcdf")
    else:
        write_zarr(labelled, Path(name))
    for given in (streams.from_file(name), streams.stored_or_named(name)):
        assert mhat.trace("sgd", given).layer.values.tolist() == ["conv", "head"]


def test_two_columns_of_one_name_are_not_chosen_from() -> None:
    refused(write("g,g\n1,2\n"), "g.csv has two columns `g`", "Give each a name of its own")
    assert streams.named("g.csv:2").values.tolist() == [2.0]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('"a#1","b, c"\n1,2 # 3\n', [[1, 2]]),
        ("1\x0c\n2\n", [1, 2]),
    ],
)
def test_comments_quotes_and_form_feeds(text: str, values: list[Any]) -> None:
    np.testing.assert_array_equal(streams.from_file(write(text)), values)


def test_a_line_is_counted_as_editors_count_it() -> None:
    """A form feed or another separator of Unicode ends no line."""
    refused(write("1\n2\x0b\u2028\n3\x0cx\n"), "g.csv, line 3, column 1: `3\\x0cx` is no number", "nan and inf")
