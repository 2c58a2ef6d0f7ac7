"""Verdicts in words: the answer in the first lines, at any width and without colours. It checks no subject."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from mhat import rules
from mhat.checks.comparison import Comparison
from mhat.checks.verdict import Deviation, Diagnosis, LawFinding, Verdict
from mhat.mistakes.slots import Edit
from mhat.terminal import verdict_pages
from mhat.writing.plain import text_of

PAPER = "Kingma & Ba 2015, Adam, Algorithm 1, arXiv:1412.6980"
DIFF = "- m_hat = m / (1 - beta1**t)\n+ m = m / (1 - beta1**t)"
SAID = Deviation(2, 1e15, (1.0, 1.0), (1.0, 0.235), (1.0, 1.0), "learning rates")


def found(*sentences: str, diff: str = DIFF) -> Diagnosis:
    edits = tuple(Edit(sentence, (), "store") for sentence in sentences)
    return Diagnosis("adam", rules.named("adam"), edits, {}, diff, (), ((9, "m = m / (1 - b1**t)  # [bold]"),))


LAW = LawFinding("constant gradient", False, "It moves by lr, [red]always[/red].", "the gradients [1, 1]: 0.235")
WRONG = Verdict(
    "mine.py:my_adam", "adam", PAPER, conforms=False, laws=(LAW, LawFinding("sign", True, "alike")),
    deviation=SAID, diagnosis=found("`m_hat` is stored back into `m`"),
)  # fmt: skip
RIGHT = Verdict("mine.py:my_adam", "adam", PAPER, conforms=True)


def told(verdict: Verdict) -> str:
    return text_of(verdict.story)


def printed(verdict: Verdict, width: int = 80, *, colours: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colours, color_system="standard" if colours else None,
        highlight=False, _environ={},
    )  # fmt: skip
    console.print(verdict_pages.page(verdict.story))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_deviation_in_plain_text() -> None:
    assert told(WRONG).splitlines() == [
        f"mine.py:my_adam deviates from adam ({PAPER}) from step 2 on:",
        "  `m_hat` is stored back into `m`",
        "  - m_hat = m / (1 - beta1**t)",
        "  + m = m / (1 - beta1**t)",
        "shown by the gradients [1, 1]: 0.235 where 1 is expected (in learning rates)",
        "broken laws:",
        "  constant gradient: the gradients [1, 1]: 0.235",
        "      It moves by lr, [red]always[/red].",
        "in your file:",
        "  line 9: m = m / (1 - b1**t)  # [bold]",
    ]


def test_the_answer_is_in_the_first_three_lines_of_a_terminal() -> None:
    lines = printed(WRONG).splitlines()
    assert lines[2] == "  `m_hat` is stored back into `m`"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in printed(WRONG)
    assert "\x1b[31m" in printed(WRONG, colours=True)


def test_what_does_not_fit_goes_on_below_its_own_beginning() -> None:
    lines = printed(WRONG, 40).splitlines()
    assert max(map(len, lines)) <= 40
    place = next(n for n, line in enumerate(lines) if line.startswith("  constant gradient"))
    assert lines[place + 1].startswith("  ") and lines[place + 1].strip().startswith("1]: 0.235")


def test_brackets_of_the_user_are_no_markup() -> None:
    assert "[red]always[/red]" in printed(WRONG)


def test_conforming() -> None:
    assert told(RIGHT) == f"mine.py:my_adam conforms to adam ({PAPER})"
    assert told(replace(RIGHT, estimated={"eps": 1e-3})).endswith(") with eps=1e-3")
    spoken = replace(RIGHT, dialect="eps-hat (section 2)", diagnosis=found("eps-hat"))
    assert told(spoken).splitlines()[1:3] == [
        "in its dialect: eps-hat (section 2)",
        "  - m_hat = m / (1 - beta1**t)",
    ]
    assert "\x1b[2m- m_hat" in printed(spoken, colours=True)


def test_where_nothing_fits_it_is_said() -> None:
    none = replace(WRONG, diagnosis=None)
    assert "no mistake that mhat knows explains it" in told(none)
    assert told(none).endswith("no small change of the rule comes near it")
    near = told(replace(none, nearest=found("eps is left out")))
    assert near.endswith("the nearest that was tried, which is not the answer:\n  eps is left out")


def test_another_answer_is_told_by_what_is_its_own() -> None:
    first = replace(found("a", "b"), others=(found("a", "c"),))
    assert told(replace(WRONG, diagnosis=first)).endswith("as simple: c")


@pytest.mark.parametrize(
    ("got", "expected", "ulps", "text"),
    [
        (0.9998, 1.0, 1e12, "0.9998 where 1 is expected"),
        (1.0 + 1e-15, 1.0, 5.0, "off by 5 ulps of the update at step 2"),
        (1.0 + 1e-9, 1.0, float("inf"), "1.000000001 where 1 is expected"),
        (float("nan"), 1.0, float("nan"), "nan where 1 is expected"),
        (float("inf"), 0.0, float("inf"), "inf where 0 is expected"),
    ],
)
def test_two_numbers_are_written_so_that_they_differ(got: float, expected: float, ulps: float, text: str) -> None:
    said = replace(SAID, got=(1.0, got), expected=(1.0, expected), ulps=ulps)
    assert text in told(replace(WRONG, deviation=said))


def test_a_signature_is_shown_only_if_its_states_differ() -> None:
    same = "- def adam(x, g, t, m=0):\n+ def adam(x, g, m=0):\n- a\n+ b"
    text = told(replace(WRONG, diagnosis=found("s", diff=same)))
    assert "def adam" not in text
    text = told(replace(WRONG, diagnosis=found("s", diff=same.replace("g, m=0", "g, m=g"))))
    assert "+ def adam(x, g, m=g):" in text


def test_a_comparison() -> None:
    apart = replace(SAID, gradients=(1.0,), got=(-0.001,), expected=(-0.00100000001,), step=1)
    comparison = Comparison(RIGHT, replace(RIGHT, subject="other"), False, apart, "")
    assert text_of(comparison.story).splitlines()[:2] == [
        "mine.py:my_adam and other part at step 1",
        "shown by the gradients [1]: parameters -0.001 and -0.00100000001",
    ]
    same = Comparison(RIGHT, RIGHT, True, None, "")
    assert text_of(same.story).splitlines()[0].endswith("do the same, to rounding")
