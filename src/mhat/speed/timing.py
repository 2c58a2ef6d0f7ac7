"""Timings of candidates that take turns, so that what slows the machine slows all of them. It knows no candidate."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

Run = Callable[[], object]

REPEATS = 7
LASTING = 0.1
MOST_CALLS = 100_000


@dataclass(frozen=True)
class Timing:
    """What a candidate took: seconds a call, one number a turn."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Give the median."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Ratio:
    """How two candidates compare: the median of the ratios within a turn, and the least and the largest of them."""

    median: float
    low: float
    high: float


def ratio(over: Timing, under: Timing) -> Ratio:
    """Divide two timings turn by turn."""
    each = [a / b for a, b in zip(over.seconds, under.seconds, strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))


def interleaved(
    candidates: Mapping[str, Run], *, repeats: int = REPEATS, lasting: float = LASTING
) -> dict[str, Timing]:
    """Time candidates in turn, A B C A B C ..., each for about `lasting` seconds a turn.

    Each is called before, so that compilers have compiled and memory has its pages; the garbage collector is off.

    >>> sorted(interleaved({"a": lambda: 1, "b": lambda: 2}, repeats=3, lasting=0.0))
    ['a', 'b']
    """
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    with _without_collector():
        calls = {name: _calls(run, lasting) for name, run in candidates.items()}
        for _ in range(repeats):
            for name, run in candidates.items():
                taken[name].append(_timed(run, calls[name]))
    return {name: Timing(tuple(seconds)) for name, seconds in taken.items()}


def duration(seconds: float) -> str:
    """Write a duration to three digits.

    >>> duration(0.00123), duration(4.56e-6), duration(78.9)
    ('1.23 ms', '4.56 us', '78.9 s')
    """
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        value = float(f"{seconds / size:.3g}")
        if value >= 1 or unit == "ns":
            break
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:g} {unit}"


def times(values: Sequence[float]) -> str:
    """Write ratios: two digits behind the point where they are small, none where they are large."""
    return " - ".join(f"{value:.2f}" if value < 100 else f"{value:,.0f}" for value in values)


def _calls(run: Run, lasting: float) -> int:
    """Warm a candidate up, and choose how often it is called in a turn."""
    run()
    once = _timed(run, 1)
    if once >= lasting:
        return 1
    few = max(1, min(math.ceil(lasting / 10 / max(once, 1e-9)), MOST_CALLS))
    once = _timed(run, few)
    return max(1, min(math.ceil(lasting / max(once, 1e-9)), MOST_CALLS))


def _timed(run: Run, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


@contextmanager
def _without_collector() -> Iterator[None]:
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
