"""A verdict shows itself, in every dress with the same words. It checks no subject."""

from __future__ import annotations

import html
from dataclasses import replace

from mhat import rules
from mhat.checks.comparison import Comparison
from mhat.checks.verdict import Course, Deviation, Diagnosis, LawFinding, Verdict
from mhat.mistakes.slots import Edit
from mhat.writing.html import html_of
from mhat.writing.plain import text_of

SENTENCE = "`m_hat` is stored back into `m` and `v_hat` is stored back into `v`, as it is in a good many tutorials"
DIAGNOSIS = Diagnosis(
    "adam", rules.named("adam"), (Edit(SENTENCE, (), "store"),), {}, "- m_hat = m\n+ m = m", (), ((9, "m = m"),)
)
COURSE = Course((1.0,) * 100, (1.0, 0.25, *(1e-70,) * 98), (1.0,) * 100)
WRONG = Verdict(
    "mine.py:my_adam", "adam", "a paper", conforms=False, estimated={"eps": 1e-3},
    laws=(LawFinding("constant gradient", False, "It moves by lr.", "the gradients [1, 1]: 0.25"),),
    deviation=Deviation(2, 1e15, (1.0, 1.0), (1.0, 0.25), (1.0, 1.0), "learning rates", course=COURSE),
    diagnosis=DIAGNOSIS, notes=("a note",),
)  # fmt: skip


def test_notebook_and_plain_text_say_the_same() -> None:
    """Guards: how a deviation goes on is said in a notebook too."""
    page = html.unescape(html_of(WRONG.story))
    said = [line.strip() for line in text_of(WRONG.story).splitlines()]
    assert "with the last of them repeated, at step 100: 1e-70 where 1 is expected" in said
    assert [line for line in said if line not in page] == []
    places = [page.index(line) for line in said if line not in ("- m_hat = m", "+ m = m")]
    assert places == sorted(places)


def test_printed_it_is_its_page_in_eighty_columns() -> None:
    lines = str(WRONG).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:3] == [
        "mine.py:my_adam deviates from adam (a paper) from step 2 on:",
        "  `m_hat` is stored back into `m` and `v_hat` is stored back into `v`, as it is",
        "  in a good many tutorials",
    ]
    assert lines[-1] == "note: a note"


def test_its_repr_is_short() -> None:
    assert repr(WRONG) == "<Verdict: mine.py:my_adam deviates from adam>"
    right = Verdict("mine", "adam", "", conforms=True)
    assert repr(right) == "<Verdict: mine conforms to adam>"
    assert repr(replace(right, dialect="eps-hat")) == "<Verdict: mine conforms to adam in a dialect>"


def test_a_search_that_was_not_finished_claims_nothing_of_what_it_did_not_try() -> None:
    none = replace(WRONG, diagnosis=None, finished=False)
    first, *_ = text_of(none.story).splitlines()
    assert first.endswith("from step 2 on, and no mistake that was tried explains it")
    assert "no small change that was tried comes near it" in text_of(none.story)
    assert '"finished": false' in none.to_json()


def test_a_comparison_shows_itself_too() -> None:
    right = Verdict("other", "adam", "", conforms=True)
    same = Comparison(right, right, True, None, "")
    assert repr(same) == "<Comparison: other and other do the same, to rounding>"
    assert str(same).splitlines() == [
        "other and other do the same, to rounding", "", "other conforms to adam", "", "other conforms to adam",
    ]  # fmt: skip
    apart = Comparison(WRONG, right, False, replace(WRONG.deviation, step=2, start=1.5), "")  # type: ignore[type-var]
    lines = str(apart).splitlines()
    assert lines[:2] == [
        "mine.py:my_adam and other part at step 2",
        "shown by the gradients [1, 1] from x = 1.5: parameters 0.25 and 1",
    ]
    assert apart._repr_html_().count('<div class="mhat-verdict">') == 3
