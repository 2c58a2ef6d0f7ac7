"""What a sweep ends with: the last values over two knobs as a heat map, over one as a curve, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mhat.errors import BadValue
from mhat.figures import curves, inks, scales
from mhat.figures.families import members_of, norm_of, sweeps_of
from mhat.figures.looks import is_dark
from mhat.figures.numerals import rounded
from mhat.figures.panels import panels
from mhat.figures.remarks import remark, say_what_leaves
from mhat.figures.runs import RULES, Run, chosen, colours_of, landscape_in, runs_of
from mhat.figures.terrain import can_be_drawn, heights_of
from mhat.figures.wording import count_of
from mhat.landscapes import Landscape

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.floating[Any]]

HEIGHT = "height"
MOST_WRITTEN, MOST_TICKS = 10, 12


@dataclass(frozen=True)
class Final:
    """The last value of one variable: for each run that has it, an array over the knobs that are swept."""

    name: str
    heading: str
    unit: str
    runs: tuple[Run, ...]
    arrays: tuple[xr.DataArray, ...]
    knobs: tuple[str, ...]
    has_best: bool = False

    @property
    def notes(self) -> list[str]:
        """What a reader must know of a heat map."""
        lost = sum(int((~np.isfinite(np.asarray(array))).sum()) for array in self.arrays)
        return (["Framed: the lowest."] if self.has_best else []) + (
            [f"Grey: {count_of(lost, 'value')} not finite."] if lost else []
        )


def final_values(what: Any, variable: str | None = None) -> pd.DataFrame:
    """Tabulate the last value of a variable over the knobs that are swept: the last knob by columns, all else by rows.

    `variable`: its name; on a landscape the height above the minimum if there is none, else `x`. Raises UnknownName for
    a variable that the trace does not have, BadValue for a trace without steps.
    """
    runs = runs_of(what)
    landscape = _ground(runs)
    name = variable or ("x" if landscape is None else HEIGHT)
    if name != HEIGHT or landscape is None:
        chosen(runs, name)
    having = [run for run in runs if name == HEIGHT or name in run.ds]
    bare = [_last(run, name, landscape).rename(name) for run in having]
    bare = [last.drop_vars(set(last.coords) - set(last.dims)) for last in bare]
    whole = bare[0] if len(having) == 1 else _beside(bare, [run.label for run in having])
    knobs = [dim for dim in _swept(having[0]) if dim in whole.dims]
    whole = whole.transpose(*(dim for dim in whole.dims if dim not in knobs), *knobs)
    if not whole.ndim:
        whole = whole.expand_dims(step=having[0].ds["step"][-1:])
    series = whole.to_series()
    return series.unstack(knobs[-1]) if whole.ndim > 1 and knobs else series.to_frame()


def _beside(arrays: Sequence[xr.DataArray], labels: Sequence[str]) -> xr.DataArray:
    """Put the last values of runs together along a dimension `rule`."""
    named = [array.expand_dims({RULES: [label]}) for array, label in zip(arrays, labels, strict=True)]
    return xr.concat(named, RULES)


def finals_of(runs: Sequence[Run], variables: Sequence[str] | None, count: int) -> list[Final]:
    """Collect the variables that have one last value for each of the values of so many knobs; there may be none.

    `variables`: those asked for; all where there are none, or on a landscape the height.
    """
    knobs = tuple(_swept(runs[0]))
    landscape = _ground(runs)
    if len(knobs) != count or not runs[0].steps.size:
        return []
    names = list(variables) if variables is not None else [] if landscape else chosen(runs, None)
    found = []
    if landscape is not None and variables is None:
        arrays = tuple(_last(run, HEIGHT, landscape) for run in runs)
        found.append(
            Final(HEIGHT, "Height above the minimum", r"$f(x) - \min f$", tuple(runs), arrays, knobs, has_best=True)
        )
    for panel in panels([run.rule.tree if run.rule else None for run in runs], names, names):
        for shown in panel.variables:
            having = tuple(run for run in runs if shown.name in run.ds)
            arrays = tuple(_last(run, shown.name, None) for run in having)
            heading = f"{panel.single} {shown.label}" if len(panel.variables) > 1 else panel.heading()
            found.append(Final(shown.name, heading, panel.unit, having, arrays, knobs))
    return [final for final in found if all(set(array.dims) == set(knobs) for array in final.arrays)]


def _swept(run: Run) -> list[str]:
    """Give the dimensions along which knobs are swept."""
    knobs = [knob for knob in (run.rule.knobs if run.rule else ()) if knob in run.ds.coords]
    dims = [str(dim) for dim, size in run.ds.sizes.items() if dim != "step" and size > 1]
    return [dim for dim in sweeps_of(run.ds, dims, knobs) if any(dim in run.ds[knob].dims for knob in knobs)]


def _ground(runs: Sequence[Run]) -> Landscape | None:
    """Find the landscape above which all runs have heights."""
    landscape = landscape_in(runs)
    return landscape if landscape and all(can_be_drawn(run.ds, landscape) for run in runs) else None


def _last(run: Run, name: str, landscape: Landscape | None) -> xr.DataArray:
    if not run.steps.size:
        raise BadValue("the trace has no steps, so nothing is last", "Run it for a step at least: steps=100.")
    if name != HEIGHT or landscape is None:
        return run.ds[name].isel(step=-1, drop=True).astype(np.float64)
    last = run.ds["x"].isel(step=-1, drop=True).transpose(..., "i")
    return last.isel(i=0, drop=True).copy(data=heights_of(landscape, np.asarray(last, dtype=np.float64)))


def draw_maps(figure: Figure, finals: Sequence[Final], places: Sequence[Sequence[Axes]]) -> None:
    """Draw a heat map of each variable and run, a colour a value in all runs of a variable."""
    for final, row in zip(finals, places, strict=True):
        values = np.concatenate([np.asarray(array).ravel() for array in final.arrays])
        norm = norm_of(values[np.isfinite(values)])
        for run, array, axes in zip(final.runs, final.arrays, row, strict=False):
            shades = _draw_map(axes, run, final, np.asarray(array.transpose(*final.knobs), dtype=np.float64), norm)
            where = f"at step {int(run.steps[-1]):,}"
            axes.set_title(f"{run.label}\n{final.heading} {where}" if run.label else f"{final.heading} {where}")
        bar = figure.colorbar(shades, ax=list(row), location="right", pad=0.02)
        bar.ax.set_ylabel(final.unit)
        bar.outline.set_visible(False)
        bar.ax.grid(False)


def _draw_map(axes: Axes, run: Run, final: Final, values: Array, norm: Normalize) -> Any:
    rows, columns = values.shape
    axes.grid(False)
    axes.set_facecolor(inks.faded(0.83))
    shades = axes.pcolormesh(np.ma.masked_invalid(values), norm=norm, cmap=inks.gradual(), gid="heat map")
    for axis, dim, count in ((axes.yaxis, final.knobs[0], rows), (axes.xaxis, final.knobs[1], columns)):
        title, labels, _ = members_of(run.ds, dim)
        kept = list(range(0, count, -(-count // MOST_TICKS)))
        axis.set_ticks([i + 0.5 for i in kept], [labels[i] for i in kept])
        axis.set_label_text(title)
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    finite = np.isfinite(values)
    if max(rows, columns) <= MOST_WRITTEN:
        _write_values(axes, values, norm)
    if final.has_best and finite.any():
        y, x = np.unravel_index(np.nanargmin(np.where(finite, values, np.nan)), values.shape)
        lowest: dict[str, Any] = {"fill": False, "edgecolor": inks.ink(), "linewidth": inks.width(1.0), "gid": "lowest"}
        axes.add_patch(Rectangle((float(x), float(y)), 1, 1, zorder=3, clip_on=False, **lowest))
    return shades


def _write_values(axes: Axes, values: Array, norm: Normalize) -> None:
    colours = inks.gradual()
    for (row, column), value in np.ndenumerate(values):
        colour = colours(norm(value)) if np.isfinite(value) else inks.faded(0.83)
        axes.text(
            column + 0.5, row + 0.5, rounded(float(value), 3), ha="center", va="center", fontsize=inks.font(9 / 11),
            color="white" if is_dark(colour) else "black", gid="value",
        )  # fmt: skip


def draw_curves(finals: Sequence[Final], places: Sequence[Axes], runs: Sequence[Run]) -> None:
    """Draw last values over the one knob that is swept: a panel a variable, a colour a run."""
    colours = dict(zip(runs, colours_of(runs), strict=True))
    for final, axes in zip(finals, places, strict=True):
        (knob,) = final.knobs
        heights = [np.asarray(array, dtype=np.float64) for array in final.arrays]
        scale = scales.fitting(heights, rivals=True)
        scales.apply(scale, axes)
        axes.set_title(f"{final.heading} at step {int(final.runs[0].steps[-1]):,}")
        axes.set_ylabel(final.unit)
        for run, line in zip(final.runs, heights, strict=True):
            title, labels, values = members_of(run.ds, knob)
            at = np.asarray(values if values else range(len(labels)), dtype=np.float64)
            order = np.argsort(at)
            look = {"color": colours[run], "linewidth": inks.width(1.0), "label": f"_{run.label}"}
            curves.draw_line(axes, at[order], scale.shown(line[order]), **look).set_marker("o")
            axes.set_xlabel(title)
            if values and isinstance(norm_of(values), LogNorm):
                axes.set_xscale("log")
        lost = sum(int((~np.isfinite(line)).sum()) for line in heights)
        if lost:
            remark(axes, f"{count_of(lost, 'value')} not finite")
        say_what_leaves(axes, heights, scale)
