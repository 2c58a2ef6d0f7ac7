"""Records that others have written down: read, and what is wrong with one at which line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import mhat
from mhat import streams
from mhat.errors import InputFileError, MissingExtra, UnknownName
from mhat.subjects.records import record_of

WHOLE = """\
step,tensor,i,g,x
0,W,0,,1.0
0,W,1,,2.0
0,b,0,,0.5
1,W,0,1.0,0.9
1,W,1,-1.0,2.1
1,b,0,3.0,0.4
2,b,0,inf,nan
2,W,1,0.0,2.2
2,W,0,0.5,0.8
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_of_several_tensors(here: Path) -> None:
    Path("run.csv").write_text(WHOLE)
    record = record_of("run.csv")
    assert (record.name, record.observe, record.tensors) == ("run.csv", "x", ("W", "b"))
    assert record.gradients[0].tolist() == [[1.0, -1.0], [0.5, 0.0]]
    assert record.observed[0].tolist() == [[0.9, 2.1], [0.8, 2.2]]
    assert np.isinf(record.gradients[1][1, 0])
    assert np.isnan(record.observed[1][1, 0])
    assert record.start is not None
    assert [s.tolist() for s in record.start] == [[1.0, 2.0], [0.5]]


@pytest.mark.parametrize("text", ["step,g,ratio\n1,2,1\n2,3,0.5\n", "# a note\nstep;g;ratio\n1;2;1\n\n2;3;0.5\n"])
def test_one_number_a_step_and_another_variable(text: str, here: Path) -> None:
    Path("run.csv").write_text(text)
    for record in (record_of("run.csv"), record_of("run.csv", observe="ratio")):
        assert record.observe == "ratio"
        assert record.gradients[0].tolist() == [2.0, 3.0]
        assert record.observed[0].tolist() == [1.0, 0.5]
        assert record.start is None


def test_parquet_is_a_table(here: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"step": [1, 2], "tensor": ["a", "a"], "i": [0, 0], "g": [1.0, None], "x": [0.5, None]}
    parquet.write_table(pyarrow.table(columns), "run.parquet")
    with pytest.raises(InputFileError, match=r"run.parquet, row 2, column g: there is no number"):
        record_of("run.parquet")
    parquet.write_table(pyarrow.table({**columns, "x": [0.5, 0.25]}), "run.parquet")
    assert np.isnan(record_of("run.parquet").gradients[0]).tolist() == [[False], [True]]
    assert record_of("run.parquet").observed[0].tolist() == [[0.5], [0.25]]


def test_arrays_with_their_start_and_knobs(here: Path) -> None:
    g = np.arange(12.0).reshape(3, 2, 2)
    np.savez("run.npz", **{"g.W": g, "x.W": -g, "g.b": g[:, 0, 0], "x.b": g[:, 0, 1], "start.W": g[0], "start.b": 1.0},
             lr=0.1)  # fmt: skip
    record = record_of("run.npz")
    assert record.tensors == ("W", "b")
    assert [x.shape for x in record.observed] == [(3, 2, 2), (3,)]
    assert record.knobs == {"lr": 0.1}
    assert record.start is not None
    assert record.start[0].tolist() == g[0].tolist()


def test_a_saved_trace_is_a_record(here: Path) -> None:
    ds = mhat.trace("adam", streams.normal(steps=9, size=2, seed=1), start=2.0, lr=0.1)
    mhat.save(ds, "run.nc")
    record = record_of("run.nc", observe="ratio")
    assert np.array_equal(record.observed[0], ds.ratio)
    assert record.knobs["lr"] == 0.1
    assert record.start is not None
    assert record.start[0].tolist() == [2.0, 2.0]
    mhat.save(ds, "run.csv")
    assert np.array_equal(record_of("run.csv", observe="x").observed[0], ds.x)


FAILURES = {
    "no g": ("step,x\n1,2\n", "run.csv: a record needs gradients and parameters, and there is only `x`"),
    "which is which": ("step,a,b\n1,2,3\n",
                       "run.csv has no column `g`, and of `a`, `b` it cannot be told which is the gradient"),
    "a series": ("Wall time,Step,Value\n1,2,3\n",
                 "run.csv: a record needs gradients and parameters, and there is only `Value`"),
    "seldom": ("step,g,x\n10,1,1\n20,1,1\n30,1,1\n", "run.csv has every 10th step only: the gradients between are not "
               "in it, and without them no step can be judged"),
    "no rows": ("step,g,x\n", "run.csv has a header and no rows"),
    "empty": ("", "run.csv is empty"),
    "ragged": ("step,g,x\n1,2,3\n2,3\n", "run.csv, line 3: 2 columns, where line 1 has 3"),
    "words": ("step,g,x\n1,2,3\n2,two,3\n", "run.csv, line 3, column g: `two` is no number"),
    "a hole": ("step,g,x\n1,2,3\n2,,\n", "run.csv, line 3, column g: there is no number"),
    "half a step": ("step,g,x\n1.5,2,3\n", "run.csv, line 2, column step: `1.5` is no count"),
    "twice": ("step,g,x\n1,2,3\n1,2,3\n", "run.csv, line 3: step 1, i 0 was there already, in line 2"),
    "a step missing": ("step,g,x\n1,2,3\n3,2,3\n", "run.csv: step 2, i 0 is missing"),
    "a number missing": ("step,tensor,i,g,x\n1,W,0,2,3\n1,W,1,2,3\n2,W,0,2,3\n",
                         "run.csv: step 2, i 1 of tensor W is missing"),
    "unequal": ("step,tensor,g,x\n1,a,2,3\n1,b,2,3\n2,b,2,3\n",
                "run.csv: tensors with different numbers of steps (a: 1, b: 2)"),
    "only a start": ("step,g,x\n0,,3\n", "run.csv: there is no step 1"),
    "no header": ("1,2,3\n", "run.csv has no header"),
    "two columns of one name": ("step,g,g,x\n1,1,2,3\n", "run.csv has two columns `g`"),
    # Whatever a table says, only as much is made room for as it holds.
    "a step of a quadrillion": ("step,g,x\n1,1,1\n1000000000000000,1,1\n", "run.csv: step 2, i 0 is missing"),
    "a step beyond all numbers": ("step,g,x\n1,1,1\n1e300,1,1\n", "run.csv: step 2, i 0 is missing"),
    "a coordinate of a quadrillion": ("step,i,g,x\n1,0,1,1\n1,1e15,1,1\n", "run.csv: step 1, i 1 is missing"),
    "no number of a step": ("step,g,x\nnan,1,1\n", "run.csv, line 2, column step: `nan` is no count"),
    "a quote that is not closed": ('step,g,x\n"1,1,1\n', "run.csv, line 2: 1 column, where line 1 has 3"),
    "a field without end": ("step,g,x\n1," + 200_000 * "y" + ",1\n",
                            "run.csv, line 2, column g: `" + 57 * "y" + "...` is no number"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_what_is_wrong_with_a_table_is_said(case: tuple[str, str], here: Path) -> None:
    text, what = case
    Path("run.csv").write_text(text)
    with pytest.raises(InputFileError) as caught:
        record_of("run.csv")
    assert caught.value.what == what
    assert caught.value.cure


def test_what_is_wrong_with_arrays_is_said(here: Path) -> None:
    np.savez("run.npz", g=np.ones(3), x=np.ones(4))
    with pytest.raises(InputFileError, match=r"run.npz: g has the shape \(3,\) and x the shape \(4,\)"):
        record_of("run.npz")
    np.savez("run.npz", x=np.ones(4))
    with pytest.raises(InputFileError, match=r"run.npz has no array `g`"):
        record_of("run.npz")
    Path("run.npz").write_bytes(b"no archive")
    with pytest.raises(InputFileError, match=r"run.npz is no NumPy file of numbers: "):
        record_of("run.npz")
    Path("run.nc").write_bytes(b"no archive")
    with pytest.raises(InputFileError, match=r"run.nc cannot be read: "):
        record_of("run.nc")


def test_names_that_are_not_there(here: Path) -> None:
    Path("run.csv").write_text("step,g,x,ratio\n1,2,3,4\n")
    with pytest.raises(UnknownName) as caught:
        record_of("run.csv", observe="ration")
    assert str(caught.value) == "there is no column of run.csv `ration`\nDid you mean `ratio`?"
    with pytest.raises(InputFileError, match=r"there is no file none.csv\nDid you mean run.csv\?"):
        record_of("none.csv")
    with pytest.raises(InputFileError) as refused:
        record_of("run.xyz")
    assert refused.value.cure == "It reads: .csv .tsv .txt .parquet .nc .npz .zarr."


def test_arrays_that_are_no_numbers(here: Path) -> None:
    for name, array in {"lr": np.array("a"), "start": np.array("a"), "x": np.array(["a", "b"])}.items():
        np.savez("run.npz", **{"g": np.ones(2), "x": np.ones(2), name: array})
        with pytest.raises(InputFileError, match=rf"run.npz, array `{name}` holds no real numbers but <U1"):
            record_of("run.npz")
    for g in (np.float64(3.0), np.zeros(0), np.zeros((2, 0))):
        np.savez("run.npz", g=g, x=g)
        with pytest.raises(InputFileError, match=r"run.npz: there is no step in g"):
            record_of("run.npz")


@pytest.mark.parametrize(
    "text",
    ["# made by hand\nStep,g,x  # a header\n\n1,2,1 # first\n2,3,0.5\n", ",STEP,g,x\n0,1,2,1\n1,2,3,0.5\n"],
    ids=["comments", "the index of pandas"],
)
def test_what_is_a_stream_is_a_record(text: str, here: Path) -> None:
    """Both read a table in the same way: comments, the size of letters in `step`, columns without a name."""
    Path("run.csv").write_text(text)
    record = record_of("run.csv")
    assert record.gradients[0].tolist() == streams.from_file("run.csv").values.tolist() == [2.0, 3.0]
    assert record.observed[0].tolist() == [1.0, 0.5]


def test_a_saved_store_is_a_record(here: Path) -> None:
    ds = mhat.trace("sgd", [1.0, 2.0], start=-np.inf)
    mhat.save(ds, "run.zarr")
    record = record_of("run.zarr")
    assert record.knobs == {"lr": 0.01}
    assert record.start is not None and record.start[0] == -np.inf


def test_a_missing_reader_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("run.parquet").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra) as caught:
        record_of("run.parquet")
    assert str(caught.value) == "pyarrow is not installed\nInstall it with: pip install 'mhat[arrow]'"


def test_logs_as_loggers_write_them(here: Path) -> None:
    """Bookkeeping, norms and losses are no gradients; what belongs together is told by the names."""
    Path("run.csv").write_text(
        "_step,_timestamp,loss,grad/w0,param/w0,grad_norm,lr\n0,17e8,3,1,0.9,5,0.1\n1,17e8,2,2,0.7,5,0.05\n"
    )
    record = record_of("run.csv")
    assert record.gradients[0].tolist() == [1.0, 2.0]
    assert record.observed[0].tolist() == [0.9, 0.7]
    assert record.schedules["lr"].tolist() == [0.1, 0.05]
    assert record.notes == ("read so: `grad/w0` is the gradient of `param/w0`", "steps are counted from 0")
    mapped = record_of("run.csv", columns={"g": "grad_norm", "x": "loss"})
    assert mapped.gradients[0].tolist() == [5.0, 5.0]
    assert mapped.observed[0].tolist() == [3.0, 2.0]


def test_arrays_by_the_names_of_others(here: Path) -> None:
    g = np.arange(6.0, dtype=np.float32).reshape(3, 2)
    np.savez("run.npz", **{"layer.weight.grad": g, "layer.weight": -g, "lr": np.array([0.1, 0.2, 0.3])})
    record = record_of("run.npz")
    assert record.tensors == ("layer.weight",)
    assert record.observed[0].tolist() == (-g).tolist()
    assert record.schedules["lr"].tolist() == [0.1, 0.2, 0.3]
    assert record.dtype == "float32"
    assert record.g_halves is not None
    assert record.g_halves[0][1, 0] == 0.5 * 2.0**-23 * 2.0


@pytest.mark.parametrize("text", ["0.123456789", "0.12345679"])
def test_single_precision_is_told_by_its_texts(text: str, here: Path) -> None:
    """A number of nine digits may be a double that was cut, or a whole single: the singles are told by their texts."""
    Path("run.csv").write_text(f"step,g,x\n1,1,{text}\n2,1,{text}\n")
    assert record_of("run.csv").dtype == ("float32" if text == str(np.float32(float(text))) else None)


def test_a_folder_with_a_file_a_step(here: Path) -> None:
    """Files are taken in the order of their numbers; a first one without gradients says where x starts."""
    numpy_of = pytest.importorskip("safetensors.numpy")
    Path("run").mkdir()
    for step in (0, 2, 10):
        arrays = {"param.w": np.full(2, float(step))}
        if step:
            arrays["grad.w"] = np.full(2, 0.5 * step)
        numpy_of.save_file(arrays, f"run/step_{step}.safetensors")
    record = record_of("run")
    assert record.tensors == ("w",)
    assert record.observed[0].tolist() == [[2.0, 2.0], [10.0, 10.0]]
    assert record.gradients[0].tolist() == [[1.0, 1.0], [5.0, 5.0]]
    assert record.start is not None
    assert record.start[0].tolist() == [0.0, 0.0]
    Path("none").mkdir()
    with pytest.raises(InputFileError, match="none holds no step of a run"):
        record_of("none")
