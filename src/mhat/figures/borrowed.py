"""Axes of the user's that a trace is drawn into: one a panel; nothing else of their figure is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mhat.errors import BadValue
from mhat.figures import canvas, finals, legends, stacks, terrain
from mhat.figures.finals import Final
from mhat.figures.looks import Style, look_in
from mhat.figures.runs import Run, chosen, landscape_in
from mhat.landscapes import Landscape


def draw(
    runs: tuple[Run, ...], names: Sequence[str] | None, ends: Sequence[Final], ax: Any, style: Style | None
) -> Figure:
    """Draw into one axes or an array of them; `names` are those asked for, None for all there is to see.

    On a landscape one axes takes the map, two the map and the height; `ends` take one for each variable and run. Raises
    BadValue if axes and panels do not match.
    """
    given = axes_in(ax)
    landscape = landscape_in(runs)
    with look_in(given[0], style).in_force():
        if ends:
            _draw_ends(runs, ends, given)
        elif names is None and landscape is not None and all(terrain.can_be_drawn(run.ds, landscape) for run in runs):
            _draw_map(runs, landscape, given)
        else:
            _draw_panels(runs, chosen(runs, names), landscape, given)
    return whole_of(given[0])


def _draw_ends(runs: Sequence[Run], ends: Sequence[Final], given: Sequence[Axes]) -> None:
    """Draw heat maps, or curves if it is one knob that is swept."""
    is_curve = len(ends[0].knobs) == 1
    rows = [1 if is_curve else len(final.runs) for final in ends]
    _check_count(given, sum(rows), sum(rows), [final.name for final in ends])
    if is_curve:
        finals.draw_curves(ends, given, runs)
        legends.inside(given[0], [entry for strip in stacks.run_strips(runs) for entry in strip.handles])
        return
    starts = [sum(rows[:i]) for i in range(len(rows))]
    places = [given[start : start + count] for start, count in zip(starts, rows, strict=True)]
    finals.draw_maps(whole_of(given[0]), ends, places)


def whole_of(axes: Axes) -> Figure:
    """Give the figure that axes stand in."""
    figure = canvas.figure_of(axes)
    assert figure is not None, "axes_in has looked"
    return figure


def refuse_size(size: Any, dpi: Any) -> None:
    """Refuse what only a figure of our own can be given."""
    if size is not None or dpi is not None:
        raise BadValue(
            "`size` and `dpi` are the figure's, and with `ax` the figure is yours", "Set them on your figure."
        )


def axes_in(ax: Any) -> list[Axes]:
    """Give the axes in what the user handed over; raises BadValue if it is none."""
    given = list(np.asarray(ax, dtype=object).ravel()) if not isinstance(ax, Axes) else [ax]
    wrong = next((each for each in given if not isinstance(each, Axes)), None)
    if wrong is not None or not given:
        shown = f"a {type(wrong).__name__}" if given else "empty"
        raise BadValue(
            f"`ax` is {shown}, and no axes of matplotlib", "Make them: fig, ax = plt.subplots(); mhat.plot(ds, ax=ax)."
        )
    if any(canvas.figure_of(axes) is None for axes in given):
        raise BadValue("`ax` has been removed from its figure", "Give axes that stand in a figure.")
    return given


def _draw_map(runs: tuple[Run, ...], landscape: Landscape, given: Sequence[Axes]) -> None:
    if len(given) > 2:
        raise BadValue(
            f"a landscape has two panels, the map and the height, and `ax` holds {len(given)} axes",
            "Give one axes for the map, two for both, or choose variables: variables=['x'].",
        )
    paths = terrain.paths_of(runs)
    terrain.draw_map(given[0], landscape, paths.each, terrain.window_of(landscape, paths.each))
    legends.inside(given[0], [*stacks.worded(paths.keys), *terrain.signs(given[0])])
    if len(given) == 2:
        terrain.draw_profile(given[1], landscape, paths.each)


def _draw_panels(
    runs: tuple[Run, ...], names: Sequence[str], landscape: Landscape | None, given: Sequence[Axes]
) -> None:
    stack = stacks.stack_of(runs, names)
    columns = len(stack.family.columns)
    needed = len(stack.panels) * columns
    cure = ""
    if len(stack.panels) == 1 and columns > 1:
        dims = ", ".join(stack.family.columns[0].selection)
        cure = f"There is a panel for each value of {dims}: choose one, ds.isel(...), or give as many axes as panels"
        if landscape is not None and len(given) <= 2 and all(terrain.can_be_drawn(run.ds, landscape) for run in runs):
            cure = "Leave `variables` out, and the paths are drawn on a map, or give as many axes as panels"
    shape = f"{len(stack.panels)}, {columns}" if columns > 1 else needed
    _check_count(given, needed, shape, names, cure)
    rows = [list(given[i : i + columns]) for i in range(0, needed, columns)]
    stacks.draw(stack, rows, stacks.minima(landscape), own=False)


def _check_count(given: Sequence[Axes], needed: int, shape: object, names: Sequence[str], cure: str = "") -> None:
    """Refuse axes that are not as many as the panels; the usual cure is to choose one of the variables."""
    if needed == len(given):
        return
    panels = "is 1 panel" if needed == 1 else f"are {needed} panels"
    single = "ratio" if "ratio" in names else names[-1] if names else "x"
    usual = f'Choose a variable: mhat.plot(ds, variables="{single}", ax=ax), or give as many axes as panels'
    raise BadValue(
        f"there {panels} to draw, and `ax` holds {len(given)} axes",
        f"{cure or usual}: fig, ax = plt.subplots({shape}, sharex=True).",
    )
