"""Small notes above a panel: what of the values it does not show as they are. It knows values and scales alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mhat.figures import inks, scales
from mhat.figures.canvas import SMALL, figure_of
from mhat.figures.looks import NARROW, setting
from mhat.figures.numerals import power_text, rounded
from mhat.figures.scales import Scale
from mhat.figures.wording import count_of

Array = NDArray[np.floating[Any]]


def remark(axes: Axes, text: str) -> None:
    """Write a small note above the right end of a panel, beside the notes that are there."""
    notes = [note for note in axes.texts if note.get_gid() == "remark"]
    if notes:
        notes[0].set_text(f"{notes[0].get_text()}; {text}")
        return
    figure = figure_of(axes)
    if figure is not None and figure.get_size_inches()[0] < NARROW:
        # There is no room for both beside each other: the heading goes above.
        heading = axes.get_title(loc=setting("axes.titlelocation"))
        axes.set_title(heading, pad=setting("axes.titlepad") + inks.font(1.1))
    where: Any = {"transform": axes.transAxes, "ha": "right", "va": "bottom"}
    axes.text(1.0, 1.03, text, fontsize=inks.font(SMALL), color=inks.quiet(), gid="remark", **where)


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
