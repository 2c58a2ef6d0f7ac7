"""Subjects that give NaN from the first step on, for ever: what can be told of them, and what not. It searches nothing.

Whatever makes NaN at the first step explains them. With averages that remember nothing more is seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mhat.checks.gradients import Setting, drive_once, fresh, tensors_of
from mhat.checks.question import Question
from mhat.errors import SubjectError, SubjectHangs
from mhat.language.tree import Number
from mhat.language.vocabulary import meaning_of
from mhat.mistakes.paths import T, operation
from mhat.mistakes.slots import Edit, assembled
from mhat.mistakes.throughout import exchanged_name, throughout
from mhat.search.candidates import Candidate
from mhat.search.matching import Matcher, loose_bound

BLANK = "it gives NaN from the first step on and for ever, whatever the gradients are"
NEXT_TO_NOTHING = "the step counter is next to 0 at every step: `{knob}**t` is 1"
DENORMAL = 2.0**-149
# Of the first step alone: what is not a number then is none later.
STEPS, SEED = 1, 41


def is_blank(question: Question) -> bool:
    """Whether nothing but NaN comes of a subject."""
    return bool(np.isnan(question.searched.values).all())


def told_apart(question: Question, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep those answers that also do what the subject does where its averages remember nothing."""
    taken = [knob for knob in question.rule.knobs if knob in question.subject.knobs and knob not in question.held]
    forgetful = {knob: 0.0 for knob in taken if meaning_of(knob).is_share}
    if not forgetful or question.recorded is not None:
        return list(candidates)
    stream = fresh(STEPS, SEED, tensors_of(question.subject), 4)
    matchers = []
    for knobs in ({knob: 0.0} for knob in forgetful):
        try:
            seen = drive_once(question.subject, question.rule, question.held, stream, Setting(0.0, knobs),
                              observe=question.observe)  # fmt: skip
        except SubjectHangs:
            raise
        except SubjectError:
            continue
        matchers.append(Matcher(seen, 100.0 * loose_bound(seen, question.subject.dtype)))

    def does(candidate: Candidate) -> bool:
        return all(matcher.agreed(candidate.tree, candidate.knobs) == matcher.steps for matcher in matchers)

    kept = [candidate for candidate in candidates if does(candidate)]
    return kept or [candidate for candidate in _counted_from_nothing(question) if does(candidate)]


def _counted_from_nothing(question: Question) -> list[Candidate]:
    """Give the rule with a step counter that is a denormal, as one is whose bits were read as another type."""
    tree = question.rule.tree
    shares = [knob for knob in tree.knob_names if meaning_of(knob).is_share]
    changes = throughout(tree, exchanged_name("t", operation("mul", Number(DENORMAL), T)))
    changed = assembled(tree, dict(changes)) if changes and shares else None
    if changed is None:
        return []
    return [Candidate(changed, (Edit(NEXT_TO_NOTHING.format(knob=shares[0]), changes, "counter everywhere"),))]
