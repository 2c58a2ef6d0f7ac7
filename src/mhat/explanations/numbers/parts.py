"""A rule with its knobs in force, taken apart: averages, numerator, denominator, floors, decay, learning rate.

All of it is derived from the tree, or measured on the rule itself; a name counts for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from mhat.explanations.numbers.averages import Average, Changing, averages_of, changing_of
from mhat.explanations.numbers.responses import Floor, Quotient, Response, Responses, Spot, responses_of
from mhat.explanations.numbers.walks import Walked, walk
from mhat.explanations.runs import Setting
from mhat.language import Level, Rule
from mhat.language.recurrences import recurrence_of
from mhat.language.values import value_of
from mhat.language.walking import names_in

Array = np.ndarray[Any, Any]
# By this step every correction of a start at zero is over.
LATE = 10_000_000
# So many steps are looked at in one go, between two leaps to where the states are going.
BLOCK = 120
LEAPS = 3
# A kernel ends where what is left of it is less than this share.
REST = 1e-13
LONGEST_KERNEL = 4000


@dataclass(frozen=True, eq=False)
class Parts:
    """A rule taken apart, `knobs` being all that are in force."""

    rule: Rule
    knobs: Mapping[str, float]

    @cached_property
    def responses(self) -> Responses:
        """How its lines answer to the gradient."""
        return responses_of(self.rule, tuple(sorted(self.knobs.items())))

    @property
    def step(self) -> Response:
        """How its step answers to the gradient."""
        return self.responses.result

    @property
    def quotient(self) -> Quotient | None:
        """A sum of gradients over a size, where the step is one."""
        return self.step.quotient

    @property
    def floors(self) -> tuple[Floor, ...]:
        """What keeps its denominators away from zero."""
        return self.responses.floors

    @cached_property
    def averages(self) -> tuple[Average, ...]:
        """The states that take in the gradient, and what they fade by."""
        return tuple(averages_of(self.rule, self.knobs, self.responses))

    @cached_property
    def changing(self) -> tuple[Changing, ...]:
        """The states that keep another share of themselves at every step: what is settled in the end says nothing."""
        return tuple(changing_of(self.rule, self.responses))

    @property
    def means(self) -> tuple[Average, ...]:
        """Those of the gradients themselves that go on beyond a step."""
        return tuple(each for each in self.averages if not each.squares and each.linear and each.gain > 0)

    @property
    def sizes(self) -> tuple[Average, ...]:
        """Those of squares, of sizes, and their maxima."""
        return tuple(each for each in self.averages if each.squares or each.kind == "maximum")

    @property
    def reads_gradient(self) -> bool:
        """Whether a step depends on the gradient at all."""
        return "g" in self.rule.dependence["return"]

    @property
    def looks_across(self) -> bool:
        """Whether a coordinate looks at others of its tensor."""
        return self.rule.level != Level.COORDINATE

    @cached_property
    def followers(self) -> tuple[str, ...]:
        """The states that begin where x does, and go with it."""
        return tuple(state.name for state in self.rule.tree.states if "x" in names_in(state.start))

    @cached_property
    def holds(self) -> bool:
        """Whether a step is added to x, so that x can be held to see the step alone."""
        recurrence = recurrence_of(self.rule, "x")
        gone = recurrence is not None and names_in(recurrence.gain) <= set(self.knobs)
        return not self.followers and not (gone and recurrence and value_of(recurrence.gain, self.knobs) == 0)

    @cached_property
    def rate(self) -> str | None:
        """The knob that the first steps are proportional to, x being held."""
        gradients = np.array([[0.5, -3.0, 20.0], [1.0, -2.0, 5.0], [-1.0, 7.0, 3.0]])
        single = self.walk(gradients, held=True).moves
        for name, value in self.knobs.items():
            base = value if value else 1.0
            before = single if value else self.walk(gradients, {name: base}, held=True).moves
            twice = self.walk(gradients, {name: 2 * base}, held=True).moves
            moved = np.isfinite(before).all() and np.abs(before).max() > 0
            if moved and np.allclose(twice, 2 * before, rtol=1e-9, atol=0.0):
                return name
        return None

    @property
    def lr(self) -> float:
        """The learning rate in force; 1 where there is none or it is zero, so that steps can be told in it."""
        return (self.knobs[self.rate] if self.rate is not None else 1.0) or 1.0

    @property
    def moving(self) -> Mapping[str, float]:
        """The knobs, the learning rate being 1 where it is zero: so that there is a step to speak of."""
        return {**self.knobs, self.rate: self.lr} if self.rate is not None else self.knobs

    def walk(self, gradients: Array, changed: Mapping[str, float] | None = None, **more: Any) -> Walked:
        """Run it on gradients (T, n), with some knobs changed."""
        held = more.pop("held", False) and self.holds
        return walk(self.rule, {**self.knobs, **(changed or {})}, gradients, held=held, **more)

    def moves(self, gradients: Array, changed: Mapping[str, float] | None = None, **more: Any) -> Array:
        """Give its steps against the gradient in learning rates, x being held so that decay is left out."""
        walked = self.walk(gradients, {**self.moving, **(changed or {})}, held=True, **more)
        return -walked.moves / self.lr

    def each(self, gradients: Array, changed: Mapping[str, float] | None = None) -> Array:
        """Give `moves` of coordinates that are a tensor each, whatever the rule looks at."""
        if not self.looks_across:
            return self.moves(gradients, changed)
        return np.stack([self.moves(column[:, None], changed)[:, 0] for column in gradients.T], axis=1)

    def single(self, gradients: Any, changed: Mapping[str, float] | None = None, **more: Any) -> Array:
        """Give `moves` on one coordinate, (T,)."""
        return self.moves(np.asarray(gradients, dtype=float)[:, None], changed, **more)[:, 0]

    def descend(self, slope: Callable[[Array], Array], start: Array, steps: int) -> Array:
        """Walk down a slope, where the gradient answers to where x is, and give where it ends."""
        x: Array = np.asarray(start, dtype=float)
        states: Mapping[str, Any] | None = None
        with np.errstate(all="ignore"):
            for t in range(1, steps + 1):
                walked = self.walk(slope(x)[None, :], start=x, first=t, states=states)
                x, states = walked.x[0], walked.states
        return x

    @cached_property
    def decay(self) -> float | None:
        """The share of x that a step takes away whatever the gradient is; None where it depends on that."""
        if not self.holds:
            return None
        recurrence = recurrence_of(self.rule, "x")
        if recurrence is not None and names_in(recurrence.gain) <= set(self.knobs):
            return 1 - value_of(recurrence.gain, self.knobs)
        starts = np.array([1.0, 2.0])
        # Without a gradient, and as much with one.
        still, moved = (
            np.concatenate([self.walk(np.full((1, 1), g), start=start).moves[0] for start in starts])
            for g in (0.0, -1.0)
        )
        shares = still / starts
        same = math.isclose(shares[0], shares[1], rel_tol=1e-9, abs_tol=1e-15)
        beside = math.isclose(moved[1] - moved[0], shares[0], rel_tol=1e-6, abs_tol=1e-12)
        return float(-shares[0]) + 0.0 if np.isfinite(shares).all() and same and beside else None

    @cached_property
    def kernel(self) -> Array | None:
        """The weight of each past gradient in what is divided, in learning rates, the newest first.

        It is seen in what one gradient of 1 does among zeros, after all corrections are over. None where the step is
        no sum of gradients, nor one over a size.
        """
        if self.changing or (self.quotient is None and not self.step.is_sum):
            return None
        longest = max((each.gain for each in self.averages if each.linear and not each.squares), default=0.0)
        if longest >= 1:
            return None
        steps = 2 if longest == 0 else min(math.ceil(math.log(REST) / math.log(longest)) + 2, LONGEST_KERNEL)
        if self.quotient is None:
            return self._impulse(None, steps)
        weights = self._impulse(self.quotient.over, steps)
        return weights * self.factor if np.isfinite(weights).all() else None

    def weights_in(self, spot: Spot, steps: int) -> Array:
        """Give the weight of each past gradient in a sum of gradients, the newest first, after all corrections."""
        return self._impulse(spot, steps)

    def _impulse(self, spot: Spot | None, steps: int) -> Array:
        # A rule may take the first gradient for its start: the one that is asked about is the second.
        gradients = np.zeros((steps + 1, 1))
        gradients[1] = 1.0
        told: dict[str, Any] = {"first": LATE, "states": self.begun(1), "held": True}
        if spot is None:
            return self.moves(gradients, first=LATE, states=told["states"])[1:, 0]
        return np.asarray(self.walk(gradients, self.moving, spots=(spot,), **told).spots[0][1:, 0])

    @cached_property
    def factor(self) -> float:
        """What the quotient is multiplied by in the end, in learning rates: 1 for most rules."""
        if self.quotient is None:
            return 1.0
        spots = (self.quotient.over,) if self.quotient.under is None else (self.quotient.over, self.quotient.under)
        walked = self.walk(np.full((4, 1), 1.0), self.moving, spots=spots, held=True, first=LATE, states=self.begun(1))
        over = walked.spots[0][-1, 0]
        whole = np.sign(over) if self.quotient.under is None else over / walked.spots[1][-1, 0]
        factor = float(-walked.moves[-1, 0] / whole / self.lr) if whole else math.nan
        return round(factor, 12) if math.isfinite(factor) else 1.0

    def begun(self, columns: int) -> Mapping[str, Any]:
        """Give the states that are one number a step as they are after a while; the others are not begun yet."""
        per_step = self.rule.dependence.per_step_states
        if not per_step:
            return {}
        walked = self.walk(np.zeros((BLOCK, columns)), first=LATE - BLOCK)
        return {name: value for name, value in walked.states.items() if name in per_step}

    @cached_property
    def steady(self) -> tuple[Mapping[str, Any], Array]:
        """The states where they settle under a constant and an alternating gradient of 1, and those two, (2, 2).

        Averages go to their end by one share a step: they are put there at once, and looked at again.
        """
        gradients = np.ones((BLOCK, 2))
        gradients[1::2, 1] = -1.0
        states: Mapping[str, Any] = self.begun(2)
        first = LATE
        for _ in range(LEAPS):
            seen = []
            for part in np.split(gradients, 3):
                walked = self.walk(part, self.moving, held=True, first=first, states=states)
                states, first = walked.states, first + len(part)
                seen.append(states)
            leaping = {each.state for each in self.averages if each.linear}
            states = {
                name: _limit(*(each[name] for each in seen)) if name in leaping else value
                for name, value in states.items()
            }
        return states, gradients[:2]

    @cached_property
    def answers(self) -> tuple[float, float] | None:
        """The steps in learning rates on a constant and on an alternating gradient of 1; None if they do not settle."""
        if not self.holds:
            return None
        states, gradients = self.steady
        moves = self.moves(np.tile(gradients, (10, 1)), first=LATE + LEAPS * BLOCK, states=states)
        settled = np.isfinite(moves).all() and np.allclose(moves[0], moves[-2], rtol=1e-7, atol=1e-12)
        return (float(moves[0, 0]), float(moves[0, 1])) if settled else None

    @cached_property
    def settled_under(self) -> tuple[float, float] | None:
        """The denominator on a constant and on an alternating gradient of 1, once settled; None if there is none."""
        if self.quotient is None or self.quotient.under is None:
            return None
        states, gradients = self.steady
        spot = (self.quotient.under,)
        walked = self.walk(gradients, self.moving, spots=spot, held=True, first=LATE + LEAPS * BLOCK, states=states)
        return float(walked.spots[0][0, 0]), float(walked.spots[0][0, 1])


def parts_of(setting: Setting) -> Parts:
    """Take a rule apart."""
    return _parts(setting.rule, tuple(sorted(setting.in_force.items())))


@lru_cache(maxsize=128)
def _parts(rule: Rule, knobs: tuple[tuple[str, float], ...]) -> Parts:
    return Parts(rule, dict(knobs))


def _limit(first: Any, second: Any, third: Any) -> Any:
    """Give where three values at equal distances go, if they go there by one share; else the last."""
    a, b, c = (np.asarray(value, dtype=float) for value in (first, second, third))
    with np.errstate(all="ignore"):
        share = (c - b) / (b - a)
        limit = c + (c - b) * share / (1 - share)
    sensible = np.isfinite(limit) & (np.abs(share) < 1 - 1e-9) & (np.abs(c - b) > 1e-12 * np.abs(c))
    return np.where(sensible, limit, c)
