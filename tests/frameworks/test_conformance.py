"""The check on real optimizers: a few quick rows of docs/conformance.md. It knows no search."""

from __future__ import annotations

import pytest

from benchmarks.field import ENTRIES, Entry, answered, page, reason, word

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
    assert text.count("could not run") == 2 * len(ENTRIES)
