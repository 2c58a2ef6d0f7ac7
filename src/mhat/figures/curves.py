"""Lines and bands in one panel: gaps where nothing is finite, few points where there are many. It knows no rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mhat.figures import inks

Array = NDArray[np.floating[Any]]

MOST_POINTS, FEW_POINTS, MOST_MARKS = 5000, 15, 1000
MANY_UPS_AND_DOWNS = 120
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def thinned(steps: Array, values: Array, most: int = MOST_POINTS) -> tuple[Array, Array]:
    """Keep the lowest and highest value of each run of steps, so that no spike is lost; gaps stay gaps."""
    if len(values) <= most:
        return steps, values
    width = -(-len(values) // (most // 3))
    padded = -len(values) % width
    at = np.concatenate([steps, np.full(padded, steps[-1])]).reshape(-1, width).astype(np.float64)
    runs = np.concatenate([values, np.full(padded, values[-1])]).reshape(-1, width)
    finite = np.isfinite(runs)
    lowest = np.argmin(np.where(finite, runs, np.inf), axis=1)
    highest = np.argmax(np.where(finite, runs, -np.inf), axis=1)
    gap = np.argmin(finite, axis=1)
    row = np.arange(len(runs))
    places = np.sort(np.stack([lowest, highest, np.where(finite.all(axis=1), highest, gap)], axis=1), axis=1)
    return at[row[:, None], places].ravel(), runs[row[:, None], places].ravel()


def draw_line(axes: Axes, steps: Array, values: Array, **look: Any) -> Line2D:
    """Draw a line with gaps where values are not finite; a value between two gaps is a dot."""
    steps, values = thinned(steps, values)
    (line,) = axes.plot(steps, values, **look)
    finite = np.isfinite(values)
    if _ups_and_downs(values[finite]) > MANY_UPS_AND_DOWNS:
        line.set_linewidth(0.5 * line.get_linewidth())
    alone = finite & ~np.append(finite[1:], False) & ~np.append(False, finite[:-1])
    if len(values) <= FEW_POINTS:
        line.set_marker("o")
        line.set_markersize(inks.mark(0.75))
    elif alone.any():
        line.set_marker("o")
        line.set_markersize(inks.mark(0.42))
        line.set_markevery(np.flatnonzero(alone).tolist())
    return line


def _ups_and_downs(values: Array) -> float:
    """Count how often a line goes through its whole range."""
    if len(values) < 2 or values.min() == values.max():
        return 0.0
    with np.errstate(over="ignore"):
        shares = values / np.abs(values).max()
    return float(np.abs(np.diff(shares)).sum() / (shares.max() - shares.min()))


def quantiles(lines: Array, wanted: tuple[float, ...] = QUANTILES) -> Array:
    """Give quantiles across the second axis, of what is finite; NaN where nothing is."""
    with np.errstate(invalid="ignore"):
        ordered = np.sort(np.where(np.isfinite(lines), lines, np.nan).astype(np.float64), axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    row = np.arange(len(ordered))
    found = np.full((len(wanted), len(ordered)), np.nan)
    if not ordered.shape[1]:
        return found
    for place, quantile in enumerate(wanted):
        position = quantile * np.maximum(count - 1, 0)
        below = np.floor(position).astype(int)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        share = position - below
        found[place] = (1 - share) * ordered[row, below] + share * ordered[row, above]
    return found


def draw_band(axes: Axes, steps: Array, spread: Array, *, pale: bool, **look: Any) -> Line2D:
    """Draw the quantiles of many lines: the median as a line, the middle half, and if `pale` the middle 90 %."""
    low, quarter, median, three_quarters, high = spread
    colour = look["color"]
    if pale:
        axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0, gid="band 90 %")
    axes.fill_between(steps, quarter, three_quarters, color=colour, alpha=0.34, linewidth=0, gid="band 50 %")
    return draw_line(axes, steps, median, **look)


def draw_rug(axes: Axes, steps: Array) -> None:
    """Mark steps at the bottom of a panel."""
    if not len(steps):
        return
    if len(steps) > MOST_MARKS:
        steps = steps[np.linspace(0, len(steps) - 1, MOST_MARKS).round().astype(int)]
    axes.plot(
        steps, np.full(len(steps), 0.03), linestyle="none", marker="|", markersize=inks.mark(1.5),
        markeredgewidth=inks.width(0.7), color=inks.ink(),
        transform=axes.get_xaxis_transform(), gid="rug", zorder=8, clip_on=False,
    )  # fmt: skip
