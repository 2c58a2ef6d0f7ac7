"""The page's own reading and running of rules, held against Python's: the same trees, refusals and bits."""

from __future__ import annotations

import base64
import json
import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import streams
from mhat.errors import LanguageError
from mhat.language import Level, rule
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import all_expressions
from mhat.printers.python import rule_text
from tests.choices import VECTORS
from tests.engines.test_operations import NEAR
from tests.page.browsers import Browser, until

READ = """
const answers = [];
for (const text of values[0]) {
  try { answers.push({tree: window.mhat.parse(text)}); }
  catch (error) { answers.push({line: error.place ? error.place.line : null, what: error.what}); }
}
return answers"""
RUN = """
const bytes = (row) => { let s = ''; for (const b of new Uint8Array(Float64Array.from(row).buffer)) s += String.fromCharCode(b); return btoa(s); };
const answers = [];
for (const [text, stream] of values[0]) {
  try {
    const made = await window.mhat.trace(text, {stream: stream.map(Number)});
    answers.push(Object.fromEntries(Object.entries(made).map(([name, row]) => [name, bytes(row)])));
  } catch (error) { answers.push({refused: error.message}); }
}
return answers"""
STREAM = [1.0, -2.5, 0.0, 1e-3, 3.0, 3.0, -0.25, 1e5, -1e5, 0.5, 0.5, -0.0]
SPECIAL = [1.0, math.inf, -1.0, math.nan, 2.0, 1e308, -1e308, 5e-324]


@pytest.fixture(scope="module")
def opened(browser: Browser, story: str) -> Browser:
    browser.open(story)
    until(browser, "return Boolean(window.mhat && window.mhat.page)")
    return browser


def plain(value: float) -> Any:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return "-0" if value == 0.0 and math.copysign(1.0, value) < 0 else value


def expression(node: Expression) -> Any:
    if isinstance(node, Number):
        return {"number": plain(node.value)}
    if isinstance(node, Name):
        return {"name": node.id}
    assert isinstance(node, Operation)
    told: dict[str, Any] = {"op": node.op, "arguments": [expression(each) for each in node.arguments]}
    if node.over:
        told["over"] = node.over
    if node.options:
        told["options"] = [list(each) for each in node.options]
    return told


def data(tree: Tree) -> dict[str, Any]:
    return {
        "name": tree.name,
        "inputs": list(tree.inputs),
        "states": [[state.name, expression(state.start)] for state in tree.states],
        "knobs": [
            [knob.name, plain(knob.default), None if knob.expression is None else expression(knob.expression)]
            for knob in tree.knobs
        ],
        "body": [[list(line.targets), expression(line.value)] for line in tree.body],
        "result": expression(tree.result),
        "flatten": tree.flatten,
    }


def read(text: str) -> dict[str, Any]:
    try:
        return {"tree": data(rule(text).tree)}
    except LanguageError as refused:
        return {"line": None if refused.place is None else refused.place.line}


PIECES = (
    "(", ")", ",", "=", " = ", "+", "-", "**", "*", "/", " if ", " else ", "x", "g", "t", "m", "0", "1e-3", "sqrt", "\n",
    "    ", ":", "==", "<", " and ", " not ", "sum(g)", "def ", "return ", "'", "[", "]", ".", "#", ";", "\t", "lr", "0x1", "1_0", "beta1",
)  # fmt: skip


def mutants(count: int, seed: int) -> Iterator[str]:
    """Library rules with a few characters gone, doubled or other ones in their place."""
    chance = random.Random(seed)
    texts = [rule_text(mhat.rules.named(name)) for name in mhat.rules.names()]
    for _ in range(count):
        text = chance.choice(texts)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            at = chance.randrange(len(text))
            kind = chance.randrange(4)
            if kind == 0:
                text = text[:at] + text[at + chance.randrange(1, 4) :]
            elif kind == 1:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            elif kind == 2:
                text = text[:at] + chance.choice(PIECES) + text[at + 1 :]
            else:
                lines = text.split("\n")
                i = chance.randrange(len(lines))
                lines.insert(chance.randrange(len(lines)), lines.pop(i))
                text = "\n".join(lines)
        yield text


def differing(opened: Browser, texts: list[str]) -> list[tuple[str, Any, Any]]:
    found = []
    for start in range(0, len(texts), 500):
        part = texts[start : start + 500]
        for text, theirs in zip(part, opened.run(READ, part), strict=True):
            mine = read(text)
            if mine.get("tree") != theirs.get("tree") or mine.get("line") != theirs.get("line"):
                found.append((text, mine if "line" in mine else {"tree": "..."}, theirs))
    return found


def test_every_rule_of_the_library_is_the_same_tree(opened: Browser) -> None:
    assert not differing(opened, [rule_text(mhat.rules.named(name)) for name in mhat.rules.names()])


@pytest.mark.parametrize("count", [1500, pytest.param(10_000, marks=pytest.mark.long)])
def test_what_is_typed_wrong_is_refused_at_the_same_line(opened: Browser, count: int) -> None:
    found = differing(opened, list(mutants(count, count)))
    # What is a rule in one is a rule in the other. Which of two lines lacks a comma, Python's parser guesses its own way.
    assert not [each for each in found if "tree" in each[2] or "line" not in each[1]], found[:3]
    assert len(found) <= count * 0.002, found[:5]


def test_every_rule_of_the_library_gives_the_same_bits(opened: Browser) -> None:
    names = [name for name in VECTORS if mhat.rules.named(name).level is not Level.MATRIX]
    cases = [
        (name, stream)
        for name in names
        if not {"loss", "h"} & set(mhat.rules.named(name).tree.inputs)
        for stream in (STREAM, SPECIAL)
    ]
    asked = [
        [rule_text(mhat.rules.named(name)), [str(plain(value)).replace("inf", "Infinity") for value in stream]]
        for name, stream in cases
    ]
    for (name, stream), theirs in zip(cases, opened.run(RUN, asked), strict=True):
        assert "refused" not in theirs, (name, theirs)
        trace = mhat.trace(mhat.rules.named(name), np.array(stream))
        nodes = all_expressions(mhat.rules.named(name).tree)
        near = any(isinstance(node, Operation) and node.op in NEAR for node in nodes)
        for variable, row in theirs.items():
            mine, got = np.asarray(trace[variable].values), np.frombuffer(base64.b64decode(row))
            if near:
                np.testing.assert_allclose(got, mine, rtol=1e-9, err_msg=f"{name}.{variable}")
            else:
                np.testing.assert_array_equal(got, mine, err_msg=f"{name}.{variable}")


def test_every_stream_is_the_same(opened: Browser) -> None:
    specs = [
        *streams.names(),
        "normal:seed=7,size=2",
        "cycle:1,2",
        "shift:noise=1,seed=2",
        "heavy_tailed:5,seed=1",
        "spike:nan,at=2",
    ]
    probe = "def probe(x, g):\n    return g"
    for spec in specs:
        made = opened.run(
            "const m = await window.mhat.trace(values[0], {stream: values[1]}); return JSON.stringify(m.x, (_, v) => Number.isNaN(v) ? 'nan' : v)",
            probe, spec,
        )  # fmt: skip
        wanted = streams.named(spec).values
        rows = [row if isinstance(row, list) else [row] for row in json.loads(made)]
        got = np.array([[math.nan if value == "nan" else value for value in row] for row in rows]).reshape(wanted.shape)
        np.testing.assert_array_equal(got, wanted, err_msg=spec)
