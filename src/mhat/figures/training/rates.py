"""Schedules over the steps: a line each, in one panel. It knows neither rules nor traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mhat.errors import BadValue
from mhat.figures import inks
from mhat.figures.canvas import Picture, Strip, escaped, fitted, frame
from mhat.figures.curves import draw_line
from mhat.figures.looks import Look, Style, look_of
from mhat.figures.scales import apply, fitting

WIDTH, HEIGHT = 7.0, 4.0


def rate_curves(
    rates: Mapping[str, Any],
    title: str = "",
    sentence: str = "",
    *,
    style: Style | None = None,
    size: Any = None,
    dpi: Any = None,
) -> Figure:
    """Draw values over the steps 1, 2, 3 ..., each array under its name; raises BadValue where there is none."""
    lines = {name: np.asarray(values, dtype=np.float64) for name, values in rates.items()}
    if not lines or any(not values.size for values in lines.values()):
        raise BadValue("there is no schedule to draw", "Give one at least: cosine:1e-3,steps=100.")
    return fitted(look_of(style, size, dpi), lambda look: _drawn(lines, title, sentence, look))


def _drawn(lines: Mapping[str, Any], title: str, sentence: str, look: Look) -> Picture:
    figure = Picture(look, WIDTH, HEIGHT)
    colours = inks.distinct()
    looks: list[dict[str, Any]] = [
        # The second of two that coincide is seen over the first.
        {
            "color": colours[place % len(colours)],
            "label": escaped(name),
            "linestyle": (0, (4, 2 + place)) if place else "-",
        }
        for place, name in enumerate(lines)
    ]
    strips = [Strip("", [Line2D([], [], **each) for each in looks])] if len(lines) > 1 else []
    frame(figure, escaped(title), [escaped(sentence)], strips)
    axes = figure.add_subplot()
    for values, each in zip(lines.values(), looks, strict=True):
        draw_line(axes, np.arange(1.0, len(values) + 1), values, **each)
    apply(fitting(list(lines.values()), places=True), axes)
    axes.set_xlabel("step")
    return figure
