"""How rules train, as curves: the median over the seeds as a line, from the least to the most as a band.

It reads a data set with the dimensions rule, seed and step, and runs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mhat.figures import curves, inks, legends
from mhat.figures.borrowed import axes_in, refuse_size, whole_of
from mhat.figures.canvas import Picture, Strip, escaped, fitted, frame
from mhat.figures.looks import Look, Style, look_in, look_of

# Beyond so much between the least and the most, a scale of powers shows more.
WIDE = 20.0


def training_curves(
    ds: xr.Dataset, *, ax: Any = None, style: Style | None = None, size: Any = None, dpi: Any = None
) -> Figure:
    """Draw `measured` of each rule over the steps: `mhat.compare(..., train=...).to_dataset()`.

    `ax`: one axes of the user's; `style`, `size`, `dpi` as for `plot`.
    """
    if ax is not None:
        refuse_size(size, dpi)
        (given,) = axes_in(ax)[:1]
        with look_in(given, style).in_force():
            legends.inside(given, _draw(given, ds))
        return whole_of(given)
    return fitted(look_of(style, size, dpi), lambda look: _drawn(ds, look))


def _drawn(ds: xr.Dataset, look: Look) -> Picture:
    figure = Picture(look, 8.0, 4.8)
    handles = _draw(figure.subplots(), ds)
    said = (
        f"Each tuned by {ds.attrs['tries']} runs at most; lines are the medians of {ds.sizes['seed']} seeds, "
        "bands go from the least to the most.",
    )
    frame(figure, escaped(f"Trained on {ds.attrs['problem']}"), said, [Strip("", handles)])
    return figure


def _draw(axes: Axes, ds: xr.Dataset) -> list[Any]:
    steps = ds["step"].values.astype(np.float64)
    measured = ds["measured"].transpose("rule", "seed", "step").values
    finite = measured[np.isfinite(measured)]
    positive = finite[finite > 0]
    if len(positive) == len(finite) and len(finite) and positive.max() > WIDE * positive.min():
        axes.set_yscale("log")
    handles = []
    colours = inks.distinct()
    for i, name in enumerate(ds["rule"].values.tolist()):
        low, median, high = curves.quantiles(measured[i].T, (0.0, 0.5, 1.0))
        colour, dashes = colours[i % len(colours)], inks.STYLES[i // len(colours) % len(inks.STYLES)]
        axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
        line = curves.draw_line(axes, steps, median, color=colour, linestyle=dashes, linewidth=inks.width(1.0))
        line.set_label(escaped(name))
        handles.append(line)
    axes.set_xlabel("step")
    axes.set_ylabel(escaped(str(ds.attrs["measured"])))
    axes.set_xlim(steps[0], steps[-1])
    return handles
