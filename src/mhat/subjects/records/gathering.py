"""The numbers of a table sorted into arrays: by tensor, step and coordinate. It knows no name of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.errors import InputFileError
from mhat.inputs.tables import Table
from mhat.subjects.records.record import Record
from mhat.subjects.subject import Array


@dataclass(frozen=True)
class Numbers:
    """The numbers of a table, a row each: where they belong, the gradient, and what was observed."""

    table: Table
    step: Array
    i: Array
    g: Array
    x: Array
    g_half: Array
    x_half: Array


def gathered(numbers: Numbers, tensors: list[str], observe: str, *, coordinates: bool) -> Record:
    """Sort the numbers into arrays; every tensor has every coordinate at every step."""
    file = numbers.table.file
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(tensors):
        rows.setdefault(name, []).append(row)
    gradients, observed, g_halves, x_halves, starts = [], [], [], [], list[Array | None]()
    for name, mine in rows.items():
        of = f" of tensor {name}" if name else ""
        (g, x, g_half, x_half), has_start = _tensor(numbers, mine, of)
        part: Any = slice(None) if coordinates else 0
        after = slice(1 if has_start else 0, None)
        gradients.append(g[after, part])
        observed.append(x[after, part])
        g_halves.append(g_half[after, part])
        x_halves.append(x_half[after, part])
        starts.append(np.asarray(x[0, part]) if has_start else None)
    if len({len(g) for g in gradients}) > 1:
        counts = ", ".join(f"{name}: {len(g)}" for name, g in zip(rows, gradients, strict=True))
        raise InputFileError(
            f"{file}: tensors with different numbers of steps ({counts})", "Write all to the same step."
        )
    known = [start for start in starts if start is not None]
    start = known if len(known) == len(rows) else None
    return Record(str(file), gradients, observed, observe, start, {}, tuple(rows), g_halves=g_halves, x_halves=x_halves)


def _tensor(numbers: Numbers, rows: list[int], of: str) -> tuple[list[Array], bool]:
    """Give gradients, what was observed, and the halves of both (steps, width), with step 0 where there is one."""
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
    columns = (numbers.g, numbers.x, numbers.g_half, numbers.x_half)
    return [array[order].reshape(last + 1 - begin, high + 1 - low) for array in columns], begin == 0
