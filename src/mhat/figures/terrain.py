"""A landscape of two coordinates as a map with the paths on it, and the height over the steps. It knows no engine."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mhat.figures import curves, inks, legends, scales, stacks
from mhat.figures.canvas import Strip
from mhat.figures.families import MOST_NAMED, Family, Members, evenly, members_of, shades_of
from mhat.figures.remarks import remark, say_the_dips, say_what_leaves
from mhat.figures.runs import Run, colours_of
from mhat.figures.wording import count_of
from mhat.landscapes import Landscape
from mhat.traces.schema import start_of

Array = NDArray[np.floating[Any]]
Window = tuple[tuple[float, float], tuple[float, float]]

COORDINATE = "i"
MOST_PATHS, MOST_IN_ORDER, LEVELS, CELLS, DOTS = 16, 12, 16, 300, 10
BOTTOM = "#F0E442"
# Few sizes of windows, so that rules have the same one in figures of their own too, as shares of the landscape's.
ZOOMS = (0.35, 0.42, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0, 3.0)
# A path that needs a larger one leaves the map.
WIDEST = 1.4


@dataclass(frozen=True)
class Path:
    """Where one run went: the start and then a point a step."""

    points: Array
    steps: Array
    label: str
    colour: str
    style: Any = "-"


@dataclass(frozen=True)
class Paths:
    """All paths of a map, what their colours and dashes mean, the sweep if a bar says it, and what is left out."""

    each: tuple[Path, ...]
    keys: tuple[Strip, ...] = ()
    sweep: Family | None = None
    notes: tuple[str, ...] = ()


def can_be_drawn(ds: xr.Dataset, landscape: Landscape) -> bool:
    """Whether the trace holds a path over a landscape of two coordinates."""
    return landscape.dimensions == 2 and "x" in ds and ds["x"].sizes.get(COORDINATE) == 2


def paths_of(runs: Sequence[Run]) -> Paths:
    """Take traces apart into paths: runs have a colour each, else the values of the first sweep; others have dashes."""
    alone = len(runs) == 1
    parts = [
        _paths(run, "" if alone else colour, len(runs)) for run, colour in zip(runs, colours_of(runs), strict=True)
    ]
    keys = [*stacks.run_strips(runs), *(key for part in parts for key in part.keys)]
    # Runs that are swept alike share what their dashes mean.
    told = {(key.word, *(str(handle.get_label()) for handle in key.handles)): key for key in keys}
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    paths = tuple(path for part in parts for path in part.each)
    return Paths(paths, tuple(told.values()), parts[0].sweep if alone else None, tuple(notes))


def _paths(run: Run, colour: str, beside: int) -> Paths:
    """Take one trace apart; without a colour of its own its first sweep has the colours."""
    x = run.ds["x"]
    swept = [str(dim) for dim in x.dims if dim not in ("step", COORDINATE)]
    named: dict[str, Members] = {dim: members_of(run.ds, dim) for dim in swept}
    dashed = swept if colour else swept[1:]
    in_colour = [] if colour else swept[:1]
    shades = [colour or inks.distinct()[1 % len(inks.distinct())]]
    many = [0]
    for dim in in_colour:
        _, labels, values = named[dim]
        shades = [to_hex(shade) for shade in shades_of(values or [float(i) for i in range(len(labels))])]
        many = evenly(len(labels), MOST_NAMED if dashed or not values else MOST_IN_ORDER)
    every = list(itertools.product(*(range(x.sizes[dim]) for dim in dashed)))
    kept = evenly(len(every), max(min(len(inks.STYLES), MOST_PATHS // (len(many) * beside)), 1))
    paths = []
    for i, (n, place) in itertools.product(many, enumerate(kept)):
        at = dict.fromkeys(in_colour, i) | dict(zip(dashed, every[place], strict=True))
        paths.append(_path(run, at, named, shades[i], inks.STYLES[n]))
    keys, sweep = [], None
    for dim in in_colour:
        title, labels, values = named[dim]
        told = [(labels[i], shades[i], "-") for i in many]
        keys = [_key(title, told)] if len(many) <= MOST_NAMED else []
        if not keys and values:
            sweep = Family(title=title, labels=tuple(labels[i] for i in many), values=tuple(values[i] for i in many))
    if dashed:
        members = [", ".join(named[dim][1][i] for dim, i in zip(dashed, every[place], strict=True)) for place in kept]
        told = [(member, inks.neutral(), style) for member, style in zip(members, inks.STYLES, strict=False)]
        keys.append(_key(", ".join(named[dim][0] for dim in dashed), told))
    count = math.prod(x.sizes[dim] for dim in swept)
    notes = [f"{len(paths)} of {count_of(count, 'path')} are shown."] if len(paths) < count else []
    return Paths(tuple(paths), tuple(keys), sweep, tuple(notes))


def _path(run: Run, at: Mapping[str, int], named: Mapping[str, Members], colour: str, style: Any) -> Path:
    points = np.asarray(run.ds["x"].isel(at).transpose("step", COORDINATE), dtype=np.float64)
    steps = run.steps
    # A trace that was cut does not begin where x started.
    known = start_of(run.ds) if run.steps.size and run.steps[0] == 1 else None
    if known is not None:
        start = xr.DataArray(known).broadcast_like(run.ds["x"].isel(step=0, drop=True))
        points = np.vstack([np.asarray(start.isel(at), dtype=np.float64), points])
        steps = np.concatenate([steps[:1] - 1, steps])
    label = ", ".join(filter(None, [run.label, *(named[dim][1][i] for dim, i in at.items())]))
    return Path(points, steps, label, colour, style)


def _key(title: str, told: Sequence[tuple[str, str, Any]]) -> Strip:
    """Say what colours or dashes mean."""
    wide = inks.width(1.25)
    return Strip(
        f"{title} =",
        [Line2D([], [], color=colour, linestyle=style, linewidth=wide, label=label) for label, colour, style in told],
    )


def window_of(landscape: Landscape, paths: Sequence[Path]) -> Window:
    """Choose what the map shows: starts and minima, and the paths, but not where one that diverges has gone.

    It is the landscape's own window moved and zoomed in few steps, so that the paths of different rules share theirs.
    """
    low, high = np.array(landscape.window).T
    reach = high - low
    marks = np.array([path.points[0] for path in paths if len(path.points)] + list(landscape.minimum))
    marks = np.clip(marks[np.isfinite(marks).all(axis=1)], low - reach, high + reach)
    centre = (marks.min(axis=0) + marks.max(axis=0)) / 2 if len(marks) else (low + high) / 2
    first, *each = [_reached(points, centre, reach) for points in (marks, *(path.points for path in paths))]
    needed = max([first, *(zoom for zoom in each if zoom <= WIDEST)])
    zoom = next((zoom for zoom in ZOOMS if zoom >= needed), ZOOMS[-1])
    (left, bottom), (right, top) = centre - zoom * reach / 2, centre + zoom * reach / 2
    return (float(left), float(right)), (float(bottom), float(top))


def _reached(points: Array, centre: Array, reach: Array) -> float:
    """Give how large a window around its centre must be for points, as a share of the landscape's, with a margin."""
    far = np.abs(points[np.isfinite(points).all(axis=1)] - centre) / (reach / 2)
    return 1.1 * float(far.max(initial=0.0))


def draw_map(axes: Axes, landscape: Landscape, paths: Sequence[Path], window: Window) -> list[str]:
    """Draw contours, paths, starts, ends and minima, one unit as long on both axes; give notes for the caption."""
    _draw_ground(axes, landscape, window)
    stride = _stride(max(len(path.points) for path in paths) - 1)
    left = sum(_draw_path(axes, path, window, stride, len(paths)) for path in paths)
    for point in landscape.minimum:
        star: dict[str, Any] = {"mfc": BOTTOM, "mec": "black", "mew": inks.width(0.5), "ms": inks.mark(3.0)}
        axes.plot(*point, "*", zorder=4, gid="minimum", **star)
    (left_end, right_end), (bottom, top) = window
    axes.set_xlim(left_end, right_end)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    axes.locator_params(nbins=6)
    axes.set_xlabel("first coordinate of $x$")
    axes.set_ylabel("second coordinate of $x$")
    axes.set_title("The path over the landscape" if len(paths) == 1 else "The paths over the landscape")
    axes.grid(False)
    notes = [f"A dot every {count_of(stride, 'step')}. Contours are spaced by the logarithm of the height."]
    if left:
        notes.append(f"{count_of(left, 'path')} {'leaves' if left == 1 else 'leave'} the map.")
    return notes


def _draw_path(axes: Axes, path: Path, window: Window, stride: int, beside: int) -> bool:
    """Draw one path with its start and its end; tell whether it leaves the map."""
    shown, outside = _within(path.points, window)
    look: dict[str, Any] = {"color": path.colour, "linestyle": path.style, "zorder": 3, "label": f"_{path.label}"}
    axes.plot(
        *shown.T, marker="o", markersize=inks.mark(0.53), markevery=stride, gid="path",
        linewidth=inks.width(0.9 if beside < 5 else 0.7), **look,
    )  # fmt: skip
    finite = path.points[np.isfinite(path.points).all(axis=1)]
    if len(finite):
        ends = _within(finite, window)[0]
        begin: dict[str, Any] = {"mfc": inks.paper(), "mec": inks.ink(), "mew": inks.width(0.8), "ms": inks.mark(1.3)}
        end: dict[str, Any] = {"mfc": path.colour, "mec": inks.paper(), "mew": inks.width(0.4), "ms": inks.mark(1.15)}
        axes.plot(*ends[0], "o", zorder=5, gid="start", **begin)
        axes.plot(*ends[-1], "s", zorder=4.5, gid="end", **end)
    return outside


def _draw_ground(axes: Axes, landscape: Landscape, window: Window) -> None:
    grid = np.stack(np.meshgrid(*(np.linspace(low, high, CELLS) for low, high in window)), axis=-1)
    heights = np.asarray(landscape.value(grid), dtype=np.float64)
    known = heights[np.isfinite(heights)]
    if not known.size or known.max() == known.min():
        return
    above = np.nan_to_num(heights, nan=known.max(), posinf=known.max(), neginf=known.min())
    above = above - min(float(known.min()), landscape.minimum_value)
    highest = float(above.max())
    lowest = max(float(np.quantile(above, 0.004)), highest * 1e-6)
    levels = np.geomspace(lowest, highest, LEVELS)
    colours = inks.ground()(np.linspace(0.0, 1.0, LEVELS))
    axes.contourf(grid[..., 0], grid[..., 1], above, levels=[0.0, *levels], colors=colours, zorder=0)
    lines: dict[str, Any] = {"colors": inks.contours(), "linewidths": inks.width(0.25)}
    axes.contour(grid[..., 0], grid[..., 1], above, levels=levels, zorder=1, **lines)


def _within(points: Array, window: Window) -> tuple[Array, bool]:
    """Keep points near enough to draw, NaN where they are not finite; tell whether some are off the map."""
    low, high = np.array(window).T
    reach = high - low
    finite = np.asarray(np.isfinite(points).all(axis=1))
    shown = np.where(finite.reshape(-1, 1), points, np.nan)
    outside = bool((finite & ((points < low) | (points > high)).any(axis=1)).any())
    return np.clip(shown, low - 20 * reach, high + 20 * reach), outside


def _stride(steps: int) -> int:
    """Give a round number of steps between dots, about ten dots a path."""
    rough = max(steps / DOTS, 1.0)
    power = 10 ** math.floor(math.log10(rough))
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))


def heights_of(landscape: Landscape, points: Array) -> Array:
    """Give heights above the lowest point."""
    with np.errstate(all="ignore"):
        return np.asarray(landscape.value(points), dtype=np.float64) - landscape.minimum_value


def draw_profile(axes: Axes, landscape: Landscape, paths: Sequence[Path]) -> None:
    """Draw the height above the minimum over the steps, from the start on."""
    lines = [heights_of(landscape, path.points) for path in paths]
    scale = scales.fitting(lines, rivals=True)
    scales.apply(scale, axes)
    axes.set_title("Height above the minimum")
    axes.set_ylabel(r"$f(x_t) - \min f$")
    for path, line in zip(paths, lines, strict=True):
        look: dict[str, Any] = {"color": path.colour, "linestyle": path.style, "label": f"_{path.label}"}
        curves.draw_line(axes, path.steps, scale.shown(line), linewidth=inks.width(0.9), **look)
    stacks.label_steps(axes, max((path.steps for path in paths), key=len))
    bad = sum(int((~np.isfinite(line)).sum()) for line in lines)
    if bad:
        remark(axes, count_of(bad, "non-finite value"))
    say_the_dips(axes, [(path.steps, line) for path, line in zip(paths, lines, strict=True)], scale)
    say_what_leaves(axes, lines, scale)


def signs(chart: Axes) -> list[Artist]:
    """Make legend entries of the marks on a map, as they are drawn there."""
    found: dict[str, Artist] = {}
    marks = {str(line.get_gid()): line for line in chart.lines}
    for sign in ("start", "end", "minimum"):
        if sign in marks:
            line = marks[sign]
            entry = Line2D([], [], linestyle="none", marker=line.get_marker(), label=sign)
            entry.set(
                markerfacecolor=inks.grey() if sign == "end" else line.get_markerfacecolor(),
                markeredgecolor=line.get_markeredgecolor(),
                markeredgewidth=line.get_markeredgewidth(),
                markersize=min(line.get_markersize(), inks.mark(2.0)),
            )
            found[sign] = entry
    return list(found.values())


def strips(figure: Figure, paths: Paths, profile: Axes) -> list[Strip]:
    """Name the paths: in strips to frame the figure with, or by a bar for many colours."""
    if paths.sweep is not None:
        legends.add_colour_bar(figure, paths.sweep, [profile])
    return list(paths.keys)
