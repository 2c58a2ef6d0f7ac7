"""Rings over the curves of a trace: what a formula says they are. It knows no formula, only its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

# About so many rings stand on a curve.
RINGS = 12
NOTE = "\N{WHITE CIRCLE} closed form"


def mark_formulas(figure: Figure, ds: xr.Dataset, values: Mapping[str, Sequence[float]]) -> Figure:
    """Draw rings where formulas say that the curves of a trace are, a number a step and a variable."""
    marked = False
    for axes in figure.axes:
        for line in axes.get_lines():
            name = str(line.get_label()).removeprefix("_")
            curve = np.asarray(line.get_ydata(), dtype=float)
            if name not in values or len(curve) != len(values[name]):
                continue
            predicted = np.asarray(values[name], dtype=float)
            if not np.allclose(curve, ds[name].values, equal_nan=True):
                # Second moments are drawn as their roots.
                predicted = np.sqrt(np.abs(predicted))
            places = np.unique(np.linspace(0, len(curve) - 1, RINGS).round().astype(int))
            steps = np.asarray(line.get_xdata())[places]
            axes.plot(
                steps, predicted[places], "o", color=line.get_color(), markerfacecolor=axes.get_facecolor(), zorder=5
            )
            marked = True
    if marked:
        figure.axes[0].set_title(NOTE, loc="right", fontsize="small")
    return figure
