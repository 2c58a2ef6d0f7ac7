"""Tables: rows and named columns, as text (csv, tsv, txt) or parquet. They know lines, and not what a column is for.

In text a header is recognised, `#` starts a comment, blank lines are passed over, and columns are parted by `;`, tabs
or commas, in .txt by white space too.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhat.errors import InputFileError, UnknownName
from mhat.extras import extra
from mhat.inputs.files import line_of, reading
from mhat.inputs.sizes import check_room
from mhat.notation import cut

# What pandas calls a nameless index; the others count the steps.
INDEX = ("step", "", "__index_level_0__")
SEPARATORS = (";", "\t", ",")
# Bytes that a byte of text takes while it is taken apart.
TEXT_GROWS = 30
SMALLER = "Save it as .npy or .zarr, of which a part can be read."


@dataclass(frozen=True)
class Table:
    """The cells of a table by column, and where each row stands: `line 3` of a text, `row 2` of a parquet file.

    Cells are texts as they are written, or an array of the type that `kinds` tells.
    """

    file: Path
    names: tuple[str, ...]
    has_header: bool
    columns: tuple[Sequence[Any], ...]
    places: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    nulls: Mapping[int, NDArray[np.bool_]] = field(default_factory=dict)

    def place(self, name: str) -> int:
        """Find a column by its name, or by its number from 1; raises UnknownName, InputFileError."""
        if self.names.count(name) > 1:
            raise InputFileError(f"{self.file} has two columns `{name}`", "Give each a name of its own.")
        if name in self.names:
            return self.names.index(name)
        if name.isdecimal() and 1 <= int(name) <= len(self.names):
            return int(name) - 1
        raise UnknownName(f"column of {self.file}", cut(name), self.names)

    @property
    def indexes(self) -> list[int]:
        """The columns that count the rows, whatever the size of their letters: `step` first, then nameless ones."""
        lower = [name.lower() for name in self.names]
        return [place for name in INDEX for place, each in enumerate(lower) if each == name]

    def missing(self, place: int) -> NDArray[np.bool_]:
        """Tell which cells of a column are empty."""
        cells = self.columns[place]
        if isinstance(cells, np.ndarray):
            return self.nulls.get(place, np.zeros(len(cells), np.bool_))
        return np.array([not cell for cell in cells], np.bool_)

    def numbers(self, place: int, *, gaps: bool = False) -> NDArray[np.float64]:
        """Give a column of numbers, nan for an empty cell if there may be `gaps`.

        Raises InputFileError, which names the line.
        """
        cells = self.columns[place]
        if isinstance(cells, np.ndarray):
            return self._stored(place, cells)
        cells = [cell or "nan" for cell in cells] if gaps else cells
        try:
            return np.array([float(cell) for cell in cells], dtype=np.float64)
        except ValueError:
            row = next(row for row, cell in enumerate(cells) if not is_number(cell))
        raise self.no_number(row, place)

    def no_number(self, row: int, place: int) -> InputFileError:
        """Say that there is no number where one should be."""
        cell = self.columns[place][row]
        what = "there is no number" if self.missing(place)[row] else f"`{cut(str(cell))}` is no number"
        where = f"{self.file}, {self.places[row]}, column {self._called(place)}"
        return InputFileError(f"{where}: {what}", "Write a number there; nan and inf are numbers.")

    def _stored(self, place: int, cells: NDArray[Any]) -> NDArray[np.float64]:
        if cells.dtype.kind not in "biuf":
            raise InputFileError(
                f"{self.file}, column `{self.names[place]}` holds no numbers but {self.kinds[place]}",
                f"Choose another: {self.file}:column=NAME, with one of {', '.join(self.names)}.",
            )
        return np.asarray(cells, np.float64)

    def _called(self, place: int) -> str:
        return cut(self.names[place]) if self.has_header and self.names[place] else str(place + 1)


def read_table(file: Path) -> Table:
    """Read a table; raises InputFileError, MissingExtra."""
    return READERS[file.suffix.lower()](file)


def is_number(cell: str) -> bool:
    """Whether a cell holds a number; nan and inf are."""
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


@dataclass(frozen=True)
class _Row:
    line: int
    fields: list[str]


def _read_text(file: Path) -> Table:
    check_room(file, TEXT_GROWS * file.stat().st_size, SMALLER, " as text")
    with reading(file, "Check the file."):
        rows = _rows(file)
    if not rows:
        raise InputFileError(f"{file} holds only comments or blank lines", "Give one row a step.")
    first = rows[0].fields
    names = first if _is_header(rows[0]) else None
    body = rows[1:] if names else rows
    if not body:
        raise InputFileError(f"{file} has a header and no rows", "Give one row a step.")
    for row in rows:
        if len(row.fields) != len(first):
            raise InputFileError(
                f"{file}, line {row.line}: {_columns(len(row.fields))}, where line {rows[0].line} has {len(first)}",
                "Give every line the same number of columns; write nan where there is no number.",
            )
    return Table(
        file,
        tuple(names or (str(place) for place in range(1, len(first) + 1))),
        names is not None,
        tuple(zip(*(row.fields for row in body), strict=True)),
        tuple(f"line {row.line}" for row in body),
    )


def _rows(file: Path) -> list[_Row]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{file} is no text: {line_of(error)}", "Save it as text in UTF-8.") from error
    rows: list[_Row] = []
    separator: str | None = None
    # Not `splitlines`, for which a form feed in a line would end it.
    for number, line in enumerate(text.split("\n"), start=1):
        body = _without_comment(line).strip(" \r")
        if not body.strip():
            continue
        if not rows:
            separator = _separator(file, body)
        rows.append(_Row(number, _fields(file, number, body, separator)))
    return rows


def _without_comment(line: str) -> str:
    """Cut a comment off; a `#` between quotes starts none."""
    at = line.find("#")
    while at >= 0 and line.count('"', 0, at) % 2:
        at = line.find("#", at + 1)
    return line if at < 0 else line[:at]


def _separator(file: Path, line: str) -> str | None:
    found = [mark for mark in SEPARATORS if mark in line]
    if found:
        return found[0]
    return None if file.suffix.lower() == ".txt" else ","  # None: any white space, as numpy.savetxt writes


def _fields(file: Path, number: int, line: str, separator: str | None) -> list[str]:
    if separator is None or '"' not in line:
        return [part.strip().strip('"') for part in line.split(separator)]
    try:
        return [part.strip() for part in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    except csv.Error as error:
        raise InputFileError(f"{file}, line {number}: {line_of(error)}", "Write numbers there.") from None


def _is_header(row: _Row) -> bool:
    named = [field for field in row.fields if field]
    return bool(named) and all((field[0].isalpha() or field[0] == "_") and not is_number(field) for field in named)


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _read_parquet(file: Path) -> Table:
    parquet = extra("pyarrow.parquet", "arrow")
    with reading(file, "Write it again.", "is no parquet file"):
        with parquet.ParquetFile(file) as opened:
            about = opened.metadata
            check_room(file, 8 * about.num_rows * about.num_columns, SMALLER)
            table = opened.read()
        given = [table.column(place) for place in range(table.num_columns)]
        columns = tuple(each.to_numpy() for each in given)
        if not len(columns) or not table.num_rows:
            raise InputFileError(f"{file} holds no rows", "Give one row a step.")
        return Table(
            file,
            tuple(map(str, table.column_names)),
            True,
            columns,
            tuple(f"row {number}" for number in range(1, table.num_rows + 1)),
            tuple(str(each.type) for each in table.schema),
            {place: each.is_null().to_numpy() for place, each in enumerate(given) if each.null_count},
        )


READERS: Mapping[str, Callable[[Path], Table]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".txt": _read_text,
    ".parquet": _read_parquet,
}
ENDINGS = tuple(READERS)
