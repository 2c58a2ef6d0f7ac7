"""What the laws say of a rule: which it keeps, and of the others the smallest gradients that break them.

It knows no law and no rule by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from mhat.explanations.claims import Broken, Claim, Formula, Proof, Trials
from mhat.explanations.runs import Setting, fits
from mhat.language import Level
from mhat.language.tree import Expression
from mhat.laws.holding import laws, settle
from mhat.laws.law import Examined, Law
from mhat.laws.reference import examined_of
from mhat.printers.latex import expression_latex
from mhat.printers.mathml import expression_mathml
from mhat.printers.python import expression_text, rule_text

# What can be asked of any run, and says nothing of a rule.
OF_EVERY_RUN = frozenset({"repetition", "prefix", "first step"})


# The matrices that laws are asked about.
SHAPES = ((2, 3), (2, 4), (1, 3), (1, 7), (1, 1))


def claims(setting: Setting) -> Iterator[Claim]:
    """Yield a claim for every law that can be asked of a rule: kept, or broken."""
    if setting.rule.level == Level.MATRIX and not all(fits(setting.rule, shape) for shape in SHAPES):
        return
    examined = examined_of(setting.rule, setting.knobs)
    for law in laws():
        # NumPy refuses shapes of which nobody could tell before that they do not fit.
        with np.errstate(all="ignore"), suppress(ValueError):
            yield from _claims_of(law, examined, setting)


def _claims_of(law: Law, examined: Examined, setting: Setting) -> list[Claim]:
    """Give what there is to claim of a law: that it is proved, kept or broken, or nothing."""
    outcome = None if law.name in OF_EVERY_RUN else settle(law, examined)
    if outcome is None:
        return []
    told: tuple[str, str, dict[str, float]] = law.name, rule_text(setting.rule), dict(setting.knobs)
    if outcome.counterexample is not None:
        sentence = f"{law.intuition} Not here: {outcome.counterexample.sentence}."
        return [Claim("laws", sentence, "refuted", Broken(outcome.counterexample, *told), law.name)]
    if outcome.proof is not None:
        formula = None if outcome.proof.formula is None else _formula(outcome.proof.formula)
        assumed = f" (at {' and '.join(outcome.proof.assumes)})" if outcome.proof.assumes else ""
        proof = Proof(outcome.proof.steps, formula, "", *told)
        return [Claim("laws", f"{law.intuition.removesuffix('.')}{assumed}.", "proved", proof, law.name)]
    trials = Trials(outcome.streams, outcome.steps, outcome.strayed, *told)
    return [Claim("laws", law.intuition, "tested", trials, law.name)]


def _formula(node: Expression) -> Formula:
    return Formula(expression_text(node), expression_latex(node), expression_mathml(node))
