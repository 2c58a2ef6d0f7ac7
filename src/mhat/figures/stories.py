"""A grid of traces that tells a story: one variable, a row a stream, a column a rule. It knows no rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mhat.errors import BadValue, UnknownName
from mhat.figures import curves, scales, stacks
from mhat.figures.canvas import INK, LABEL, LOOK, QUIET, SMALL, Picture, blank, frame
from mhat.figures.families import DISTINCT
from mhat.figures.panels import Shown
from mhat.figures.scales import Scale, number_text

Array = NDArray[np.floating[Any]]


def story(
    grid: Sequence[Sequence[xr.Dataset]],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    variable: str = "ratio",
    *,
    reference: float | None = 1.0,
    title: str = "",
    caption: str = "",
) -> Picture:
    """Draw one variable of a grid of traces, with the value it ends at.

    `grid`: rows of traces; a row is a stream and a column a rule. A row shares its axis, but for traces whose
    values vanish or explode: they have a logarithmic one. `reference`: where a line is drawn to compare with.

    Raises UnknownName if a trace has no such variable, BadValue if the grid is ragged or titles are missing.
    """
    _check(grid, row_titles, column_titles, variable)
    with mpl.rc_context(LOOK):
        rows, columns = len(grid), len(grid[0])
        figure = blank(1.2 + 3.5 * columns, 0.9 + 2.15 * rows)
        places = figure.subplots(rows, columns, sharex="col", squeeze=False)
        lines = [[_line(ds, variable) for ds in row] for row in grid]
        for row, (datasets, row_lines) in enumerate(zip(grid, lines, strict=True)):
            for column, scale in enumerate(_scales(row_lines, reference)):
                axes = places[row, column]
                steps = np.asarray(datasets[column]["step"], dtype=np.float64)
                _draw(axes, steps, row_lines[column], scale, reference, DISTINCT[column % len(DISTINCT)])
                if column == 0:
                    symbol = Shown(variable).label
                    axes.set_ylabel(f"{_broken(row_titles[row], 24)}\n{symbol}", fontsize=LABEL)
                if scale.kind == "magnitude":
                    axes.text(0.02, 0.04, "size, without the sign", transform=axes.transAxes, fontsize=SMALL, color=QUIET)
                if row == 0:
                    axes.set_title(_broken(column_titles[column], 34), loc="left", fontsize=LABEL, fontweight="bold")
                if row == rows - 1:
                    stacks.label_steps(axes, steps)
        frame(figure, title, [caption])
    return figure


def _check(
    grid: Sequence[Sequence[xr.Dataset]], row_titles: Sequence[str], column_titles: Sequence[str], variable: str
) -> None:
    if not grid or not grid[0] or any(len(row) != len(column_titles) for row in grid) or len(grid) != len(row_titles):
        shape = ", ".join(str(len(row)) for row in grid) or "none"
        raise BadValue(
            f"a story with rows of {shape} traces, {len(row_titles)} row titles and {len(column_titles)} column titles",
            "Give a title for each row and each column, and as many traces in every row.",
        )
    for row in grid:
        for ds in row:
            if variable not in ds:
                raise UnknownName("variable of the trace", variable, map(str, ds.data_vars))


def _line(ds: xr.Dataset, variable: str) -> Array:
    array = ds[variable]
    if array.size != array.sizes["step"]:
        raise BadValue(f"`{variable}` has the dimensions {array.dims}", "Select one line: ds.isel(...).")
    return np.asarray(array, dtype=np.float64).reshape(-1)


def _scales(lines: Sequence[Array], reference: float | None) -> list[Scale]:
    """Choose a scale for each trace of a row: the linear ones share theirs."""
    wanted = [] if reference is None else [reference]
    each = [scales.fitting([line], wanted) for line in lines]
    plain = [line for line, scale in zip(lines, each, strict=True) if scale.kind == "linear"]
    shared = scales.fitting(plain, [*wanted, 0.0]) if plain else Scale()
    return [shared if scale.kind == "linear" else scale for scale in each]


def _draw(axes: Axes, steps: Array, line: Array, scale: Scale, reference: float | None, colour: str) -> None:
    scales.apply(scale, axes)
    if reference is not None and (reference > 0 or not scale.logarithmic):
        axes.axhline(reference, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1, gid="reference")
    curves.draw_line(axes, steps, scale.shown(line), color=colour, linewidth=2.2, zorder=2, label="_line")
    if line.size:
        _say_the_end(axes, steps, line, scale, colour)


def _say_the_end(axes: Axes, steps: Array, line: Array, scale: Scale, colour: str) -> None:
    """Write the last value, inside the panel, on the side of it where there is room."""
    end = float(scale.shown(line[-1:])[0])
    low, high = axes.get_ylim()
    share = 0.5
    if np.isfinite(end):
        axes.plot(steps[-1:], [end], "o", color=colour, markersize=5, zorder=3, clip_on=False, label="_end")
        share = float(axes.transAxes.inverted().transform(axes.transData.transform((steps[-1], end)))[1])
    above = share < 0.5
    axes.annotate(
        f"{number_text(float(line[-1]))} at step {int(steps[-1]):,}",
        xy=(1.0, share), xycoords="axes fraction", xytext=(-4, 12 if above else -12), textcoords="offset points",
        ha="right", va="bottom" if above else "top", fontsize=10, color=INK, gid="end value", zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.0},
    )  # fmt: skip


def _broken(text: str, width: int) -> str:
    """Break a sentence into lines, between words."""
    lines, current = [], ""
    for word in text.split():
        if current and len(current) + 1 + len(word) > width:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}".strip()
    return "\n".join([*lines, current])
