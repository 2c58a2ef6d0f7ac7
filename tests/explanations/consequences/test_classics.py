"""What is said of the mistakes that everybody makes, word for word: `MHAT_GOLDEN=write pytest ...` writes it anew."""

from __future__ import annotations

import os
import textwrap
from functools import cache
from pathlib import Path

import pytest

import mhat
from mhat.explanations.claims import Claim, Number
from mhat.explanations.consequences import argue
from mhat.explanations.consequences.argument import MOST
from mhat.explanations.evidence import seen_again
from tests.explanations.consequences.classics import CLASSICS

GOLDEN = Path(__file__).with_name("classics.txt")


@cache
def claims(name: str) -> tuple[Claim, ...]:
    return argue(*CLASSICS[name])


def written() -> str:
    pages = []
    for name in CLASSICS:
        sentences = [textwrap.fill(claim.sentence, 100, subsequent_indent="  ") for claim in claims(name)]
        pages.append("\n".join([f"# {name}", *sentences, ""]))
    return "\n".join(pages)


def test_the_classics_word_for_word() -> None:
    if os.environ.get("MHAT_GOLDEN") == "write":
        GOLDEN.write_text(written(), "utf-8")
    assert written() == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("name", CLASSICS)
def test_an_argument_is_short_enough_to_be_read_aloud(name: str) -> None:
    assert 3 <= len(claims(name)) <= MOST
    assert sum(len(claim.sentence.split()) for claim in claims(name)) < 200
    assert all(claim.topic == "why" and claim.sentence.endswith(".") for claim in claims(name))


@pytest.mark.parametrize("name", [*list(CLASSICS)[:1], "eps under the root", "the maximum is dropped"])
def test_every_number_is_seen_again(name: str) -> None:
    assert [claim.sentence for claim in claims(name) if not seen_again(claim)] == []


def test_the_story_that_mhat_began_with_to_the_number() -> None:
    """The step of 3.4e-70 is predicted from the products of the gains, and measured to its last digit."""
    told = " ".join(claim.sentence for claim in claims("the corrected moments are stored back"))
    for part in (
        "Each step multiplies `v` by 1 / (1 - beta2**t) and `m` by 1 / (1 - beta1**t) once more",
        "product up to step 100 is 1.257e143, and 777400 for `m`",
        "`v` stands at 1.139e142 where 9.521 is right (its root at 1.067e71)",
        "`m` stands at 36.35",
        "`ratio` must be 3.405e-70 at step 100, as these numbers predict it; measured is 3.404888183404303e-70",
        "the step dies",
    ):
        assert part in told
    (number,) = (
        claim.evidence
        for claim in claims("the corrected moments are stored back")
        if isinstance(claim.evidence, Number)
    )
    assert number.measured is not None and number.measured.value == 3.404888183404303e-70
    assert number.value == pytest.approx(3.404888183404303e-70, rel=1e-6)


def test_a_known_course_of_factors() -> None:
    """A correction without the power: 1, 1.34, 2.06, 1.03 times, and sqrt(1 - beta2) / (1 - beta1) in the end."""
    told = " ".join(claim.sentence for claim in claims("a correction without the power"))
    assert "1 at step 1, 1.344 at step 2, 2.064 at step 10 and 1.025 at step 100" in told
    assert "0.3162, sqrt(1 - beta2) / (1 - beta1)" in told


def test_a_rule_that_is_right_needs_no_why() -> None:
    assert argue(mhat.rules.adam, mhat.rules.adam) == ()
