"""Try candidates joined from two lists on the register machine, on all processors. It knows no edit and no order.

What they are compared with is one of four views of an observation:

    whole       everything
    eps         huge gradients alone, up to a common factor: neither eps nor the learning rate shows
    squares     pairs of coordinates that differ in signs: nothing that is made of squares shows
    time        ratios between coordinates: nothing that is made of time and knobs alone shows
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Literal

import numpy as np

from mhat.mistakes.parts import Anatomy
from mhat.search.machine import instructions, running
from mhat.search.machine.code import Coder, seen_but_for_squares, seen_but_for_time, seen_by, seen_without_eps
from mhat.search.matching import Matcher, loose_bound
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
Changes = Mapping[Any, Any]
View = Literal["whole", "eps", "squares", "time"]
# How many parents are tried between two looks at the clock.
BLOCK = 16


class Joiner:
    """Judges candidates of one tree against one observation, in compiled code."""

    def __init__(self, anatomy: Anatomy, matcher: Matcher, knobs: Mapping[str, float]) -> None:
        self.coder = Coder(anatomy, tuple(knobs))
        self.seen = self._views(matcher, knobs)
        made = matcher.evaluator.run(anatomy.tree)
        observed = Observed(matcher.observed.probes, made)
        self.own = self._views(Matcher(observed, loose_bound(observed, "float64")), knobs)
        self.tried = 0

    def _views(self, matcher: Matcher, knobs: Mapping[str, float]) -> dict[View, instructions.Seen | None]:
        whole = seen_by(matcher, self.coder, knobs)
        return {
            "whole": whole,
            "eps": seen_without_eps(matcher, whole),
            "squares": seen_but_for_squares(whole, self.coder.mixes),
            "time": seen_but_for_time(whole, self.coder.mixes),
        }

    def can(self, changes: Changes) -> bool:
        """Whether the machine can run a candidate."""
        return self.coder.can(changes)

    def mixes(self, changes: Changes) -> bool:
        """Whether a candidate reduces over a tensor where the rule does not."""
        return self.coder.mixing(changes)

    def scores(self, parents: Sequence[Changes], singles: Sequence[Changes], until: float) -> Array:
        """Say how much each parent explains joined with each single; -1 where they cannot be, or time was up."""
        scores = np.full((len(parents), len(singles)), -1.0, dtype=np.float64)
        for at, found in self._judged(parents, singles, instructions.SCORE, self.seen["whole"], until):
            scores[at : at + len(found)] = found
        return scores

    def matches(
        self,
        parents: Sequence[Changes],
        singles: Sequence[Changes],
        until: float,
        view: View = "whole",
        *,
        ranked: bool = False,
    ) -> Iterator[tuple[int, int]]:
        """Yield which parents agree joined with which singles. `ranked`: both lists are one, each pair once."""
        for at, found in self._judged(parents, singles, MODES[view], self.seen[view], until, ranked):
            for i, j in np.argwhere(found == 1):
                yield at + int(i), int(j)

    def prints(self, singles: Sequence[Changes], until: float) -> Array:
        """Give each single a number that those have in common which do the same."""
        found = np.full(len(singles), np.nan)
        for _, rows in self._judged([{}], singles, instructions.PRINT, self.seen["whole"], until):
            found = rows[0] if len(rows) else found
        return found

    def unseen(self, singles: Sequence[Changes], view: View, until: float) -> Array:
        """Tell which singles do not show: with them the rule looks as without."""
        found = np.zeros(len(singles), dtype=bool)
        for _, row in self._judged([{}], singles, MODES[view], self.own[view], until):
            found = row[0] == 1 if len(row) else found
        return found

    def _judged(
        self,
        parents: Sequence[Changes],
        singles: Sequence[Changes],
        mode: int,
        seen: instructions.Seen | None,
        until: float,
        ranked: bool = False,
    ) -> Iterator[tuple[int, Array]]:
        """Yield block by block what is found, with the number of the first parent of each."""
        if seen is None or not parents or not singles:
            return
        first, second = self.coder.changes(parents), self.coder.changes(singles)
        code, base = self.coder.code(seen.width), self.coder.base
        stopped = Event()

        def judge(at: int) -> tuple[int, Array]:
            count = min(BLOCK, len(parents) - at)
            if stopped.is_set() or time.monotonic() > until:
                return at, np.empty((0, len(singles)), dtype=np.float64)
            firsts = np.arange(at, at + count) + 1 if ranked else np.zeros(count, dtype=np.int64)
            part = first._replace(begins=first.begins[at : at + count + 1])
            return at, running.judging(code, seen, base, part, second, firsts, mode)

        with ThreadPoolExecutor(processors()) as pool:
            try:
                for at, found in pool.map(judge, range(0, len(parents), BLOCK)):
                    self.tried += int((found >= 0).sum())
                    yield at, found
            finally:
                stopped.set()


MODES: dict[View, int] = {
    "whole": instructions.MATCH, "eps": instructions.BLIND, "squares": instructions.RATIO, "time": instructions.RATIO,
}  # fmt: skip


def processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
