"""A landscape of two coordinates as a map with the paths on it, and the height over the steps. It knows no engine."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mhat.figures import curves, scales, stacks
from mhat.figures.canvas import INK, LABEL, Picture, Strip, blank, frame, remark
from mhat.figures.families import STYLES, Members, members_of, shades_of
from mhat.figures.wording import count_of, paper_of, title_of
from mhat.landscapes import Landscape
from mhat.traces.schema import start_of

Array = NDArray[np.floating[Any]]
Window = tuple[tuple[float, float], tuple[float, float]]

COORDINATE = "i"
MOST_PATHS, LEVELS, CELLS, DOTS = 12, 16, 300, 10
ONE_PATH, BOTTOM = "#882255", "#F0E442"
# Low ground is darker, and all of it pale enough for every colour of a path.
GROUND = LinearSegmentedColormap.from_list("ground", ["#a9c4dc", "#dbe7f1", "#ffffff"])


@dataclass(frozen=True)
class Path:
    """Where one run went: the start and then a point a step."""

    points: Array
    label: str
    colour: str
    style: Any = "-"


def can_be_drawn(ds: xr.Dataset, landscape: Landscape) -> bool:
    """Whether the trace holds a path over a landscape of two coordinates."""
    return landscape.dimensions == 2 and "x" in ds and ds["x"].sizes.get(COORDINATE) == 2


def draw(ds: xr.Dataset, landscape: Landscape, names: list[str]) -> Picture:
    """Draw the map, the height over the steps, and under them the panels of the variables `names`."""
    paths, title, notes = paths_of(ds)
    window = window_of(landscape, paths)
    stack = stacks.stack_of(ds, names)
    count, columns = len(stack.panels), len(stack.family.columns)
    lower = 1.7 * count + (0.4 if count else 0.0)
    figure = blank(11.0, 5.4 + lower)
    outer = figure.add_gridspec(2, 1, height_ratios=[4.6, lower]) if count else figure.add_gridspec(1, 1)
    upper = outer[0].subgridspec(1, 2, width_ratios=[1.15, 1.0])
    chart, profile = figure.add_subplot(upper[0]), figure.add_subplot(upper[1])
    notes += draw_map(chart, landscape, paths, window)
    draw_profile(profile, landscape, paths, stack.steps)
    rows = []
    if count:
        rows = [list(row) for row in outer[1].subgridspec(count, columns).subplots(sharex=True, squeeze=False)]
        stacks.draw(stack, rows)
    strips = [Strip("", _signs(chart))]
    if len(paths) > 1:
        named = [Line2D([], [], color=p.colour, linestyle=p.style, linewidth=2.5, label=p.label) for p in paths]
        strips.insert(0, Strip(f"{title} =", named))
    # A sweep has the colours of the paths, which are named above.
    lower_axes = [axes for row in rows for axes in row]
    strips += stacks.band_legend(stack) if stack.family.ordered else stacks.legends(figure, stack, lower_axes)
    frame(figure, title_of(ds), [*notes, *stack.family.notes, paper_of(ds)], strips)
    return figure


def paths_of(ds: xr.Dataset) -> tuple[list[Path], str, list[str]]:
    """Take the trace apart into paths, the name of what they differ in, and what a reader must know of the choice."""
    x = ds["x"]
    swept = [str(dim) for dim in x.dims if dim not in ("step", COORDINATE)]
    known = start_of(ds) if x.sizes["step"] else None
    start = None if known is None else xr.DataArray(known).broadcast_like(x.isel(step=0, drop=True))
    named: dict[str, Members] = {dim: members_of(ds, dim) for dim in swept}
    every = list(itertools.product(*(range(x.sizes[dim]) for dim in swept)))
    kept = np.linspace(0, len(every) - 1, min(len(every), MOST_PATHS)).round().astype(int).tolist()
    paths = []
    for place in (every[i] for i in kept):
        at = dict(zip(swept, place, strict=True))
        points = np.asarray(x.isel(at).transpose("step", COORDINATE), dtype=np.float64)
        if start is not None:
            points = np.vstack([np.asarray(start.isel(at), dtype=np.float64), points])
        label = ", ".join(named[dim][1][i] for dim, i in at.items())
        paths.append(Path(points, label, *_look(named, place)))
    notes = [f"{len(kept)} of {count_of(len(every), 'path')} are shown."] if len(kept) < len(every) else []
    return paths, ", ".join(name for name, *_ in named.values()), notes


def _look(named: dict[str, Members], place: tuple[int, ...]) -> tuple[str, Any]:
    """Colour a path by the first sweep, as the panels of variables are, and style it by the others."""
    if not place:
        return ONE_PATH, "-"
    _, labels, values = next(iter(named.values()))
    shades = shades_of(values or [float(i) for i in range(len(labels))])
    return to_hex(shades[place[0]]), STYLES[sum(place[1:]) % len(STYLES)]


def window_of(landscape: Landscape, paths: list[Path]) -> Window:
    """Choose what the map shows: start, paths and minima, but not where a diverging path has gone."""
    axes = []
    for axis, (low, high) in enumerate(landscape.window):
        width = high - low
        seen = np.concatenate([path.points[:, axis] for path in paths] + [np.array(landscape.minimum)[:, axis]])
        seen = seen[np.isfinite(seen)]
        seen = np.clip(seen, low - width, high + width) if seen.size else np.array([low, high])
        first, last = float(seen.min()), float(seen.max())
        # Not a slit, where all happens on one line.
        missing = max(0.45 * width - (last - first), 0.0)
        margin = 0.08 * max(last - first, 0.45 * width) + missing / 2
        axes.append((first - margin, last + margin))
    return axes[0], axes[1]


def draw_map(axes: Axes, landscape: Landscape, paths: list[Path], window: Window) -> list[str]:
    """Draw contours, paths, starts, ends and minima; give notes for the caption."""
    _draw_ground(axes, landscape, window)
    stride = _stride(max(len(path.points) for path in paths) - 1)
    left = 0
    for path in paths:
        shown, outside = _within(path.points, window)
        left += outside
        look: dict[str, Any] = {"color": path.colour, "linestyle": path.style, "zorder": 3}
        look["linewidth"] = 1.8 if len(paths) < 5 else 1.4
        axes.plot(*shown.T, marker="o", markersize=3.2, markevery=stride, gid="path", label=f"_{path.label}", **look)
        finite = path.points[np.isfinite(path.points).all(axis=1)]
        if len(finite):
            ends = _within(finite, window)[0]
            axes.plot(*ends[0], "o", mfc="white", mec=INK, mew=1.6, ms=8, zorder=5, gid="start")
            axes.plot(*ends[-1], "s", mfc=path.colour, mec="white", mew=0.8, ms=6, zorder=6, gid="end")
    for point in landscape.minimum:
        axes.plot(*point, "*", mfc=BOTTOM, mec=INK, mew=1.1, ms=20, zorder=4, gid="minimum")
    (left_end, right_end), (bottom, top) = window
    axes.set_xlim(left_end, right_end)
    axes.set_ylim(bottom, top)
    axes.set_xlabel("first coordinate of $x$")
    axes.set_ylabel("second coordinate of $x$")
    heading = "The path over the landscape" if len(paths) == 1 else "The paths over the landscape"
    axes.set_title(heading, loc="left", fontsize=LABEL)
    axes.grid(False)
    notes = [f"A dot every {count_of(stride, 'step')}. Contours are spaced by the logarithm of the height."]
    if left:
        notes.append(f"{count_of(left, 'path')} {'leaves' if left == 1 else 'leave'} the map.")
    return notes


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
    colours = GROUND(np.linspace(0.0, 1.0, LEVELS))
    axes.contourf(grid[..., 0], grid[..., 1], above, levels=[0.0, *levels], colors=colours, zorder=0)
    axes.contour(grid[..., 0], grid[..., 1], above, levels=levels, colors="#7d93a8", linewidths=0.5, zorder=1)


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


def draw_profile(axes: Axes, landscape: Landscape, paths: list[Path], steps: Array) -> None:
    """Draw the height above the minimum over the steps, from the start on."""
    lines = []
    for path in paths:
        with np.errstate(all="ignore"):
            lines.append(np.asarray(landscape.value(path.points), dtype=np.float64) - landscape.minimum_value)
    scale = scales.fitting(lines)
    scales.apply(scale, axes)
    for path, line in zip(paths, lines, strict=True):
        at = np.concatenate([steps[:1] - 1, steps])[-len(line) :] if len(line) else steps
        look: dict[str, Any] = {"color": path.colour, "linestyle": path.style, "label": f"_{path.label}"}
        curves.draw_line(axes, at, scale.shown(line), linewidth=1.8, **look)
    stacks.label_steps(axes, np.concatenate([steps[:1] - 1, steps]))
    axes.set_title("Height above the minimum", loc="left", fontsize=LABEL)
    axes.set_ylabel(r"$f(x_t) - \min f$")
    bad = sum(int((~np.isfinite(line)).sum()) for line in lines)
    if bad:
        remark(axes, count_of(bad, "non-finite value"))


def _signs(chart: Axes) -> list[Artist]:
    """Make legend entries of the marks on a map, as they are drawn there."""
    found: dict[str, Artist] = {}
    marks = {str(line.get_gid()): line for line in chart.lines}
    for sign in ("start", "end", "minimum"):
        if sign in marks:
            line = marks[sign]
            entry = Line2D([], [], linestyle="none", marker=line.get_marker(), label=sign)
            entry.set(
                markerfacecolor="#8a8a8a" if sign == "end" else line.get_markerfacecolor(),
                markeredgecolor=line.get_markeredgecolor(),
                markeredgewidth=line.get_markeredgewidth(),
                markersize=min(line.get_markersize(), 12),
            )
            found[sign] = entry
    return list(found.values())
