"""Read a record from a file: a table or arrays.

A table (csv, tsv, txt, parquet) has a row a number, with a header and the columns

    step      from 1; rows of step 0, without g, say where x starts
    tensor    the name of the tensor; without it there is one
    i         the coordinate in the tensor; without it a tensor is one number
    g         the gradient
    x         the parameter after the step, or another observed variable by its name
    lr, ...   a knob, by its usual names: a number a step

or a row a step, as loggers write it: columns for gradients and columns for parameters, told by their names
(`grad/w0` and `param/w0`, `dW1` and `W1`, `w.grad` and `w`). An array file (npz, nc, zarr) has `g` and `x` with the
steps first, for several tensors `g.NAME` and `x.NAME`, or names as in a table; `start` (or `start.NAME`) says where x
starts, and numbers by the names of knobs say those. A folder has a file a step (safetensors, npz, what torch saves), in
the order of the numbers in their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mhat.inputs.files import check_input, reading
from mhat.subjects.records.arrays import from_dataset, from_npz
from mhat.subjects.records.folders import from_folder
from mhat.subjects.records.record import Record
from mhat.subjects.records.tables import from_table

Columns = Mapping[str, str]


def record_of(path: str | Path, observe: str = "x", columns: Columns | None = None) -> Record:
    """Read a record; `observe` names the column or array that was observed, `columns` what stands where.

    `columns`: {"g": "grad_norm", "x": "w0"}, for names that are not the usual ones.

    Raises InputFileError, which names the line, UnknownName for a column that is not there, MissingExtra.
    """
    if isinstance(path, str | Path) and Path(path).is_dir() and Path(path).suffix.lower() != ".zarr":
        return from_folder(Path(path), observe, columns or {})
    file = check_input(path, _READERS)
    with reading(file, "Check the file."):
        return _READERS[file.suffix.lower()](file, observe, columns or {})


_READERS: Mapping[str, Callable[[Path, str, Columns], Record]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".parquet"), from_table),
    ".nc": from_dataset,
    ".npz": from_npz,
    ".zarr": from_dataset,
}
