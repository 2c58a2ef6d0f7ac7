"""Legends: what colours, dashes and bands mean, in at most eight entries. It knows no trace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mhat.figures import inks
from mhat.figures.families import MOST_NAMED, Family, evenly

MOST_ON_A_BAR = 5
BANDED_MEMBERS_WITH_BAND, BANDED_MEMBERS_WITH_PALE_BAND = 5, 1


def of_members(family: Family) -> list[Artist]:
    """Make an entry for each member; of many that are in order, for the ends and the middle."""
    entries: list[Artist] = [
        _swatch(colour, label) for colour, label in zip(family.colours, family.labels, strict=True)
    ]
    if len(entries) <= MOST_NAMED:
        return entries
    return [entries[0], entries[len(entries) // 2], entries[-1]]


def of_runs(labels: Sequence[str], colours: Sequence[str]) -> list[Artist]:
    """Make an entry for each run that has a colour of its own, and one for all others."""
    named: dict[str, list[str]] = {}
    for colour, label in zip(colours, labels, strict=True):
        named.setdefault(colour, []).append(label)
    return [_swatch(colour, each[0] if len(each) == 1 else "others") for colour, each in named.items()]


def of_bands(members: int) -> list[Artist]:
    """Make the entries of bands; there are fewer shades where more members have one."""
    entries: list[Artist] = [Line2D([], [], color=inks.neutral(), linewidth=inks.width(1.0), label="median")]
    if members <= BANDED_MEMBERS_WITH_BAND:
        entries.append(Patch(color=inks.neutral(), alpha=0.5, linewidth=0, label="middle 50 %"))
    if members <= BANDED_MEMBERS_WITH_PALE_BAND:
        entries.append(Patch(color=inks.neutral(), alpha=0.2, linewidth=0, label="middle 90 %"))
    return entries


def _swatch(colour: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, linewidth=inks.width(1.5), label=label)


def beside(axes: Axes, entries: Sequence[Artist]) -> None:
    """Lay a legend to the right of a panel."""
    axes.legend(handles=entries, loc="upper left", bbox_to_anchor=(1.0, 1.04), handlelength=2.6, borderaxespad=0.3)


def inside(axes: Axes, entries: Sequence[Artist]) -> None:
    """Lay a legend into a panel, where it hides least."""
    if entries:
        axes.legend(handles=entries, loc="best")


def add_colour_bar(figure: Figure, family: Family, axes: Sequence[Axes]) -> None:
    """Say what the colours of many members mean: of the ends, the middle and some between."""
    order = np.argsort(np.asarray(family.values or range(len(family.labels))), kind="stable").tolist()
    mappable = ScalarMappable(Normalize(0, max(len(order) - 1, 1)), inks.gradual())
    bar = figure.colorbar(mappable, ax=list(axes), location="right", shrink=min(1.0, 2.0 / len(axes)), pad=0.02)
    told = evenly(len(order), MOST_ON_A_BAR)
    bar.set_ticks(told, labels=[family.labels[order[place]] for place in told])
    bar.ax.set_title(family.title, loc="center", fontsize=inks.size_of("legend.fontsize"))
    bar.outline.set_visible(False)
    bar.ax.grid(False)
