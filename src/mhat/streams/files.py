"""Gradients from a file: which reader for which ending, and what is wrong with a file before it is read.

It knows no stream made by a formula, and nothing of what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mhat.errors import BadValue, InputFileError
from mhat.inputs.files import check_input, reading
from mhat.notation import count_steps
from mhat.streams.columns import read_columns
from mhat.streams.stream import StoredStream, Stream
from mhat.streams.variables import open_array, open_variable, read_archive, read_array, read_variable

_READERS: Mapping[str, Callable[[Path, str | None], Stream]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".parquet"), read_columns),
    ".npy": read_array,
    ".npz": read_archive,
    ".nc": read_variable,
    ".zarr": read_variable,
}
_OPENERS: Mapping[str, Callable[[Path, str | None], Any]] = {
    ".npy": open_array,
    ".nc": open_variable,
    ".zarr": open_variable,
}
CURE = "Check the file."


def from_file(path: str | Path, column: str | int | None = None, steps: int | None = None) -> Stream:
    """Gradients from a file: csv, tsv, txt, npy, npz, nc (netCDF), parquet or zarr.

    Teaches what your own run did: record the gradients, and look at what an optimizer makes of them.

    A table (csv, tsv, txt, parquet) has a row a step. One column of gradients gives shape (T,), n columns (T, n), whose
    names become labels. A header is optional, `#` starts a comment, `nan` and `inf` are numbers. A column `step` says
    the order and is no gradient. Where there is a column `g` (a saved trace), that is the gradient. `column` chooses
    one by its name, or by its number from 1.

    An array (npy) has the step as its first axis. Of several (npz, nc, zarr), `g` is taken, or the one that `column`
    names. Dimensions that have names keep them and their labels, and one of them must be `step`.

    `steps` takes the first so many. Errors: InputFileError for a file that is missing, empty, ragged or not numeric, at
    which line, that is damaged, or that says it holds more than it does or than fits into memory; MissingExtra where
    parquet or zarr are not installed; UnknownName for a column that is not there.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "gradients.csv")
    ...     _ = file.write_text("step,weight,bias\\n1,0.5,-1\\n2,0.25,inf\\n")
    ...     from_file(file).values
    array([[ 0.5 , -1.  ],
           [ 0.25,   inf]])
    """
    file = check_input(path, _READERS)
    chosen = None if column is None else str(column)
    with reading(file, CURE):
        stream = _READERS[file.suffix.lower()](file, chosen)
    _check_steps(path, stream.steps, steps)
    values = stream.values if steps is None else stream.values[: count_steps(steps)]
    return replace(stream, values=values, recipe=_recipe(path, chosen, steps))


def stored(path: str | Path, column: str | int | None = None, steps: int | None = None) -> Stream | StoredStream:
    """Gradients from a file, as `from_file`, which stay there until they are asked for: npy, nc and zarr do."""
    file = check_input(path, _READERS)
    opener = _OPENERS.get(file.suffix.lower())
    if opener is None:
        return from_file(path, column, steps)
    chosen = None if column is None else str(column)
    with reading(file, CURE):
        array = opener(file, chosen)
    _check_steps(path, array.sizes["step"] if array.size else 0, steps)
    return StoredStream(array if steps is None else array[: count_steps(steps)], _recipe(path, chosen, steps))


def is_path(text: str) -> bool:
    """Say whether a text names a file: it has an ending or a folder."""
    return any(mark in text for mark in "./\\")


def endings() -> list[str]:
    """Return the endings that can be read."""
    return list(_READERS)


def _check_steps(path: str | Path, known: int, wanted: int | None) -> None:
    if known == 0:
        raise InputFileError(f"{path} holds no gradients", "Give a file with at least one step.")
    if wanted is not None and count_steps(wanted) > known:
        raise BadValue(f"{path} has {known} steps, not {count_steps(wanted)}", f"Ask for at most steps={known}.")


def _recipe(path: str | Path, column: str | None, steps: int | None) -> str:
    pieces = [f"column={column}"] if column is not None else []
    pieces += [f"steps={steps}"] if steps is not None else []
    return str(path) + (":" + ",".join(pieces) if pieces else "")
