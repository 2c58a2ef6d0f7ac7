"""Edits come from the tree: for every rule, well-formed, each with a sentence. It knows no subject."""

from __future__ import annotations

import pytest

import mhat
from mhat.language.tree import check_expression
from mhat.language.walking import all_expressions
from mhat.mistakes import edits_of
from mhat.mistakes.dialects import DIALECTS, dialects_of
from mhat.mistakes.numbered import numbered
from mhat.mistakes.parts import Anatomy
from mhat.mistakes.slots import RESULT, assembled, slots_of
from mhat.printers import python
from tests.choices import OFTEN

USERS = mhat.rule(
    """
def users(x, g, t, u=0, *, lr=0.1, decay=0.9):
    u = decay * u + (1 - decay) * abs(g)
    pull = g / (u + 1)
    return x - lr * pull
"""
)


RULES = [mhat.rules.named(name) for name in sorted(OFTEN)]


@pytest.mark.parametrize("rule", [*RULES, USERS], ids=lambda rule: rule.name)
def test_every_edit_makes_another_rule_that_is_one(rule: mhat.Rule) -> None:
    edits = edits_of(rule.tree)
    assert len(edits.plain) > 20
    made = 0
    for edit in edits.all:
        tree = assembled(rule.tree, dict(edit.changes))
        assert edit.sentence
        if tree is None:
            continue
        made += 1
        assert tree != rule.tree, edit.sentence
        for node in all_expressions(tree):
            check_expression(node)
    assert made > 0.8 * len(edits.all)


def test_an_edited_rule_prints_and_parses() -> None:
    tree = mhat.rules.adam.tree
    for edit in edits_of(tree).plain[::23]:
        edited = assembled(tree, dict(edit.changes))
        if edited is not None:
            assert mhat.rule(python.rule_text(edited)).tree == edited, edit.sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "`m_hat` is stored back into `m` and `v_hat` is stored back into `v`",
        "the power of the step number is missing everywhere",
        "the step counter starts at 0: `t - 1` stands where `t` should",
        "in `v` `beta1` stands where `beta2` should",
        "`beta1` and `beta2` are exchanged",
        "no state is stored: all start anew at every step",
        "`eps` is added to `v_hat` and not to `sqrt(v_hat)`",
        "in `ratio` the root of `v_hat` is missing",
        "`v` starts at `g**2`",
        "the step is taken with the states of the step before",
        "coordinates without gradient are skipped",
    ],
)
def test_mistakes_that_people_make_are_among_adams(sentence: str) -> None:
    assert sentence in [edit.sentence for edit in edits_of(mhat.rules.adam.tree).plain]


def test_edits_of_a_users_own_rule_speak_of_its_own_names() -> None:
    sentences = [edit.sentence for edit in edits_of(USERS.tree).plain]
    assert "`u` is never updated" in sentences
    assert any("`pull`" in sentence for sentence in sentences)
    assert any("`decay`" in sentence for sentence in sentences)


def test_no_two_edits_make_the_same_changes() -> None:
    changes = [edit.changes for edit in edits_of(mhat.rules.adam.tree).plain]
    assert len(set(changes)) == len(changes)


def test_a_rule_taken_apart_goes_together_again() -> None:
    for rule in (*RULES, USERS):
        slots = slots_of(rule.tree)
        assert assembled(rule.tree, slots) == rule.tree
        assert [slot for slot, _ in slots if slot == "line"] == ["line"] * len(rule.tree.body)
        assert RESULT in slots


def test_a_line_that_reads_what_is_gone_is_no_rule() -> None:
    tree = mhat.rules.adam.tree
    assert assembled(tree, {("line", 2): ()}) is None


def test_every_dialect_applies_to_its_rule() -> None:
    for dialect in DIALECTS:
        rule = mhat.rules.named(dialect.of)
        spoken = [found for chosen, found in dialects_of(rule) if chosen == (dialect,)]
        assert len(spoken) == 1, (dialect.of, dialect.name)
        assert spoken[0].tree != rule.tree
        assert dialect.reference


def test_a_number_in_a_sentence_is_told_from_the_whole_one_next_to_it() -> None:
    """A gradient that is multiplied by 0.99999994 was said to be multiplied by 1."""
    scaled = next(
        each for each in numbered(mhat.rules.sgd.tree) if each.sentence == "the gradient is multiplied by 0.5"
    )
    assert scaled.another is not None
    assert scaled.another(0.99999994).sentence == "the gradient is multiplied by 0.99999994"
    assert scaled.another(1 / 3).sentence == "the gradient is multiplied by 0.333333"


def test_a_line_that_a_rule_has_not_is_filled_all_the_same() -> None:
    """A change of a form with more lines than the rule ended `check --fix` with a traceback."""
    tree = mhat.rules.adam.tree
    changes = {("line", len(tree.body)): (tree.body[0],)}
    anatomy = Anatomy(tree)
    assert anatomy.changes(anatomy.parts(changes)) == changes
