"""Gradients in a table: which columns they are, and that its rows are steps in order. It knows no format."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mhat.errors import InputFileError
from mhat.inputs.tables import Table, read_table
from mhat.notation.decimals import exact
from mhat.streams.stream import Stream


def read_columns(file: Path, column: str | None) -> Stream:
    """Read gradients from a table: the chosen column, `g`, or all but the steps. Raises InputFileError, UnknownName."""
    table = read_table(file)
    chosen = _chosen(table, column)
    if table.indexes:
        _check_order(table, table.numbers(table.indexes[0]))
    columns = [table.numbers(place) for place in chosen]
    if len(columns) == 1:
        return Stream(columns[0], ("step",))
    names = tuple(table.names[place] for place in chosen)
    # Names that are numbers of columns, or not told apart, are no labels.
    labels = {"i": names} if table.has_header and all(names) and len(set(names)) == len(names) else {}
    return Stream(np.ascontiguousarray(np.array(columns).T), ("step", "i"), labels=labels)


def _chosen(table: Table, column: str | None) -> list[int]:
    if column is not None:
        return [table.place(column)]
    rest = [place for place in range(len(table.names)) if place not in table.indexes]
    if not rest:
        raise InputFileError(
            f"{table.file} has no column but `{table.names[table.indexes[0]]}`", "Add a column with the gradients."
        )
    return [table.place("g")] if "g" in table.names else rest


def _check_order(table: Table, steps: NDArray[np.float64]) -> None:
    for row, (before, after) in enumerate(itertools.pairwise(steps.tolist()), start=1):
        if not before < after:
            raise InputFileError(
                f"{table.file}, {table.places[row]}: step {exact(after)} after step {exact(before)}",
                "Give one row a step, in order; gradients of several dimensions are read from .nc or .npy.",
            )
