"""Colours and sizes that are in force: they follow matplotlib's settings, which a look has set. It draws nothing."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_hex
from matplotlib.font_manager import FontProperties

from mhat.figures.looks import is_dark, mixed, setting

_DASHES = ((5, 1.6), (1.2, 1.4), (6, 1.5, 1.2, 1.5), (9, 2), (3, 1, 1, 1, 1, 1))
STYLES: tuple[Any, ...] = ("-", *((0, dashes) for dashes in _DASHES))
VALLEY, CONTOUR = "#2f6ea5", "#3f5f7d"


def ink() -> str:
    """The colour of words."""
    return to_hex(setting("text.color"))


def paper() -> str:
    """The colour behind a panel."""
    return to_hex(setting("axes.facecolor"))


def faded(share: float) -> str:
    """Give the ink, so far faded into the paper: 0 is ink, 1 is paper."""
    return mixed(ink(), paper(), share)


def quiet() -> str:
    """The colour of what is said beside: captions, remarks, lines at zero."""
    return faded(0.28)


def grey() -> str:
    """The colour of a backdrop."""
    return faded(0.5)


def neutral() -> str:
    """The colour of a line that differs from its neighbours by its dashes alone."""
    return faded(0.16)


def distinct() -> tuple[str, ...]:
    """The colours that tell things apart which have no order."""
    cycle = setting("axes.prop_cycle").by_key().get("color", [])
    return tuple(to_hex(colour) for colour in cycle) or (ink(),)


def gradual() -> ListedColormap:
    """Give the colours of an order, without the end of the map that would vanish on the paper."""
    low, high = (0.15, 1.0) if is_dark(paper()) else (0.0, 0.9)
    return ListedColormap(mpl.colormaps[setting("image.cmap")](np.linspace(low, high, 256)))


def ground() -> LinearSegmentedColormap:
    """Give the colours of a map: valleys are blue, and all of it is pale enough for every colour of a path."""
    shares = (0.35, 0.7, 1.0) if is_dark(paper()) else (0.58, 0.83, 1.0)
    return LinearSegmentedColormap.from_list("ground", [mixed(VALLEY, paper(), share) for share in shares])


def contours() -> str:
    """The colour of the lines of a map."""
    return mixed(CONTOUR, paper(), 0.32)


def width(share: float) -> float:
    """Give the width of a line as a share of the usual one."""
    return float(share * setting("lines.linewidth"))


def mark(share: float) -> float:
    """Give the size of a mark as a share of the usual one."""
    return float(share * setting("lines.markersize"))


def font(share: float) -> float:
    """Give the size of a text as a share of the usual one, in points."""
    return float(share * setting("font.size"))


def size_of(text: str) -> float:
    """Give the size that the settings have for texts of a kind, such as `axes.titlesize`, in points."""
    return float(FontProperties(size=setting(text)).get_size_in_points())
