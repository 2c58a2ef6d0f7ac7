"""Whether what lies outside of the derived bound is the rule all the same: in an equal spelling, or but for rounding.

It is asked only where a subject is near its rule at every step, and searches no mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

import numpy as np

from mhat.checks.matrices import orthogonals
from mhat.checks.matrices.orthogonals import Meaning
from mhat.checks.oracle import bound, expected
from mhat.checks.question import Question
from mhat.dtypes import DTYPES
from mhat.language import Rule
from mhat.language.inference import Level
from mhat.laws.forms import Form, respelled
from mhat.mistakes.dialects import Dialect
from mhat.printers import python
from mhat.search.candidates import Candidate
from mhat.search.matching import Matcher, update_scale
from mhat.search.matrices import evaluator_of
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
SPELLED = (
    "it is computed in an equal spelling that loses more to rounding (up to {ulps} ulps here), like `{lines}`: it "
    "stays within what that spelling loses"
)
ROUNDED = (
    "it strays up to {ulps} ulps from {rule}, more than the spellings that mhat knows, and no farther later on: that "
    "is rounding, and no mistake"
)
# How many times as far as known spellings what is still rounding may stray; types of a few digits tell too little.
TIMES = {"float64": 64.0, "float32": 4.0}
GROWN = 4.0


def equal_but_for_rounding(question: Question, rule: Rule) -> str | None:
    """Say why a subject near its rule is that rule, though it lies outside of the bound; None if it is not found so."""
    if question.recorded is not None or question.subject.dtype not in TIMES:
        return None
    seen = [(observed, expected(rule, observed.probes, {})) for observed in (question.searched, question.fresh)]
    ulps = f"{max(float(np.max(_ulps(question, *one), initial=0.0)) for one in seen):.0f}"
    for spelled in respelled(rule):
        ways = (Form(spelled), Form(spelled, one_precision=True))
        if all(_within(question, rule, *one, ways, 1.0) for one in seen):
            before, after = (python.rule_text(each.tree).splitlines() for each in (rule, spelled))
            lines = [line.strip() for line in after if line not in before]
            return SPELLED.format(ulps=ulps, lines="`, `".join(lines))
    times = TIMES[question.subject.dtype]
    if not all(_within(question, rule, *one, None, times) for one in seen):
        return None
    longer = question.longer
    exact = expected(rule, longer.probes, {})
    strayed = _ulps(question, longer, exact)
    early, late = (float(np.max(half, initial=0.0)) for half in np.array_split(strayed, 2))
    if late > GROWN * early or not _within(question, rule, longer, exact, None, times):
        return None
    return ROUNDED.format(ulps=ulps, rule=question.rule.name)


def otherwise_orthogonal(
    question: Question, rule: Rule, knobs: Mapping[str, float] | None = None
) -> tuple[Meaning, tuple[Dialect, ...]] | None:
    """Find what `orthogonal` means to a subject that is the rule but for it, and the dialect if that is one."""
    if rule.level != Level.MATRIX or not orthogonals.has_orthogonal(rule):
        return None
    seen = (question.searched, question.fresh)
    meaning = orthogonals.meaning_of(rule, seen, question.subject.dtype, lambda: question.computed, knobs or {})
    if meaning is None:
        return None
    return meaning, (Dialect(rule.name, meaning.dialect, orthogonals.POLAR_BY, ()),) if meaning.dialect else ()


def spoken_otherwise(question: Question) -> list[tuple[tuple[Dialect, ...], Matcher, Callable[[Candidate], bool]]]:
    """List the dialects that are the rule with `orthogonal` of another meaning, and what compares candidates so."""
    if question.rule.level != Level.MATRIX or not orthogonals.has_orthogonal(question.rule):
        return []
    instead = {"orthogonal": orthogonals.polar}
    matchers = [replaced(question.matcher, instead), replaced(question.confirmer, instead)]

    def confirmed(candidate: Candidate) -> bool:
        return matchers[1].agreed(candidate.tree, candidate.knobs) == matchers[1].steps

    return [((Dialect(question.rule.name, orthogonals.POLAR, orthogonals.POLAR_BY, ()),), matchers[0], confirmed)]


def replaced(matcher: Matcher, instead: Mapping[str, Callable[..., Any]]) -> Matcher:
    """Give a matcher that computes some operations otherwise."""
    other = copy(matcher)
    other.evaluator = evaluator_of(matcher.observed.probes, instead)
    return other


def _within(
    question: Question, rule: Rule, observed: Observed, exact: Array, ways: tuple[Form, ...] | None, times: float
) -> bool:
    limit = times * bound(rule, observed.probes, {}, exact, question.subject.dtype, ways)
    with np.errstate(all="ignore"):
        near = np.abs(observed.values - exact) <= limit + observed.slack
    alike = (np.isnan(exact) & np.isnan(observed.values)) | (observed.values == exact)
    return bool((near | alike | np.isinf(limit)).all())


def _ulps(question: Question, observed: Observed, exact: Array) -> Array:
    """Give how far a subject lies from what is exact, in ulps of the update's scale, where both are numbers."""
    with np.errstate(all="ignore"):
        scale = (
            observed.probes.pooled(update_scale(exact, observed.probes.base)) + DTYPES[question.subject.dtype].smallest
        )
        apart = np.abs(observed.values - exact) / (DTYPES[question.subject.dtype].epsilon * scale)
    return np.where(np.isfinite(apart), apart, 0.0)
