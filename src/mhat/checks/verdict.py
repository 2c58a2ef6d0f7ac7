"""What a check answers: frozen data with a stable JSON form. It knows no terminal, notebook or subject.

Verdict                 conforms, dialect, knobs, laws, deviation, diagnosis
├── LawFinding          one law: does it hold, the intuition, a counterexample
├── Deviation           where the subject first parts from the rule, and the smallest gradients that show it
│   └── Course          how it goes on from there
└── Diagnosis           the edits that make the rule do what the subject does, as sentences and as a diff
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from mhat.checks.html import html_of
from mhat.language import Rule
from mhat.mistakes.slots import Edit
from mhat.notation.decimals import exact
from mhat.notation.strict_json import text_of

SCHEMA = 1


@dataclass(frozen=True)
class LawFinding:
    """One law asked of a subject."""

    name: str
    holds: bool
    intuition: str
    counterexample: str | None = None


@dataclass(frozen=True)
class Course:
    """How subject and rule go on after the first difference, a value a step in the unit of the deviation.

    `named`: the rule of the diagnosis on the same gradients, if there is one. `repeated`: the last gradient of the
    deviation is given again and again; otherwise the gradients are those of a record.
    """

    gradients: tuple[float, ...]
    got: tuple[float, ...]
    expected: tuple[float, ...]
    named: tuple[float, ...] | None = None
    repeated: bool = True


@dataclass(frozen=True)
class Deviation:
    """The first difference: the step (from 1), its size in ulps of the update, and a shortest sequence that shows it.

    `gradients`, `got` and `expected` belong together, a value a step, in the given `unit`: for parameters the
    steps taken downhill, in learning rates where the rule has one. `tensor` (from 1) says where it was seen when
    several were driven; `start` where x began, `knobs` which were set for it beside those that were told, and
    `beside` how many other coordinates had to be driven in the same tensor.
    """

    step: int
    ulps: float
    gradients: tuple[float, ...]
    got: tuple[float, ...]
    expected: tuple[float, ...]
    unit: str = ""
    tensor: int = 1
    start: float = 0.0
    knobs: dict[str, float] = field(default_factory=dict)
    beside: int = 0
    course: Course | None = None

    @property
    def setting(self) -> str:
        """Say in which tensor, from where, with which knobs and beside what it was seen, as far as it matters."""
        parts = [
            f" in tensor {self.tensor}" if self.tensor > 1 else "",
            f" from x = {exact(self.start)}" if self.start else "",
            f" with {', '.join(f'{name}={exact(value)}' for name, value in self.knobs.items())}" if self.knobs else "",
            f" beside {self.beside} other coordinates" if self.beside else "",
        ]
        return "".join(parts)


@dataclass(frozen=True)
class Diagnosis:
    """A rule that reproduces the subject: the reference with edits applied, an ordinary rule that can be traced."""

    against: str
    rule: Rule
    edits: tuple[Edit, ...]
    knobs: dict[str, float]
    diff: str
    others: tuple[Diagnosis, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each edit."""
        return tuple(edit.sentence for edit in self.edits)


@dataclass(frozen=True)
class Verdict:
    """The answer of a check.

    `knobs` are those the rule was run with, `estimated` those of them that were found out and not told.
    `dialect` names a documented other form that the subject follows. `notes` are findings besides.
    """

    subject: str
    against: str
    paper: str
    conforms: bool
    observe: str = "x"
    dtype: str = "float64"
    dialect: str | None = None
    knobs: dict[str, float] = field(default_factory=dict)
    estimated: dict[str, float] = field(default_factory=dict)
    laws: tuple[LawFinding, ...] = ()
    deviation: Deviation | None = None
    diagnosis: Diagnosis | None = None
    nearest: Diagnosis | None = None
    notes: tuple[str, ...] = ()

    @property
    def broken(self) -> tuple[LawFinding, ...]:
        """The laws that do not hold."""
        return tuple(law for law in self.laws if not law.holds)

    def to_json(self) -> str:
        """Write the verdict as JSON: the keys are the fields; non-finite numbers are the strings nan, inf, -inf."""
        return text_of(as_dict(self), indent=2)

    def _repr_html_(self) -> str:
        return html_of(self)


def as_dict(verdict: Verdict) -> dict[str, Any]:
    """Give a verdict as plain dictionaries and lists."""
    return {
        "schema": SCHEMA,
        "subject": verdict.subject,
        "against": verdict.against,
        "paper": verdict.paper,
        "conforms": verdict.conforms,
        "observe": verdict.observe,
        "dtype": verdict.dtype,
        "dialect": verdict.dialect,
        "knobs": verdict.knobs,
        "estimated": verdict.estimated,
        "laws": [vars(law) for law in verdict.laws],
        "deviation": None if verdict.deviation is None else asdict(verdict.deviation),
        "diagnosis": None if verdict.diagnosis is None else _diagnosis(verdict.diagnosis),
        "nearest": None if verdict.nearest is None else _diagnosis(verdict.nearest),
        "notes": list(verdict.notes),
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "against": diagnosis.against,
        "edits": [{"sentence": edit.sentence, "operator": edit.operator} for edit in diagnosis.edits],
        "knobs": diagnosis.knobs,
        "diff": diagnosis.diff,
        "lines": [list(line) for line in diagnosis.lines],
        "others": [_diagnosis(other) for other in diagnosis.others],
    }
