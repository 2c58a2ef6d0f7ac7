"""What a search may spend, what it has tried, and to whom it says so. It knows no rule and no edit.

A second here is a second of computing. What a busy machine gives to others does not count, nor what a compiler takes
when it is asked for the first time: how loaded a machine is must not decide what is found. Only where next to nothing
is computed, as when a subject waits for something, time on the wall ends a search.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What is tried and found so far, and which share of the time has gone.
Listener = Callable[[str, float], None]
# A search that gets less of the machine than this is counted as if it got so much: a subject that waits is not waited
# for for ever. A busy machine leaves more.
LEAST_SHARE = 0.02


class Effort:
    """The clock and the account of one search, shared by all that take part in it; made in the thread that searches.

    `cut`: something was left undone, for want of time or of memory. `unrun`: the machine could not run the rule.
    `plain`: it was not asked to, since the rule is one per matrix.
    `tried`: how many of each kind were tried. `whole`: what was tried to its end. `nearest`: what
    explains most so far, in words.
    """

    def __init__(self, seconds: float = math.inf, report: Listener | None = None) -> None:
        self.seconds = seconds
        self.cut = False
        self.unrun = False
        self.plain = False
        self.tried = Counter[str]()
        self.answers = 0
        self.whole: list[str] = []
        self.nearest = ""
        self._report = report
        self._stage = ""
        self._owner = threading.get_ident()
        self._lock = threading.Lock()
        self._began, self._began_on_the_wall = time.thread_time(), time.monotonic()
        self._own = self._others = 0.0

    @property
    def spent(self) -> float:
        """How many seconds have been computed; what several threads do at once counts once."""
        if threading.get_ident() == self._owner:
            self._own = time.thread_time() - self._began
        return max(self._own + self._others, LEAST_SHARE * (time.monotonic() - self._began_on_the_wall))

    def late(self, until: float = math.inf) -> bool:
        """Whether time is up, or a moment of it has passed."""
        return self.spent > min(until, self.seconds)

    def ends(self, until: float = math.inf) -> bool:
        """Whether something is to be ended before it is done; it is noted if so."""
        if not self.late(until):
            return False
        self.cut = True
        return True

    def within(self, seconds: float, until: float = math.inf) -> float:
        """Give the moment so many seconds from now, but no later than another one."""
        return min(self.spent + seconds, until, self.seconds)

    def share(self, share: float, until: float = math.inf) -> float:
        """Give the moment when a share of what is left, up to another moment, will have passed."""
        now = self.spent
        return now + share * (min(until, self.seconds) - now)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do something that does not count."""
        computed, on_the_wall = time.thread_time(), time.monotonic()
        try:
            yield
        finally:
            self._began += time.thread_time() - computed
            self._began_on_the_wall += time.monotonic() - on_the_wall

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Count what a thread computes beside others, one on each processor."""
        began = time.thread_time()
        try:
            yield
        finally:
            with self._lock:
                self._others += (time.thread_time() - began) / processors()

    def begin(self, stage: str) -> None:
        """Say what is tried from now on."""
        self._stage = stage
        self._tell()

    def count(self, kind: str, many: int = 1) -> None:
        """Count what was tried; nothing if it is of no kind."""
        if kind:
            self.tried[kind] += many
        self._tell()

    def _tell(self) -> None:
        if self._report is not None:
            share = self.spent / self.seconds if 0 < self.seconds < math.inf else 0.0
            found = f"{self.answers or 'nothing'} found so far"
            if self.nearest and not self.answers:
                found += f", nearest: {self.nearest}"
            tried = f" ({self._account} tried, {found})" if self.tried else ""
            self._report(f"{self._stage}{tried}", min(share, 1.0))

    @property
    def _account(self) -> str:
        *many, last = [f"{number:,} {kind}" for kind, number in self.tried.items()] or ["nothing"]
        return f"{', '.join(many)} and {last}" if many else last

    @property
    def _more(self) -> str:
        """Say how it is given more time."""
        if not 0 < self.seconds < math.inf:
            return ""
        return f". With `--seconds {2 * self.seconds:g}` (`seconds={2 * self.seconds:g}` in Python) it goes on"

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Say what a search that found nothing has left undone; nothing if it went to its end."""
        said = []
        if self.cut:
            tried = f"{self._account} {'were' if self.tried else 'was'} tried"
            whole = f", {' and '.join(dict.fromkeys(self.whole))} to the end" if self.whole else ""
            said.append(f"the search was cut short after {self.spent:.3g} s of computing: {tried}{whole}{self._more}")
        if self.unrun:
            said.append("the rule has an operation that the quick search lacks: of edits, only single ones were tried")
        if self.plain:
            said.append("the rule is one per matrix: of edits, single ones were tried, and pairs of the likeliest")
        return tuple(said)


def processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
