"""Rules so long that not all can be tried: they are searched as far as time goes, and what was cut short says so."""

from __future__ import annotations

import math

import pytest

import mhat
from mhat.checks.conformance import check
from mhat.language.tree import Operation
from mhat.language.walking import all_expressions
from mhat.mistakes import edits_of
from mhat.mistakes.parts import Anatomy
from mhat.mistakes.slots import RESULT
from mhat.printers import python
from mhat.search.effort import Effort
from mhat.search.machine import code
from mhat.search.machine.trying import Joiner
from mhat.subjects.rules import subject_of_rule
from mhat.writing.plain import text_of
from tests.search.machine.test_machine import matcher_of
from tests.search.test_search import forms_of, question_of

LINES = 86


def long_rule(lines: int, wrong: int | None = None) -> str:
    """Write a rule in which every line adds as much as every other one; one of them may be wrong."""
    body = []
    for i in range(lines):
        sign = "-" if i == wrong else "+"
        pull = f"(g * 0.25 {sign} m * 0.125 - x / 8)"
        body.append(f"    s = s + 0.{i + 11} * {pull} + abs(g) * 0.00{i + 1} - 0.002 * sqrt(abs(m) + {i + 1})")
    head = "def long(x, g, t, m=0, *, lr=0.01, beta1=0.9):\n    m = beta1 * m + (1 - beta1) * g\n    s = g\n"
    return "\n".join([head.rstrip(), *body, "    return x - lr * (s + m / (1 - beta1**t))\n"])


def test_the_machine_runs_a_rule_of_more_than_a_thousand_instructions() -> None:
    """Guards: the room for a candidate's instructions is as long as the longest candidate."""
    rule = mhat.rule(long_rule(LINES))
    assert sum(isinstance(node, Operation) for node in all_expressions(rule.tree)) > 1200
    matcher = matcher_of(rule, mhat.rule(long_rule(LINES, wrong=70)), 1)
    joiner = Joiner(Anatomy(rule.tree), matcher, rule.knobs, Effort())
    wrong = Anatomy(rule.tree).parts({("line", 72): mhat.rule(long_rule(LINES, wrong=70)).tree.body[72:73]})
    twice = {((*RESULT,), (), "store"): rule.tree.result}
    assert joiner.scores([{}], [{}, wrong, twice], math.inf)[0] == pytest.approx(
        [matcher.score(rule.tree), 1.7, matcher.score(rule.tree)], abs=2e-3
    )
    assert list(joiner.matches([{}, twice], [{}, wrong], math.inf)) == [(0, 1), (1, 1)]


def test_the_wrong_line_of_a_long_rule_is_found() -> None:
    question = question_of(long_rule(20, wrong=12), mhat.rule(long_rule(20)))
    found = forms_of(question, Effort(40.0)).candidates()
    assert len(found[0].edits) == 1
    assert "(g * 0.25 - m * 0.125 - x / 8)" in python.rule_text(found[0].tree)


def test_the_making_of_edits_ends_when_it_is_late() -> None:
    """Guards: lines that could be stored back into one state are not chosen in all ways that there are."""
    tree = mhat.rule(long_rule(LINES)).tree
    asked = iter(range(10**9))
    edits = edits_of(tree, lambda: next(asked) > 5000)
    assert edits.cut
    assert 0 < len(edits.all) <= 5001
    assert not edits_of(mhat.rules.sgd.tree).cut


def test_many_lines_of_one_state_are_stored_back_in_no_more_ways_than_there_are_states() -> None:
    lines = "".join(f"    a{i} = m + {i}\n" for i in range(40))
    reads = " + ".join(f"a{i}" for i in range(40))
    tree = mhat.rule(f"def f(x, g, m=0, *, lr=0.1):\n    m = m + g\n{lines}    return x - lr * ({reads})\n").tree
    assert not any(edit.operator == "stored back" for edit in edits_of(tree).plain)


def test_a_search_that_was_cut_short_does_not_speak_as_if_it_had_finished() -> None:
    rule = mhat.rules.adam
    other = mhat.rule(
        "def other(x, g, m=0, *, lr=0.001):\n    m = 0.5 * m + atan2(g, m + 2)**3\n    return x - lr * cbrt(m + 1)"
    )
    verdict = check(subject_of_rule(other, "mine"), rule, seconds=0.2)
    assert not verdict.finished
    assert verdict.notes[-1].startswith("the search was cut short after 0.")
    assert verdict.notes[-1].endswith(". With `--seconds 0.4` (`seconds=0.4` in Python) it goes on")
    page = text_of(verdict.story)
    assert "and no mistake that was tried explains it" in page
    assert "that mhat knows" not in page
    assert "note: the search was cut short" in page


def test_a_search_of_a_small_rule_comes_to_an_end_and_says_nothing_of_being_cut() -> None:
    question = question_of("def other(x, g, *, lr=0.01):\n    return x - lr * sin(3 * g)", mhat.rules.sgd)
    effort = Effort(500.0)
    assert forms_of(question, effort).candidates(depth=2) == []
    assert effort.shortcomings == ()
    assert effort.tried["single edits"] > 100
    assert effort.tried["pairs of edits"] > 1000


def test_a_rule_that_the_machine_cannot_run_is_searched_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(code.OPCODES, "cos")
    text = "def f(x, g, *, lr=0.01):\n    u = cos(g)\n    return x - lr * u"
    found = forms_of(question_of(text.replace("- lr", "+ lr"), mhat.rule(text)), Effort(20.0)).candidates()
    assert len(found[0].edits) == 1
    effort = Effort(20.0)
    nothing = question_of(text.replace("cos(g)", "exp(sin(g) * 0.3) + g**2"), mhat.rule(text))
    assert forms_of(nothing, effort).candidates() == []
    assert effort.shortcomings == (
        "the rule has an operation that the quick search lacks: of edits, only single ones were tried",
    )
