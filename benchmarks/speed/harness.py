"""Works, candidates and figures: candidates are made, take turns, and are compared with ours. It knows none of them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mhat.speed.timing import LASTING, REPEATS, Ratio, Run, Timing, duration, interleaved, ratio, times

NOISE = 0.1
Make = Callable[[], Run]


@dataclass(frozen=True)
class Aim:
    """What a ratio should come to: at least or at most a bound."""

    sign: str
    bound: float

    def outcome(self, value: float) -> str:
        """Say whether it is reached: yes, no, or missed by less than the noise."""
        over = value / self.bound if self.sign == ">=" else self.bound / value
        return "yes" if over >= 1 else "in the noise" if over >= 1 - NOISE else "no"

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


def at_least(bound: float) -> Aim:
    return Aim(">=", bound)


def at_most(bound: float) -> Aim:
    return Aim("<=", bound)


# An aim of "not slower" is one of a ratio of 1.
NOT_SLOWER = at_least(1.0)


@dataclass(frozen=True)
class Figure:
    """One comparison: `ours` and `peer` as printed, `ratio` with its spread, the aim and what became of it.

    `reads` says what is divided: "peer / ours", or for a limit "limit / ours" or "ours / limit".
    """

    work: str
    against: str
    ours: str
    peer: str
    reads: str
    ratio: Ratio | None
    aim: str = ""
    reached: str = ""

    @property
    def line(self) -> list[str]:
        """Give the figure as a row of a table."""
        middle = [] if self.ratio is None else [times((self.ratio.median,)), times((self.ratio.low, self.ratio.high))]
        return [
            self.work,
            self.ours,
            self.against,
            self.peer,
            *(middle or ["", ""]),
            self.reads,
            self.aim,
            self.reached,
        ]

    def facts(self) -> dict[str, Any]:
        """Give it as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """How a run is made: how often and how long, how large, and which candidate is ours."""

    repeats: int = REPEATS
    lasting: float = LASTING
    shrink: int = 1
    ours: str = "mhat"

    def size(self, full: int) -> int:
        """Give the size of a work, smaller in a quick run."""
        return max(full // self.shrink, 8)


Work = Callable[[Plan], Iterator[Figure]]


def compared(
    work: str,
    makers: Mapping[str, Make],
    plan: Plan,
    aims: Mapping[str, Aim],
    *,
    lasting: float | None = None,
    per: int = 1,
) -> Iterator[Figure]:
    """Make the candidates, time them in turn, and compare each with ours; one that cannot be made is said.

    An aim with the sign `<=` is one of ours / candidate. `per`: how many steps a call makes.
    """
    runs, absent = made(makers)
    taken = interleaved(runs, repeats=plan.repeats, lasting=plan.lasting if lasting is None else lasting)
    runs.clear()
    gc.collect()
    yield from figures(work, taken, plan.ours, aims, per=per)
    for name, why in absent.items():
        yield Figure(work, name, "", "", "", None, str(aims.get(name, "")), why)


def figures(
    work: str, taken: Mapping[str, Timing], ours: str, aims: Mapping[str, Aim], *, per: int = 1
) -> Iterator[Figure]:
    """Compare timings with ours."""
    mine = taken.get(ours)
    for name, timing in taken.items():
        if name == ours:
            continue
        aim = aims.get(name)
        peer = duration(timing.median / per)
        if mine is None:
            yield Figure(work, name, "", peer, "", None, str(aim or ""), "")
            continue
        upside = aim is not None and aim.sign == "<="
        found = ratio(mine, timing) if upside else ratio(timing, mine)
        reads = f"ours / {name}" if upside else f"{name} / ours"
        outcome = aim.outcome(found.median) if aim else ""
        yield Figure(work, name, duration(mine.median / per), peer, reads, found, str(aim or ""), outcome)


def made(makers: Mapping[str, Make]) -> tuple[dict[str, Run], dict[str, str]]:
    """Make candidates and run each once; those that cannot be made or run are left out, each with the reason."""
    runs, absent = {}, {}
    for name, make in makers.items():
        try:
            run = make()
            run()
            runs[name] = run
        # A peer that is not installed or does not know this is no reason to stop.
        except Exception as error:
            absent[name] = reason(error)
            print(f"{name}: {absent[name]}", file=sys.stderr)
    return runs, absent


def reason(error: Exception) -> str:
    """Say in a line why something could not be run."""
    lines = str(error).strip().splitlines()
    return f"not run: {lines[0] if lines else type(error).__name__}"
