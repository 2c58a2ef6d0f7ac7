"""Claims about a rule, each with its evidence. They know no rule by name and compute nothing but their evidence.

A claim is

    proved      by symbols: the evidence is the steps of the proof
    refuted     by the smallest gradients that break it
    tested      on streams, and it says how many
    computed    a number from a run that anyone can repeat

and says which. What has none of these is not claimed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mhat import landscapes, streams
from mhat.laws import Counterexample
from mhat.notation.decimals import exact

Status = Literal["proved", "refuted", "tested", "computed"]
Over = Literal["", "rms", "mean", "largest"]
# A number that is so near to a short one is that one.
SAME = 1e-6


@dataclass(frozen=True)
class Formula:
    """An expression as a reader wants it: plain text, LaTeX, and MathML where it is known."""

    text: str
    latex: str = ""
    mathml: str = ""


@dataclass(frozen=True)
class Proof:
    """What was shown by symbols, step by step; `source` names whose argument it is.

    Of a law `law` is the name, `rule` the pseudo code, `knobs` those that are no defaults: so it can be asked again.
    """

    steps: tuple[str, ...]
    formula: Formula | None = None
    source: str = ""
    law: str = ""
    rule: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Broken:
    """The smallest gradients found that break it: a law by its name, of a rule given as pseudo code."""

    counterexample: Counterexample
    law: str = ""
    rule: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trials:
    """On how many streams it was seen to hold, of how many steps, and how far it strayed at most, in ulps.

    `law`, `rule` and `knobs` as of a proof; or `runs`, what was tried.
    """

    streams: int
    steps: int
    worst: float = 0.0
    law: str = ""
    rule: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run that anyone can repeat: `rule` is pseudo code or a name, `stream` a stream or landscape by its text.

    What is read is `variable` at `step` (counted from 1), "update" being what x moves by; with `over` the root of the
    mean square ("rms"), the mean of the sizes ("mean") or the largest size of it from that step to the last. Of several
    coordinates it is over all of them, "rms" where nothing is said. `start` is x before step 1, and `value` what was
    read, None where the run only shows a course. Written as text it is the call that repeats it.
    """

    rule: str
    stream: str
    steps: int
    variable: str
    step: int
    knobs: Mapping[str, float] = field(default_factory=dict)
    start: float = 0.0
    over: Over = ""
    value: float | None = None

    def __str__(self) -> str:
        """Write the call that repeats it."""
        rule = f'mhat.rule("""{self.rule}""")' if "def " in self.rule else f'"{self.rule}"'
        start = f", start={exact(self.start)}" if self.start else ""
        knobs = f", knobs={{{', '.join(f'{k!r}: {exact(v)}' for k, v in self.knobs.items())}}}" if self.knobs else ""
        return self._read_from(f'mhat.trace({rule}, "{self.stream}", steps={self.steps}{start}{knobs})')

    def _read_from(self, trace: str) -> str:
        moves = self.variable == "update" and (self.step > 1 or self.over)
        name = 'x.diff("step")' if moves else "x" if self.variable == "update" else self.variable
        read = f"{trace}.{name}.sel(step={self._steps})"
        return {"": read, "rms": f"({read} ** 2).mean() ** 0.5", "mean": f"abs({read}).mean()"}.get(
            self.over, f"abs({read}).max()"
        )

    @property
    def _steps(self) -> str:
        return f"slice({self.step}, None)" if self.over else str(self.step)

    @property
    def command(self) -> str:
        """The command that shows its course; nothing where the rule has no name."""
        if "def " in self.rule:
            return ""
        knobs = "".join(f" -k {name}={exact(value)}" for name, value in self.knobs.items())
        start = f" --start={exact(self.start)}" if self.start else ""
        return f"mhat trace {self.rule} {self.option} --steps {self.steps}{start}{knobs}"

    @property
    def option(self) -> str:
        """How its gradients are named behind a command."""
        base = self.stream.partition(":")[0].strip()
        kind = "landscape" if base in landscapes.names() and base not in streams.names() else "stream"
        return f"--{kind} {self.stream}"


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
    """Write a number as it is read aloud: four digits, no power of ten where none is needed, no noise of the last bits.

    >>> four_digits(692.8005), four_digits(7.2703), four_digits(3.404888e-70), four_digits(2000.0), four_digits(1 - 0.9)
    ('692.8', '7.270', '3.405e-70', '2000', '0.1')
    >>> four_digits(777412.0), four_digits(100000.000001), four_digits(-1e300), four_digits(float("inf"))
    ('777400', '100000', '-1e300', 'infinity')
    """
    value = float(value)
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinity" if value > 0 else "minus infinity"
    rounded = float(f"{value:.4g}") + 0.0
    if abs(value - rounded) <= SAME * abs(value) and len(exact(rounded)) <= 6:
        return exact(rounded)
    if value and not 1e-4 <= abs(rounded) < 1e6:
        return f"{value:.3e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    if abs(rounded) >= 1e4:
        return f"{rounded:.0f}"
    return f"{value:#.4g}".rstrip(".")
