"""The page about a public collection, made of rows; the package itself is no dependency. It knows no optimizer."""

from __future__ import annotations

import pytest

from benchmarks import collection
from benchmarks.collection import LISTED, Listed, asked, page
from mhat import rules


def test_everything_listed_has_a_rule_and_stands_once() -> None:
    assert {listed.rule for listed in LISTED} <= set(rules.names())
    assert len({listed.called for listed in LISTED}) == len(LISTED)


def test_a_row_of_what_is_not_there() -> None:
    row = asked(Listed("Nowhere", "adam", {"fused": True}), 1.0)
    assert (row["name"], row["verdict"]) == ("`Nowhere` (fused=True)", "could not run")


def test_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "version", lambda name: "9.9")
    rows = [
        {"name": "`A`", "rule": "adam", "verdict": "deviates", "reason": "an edit", "diff": "- a\n+ b"},
        {"name": "`B`", "rule": "lion", "verdict": "conforms", "reason": "", "diff": ""},
    ]
    text = page(rows, "2026-12-01")
    assert "pytorch_optimizer 9.9" in text
    assert "conforms: 1; dialect: 0; steps conform, a law is broken: 0; deviates: 1; could not run: 0." in text
    assert "| `A` | adam | deviates | an edit |" in text
    assert text.endswith("**`A`** against adam\n\n```diff\n- a\n+ b\n```\n")
