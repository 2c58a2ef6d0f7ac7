"""A rule in a notebook: its text in colours that can be read, all of it escaped; its formulas; its refusal, once."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser

import pytest

import mhat
from mhat.errors import LanguageError
from mhat.language import Rule, of_tree, rule
from mhat.printers.html import COLOURS, code_html, rule_html
from mhat.printers.python import rule_text

EVERY_RULE = pytest.mark.parametrize("made", [mhat.rules.named(name) for name in mhat.rules.names()], ids=repr)
HOSTILE = rule(
    """
    @rule(paper="<script>alert('&')</script>")
    def hostile(x, g, t, m="norm(g, over='all')", *, lr=0.1):
        '''<b>bold</b>'''
        m = m if g < 0 and t > 1 else 2 * m
        return x - lr * m
    """
)


class Balance(HTMLParser):
    """Fails where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def kinds(made: Rule, name: str) -> set[str]:
    """The colours that a part of the code has."""
    return set(re.findall(rf'<span class="(\w+)">{re.escape(name)}</span>', code_html(made)))


@EVERY_RULE
def test_the_code_is_the_printed_rule_and_the_page_is_whole(made: Rule) -> None:
    assert unescape(re.sub(r"<[^>]*>", "", code_html(made))) == rule_text(made) == str(made)
    page = Balance()
    page.feed(rule_html(made))
    assert page.open == []


def test_each_part_has_its_colour() -> None:
    assert kinds(HOSTILE, "lr") == {"knob"}
    assert kinds(HOSTILE, "m") == {"state"}
    assert kinds(HOSTILE, "hostile") == {"rule"}
    assert kinds(HOSTILE, "0.1") == {"number"}
    assert kinds(HOSTILE, "return") == kinds(HOSTILE, "if") == kinds(HOSTILE, "and") == {"keyword"}
    assert kinds(HOSTILE, "x") == set()
    assert kinds(mhat.rules.adam, "sqrt") == {"function"}
    start = '<span class="start">&#x27;norm(g, over=&quot;all&quot;)&#x27;</span>'
    assert start in code_html(HOSTILE)
    assert 'class="start"' not in code_html(mhat.rules.adam)
    assert code_html(HOSTILE.tree) == code_html(HOSTILE)


def test_everything_is_escaped() -> None:
    page = rule_html(HOSTILE)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "g &lt; <span" in page
    assert "&amp;= " in page
    assert "<b>" not in page


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.1."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("part", COLOURS)
def test_colours_can_be_read_on_light_and_on_dark(part: str) -> None:
    _, light, dark = COLOURS[part]
    assert 1.05 / (luminance(light) + 0.05) >= 4.5
    assert (luminance(dark) + 0.05) / (luminance("#1e1e1e") + 0.05) >= 4.5


def test_what_a_notebook_asks_for() -> None:
    made = mhat.modifiers.clipped(mhat.rules.sgd)
    assert made._repr_html_() == rule_html(made)
    latex = made._repr_latex_()
    assert latex is not None
    assert latex.startswith("$$\n\\begin{aligned}\n")
    assert latex.endswith("\\end{aligned}\n$$")
    assert repr(made) == "<rule clipped_sgd>"
    assert str(of_tree(made.tree, doc="A docstring.")) == str(made)


def test_a_rule_outside_the_language_is_refused_once() -> None:
    @rule
    def wrong(x, g):  # type: ignore[no-untyped-def]
        return x - g.T

    assert repr(wrong) == "<rule wrong>"
    assert wrong._repr_latex_() is None
    with pytest.raises(LanguageError):
        wrong._repr_html_()


@pytest.mark.parametrize("door", ["import mhat.language", "from mhat.language.definition import Rule"])
def test_a_rule_prints_whatever_was_imported(door: str) -> None:
    code = f"{door}\nfrom mhat.language import rule\nprint(rule('def f(x): return(x)'))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout == "def f(x):\n    return x\n"
