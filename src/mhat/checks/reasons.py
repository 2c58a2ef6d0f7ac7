"""Why a verdict is as it is, in claims: from the mistake to its consequence, or what it means to conform.

It sees rules only, and knows no subject.
"""

from __future__ import annotations

from collections.abc import Mapping

from mhat.checks.findings import Diagnosis
from mhat.explanations import lawfulness
from mhat.explanations.claims import Claim
from mhat.explanations.consequences import argue
from mhat.explanations.runs import Setting
from mhat.language import Rule

# Laws that are said of what conforms, and those that say most, first.
MOST_LAWS = 6
FIRST = (
    "constant gradient",
    "scale invariance",
    "proportion",
    "decay without gradient",
    "step bound",
    "weights sum to one",
)


def of_mistake(reference: Rule, diagnosis: Diagnosis) -> tuple[Claim, ...]:
    """Say what becomes of the mistake that a diagnosis names."""
    return argue(reference, diagnosis.rule, diagnosis.knobs)


def of_conforming(reference: Rule, knobs: Mapping[str, float]) -> tuple[Claim, ...]:
    """Say which laws hold for a rule, and so for whatever conforms to it."""
    changed = {name: value for name, value in knobs.items() if value != reference.knobs[name]}
    kept = [claim for claim in lawfulness.claims(Setting(reference, "", changed)) if claim.status != "refuted"]
    kept.sort(key=lambda claim: FIRST.index(claim.about) if claim.about in FIRST else len(FIRST))
    return tuple(kept[:MOST_LAWS])
