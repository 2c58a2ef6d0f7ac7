"""Panels under each other over the steps, one a unit: the usual picture of a trace. It knows no landscape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mhat.figures import curves, scales
from mhat.figures.canvas import LABEL, QUIET, Strip, remark
from mhat.figures.families import (
    DISTINCT,
    GREY,
    MOST_NAMED,
    STYLES,
    Column,
    Family,
    Strand,
    arrange,
    band_steps,
    gradual,
    norm_of,
    strands,
)
from mhat.figures.panels import POSITIONS_HEADING, Panel, Shown, panels
from mhat.figures.scales import Scale
from mhat.figures.wording import count_of, rule_in

Array = NDArray[np.floating[Any]]

# More variables than this, each in several colours or as a band, are not told apart in one panel.
MOST_VARIED = 2
MEMBER_INK = "#404040"
BANDED_MEMBERS_WITH_BAND, BANDED_MEMBERS_WITH_PALE_BAND = 5, 1


@dataclass(frozen=True)
class Stack:
    """What is drawn of a trace: panels from top to bottom, columns from left to right."""

    ds: xr.Dataset
    panels: tuple[Panel, ...]
    family: Family

    @cached_property
    def steps(self) -> Array:
        """The step numbers."""
        return np.asarray(self.ds["step"], dtype=np.float64)

    @cached_property
    def broken(self) -> Array:
        """The steps whose gradient is not finite, in any coordinate."""
        if "g" not in self.ds:
            return np.empty(0)
        bad = ~np.isfinite(np.asarray(self.ds["g"].transpose("step", ...)))
        return self.steps[bad.reshape(len(bad), -1).any(axis=1)] if bad.size else np.empty(0)


def stack_of(ds: xr.Dataset, names: Sequence[str]) -> Stack:
    """Arrange variables of a trace."""
    rule = rule_in(ds)
    family = arrange(ds, names, rule.knobs if rule else ())
    negative = {name for name in names if bool((ds[name] < 0).any())}
    found = panels(rule.tree if rule else None, names, negative)
    return Stack(ds, tuple(part for panel in found for part in _split(ds, panel, family)), family)


def _split(ds: xr.Dataset, panel: Panel, family: Family) -> list[Panel]:
    """Give every variable a panel of its own if too many of them come in several colours or as bands."""
    fixed = {"step"} | {dim for column in family.columns for dim in column.selection}
    varied = [v for v in panel.variables if any(d not in fixed and n > 1 for d, n in ds[v.name].sizes.items())]
    if len(varied) <= MOST_VARIED:
        return [panel]
    return [replace(panel, variables=(variable,)) for variable in panel.variables]


@dataclass(frozen=True)
class _Drawn:
    """A variable in a panel: its strands by column, and its look."""

    shown: Shown
    columns: tuple[tuple[Strand, ...], ...]
    look: dict[str, Any]


def draw(stack: Stack, rows: Sequence[Sequence[Axes]], marks: Iterable[float] = ()) -> None:
    """Draw a stack into axes: a row a panel, a column a column. `marks` are known best places of the parameter."""
    for panel, row in zip(stack.panels, rows, strict=True):
        _draw_panel(stack, panel, row, list(marks) if panel.plural == POSITIONS_HEADING else [])
    for column, axes in zip(stack.family.columns, rows[0] if rows else (), strict=False):
        if column.title:
            axes.set_title(f"{column.title}\n{axes.get_title(loc='left')}", loc="left", fontsize=LABEL)
    for axes in rows[-1] if rows else ():
        label_steps(axes, stack.steps)


def label_steps(axes: Axes, steps: Array) -> None:
    """Give the lowest axes its step axis."""
    axes.set_xlabel("step $t$")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10]))
    if steps.size:
        margin = max(0.01 * (steps[-1] - steps[0]), 0.5 if steps.size == 1 else 0.0)
        axes.set_xlim(steps[0] - margin, steps[-1] + margin)


def _draw_panel(stack: Stack, panel: Panel, row: Sequence[Axes], marks: list[float]) -> None:
    drawn = _variables(stack, panel)
    lines = [line for each in drawn for column in each.columns for strand in column for line in _measured(strand)]
    scale = scales.fitting(lines, marks, places=panel.plural == POSITIONS_HEADING)
    for place, axes in enumerate(row):
        scales.apply(scale, axes)
        if scale.kind == "linear" and scale.low < 0 < scale.high:
            axes.axhline(0.0, color=QUIET, linewidth=0.8, zorder=0.5)
        for mark in marks:
            axes.axhline(mark, color=QUIET, linewidth=1.2, linestyle=(0, (2, 2)), zorder=0.6, gid="minimum")
        if marks:
            remark(axes, "dotted: the minimum")
        ends = [_draw_variable(axes, stack, each, each.columns[place], scale) for each in drawn]
        if place == len(row) - 1:
            _legend(axes, drawn, ends, scale)
        curves.draw_rug(axes, stack.broken)
    row[0].set_title(panel.heading, loc="left", fontsize=LABEL)
    row[0].set_ylabel(f"size, {panel.unit}" if scale.kind == "magnitude" else panel.unit, fontsize=10)
    _say_what_is_missing(row[0], stack, panel, lines, scale)


def _measured(strand: Strand) -> list[Array]:
    """Give the lines that an axis must hold: of a band not the median, which may be next to zero for no reason."""
    return list(curves.quantiles(strand.values)[[0, 1, 3, 4]]) if strand.spread else list(strand.values.T)


def _variables(stack: Stack, panel: Panel) -> list[_Drawn]:
    drawn: list[_Drawn] = []
    slot = 0
    thick = 2.4 if stack.steps.size <= 150 else 1.6 if stack.steps.size <= 1000 else 1.1
    backdrop = thick + 0.8 if stack.steps.size <= 100 else 0.8 * thick
    for shown in panel.variables:
        columns = tuple(_strands(stack, shown, column) for column in stack.family.columns)
        varied = any(strand.member is not None for strands_ in columns for strand in strands_)
        # The gradient is the backdrop that the averages are seen against.
        if shown.name == "g" and not varied and len(panel.variables) > 1:
            behind = {"color": GREY, "linestyle": "-", "linewidth": backdrop, "zorder": 1.5}
            drawn.append(_Drawn(shown, columns, behind))
            continue
        look = {
            "color": MEMBER_INK if varied else DISTINCT[slot % len(DISTINCT)],
            "linestyle": STYLES[slot % len(STYLES)],
            "linewidth": thick if not varied else min(thick, 1.7),
            "zorder": 2 + 0.1 * slot,
        }
        drawn.append(_Drawn(shown, columns, look))
        slot += 1
    return drawn


def _strands(stack: Stack, shown: Shown, column: Column) -> tuple[Strand, ...]:
    found = strands(stack.ds[shown.name], stack.family, column)
    if not shown.rooted:
        return tuple(found)
    with np.errstate(invalid="ignore"):
        return tuple(replace(strand, values=np.sqrt(strand.values)) for strand in found)


def _draw_variable(axes: Axes, stack: Stack, drawn: _Drawn, column: Iterable[Strand], scale: Scale) -> float:
    """Draw the strands of one variable; give the last height, by which the legend is ordered."""
    end = -np.inf
    column = list(column)
    banded = sum(strand.spread for strand in column)
    for strand in column:
        look = dict(drawn.look)
        if strand.member is not None:
            look["color"] = stack.family.colours[strand.member]
        label = f"_{drawn.shown.name}"
        if strand.spread:
            steps = stack.steps[band_steps(stack.steps.size)]
            spread = curves.quantiles(scale.shown(strand.values))
            if banded <= BANDED_MEMBERS_WITH_BAND:
                pale = banded <= BANDED_MEMBERS_WITH_PALE_BAND
                line = curves.draw_band(axes, steps, spread, pale=pale, label=label, **look)
            else:
                line = curves.draw_line(axes, steps, spread[2], label=label, **look)
        else:
            line = curves.draw_line(axes, stack.steps, scale.shown(strand.values[:, 0]), label=label, **look)
        heights = np.asarray(line.get_ydata(), dtype=np.float64)
        heights = heights[np.isfinite(heights)]
        end = max(end, float(heights[-1])) if heights.size else end
    return end


def _legend(axes: Axes, drawn: list[_Drawn], ends: list[float], scale: Scale) -> None:
    """List the variables beside the panel, in the order in which their lines end."""
    order = sorted(range(len(drawn)), key=lambda i: -ends[i])
    handles = []
    for i in order:
        look = {key: value for key, value in drawn[i].look.items() if key != "zorder"}
        symbol = drawn[i].shown.symbol
        label = rf"$\left|{symbol}\right|$" if scale.kind == "magnitude" else drawn[i].shown.label
        handles.append(Line2D([], [], label=label, **look))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.04), handlelength=2.6, borderaxespad=0.3)


def _say_what_is_missing(axes: Axes, stack: Stack, panel: Panel, lines: list[Array], scale: Scale) -> None:
    if not stack.steps.size or not any(line.size for line in lines):
        remark(axes, "no values")
        return
    arrays = [np.asarray(stack.ds[v.name].transpose("step", ...)) for v in panel.variables]
    bad = [~np.isfinite(array.reshape(len(array), -1)) for array in arrays]
    count = sum(int(each.sum()) for each in bad)
    if count:
        first = min(int(stack.steps[np.argmax(each.any(axis=1))]) for each in bad if each.any())
        remark(axes, f"{count_of(count, 'non-finite value')}, the first at step {first:,}")
    zeros = sum(int((array == 0).sum()) for array in arrays) if scale.logarithmic else 0
    if zeros:
        remark(axes, f"{count_of(zeros, 'value')} of exactly 0 not on this axis")
    tiny = sum(int(((array != 0) & (np.abs(array) < scales.FLOOR)).sum()) for array in arrays)
    if tiny:
        where = scales.power_text(scales.FLOOR) if scale.logarithmic else "0"
        remark(axes, f"{count_of(tiny, 'smaller value')} drawn at {where}")


def legends(figure: Figure, stack: Stack, axes: Sequence[Axes]) -> list[Strip]:
    """Say what the colours mean, and what the bands: strips to frame the figure with, and a bar for many colours."""
    family = stack.family
    strips = band_legend(stack)
    if family.ordered and len(family.labels) > MOST_NAMED:
        add_colour_bar(figure, family, axes)
    elif family.labels and any(_has(stack, panel) for panel in stack.panels):
        strips.insert(0, Strip(f"{family.title} =", colour_handles(family)))
    return strips


def band_legend(stack: Stack) -> list[Strip]:
    """Say what the bands mean, if there are any."""
    count = _spread_count(stack)
    if not count:
        return []
    bands: list[Artist] = [Line2D([], [], color=MEMBER_INK, linewidth=2, label="median")]
    members = len(stack.family.labels) or 1
    if members <= BANDED_MEMBERS_WITH_BAND:
        bands.append(Patch(color=MEMBER_INK, alpha=0.5, linewidth=0, label="middle 50 %"))
    if members <= BANDED_MEMBERS_WITH_PALE_BAND:
        bands.append(Patch(color=MEMBER_INK, alpha=0.2, linewidth=0, label="middle 90 %"))
    return [Strip(f"{count:,} coordinates:", bands)]


def colour_handles(family: Family) -> list[Artist]:
    """Make a legend entry for each member."""
    return [
        Line2D([], [], color=colour, linewidth=3, label=label)
        for colour, label in zip(family.colours, family.labels, strict=True)
    ]


def add_colour_bar(figure: Figure, family: Family, axes: Sequence[Axes]) -> None:
    """Say what the colours of many members mean."""
    mappable = ScalarMappable(norm_of(family.values or ()), gradual())
    bar = figure.colorbar(mappable, ax=list(axes), location="right", shrink=min(1.0, 2.0 / len(axes)), pad=0.02)
    bar.ax.set_title(family.title, fontsize=LABEL)
    bar.outline.set_visible(False)


def _has(stack: Stack, panel: Panel) -> bool:
    return any(set(stack.family.dims) <= set(map(str, stack.ds[v.name].dims)) for v in panel.variables)


def _spread_count(stack: Stack) -> int:
    """Give the number of coordinates in the largest band, 0 if there is none."""
    counts = [0]
    for panel in stack.panels:
        for shown in panel.variables:
            sizes = {str(dim): n for dim, n in stack.ds[shown.name].sizes.items()}
            own = set(sizes) - {"step"} - {dim for column in stack.family.columns for dim in column.selection}
            taken = set(stack.family.dims) if set(stack.family.dims) <= own else set()
            counts.append(int(np.prod([sizes[dim] for dim in own - taken], dtype=int)))
    return max(counts) if max(counts) > 1 else 0
