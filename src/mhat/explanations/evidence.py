"""Evidence seen again: a run is repeated, a counterexample breaks its law once more. It knows no rule by name."""

from __future__ import annotations

import numpy as np

from mhat import rules, traces
from mhat.explanations.claims import Broken, Claim, Comparison, Number, Proof, Run, Trials
from mhat.explanations.runs import alike, named, read_from
from mhat.language import rule
from mhat.laws.holding import laws
from mhat.laws.law import Examined, Law
from mhat.laws.reference import examined_of
from mhat.laws.rounding import strays


def runs_of(claim: Claim) -> tuple[Run, ...]:
    """Give the runs that a claim rests on."""
    evidence = claim.evidence
    if isinstance(evidence, Number):
        return () if evidence.measured is None else (evidence.measured,)
    return evidence.runs if isinstance(evidence, Comparison | Trials) else ()


def repeated(run: Run) -> float:
    """Repeat a run through a trace, and give what is read from it."""
    meant = rule(run.rule) if "def " in run.rule else rules.named(run.rule)
    asked = traces.understand(
        meant, named(run.stream, run.steps), steps=run.steps, start=run.start or None, dtype="float64", keep=None,
        tensor=None, knobs=dict(run.knobs),
    )  # fmt: skip
    trace = traces.run_whole(asked)
    course = {str(name): np.asarray(array.values) for name, array in trace.items()}
    return read_from(course, run)


def seen(run: Run) -> bool:
    """Whether a run gives again what was read from it."""
    again = repeated(run)
    return run.value is None or alike(again, run.value)


def seen_again(claim: Claim) -> bool:
    """Run the evidence of a claim once more: True if it shows the same.

    A run is repeated through a trace and must give what was read; the formula of a number must give what its run
    measures; a counterexample must break its law, and a law that was proved or tested must hold on the seeded streams.
    A proof of anything else is its own evidence: it is read, and there is nothing to run.
    """
    evidence = claim.evidence
    if not all(map(seen, runs_of(claim))):
        return False
    if isinstance(evidence, Number) and evidence.measured is not None:
        return alike(repeated(evidence.measured), evidence.value, evidence.relative)
    if isinstance(evidence, Broken):
        return _breaks_again(evidence)
    if isinstance(evidence, Proof | Trials) and evidence.law:
        return _holds_again(evidence)
    return True


def _breaks_again(evidence: Broken) -> bool:
    if not evidence.law:
        return True
    law, examined = _asked(evidence)
    found = evidence.counterexample
    gradients = np.array(found.gradients, dtype=float)
    compared = law.ask(examined, gradients[:, None] if gradients.ndim == 1 else gradients)
    at = found.step - 1, found.coordinate
    numbers = float(compared.came[at]), float(compared.expected[at])
    return all(map(alike, numbers, (found.came, found.expected))) and float(compared.errors()[at]) > law.nearly


def _holds_again(evidence: Proof | Trials) -> bool:
    law, examined = _asked(evidence)
    return law.needs(examined) is None and strays(law, examined) <= law.nearly


def _asked(evidence: Broken | Proof | Trials) -> tuple[Law, Examined]:
    law = next(law for law in laws() if law.name == evidence.law)
    return law, examined_of(rule(evidence.rule), evidence.knobs)
