"""A verdict in a notebook: complete, escaped, and nothing fetched from elsewhere. It checks no subject."""

from __future__ import annotations

from xml.etree import ElementTree

from mhat import rules
from mhat.checks.verdict import Deviation, Diagnosis, LawFinding, Verdict
from mhat.mistakes.slots import Edit
from mhat.writing.html import html_of

EVIL = "<script>alert('&')</script>"
FOUND = Diagnosis(
    "adam", rules.named("adam"), (Edit(EVIL, (), "store"),), {}, f"- a = b < c\n+ a = {EVIL}", (), ((3, f"a = {EVIL}"),)
)
WRONG = Verdict(
    EVIL, "adam", f"paper {EVIL}", conforms=False, observe=EVIL, estimated={"eps": 1e-3},
    laws=(LawFinding("first step", False, EVIL, EVIL), LawFinding("kept", True, "it holds")),
    deviation=Deviation(2, 1e15, (1.0, 1.0), (1.0, 0.235), (1.0, float("nan")), EVIL),
    diagnosis=FOUND, notes=(EVIL,),
)  # fmt: skip


def test_what_the_user_wrote_is_escaped() -> None:
    html = html_of(WRONG.story)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_it_is_well_formed_and_fetches_nothing() -> None:
    for verdict in (WRONG, Verdict("mine", "adam", "", conforms=True), Verdict("mine", "adam", "", conforms=False)):
        html = verdict._repr_html_()
        assert html == html_of(verdict.story)
        tags = {element.tag for element in ElementTree.fromstring(html).iter()}
        assert tags <= {"div", "p", "pre", "span", "ul", "li", "b", "br", "table", "caption", "tr", "th", "td"}
        assert "http" not in html and "src=" not in html


def test_the_answer_comes_first_and_subject_and_rule_stand_side_by_side() -> None:
    html = html_of(WRONG.story)
    places = [html.index(part) for part in ("deviates from adam", "<ul>", "<pre>", "<table>", "broken laws", "line 3")]
    assert places == sorted(places)
    assert "<td>2</td><td>1</td><td>0.235</td><td>nan</td>" in html
    assert "kept" not in html


def test_a_dialect_is_no_mistake() -> None:
    verdict = Verdict("mine", "adam", "a paper", conforms=True, dialect="eps-hat (section 2)", diagnosis=FOUND)
    html = html_of(verdict.story)
    assert "mine conforms to adam (a paper)" in html
    assert "in its dialect: eps-hat" in html
    assert "deviates" not in html and "in your file" not in html
