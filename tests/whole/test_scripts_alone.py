"""`mhat check script.py`, with nothing told: what is said of scripts as people write them, through either door."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import mhat
from mhat import inquiry
from mhat.errors import BadValue
from mhat.terminal.cli import app
from tests.subjects.script_styles import STYLES
from tests.subjects.test_scripts import ASKER


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    few = [mhat.rules.named(name) for name in ("adam", "adamw", "lion", "momentum", "nesterov", "sgd")]
    monkeypatch.setattr(inquiry, "_library", lambda: few)
    return tmp_path


def judged(text: str, name: str = "script.py", **how: object) -> mhat.Verdict:
    Path(name).write_text(text)
    return mhat.check(name, in_process=True, **how)


# Style, the rule that it is, what of it is read, and a note that says so.
RIGHT: dict[str, tuple[str, str, str]] = {
    "a list is gone through": ("adam", "x", "fed is `grads`, read is `x`: the loop in line 6 goes through `grads`"),
    "the derivative is a function": ("sgd", "x", "fed is `df`, read is `x`: the loop in line 5 asks for `df`"),
    "a lambda, until it has converged": ("sgd", "x", "read is `cur_x`"),
    "a regression with D_m and D_c": ("sgd", "x", "what is read as `c` conforms, too"),
    "in main, behind its guard": ("adam", "x", "the loop in line 7 of main computes `g`"),
    "a function over coordinates": ("adam", "x", "of the file `adam` is judged"),
    "a function that returns its history": ("adam", "x", "the loop in line 11 of optimise computes `g`"),
    "a class that fits": ("sgd", "x", "read is `self.weights`"),
    "a constant gradient": ("adam", "ratio", "what is read was recognised as the variable `ratio` of adam"),
    "a ratio that is printed alone": ("adam", "ratio", "is printed"),
    "moments alone, plotted": ("adam", "m_hat", "recognised as the variable `m_hat` of adam"),
    "a step that is printed": ("adam", "update", "recognised as the update of adam"),
    "an ascent": ("sgd", "x", "it climbs"),
    "dictionaries of parameters": ("momentum", "x", "read is `params['W']`"),
    "a gradient ahead": ("nesterov", "x", "read is `x_ahead`"),
    "AdamW": ("adamw", "x", "it starts at 1 by itself"),
    "Lion": ("lion", "x", "read is `theta`"),
    "three optimizers": ("adam", "x", "--feed grad@12 --read x"),
    "lists as vectors": ("adam", "x", "it starts at 1 by itself"),
}  # fmt: skip


@pytest.mark.parametrize("style", RIGHT)
def test_right_scripts_conform(style: str, here: Path) -> None:
    rule, observe, note = RIGHT[style]
    verdict = judged(STYLES[style][0])
    assert (verdict.conforms, verdict.against, verdict.observe) == (True, rule, observe)
    assert note in " ".join(verdict.notes)


# What is wrong, and what else is said.
WRONG: dict[str, tuple[str, str, str]] = {
    "Adam without the root": ("adam", "in `ratio` the root of `v_hat` is missing", "read is `x`"),
    "Adam for w and b, the bias wrong": (
        "adam",
        "in `ratio` the root of `v_hat` is missing",
        "`w` conforms, and `b` does not",
    ),
    "a constant gradient, stored back": ("adam", "`m_hat` is stored back into `m`", "read is `result`"),
}


@pytest.mark.parametrize("style", WRONG)
def test_wrong_scripts_are_told_what_is_wrong(style: str, here: Path) -> None:
    rule, sentence, note = WRONG[style]
    verdict = judged(STYLES[style][0], "adam_script.py")
    assert (verdict.conforms, verdict.against) == (False, rule)
    assert verdict.diagnosis is not None
    assert sentence in "; ".join(verdict.diagnosis.sentences)
    assert note in " ".join(verdict.notes)


def test_the_script_that_mhat_began_with_is_answered_by_one_command(here: Path) -> None:
    Path("script.py").write_text(ASKER)
    result = CliRunner().invoke(app, ["check", "script.py"])
    assert result.exit_code == 1
    for line in (
        "`m_hat` is stored back into `m` and `v_hat` is stored back into `v`",
        "with the last of them repeated, at step 100: 3.4e-70 where 1 is expected",
        "line 17: m = m / (1 - beta1**t)",
        "line 18: v = v / (1 - beta2**t)",
        "note: fed is `g_list`, read is `mv`: the loop in line 13 goes through `g_list`, and `mv` is plotted; it could "
        "also be read so: --feed g_list --read m, --feed g_list --read v",
    ):
        assert line in result.output
    assert [path.name for path in here.iterdir()] == ["script.py"]


def test_both_doors_and_the_words_of_a_note_say_the_same(here: Path) -> None:
    text, (words,) = STYLES["a momentum with a path"]
    alone = judged(text)
    told = judged(text, feed=words.split()[1], read=words.split()[3])
    assert (alone.conforms, alone.against, alone.knobs) == (told.conforms, told.against, told.knobs)
    half = judged(text, read="velocity", against="momentum")
    assert (half.conforms, half.observe) == (True, "update")
    printed = CliRunner().invoke(app, ["check", "script.py", "--json", "--in-process"])
    assert printed.output == alone.to_json() + "\n"


def test_identify_read_and_compare_take_a_script_alone(here: Path) -> None:
    Path("momentum.py").write_text(STYLES["a momentum with a path"][0])
    Path("other.py").write_text(STYLES["a momentum with a path"][0].replace("0.9", "0.8"))
    assert mhat.identify("momentum.py", in_process=True).against == "momentum"
    reading = mhat.read("momentum.py", in_process=True)
    assert reading.complete
    assert any("read is `x`" in note for note in reading.notes)
    compared = mhat.compare("momentum.py", "other.py", in_process=True, seconds=4)
    assert not compared.same
    assert any("read is `x`" in note for note in compared.b.notes)


STEP = """\
import numpy as np

def {name}(x, g, m, v, t, lr=0.01, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    return x - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), m, v
{more}
x, m, v = 3.0, 0.0, 0.0
for t in range(1, 300):
    x, m, v = {name}(x, 2 * x, m, v, t)
print(x)
"""


def test_a_step_that_a_script_calls_is_judged_itself_and_the_script_is_listed(here: Path) -> None:
    verdict = judged(STEP.format(name="adam_step", more="\ndef loss(x):\n    return x**2\n"))
    assert (verdict.conforms, verdict.against) == (True, "adam")
    assert "of the file `adam_step` is judged; it could also be read so: script.py --feed '2 * x' --read x" in (
        " ".join(verdict.notes)
    )
    told = judged(STEP.format(name="adam_step", more=""), feed="2 * x", read="x")
    assert (told.conforms, told.against) == (True, "adam")


MESSAGES: dict[str, tuple[str, str]] = {
    "total = 0\nfor i in range(9):\n    total += i\nprint(total)\n": (
        "nothing in script.py was found that could be gradients: the loop in line 2 assigns `total`\nSay which of them "
        "is the gradient, and what is to be judged: script.py --feed g --read x."
    ),
    "print(1)\n": (
        "there is no function or class in script.py, and no loop that goes on from step to step\nWrite run(gradients); "
        "or of a script what is fed and what is read: script.py --feed g_list --read x_list."
    ),
    "def a(n):\n    return n\n\ndef b(n):\n    return n\n": (
        "there are 2 functions and classes in script.py\nName one: script.py:a; or of a script what is fed and what is "
        "read: script.py --feed g_list --read x_list."
    ),
    "s = 0.0\nfor g in [1.0, 2.0, 3.0] * 5:\n    s = abs(s) ** 0.5 + 0.3 * g\n    print(s)\n": (
        "`s` of script.py was not recognised: it is neither x, nor an update, nor a variable of a rule\nSay which it "
        "is, and of which rule: --observe ratio --against adam; or name another to read."
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", MESSAGES)
def test_where_nothing_is_found_the_names_of_the_script_are_told(text: str, here: Path) -> None:
    with pytest.raises(BadValue) as caught:
        judged(text, seconds=1.0)
    assert str(caught.value) == MESSAGES[text]


def test_of_a_lone_function_nothing_need_be_said(here: Path) -> None:
    text = "def my_sgd(gradients, lr=0.1):\n    x, xs = 0.0, []\n    for g in gradients:\n        x = x - lr * g\n"
    verdict = judged(f"{text}        xs.append(x)\n    return xs\n", against="sgd")
    assert (verdict.conforms, verdict.notes) == (True, ())


RUN = """
import math


def adam(gs, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    x, m, v, out = 0.0, 0.0, 0.0, []
    for t, g in enumerate(gs, 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        x -= lr * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + eps)
        out.append(x)
    return out
"""


def test_a_lone_function_with_a_loop_that_nobody_runs_is_what_is_meant(here: Path) -> None:
    verdict = judged(RUN, "runs.py")
    assert (verdict.conforms, verdict.against) == (True, "adam")
    assert not any("Refusal" in note for note in verdict.notes)
