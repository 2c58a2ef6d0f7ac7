"""How a figure looks: mhat's own settings, and over them what the user has set and the styles asked for.

A setting that differs from matplotlib's default counts as the user's. It knows no trace and draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.rcsetup import cycler

from mhat.errors import BadValue, InputFileError, UnknownName

Settings = dict[str, Any]
Style = str | Mapping[str, Any] | Sequence[Any]

# Okabe and Ito's colours, told apart by colour-blind people, in an order whose lightness alternates.
DISTINCT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C510A", "#E69F00", "#56B4E9", "#000000")
DISTINCT_ON_DARK = ("#56B4E9", "#F0A030", "#2FC49B", "#F29BC8", "#B0A4FF", "#F0E442", "#FF6F59", "#FFFFFF")
DARK_PAPER = "#14171c"
SAVED_DPI, BIGGEST, FINEST, NARROW = 150, 50.0, 1200, 5.0

BASE: Settings = {
    "font.family": ["DejaVu Sans"],
    "font.size": 11.0,
    "mathtext.fontset": "dejavusans",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.which": "major",
    "axes.titlelocation": "left",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "figure.titleweight": "bold",
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "savefig.dpi": SAVED_DPI,
    "agg.path.chunksize": 10000,
    "svg.fonttype": "none",
    "svg.hashsalt": "mhat",
    "pdf.fonttype": 42,
}
# Sizes of texts as shares of the size of the font, and colours as steps from the ink (0) to the paper (1).
TEXTS = {
    "figure.titlesize": 13 / 11,
    "axes.titlesize": 1.0,
    "axes.labelsize": 10 / 11,
    "legend.fontsize": 1.0,
    "legend.title_fontsize": 1.0,
    "xtick.labelsize": 10 / 11,
    "ytick.labelsize": 10 / 11,
}
# What shrinks with the texts where a figure is small.
MEASURES = (
    "font.size", "lines.linewidth", "lines.markersize", "axes.linewidth", "grid.linewidth", "axes.titlepad",
    "axes.labelpad",
    *(f"{axis}tick.major.{part}" for axis in "xy" for part in ("width", "size", "pad")),
)  # fmt: skip
INKS = {
    "text.color": 0.0,
    "axes.labelcolor": 0.0,
    "axes.edgecolor": 0.28,
    "xtick.color": 0.28,
    "ytick.color": 0.28,
    "grid.color": 0.83,
}
LIGHT_INK, DARK_INK = "#f2f2f2", "#1a1a1a"
# What matplotlib cannot draw in TeX is not left to the user: our words are not written for it.
FIRM: Settings = {"text.usetex": False, "path.simplify": True}


@dataclass(frozen=True)
class Theme:
    """A look by name: settings, the width of figures in inches if it is a certain one, and how high panels are."""

    settings: Settings
    width: float | None = None
    height: float = 1.0


THEMES = {
    "dark": Theme({"axes.facecolor": DARK_PAPER, "figure.facecolor": DARK_PAPER}),
    # One column of a paper, 80 mm wide, its texts 7 pt high.
    "print": Theme(
        {
            "font.size": 7.0, "lines.linewidth": 1.1, "axes.linewidth": 0.5, "grid.linewidth": 0.35,
            "lines.markersize": 3.5, "savefig.dpi": 300,
            **{f"{axis}tick.major.{part}": size for axis in "xy" for part, size in (("width", 0.5), ("size", 2.5))},
        },
        width=80 / 25.4,
        height=0.52,
    ),
    # For the back of a room.
    "large": Theme(
        {"font.size": 17.0, "lines.linewidth": 3.2, "axes.linewidth": 1.3, "lines.markersize": 9.0}, height=1.2
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Settings of matplotlib to draw with, and the size of the figure in inches if it is not its natural one."""

    settings: Settings = field(default_factory=dict)
    size: tuple[float, float] | None = None
    width: float | None = None
    height: float = 1.0

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Draw with these settings; afterwards those of the user hold again."""
        # Untyped, because matplotlib lists every key in a type of its own that changes from version to version.
        settings: Any = self.settings
        with mpl.rc_context(settings):
            yield

    def smaller(self, share: float) -> Look:
        """Give the same with words and lines so much smaller."""
        if share == 1.0:
            return self
        known = {key: self.settings.get(key, setting(key)) for key in (*TEXTS, *MEASURES)}
        # A text may have a size in words, which follows that of the font.
        shrunk = {key: share * value for key, value in known.items() if not isinstance(value, str)}
        return replace(self, settings={**self.settings, **shrunk})

    def sized(self, width: float, height: float) -> tuple[float, float]:
        """Give the size for a figure whose natural size is known."""
        return self.size or (self.width or width, self.height * height)

    def is_narrow(self, width: float) -> bool:
        """Whether two panels have no room beside each other in a figure of this natural width."""
        return bool(self.sized(width, 1.0)[0] < NARROW * self.settings["font.size"] / BASE["font.size"])


def look_of(style: Style | None = None, size: Any = None, dpi: Any = None) -> Look:
    """Choose the look of a figure of our own.

    `style`: "dark", "print", "large", the name or file of a style of matplotlib, settings, or several of these, of
    which the last wins. `size`: width and height in inches. `dpi`: dots an inch. Raises UnknownName or BadValue.
    """
    named, width, height = _layers(style)
    given = {**_of_the_user((*BASE, *TEXTS, *INKS, "axes.prop_cycle", "figure.figsize", "figure.dpi")), **named}
    if dpi is not None:
        given |= {"figure.dpi": _checked_dpi(dpi), "savefig.dpi": _checked_dpi(dpi)}
    elif "figure.dpi" in given:
        given.setdefault("savefig.dpi", given["figure.dpi"])
    chosen = _checked_size(size) if size is not None else given.get("figure.figsize")
    return Look({**_completed(BASE, given), **FIRM}, tuple(chosen) if chosen is not None else None, width, height)


def look_in(axes: Axes, style: Style | None = None) -> Look:
    """Choose the look of what is drawn into axes of the user's: their settings, and colours unless they chose any."""
    named, *_ = _layers(style)
    paper = {"axes.facecolor": axes.get_facecolor()}
    completed = _completed(paper, {**_of_the_user(("text.color", "axes.prop_cycle")), **named, **paper})
    return Look({**named, **paper, **{key: completed[key] for key in ("text.color", "axes.prop_cycle")}, **FIRM})


def setting(key: str) -> Any:
    """Give a setting that is in force."""
    settings: Any = mpl.rcParams
    return settings[key]


def _of_the_user(keys: Sequence[str]) -> Settings:
    """Give those settings that are no longer matplotlib's own."""
    default: Any = mpl.rcParamsDefault
    return {key: setting(key) for key in keys if setting(key) != default[key]}


def _completed(base: Settings, given: Settings) -> Settings:
    """Lay what is given over a base, and work out what follows from the paper and the size of the font."""
    settings = {**base, **given}
    paper = settings["axes.facecolor"]
    dark = is_dark(paper)
    ink = settings.get("text.color", LIGHT_INK if dark else DARK_INK)
    follows: Settings = {key: mixed(ink, paper, share) for key, share in INKS.items()}
    follows |= {key: share * settings.get("font.size", setting("font.size")) for key, share in TEXTS.items()}
    follows["axes.prop_cycle"] = cycler(color=DISTINCT_ON_DARK if dark else DISTINCT)
    if "axes.grid" not in given:
        # A style without a grid has no colour for one either: it would be white lines on black.
        settings.pop("grid.color", None)
    return {**follows, **settings}


def _layers(style: Style | None) -> tuple[Settings, float | None, float]:
    """Lay styles over each other: settings, and what themes say of width and height."""
    settings: Settings = {}
    width, height = None, 1.0
    several = isinstance(style, Sequence) and not isinstance(style, str)
    layers: Any = style if several else [] if style is None else [style]
    for layer in layers:
        theme = THEMES.get(layer) if isinstance(layer, str) else None
        settings |= theme.settings if theme else _of_matplotlib(layer)
        width, height = (theme.width or width, height * theme.height) if theme else (width, height)
    return settings, width, height


def _of_matplotlib(style: Any) -> Settings:
    if isinstance(style, Mapping):
        return _checked_settings(style)
    if not isinstance(style, str | Path):
        raise BadValue(f"`style` is {style!r}", "Name a style: style='dark', 'print', 'large', or one of matplotlib.")
    if str(style) in matplotlib.style.library:
        known: Any = matplotlib.style.library[str(style)]
        return dict(known)
    if Path(style).suffix == ".mplstyle":
        try:
            read: Any = mpl.rc_params_from_file(style, use_default_template=False)
        except OSError as error:
            raise InputFileError(f"`{style}` could not be read: {error.strerror}", "Name a file that exists.") from None
        return dict(read)
    public = [name for name in matplotlib.style.library if not name.startswith("_")]
    raise UnknownName("style", str(style), [*THEMES, *public])


def _checked_settings(settings: Mapping[str, Any]) -> Settings:
    for key in settings:
        if key not in mpl.rcParams:
            raise UnknownName("setting of matplotlib", str(key), mpl.rcParams)
    try:
        checked: Any = mpl.RcParams(settings)
    except ValueError as error:
        raise BadValue(f"`style` has a value that matplotlib refuses: {error}", "Give it another.") from None
    return dict(checked)


def _checked_size(size: Any) -> tuple[float, float]:
    try:
        numbers = [float(each) for each in size]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 2 or not all(0.5 <= each <= BIGGEST for each in numbers):
        raise BadValue(f"`size` is {size!r}", f"Give width and height in inches, 0.5 to {BIGGEST:g}: size=(8, 5).")
    return numbers[0], numbers[1]


def _checked_dpi(dpi: Any) -> float:
    if not isinstance(dpi, Real) or isinstance(dpi, bool) or not 10 <= float(dpi) <= FINEST:
        raise BadValue(f"`dpi` is {dpi!r}", f"Give the dots an inch, 10 to {FINEST}: dpi=200.")
    return float(dpi)


def mixed(ink: Any, paper: Any, share: float) -> str:
    """Give the colour that lies so far on the way from one colour to another."""
    both = zip(to_rgb(ink), to_rgb(paper), strict=True)
    red, green, blue = ((1 - share) * a + share * b for a, b in both)
    return to_hex((red, green, blue))


def is_dark(colour: Any) -> bool:
    """Whether light ink is read better on a colour."""
    red, green, blue = to_rgb(colour)
    return math.sqrt(0.299 * red**2 + 0.587 * green**2 + 0.114 * blue**2) < 0.5
