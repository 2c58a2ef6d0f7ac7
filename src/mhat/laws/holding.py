"""All laws, and what becomes of them for a rule or a run. It knows no rule by name: it asks the rule itself.

A law applies to a rule that keeps it, nearly, on seeded streams. How far a run may stray from it is derived in
`rounding`; where that is so far that nothing could be seen, as in the small types it may be, the law is not asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mhat.errors import SubjectError, SubjectHangs
from mhat.language import Rule
from mhat.laws import independence, memory, starting, steadiness, stillness, symmetry
from mhat.laws.gradients import seeded
from mhat.laws.law import Array, Compared, Counterexample, Examined, Finding, Law, Run
from mhat.laws.proofs.proof import Proof
from mhat.laws.reference import examined_of
from mhat.laws.rounding import broken, hidden, strays
from mhat.laws.shrinking import smallest

FAMILIES: tuple[Callable[[], Iterator[Law]], ...] = (
    starting.family, steadiness.family, symmetry.family, stillness.family, independence.family, memory.family,
)  # fmt: skip

NO_NUMBERS = "what the rule itself does is no number on the way"


def laws() -> Iterator[Law]:
    """Yield every law, family by family."""
    for family in FAMILIES:
        yield from family()


def hold(
    run: Run,
    rule: Rule,
    *,
    knobs: Mapping[str, float] | None = None,
    dtype: str = "float64",
    accepts: Iterable[str] | None = None,
    free: Iterable[str] | None = None,
    several: bool = False,
    starts: bool = True,
    vectors: bool = True,
) -> list[Finding]:
    """Hold a run against every law that applies to a rule.

    `knobs`: those in force where they are not the rule's defaults. `dtype`: the arithmetic of the run. `accepts`: the
    knobs to pass by name (all), `free`: those of them that a law may set (all). `several`: it drives several tensors;
    `starts`: it takes a start but 0; `vectors`: it sees all coordinates at once.
    """
    taken = frozenset(rule.knobs if accepts is None else accepts).intersection(rule.knobs)
    changeable = taken if free is None else taken.intersection(free)
    examined = Examined(run, rule, {**rule.knobs, **(knobs or {})}, taken, changeable, several, starts, vectors, dtype)
    findings = []
    for law in laws():
        if reason(law, examined) is None:
            try:
                counterexample = check(law, examined)
            except SubjectHangs:
                raise
            except SubjectError:
                # A law may ask for a value of a knob that the run cannot take: then it is not asked.
                continue
            findings.append(Finding(law.name, counterexample is None, law.intuition, counterexample))
    return findings


def applies(law: Law, rule: Rule, knobs: Mapping[str, float] | None = None) -> str | None:
    """Give None if a law applies to a rule, else the reason why not."""
    return reason(law, examined_of(rule, knobs))


def reason(law: Law, examined: Examined) -> str | None:
    """Give None if a law can be asked of what is examined, else the reason why not."""
    lacking = law.needs(examined)
    if lacking is not None:
        return lacking
    strayed = strays(law, examined)
    if math.isnan(strayed):
        return NO_NUMBERS
    if strayed > law.nearly:
        return f"the rule itself does not keep it (it is off by {strayed:.2g})"
    return f"rounding hides it in {examined.dtype}" if hidden(law, examined) else None


def check(law: Law, examined: Examined) -> Counterexample | None:
    """Look for gradients that break a law which applies; give the smallest found, or None."""
    tried = (_broken_by(law, turn) for turn in law.turns(examined))
    return next((counterexample for counterexample in tried if counterexample is not None), None)


def refuted(law: Law, examined: Examined) -> Counterexample | None:
    """Look for the smallest gradients on which a rule itself does not nearly keep a law; None if there are none."""
    tried = (_strayed_by(law, turn) for turn in law.turns(examined))
    return next((counterexample for counterexample in tried if counterexample is not None), None)


@dataclass(frozen=True)
class Outcome:
    """What is known of a law for a rule: proved, refuted by the smallest gradients found, or tested.

    `streams`, `steps` and `strayed` say on how many streams of how many steps it was tried, and how far it was off at
    most. `unproved` is why there is no proof of what was only tested.
    """

    law: str
    status: Literal["proved", "refuted", "tested"]
    streams: int
    steps: int
    strayed: float
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    unproved: str = ""


def settle(law: Law, examined: Examined) -> Outcome | None:
    """Prove a law for a rule, or refute it, or say on how much it was tested; None where it cannot be asked of it.

    A proof may hold under an assumption, as `eps = 0`; on streams the law is tried with the knobs in force.
    """
    if law.needs(examined) is not None:
        return None
    steps, streams = seeded(law.kind).shape
    strayed = strays(law, examined)
    if math.isnan(strayed):
        return None
    if strayed > law.nearly:
        found = refuted(law, examined)
        return None if found is None else Outcome(law.name, "refuted", streams, steps, strayed, counterexample=found)
    attempt = law.proof(examined)
    if isinstance(attempt, Proof):
        return Outcome(law.name, "proved", streams, steps, strayed, attempt)
    return Outcome(law.name, "tested", streams, steps, strayed, unproved=attempt.reason)


def _strayed_by(law: Law, examined: Examined) -> Counterexample | None:
    def asked(gradients: Array) -> tuple[Compared, Array]:
        compared = law.ask(examined, gradients)
        return compared, np.asarray(compared.errors() > law.nearly)

    return _smallest(law, asked)


def _broken_by(law: Law, examined: Examined) -> Counterexample | None:
    def asked(gradients: Array) -> tuple[Compared, Array]:
        compared = law.ask(examined, gradients)
        return compared, broken(law, examined, gradients, compared)

    return _smallest(law, asked)


def _smallest(law: Law, asked: Callable[[Array], tuple[Compared, Array]]) -> Counterexample | None:
    streams = seeded(law.kind)
    compared, where = asked(streams)
    if not where.any():
        return None
    step, column = (int(index) for index in np.argwhere(where)[0])
    small = smallest(law.kind, lambda gradients: bool(asked(gradients)[1].any()), step + 1, column)
    if small is not None:
        again, there = asked(small)
        if there.any():
            return _counterexample(small, again, there)
    # It broke once and does not break again: the run remembers what it was given before.
    return _counterexample(streams, compared, where)


def _counterexample(gradients: Array, compared: Compared, where: Array) -> Counterexample:
    step, column = (int(index) for index in np.argwhere(where)[0])
    shown = gradients if compared.whole else gradients[: step + 1]
    return Counterexample(
        tuple(float(row[0]) if len(row) == 1 else tuple(map(float, row)) for row in shown),
        step + 1,
        column,
        float(compared.came[step, column]),
        float(compared.expected[step, column]),
        compared.quantity,
        compared.start,
        dict(compared.changed),
        compared.at_most,
        compared.times,
    )
