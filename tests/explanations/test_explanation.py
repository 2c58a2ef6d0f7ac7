"""Explanations as they are read: three of them in full, in every dress, and rules that nobody would write.

`MHAT_UPDATE_GOLDEN=1` writes the golden texts anew; read them aloud before you keep them.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import mhat
from mhat.explanations.assembly import explain
from mhat.explanations.evidence import seen_again
from mhat.explanations.explanation import Explanation
from mhat.language import Rule, of_tree
from mhat.language.tree import Tree
from mhat.writing.latex import latex_of
from mhat.writing.passages import Paragraph
from tests.strategies import rules as random_rules

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).parents[2] / "examples"
OWN = """
def own(x, g, t, avg=0, size=0, *, lr=0.01, a=0.95, b=0.98, tiny=1e-6):
    avg = a * avg + (1 - a) * g
    size = b * size + (1 - b) * (g - avg)**2
    avg_hat = avg / (1 - a**t)
    size_hat = size / (1 - b**t)
    move = avg_hat / (sqrt(size_hat) + tiny)
    return x - lr * move
"""


@pytest.fixture(scope="module")
def adam() -> Explanation:
    return mhat.explain("adam")


def golden(name: str, explanation: Explanation) -> None:
    path = GOLDEN / f"{name}.txt"
    text = f"{explanation}\n"
    if os.environ.get("MHAT_UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_adam_is_explained_like_this(adam: Explanation) -> None:
    golden("adam", adam)


def test_a_rule_of_ones_own_is_explained_like_this() -> None:
    golden("own", mhat.explain(mhat.rule(OWN)))


def test_a_wrong_rule_is_explained_like_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    golden("stored_back", mhat.explain("stored_back.py:stored_back"))


def test_a_page_fits_a_terminal(adam: Explanation) -> None:
    assert max(map(len, str(adam).splitlines())) <= 80


def test_every_claim_is_seen_again(adam: Explanation) -> None:
    assert [claim.sentence for claim in adam.claims if not seen_again(claim)] == []


def test_as_json(adam: Explanation) -> None:
    said = json.loads(adam.to_json())
    assert said["schema"] == 1
    assert (said["rule"], said["stream"], said["knobs"]["beta1"]) == ("adam", None, 0.9)
    assert {claim["status"] for claim in said["claims"]} <= {"proved", "refuted", "tested", "computed"}
    assert all(claim["evidence"]["kind"] for claim in said["claims"])


def test_as_html(adam: Explanation) -> None:
    page = adam.to_html()
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<math ") >= 6
    assert "http" not in re.sub(r"http://www.w3.org\S*", "", page)  # nothing is fetched
    for tag in ("li", "ol", "ul", "div", "details", "pre", "math", "mrow", "table"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>"), tag
    assert "mhat-explanation" in adam._repr_html_()


def test_as_markdown(adam: Explanation) -> None:
    text = adam.to_markdown()
    assert "## Line by line\n" in text
    assert "3. `m_hat = m / (1 - beta1**t)`\n" in text
    assert "*(computed)*" in text


def test_as_latex(adam: Explanation) -> None:
    text = adam.to_latex()
    plain = re.sub(r"\\[{}]", "", re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", text, flags=re.S))
    assert plain.count("{") == plain.count("}")
    for begun in re.findall(r"\\begin\{(\w+)\}", text):
        assert text.count(f"\\begin{{{begun}}}") == text.count(f"\\end{{{begun}}}")
    assert text.count("$") % 2 == 0
    assert latex_of([Paragraph("50% of `a_b` & c#")]).count(r"50\% of \texttt{a\_b} \& c\#") == 1


def test_what_each_sees_is_what_is_told() -> None:
    seen: list[Any] = []
    made = mhat.explain("sgd", each=lambda passages: seen.extend(passages))
    assert tuple(seen) == made.story


def test_knobs_are_those_in_force(adam: Explanation) -> None:
    changed = mhat.explain("adam", beta1=0.0)
    assert changed.knobs == {**adam.knobs, "beta1": 0.0}
    assert "with beta1=0\n" in str(changed)
    assert "the gradient itself: at `beta1` = 0 nothing of the past is kept" in changed.claims[0].sentence
    with pytest.raises(mhat.MhatError, match="is out of its range"):
        mhat.explain("adam", beta1=2.0)
    with pytest.raises(mhat.MhatError, match="there is no knob of adam `beta`\nDid you mean `beta1`"):
        mhat.explain("adam", beta=0.5)


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [
        ("beta1", 1 - 2**-53, "At 0 the typical step"),
        ("eps", math.inf, "`eps` = inf: added to what line 5 divides by, so that it is not zero."),
    ],
)
def test_what_a_knob_does_near_the_end_of_its_range(knob: str, value: float, said: str) -> None:
    """Guards against a value it is turned to that it cannot have, and against one that is the same."""
    claims = mhat.explain("adam", **{knob: value}).claims
    (claim,) = (claim for claim in claims if (claim.topic, claim.about) == ("knobs", knob))
    assert said in claim.sentence
    assert seen_again(claim)


def test_a_copy_of_a_rule_is_said_to_be_one() -> None:
    made = mhat.explain(mhat.rule("def mine(x, g, *, lr=0.01): return x - lr * g"))
    assert made.notes == ("it is sgd in every line",)


def test_an_implementation_is_identified_first() -> None:
    def mystery(gradients: Any) -> Any:
        return -0.01 * np.cumsum(np.sign(gradients), axis=0)

    made = mhat.explain(mystery)
    assert made.notes == ("mystery is no rule in itself: run from outside it is signsgd. That rule is explained.",)
    assert made.knobs == {"lr": 0.01}


def test_what_is_meant_as_a_rule_is_refused_as_one() -> None:
    def mine(x, g, *, lr=0.1):  # type: ignore[no-untyped-def]
        while True:
            x = x - lr * g

    with pytest.raises(mhat.MhatError, match="while"):
        mhat.explain(mine)


def test_on_a_stream(adam: Explanation) -> None:
    made = mhat.explain("adam", "constant:10")
    rows = {row[0]: row[1:] for row in made.claims[0].evidence.rows}  # type: ignore[union-attr]
    assert rows["v"] == pytest.approx((0.1, 0.1999, 0.99551, 9.52079), rel=1e-4)
    said = [claim.sentence for claim in made.claims if claim.about == "m"]
    assert said == ["`m` at step t is `g * (1 - beta1**t)`, with g = 10: 10.00 at step 100, as measured."]
    assert all(map(seen_again, made.claims))
    figure = mhat.plot(made)
    assert any("closed form" in axes.get_title(loc="right") for axes in figure.axes)
    with pytest.raises(mhat.MhatError, match="the explanation of adam is on no stream"):
        mhat.plot(adam)


def test_on_numbers_of_ones_own_and_on_a_landscape() -> None:
    assert mhat.explain("sgd", [1.0, 2.0]).stream == "cycle:1.0,2.0,steps=2"
    assert all(map(seen_again, mhat.explain("sgd", "rosenbrock", lr=1e-4).claims))
    with pytest.raises(mhat.MhatError, match="these gradients cannot be written as text"):
        mhat.explain("sgd", [[1.0, 2.0]])


def allowed(tree: Tree) -> Rule:
    """Make a rule of a tree, with defaults that its knobs may have."""
    made = of_tree(tree)
    return of_tree(
        replace(
            tree,
            knobs=tuple(
                knob if made.meaning(knob.name).allows(knob.default) else replace(knob, default=0.5)
                for knob in tree.knobs
            ),
        )
    )


def check_rule(made: Rule) -> None:
    explanation = explain(made, called=made.name)
    for text in (str(explanation), explanation.to_html(), explanation.to_markdown(), explanation.to_latex()):
        assert text
    json.loads(explanation.to_json())
    assert [claim.sentence for claim in explanation.claims if not seen_again(claim)] == []


TOLERANT = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


# A rule is shrunk by hand: every try of it takes a second.
@settings(max_examples=4, deadline=None, suppress_health_check=TOLERANT, phases=(Phase.generate,))
@given(random_rules(max_lines=3))
def test_a_random_rule_does_not_break_it(tree: Tree) -> None:
    check_rule(allowed(tree))


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=TOLERANT, phases=(Phase.generate,))
@given(random_rules())
def test_500_random_rules_do_not_break_it(tree: Tree) -> None:
    check_rule(allowed(tree))
