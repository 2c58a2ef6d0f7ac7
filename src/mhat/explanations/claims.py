"""Claims about a rule, each with its evidence. They know no rule by name and compute nothing but their evidence.

A claim is

    proved      by symbols: the evidence is the steps of the proof
    refuted     by the smallest gradients that break it
    tested      on streams, and it says how many
    computed    a number from a run that anyone can repeat

and says which. What has none of these is not claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mhat.laws import Counterexample
from mhat.notation.decimals import exact

Status = Literal["proved", "refuted", "tested", "computed"]


@dataclass(frozen=True)
class Formula:
    """An expression as a reader wants it: plain text, LaTeX, and MathML where it is known."""

    text: str
    latex: str = ""
    mathml: str = ""


@dataclass(frozen=True)
class Proof:
    """What was shown by symbols, step by step; `source` names whose argument it is."""

    steps: tuple[str, ...]
    formula: Formula | None = None
    source: str = ""


@dataclass(frozen=True)
class Broken:
    """The smallest gradients found that break it."""

    counterexample: Counterexample


@dataclass(frozen=True)
class Trials:
    """On how many streams it was seen to hold, of how many steps, and how far it strayed at most, in ulps."""

    streams: int
    steps: int
    worst: float = 0.0


@dataclass(frozen=True)
class Run:
    """A run that anyone can repeat: `rule` is pseudo code or a name, `stream` a stream or landscape by its text.

    `variable` at `step` (counted from 1) is what is read; `start` is x before step 1.
    """

    rule: str
    stream: str
    steps: int
    variable: str
    step: int
    knobs: Mapping[str, float] = field(default_factory=dict)
    start: float = 0.0


@dataclass(frozen=True)
class Number:
    """A number, the formula that gives it and the source of that; `measured` is the run that shows it, if one does.

    `value` is what the formula gives, and `relative` how far the measured number may lie from it.
    """

    value: float
    formula: Formula | None = None
    source: str = ""
    measured: Run | None = None
    relative: float = 1e-3
    unit: str = ""


@dataclass(frozen=True)
class Comparison:
    """Numbers side by side: the names of the columns, and a row each."""

    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    runs: tuple[Run, ...] = ()


Evidence = Proof | Broken | Trials | Number | Comparison


@dataclass(frozen=True)
class Claim:
    """One sentence about a rule, with what right it is said.

    `topic` groups claims on a page ("lines", "laws", "memory", "knobs", "cost", "why" ...), `about` is what in the
    rule it is about: a line's number, a variable or a knob.
    """

    topic: str
    sentence: str
    status: Status
    evidence: Evidence
    about: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {**asdict(self), "evidence": {"kind": type(self.evidence).__name__.lower(), **asdict(self.evidence)}}


def four_digits(value: float) -> str:
    """Write a number as it is read aloud: four digits, and no power of ten where none is needed.

    >>> four_digits(692.8005), four_digits(7.2703), four_digits(3.404888e-70), four_digits(2000.0), four_digits(0.1)
    ('692.8', '7.270', '3.405e-70', '2000', '0.1')
    """
    rounded = float(f"{value:.4g}")
    if value == rounded and len(exact(value)) <= 6:
        return exact(value)
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return f"{value:#.4g}".rstrip(".")
