"""What is said of a rule on a stream where SymPy is not there."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

import mhat
from mhat.explanations import courses

LACKING = "closed forms are found with SymPy"


@pytest.fixture
def without_sympy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take SymPy away, and what was kept of its answers, on disk and in this process."""
    courses._closed_forms.cache_clear()
    import_module("mhat.engines.symbols.closed_forms")._remembered.cache_clear()
    monkeypatch.setitem(sys.modules, "sympy", None)
    monkeypatch.setenv("MHAT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(courses, "find_spec", lambda name: None)


@pytest.mark.parametrize("stream, said", [("constant:10", True), ("normal:seed=1", False)])
def test_what_lacks_is_named_where_it_would_help(without_sympy: None, stream: str, said: bool) -> None:
    """Guards: of noise there is no closed form that SymPy could find, and nothing is to be installed for it."""
    explanation = mhat.explain("tiger", stream)
    assert (LACKING in " ".join(explanation.notes)) is said
    assert explanation.claims


def test_what_was_kept_needs_no_sympy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards: a page with closed forms does not say that they cannot be found."""
    monkeypatch.setattr(courses, "find_spec", lambda name: None)
    explanation = mhat.explain("sgd", "constant:2")
    assert any(claim.status == "proved" for claim in explanation.claims)
    assert LACKING not in " ".join(explanation.notes)
