"""A figure as an object of its own: its title, legends and caption, and how it is saved. It knows no trace."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mhat.errors import BadValue
from mhat.figures import inks
from mhat.figures.looks import Look, setting
from mhat.outputs import beside, check_output, said_of

ENDINGS = (".png", ".pdf", ".svg")
PADS: Any = {"w_pad": 0.06, "h_pad": 0.05, "hspace": 0.03, "wspace": 0.03}
# How far texts stand from the edge, in inches, and what a line and a legend take, in inches a point of their size.
EDGE, LINE, ENTRY = 0.09, 1.22 / 72, 1.57 / 72
SMALL = 9 / 11
# What a panel takes with its heading and the words around it, in sizes of the font; and the shares of a figure that
# matplotlib's own margins leave a grid before it is laid out.
PANEL_WIDTH, PANEL_HEIGHT, MAP_WIDTH, MAP_HEIGHT = 14.0, 6.5, 18.0, 18.0
LABELS, LEGEND = 5.0, 6.0
GRID_WIDTH, GRID_HEIGHT = 0.775, 0.77
# Smaller words, in points, are not read.
SMALLEST = 4.0
# So many times the usual height is no longer a page.
HIGHEST = 4.0


class Picture(Figure):
    """A matplotlib Figure that is not known to pyplot: it needs no screen, and is freed like any object.

    A notebook shows a plain Figure only where pyplot has been set up for it. `_repr_png_`, which IPython asks
    every object for, shows this one anywhere.
    """

    def __init__(self, look: Look, width: float, height: float) -> None:
        super().__init__(figsize=look.sized(width, height), layout=ConstrainedLayoutEngine(**PADS))
        self.look = look
        # What words take above and below the panels, in inches.
        self.margins = (0.0, 0.0)
        FigureCanvasAgg(self)

    def draw(self, renderer: Any) -> None:
        """Draw with the look it was made with, whatever the settings are by now."""
        with self.look.in_force(), warnings.catch_warnings():
            # A letter that the font lacks, in a name of the user's, is drawn as a box and needs no warning.
            warnings.filterwarnings("ignore", message="Glyph")
            super().draw(renderer)

    def cell_of(self, axes: Axes) -> tuple[float, float]:
        """Give about the width and height in inches that a panel will have, with the words around it."""
        width, height = self.get_size_inches()
        place = axes.get_position(original=True)
        return width * place.width / GRID_WIDTH, (height - sum(self.margins)) * place.height / GRID_HEIGHT

    @property
    def room(self) -> tuple[float, float]:
        """Give what the narrowest and the lowest panel have, as shares of what they take: below 1 words overlap."""
        em = inks.font(1.0) / 72
        beside, below = 1.0, 1.0
        for axes in self.axes:
            if axes.get_subplotspec() is not None and axes.get_visible():
                width, height = self.cell_of(axes)
                is_map = axes.get_aspect() != "auto"
                wide = MAP_WIDTH if is_map else PANEL_WIDTH + (LEGEND if axes.get_legend() else 0.0)
                beside = min(beside, width / (em * wide))
                below = min(below, height / (em * (MAP_HEIGHT if is_map else PANEL_HEIGHT)))
        return beside, below

    def _repr_png_(self) -> bytes:
        return _rendered(self, format="png", dpi=self.dpi)


@dataclass(frozen=True)
class Strip:
    """A legend that is laid out from left to right after a word."""

    word: str
    handles: Sequence[Artist]


def fitted(look: Look, draw: Callable[[Look], Picture]) -> Picture:
    """Draw with a look, and again where words leave the panels no room: higher, or smaller where the size is given.

    Raises BadValue for a size asked for in which nobody could read the words.
    """
    smallest = min(SMALLEST / look.settings["font.size"], 1.0)
    share = 1.0
    while True:
        smaller = look.smaller(share)
        with smaller.in_force():
            figure = draw(smaller)
            beside, below = figure.room
        if min(beside, below) >= 1.0:
            return figure
        if look.size is None and beside >= 1.0 and look.height < HIGHEST:
            look = replace(look, height=min(look.height / max(below, 0.5), HIGHEST))
        elif share > smallest:
            share = max(share * max(min(beside, below), 0.5), smallest)
        elif look.size is None:
            return figure
        else:
            break
    width, height = figure.get_size_inches()
    # With words as small as they may be, so much more is needed; and a little, for the words do not shrink alike.
    more = 1.15 / max(min(beside, below), 0.2)
    larger = ", ".join(f"{math.ceil(2 * more * inches) / 2:g}" for inches in (width, height))
    panels = "1 panel has" if len(figure.axes) == 1 else f"{len(figure.axes)} panels have"
    raise BadValue(
        f"{panels} no room on {width:g} by {height:g} inches",
        f"Make the figure larger, size=({larger}), or draw fewer variables.",
    )


def escaped(text: str) -> str:
    """Keep matplotlib from reading math into plain text."""
    return text.replace("$", r"\$")


def frame(figure: Figure, title: str, sentences: Iterable[str] = (), strips: Iterable[Strip] = ()) -> None:
    """Write the title and under it legends in strips, above the panels, and a small caption below them.

    All that is here is measured in inches and kept out of the layout of the panels, which gets the rest.
    """
    width, height = figure.get_size_inches()
    large, small = inks.size_of("figure.titlesize"), inks.font(SMALL)
    weight = setting("figure.titleweight")
    heading = broken(figure, title, fontsize=large, fontweight=weight)
    figure.text(
        EDGE / width, 1 - 0.08 / height, "\n".join(heading), ha="left", va="top", fontsize=large, fontweight=weight,
        gid="title",
    )  # fmt: skip
    top = 0.1 + LINE * large * len(heading) if title else 0.04
    for strip in strips:
        top += _lay(figure, strip, top)
    lines = [line for sentence in sentences if sentence for line in broken(figure, sentence, fontsize=small)]
    bottom = 0.04 + LINE * small * len(lines)
    if isinstance(figure, Picture):
        figure.margins = (top, bottom)
    if lines:
        figure.text(
            EDGE / width, 0.04 / height, "\n".join(lines), ha="left", va="bottom", fontsize=small,
            color=inks.quiet(), gid="caption",
        )  # fmt: skip
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, bottom / height, 1, 1 - (top + bottom) / height), **PADS))


def broken(figure: Figure, text: str, room: float | None = None, **look: Any) -> list[str]:
    """Break a text between words into lines that fit so many inches, or the figure."""
    room = figure.get_size_inches()[0] - 2 * EDGE if room is None else room
    space = width_of(figure, "n", **look)
    lines: list[list[str]] = [[]]
    used = 0.0
    for word in text.split():
        wide = width_of(figure, word, **look)
        if lines[-1] and used + wide > room:
            lines.append([])
            used = 0.0
        lines[-1].append(word)
        used += wide + 0.5 * space
    return [" ".join(words) for words in lines]


def width_of(figure: Figure, text: str, **look: Any) -> float:
    """Measure a text, in inches."""
    return extent_of(figure, text, **look)[0]


def extent_of(figure: Figure, text: str, **look: Any) -> tuple[float, float]:
    """Measure the width and height of a text, in inches."""
    artist = figure.text(0, 0, text, **look)
    box = artist.get_window_extent()
    artist.remove()
    return float(box.width) / figure.dpi, float(box.height) / figure.dpi


def _lay(figure: Figure, strip: Strip, top: float) -> float:
    """Draw a strip in rows from the left, so many inches below the upper edge; give its height."""
    width, height = figure.get_size_inches()
    size = inks.size_of("legend.fontsize")
    place = 1 - top / height
    figure.text(EDGE / width, place - 0.005 * size / height, strip.word, ha="left", va="top", fontsize=size)
    left = EDGE + (width_of(figure, strip.word, fontsize=size) + 0.008 * size if strip.word else 0.0)
    longest = max((width_of(figure, str(handle.get_label()), fontsize=size) for handle in strip.handles), default=1.0)
    columns = max(min(len(strip.handles), int((width - left) / (0.055 * size + longest))), 1)
    rows = -(-len(strip.handles) // columns)
    # Matplotlib fills a legend column by column; people read it row by row.
    read = [strip.handles[i] for column in range(columns) for i in range(column, len(strip.handles), columns)]
    figure.legend(
        handles=read, loc="upper left", bbox_to_anchor=(left / width, place), ncols=columns,
        handlelength=1.6, columnspacing=1.4, handletextpad=0.6, borderaxespad=0.0, borderpad=0.3,
    )  # fmt: skip
    return 0.06 + ENTRY * size * rows


def figure_of(axes: Axes) -> Figure | None:
    """Give the figure that axes stand in, through any figures within it."""
    figure: Any = axes.figure
    while isinstance(figure, SubFigure):
        figure = figure.figure
    return figure if isinstance(figure, Figure) else None


def save(figure: Figure, path: str | Path, force: bool = False) -> Path:
    """Save a figure; the ending says how: .png, .pdf, .svg. The same figure gives the same bytes.

    The file is whole or not there: it takes its name when all of it is written. Raises OutputFileError if the file
    exists (unless `force`) or cannot be written.
    """
    path = check_output(path, ENDINGS, force=force)
    kind = path.suffix.lower()[1:]
    dateless: dict[str, Any] = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    dpi = figure.look.settings["savefig.dpi"] if isinstance(figure, Picture) else setting("savefig.dpi")
    whole = _rendered(figure, format=kind, dpi=dpi, metadata=dateless[kind])
    with said_of(path), beside(path, force=force) as partial:
        partial.write_bytes(whole)
    return path


def _rendered(figure: Figure, **how: Any) -> bytes:
    """Give the bytes of a file, its layout made once: `savefig` by itself makes it twice, and it takes the longest."""
    buffer = io.BytesIO()
    engine = figure.get_layout_engine()
    # Of a figure of the user's only what the file must have: words as text, and the same bytes every time.
    look = figure.look if isinstance(figure, Picture) else Look({"svg.fonttype": "none", "svg.hashsalt": "mhat"})
    with look.in_force():
        figure.draw_without_rendering()
        try:
            figure.set_layout_engine("none")
            figure.savefig(buffer, **how)
        finally:
            figure.set_layout_engine(engine)
    return buffer.getvalue()
