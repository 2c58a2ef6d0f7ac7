"""What a published result is: a claim, where it stands, the numbers that a run finds, and what they teach.

It knows no result by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import xarray as xr

Verdict = Literal["holds", "refuted", "shown"]


@dataclass(frozen=True)
class Number:
    """One number: what it is, what is stated of it, and how far a run may lie from that."""

    what: str
    stated: float
    within: float


@dataclass(frozen=True)
class Found:
    """A number with what a run found."""

    number: Number
    value: float

    @property
    def agrees(self) -> bool:
        """Whether what was found is what is stated."""
        return math.isfinite(self.value) and abs(self.value - self.number.stated) <= self.number.within


@dataclass(frozen=True)
class Result:
    """A published result.

    `claim`: what is said, and in `source` by whom; `verdict`: whether it holds here, is refuted by the numbers, or is
    shown by an example; `numbers`: what a run is to find; `run`: makes the run and gives a value for each number, by
    its words; `picture`: traces to draw, and which variables; `teaches`: what to take away; `repeat`: a command that
    shows it.
    """

    name: str
    claim: str
    source: str
    verdict: Verdict
    numbers: tuple[Number, ...]
    run: Callable[[], Mapping[str, float]]
    picture: Callable[[], tuple[Mapping[str, xr.Dataset], str]]
    teaches: str
    repeat: str = ""

    def found(self) -> tuple[Found, ...]:
        """Run it, and give what was found beside what is stated."""
        values = self.run()
        return tuple(Found(number, float(values[number.what])) for number in self.numbers)

    def to_dict(self, found: tuple[Found, ...]) -> dict[str, Any]:
        """Give it as plain data, with what was found."""
        return {
            "name": self.name,
            "claim": self.claim,
            "source": self.source,
            "verdict": self.verdict,
            "found": [
                {"what": each.number.what, "value": each.value, "stated": each.number.stated,
                 "within": each.number.within, "agrees": each.agrees}
                for each in found
            ],
            "agrees": all(each.agrees for each in found),
            "teaches": self.teaches,
            "repeat": self.repeat,
        }  # fmt: skip
