"""`plot`: the picture of a trace, whatever it ran on. It knows no engine."""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib as mpl
import xarray as xr

from mhat.errors import MhatError, UnknownName
from mhat.figures import stacks, terrain
from mhat.figures.canvas import LOOK, Picture, blank, frame, remark
from mhat.figures.wording import paper_of, title_of
from mhat.landscapes import Landscape
from mhat.traces.schema import landscape_of


def plot(ds: xr.Dataset, variables: str | Iterable[str] | None = None) -> Picture:
    """Draw a trace: variables grouped by unit, a sweep as a family, a landscape as contours with the path.

    `variables`: the names to draw (all; on a landscape of two coordinates the path and the height alone).
    The Figure shows itself in a notebook and needs no screen. Raises UnknownName for a variable that the trace
    does not have.
    """
    names = chosen(ds, variables)
    landscape = _landscape(ds)
    with mpl.rc_context(LOOK):
        if landscape is not None and terrain.can_be_drawn(ds, landscape):
            return terrain.draw(ds, landscape, names if variables is not None else [])
        return _over_the_steps(ds, names, landscape)


def chosen(ds: xr.Dataset, variables: str | Iterable[str] | None) -> list[str]:
    """Give the names of the variables to draw, in the order of the trace; raises UnknownName."""
    known = [str(name) for name in ds.data_vars if "step" in ds[name].dims]
    if variables is None:
        return known
    wanted = [variables] if isinstance(variables, str) else list(variables)
    for name in wanted:
        if name not in known:
            raise UnknownName("variable of the trace", str(name), known)
    return [name for name in known if name in wanted]


def _landscape(ds: xr.Dataset) -> Landscape | None:
    """Find the landscape, if it is still one of the library: without it the variables can be drawn all the same."""
    try:
        return landscape_of(ds)
    except MhatError:
        return None


def _over_the_steps(ds: xr.Dataset, names: list[str], landscape: Landscape | None) -> Picture:
    stack = stacks.stack_of(ds, names)
    count, columns = max(len(stack.panels), 1), len(stack.family.columns)
    figure = blank(9.5 if columns == 1 else min(4.0 + 3.2 * columns, 14.0), 1.2 + max(1.7 * count, 2.6))
    grid = figure.subplots(count, columns, sharex=True, squeeze=False)
    rows = [list(row) for row in grid]
    marks = [] if landscape is None or landscape.dimensions != 1 else [point[0] for point in landscape.minimum]
    stacks.draw(stack, rows[: len(stack.panels)], marks)
    if not stack.panels:
        remark(rows[0][0], "no variable is chosen")
    strips = stacks.legends(figure, stack, [axes for row in rows for axes in row])
    frame(figure, title_of(ds), [*stack.family.notes, paper_of(ds)], strips)
    return figure
