"""The map of kinship: rules as words, families as colours, an arrow from a rule to what it is with some knobs set.

It runs no rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from mhat.figures import inks
from mhat.figures.canvas import Picture, Strip, fitted, frame
from mhat.figures.looks import Look, Style, look_of, mixed
from mhat.rules.kinship import Identity

Place = tuple[float, float]
# Inches: of a layer, of a row, and the sizes of words as shares of the font.
WIDE, HIGH, NAMES, SETTINGS = 3.5, 0.42, 0.95, 0.62
ROUNDS = 12
# How far from its rule the words of an arrow stand, in layers.
NEAR_TAIL = 0.26
TITLE = "Kinship: an arrow leads from a rule to what it is with these knobs set"
MADE = "Dashed: what a modifier makes of a rule."


@dataclass(frozen=True)
class Arrow:
    """From one rule to another, with what is set; `made`: by a modifier."""

    tail: str
    head: str
    label: str
    made: bool = False


def kinship_map(
    families: Mapping[str, Sequence[str]], identities: Sequence[Identity], *,
    style: Style | None = None, size: Any = None, dpi: Any = None,
) -> Picture:  # fmt: skip
    """Draw which rules are others with some knobs set; `style`, `size`, `dpi` as for `plot`."""
    arrows = _arrows(identities)
    return fitted(look_of(style, size, dpi), lambda look: _drawn(families, arrows, look))


def _arrows(identities: Sequence[Identity]) -> list[Arrow]:
    found: dict[tuple[str, str, bool], list[str]] = {}
    for identity in identities:
        modifier, bracket, inner = identity.rule.partition("(")
        tail = inner.rstrip(")") if bracket else identity.rule
        if tail != identity.same_as:
            label = modifier if bracket else identity.label
            found.setdefault((tail, identity.same_as, bool(bracket)), []).append(label or "always")
    return [Arrow(tail, head, " or ".join(labels), made) for (tail, head, made), labels in found.items()]


def _drawn(families: Mapping[str, Sequence[str]], arrows: Sequence[Arrow], look: Look) -> Picture:
    places = _places(arrows)
    layers, rows = (int(max(place[i] for place in places.values())) + 1 for i in (0, 1))
    figure = Picture(look, 0.6 + WIDE * layers, 1.2 + HIGH * rows)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(-0.02, layers - 0.25)
    axes.set_ylim(rows - 0.4, -0.6)
    family_of = {name: family for family, names in families.items() for name in names}
    shown = [family for family in families if any(family_of.get(name) == family for name in places)]
    palette = (*inks.distinct(), *(mixed(colour, inks.ink(), 0.45) for colour in inks.distinct()))
    colours = {family: palette[i % len(palette)] for i, family in enumerate(shown)}
    ends = {name: _word(axes, name, place, colours[family_of[name]]) for name, place in places.items()}
    # Of several arrows from one rule the words stand one behind the other, those of the flattest last.
    for tail in places:
        own = [arrow for arrow in arrows if arrow.tail == tail]
        own.sort(key=lambda arrow: -abs(places[arrow.head][1] - places[tail][1]))
        for turn, arrow in enumerate(own):
            _arrow(axes, arrow, places, ends, colours[family_of[tail]], turn)
    keys = [Line2D([], [], marker="s", linestyle="", color=colours[family], label=family) for family in shown]
    alone = sorted(set(family_of) - set(places))
    rest = f"No kin is known of {', '.join(alone)}." if alone else ""
    frame(figure, TITLE, [MADE, *([rest] if rest else [])], [Strip("", keys)])
    return figure


def _word(axes: Axes, name: str, place: Place, colour: str) -> float:
    """Write the name of a rule; give where it ends, in units of a layer."""
    size = inks.font(NAMES)
    axes.text(*place, name, color=colour, fontweight="bold", fontsize=size, va="center", ha="left", zorder=3)
    return place[0] + 0.012 + 0.0265 * len(name)


def _arrow(
    axes: Axes, arrow: Arrow, places: Mapping[str, Place], ends: Mapping[str, float], colour: str, turn: int
) -> None:
    """Draw an arrow with what is set beside its tail; `turn`: how many of that tail were drawn before."""
    start, end, bend = _ends(places[arrow.tail], places[arrow.head], ends[arrow.tail], ends[arrow.head])
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=8, linewidth=inks.width(0.45), color=colour, alpha=0.55,
            linestyle=(0, (3, 2)) if arrow.made else "-", connectionstyle=f"arc3,rad={bend}", shrinkA=1, shrinkB=1,
            zorder=1,
        )
    )  # fmt: skip
    along = 0.5 if bend else min(0.6, (NEAR_TAIL + 0.22 * turn) / abs(end[0] - start[0]))
    above = 0.16 if arrow.made and not bend else 0.0
    at = [start[i] + along * (end[i] - start[i]) for i in (0, 1)]
    axes.text(
        at[0] + bend * 0.12, at[1] - above, arrow.label, fontsize=inks.font(SETTINGS), va="center", ha="center",
        zorder=2, color=inks.ink(), bbox={"facecolor": inks.paper(), "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )  # fmt: skip


def _ends(tail: Place, head: Place, tail_ends: float, head_ends: float) -> tuple[Place, Place, float]:
    """Give where an arrow begins and ends, and how it bends: between rules of one layer it goes around."""
    if head[0] == tail[0]:
        down = 1 if head[1] > tail[1] else -1
        return (tail[0] + 0.03, tail[1] + 0.3 * down), (head[0] + 0.03, head[1] - 0.3 * down), 0.25 * down
    if head[0] > tail[0]:
        return (tail_ends, tail[1]), (head[0] - 0.01, head[1]), 0.0
    return (tail[0] - 0.01, tail[1]), (head_ends, head[1]), 0.0


def _places(arrows: Sequence[Arrow]) -> dict[str, Place]:
    """Lay general rules to the left of special ones, each near those that it leads to."""
    names = sorted({name for arrow in arrows for name in (arrow.tail, arrow.head)})
    leads = {name: [a.head for a in arrows if a.tail == name and not a.made] for name in names}
    depth: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max((of(head) for head in leads[name]), default=-1)
        return depth[name]

    last = max(map(of, names))
    layers = [[name for name in names if depth[name] == last - i] for i in range(last + 1)]
    beside: dict[str, set[str]] = {name: set() for name in names}
    for arrow in arrows:
        beside[arrow.tail].add(arrow.head)
        beside[arrow.head].add(arrow.tail)
    rows = max(map(len, layers))
    height = {name: _spread(i, len(layer), rows) for layer in layers for i, name in enumerate(layer)}
    for round_ in range(ROUNDS):
        for layer in layers if round_ % 2 else reversed(layers):
            layer.sort(key=lambda name: sum(height[other] for other in beside[name]) / len(beside[name]))
            height.update({name: _spread(i, len(layer), rows) for i, name in enumerate(layer)})
    return {name: (float(last - depth[name]), height[name]) for name in names}


def _spread(index: int, count: int, rows: int) -> float:
    return (index + 0.5) * rows / count - 0.5
