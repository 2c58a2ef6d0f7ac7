"""What a reader does with the exported page, opened from disk: in a real Chromium and a real Firefox."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import mhat
from tests.page.browsers import Browser, until

READY = "return Boolean(window.mhat && window.mhat.page)"
HALT = "const p = window.mhat.page; p.store.look({step: 7}); return true"
ADAM = """def adam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps)"""
TYPE = """
const content = document.querySelectorAll('.cm-content')[values[0]];
const card = window.mhat.page.store.setting.rules;
window.mhat.page.store.change({rules: card.map((rule, i) => i === values[0] ? {...rule, text: values[1]} : rule)}, 'typed');
return true"""


@pytest.fixture
def page(browser: Browser, story: str) -> Browser:
    browser.size(1360, 950)
    browser.open(story)
    until(browser, READY)
    return browser


def test_the_first_frame_is_the_story(page: Browser) -> None:
    assert page.run("return document.querySelector('.mhat-sentence').textContent").startswith(
        "Both get the gradient 10"
    )
    assert page.run("return document.querySelectorAll('.mhat-plots canvas').length") >= 3
    names = page.run("return [...document.querySelectorAll('.mhat-knobs input[type=range]')].map(e => e.dataset.knob)")
    assert names == ["lr", "beta1", "beta2", "eps"] * 2
    # It moves by itself: the step that is looked at runs on.
    first = page.run("return window.mhat.page.store.setting.step")
    assert until(page, "return window.mhat.page.store.setting.step > values[0] + 2", first)


def test_numbers_are_put_in_and_the_first_difference_is_marked(page: Browser) -> None:
    page.run("window.mhat.page.plots.element.focus(); return true")
    page.keys("\ue011\ue014")  # Home, right: step 2
    until(page, "return window.mhat.page.store.setting.step === 2")
    lines = until(
        page,
        "const t = [...document.querySelectorAll('.mhat-numbers')].map(e => e.textContent); return t.length > 11 && t[0].startsWith('m = 0.9 * 1 ') && t",
    )
    assert "m = 0.9 * 1 + (1 - 0.9) * 10 = 1.9" in lines
    assert "m = 0.9 * 10 + (1 - 0.9) * 10 = 10" in lines
    marked = page.run("return [...document.querySelectorAll('.mhat-differs')].map(e => e.textContent)")
    assert marked == ["m = 0.9 * 1 + (1 - 0.9) * 10 = 1.9", "m = 0.9 * 10 + (1 - 0.9) * 10 = 10"]


def test_a_slider_moves_the_curves(page: Browser) -> None:
    page.run(
        "const s = document.querySelector('input[data-knob=lr]'); s.focus(); s.value = 900;"
        "s.dispatchEvent(new Event('input', {bubbles: true})); return true"
    )
    lr = until(page, "return window.mhat.page.store.setting.rules[0].knobs.lr")
    last = until(
        page,
        "const x = window.mhat.page.result.rules[0].trace.variables.get('x')[0]; return x[x.length - 1] < -1 && x[x.length - 1]",
    )
    assert last == pytest.approx(-60 * lr, rel=1e-6)
    page.run(
        "document.querySelector('input[data-knob=lr]').dispatchEvent(new MouseEvent('dblclick', {bubbles: true})); return true"
    )
    assert until(page, "return window.mhat.page.store.setting.rules[0].knobs.lr === 0.01")


def test_typing_shows_errors_at_their_line(page: Browser) -> None:
    page.run("document.querySelectorAll('.cm-content')[0].focus(); return true")
    page.run(TYPE, 0, "def mine(x, g, *, lr=0.1):\n    move = lr * gg\n    return x - move")
    said = until(page, "const e = document.querySelector('.mhat-refusal:not([hidden])'); return e && e.textContent")
    assert said.startswith("line 2: `gg` is not known here. Did you mean `g`?")
    page.run(TYPE, 0, "def mine(x, g, *, lr=0.1):\n    move = lr * g\n    return x - move")
    assert until(
        page,
        "return window.mhat.page.result.rules[0].trace && window.mhat.page.result.rules[0].trace.tree.name === 'mine'",
    )


def test_real_keys_reach_the_editor_and_are_undone(page: Browser) -> None:
    page.run(
        "const c = document.querySelectorAll('.cm-content')[1]; c.focus(); getSelection().selectAllChildren([...c.querySelectorAll('.cm-line')].pop()); getSelection().collapseToEnd(); return true"
    )
    before = page.run("return window.mhat.page.store.setting.rules[1].text")
    page.keys("q")
    until(page, "return window.mhat.page.store.setting.rules[1].text !== values[0]", before)
    page.run("window.mhat.page.store.undo(); return true")
    assert page.run("return window.mhat.page.store.setting.rules[1].text") == before


def test_gradients_are_drawn_by_hand(page: Browser) -> None:
    page.run(
        "[...document.querySelectorAll('.mhat-source button')].find(e => e.textContent === 'draw').click(); return true"
    )
    box = until(
        page,
        "const c = document.querySelector('.mhat-pad'); if (!c.offsetWidth) return null; c.scrollIntoView({block: 'center'}); const b = c.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]",
    )
    left, top, width, height = box
    page.drag([(int(left + share * width), int(top + 0.2 * height)) for share in (0.1, 0.5, 0.9)])
    rows = until(
        page,
        "const s = window.mhat.page.store.setting.source; return s.kind === 'values' && s.rows[0].filter(v => v > 0 && v !== 10).length > 20 && s.rows[0]",
    )
    assert len(rows) == 60


def test_a_landscape_is_turned_and_its_start_dragged(page: Browser) -> None:
    page.run(
        "const s = document.querySelector('.mhat-pick select'); s.value = 'landscape:ravine'; s.dispatchEvent(new Event('change')); return true"
    )
    box = until(
        page,
        "const c = document.querySelector('.mhat-terrain'); if (!c.offsetWidth) return null; c.scrollIntoView({block: 'center'}); const b = c.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]",
    )
    left, top, width, height = box
    page.drag(
        [(int(left + 0.3 * width), int(top + 0.3 * height)), (int(left + 0.75 * width), int(top + 0.25 * height))]
    )
    start = until(page, "return window.mhat.page.store.setting.source.start")
    assert start == pytest.approx([0.75, 0.75], abs=0.06)
    loss = page.run("const t = window.mhat.page.result.rules[0].trace; return [t.loss[0], t.loss.length]")
    page.run(
        "const s = document.querySelector('input[data-knob=turn]'); s.value = 45; s.dispatchEvent(new Event('input')); return true"
    )
    assert until(page, "const t = window.mhat.page.result.rules[0].trace; return t.loss[0] !== values[0]", loss[0])


def test_a_link_shows_exactly_what_was_seen(page: Browser, story: str) -> None:
    page.run(
        "window.mhat.page.store.change({source: {kind: 'stream', spec: 'spike:5,at=3'}, steps: 12, step: 4}, 'x'); return true"
    )
    page.run(
        "[...document.querySelectorAll('.mhat-toolbar button')].find(e => e.textContent === 'link').click(); return true"
    )
    link = until(page, "return location.hash.length > 10 && location.hash")
    page.open(story + link)
    until(page, READY)
    assert page.run("const s = window.mhat.page.store.setting; return [s.source.spec, s.steps, s.step]") == [
        "spike:5,at=3",
        12,
        4,
    ]
    page.open(story + "#bm9uc2Vuc2U")
    until(page, READY)
    assert page.run("return window.mhat.page.store.setting.rules.length") == 2


def test_the_mended_story_passes_its_lesson(page: Browser) -> None:
    wrong = page.run("return window.mhat.page.store.setting.rules[1].text")
    assert page.run("return document.querySelector('.mhat-verdict').textContent") == ""
    page.run(TYPE, 1, wrong.replace("m = m /", "m_hat = m /").replace("ratio = m /", "ratio = m_hat /"))
    said = until(
        page, "return document.querySelector('.mhat-not-yet') && document.querySelector('.mhat-verdict').textContent"
    )
    assert said.startswith("Its last step is")
    page.run(
        TYPE,
        1,
        wrong.replace("    m = m /", "    m_hat = m /")
        .replace("    v = v /", "    v_hat = v /")
        .replace("m / (sqrt(v)", "m_hat / (sqrt(v_hat)"),
    )
    assert until(
        page, "return document.querySelector('.mhat-right') && document.querySelector('.mhat-verdict').textContent"
    ).startswith("✓ Its last step is lr")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("m = beta1 * m + (1 - beta1) * g", "m = beta1 * m + g", "In `m` one factor of `(1 - beta1) * g` is missing. (line 2)"),
        ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)", "`eps` is added under the root. (line 6)"),
        ("g**2", "g", "In `v` the power of `g**2` is missing. (line 3)"),
        ("v / (1 - beta2**t)", "v", "The bias correction of `v_hat` is missing. (line 5)"),
        ("x - lr", "x + lr", "the sign is turned"),
    ],
)  # fmt: skip
def test_an_exercise_tells_which_line_is_wrong(page: Browser, right: str, wrong: str, told: str) -> None:
    page.run(
        "const s = document.querySelector('.mhat-bar select'); s.value = 'write:adam'; s.dispatchEvent(new Event('change')); return true"
    )
    until(page, "return window.mhat.page.store.setting.rules.length === 1")
    page.run(TYPE, 0, ADAM.replace(right, wrong))
    said = until(
        page, "return document.querySelector('.mhat-not-yet') && document.querySelector('.mhat-verdict').textContent"
    )
    assert told.replace("`", "") in said.replace("`", "")
    page.run(TYPE, 0, ADAM)
    assert "It is right" in until(
        page, "return document.querySelector('.mhat-right') && document.querySelector('.mhat-verdict').textContent"
    )


def test_a_narrow_screen_has_everything_in_one_column(page: Browser) -> None:
    page.size(500, 900)
    until(
        page,
        "return getComputedStyle(document.querySelector('.mhat-main')).gridTemplateColumns.split(' ').length === 1",
    )
    assert page.run("return document.documentElement.scrollWidth <= innerWidth + 1")
    assert page.run("return document.querySelectorAll('.mhat-plots canvas').length") >= 3


def test_curves_are_told_in_words(page: Browser) -> None:
    words = page.run(
        "return [...document.querySelectorAll('.mhat-plots canvas')].map(e => e.getAttribute('aria-label'))"
    )
    assert words[0].startswith("x over 60 steps. adam: from -0.6 to -0.01, at the end -0.6; wrong_adam:")


def test_the_console_has_traces_and_trees(page: Browser) -> None:
    stream = [1.0, -2.0, 0.5, 3.0]
    made = page.run("return window.mhat.trace(values[0], {stream: values[1]}, {lr: 0.1})", ADAM, stream)
    trace = mhat.trace(ADAM, np.array(stream), lr=0.1)
    for name in ("x", "m", "v", "m_hat", "v_hat"):
        assert made[name] == trace[name].values.tolist()
    hill = page.run("return window.mhat.trace(values[0], {landscape: 'ravine', start: [0.5, 1], steps: 5})", ADAM)
    assert np.array(hill["x"]).shape == (5, 2)
    assert page.run("return window.mhat.parse(values[0]).name", ADAM) == "adam"
    said = page.run("return window.mhat.trace('def a(x, g):\\n    return y', {stream: [1]})")
    assert said.startswith("thrown: line 2: `y` is not known here")


def test_nothing_is_asked_of_the_network_and_nothing_else_runs(page: Browser, story: str) -> None:
    asked = page.run(
        "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:'))"
    )
    assert asked == []
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s); return true"
    )
    assert page.run("return window.broken === undefined")


def test_an_exported_page_opens_with_its_rules(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "two.html"
    mhat.lab("adam", "cautious(adam)", "spike", to=file, lr=0.5)
    assert file.stat().st_size < 600_000
    browser.open(file.as_uri())
    until(browser, READY)
    names, source, knobs = browser.run(
        "const s = window.mhat.page.store.setting; return [window.mhat.page.result.rules.map(r => r.trace.tree.name), s.source, s.rules[0].knobs]"
    )
    assert names == ["adam", "cautious_adam"]
    assert source == {"kind": "stream", "spec": "spike"}
    assert knobs == {"lr": 0.5}
    kept = browser.run("return JSON.parse(document.getElementById('mhat-data').textContent).library.length")
    assert kept > 60
    assert json.dumps(names)
