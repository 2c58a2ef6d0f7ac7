"""All laws, and what becomes of them for a rule or a run. It knows no rule by name: it asks the rule itself.

A law applies to a rule that keeps it, nearly, on seeded streams. A run then may stray from it twice as
far as the rule does on the same gradients (eps makes it stray a little), and by the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

import numpy as np

from mhat.language import Rule
from mhat.laws import independence, memory, starting, steadiness, stillness, symmetry
from mhat.laws.gradients import parts, seeded, smallest
from mhat.laws.law import Array, Counterexample, Examined, Finding, Law, Measured, Resumed, Run
from mhat.laws.reference import beside, examined_of

FAMILIES: tuple[Callable[[], Iterator[Law]], ...] = (
    starting.family, steadiness.family, symmetry.family, stillness.family, independence.family, memory.family,
)  # fmt: skip


def laws() -> Iterator[Law]:
    """Yield every law, family by family."""
    for family in FAMILIES:
        yield from family()


def hold(
    run: Run,
    rule: Rule,
    *,
    knobs: Mapping[str, float] | None = None,
    tolerance: float = 1e-5,
    accepts: Iterable[str] | None = None,
    free: Iterable[str] | None = None,
    several: bool = False,
    starts: bool = True,
    vectors: bool = True,
    resumed: Resumed | None = None,
) -> list[Finding]:
    """Hold a run against every law that applies to a rule.

    `knobs`: those in force where they are not the rule's defaults. `accepts`: the knobs to pass by name (all),
    `free`: those of them that a law may set (all). `several`: it drives several tensors; `starts`: it takes a
    start other than 0; `vectors`: it sees all coordinates at once; `resumed`: the run with a break.
    """
    known = {**rule.knobs, **(knobs or {})}
    taken = frozenset(rule.knobs if accepts is None else accepts).intersection(rule.knobs)
    changeable = taken if free is None else taken.intersection(free)
    examined = Examined(run, rule, known, taken, changeable, several, starts, vectors, resumed)
    findings = []
    for law in laws():
        if reason(law, examined) is None:
            found = check(law, examined, tolerance)
            findings.append(Finding(law.name, found is None, law.intuition, found))
    return findings


def applies(law: Law, rule: Rule, knobs: Mapping[str, float] | None = None) -> str | None:
    """Give None if a law applies to a rule, else the reason why not."""
    return reason(law, examined_of(rule, knobs))


def reason(law: Law, examined: Examined) -> str | None:
    """Give None if a law can be asked of what is examined, else the reason why not."""
    lacking = law.needs(examined)
    if lacking is not None:
        return lacking
    strays = float(np.max(_seeded_strays(law, _Conditions(beside(examined))), initial=0.0))
    return None if strays <= law.nearly else f"the rule itself does not keep it (it is off by {strays:.2g})"


def check(law: Law, examined: Examined, tolerance: float = 1e-5) -> Counterexample | None:
    """Look for gradients that break a law which applies; give the smallest found, or None."""
    rule_itself = beside(examined)

    def bad(gradients: Array, strays: Array) -> tuple[Measured, Array]:
        measured = law.demand(examined, gradients)
        return measured, measured.errors() > tolerance + 2 * strays

    def breaks(gradients: Array) -> bool:
        return bool(bad(gradients, law.demand(rule_itself, gradients).errors())[1].any())

    streams = seeded(law.kind)
    _, where = bad(streams, _seeded_strays(law, _Conditions(rule_itself)))
    if not where.any():
        return None
    step, column = (int(index) for index in np.argwhere(where)[0])
    found = smallest(law.kind, breaks, step + 1)
    if found is None:
        found = next((part for part in parts(law.kind, step + 1, column) if breaks(part)), streams)
    measured, where = bad(found, law.demand(rule_itself, found).errors())
    if not where.any():
        # It broke once and does not break again: the run remembers what it was given before.
        found, (measured, where) = streams, bad(streams, _seeded_strays(law, _Conditions(rule_itself)))
    return _counterexample(found, measured, where)


def _counterexample(gradients: Array, measured: Measured, where: Array) -> Counterexample:
    places = np.argwhere(where)
    step, column = (int(index) for index in places[0]) if len(places) else (0, 0)
    shown = gradients if measured.whole else gradients[: step + 1]
    listed = tuple(float(row[0]) if len(row) == 1 else tuple(map(float, row)) for row in shown)
    return Counterexample(
        listed,
        step + 1,
        column,
        float(measured.came[step, column]),
        float(measured.expected[step, column]),
        measured.quantity,
        measured.start,
        dict(measured.changed),
        measured.at_most,
    )


class _Conditions:
    """What is examined of a rule itself, equal to any other of the same rule and knobs: a key for a cache."""

    def __init__(self, examined: Examined) -> None:
        self.examined = examined
        self.key = (
            examined.rule, tuple(sorted(examined.knobs.items())), examined.free, examined.several, examined.starts,
            examined.vectors, examined.resumed is None,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Conditions) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=1024)
def _seeded_strays(law: Law, conditions: _Conditions) -> Array:
    """Give how far the rule itself strays from a law on the seeded streams."""
    return law.demand(conditions.examined, seeded(law.kind)).errors()


def table(rules: Iterable[Rule]) -> str:
    """Write which laws apply to which rules: a row a law, a column a rule.

    >>> from mhat.language import rule
    >>> print(table([rule("def sgd(x, g, *, lr=0.1): return x - lr * g")]).splitlines()[1])
    first step             yes
    """
    columns = list(rules)
    width = max(len(law.name) for law in laws()) + 1
    lines = ["".ljust(width) + "  ".join(rule.name for rule in columns)]
    for law in laws():
        cells = ["yes" if applies(law, rule) is None else "-" for rule in columns]
        padded = [cell.ljust(len(rule.name)) for cell, rule in zip(cells, columns, strict=True)]
        lines.append((law.name.ljust(width) + "  ".join(padded)).rstrip())
    return "\n".join(lines)
