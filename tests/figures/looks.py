"""What a figure says and shows, read back from its objects."""

import itertools
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
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


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Name what lies on each other after the layout: panels with the words around them, and the others."""
    figure.canvas.draw()
    panels = [(f"panel {place}", axes.get_tightbbox()) for place, axes in enumerate(figure.axes) if axes.get_visible()]
    others = [(f"legend {place}", each.get_window_extent()) for place, each in enumerate(figure.legends)]
    others += [(str(text.get_gid()), text.get_window_extent()) for text in figure.texts if text.get_gid()]
    pairs = list(itertools.combinations(panels + others, 2))
    for axes in figure.axes:
        heading = axes.get_title(loc="left")
        titles = [each for each in axes.get_children() if isinstance(each, Text) and heading == each.get_text() != ""]
        notes = [text for text in axes.texts if text.get_gid() == "remark"]
        pairs += [(("note", a.get_window_extent()), (heading, b.get_window_extent())) for a in notes for b in titles]
    return [
        (one, other) for (one, a), (other, b) in pairs if a is not None and b is not None and _are_on_each_other(a, b)
    ]


def _are_on_each_other(a: Bbox, b: Bbox) -> bool:
    """Whether boxes share more than the empty margins of letters."""
    common = Bbox.intersection(a, b)
    return common is not None and min(common.width, common.height) > 2.0
