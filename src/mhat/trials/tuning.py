"""The knobs of a rule, tuned by so many tries: the learning rate first, then how long averages remember.

It knows no rule by name, and no problem: it is given a score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mhat.language import Rule

Knobs = dict[str, float]
# Decades: how far the first tries of an axis go, and where it is fine enough to look at the next.
RATE, MEMORY, FINE = 1.0, 0.5, 0.2
# A knob from 0 to 1 is a memory if it remembers as long as this says, and is told by 1 minus it.
REMEMBERS = 0.5


@dataclass(frozen=True)
class Try:
    """Knobs that were tried, and what they came to: the less the better."""

    knobs: Knobs
    score: float


@dataclass(frozen=True)
class Tuned:
    """The knobs that did best, all that was tried, and the knobs whose best value lay at the end of what was tried."""

    best: Try
    tries: tuple[Try, ...]
    at_the_end: tuple[str, ...]

    @property
    def moved(self) -> tuple[str, ...]:
        """The knobs of which more than one value was tried."""
        return tuple(name for name in self.best.knobs if len({each.knobs[name] for each in self.tries}) > 1)


@dataclass(frozen=True)
class _Axis:
    """A knob, and how it is moved by decades."""

    name: str
    first: float
    width: float
    memory: bool

    def value(self, decades: float) -> float:
        """Give the knob so many decades away from its default; of a memory, 1 minus it goes so far."""
        if self.memory:
            return _round(1.0 - min(_round((1.0 - self.first) * 10**-decades), 1.0), 6)
        return _round(self.first * 10**decades)


def tuned(rule: Rule, held: Mapping[str, float], tries: int, score: Callable[[Knobs], float]) -> Tuned:
    """Search for the knobs of least score, by `tries` runs: along one knob at a time, in steps that become finer.

    Knobs that are held stay. A score that is not finite is the worst of all.
    """
    axes = axes_of(rule, held)
    done: dict[tuple[float, ...], Try] = {}
    search = _Search(axes, tries, score, done, dict(held))
    search.run()
    best = min(done.values(), key=lambda one: one.score)
    at = next(place for place, one in done.items() if one is best)
    return Tuned(best, tuple(done.values()), tuple(search.ends(at)))


def axes_of(rule: Rule, held: Mapping[str, float]) -> list[_Axis]:
    """List what is tuned of a rule: `lr`, then what averages remember, in the order of the rule."""
    axes: list[_Axis] = []
    for knob in rule.tree.knobs:
        name, default, meaning = knob.name, knob.default, rule.meaning(knob.name)
        # A default that is made of other knobs follows them.
        if name in held or knob.expression is not None or not math.isfinite(default):
            continue
        if name == "lr" and default > 0:
            axes.insert(0, _Axis(name, default, RATE, False))
        elif meaning.is_share and not meaning.closed and REMEMBERS <= default < 1.0:
            axes.append(_Axis(name, default, MEMORY, True))
    return axes


class _Search:
    """The tries so far, and the place of the best."""

    def __init__(
        self, axes: list[_Axis], tries: int, score: Callable[[Knobs], float], done: dict[tuple[float, ...], Try],
        held: Knobs,
    ) -> None:  # fmt: skip
        self.axes, self.tries, self.score, self.done, self.held = axes, tries, score, done, held
        self.place = (0.0,) * len(axes)
        self.widths = [axis.width for axis in axes]

    def run(self) -> None:
        """Try until the tries are used up, or all axes are as fine as is worth it."""
        self._try(self.place)
        self._down()
        while self._left() and any(width >= FINE / 4 for width in self.widths):
            for i, axis in enumerate(self.axes):
                self._along(i)
                # The rate is what matters most: it is known finely before anything else is moved.
                while not axis.memory and self.widths[i] > FINE and self._left():
                    self.widths[i] /= 2
                    self._along(i)
            self.widths = [width / 2 for width in self.widths]

    def _down(self) -> None:
        """Leave where nothing is finite: with ever smaller rates."""
        if not self.axes or self.axes[0].memory:
            return
        while self.done[self.place].score == math.inf and self._left():
            self.place = (self.place[0] - self.widths[0], *self.place[1:])
            self._try(self.place)

    def ends(self, at: tuple[float, ...]) -> list[str]:
        """Name the axes along which nothing was tried beyond the best on one side."""
        ends = []
        for i, axis in enumerate(self.axes):
            tried = [place[i] for place in self.done]
            if len(set(tried)) > 1 and at[i] in (min(tried), max(tried)) and axis.value(at[i]) > 0:
                ends.append(axis.name)
        return ends

    def _along(self, i: int) -> None:
        """Walk along an axis for as long as it goes down."""
        for sign in (1.0, -1.0):
            moved = False
            while self._left():
                place = (*self.place[:i], self.place[i] + sign * self.widths[i], *self.place[i + 1 :])
                if place in self.done or not self._try(place):
                    break
                moved = True
            if moved:
                return

    def _try(self, place: tuple[float, ...]) -> bool:
        """Try a place; whether it is the best so far."""
        knobs = {axis.name: axis.value(at) for axis, at in zip(self.axes, place, strict=True)}
        score = self.score(self.held | knobs)
        before = self.done.get(self.place)
        self.done[place] = Try(self.held | knobs, score if math.isfinite(score) else math.inf)
        if before is not None and not self.done[place].score < before.score:
            return False
        self.place = place
        return True

    def _left(self) -> bool:
        return len(self.done) < self.tries


def _round(value: float, digits: int = 3) -> float:
    """Round to few digits, as people type knobs."""
    return float(f"{value:.{digits}g}")
