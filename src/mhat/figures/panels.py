"""Which variables stand in one panel: those of one unit. It knows no arrays and no drawing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mhat.figures.units import DIMENSIONLESS, GRADIENT, PARAMETER, Unit, units
from mhat.language.inference import COUNTERS, dependence
from mhat.language.tree import EVALUATION, Tree
from mhat.printers.latex import name_latex

POSITIONS = ("x", EVALUATION, "x_used")
POSITIONS_HEADING = "Parameters"


@dataclass(frozen=True)
class Shown:
    """A variable as it is drawn: itself, or the root of it."""

    name: str
    rooted: bool = False

    @property
    def symbol(self) -> str:
        """The variable in math, without the dollars."""
        # `r_t` has its time in the name already.
        written = name_latex(self.name, "" if self.name.endswith("_t") else "t")
        return rf"\sqrt{{{written}}}" if self.rooted else written

    @property
    def label(self) -> str:
        """What the legend says."""
        return f"${self.symbol}$"


@dataclass(frozen=True)
class Panel:
    """Variables of one unit under one heading; `part` numbers the panels of a unit that has too many for one."""

    plural: str
    single: str
    unit: str
    variables: tuple[Shown, ...]
    part: str = ""

    def heading(self, *, sizes: bool = False) -> str:
        """Say what is in the panel: a variable that is alone by its symbol too, and so that nothing is said twice."""
        if len(self.variables) != 1:
            return f"{self.plural} {self.part}".strip()
        (shown,) = self.variables
        words = "Gradient" if shown.name == "g" else self.single
        symbol = rf"$\left|{shown.symbol}\right|$" if sizes else shown.label
        return words if not sizes and re.sub(r"_t$", "", shown.name) == words.lower() else f"{words} {symbol}"


@dataclass(frozen=True)
class _Kind:
    """A heading, what it is called with a single variable, and its unit in words."""

    heading: str
    single: str
    unit: str


_GRADIENTS = _Kind("Gradient and first moments", "First moment", "unit of $g$")
_ROOTS = _Kind("Roots of second moments", "Root of the second moment", "unit of $g$")
_RATIOS = _Kind("Ratios", "Ratio", "no unit")
_STEPS = _Kind("Steps", "Step", "unit of $x$")
_SCHEDULES = _Kind("Schedules", "Schedule", "no unit")
_OTHERS = _Kind("Other variables", "Other variable", "mixed units")
_POSITIONS = _Kind(POSITIONS_HEADING, "Parameter", "unit of $x$")


def panels(trees: Sequence[Tree | None], names: Iterable[str], negative: Collection[str] = ()) -> list[Panel]:
    """Group variables by unit, from the gradient to the parameter.

    Squares are drawn as their roots, which have the unit of what was squared; not those in `negative`, which
    have no root. Without a tree nothing is known but `g` and `x`; what has two units in two trees has none.
    """
    known = _units_of(trees)
    schedules = _schedules_of(trees)
    groups: dict[_Kind, list[Shown]] = {kind: [] for kind in (_GRADIENTS, _ROOTS, _RATIOS, _STEPS)}
    last: dict[_Kind, list[Shown]] = {kind: [] for kind in (_SCHEDULES, _OTHERS, _POSITIONS)}
    for name in names:
        kind, shown = _place(name, known, schedules, negative)
        (last if kind in last else groups).setdefault(kind, []).append(shown)
    return [
        Panel(kind.heading, kind.single, kind.unit, tuple(group)) for kind, group in {**groups, **last}.items() if group
    ]


def _units_of(trees: Iterable[Tree | None]) -> dict[str, Unit | None]:
    known: dict[str, Unit | None] = {}
    for tree in trees:
        for name, unit in ({"g": GRADIENT, "x": PARAMETER} if tree is None else units(tree)).items():
            known[name] = unit if known.get(name, unit) == unit else None
    return known


def _schedules_of(trees: Iterable[Tree | None]) -> set[str]:
    """Collect the variables that are schedules in every tree that has them."""
    known = [tree for tree in trees if tree is not None]
    found = {name for tree in known for name in _schedules(tree)}
    return {name for name in found if all(name in _schedules(tree) for tree in known if name in tree.variables)}


def _place(
    name: str, known: Mapping[str, Unit | None], schedules: Collection[str], negative: Collection[str]
) -> tuple[_Kind, Shown]:
    unit = known.get(name)
    if unit is None:
        return _OTHERS, Shown(name)
    if unit.is_square and name not in negative:
        return _ROOTS if unit.root() == GRADIENT else _STEPS, Shown(name, rooted=True)
    if unit == PARAMETER:
        return _POSITIONS if name in POSITIONS else _STEPS, Shown(name)
    if unit == DIMENSIONLESS:
        return _SCHEDULES if name in schedules else _RATIOS, Shown(name)
    if unit == GRADIENT:
        return _GRADIENTS, Shown(name)
    words = f"unit of ${unit.latex()}$"
    return _Kind(f"In the {words}", f"In the {words}:", words), Shown(name)


def _schedules(tree: Tree) -> set[str]:
    """Collect the variables that follow from the step number and the knobs alone."""
    allowed = {*COUNTERS, *tree.knob_names}
    reached = dependence(tree)
    return {name for name in tree.variables if name not in ("g", "x") and reached[name] <= allowed}
