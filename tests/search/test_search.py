"""The search alone: subjects are rules that were edited on purpose, so the truth is known. It knows no report."""

from __future__ import annotations

import numpy as np

import mhat
from mhat.checks.question import Question
from mhat.language import Rule
from mhat.printers import python
from mhat.search.answers import Confirm
from mhat.search.candidates import Candidate
from mhat.search.effort import Effort
from mhat.search.variants import Forms
from mhat.subjects.subject import Array, Subject


def question_of(doing: str, claimed: Rule, **hidden: float) -> Question:
    """Ask whether a rule's text is the claimed rule; knobs in `hidden` are the subject's own secret."""
    rule = mhat.rule(doing)

    def drive(gradients: list[Array], start: list[Array], knobs: dict[str, float]) -> list[Array]:
        with np.errstate(all="ignore"):
            return [
                np.asarray(mhat.trace(rule, g, start=s, **hidden).x)
                for g, s in zip(gradients, start, strict=True)
            ]  # fmt: skip

    told = {name: value for name, value in claimed.knobs.items() if name not in hidden}
    return Question(Subject("edited", drive, starts=True), claimed, "x", told)


def searched(question: Question, seconds: float = 20.0) -> list[Candidate]:
    return forms_of(question, Effort(seconds)).candidates()


def forms_of(question: Question, effort: Effort, confirmed: Confirm | None = None) -> Forms:
    confirmed = confirmed or confirmation(question)
    return Forms(question.rule, question.matcher, confirmed, effort, question.hidden, question.held)


def confirmation(question: Question) -> Confirm:
    return lambda c: question.confirmer.agreed(c.tree, c.knobs) == question.confirmer.steps


def changed(rule: Rule, *pieces: tuple[str, str]) -> str:
    text = python.rule_text(rule.tree)
    for old, new in pieces:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def test_one_deviation_is_found_as_it_was_made() -> None:
    question = question_of(changed(mhat.rules.adagrad, ("sqrt(v)", "v")), mhat.rules.adagrad)
    found = searched(question)
    assert len(found[0].edits) == 1
    assert "ratio = g / (v + eps)" in python.rule_text(found[0].tree)


def test_eps_under_the_root_is_one_deviation() -> None:
    question = question_of(changed(mhat.rules.adam, ("(sqrt(v_hat) + eps)", "sqrt(v_hat + eps)")), mhat.rules.adam)
    found = searched(question)
    assert len(found[0].edits) == 1
    assert "`eps` is added to" in found[0].edits[0].sentence


def test_two_deviations_are_found_together() -> None:
    question = question_of(
        changed(mhat.rules.adam, ("m / (1 - beta1**t)", "m / (1 - beta1)"), ("(1 - beta2) * g**2", "g**2")),
        mhat.rules.adam,
    )
    found = searched(question)
    assert len(found[0].edits) == 2
    assert {"m_hat = m / (1 - beta1)", "v = beta2 * v + g**2"} <= {
        line.strip() for line in python.rule_text(found[0].tree).splitlines()
    }


def test_a_deviation_and_hidden_knobs_are_found_together() -> None:
    doing = changed(mhat.rules.adagrad, ("sqrt(v)", "v"))
    found = searched(question_of(doing, mhat.rules.adagrad, lr=0.02, eps=1e-3))
    assert len(found[0].edits) == 1
    assert found[0].knobs == {"lr": 0.02, "eps": 1e-3}
    assert "ratio = g / (v + eps)" in python.rule_text(found[0].tree)


def test_the_simplest_comes_first_and_all_are_confirmed() -> None:
    question = question_of(changed(mhat.rules.rmsprop, ("sqrt(v)", "v")), mhat.rules.rmsprop)
    found = searched(question)
    assert found == sorted(found, key=lambda c: c.cost)
    assert all(confirmation(question)(candidate) for candidate in found)


def test_what_is_not_confirmed_is_no_answer() -> None:
    question = question_of(changed(mhat.rules.momentum, ("x - ", "x + ")), mhat.rules.momentum)
    assert forms_of(question, Effort(10.0), lambda candidate: False).candidates(depth=1) == []
    assert forms_of(question, Effort(10.0)).candidates(depth=1)


def test_time_up_is_said_by_an_empty_answer_and_the_nearest_is_kept() -> None:
    doing = "def other(x, g, m=0, *, lr=0.001):\n    m = 0.5 * m + atan2(g, m + 2)**3\n    return x - lr * cbrt(m + 1)"
    question = question_of(doing, mhat.rules.adam)
    search = forms_of(question, Effort(2.0))
    assert search.candidates() == []
    assert search.nearest.score < 2
