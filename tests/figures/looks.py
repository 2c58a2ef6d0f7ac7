"""What a figure says and shows, read back from its objects."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray


def said(figure: Figure, gid: str) -> str:
    return "".join(text.get_text() for text in figure.texts if text.get_gid() == gid)


def headings(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


def strips(figure: Figure) -> list[list[str]]:
    """The legends above the panels, as texts."""
    return [[text.get_text() for text in found.get_texts()] for found in figure.legends]


def lines(axes: Axes, name: str) -> list[NDArray[Any]]:
    """The heights of the lines of a variable or mark."""
    found = (line for line in axes.lines if name in (line.get_gid(), str(line.get_label()).removeprefix("_")))
    return [np.asarray(line.get_ydata()) for line in found]


def remarks(axes: Axes) -> str:
    return "".join(text.get_text() for text in axes.texts if text.get_gid() == "remark")


def bands(axes: Axes) -> list[str]:
    return [str(band.get_gid()) for band in axes.collections if str(band.get_gid()).startswith("band")]


def drawn(figure: Figure, *, layout: bool = False) -> Figure:
    """Draw a figure for its warnings: all text is typeset; the layout, most of the time, only if asked for."""
    engine = figure.get_layout_engine()
    if not layout:
        figure.set_layout_engine("none")
    figure.canvas.draw()
    figure.set_layout_engine(engine)
    return figure
