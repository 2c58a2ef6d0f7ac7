"""What is found out about a subject: frozen data, which knows no subject and how nothing is shown.

LawFinding      one law: does it hold, the intuition, a counterexample
Deviation       where the subject first parts from the rule, and the smallest gradients that show it
├── Matrices    all entries of the matrices that show it, where the rule is one per matrix
└── Course      how it goes on from there
Diagnosis       the edits that make the rule do what the subject does, as sentences and as a diff
Fix             a change of the user's own file that makes it conform, or why there is none
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mhat.language import Rule
from mhat.mistakes.slots import Edit
from mhat.notation.decimals import exact


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


Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Matrices:
    """The matrices that show a difference, one a step, as rows, and where x began.

    `row` and `column` (from 1) say which entry shows it most: it is the one that the deviation follows.
    """

    gradients: tuple[Matrix, ...]
    got: tuple[Matrix, ...]
    expected: tuple[Matrix, ...]
    start: Matrix
    row: int
    column: int


@dataclass(frozen=True)
class Deviation:
    """The first difference: the step (from 1), its size in ulps of the update, and a shortest sequence that shows it.

    `gradients`, `got` and `expected` belong together, a value a step, in the given `unit`: for parameters the
    steps taken downhill, in learning rates where the rule has one. `tensor` (from 1) says where it was seen when
    several were driven; `start` where x began, `knobs` which were set for it beside those that were told, and
    `called` is its name in the code, `beside` how many other coordinates had to be driven in the same tensor.
    Of `matrices` it follows one entry.
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
    matrices: Matrices | None = None
    called: str = ""

    @property
    def setting(self) -> str:
        """Say in which tensor, from where, with which knobs and beside what it was seen, as far as it matters."""
        parts = [
            f" in tensor {self.tensor}{f' (`{self.called}`)' if self.called else ''}" if self.tensor > 1 else "",
            f" from x = {exact(self.start)}" if self.start and self.matrices is None else "",
            f" with {', '.join(f'{name}={exact(value)}' for name, value in self.knobs.items())}" if self.knobs else "",
            f" beside {self.beside} other coordinates" if self.beside else "",
            f", in row {self.matrices.row} and column {self.matrices.column}" if self.matrices is not None else "",
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
    # Of each edit the places, file and line, in which it stands in the user's code, as far as they were seen; nothing
    # where the subject could not be read.
    places: tuple[tuple[tuple[str, int], ...], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each edit."""
        return tuple(edit.sentence for edit in self.edits)


@dataclass(frozen=True)
class Fix:
    """A change of the user's own file with which the same check passes; or `reason` says why there is none.

    `file` as the user typed it; `diff` is unified. `tried`: how many changes were tried, in how many `seconds`. `kept`:
    where the file is as it was before, once the change was written. `before` and `after` are its bytes.
    """

    file: str = ""
    diff: str = ""
    reason: str = ""
    tried: int = 0
    seconds: float = 0.0
    kept: str = ""
    before: bytes = field(default=b"", repr=False)
    after: bytes = field(default=b"", repr=False)

    @property
    def found(self) -> bool:
        """Whether there is a change."""
        return bool(self.diff)
