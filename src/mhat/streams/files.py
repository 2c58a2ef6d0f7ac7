"""Gradients from a file: which reader for which ending, and what is wrong with a file before it is read.

It knows no stream made by a formula, and nothing of what was measured.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError
from mhat.notation import count_steps
from mhat.streams import arrays, tables
from mhat.streams.stream import StoredStream, Stream

_Reader = Callable[[Path, "str | None"], "tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], tuple[str, ...]]"]
_READERS: dict[str, _Reader] = {
    ".csv": tables.read_text,
    ".tsv": tables.read_text,
    ".txt": tables.read_text,
    ".parquet": tables.read_parquet,
    ".npy": arrays.read_npy,
    ".npz": arrays.read_npz,
    ".nc": arrays.read_netcdf,
    ".zarr": arrays.read_zarr,
}
_OPENERS: dict[str, Callable[[Path, str | None], Any]] = {
    ".npy": arrays.open_npy,
    ".nc": arrays.open_netcdf,
    ".zarr": arrays.open_zarr,
}


def from_file(path: str | Path, column: str | int | None = None, steps: int | None = None) -> Stream:
    """Gradients from a file: csv, tsv, txt, npy, npz, nc (netCDF), parquet or zarr.

    Teaches what your own run did: record the gradients, and look at what an optimizer makes of them.

    A table (csv, tsv, txt, parquet) has a row a step. One column of gradients gives shape (T,), n columns (T, n). A
    header is optional, `#` starts a comment, `nan` and `inf` are numbers. A column `step` says the order and is no
    gradient. Where there is a column `g` (a saved trace), that is the gradient. `column` chooses one by its name, or by
    its number from 1.

    An array (npy) has the step as its first axis. Of several (npz, nc, zarr), `g` is taken, or the one that `column`
    names. Dimensions that have names keep them, and one of them must be `step`.

    `steps` takes the first so many. Errors: InputFileError for a file that is missing, empty, ragged or not numeric, at
    which line; MissingExtra where parquet or zarr are not installed; UnknownName for a column that is not there.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "gradients.csv")
    ...     _ = file.write_text("step,weight,bias\\n1,0.5,-1\\n2,0.25,inf\\n")
    ...     from_file(file).values
    array([[ 0.5 , -1.  ],
           [ 0.25,   inf]])
    """
    file = _file(path)
    chosen = None if column is None else str(column)
    values, dims = _tried(path, lambda: _reader(file)(file, chosen))
    _check_steps(path, len(values) if values.size else 0, steps)
    return Stream(values if steps is None else values[: count_steps(steps)], dims, _recipe(path, chosen, steps))


def stored(path: str | Path, column: str | int | None = None, steps: int | None = None) -> Stream | StoredStream:
    """Gradients from a file, as `from_file`, which stay there until they are asked for: npy, nc and zarr do."""
    if Path(path).suffix.lower() not in _OPENERS:
        return from_file(path, column, steps)
    file = _file(path)
    chosen = None if column is None else str(column)
    array = _tried(path, lambda: _OPENERS[file.suffix.lower()](file, chosen))
    _check_steps(path, array.sizes["step"] if array.size else 0, steps)
    return StoredStream(array if steps is None else array[: count_steps(steps)], _recipe(path, chosen, steps))


def _file(path: str | Path) -> Path:
    if not isinstance(path, str | Path):
        raise BadValue(f"`{path!r}` is no path", "Give the path of a file: from_file('gradients.csv').")
    file = Path(path).expanduser()
    _reader(file)
    _check_there(file)
    return file


def _tried(path: str | Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror or error}", "Check the file.") from error


def is_path(text: str) -> bool:
    """Say whether a text names a file: it has an ending or a folder."""
    return any(mark in text for mark in "./\\")


def endings() -> list[str]:
    """Return the endings that can be read."""
    return list(_READERS)


def _reader(file: Path) -> _Reader:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        what = (
            f"{file} has the ending `{file.suffix}`, which mhat does not read"
            if file.suffix
            else f"{file} has no ending"
        )
        raise InputFileError(what, "It reads: " + " ".join(_READERS) + ".")
    return reader


def _check_there(file: Path) -> None:
    if not file.exists():
        raise InputFileError(f"there is no file {file}", _nearest(file))
    if file.is_dir() and file.suffix.lower() != ".zarr":
        raise InputFileError(f"{file} is a directory", "Give a file in it.")
    if file.is_file() and file.stat().st_size == 0:
        raise InputFileError(f"{file} is empty", "Give a file with at least one step.")


def _nearest(file: Path) -> str:
    if not file.parent.is_dir():
        return f"There is no folder {file.parent} either; check the path."
    try:
        names = [each.name for each in file.parent.iterdir()]
    except OSError:
        names = []
    near = difflib.get_close_matches(file.name, names, n=1, cutoff=0.6)
    return f"Did you mean {file.parent / near[0]}?" if near else f"Check the path; it was looked up in {Path.cwd()}."


def _check_steps(path: str | Path, known: int, wanted: int | None) -> None:
    if known == 0:
        raise InputFileError(f"{path} holds no gradients", "Give a file with at least one step.")
    if wanted is not None and count_steps(wanted) > known:
        raise BadValue(f"{path} has {known} steps, not {count_steps(wanted)}", f"Ask for at most steps={known}.")


def _recipe(path: str | Path, column: str | None, steps: int | None) -> str:
    pieces = [f"column={column}"] if column is not None else []
    pieces += [f"steps={steps}"] if steps is not None else []
    return str(path) + (":" + ",".join(pieces) if pieces else "")
