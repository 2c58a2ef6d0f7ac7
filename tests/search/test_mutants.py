"""The check is itself checked: rules with one edit are caught, or the same rule. It knows no framework."""

from __future__ import annotations

from collections import Counter

import pytest

import mhat
from benchmarks.mutants import DTYPES, Elsewhere, judged, mutants_of, row
from mhat.language import Rule
from mhat.mistakes import edits_of
from mhat.mistakes.slots import Edit, assembled
from mhat.printers import python


@pytest.mark.parametrize("name", [pytest.param("adam", marks=pytest.mark.long), "lion"])
def test_every_plain_mutant_is_caught_or_the_same_rule(name: str) -> None:
    mutants = mutants_of(name, "float64", plain=True)
    counts = Counter(mutant.fate for mutant in mutants)
    assert {mutant.fate for mutant in mutants} <= {"caught", "equal", "dialect"}
    # A rule of which many edits change nothing would be written in too many words.
    assert counts["equal"] < 0.05 * len(mutants)
    assert all("50 digits" in mutant.why for mutant in mutants if mutant.fate == "equal")


def edits_with(rule: Rule, line: str) -> list[Edit]:
    """Find the edits of a rule after which a line stands in it."""
    trees = [(edit, assembled(rule.tree, dict(edit.changes))) for edit in edits_of(rule.tree).plain]
    return [edit for edit, tree in trees if tree is not None and line in python.rule_text(tree)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("v_hat = v / (1 - beta1**t)", "caught"),
        ("m = m / (1 - beta1**t)", "caught"),
        ("v_hat = abs(v) / (1 - beta2**t)", "equal"),
        ("ratio = m_hat / sqrt(v_hat + eps)", "caught"),
    ],
)
def test_the_fate_of_a_mutant_in_both_types(line: str, fate: str, dtype: str) -> None:
    rule = mhat.rules.adam
    edits = edits_with(rule, line)
    assert edits
    assert {mutant.fate for mutant in judged(rule, edits, dtype)} == {fate}


def test_a_mutant_that_is_a_dialect_is_called_so() -> None:
    rule = mhat.rules.rmsprop
    edits = edits_with(rule, "sqrt(v + eps)")
    assert [(mutant.fate, mutant.why) for mutant in judged(rule, edits, "float64")] == [
        ("dialect", "eps under the root")
    ]


def test_equality_is_asked_where_the_check_does_not_look() -> None:
    elsewhere = Elsewhere(mhat.rules.momentum)
    assert elsewhere.apart(mhat.rules.momentum.tree) == 0
    other = mhat.rule(python.rule_text(mhat.rules.momentum.tree).replace("+ g", "+ 1.000001 * g"))
    assert 1e-7 < elsewhere.apart(other.tree) < 1e-4


def test_a_row_counts_every_mutant() -> None:
    mutants = mutants_of("sgd", "float64")
    told = row("sgd", "float64", mutants).split()
    assert told[:3] == ["sgd", "float64", str(len(mutants))]
    assert sum(map(int, told[3:])) == len(mutants)
