"""A figure as an object of its own: its look, its title and caption, and how it is saved. It knows no trace."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mhat.outputs import check_output, said_of

ENDINGS = (".png", ".pdf", ".svg")
DPI = 150
INK, QUIET, FAINT = "#1a1a1a", "#595959", "#d9d9d9"
TITLE, LABEL, SMALL = 13, 11, 9
PADS: Any = {"w_pad": 0.06, "h_pad": 0.05, "hspace": 0.03, "wspace": 0.03}

# Untyped, because matplotlib lists every key in a type of its own that changes from version to version.
LOOK: Any = {
    "font.family": "DejaVu Sans",
    "font.size": LABEL,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.which": "major",
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.frameon": False,
    "legend.fontsize": LABEL,
    "legend.title_fontsize": LABEL,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "agg.path.chunksize": 10000,
    "text.usetex": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "mhat",
    "pdf.fonttype": 42,
}


class Picture(Figure):
    """A matplotlib Figure that is not known to pyplot: it needs no screen, and is freed like any object.

    A notebook shows a plain Figure only where pyplot has been set up for it. `_repr_png_`, which IPython asks
    every object for, shows this one anywhere.
    """

    def draw(self, renderer: Any) -> None:
        """Draw with the look it was made with, whatever the settings are by now."""
        with mpl.rc_context(LOOK), warnings.catch_warnings():
            # A letter that the font lacks, in a name of the user's, is drawn as a box and needs no warning.
            warnings.filterwarnings("ignore", message="Glyph")
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        return _rendered(self, format="png", dpi=100)


@dataclass(frozen=True)
class Strip:
    """A legend that is laid out from left to right after a word."""

    word: str
    handles: Sequence[Artist]


def blank(width: float, height: float) -> Picture:
    """Make an empty figure, its size in inches; call it within `mpl.rc_context(LOOK)`, as all drawing."""
    figure = Picture(figsize=(width, height), layout=ConstrainedLayoutEngine(**PADS))
    FigureCanvasAgg(figure)
    return figure


def escaped(text: str) -> str:
    """Keep matplotlib from reading math into plain text."""
    return text.replace("$", r"\$")


def frame(figure: Figure, title: str, sentences: Iterable[str] = (), strips: Iterable[Strip] = ()) -> None:
    """Write the title and under it legends in strips, above the panels, and a small caption below them.

    All that is here is measured in inches and kept out of the layout of the panels, which gets the rest.
    """
    width, height = figure.get_size_inches()
    heading = textwrap.wrap(title, int(width * 9), break_long_words=False) or [""]
    figure.text(
        0.01, 1 - 0.08 / height, "\n".join(heading), ha="left", va="top", fontsize=TITLE, fontweight="bold", gid="title"
    )
    top = 0.1 + 0.22 * len(heading)
    for strip in strips:
        top += _lay(figure, strip, top)
    lines = [line for sentence in sentences if sentence for line in textwrap.wrap(sentence, int(width * 14))]
    bottom = 0.04 + 0.155 * len(lines)
    if lines:
        figure.text(
            0.01, 0.04 / height, "\n".join(lines), ha="left", va="bottom", fontsize=SMALL, color=QUIET, gid="caption"
        )
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, bottom / height, 1, 1 - (top + bottom) / height), **PADS))


def _lay(figure: Figure, strip: Strip, top: float) -> float:
    """Draw a strip in rows from the left, so many inches below the upper edge; give its height."""
    width, height = figure.get_size_inches()
    place = 1 - top / height
    word = figure.text(0.01, place - 0.055 / height, strip.word, ha="left", va="top", fontsize=LABEL)
    left = word.get_window_extent().width / figure.dpi + 0.2 if strip.word else 0.06
    longest = max((len(str(handle.get_label())) for handle in strip.handles), default=1)
    columns = max(min(len(strip.handles), int((width - left) / (0.6 + 0.085 * longest))), 1)
    figure.legend(
        handles=strip.handles, loc="upper left", bbox_to_anchor=(left / width, place), ncols=columns,
        handlelength=1.6, columnspacing=1.4, handletextpad=0.6, borderaxespad=0.0, borderpad=0.3,
    )  # fmt: skip
    return 0.06 + 0.24 * -(-len(strip.handles) // columns)


def remark(axes: Axes, text: str) -> None:
    """Write a small note above the right end of a panel, beside the notes that are there."""
    notes = [note for note in axes.texts if note.get_gid() == "remark"]
    if notes:
        notes[0].set_text(f"{notes[0].get_text()}; {text}")
        return
    where: Any = {"transform": axes.transAxes, "ha": "right", "va": "bottom"}
    axes.text(1.0, 1.03, text, fontsize=SMALL, color=QUIET, gid="remark", **where)


def save(figure: Figure, path: str | Path, force: bool = False) -> Path:
    """Save a figure; the ending says how: .png, .pdf, .svg. The same figure gives the same bytes.

    Raises OutputFileError if the file exists (unless `force`) or cannot be written.
    """
    path = check_output(path, ENDINGS, force=force)
    kind = path.suffix.lower()[1:]
    dateless: dict[str, Any] = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    whole = _rendered(figure, format=kind, dpi=DPI, metadata=dateless[kind])
    with said_of(path):
        path.write_bytes(whole)
    return path


def _rendered(figure: Figure, **how: Any) -> bytes:
    """Give the bytes of a file, its layout made once: `savefig` by itself makes it twice, and it takes the longest."""
    buffer = io.BytesIO()
    engine = figure.get_layout_engine()
    with mpl.rc_context(LOOK):
        figure.draw_without_rendering()
        try:
            figure.set_layout_engine("none")
            figure.savefig(buffer, **how)
        finally:
            figure.set_layout_engine(engine)
    return buffer.getvalue()
