"""The check on real optimizers: a few quick rows of docs/conformance.md. It knows no search."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.field import (
    DATA,
    ENTRIES,
    FINDINGS,
    FRAMEWORKS,
    Entry,
    answered,
    data,
    details,
    overview,
    page,
    reason,
    word,
)  # fmt: skip
from mhat.rules.field import FIELD

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("entry", "dtype", "expected"),
    [
        (Entry("torch", "Adam", "adam", {"fused": True}), "float32", "conforms"),
        (Entry("torch", "AdamW", "adamw"), "float64", "conforms"),
        (Entry("torch", "RMSprop", "rmsprop_centered", {"centered": True}), "float64", "dialect"),
        (Entry("torch", "RAdam", "radam"), "float64", "dialect"),
        (Entry("optax", "adam", "adam"), "float32", "conforms"),
        (Entry("optax", "amsgrad", "amsgrad"), "float64", "dialect"),
        (Entry("optax", "nadam", "nadam"), "float64", "dialect"),
        (Entry("optax", "adagrad", "adagrad"), "float64", "dialect"),
        (Entry("keras", "Adam", "adam"), "float64", "dialect"),
        (Entry("keras", "Adamax", "adamax"), "float32", "dialect"),
        (Entry("torch", "Nowhere", "adam"), "float64", "could not run"),
    ],
    ids=lambda value: getattr(value, "spec", value),
)
def test_a_row(entry: Entry, dtype: str, expected: str) -> None:
    answer = answered(entry, dtype, seconds=2)
    assert word(answer) == expected, reason(answer)


def test_an_optimizer_that_claims_another_rule_deviates() -> None:
    answer = answered(Entry("torch", "Adagrad", "rmsprop"), "float64", seconds=2)
    assert word(answer) == "deviates"
    assert "first seen at step" in reason(answer)


def test_the_page_has_a_row_for_every_entry() -> None:
    failed = answered(Entry("torch", "Nowhere", "adam"), "float64")
    text = page([(entry, {"float64": failed, "float32": failed}) for entry in ENTRIES])
    # And once in the table of rules for each rule of each framework.
    rules = {(entry.framework, entry.rule) for entry in ENTRIES}
    assert text.count("could not run") == 2 * len(ENTRIES) + len(rules)


def test_of_several_forms_the_least_good_one_is_told_and_its_diff_is_shown() -> None:
    good, other = Entry("torch", "SGD", "sgd"), Entry("torch", "Adagrad", "sgd", {"lr": 0.5})
    rows = [(entry, {"float64": answered(entry, "float64", seconds=2)}) for entry in (good, other)]
    assert overview(rows)[-1] == "| sgd | deviates |  |  |"
    assert details(rows[:1]) == []


def test_what_is_held_has_a_reason() -> None:
    switches = ({}, {"momentum": 0.9})
    assert [entry for entry in ENTRIES if entry.knobs not in switches and not entry.why] == []


def test_every_finding_is_about_an_entry() -> None:
    assert set(FINDINGS) <= {entry.spec for entry in ENTRIES}
    failed = answered(Entry("torch", "Nowhere", "adam"), "float64")
    rows = [(entry, {"float64": failed, "float32": failed}) for entry in ENTRIES if entry.spec in FINDINGS]
    assert page(rows).count("finding: ") == len(FINDINGS)


def test_what_the_list_of_rules_says_is_what_the_page_says() -> None:
    written = (
        (Path(__file__).parents[2] / "docs/conformance.md")
        .read_text("utf-8")
        .split("| rule | torch | optax | keras |")[1]
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in written.partition("\n\n")[0].splitlines()[2:]]
    told = {rule: {each: word for each, word in zip(FRAMEWORKS, words, strict=True) if word} for rule, *words in rows}
    assert told == FIELD
    assert DATA.read_text("utf-8") == data(told)
