"""The register machine, and the parts that it runs: the same as whole rules on NumPy. It knows no search."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mhat
from mhat.checks.gradients import designed, parted
from mhat.language import Rule
from mhat.mistakes import edits_of
from mhat.mistakes.parts import Anatomy
from mhat.mistakes.slots import assembled
from mhat.printers import python
from mhat.search.candidates import Draft, Drawer
from mhat.search.effort import Effort
from mhat.search.evaluator import Evaluator
from mhat.search.machine.trying import Joiner
from mhat.search.matching import Matcher, loose_bound
from mhat.search.observed import Observed, Probes
from tests.choices import OFTEN

RULES = [mhat.rules.named(name) for name in sorted(OFTEN)]
SOME = [mhat.rules.adam, mhat.rules.lamb, mhat.rules.radam, mhat.rules.lion, mhat.rules.sgd, mhat.rules.adan]
FAR_AWAY = math.inf


def matcher_of(rule: Rule, doing: Rule, tensors: int = 2) -> Matcher:
    """Observe what `doing` does on the streams of a check."""
    gradients = np.stack([designed(12, 1, tensors), parted(12, tensors)])
    probes = Probes(gradients, np.zeros((2, *gradients.shape[2:])), dict(rule.knobs))
    with np.errstate(all="ignore"):
        observed = Observed(probes, Evaluator(probes).run(doing.tree))
    return Matcher(observed, loose_bound(observed, "float64"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_edit_taken_apart_makes_the_same_rule_again(rule: Rule) -> None:
    anatomy = Anatomy(rule.tree)
    for edit in edits_of(rule.tree).all:
        changes = dict(edit.changes)
        again = anatomy.changes(anatomy.parts(changes))
        assert assembled(rule.tree, again, checked=False) == assembled(rule.tree, changes, checked=False), edit.sentence


@pytest.mark.parametrize("rule", SOME, ids=lambda rule: rule.name)
def test_the_machine_scores_edits_and_pairs_of_them_as_numpy_does(rule: Rule) -> None:
    doing = mhat.rule("def other(x, g, t, m=0, *, lr=0.01):\n    m = 0.5 * m + g\n    return x - lr * m / sqrt(t)")
    matcher = matcher_of(rule, doing)
    drawer = Drawer(rule.tree, (), {})
    joiner = Joiner(drawer.anatomy, matcher, rule.knobs, Effort())
    singles = [draft for draft in drawer.singles(Effort(), FAR_AWAY) if joiner.can(draft.coded)]
    rng = np.random.Generator(np.random.PCG64(1))
    drafts = [singles[i] for i in rng.integers(len(singles), size=60)]
    drafts += [child for a, b in rng.integers(len(singles), size=(80, 2)) if (child := singles[a].joined(singles[b]))]
    scores = joiner.scores([{}], [draft.coded for draft in drafts], FAR_AWAY)[0]
    compared = 0
    for draft, score in zip(drafts, scores, strict=True):
        candidate = drawer.candidate(draft)
        if candidate is not None:
            compared += 1
            assert score == pytest.approx(matcher.score(candidate.tree), abs=2e-3), [e.sentence for e in draft.edits]
    assert compared > 60


def test_changes_of_one_line_that_do_not_touch_are_joined() -> None:
    drawer = Drawer(mhat.rules.adam.tree, (), {})
    found = {draft.edits[0].sentence: draft for draft in drawer.singles(Effort(), FAR_AWAY)}
    power = found["in `m_hat` the power in `beta1**t` is missing"]
    other = found["in `m_hat` `g` stands where `m` should"]
    joined = power.joined(other)
    assert joined is not None
    candidate = drawer.candidate(joined)
    assert candidate is not None
    assert "m_hat = g / (1 - beta1)" in python.rule_text(candidate.tree)


def test_the_order_of_lines_and_a_change_in_one_of_them_are_joined() -> None:
    drawer = Drawer(mhat.rules.adam.tree, (), {})
    found = {draft.edits[0].sentence: draft for draft in drawer.singles(Effort(), FAR_AWAY)}
    late = found["the step is taken with the states of the step before"]
    joined = late.joined(found["the power of the step number is missing everywhere"])
    assert joined is not None
    candidate = drawer.candidate(joined)
    assert candidate is not None
    assert [line.targets[0] for line in candidate.tree.body] == ["m_hat", "v_hat", "ratio", "m", "v"]


def test_changes_of_one_place_exclude_each_other() -> None:
    drawer = Drawer(mhat.rules.adam.tree, (), {})
    found = {draft.edits[0].sentence: draft for draft in drawer.singles(Effort(), FAR_AWAY)}
    division = found["in `m_hat` the division by `1 - beta1**t` is missing"]
    assert division.joined(found["in `m_hat` the power in `beta1**t` is missing"]) is None


def test_all_pairs_that_agree_are_found_each_once() -> None:
    rule = mhat.rules.momentum
    doing = mhat.rule(
        "def other(x, g, velocity=0, *, lr=0.01, momentum=0.9):\n"
        "    velocity = momentum * velocity - g\n    return x - 2 * lr * velocity"
    )
    drawer = Drawer(rule.tree, (), {})
    joiner = Joiner(drawer.anatomy, matcher_of(rule, doing), rule.knobs, Effort())
    singles = [draft for draft in drawer.singles(Effort(), FAR_AWAY) if joiner.can(draft.coded)]
    coded = [draft.coded for draft in singles]
    once = set(joiner.matches(coded, coded, FAR_AWAY, ranked=True))
    both = {(min(pair), max(pair)) for pair in joiner.matches(coded, coded, FAR_AWAY)}
    assert once == both
    assert all(i < j for i, j in once)


def test_time_that_is_up_ends_the_joining() -> None:
    effort = Effort()
    drawer = Drawer(mhat.rules.adam.tree, (), {})
    joiner = Joiner(drawer.anatomy, matcher_of(mhat.rules.adam, mhat.rules.adam), mhat.rules.adam.knobs, effort)
    singles = [draft.coded for draft in drawer.singles(Effort(), FAR_AWAY) if joiner.can(draft.coded)]
    assert not effort.cut
    assert list(joiner.matches(singles, singles, -1.0)) == []
    assert (joiner.scores([{}], singles, -1.0) == -1).all()
    assert effort.cut


@pytest.mark.parametrize(
    ("view", "unseen", "seen"),
    [
        ("squares", "in `v` the factor `1 - beta2` is missing", "in `m` the term `beta1 * m` is missing"),
        ("time", "in `m_hat` the division by `1 - beta1**t` is missing", "`v` is fed with `abs(g)`, not with `g**2`"),
        ("first", "in `m_hat` the power in `beta1**t` is missing", "in `ratio` the root of `v_hat` is missing"),
        ("eps", "in `ratio` the term `eps` is missing", "in `m_hat` the division by `1 - beta1**t` is missing"),
    ],
)
def test_a_view_hides_what_it_should(view: str, unseen: str, seen: str) -> None:
    rule = mhat.rules.adam
    drawer = Drawer(rule.tree, (), {})
    joiner = Joiner(drawer.anatomy, matcher_of(rule, rule), rule.knobs, Effort())
    found: dict[str, Draft] = {draft.edits[0].sentence: draft for draft in drawer.singles(Effort(), FAR_AWAY)}
    hidden = joiner.unseen([found[unseen].coded, found[seen].coded], view, FAR_AWAY)
    assert hidden.tolist() == [True, False]
