"""The page in a notebook: what Python gives and gets back, and the widget's module run by real browsers."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mhat
from mhat.page.bundle import part
from tests.page.browsers import Browser, until

HARNESS = """\
<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="lab.css"><body><div id="one"></div><div id="two"></div>
<script type="module">
import widget from "./widget.js";
const data = await (await fetch("data.json")).json();
window.saved = 0;
window.models = [];
window.ends = ["one", "two"].map((id) => {
  const kept = structuredClone(data);
  const model = {get: (name) => kept[name], set: (name, value) => { kept[name] = value; }, save_changes: () => { window.saved++; }};
  window.models.push(kept);
  return widget.render({model, el: document.getElementById(id)});
});
window.ready = true;
</script></body>
"""


def test_python_gives_what_the_page_begins_with() -> None:
    made = mhat.lab("adam", "cautious(adam)", "constant:10", lr=0.5)
    assert [rule["knobs"] for rule in made.value["rules"]] == [{"lr": 0.5}, {"lr": 0.5}]
    assert made.value["source"] == {"kind": "stream", "spec": "constant:10"}
    assert made.given["setting"] == made.value
    assert made.get_state(["given", "value"])["value"] == made.value
    assert len(part("widget.js")) <= 500_000


def test_the_story_has_no_value_until_the_page_tells_it() -> None:
    assert mhat.lab().value == {}


def test_an_exercise_in_a_notebook() -> None:
    assert mhat.lab(exercise="momentum").given["exercise"] == "momentum"


def test_rules_of_a_value_can_be_run_again() -> None:
    value = mhat.lab("adam", "constant:10", lr=0.5).value
    (rule,) = value["rules"]
    again = mhat.trace(rule["text"], value["source"]["spec"], steps=3, **rule["knobs"])
    assert again["x"].values == pytest.approx([-0.5, -1.0, -1.5])


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page that renders the widget twice, as a notebook does with two views of it."""
    folder: Path = tmp_path_factory.mktemp("harness")
    made = mhat.lab("adam", "spike:5", steps=30)
    (folder / "index.html").write_text(HARNESS)
    (folder / "widget.js").write_text(part("widget.js"), encoding="utf-8")
    (folder / "lab.css").write_text(part("lab.css"), encoding="utf-8")
    (folder / "data.json").write_text(json.dumps({"given": made.given, "value": made.value}))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


def test_the_widget_is_rendered_and_its_value_goes_back(browser: Browser, harness: str) -> None:
    browser.open(harness)
    until(browser, "return window.ready && window.saved >= 2")
    assert browser.run("return document.querySelectorAll('#one .mhat-plots canvas').length") >= 3
    assert browser.run("return window.models[0].value.source.spec") == "spike:5"
    browser.run(
        "const s = document.querySelector('#one input[data-knob=lr]'); s.value = 900;"
        "s.dispatchEvent(new Event('input', {bubbles: true})); return true"
    )
    lr = until(browser, "return window.models[0].value.rules[0].knobs.lr")
    assert lr > 0.01
    assert browser.run("return window.models[1].value.rules[0].knobs") == {}


def test_a_widget_that_is_taken_away_leaves_nothing(browser: Browser, harness: str) -> None:
    browser.open(harness)
    until(browser, "return window.ready && window.saved >= 2")
    browser.run("window.ends[0](); return true")
    assert browser.run("return document.querySelectorAll('#one canvas').length") == 0
    assert browser.run("return document.querySelectorAll('#two .mhat-plots canvas').length") >= 3


def test_the_console_works_beside_a_widget(browser: Browser, harness: str) -> None:
    browser.open(harness)
    until(browser, "return window.ready")
    assert browser.run("return (await window.mhat.trace('def a(x, g):\\n    return x - g', {stream: [1, 2]})).x") == [
        -1,
        -3,
    ]
