"""The matrices that show a deviation, in columns. It knows no dress and checks nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mhat.checks.findings import Deviation, Matrices, Matrix
from mhat.writing.passages import Grid

# Of more steps the first and the last are shown.
MOST = 4


def named(matrices: Matrices) -> str:
    """Say by how many matrices of which shape it is shown."""
    steps, (rows, columns) = len(matrices.gradients), (len(matrices.start), len(matrices.start[0]))
    shape = f"of {rows} {'row' if rows == 1 else 'rows'} and {columns} {'column' if columns == 1 else 'columns'}"
    return f"this gradient {shape}" if steps == 1 else f"these {steps} gradients {shape}"


def grid_of(deviation: Deviation, subject: str, rule: str) -> Grid:
    """Set step, gradient, and what subject and rule make of it, beside each other, a line a row."""
    matrices = deviation.matrices
    assert matrices is not None
    columns = [matrices.gradients, matrices.got, matrices.expected]
    steps = list(range(len(matrices.gradients)))
    shown = steps if len(steps) <= MOST else [*steps[:2], *steps[-2:]]
    texts = [_texts([column[step] for step in shown]) for column in columns]
    rows = list(_start(matrices))
    for i, step in enumerate(shown):
        rows += [("...", "", "", "")] if i and step != shown[i - 1] + 1 else []
        rows += [(str(step + 1) if r == 0 else "", *(text[i][r] for text in texts)) for r in range(len(matrices.start))]
    # The folders of a file would take the room of the numbers.
    names = [re.sub(r"^.*[/\\]", "", name) for name in (subject, rule)]
    return Grid(("step", "gradient", *names), tuple(rows))


def _start(matrices: Matrices) -> Iterator[tuple[str, ...]]:
    """Give the rows of x where it does not begin at 0."""
    if any(value for row in matrices.start for value in row):
        for r, text in enumerate(_texts([matrices.start])[0]):
            yield ("x =" if r == 0 else "", text, "", "")


def _texts(matrices: Sequence[Matrix]) -> list[list[str]]:
    """Write matrices in brackets, the entries below one another."""
    written = [[[f"{value:.4g}" for value in row] for row in matrix] for matrix in matrices]
    width = max(len(text) for matrix in written for row in matrix for text in row)
    return [[f"[{'  '.join(text.rjust(width) for text in row)}]" for row in matrix] for matrix in written]
