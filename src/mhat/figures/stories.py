"""A grid of traces that tells a story: one variable, a row a stream, a column a rule. It knows no rule."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mhat.errors import BadValue, UnknownName
from mhat.figures import curves, inks, scales, stacks
from mhat.figures.canvas import Picture, fitted, frame
from mhat.figures.looks import Look, Style, look_of
from mhat.figures.numerals import rounded
from mhat.figures.panels import Shown
from mhat.figures.remarks import remark
from mhat.figures.scales import Scale

Array = NDArray[np.floating[Any]]

# What the words at the end of a line take of a panel.
WORDS_WIDTH, WORDS_HEIGHT = 0.56, 0.11


def story(
    grid: Sequence[Sequence[xr.Dataset]],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    variable: str = "ratio",
    *,
    reference: float | None = 1.0,
    title: str = "",
    caption: str = "",
    style: Style | None = None,
    size: Any = None,
    dpi: Any = None,
) -> Picture:
    """Draw one variable of a grid of traces, with the value it ends at.

    `grid`: rows of traces; a row is a stream and a column a rule. A row shares its axis, but for traces whose
    values vanish or explode: they have a logarithmic one. `reference`: where a line is drawn to compare with. `style`,
    `size`, `dpi` as for `plot`.

    Raises UnknownName if a trace has no such variable, BadValue if the grid is ragged or titles are missing.
    """
    _check(grid, row_titles, column_titles, variable)
    titles = (row_titles, column_titles)
    return fitted(
        look_of(style, size, dpi), lambda look: _drawn(grid, titles, variable, reference, (title, caption), look)
    )


def _drawn(
    grid: Sequence[Sequence[xr.Dataset]],
    titles: tuple[Sequence[str], Sequence[str]],
    variable: str,
    reference: float | None,
    words: tuple[str, str],
    look: Look,
) -> Picture:
    """Draw a story: `titles` of rows and of columns, and as `words` its title and its caption."""
    rows, columns = len(grid), len(grid[0])
    row_titles, column_titles = titles
    figure = Picture(look, 1.2 + 3.5 * columns, 0.9 + 2.15 * rows)
    colours = inks.distinct()
    places = figure.subplots(rows, columns, sharex="col", squeeze=False)
    lines = [[_line(ds, variable) for ds in row] for row in grid]
    for row, (datasets, row_lines) in enumerate(zip(grid, lines, strict=True)):
        for column, scale in enumerate(_scales(row_lines, reference)):
            axes = places[row, column]
            steps = np.asarray(datasets[column]["step"], dtype=np.float64)
            _draw(axes, steps, row_lines[column], scale, reference, colours[column % len(colours)])
            if column == 0:
                symbol = Shown(variable).label
                axes.set_ylabel(f"{_broken(row_titles[row], 28)}\n{symbol}")
            if row == 0:
                axes.set_title(_broken(column_titles[column], 34), fontweight="bold")
            if scale.kind == "magnitude":
                remark(axes, "without the sign")
            if row == rows - 1:
                stacks.label_steps(axes, steps)
    frame(figure, words[0], [words[1]])
    figure.align_ylabels()
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
        axes.axhline(
            reference, color=inks.ink(), linewidth=inks.width(0.5), linestyle=(0, (4, 3)), zorder=2.5, gid="reference"
        )
    curves.draw_line(axes, steps, scale.shown(line), color=colour, linewidth=inks.width(1.1), zorder=2, label="_line")
    if line.size:
        _say_the_end(axes, steps, line, scale, colour)


def _say_the_end(axes: Axes, steps: Array, line: Array, scale: Scale, colour: str) -> None:
    """Write the last value where it hides nothing, as near to the end of the line as can be."""
    shown = scale.shown(line)
    end = 0.5
    if np.isfinite(shown[-1]):
        axes.plot(
            steps[-1:], shown[-1:], "o", color=colour, markersize=inks.mark(0.83), zorder=3, clip_on=False, gid="end"
        )
        end = float(_shares(axes, shown[-1:])[0])
    places = (steps - steps[0]) / max(float(steps[-1] - steps[0]), 1.0)
    right, low = min(_free_places(places, _shares(axes, shown)), key=lambda place: _distance(place, end))
    axes.text(
        right, low + WORDS_HEIGHT / 2, f"{rounded(float(line[-1]))} at step {int(steps[-1]):,}", ha="right",
        va="center", transform=axes.transAxes, fontsize=inks.font(10 / 11), color=inks.ink(), gid="end value", zorder=5,
    )  # fmt: skip


def _free_places(places: Array, shares: Array) -> list[tuple[float, float]]:
    """List where words hide nothing of a line: their right end and lower edge, as shares of the panel."""
    found = []
    for right in (0.98, 0.86, 0.76):
        beside = shares[(places > right - WORDS_WIDTH) & (places < right + 0.02) & np.isfinite(shares)]
        for low in np.arange(0.02, 0.98 - WORDS_HEIGHT, 0.03).tolist():
            if not ((beside > low) & (beside < low + WORDS_HEIGHT)).any():
                found.append((right, low))
    return found or [(0.98, 0.02)]


def _distance(place: tuple[float, float], end: float) -> float:
    right, low = place
    return abs(low + WORDS_HEIGHT / 2 - end) + 0.8 * (0.98 - right)


def _shares(axes: Axes, heights: Array) -> Array:
    """Turn values into shares of the height of a panel."""
    scaled = axes.yaxis.get_transform().transform(heights)
    low, high = axes.yaxis.get_transform().transform(np.asarray(axes.get_ylim()))
    return np.asarray((scaled - low) / (high - low))


def _broken(text: str, width: int) -> str:
    """Break a sentence between words into lines of about equal length."""
    count = -(-len(text) // width)
    return "\n".join(textwrap.wrap(text, -(-len(text) // max(count, 1)) + 4, break_long_words=False))
