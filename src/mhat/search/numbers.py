"""Find the numbers of edits that have one of their own: usual ones, then by least squares. It knows no search."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mhat.search.candidates import Draft, Drawer
from mhat.search.effort import Effort
from mhat.search.knobs import Fitter

Array = np.ndarray[Any, Any]
ROUNDS, PATIENT = 14, 5
NUDGE = 1e-6
# Numbers that people write: of few digits, near one, and counts.
DIGITS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 7.5, 8.0, 9.0)
PLAIN = tuple(float(f"{digit}e{power}") for power in range(-5, 3) for digit in DIGITS)
NEARLY_ONE = (*(i / 100 for i in range(50, 100)), 0.985, 0.995, 0.998, 0.999, 0.9995, 0.9999)
COUNTS = (*map(float, range(2, 41)), 48.0, 50.0, 60.0, 64.0, 80.0, 100.0, 128.0, 200.0, 256.0, 500.0, 1000.0)
# How far a number may be changed at once, as a factor.
STRIDE = math.log(8.0)


class Tuner:
    """Tunes drafts of one rule to one observation."""

    def __init__(self, drawer: Drawer, fitter: Fitter, effort: Effort) -> None:
        self.drawer = drawer
        self.fitter = fitter
        self.effort = effort
        self.matcher = fitter.matcher

    def families(self, drafts: Sequence[Draft]) -> list[list[Draft]]:
        """Group drafts whose edits are the same but for the number; those without a number are left out."""
        groups: dict[str, list[Draft]] = {}
        for draft in drafts:
            if len(draft.edits) == 1 and draft.edits[0].another is not None:
                groups.setdefault(re.sub(r"\d[\d.e+-]*", "#", draft.edits[0].sentence), []).append(draft)
        return list(groups.values())

    def written(self, families: Sequence[Sequence[Draft]]) -> list[Draft]:
        """Give the edits of families with all the numbers that people write but for the usual ones."""
        drafts = []
        for family in families:
            if self.effort.ends():
                break
            usual = {float(draft.edits[0].number or 0.0) for draft in family}
            if all(value.is_integer() for value in usual) and len(usual) > 1:
                numbers: tuple[float, ...] = COUNTS
            else:
                numbers = NEARLY_ONE if all(0.5 < value < 1 for value in usual) else PLAIN
            drafts += [self._with(family[0], 0, value) for value in numbers if value not in usual]
        return drafts

    def ranked(self, families: Sequence[Sequence[Draft]], beside: Sequence[Draft], until: float) -> list[Draft]:
        """Join families with other drafts, at the usual number that errs least; those that err least come first."""
        errors: list[tuple[float, int, Draft]] = []
        for other in beside:
            for family in families:
                if self.effort.ends(until):
                    break
                tried = [joined for draft in family if (joined := draft.joined(other)) is not None]
                least, best = min(((self._error(draft), i) for i, draft in enumerate(tried)), default=(math.inf, 0))
                if math.isfinite(least):
                    errors.append((least, len(errors), tried[best]))
        return [draft for _, _, draft in sorted(errors, key=lambda each: each[:2])]

    def tuned(self, drafts: Sequence[Draft]) -> Iterator[Draft]:
        """Yield drafts with the number at which they agree with all that was observed, those that do with any."""
        for draft in drafts:
            place = next(i for i, edit in enumerate(draft.edits) if edit.another is not None)
            value = self._best(draft, place)
            if value is not None:
                yield self._rounded(draft, place, value)

    def _with(self, draft: Draft, place: int, value: float) -> Draft:
        """Make one edit of a draft anew, with another number."""
        old = draft.edits[place]
        assert old.another is not None
        edit = old.another(value)
        edits = (*draft.edits[:place], edit, *draft.edits[place + 1 :])
        if edit.operator == "literal":
            told = {name: value if number == old.number else number for name, number in draft.literals.items()}
            return replace(draft, edits=edits, literals=told)
        own = self.drawer.anatomy.parts(dict(old.changes))
        parts = {part: filling for part, filling in draft.parts.items() if part not in own}
        return replace(draft, edits=edits, parts=parts | self.drawer.anatomy.parts(dict(edit.changes)))

    def _residual(self, draft: Draft) -> Array | None:
        candidate = self.drawer.candidate(draft)
        return None if candidate is None else self.fitter.residual(candidate.tree, dict(candidate.knobs))

    def _error(self, draft: Draft) -> float:
        residual = self._residual(draft)
        return math.inf if residual is None else float(np.mean(residual**2))

    def _agrees(self, draft: Draft) -> bool:
        candidate = self.drawer.candidate(draft)
        return candidate is not None and self.matcher.agreed(candidate.tree, candidate.knobs) == self.matcher.steps

    def _best(self, draft: Draft, place: int) -> float | None:
        """Improve the number by Gauss-Newton steps on its logarithm; None if the draft agrees with none."""
        value = float(draft.edits[place].number or 1.0)
        residual = self._residual(self._with(draft, place, value))
        if residual is None:
            return None
        begun, stride = math.inf, STRIDE
        for turn in range(ROUNDS):
            if self.effort.ends():
                return None
            error = float(residual @ residual)
            if turn % PATIENT == 0:
                # The right edit is soon fitted far better; the others are not worth the time.
                if error > 0.3 * begun:
                    return None
                begun = error
            nudged = self._residual(self._with(draft, place, value * math.exp(NUDGE)))
            if nudged is None:
                return None
            slope = (nudged - residual) / NUDGE
            steepness = float(slope @ slope)
            if steepness == 0 or error < 1e-26:
                break
            step = min(max(-float(slope @ residual) / steepness, -stride), stride)
            tried = self._residual(self._with(draft, place, value * math.exp(step)))
            if tried is not None and float(tried @ tried) < error:
                value, residual = value * math.exp(step), tried
            elif abs(step) < 1e-10:
                break
            else:
                stride = abs(step) / 4
        return value if self._agrees(self._with(draft, place, value)) else None

    def _rounded(self, draft: Draft, place: int, value: float) -> Draft:
        """Write the number with as few digits as still agree: people choose round numbers."""
        for digits in range(1, 12):
            near = self._with(draft, place, float(f"{value:.{digits - 1}e}"))
            if self._agrees(near):
                return near
        return self._with(draft, place, value)
