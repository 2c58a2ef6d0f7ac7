"""What the laws say of a rule: which it keeps, and of the others the smallest gradients that break them.

It knows no law and no rule by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from mhat.explanations.claims import Broken, Claim, Trials
from mhat.explanations.runs import Setting, fits
from mhat.language import Level
from mhat.laws.gradients import seeded
from mhat.laws.holding import laws, refuted
from mhat.laws.law import Examined, Law
from mhat.laws.reference import examined_of
from mhat.laws.rounding import strays
from mhat.printers.python import rule_text

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
        if law.name in OF_EVERY_RUN or law.needs(examined) is not None:
            continue
        claim = _claim(law, examined, setting)
        if claim is not None:
            yield claim


def _claim(law: Law, examined: Examined, setting: Setting) -> Claim | None:
    rule, knobs = rule_text(setting.rule), dict(setting.knobs)
    strayed = strays(law, examined)
    if strayed <= law.nearly:
        steps, streams = seeded(law.kind).shape
        return Claim("laws", law.intuition, "tested", Trials(streams, steps, strayed, law.name, rule, knobs), law.name)
    found = refuted(law, examined)
    if found is None:
        return None
    return Claim(
        "laws",
        f"{law.intuition} Not here: {found.sentence}.",
        "refuted",
        Broken(found, law.name, rule, knobs),
        law.name,
    )
