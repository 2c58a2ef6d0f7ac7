"""What somebody else has written down: gradients and parameters of a run. It knows no subject, for none can be driven.

A table (csv, tsv, txt, parquet) has a row a number, with a header and the columns

    step      from 1; rows of step 0, without g, say where x starts
    tensor    the name of the tensor; without it there is one
    i         the coordinate in the tensor; without it a tensor is one number
    g         the gradient
    x         the parameter after the step, or another observed variable by its name

An array file (npz, nc, zarr) has `g` and `x` with the steps first, for several tensors `g.NAME` and `x.NAME`; `start`
(or `start.NAME`) says where x starts, and numbers by the names of knobs say those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError, UnknownName
from mhat.inputs.arrays import read_npz
from mhat.inputs.datasets import read_dataset
from mhat.inputs.files import check_input, reading
from mhat.inputs.tables import Table, read_table
from mhat.notation import cut
from mhat.notation.strict_json import data_in, numbers_in
from mhat.subjects.subject import Array

COUNTS = ("step", "i")
CURE = "Write the columns step, tensor, i, g and x, a row for each number."
ARRAYS = "Write g and x, or g.NAME and x.NAME for each tensor."


@dataclass(frozen=True)
class Record:
    """Gradients and what was observed under them, (T, *shape) for each tensor, in float64."""

    name: str
    gradients: list[Array]
    observed: list[Array]
    observe: str = "x"
    start: list[Array] | None = None  # x before step 1, where it is known
    knobs: Mapping[str, float] = field(default_factory=dict)
    tensors: tuple[str, ...] = ("",)


def record_of(path: str | Path, observe: str = "x") -> Record:
    """Read a record; `observe` names the column or array that was observed.

    Raises InputFileError, which names the line, UnknownName for a column that is not there, MissingExtra.
    """
    file = check_input(path, _READERS)
    with reading(file, "Check the file."):
        return _READERS[file.suffix.lower()](file, observe)


def _from_table(file: Path, observe: str) -> Record:
    table = read_table(file)
    if not table.has_header:
        raise InputFileError(f"{file} has no header", CURE)
    places = {name.lower() if name.lower() in (*COUNTS, "tensor") else name: n for n, name in enumerate(table.names)}
    others = [name for name in places if name not in (*COUNTS, "tensor", "g") and name]
    for name in ("step", "g"):
        if name not in places:
            raise InputFileError(f"{file} has no column `{name}`", CURE)
        table.place(table.names[places[name]])
    observe = _observed(file, others, observe)
    steps, g = _counts(table, places["step"]), table.numbers(places["g"], gaps=True)
    _check_filled(table, places["g"], steps > 0)
    _check_filled(table, table.place(observe), steps >= 0)
    coordinates = _counts(table, places["i"]) if "i" in places else np.zeros(len(g))
    tensors = [str(each) for each in table.columns[places["tensor"]]] if "tensor" in places else [""] * len(g)
    numbers = _Numbers(table, steps, coordinates, g, table.numbers(table.place(observe)))
    return _gathered(numbers, tensors, observe, coordinates="i" in places)


def _observed(file: Path, others: Iterable[str], observe: str) -> str:
    others = list(others)
    if observe in others:
        return observe
    if observe == "x" and len(others) == 1:
        return others[0]
    raise UnknownName(f"column of {file}", cut(observe), others)


def _counts(table: Table, place: int) -> Array:
    """Give a column of whole numbers from 0."""
    numbers = table.numbers(place)
    wrong = ~((numbers >= 0) & (numbers < np.inf) & (numbers == np.floor(numbers)))
    if wrong.any():
        row = int(wrong.argmax())
        cell = cut(str(table.columns[place][row]))
        raise InputFileError(
            f"{table.file}, {table.places[row]}, column {table.names[place].lower()}: `{cell}` is no count",
            "Count steps from 1, i from 0.",
        )
    return numbers


def _check_filled(table: Table, place: int, needed: Array) -> None:
    """Refuse an empty cell in a row that needs it."""
    missing = table.missing(place) & needed
    if missing.any():
        raise table.no_number(int(missing.argmax()), place)


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a table, a row each: where they belong, the gradient, and what was observed."""

    table: Table
    step: Array
    i: Array
    g: Array
    x: Array


def _gathered(numbers: _Numbers, tensors: list[str], observe: str, *, coordinates: bool) -> Record:
    """Sort the numbers into arrays; every tensor has every coordinate at every step."""
    file = numbers.table.file
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(tensors):
        rows.setdefault(name, []).append(row)
    gradients, observed, starts = [], [], list[Array | None]()
    for name, mine in rows.items():
        of = f" of tensor {name}" if name else ""
        g, x, has_start = _tensor(numbers, mine, of)
        part: Any = slice(None) if coordinates else 0
        gradients.append(g[:, part])
        observed.append(x[1:, part] if has_start else x[:, part])
        starts.append(np.asarray(x[0, part]) if has_start else None)
    if len({len(g) for g in gradients}) > 1:
        counts = ", ".join(f"{name}: {len(g)}" for name, g in zip(rows, gradients, strict=True))
        raise InputFileError(
            f"{file}: tensors with different numbers of steps ({counts})", "Write all to the same step."
        )
    known = [start for start in starts if start is not None]
    return Record(str(file), gradients, observed, observe, known if len(known) == len(rows) else None, {}, tuple(rows))


def _tensor(numbers: _Numbers, rows: list[int], of: str) -> tuple[Array, Array, bool]:
    """Give gradients (steps, width) and what was observed, with that of step 0 where there is one."""
    file, places = numbers.table.file, numbers.table.places
    keys = [(int(numbers.step[row]), int(numbers.i[row])) for row in rows]
    seen: dict[tuple[int, int], int] = {}
    for row, (step, i) in zip(rows, keys, strict=True):
        if (step, i) in seen:
            raise InputFileError(
                f"{file}, {places[row]}: step {step}, i {i}{of} was there already, in {places[seen[step, i]]}",
                "Write each number once.",
            )
        seen[step, i] = row
    last, low, high = max(step for step, _ in keys), min(i for _, i in keys), max(i for _, i in keys)
    if last == 0:
        raise InputFileError(f"{file}: there is no step 1{of}", "Count steps from 1.")
    begin = 0 if any(step == 0 for step, _ in keys) else 1
    # As many numbers as there are rows, or one of the first of them is missing: whatever a table says, it ends soon.
    for step, i in ((step, i) for step in range(begin, last + 1) for i in range(low, high + 1)):
        if (step, i) not in seen:
            raise InputFileError(f"{file}: step {step}, i {i}{of} is missing", "Write every number of every step.")
    order = [seen[key] for key in sorted(seen)]
    g, x = (array[order].reshape(last + 1 - begin, high + 1 - low) for array in (numbers.g, numbers.x))
    return g[1 - begin :], x, begin == 0


def _from_npz(file: Path, observe: str) -> Record:
    return _from_arrays(file, read_npz(file), {}, None, observe)


def _from_dataset(file: Path, observe: str) -> Record:
    ds = read_dataset(file)
    arrays = {str(name): np.asarray(v.transpose("step", ...) if "step" in v.dims else v) for name, v in ds.items()}
    knobs, start = (_told(ds.attrs.get(name)) for name in ("knobs", "start"))
    return _from_arrays(file, arrays, knobs if isinstance(knobs, dict) else {}, start, observe)


def _told(text: Any) -> Any:
    """Read what an attribute of a trace says; None where it says nothing that can be read."""
    try:
        data = data_in(text)
        if isinstance(data, dict):
            return {name: numbers_in(value) for name, value in data.items() if name != "dims"}
        return numbers_in(data)
    except (TypeError, ValueError):
        return None


def _from_arrays(
    file: Path, arrays: Mapping[str, Array], knobs: Mapping[str, float], start: Any, observe: str
) -> Record:
    names = [name.removeprefix("g").removeprefix(".") for name in arrays if name == "g" or name.startswith("g.")]
    if not names:
        raise InputFileError(f"{file} has no array `g`", "Write g and x, with the steps first.")
    gradients = [_steps(file, array) for array in _of(file, arrays, "g", names)]
    plain = [name for name in arrays if name.partition(".")[0] not in ("g", "start") and np.ndim(arrays[name])]
    observe = _observed(file, dict.fromkeys(name.partition(".")[0] for name in plain), observe)
    observed = [*_of(file, arrays, observe, names)]
    for name, g, x in zip(names, gradients, observed, strict=True):
        if g.shape != x.shape:
            of = f" of {name}" if name else ""
            raise InputFileError(
                f"{file}: g{of} has the shape {g.shape} and {observe} the shape {x.shape}", "Give both one shape."
            )
    scalars = [name for name, array in arrays.items() if not np.ndim(array) and name.partition(".")[0] != "start"]
    said = {name: value for name, value in knobs.items() if isinstance(value, float)}
    said |= {name: float(_real(file, name, arrays[name])) for name in scalars}
    starts = _starts(file, arrays, names, gradients, start)
    return Record(str(file), gradients, observed, observe, starts, said, tuple(names))


def _of(file: Path, arrays: Mapping[str, Array], variable: str, names: Iterable[str]) -> Iterator[Array]:
    for name in names:
        full = f"{variable}.{name}" if name else variable
        if full not in arrays:
            raise InputFileError(f"{file} has no array `{full}`", ARRAYS)
        yield _real(file, full, arrays[full])


def _real(file: Path, name: str, array: Array) -> Array:
    if array.dtype.kind not in "biuf":
        raise InputFileError(f"{file}, array `{name}` holds no real numbers but {array.dtype}", "Save it as float64.")
    return np.asarray(array, np.float64)


def _steps(file: Path, array: Array) -> Array:
    if not np.ndim(array) or not array.size:
        raise InputFileError(f"{file}: there is no step in g", "Write g and x, with the steps first.")
    return array


def _starts(
    file: Path, arrays: Mapping[str, Array], names: list[str], gradients: list[Array], told: Any
) -> list[Array] | None:
    if all((f"start.{name}" if name else "start") in arrays for name in names):
        given = [np.asarray(each, np.float64) for each in _of(file, arrays, "start", names)]
    elif isinstance(told, int | float):
        given = [np.asarray(told, np.float64)] * len(names)
    elif isinstance(told, dict) and "values" in told:
        given = [np.asarray(told["values"], np.float64)]
    else:
        return None
    try:
        return [np.array(np.broadcast_to(s, g.shape[1:])) for s, g in zip(given, gradients, strict=True)]
    except ValueError:
        raise BadValue(f"{file}: the start does not fit the gradients", "Give it the shape of one step.") from None


_READERS: Mapping[str, Callable[[Path, str], Record]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".parquet"), _from_table),
    ".nc": _from_dataset,
    ".npz": _from_npz,
    ".zarr": _from_dataset,
}
