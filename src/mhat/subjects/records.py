"""What somebody else has written down: gradients and parameters of a run. It knows no subject, for none can be driven.

A table (csv, tsv, parquet) has a row a number, with the columns

    step      from 1; rows of step 0, without g, say where x starts
    tensor    the name of the tensor; without it there is one
    i         the coordinate in the tensor; without it a tensor is one number
    g         the gradient
    x         the parameter after the step, or another observed variable by its name

An array file (npz, nc) has `g` and `x` with the steps first, for several tensors `g.NAME` and `x.NAME`; `start`
(or `start.NAME`) says where x starts, and numbers by the names of knobs say those.
"""

from __future__ import annotations

import csv
import importlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import BadValue, InputFileError, MissingExtra, UnknownName
from mhat.subjects.subject import Array

INDEX = ("step", "tensor", "i")
CURE = "Write the columns step, tensor, i, g and x, a row for each number."


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
    file = Path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise InputFileError(
            f"a record cannot be read from `{path}`", f"Give a file that ends in {', '.join(_READERS)}."
        )
    if not file.is_file():
        raise InputFileError(f"there is no file `{path}`", "Check the name and the directory you are in.")
    try:
        return reader(file, observe)
    except OSError as error:
        raise InputFileError(f"`{path}` cannot be read: {error.strerror or error}", "Check the file.") from None


@dataclass(frozen=True)
class _Row:
    """One number of a table: where it stands, its step, tensor and coordinate, and its values."""

    place: str
    step: int
    tensor: str
    i: int
    g: float
    x: float


def _from_text(file: Path, observe: str) -> Record:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{file} is no text: {error}", "Save it as text in UTF-8.") from None
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputFileError(f"{file} is empty", CURE)
    separator = "\t" if "\t" in lines[0][1] else ";" if ";" in lines[0][1] else ","
    rows = [(n, [part.strip() for part in next(csv.reader([line], delimiter=separator))]) for n, line in lines]
    names = rows[0][1]
    for number, fields in rows[1:]:
        if len(fields) != len(names):
            raise InputFileError(
                f"{file}, line {number}: {len(fields)} columns, where the header has {len(names)}",
                "Give every line the same columns; leave a field empty where there is nothing.",
            )
    columns = {name: [fields[place] for _, fields in rows[1:]] for place, name in enumerate(names)}
    return _from_table(file, columns, [f"line {number}" for number, _ in rows[1:]], observe)


def _from_parquet(file: Path, observe: str) -> Record:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtra("pyarrow", "arrow") from None
    try:
        table = parquet.ParquetFile(file).read()
    except (ValueError, OSError) as error:
        raise InputFileError(f"{file} is no parquet file: {error}", "Write it again.") from None
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return _from_table(file, columns, [f"row {n}" for n in range(1, table.num_rows + 1)], observe)


def _from_table(file: Path, columns: Mapping[str, list[Any]], places: list[str], observe: str) -> Record:
    observe = _observed(file, columns, observe)
    for name in ("step", "g"):
        if name not in columns:
            raise InputFileError(f"{file} has no column `{name}`", CURE)
    if not places:
        raise InputFileError(f"{file} has a header and no rows", CURE)
    rows = []
    for n, place in enumerate(places):
        step = _whole(file, place, "step", columns["step"][n])
        g_field = columns["g"][n]
        rows.append(
            _Row(
                place,
                step,
                str(columns["tensor"][n]) if "tensor" in columns else "",
                _whole(file, place, "i", columns["i"][n]) if "i" in columns else 0,
                math.nan if step == 0 and g_field in ("", None) else _number(file, place, "g", g_field),
                _number(file, place, observe, columns[observe][n]),
            )
        )
    return _gathered(file, rows, observe, "i" in columns)


def _observed(file: Path, columns: Iterable[str], observe: str) -> str:
    others = [name for name in columns if name not in (*INDEX, "g")]
    if observe in others:
        return observe
    if observe == "x" and len(others) == 1:
        return others[0]
    raise UnknownName(f"column of {file}", observe, others)


def _whole(file: Path, place: str, name: str, value: Any) -> int:
    number = _number(file, place, name, value)
    if number != number // 1 or number < 0 or math.isinf(number):
        raise InputFileError(f"{file}, {place}, column {name}: `{value}` is no count", "Count steps from 1, i from 0.")
    return int(number)


def _number(file: Path, place: str, name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        what = "there is no number" if value in ("", None) else f"`{value}` is no number"
        raise InputFileError(
            f"{file}, {place}, column {name}: {what}", "Write a number there; nan and inf are numbers."
        ) from None


def _gathered(file: Path, rows: list[_Row], observe: str, coordinates: bool) -> Record:
    """Sort the numbers into arrays; every tensor has every coordinate at every step."""
    names = list(dict.fromkeys(row.tensor for row in rows))
    gradients, observed, starts = [], [], list[Array | None]()
    for name in names:
        mine = [row for row in rows if row.tensor == name]
        of = f" of tensor {name}" if name else ""
        first, width = min(row.i for row in mine), 1 + max(row.i for row in mine) - min(row.i for row in mine)
        steps = max(row.step for row in mine)
        if steps == 0:
            raise InputFileError(f"{file}: there is no step 1{of}", "Count steps from 1.")
        g, x = np.full((steps + 1, width), math.nan), np.full((steps + 1, width), math.nan)
        seen: dict[tuple[int, int], str] = {}
        for row in mine:
            key = (row.step, row.i - first)
            if key in seen:
                raise InputFileError(
                    f"{file}, {row.place}: step {row.step}, i {row.i}{of} was there already, in {seen[key]}",
                    "Write each number once.",
                )
            seen[key] = row.place
            g[key], x[key] = row.g, row.x
        _check_whole(file, of, seen, steps, width, first)
        part: Any = slice(None) if coordinates else 0
        gradients.append(g[1:, part])
        observed.append(x[1:, part])
        starts.append(np.asarray(x[0, part]) if (0, 0) in seen else None)
    if len({len(g) for g in gradients}) > 1:
        counts = ", ".join(f"{name}: {len(g)}" for name, g in zip(names, gradients, strict=True))
        raise InputFileError(
            f"{file}: tensors with different numbers of steps ({counts})", "Write all to the same step."
        )
    known = [start for start in starts if start is not None]
    start = known if len(known) == len(names) else None
    return Record(str(file), gradients, observed, observe, start, {}, tuple(names))


def _check_whole(file: Path, of: str, seen: Mapping[tuple[int, int], str], steps: int, width: int, first: int) -> None:
    for step in range(0 if any(key[0] == 0 for key in seen) else 1, steps + 1):
        for i in range(width):
            if (step, i) not in seen:
                raise InputFileError(
                    f"{file}: step {step}, i {i + first}{of} is missing", "Write every number of every step."
                )


def _from_npz(file: Path, observe: str) -> Record:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except ValueError as error:
        raise InputFileError(f"{file} is no npz file of plain numbers: {error}", "Write it again.") from None
    return _from_arrays(file, arrays, {}, None, observe)


def _from_netcdf(file: Path, observe: str) -> Record:
    xr = importlib.import_module("xarray")
    try:
        with xr.open_dataset(file, engine="h5netcdf") as opened:
            ds = opened.load()
    except (OSError, ValueError) as error:
        raise InputFileError(f"{file} is no netCDF file: {error}", "Write it again.") from None
    arrays = {str(name): np.asarray(v.transpose("step", ...) if "step" in v.dims else v) for name, v in ds.items()}
    knobs = _told(ds.attrs.get("knobs", "{}"))
    start = _told(ds.attrs.get("start", "null"))
    return _from_arrays(file, arrays, knobs if isinstance(knobs, dict) else {}, start, observe)


def _told(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def _from_arrays(
    file: Path, arrays: Mapping[str, Array], knobs: Mapping[str, float], start: Any, observe: str
) -> Record:
    names = [name.removeprefix("g").removeprefix(".") for name in arrays if name == "g" or name.startswith("g.")]
    if not names:
        raise InputFileError(f"{file} has no array `g`", "Write g and x, with the steps first.")
    gradients = [np.asarray(array, np.float64) for array in _of(file, arrays, "g", names)]
    plain = [name for name in arrays if name.partition(".")[0] not in ("g", "start") and np.ndim(arrays[name])]
    observe = _observed(file, dict.fromkeys(name.partition(".")[0] for name in plain), observe)
    observed = [np.asarray(array, np.float64) for array in _of(file, arrays, observe, names)]
    for name, g, x in zip(names, gradients, observed, strict=True):
        if g.shape != x.shape:
            of = f" of {name}" if name else ""
            raise InputFileError(
                f"{file}: g{of} has the shape {g.shape} and {observe} the shape {x.shape}", "Give both one shape."
            )
    found = {name: float(value) for name, value in knobs.items() if isinstance(value, int | float)}
    found.update(
        {
            name: float(array)
            for name, array in arrays.items()
            if not np.ndim(array) and name.partition(".")[0] != "start"
        }
    )
    starts = _starts(file, arrays, names, gradients, start)
    return Record(str(file), gradients, observed, observe, starts, found, tuple(names))


def _of(file: Path, arrays: Mapping[str, Array], variable: str, names: Iterable[str]) -> Iterator[Array]:
    for name in names:
        full = f"{variable}.{name}" if name else variable
        if full not in arrays:
            raise InputFileError(
                f"{file} has no array `{full}`", "Write g and x, or g.NAME and x.NAME for each tensor."
            )
        yield arrays[full]


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


_READERS: dict[str, Callable[[Path, str], Record]] = {
    ".csv": _from_text,
    ".tsv": _from_text,
    ".parquet": _from_parquet,
    ".nc": _from_netcdf,
    ".npz": _from_npz,
}
