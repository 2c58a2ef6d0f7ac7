"""Tables with a row a step: text and parquet. They know columns and lines, and no stream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat.errors import InputFileError, UnknownName
from mhat.extras import extra

Read = tuple[NDArray[np.float64], tuple[str, ...]]
_INDEX = ("step", "", "__index_level_0__")  # the last two are what pandas calls a nameless index


@dataclass(frozen=True)
class _Row:
    line: int
    fields: list[str]


def read_text(file: Path, column: str | None) -> Read:
    """Read a table of numbers; header, step column and comments are recognised."""
    rows = _rows(file)
    if not rows:
        raise InputFileError(f"{file} holds no gradients, only comments or blank lines", "Give one row a step.")
    names = rows[0].fields if _is_header(rows[0]) else None
    body = rows[1:] if names else rows
    if not body:
        raise InputFileError(f"{file} has a header and no gradients", "Give one row a step.")
    _check_ragged(file, rows)
    width = len(rows[0].fields)
    index, chosen = _choose(file, names or [str(place) for place in range(1, width + 1)], column)
    if index is not None:
        _check_order(file, [_number(file, row, index, names) for row in body], [f"line {row.line}" for row in body])
    return _shaped([[_number(file, row, place, names) for row in body] for place in chosen])


def read_parquet(file: Path, column: str | None) -> Read:
    """Read a table of numbers from parquet; a null is nan."""
    parquet = extra("pyarrow.parquet", "arrow")
    try:
        table = parquet.ParquetFile(file).read()
    except (ValueError, OSError) as error:
        raise InputFileError(f"{file} is no parquet file: {error}", "Write it again.") from error
    names = list(table.column_names)
    index, chosen = _choose(file, names, column)

    def numbers(place: int) -> NDArray[np.float64]:
        values = table.column(place).to_numpy()
        if values.dtype.kind not in "biuf":
            kind = table.schema.field(place).type
            raise InputFileError(
                f"{file}, column `{names[place]}` holds no numbers but {kind}",
                f"Choose another: {file}:column=NAME, with one of {', '.join(names)}.",
            )
        return np.asarray(values, np.float64)

    if index is not None:
        places = [f"row {row}" for row in range(1, table.num_rows + 1)]
        _check_order(file, list(numbers(index)), places)
    return _shaped([numbers(place) for place in chosen])


def _rows(file: Path) -> list[_Row]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputFileError(f"{file} is no text: {error}", "Save it as text in UTF-8.") from error
    kept = [(number, line.partition("#")[0].strip(" \r\n")) for number, line in enumerate(lines, start=1)]
    kept = [(number, line) for number, line in kept if line.strip()]
    separator = _separator(file, kept[0][1]) if kept else None
    return [_Row(number, [part.strip().strip('"') for part in line.split(separator)]) for number, line in kept]


def _separator(file: Path, line: str) -> str | None:
    found = [mark for mark in (";", "\t", ",") if mark in line]
    if found:
        return found[0]
    return None if file.suffix.lower() == ".txt" else ","  # None: any white space, as numpy.savetxt writes


def _is_header(row: _Row) -> bool:
    named = [field for field in row.fields if field]
    return bool(named) and all((field[0].isalpha() or field[0] == "_") and not _is_number(field) for field in named)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_ragged(file: Path, rows: list[_Row]) -> None:
    width = len(rows[0].fields)
    for row in rows:
        if len(row.fields) != width:
            raise InputFileError(
                f"{file}, line {row.line}: {_columns(len(row.fields))}, where line {rows[0].line} has {width}",
                "Give every line the same number of columns; write nan where there is no number.",
            )


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _number(file: Path, row: _Row, place: int, names: list[str] | None) -> float:
    text = row.fields[place]
    try:
        return float(text)
    except ValueError:
        where = f"{file}, line {row.line}, column {names[place] if names and names[place] else place + 1}"
        what = f"`{text}` is no number" if text else "there is no number"
        raise InputFileError(f"{where}: {what}", "Write a number there; nan and inf are numbers.") from None


def _choose(file: Path, names: list[str], column: str | None) -> tuple[int | None, list[int]]:
    """Return the places of the step column, if there is one, and of the gradients."""
    index = next((place for place, name in enumerate(names) if name.lower() in _INDEX), None)
    rest = [place for place in range(len(names)) if place != index]
    if column is not None:
        return index, [_place(file, names, column)]
    if not rest:
        raise InputFileError(f"{file} has no column but `{names[0]}`", "Add a column with the gradients.")
    if "g" in names:
        return index, [names.index("g")]
    return index, rest


def _place(file: Path, names: list[str], column: str) -> int:
    if column in names:
        return names.index(column)
    if column.isdecimal() and 1 <= int(column) <= len(names):
        return int(column) - 1
    raise UnknownName(f"column of {file}", column, names)


def _check_order(file: Path, steps: list[float], places: list[str]) -> None:
    for before, after, place in zip(steps[:-1], steps[1:], places[1:], strict=True):
        if not before < after:
            raise InputFileError(
                f"{file}, {place}: step {after:g} after step {before:g}",
                "Give one row a step, in order; gradients of several dimensions are read from .nc or .npy.",
            )


def _shaped(columns: list[Any]) -> Read:
    values = np.array(columns, np.float64)
    return (values[0], ("step",)) if len(columns) == 1 else (np.ascontiguousarray(values.T), ("step", "i"))
