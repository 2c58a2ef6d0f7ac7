"""Every lesson is passed as its hint says, and failed by what is not enough; every exercise names what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.page.browsers import Browser, until

READY = "return Boolean(window.mhat && window.mhat.page)"
# What a reader may do: knobs of a rule, other gradients, another angle, another text.
DO = """
const store = window.mhat.page.store;
const {rule, knobs, source, edit} = values[0];
const rules = store.setting.rules.map((each, i) => {
  if (i !== (rule ?? 0)) return each;
  let text = each.text;
  for (const [from, to] of edit ?? []) text = text.replace(from, to);
  return {text, knobs: {...each.knobs, ...(knobs ?? {})}};
});
store.change({...(knobs || edit ? {rules} : {}), ...(source ? {source: {...store.setting.source, ...source}} : {})}, 'done');
return true"""
OPEN = """
const pick = document.querySelector('.mhat-bar select');
pick.value = values[0];
pick.dispatchEvent(new Event('change'));
return true"""
SAID = "const v = document.querySelector(values[0]); return v && document.querySelector('.mhat-verdict').textContent"
MENDED = [
    ["    m = m /", "    m_hat = m /"],
    ["    v = v /", "    v_hat = v /"],
    ["m / (sqrt(v)", "m_hat / (sqrt(v_hat)"],
]
LESSONS: dict[str, tuple[dict[str, Any], str, dict[str, Any], str]] = {
    "story": ({"rule": 1, "edit": MENDED[:1]}, "Its last step is", {"rule": 1, "edit": MENDED}, "Its last step is lr"),
    "correct": ({"rule": 1, "knobs": {"beta2": 0.9}}, "The first step is", {"rule": 1, "knobs": {"beta2": 0.99}}, "The first step is 1"),
    "eps": ({"knobs": {"eps": 1e-7}}, "The last step is", {"knobs": {"eps": 1e-6}}, "At eps = 1e-6"),
    "noise": ({"knobs": {"beta1": 0.95}}, "The longest is", {"knobs": {"beta1": 0.99}}, "The longest is"),
    "spike": ({"source": {"spec": "spike:10,at=50"}}, "The longest step is", {"source": {"spec": "spike:100,at=250"}}, "Step 250 is"),
    "amsgrad": ({"knobs": {"beta2": 0.2}}, "x ends at", {"knobs": {"beta2": 0.99}}, "x ends at -"),
    "beta2": ({"knobs": {"beta2": 0.99}}, "Step 50 is", {"knobs": {"beta2": 0.81}}, "Step 50 is"),
    "decay": ({"knobs": {"weight_decay": 0.12}}, "It ends at", {"knobs": {"weight_decay": 0.2}}, "It ends at 4.98"),
    "bfloat16": ({"knobs": {"lr": 0.0005}}, "x ends at", {"knobs": {"lr": 0.003}}, "x ends at -"),
    "turned": ({"source": {"angle": 1}}, "Height", {"source": {"angle": 45}}, "at 45 degrees"),
}  # fmt: skip
HEADS = {
    "momentum": "def momentum(x, g, m=0, *, lr=0.01, beta=0.9):\n    ",
    "rmsprop": "def rmsprop(x, g, v=0, *, lr=0.01, rho=0.99, eps=1e-8):\n    ",
    "adamw": "def adamw(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1):\n    ",
}
RIGHT = {
    "momentum": HEADS["momentum"] + "m = beta * m + g\n    return x - lr * m",
    "rmsprop": HEADS["rmsprop"] + "v = rho * v + (1 - rho) * g**2\n    return x - lr * g / (sqrt(v) + eps)",
    "adamw": HEADS["adamw"]
    + "x = x - lr * weight_decay * x\n    m = beta1 * m + (1 - beta1) * g\n    v = beta2 * v + (1 - beta2) * g**2\n"
    "    m_hat = m / (1 - beta1**t)\n    v_hat = v / (1 - beta2**t)\n    return x - lr * m_hat / (sqrt(v_hat) + eps)",
}
# Of each exercise five wrong answers: what is changed in the right one, and words of what is said of it.
WRONG: dict[str, list[tuple[str, str, str]]] = {
    "momentum": [
        ("beta * m + g", "beta * m - g", "line 2"),
        ("beta * m + g", "beta * m + (1 - beta) * g", "line 2"),
        ("x - lr", "x + lr", "line 3"),
        ("beta * m + g", "m + g", "line 2"),
        ("lr * m", "lr * g", "line 3"),
    ],
    "rmsprop": [
        ("g**2", "g", "line 2"),
        ("(1 - rho) * g**2", "g**2", "line 2"),
        ("sqrt(v) + eps", "sqrt(v + eps)", "line 3"),
        ("sqrt(v)", "v", "line 3"),
        ("x - lr", "x + lr", "line 3"),
    ],
    "adamw": [
        ("lr * weight_decay * x", "weight_decay * x", "line 2"),
        ("x - lr * weight_decay", "x + lr * weight_decay", "line 2"),
        ("m / (1 - beta1**t)", "m", "line 5"),
        ("sqrt(v_hat)", "v_hat", "line 7"),
        ("(1 - beta2) * g**2", "(1 - beta1) * g**2", "line 4"),
    ],
}


@pytest.fixture
def page(browser: Browser, story: str) -> Browser:
    browser.size(1360, 950)
    browser.open(story)
    until(browser, READY)
    return browser


def test_every_lesson_is_failed_and_passed(page: Browser) -> None:
    offered = page.run(
        "return [...document.querySelectorAll('.mhat-bar optgroup')].map(g => [...g.children].map(o => o.value))"
    )
    assert offered == [list(LESSONS), ["write:momentum", "write:rmsprop", "write:adam", "write:adamw"]]
    for lesson, (little, told_first, enough, told_then) in LESSONS.items():
        page.run(OPEN, lesson)
        until(
            page,
            "return window.mhat.page.store.setting.lesson === values[0] && !document.querySelector('.mhat-not-yet, .mhat-right')",
            lesson,
        )
        page.run(DO, little)
        assert told_first in until(page, SAID, ".mhat-not-yet"), lesson
        page.run(OPEN, lesson)
        until(page, "return !document.querySelector('.mhat-not-yet')")
        page.run(DO, enough)
        assert told_then in until(page, SAID, ".mhat-right"), lesson
        page.run("window.mhat.page.store.undo(); return true")
    marks = page.run("return [...document.querySelectorAll('.mhat-bar optgroup')][0].textContent")
    assert marks.count("✓") == len(LESSONS)


@pytest.mark.parametrize("exercise", WRONG)
def test_of_every_exercise_five_wrong_answers_are_told_at_their_line(page: Browser, exercise: str) -> None:
    page.run(OPEN, f"write:{exercise}")
    until(page, "return window.mhat.page.store.setting.rules.length === 1")
    for right, wrong, told in WRONG[exercise]:
        text = RIGHT[exercise].replace(right, wrong, 1)
        assert text != RIGHT[exercise]
        page.run("window.mhat.page.store.change({rules: [{text: values[0], knobs: {}}]}, 'a'); return true", text)
        said = until(
            page,
            "const v = document.querySelector('.mhat-not-yet'); return window.mhat.page.result.setting.rules[0].text === values[0] && window.mhat.page.thought === window.mhat.page.result.rules && v && v.textContent",
            text,
        )
        assert told in said, json.dumps([wrong, said])
    page.run(
        "window.mhat.page.store.change({rules: [{text: values[0], knobs: {}}]}, 'a'); return true", RIGHT[exercise]
    )
    assert "It is right" in until(page, SAID, ".mhat-right")
