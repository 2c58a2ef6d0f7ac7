"""A page after a check: the sentence, the rule beside what the subject does, and the step at which they part."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import mhat
from mhat.checks.verdict import Verdict
from mhat.page import page_text
from mhat.page.judged import given_of, sentence_of
from mhat.terminal.cli import app
from tests.page.browsers import Browser, until

MINE = """\
import numpy as np


def my_adam(gradients, lr=1e-3):
    x, m, v, xs = 0.0, 0.0, 0.0, []
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        x = x - lr * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t) + 1e-8)
        xs.append(x)
    return np.array(xs)
"""
STORED_BACK = Path(__file__).parents[2] / "examples" / "stored_back.py"


def exported(file: Path, *arguments: str) -> dict[str, Any]:
    """Run the command; what the page that it wrote begins with."""
    made = CliRunner().invoke(app, ["lab", *arguments, "--check", "--export", str(file)], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    text = file.read_text("utf-8")
    begin = text.index('id="mhat-data">') + len('id="mhat-data">')
    return json.loads(text[begin : text.index("</script>", begin)])  # type: ignore[no-any-return]


def test_an_implementation_stands_beside_its_rule(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    data = exported(tmp_path / "page.html", f"{tmp_path}/mine.py:my_adam")
    assert "mine.py:my_adam deviates from adam (" in data["verdict"]
    assert data["verdict"].endswith("from step 1 on: `eps` is added to `v_hat` and not to `sqrt(v_hat)`")
    reference, own = (rule["text"] for rule in data["setting"]["rules"])
    assert reference.startswith("def adam(")
    assert own.startswith("def my_adam(x, g, t, m=0, v=0, *, lr=1e-3):")
    assert "+ 1e-8)" in own
    # The gradients are those by which the check shows it.
    assert data["setting"]["source"]["spec"] == "constant:1e-3"
    assert data["setting"]["step"] == 1


@pytest.fixture(scope="module")
def stored_back() -> Verdict:
    """Give the verdict on the mistake that mhat began with."""
    return mhat.check(str(STORED_BACK), "adam")


def test_gradients_and_knobs_that_are_told_are_shown(stored_back: Verdict) -> None:
    own = mhat.read(str(STORED_BACK))
    setting = given_of(stored_back, own, stream="spike:5", steps=30, knobs={"lr": 0.5, "mine": 3.0}).setting
    assert setting is not None
    assert (setting["source"]["spec"], setting["steps"], setting["step"]) == ("spike:5", 30, 2)
    assert [rule["knobs"] for rule in setting["rules"]] == [{"lr": 0.5}] * 2


def test_what_conforms_is_told_so() -> None:
    given = given_of(Verdict("a.py:mine", "adam", "Kingma", conforms=True, reference=mhat.rules.adam), None)
    assert given.verdict == "a.py:mine conforms to adam (Kingma)"
    assert given.setting is not None
    assert [rule["text"].partition("(")[0] for rule in given.setting["rules"]] == ["def adam"]


def test_without_a_reading_the_diagnosis_stands_for_the_subject(stored_back: Verdict) -> None:
    given = given_of(stored_back, None, steps=3)
    assert given.setting is not None
    own = given.setting["rules"][1]["text"]
    assert own.startswith("def stored_back(")
    assert "m = m / (1 - beta1**t)" in own
    assert sentence_of(stored_back).endswith("`m_hat` is stored back into `m` and `v_hat` is stored back into `v`")


def test_a_subject_of_the_name_of_its_rule_has_another(stored_back: Verdict) -> None:
    given = given_of(replace(stored_back, subject="adam.py"), None)
    assert given.setting is not None
    assert given.setting["rules"][1]["text"].startswith("def my_adam(")


def test_gradients_that_differ_are_a_row_of_numbers(stored_back: Verdict) -> None:
    assert stored_back.deviation is not None
    seen = replace(stored_back.deviation, gradients=(1.0, -2.0), course=None)
    given = given_of(replace(stored_back, deviation=seen), None, steps=5)
    assert given.setting is not None
    assert given.setting["source"] == {
        "kind": "values",
        "label": "what shows it",
        "rows": [[1.0, -2.0, -2.0, -2.0, -2.0]],
    }
    assert (given.setting["steps"], given.setting["step"]) == (5, 2)


def test_a_check_and_an_exercise_are_two_pages() -> None:
    made = CliRunner().invoke(app, ["lab", "adam", "--check", "--exercise", "adam"])
    assert made.exit_code == 2
    assert "--check and --exercise are two pages" in made.output


def test_the_page_opens_at_the_step_that_differs(browser: Browser, tmp_path: Path, stored_back: Verdict) -> None:
    file = tmp_path / "page.html"
    file.write_text(page_text(given_of(stored_back, None)), encoding="utf-8")
    browser.open(file.as_uri())
    until(browser, "return Boolean(window.mhat && window.mhat.page)")
    assert "is stored back into" in browser.run("return document.querySelector('.mhat-sentence').textContent")
    assert browser.run("return window.mhat.page.store.setting.step") == 2
    names = browser.run("return window.mhat.page.result.rules.map(r => r.trace.tree.name)")
    assert names == ["adam", "stored_back"]
    marked = until(
        browser,
        "const m = [...document.querySelectorAll('.mhat-differs')].map(e => e.textContent); return m.length && m",
    )
    assert all(text.startswith("m = ") for text in marked)
