"""Try candidates joined from two lists on the register machine, on all processors. It knows no edit and no order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from mhat.mistakes.parts import Anatomy
from mhat.search.effort import Effort, processors
from mhat.search.machine import instructions, running
from mhat.search.machine.code import Coder
from mhat.search.machine.views import MODES, View, views_of
from mhat.search.matching import Matcher, loose_bound
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
Changes = Mapping[Any, Any]
# How many parents are tried between two looks at the clock, and how many instructions of candidates at most.
BLOCK, WORK = 16, 16_000_000
# How many tiles are tried ahead of what is asked for, on each processor.
AHEAD = 4


class Tile(NamedTuple):
    """What is tried between two looks at the clock: some parents with some singles."""

    parents: slice
    singles: slice


class Joiner:
    """Judges candidates of one tree against one observation, in compiled code. Raises NotCodedError for some trees."""

    def __init__(self, anatomy: Anatomy, matcher: Matcher, knobs: Mapping[str, float], effort: Effort) -> None:
        self.effort = effort
        self.coder = Coder(anatomy, tuple(knobs))
        self.seen = views_of(matcher, self.coder, knobs)
        made = Observed(matcher.observed.probes, matcher.evaluator.run(anatomy.tree))
        self.own = views_of(Matcher(made, loose_bound(made, "float64")), self.coder, knobs)
        whole = self.seen["whole"]
        assert whole is not None
        with effort.paused():
            # Asked for nothing, it is compiled, or loaded, once for all.
            self._round([{}], [{}], instructions.MATCH, whole).judged(Tile(slice(0, 0), slice(0, 1)))

    def can(self, changes: Changes) -> bool:
        """Whether the machine can run a candidate."""
        return self.coder.can(changes)

    def mixes(self, changes: Changes) -> bool:
        """Whether a candidate reduces over a tensor where the rule does not."""
        return self.coder.mixing(changes)

    def scores(self, parents: Sequence[Changes], singles: Sequence[Changes], until: float) -> Array:
        """Say how much each parent explains joined with each single; -1 where they cannot be, or time was up."""
        return self._table(parents, singles, instructions.SCORE, self.seen["whole"], until, -1.0)

    def matches(
        self, parents: Sequence[Changes], singles: Sequence[Changes], until: float, view: View = "whole", *,
        ranked: bool = False, counted: str = "",
    ) -> Iterator[tuple[int, int]]:  # fmt: skip
        """Yield which parents agree joined with which singles.

        `ranked`: both lists are one, and each pair is tried once. `counted`: as what they count among the tried.
        """
        for tile, agree in self._judged(parents, singles, MODES[view], self.seen[view], until, ranked, counted):
            for i, j in np.argwhere(agree == 1):
                yield tile.parents.start + int(i), tile.singles.start + int(j)

    def prints(self, singles: Sequence[Changes], until: float, view: View = "whole") -> Array:
        """Give each single a number that those have in common which do the same; NaN where time was up."""
        return np.asarray(self._table([{}], singles, instructions.PRINT, self.seen[view], until, np.nan)[0])

    def unseen(self, singles: Sequence[Changes], view: View, until: float) -> Array:
        """Tell which singles do not show: with them the rule looks as without."""
        return np.asarray(self._table([{}], singles, MODES[view], self.own[view], until, 0.0)[0] == 1)

    def _table(
        self, parents: Sequence[Changes], singles: Sequence[Changes], mode: int, seen: instructions.Seen | None,
        until: float, unknown: float,
    ) -> Array:  # fmt: skip
        """Give what is found of each parent with each single, and `unknown` where time was up."""
        table = np.full((len(parents), len(singles)), unknown, dtype=np.float64)
        for tile, part in self._judged(parents, singles, mode, seen, until):
            table[tile.parents, tile.singles] = part
        return table

    def _judged(
        self, parents: Sequence[Changes], singles: Sequence[Changes], mode: int, seen: instructions.Seen | None,
        until: float, ranked: bool = False, counted: str = "",
    ) -> Iterator[tuple[Tile, Array]]:  # fmt: skip
        """Yield tile by tile what is found, in order, until time is up."""
        if seen is None or not parents or not singles:
            return
        entered = self._round(parents, singles, mode, seen, ranked)
        stopped = Event()

        def judged(tile: Tile) -> Array | None:
            if stopped.is_set() or self.effort.late(until):
                return None
            with self.effort.beside():
                return entered.judged(tile)

        with ThreadPoolExecutor(processors()) as pool:
            try:
                for tile, part in _in_order(pool, judged, entered.tiles()):
                    if part is None:
                        self.effort.ends(until)
                        return
                    self.effort.count(counted, int((part >= 0).sum()))
                    yield tile, part
            finally:
                stopped.set()

    def _round(
        self, parents: Sequence[Changes], singles: Sequence[Changes], mode: int, seen: instructions.Seen,
        ranked: bool = False,
    ) -> _Round:  # fmt: skip
        first, second = self.coder.changes(parents), self.coder.changes(singles)
        code, longest = self.coder.code(seen.width), self.coder.longest(first, second)
        return _Round(code, seen, self.coder.base, first, second, mode, ranked, longest)


@dataclass(frozen=True)
class _Round:
    """Two lists of changes that are to be joined, written as code."""

    code: instructions.Code
    seen: instructions.Seen
    base: Array
    parents: instructions.Changes
    singles: instructions.Changes
    mode: int
    ranked: bool
    longest: int  # how many instructions a step has at most

    def tiles(self) -> Iterator[Tile]:
        """Cut the table of parents and singles into tiles, parents first."""
        count, many = len(self.parents.begins) - 1, len(self.singles.begins) - 1
        width = max(WORK // (BLOCK * max(self.longest, 1)), 1)
        for at in range(0, count, BLOCK):
            for beside in range(0, many, width):
                tile = Tile(slice(at, min(at + BLOCK, count)), slice(beside, min(beside + width, many)))
                if not self.ranked or tile.singles.stop > at + 1:
                    yield tile

    def judged(self, tile: Tile) -> Array:
        """Judge every parent of a tile joined with every single of it."""
        first, last = tile.parents.start, tile.parents.stop
        firsts = np.zeros(last - first, dtype=np.int64)
        if self.ranked:
            firsts += np.clip(np.arange(first, last) + 1 - tile.singles.start, 0, None)
        parents = self.parents._replace(begins=self.parents.begins[first : last + 1])
        singles = self.singles._replace(begins=self.singles.begins[tile.singles.start : tile.singles.stop + 1])
        return np.asarray(
            running.judging(self.code, self.seen, self.base, parents, singles, firsts, self.mode, self.longest)
        )


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Tile], Array | None], tiles: Iterable[Tile]
) -> Iterator[tuple[Tile, Array | None]]:
    """Have tiles worked on, not too far ahead of what is asked for, and yield what comes in their order."""
    waiting: deque[tuple[Tile, Future[Array | None]]] = deque()
    for tile in tiles:
        waiting.append((tile, pool.submit(work, tile)))
        if len(waiting) > AHEAD * processors():
            done, future = waiting.popleft()
            yield done, future.result()
    for done, future in waiting:
        yield done, future.result()
