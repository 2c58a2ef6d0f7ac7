"""Each published result is found again, and its claim stands or falls as its file says."""

from __future__ import annotations

import pytest

from mhat import results
from mhat.figures import plot
from mhat.results import Result

EVERY = pytest.mark.parametrize("result", results.RESULTS, ids=results.names())


@EVERY
def test_what_is_stated_is_found(result: Result) -> None:
    for found in result.found():
        assert found.agrees, found


@EVERY
def test_it_says_what_is_claimed_by_whom_and_what_it_teaches(result: Result) -> None:
    assert result.claim.endswith(".") and result.teaches.endswith(".")
    assert result.source and result.numbers
    assert all(number.within >= 0 for number in result.numbers)
    assert results.named(result.name) is result


@EVERY
def test_it_can_be_drawn(result: Result) -> None:
    runs, variable = result.picture()
    assert plot(dict(runs), variable).axes


def test_refuted_claims_are_kept() -> None:
    assert {result.name for result in results.RESULTS if result.verdict == "refuted"} == {"adam_bound", "adamax_bound"}
