"""Small notes above a panel: what of the values it does not show as they are. It knows values and scales alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from mhat.figures import inks, scales
from mhat.figures.canvas import LABELS, LEGEND, SMALL, Picture, broken, extent_of, figure_of, width_of
from mhat.figures.looks import setting
from mhat.figures.numerals import power_text, rounded
from mhat.figures.scales import Scale
from mhat.figures.wording import count_of

Array = NDArray[np.floating[Any]]


def remark(axes: Axes, text: str) -> None:
    """Write a small note above the right end of a panel, after the notes that are there.

    Where there is no room for it beside the heading, the heading goes above it.
    """
    notes = [note for note in axes.texts if note.get_gid() == "remark"]
    if notes:
        text = f"{' '.join(notes[0].get_text().split())}; {text}"
        notes[0].remove()
    figure = figure_of(axes)
    if figure is not None:
        text = _set_apart(figure, axes, text)
    place: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right", "va": "bottom"}
    above = (0.0, setting("axes.titlepad"))
    axes.annotate(text, (1.0, 1.0), above, fontsize=inks.font(SMALL), color=inks.quiet(), gid="remark", **place)


def _set_apart(figure: Figure, axes: Axes, text: str) -> str:
    """Raise the heading above a note that has no room beside it; give the note in lines that fit."""
    side: Any = setting("axes.titlelocation")
    heading = axes.get_title(loc=side)
    size = inks.font(SMALL)
    em = inks.font(1.0) / 72
    if isinstance(figure, Picture):
        room = figure.cell_of(axes)[0] - em * (LABELS + (LEGEND if axes.get_legend() else 0.0))
    else:
        room = float(axes.get_window_extent().width) / figure.dpi
    lines = broken(figure, text, room, fontsize=size)
    used = width_of(figure, heading, fontsize=inks.size_of("axes.titlesize")) + 2 * em if heading else 0.0
    beside = len(lines) == 1 and used + width_of(figure, text, fontsize=size) <= room
    if heading and not beside:
        written = next(each for each in axes.get_children() if isinstance(each, Text) and each.get_text() == heading)
        weight: Any = written.get_fontweight()
        high = 72 * extent_of(figure, "\n".join(lines), fontsize=size)[1]
        axes.set_title(heading, pad=setting("axes.titlepad") + high + 0.4 * size, fontweight=weight)
    return "\n".join(lines)


def say_what_is_missing(axes: Axes, tables: Iterable[tuple[Array, Array]], scale: Scale) -> None:
    """Tell of values, a row of a table a step, that cannot be drawn where they are: not finite, zero or next to it."""
    tables = list(tables)
    if not any(table.size for _, table in tables):
        remark(axes, "no values")
        return
    bad = [(steps, ~np.isfinite(table)) for steps, table in tables]
    count = sum(int(each.sum()) for _, each in bad)
    if count:
        first = min(int(steps[np.argmax(each.any(axis=1))]) for steps, each in bad if each.any())
        remark(axes, f"{count_of(count, 'non-finite value')}, the first at step {first:,}")
    zeros = sum(int((table == 0).sum()) for _, table in tables) if scale.logarithmic else 0
    if zeros:
        remark(axes, f"{count_of(zeros, 'value')} of exactly 0 not on this axis")
    tiny = sum(int(((table != 0) & (np.abs(table) < scales.FLOOR)).sum()) for _, table in tables)
    if tiny:
        where = power_text(scales.FLOOR) if scale.logarithmic else "0"
        remark(axes, f"{count_of(tiny, 'smaller value')} drawn at {where}")


def say_the_dips(axes: Axes, lines: Iterable[tuple[Array, Array]], scale: Scale) -> None:
    """Tell how deep lines go that leave a logarithmic axis for a moment."""
    low = [(steps[below], values[below]) for steps, values in lines for below in [scale.below(values)]]
    dips = [(abs(float(value)), int(step)) for steps, values in low for step, value in zip(steps, values, strict=True)]
    if dips:
        size, step = min(dips)
        remark(axes, f"{count_of(len(dips), 'dip')} below this axis, to {rounded(size, 3)} at step {step:,}")


def say_what_leaves(axes: Axes, lines: Iterable[Array], scale: Scale) -> None:
    """Tell of lines that diverge, which do not set an axis that others need."""
    gone = [float(np.abs(values[above]).max()) for values in lines if (above := scale.above(values)).any()]
    if gone:
        verb = "leaves" if len(gone) == 1 else "leave"
        remark(axes, f"{count_of(len(gone), 'line')} {verb} this axis, up to {rounded(max(gone), 3)}")
