"""Panels under each other over the steps, one a unit: the usual picture of a trace. It knows no landscape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mhat.errors import BadValue
from mhat.figures import curves, inks, legends, remarks, scales
from mhat.figures.canvas import Strip
from mhat.figures.families import MOST_NAMED, Column, Family, Strand, arrange, band_steps, strands
from mhat.figures.looks import setting
from mhat.figures.panels import POSITIONS_HEADING, Panel, Shown, panels
from mhat.figures.runs import Run, colours_of, named_runs
from mhat.figures.scales import Scale
from mhat.landscapes import Landscape

Array = NDArray[np.floating[Any]]

# More variables than this, each in several colours or as a band, are not told apart in one panel.
MOST_VARIED = 2
FEW_STEPS, SOME_STEPS = 150, 1000


@dataclass(frozen=True)
class Stack:
    """What is drawn of traces: panels from top to bottom, columns from left to right, and the colours of the runs."""

    runs: tuple[Run, ...]
    panels: tuple[Panel, ...]
    family: Family
    colours: tuple[str, ...]

    @property
    def compares(self) -> bool:
        """Whether the colours tell runs apart."""
        return len(self.runs) > 1

    @cached_property
    def steps(self) -> Array:
        """The step numbers of the longest run."""
        return max((run.steps for run in self.runs), key=len)

    @cached_property
    def broken(self) -> Array:
        """The steps whose gradient is not finite, in any coordinate of any run."""
        bad = [run.steps[(~np.isfinite(run.array("g"))).any(axis=1)] for run in self.runs if "g" in run.ds]
        return np.unique(np.concatenate([np.empty(0), *bad]))

    @cached_property
    def own_colours(self) -> Mapping[str, str]:
        """The colours of the variables, each its own in the whole figure, but for the inputs, which have none.

        There are none at all where colours tell other things apart.
        """
        if self.compares or self.family.labels:
            return {}
        alone = len(self.panels) == 1 and len(self.panels[0].variables) == 1
        palette = inks.distinct()
        names = [v.name for panel in self.panels for v in panel.variables if alone or v.name not in ("g", "x")]
        return {name: palette[i % len(palette)] for i, name in enumerate(names)}


def stack_of(runs: tuple[Run, ...], names: Sequence[str]) -> Stack:
    """Arrange variables of the runs; raises BadValue for traces whose dimensions do not fit each other."""
    family = _family(runs, names)
    negative = {name for run in runs for name in names if name in run.ds and bool((run.ds[name] < 0).any())}
    found = panels([run.rule.tree if run.rule else None for run in runs], names, negative)
    split = tuple(part for panel in found for part in _split(runs, panel, family))
    return Stack(runs, split, family, tuple(colours_of(runs)))


def _family(runs: Sequence[Run], names: Sequence[str]) -> Family:
    sizes: dict[str, int] = {}
    for run in runs:
        for dim, size in run.ds[[name for name in names if name in run.ds]].sizes.items():
            if dim != "step" and sizes.setdefault(str(dim), size) != size:
                raise BadValue(
                    f"`{dim}` has {sizes[str(dim)]} values in one trace and {size} in another",
                    f"Draw one value of it: ds.isel({dim}=0).",
                )
    fullest = max(runs, key=lambda run: sum(size > 1 for size in run.ds.sizes.values()))
    own = [name for name in names if name in fullest.ds]
    knobs = fullest.rule.knobs if fullest.rule else ()
    return arrange(fullest.ds, own, knobs, colours_taken=len(runs) > 1)


def _split(runs: Sequence[Run], panel: Panel, family: Family) -> list[Panel]:
    """Give variables more panels if too many of them come in several colours or as bands, or are too many to name."""
    varied = [v for v in panel.variables if len(runs) > 1 or _varies(runs, v.name, family)]
    if len(varied) > MOST_VARIED:
        return [replace(panel, variables=(variable,)) for variable in panel.variables]
    parts = [panel.variables[i : i + MOST_NAMED] for i in range(0, len(panel.variables), MOST_NAMED)]
    if len(parts) == 1:
        return [panel]
    return [replace(panel, variables=part, part=f"({i} of {len(parts)})") for i, part in enumerate(parts, 1)]


def _varies(runs: Sequence[Run], name: str, family: Family) -> bool:
    """Whether a variable is more than one line in a panel."""
    fixed = {"step"} | {dim for column in family.columns for dim in column.selection}
    return any(d not in fixed and n > 1 for run in runs if name in run.ds for d, n in run.ds[name].sizes.items())


@dataclass(frozen=True)
class Line:
    """A line or band of a variable: the steps it is drawn over, and whose it is; of no run if it is that of all."""

    steps: Array
    strand: Strand
    run: int | None = None


@dataclass(frozen=True)
class Drawn:
    """A variable in a panel: its lines by column, and its look."""

    shown: Shown
    columns: tuple[tuple[Line, ...], ...]
    look: dict[str, Any]


def draw(stack: Stack, rows: Sequence[Sequence[Axes]], marks: Iterable[float] = (), *, own: bool = True) -> None:
    """Draw a stack into axes: a row a panel, a column a column. `marks` are known best places of the parameter.

    Axes that are not our `own` but the user's have legends inside, and each its step axis.
    """
    for place, (panel, row) in enumerate(zip(stack.panels, rows, strict=True)):
        _draw_panel(stack, panel, row, list(marks) if panel.plural == POSITIONS_HEADING else [], own=own)
        for column, axes in zip(stack.family.columns, row, strict=True):
            if column.title and (place == 0 or not own):
                location: Any = setting("axes.titlelocation")
                axes.set_title(f"{column.title}\n{axes.get_title(loc=location)}")
            if not own or place == len(rows) - 1:
                label_steps(axes, stack.steps)


def label_steps(axes: Axes, steps: Array) -> None:
    """Give the lowest axes its step axis."""
    axes.set_xlabel("step $t$")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10]))
    if steps.size:
        margin = max(0.01 * (steps[-1] - steps[0]), 0.5 if steps.size == 1 else 0.0)
        axes.set_xlim(steps[0] - margin, steps[-1] + margin)


def _draw_panel(stack: Stack, panel: Panel, row: Sequence[Axes], marks: list[float], *, own: bool) -> None:
    drawn = _variables(stack, panel)
    whole = [line for each in drawn for column in each.columns for line in column]
    lines = [values for line in whole for values in _measured(line.strand)]
    told = stack.compares or bool(stack.family.labels)
    scale = scales.fitting(lines, marks, places=panel.plural == POSITIONS_HEADING, rivals=told)
    sizes = scale.kind == "magnitude"
    row[0].set_title(panel.heading(sizes=sizes))
    row[0].set_ylabel(f"size, {panel.unit}" if sizes else panel.unit)
    for place, axes in enumerate(row):
        scales.apply(scale, axes)
        if scale.kind == "linear" and scale.low < 0 < scale.high:
            axes.axhline(0.0, color=inks.quiet(), linewidth=inks.width(0.4), zorder=0.5)
        for mark in marks:
            dotted: dict[str, Any] = {"linewidth": inks.width(0.6), "linestyle": (0, (2, 2)), "gid": "minimum"}
            axes.axhline(mark, color=inks.quiet(), zorder=0.6, **dotted)
        if marks:
            remarks.remark(axes, "dotted: the minimum")
        ends = [_draw_variable(axes, stack, each, each.columns[place], scale) for each in drawn]
        named = _named(drawn, ends, sizes=sizes)
        if not own:
            legends.inside(axes, [*worded(keys(stack, panel)), *named])
        elif place == len(row) - 1 and named:
            legends.beside(axes, named)
        curves.draw_rug(axes, stack.broken)
    remarks.say_what_is_missing(row[0], _tables(stack, panel), scale)
    single = [(line.steps, line.strand.values[:, 0]) for line in whole if not line.strand.spread]
    remarks.say_the_dips(row[0], single, scale)
    remarks.say_what_leaves(row[0], [values for _, values in single], scale)


def worded(strips: Sequence[Strip]) -> Iterator[Artist]:
    """Give the entries of strips, each with the word that stands before it in a strip."""
    for strip in strips:
        for entry in strip.handles:
            if strip.word.endswith(" ="):
                entry.set_label(f"{strip.word} {entry.get_label()}")
            yield entry


def _measured(strand: Strand) -> list[Array]:
    """Give the lines that an axis must hold: of a band not the median, which may be next to zero for no reason."""
    return list(curves.quantiles(strand.values)[[0, 1, 3, 4]]) if strand.spread else list(strand.values.T)


def _variables(stack: Stack, panel: Panel) -> list[Drawn]:
    drawn: list[Drawn] = []
    thick = inks.width(_thickness(stack.steps.size))
    many = len(stack.family.labels) > MOST_NAMED
    for shown in panel.variables:
        columns = tuple(tuple(_lines(stack, shown, column)) for column in stack.family.columns)
        told = any(line.run is not None or line.strand.member is not None for column in columns for line in column)
        # The gradient is the backdrop that the averages are seen against.
        if shown.name == "g" and not told and len(panel.variables) > 1:
            behind = thick + inks.width(0.4) if stack.steps.size <= FEW_STEPS else 0.8 * thick
            drawn.append(Drawn(shown, columns, {"color": inks.grey(), "linewidth": behind, "zorder": 1.5}))
            continue
        slot = sum(other.look["zorder"] >= 2 for other in drawn)
        look = {
            "color": stack.own_colours.get(shown.name, inks.neutral()),
            "linestyle": inks.STYLES[slot % len(inks.STYLES)],
            "linewidth": min(thick, inks.width(0.5 if many else 0.85)) if told else thick,
            "zorder": 2 + 0.1 * slot,
        }
        drawn.append(Drawn(shown, columns, look))
    return drawn


def _thickness(steps: int) -> float:
    return 1.2 if steps <= FEW_STEPS else 0.8 if steps <= SOME_STEPS else 0.55


def _lines(stack: Stack, shown: Shown, column: Column) -> Iterator[Line]:
    """Take a variable apart; what is the same in all runs, like given gradients, is drawn once and is no one's."""
    for place, run in _having(stack, shown.name):
        for strand in strands(run.ds[shown.name], stack.family, column):
            with np.errstate(invalid="ignore"):
                values = np.sqrt(strand.values) if shown.rooted else strand.values
            steps = run.steps[band_steps(run.steps.size)] if strand.spread else run.steps
            yield Line(steps, replace(strand, values=values), place)


def _having(stack: Stack, name: str) -> list[tuple[int | None, Run]]:
    """Give the runs that have a variable, each with its place; one without a place if it is the same in all."""
    having = [(i, run) for i, run in enumerate(stack.runs) if name in run.ds]
    # Without the name of the rule, which a trace says as a coordinate.
    arrays = [run.ds[name].drop_vars("rule", errors="ignore") for _, run in having]
    alike = len(having) > 1 and all(arrays[0].equals(array) for array in arrays[1:])
    if having and (not stack.compares or alike):
        return [(None, having[0][1])]
    return list(having)


def _tables(stack: Stack, panel: Panel) -> list[tuple[Array, Array]]:
    """Give the values of a panel, a table for each variable and run."""
    return [(run.steps, run.array(v.name)) for v in panel.variables for _, run in _having(stack, v.name)]


def _draw_variable(axes: Axes, stack: Stack, drawn: Drawn, column: Sequence[Line], scale: Scale) -> float:
    """Draw the lines of one variable; give the last height, by which the legend is ordered."""
    end = -np.inf
    banded = sum(line.strand.spread for line in column)
    for line in column:
        look = {**drawn.look, "label": f"_{drawn.shown.name}"}
        if line.strand.member is not None:
            look["color"] = stack.family.colours[line.strand.member]
        elif line.run is not None:
            look["color"] = stack.colours[line.run]
            look["zorder"] -= 0.5 if line.run >= named_runs(stack.runs) else 0.0
        if not line.strand.spread:
            artist = curves.draw_line(axes, line.steps, scale.shown(line.strand.values[:, 0]), **look)
        else:
            spread = curves.quantiles(scale.shown(line.strand.values))
            if banded <= legends.BANDED_MEMBERS_WITH_BAND:
                pale = banded <= legends.BANDED_MEMBERS_WITH_PALE_BAND
                artist = curves.draw_band(axes, line.steps, spread, pale=pale, **look)
            else:
                artist = curves.draw_line(axes, line.steps, spread[2], **look)
        heights = np.asarray(artist.get_ydata(), dtype=np.float64)
        heights = heights[np.isfinite(heights)]
        end = max(end, float(heights[-1])) if heights.size else end
    return end


def _named(drawn: Sequence[Drawn], ends: Sequence[float], *, sizes: bool) -> list[Artist]:
    """Name the variables of a panel in the order in which their lines end; one that is alone is in the heading."""
    if len(drawn) < 2:
        return []
    entries: list[Artist] = []
    for i in sorted(range(len(drawn)), key=lambda i: -ends[i]):
        look = {key: value for key, value in drawn[i].look.items() if key != "zorder"}
        symbol = drawn[i].shown.symbol
        label = rf"$\left|{symbol}\right|$" if sizes else drawn[i].shown.label
        entries.append(Line2D([], [], label=label, **look))
    return entries


def strips(figure: Figure, stack: Stack, axes: Sequence[Axes]) -> list[Strip]:
    """Say what the colours mean, and what the bands: strips to frame the figure with, or a bar for many colours."""
    many = stack.family.ordered and len(stack.family.labels) > MOST_NAMED
    if many and any(_has_members(stack, panel) for panel in stack.panels):
        legends.add_colour_bar(figure, stack.family, axes)
    return keys(stack, *stack.panels, members=not many)


def run_strips(runs: Sequence[Run]) -> list[Strip]:
    """Name the runs, if there are several."""
    several = [Strip("", legends.of_runs([run.label for run in runs], colours_of(runs)))]
    return several if len(runs) > 1 else []


def minima(landscape: Landscape | None) -> list[float]:
    """Give the lowest places of a landscape of one coordinate: lines among the values of x."""
    return [point[0] for point in landscape.minimum] if landscape is not None and landscape.dimensions == 1 else []


def keys(stack: Stack, *panels: Panel, members: bool = True, runs: bool = True) -> list[Strip]:
    """Say what the colours and the bands in these panels mean."""
    found = run_strips(stack.runs) if runs else []
    if members and stack.family.labels and any(_has_members(stack, panel) for panel in panels):
        found.append(Strip(f"{stack.family.title} =", legends.of_members(stack.family)))
    count = max((_spread_count(stack, panel) for panel in panels), default=0)
    if count > 1:
        found.append(Strip(f"{count:,} coordinates:", legends.of_bands(len(stack.family.labels) or len(stack.runs))))
    return found


def _has_members(stack: Stack, panel: Panel) -> bool:
    dims = set(stack.family.dims)
    return any(
        dims <= set(map(str, run.ds[v.name].dims)) for run in stack.runs for v in panel.variables if v.name in run.ds
    )


def _spread_count(stack: Stack, panel: Panel) -> int:
    """Give the number of coordinates in the largest band of a panel; one or none is no band."""
    counts = [0]
    for run in stack.runs:
        for array in (run.ds[v.name] for v in panel.variables if v.name in run.ds):
            sizes = {str(dim): n for dim, n in array.sizes.items()}
            own = set(sizes) - {"step"} - {dim for column in stack.family.columns for dim in column.selection}
            taken = set(stack.family.dims) if set(stack.family.dims) <= own else set()
            counts.append(int(np.prod([sizes[dim] for dim in own - taken], dtype=int)))
    return max(counts)
