"""Numbers of edits that nobody tells are found: written ones as they are, odd ones by least squares."""

from __future__ import annotations

import pytest

import mhat
from mhat.language import Rule
from tests.search.test_search import changed, question_of, searched

STEP = ("return x - lr * ratio", "return x - lr * {} * ratio")


@pytest.mark.parametrize(
    ("rule", "pieces", "sentence"),
    [
        (mhat.rules.adam, (("    m = beta1", "    g = clip(g, -0.3, 0.3)\n    m = beta1"),), "is clipped to 0.3"),
        (mhat.rules.adam, (("    m = beta1", "    g = g + 0.0137 * x\n    m = beta1"),), "`0.0137 * x` is added"),
        (mhat.rules.adam, ((STEP[0], STEP[1].format("0.97**t")),), "`lr` is multiplied by 0.97 at every step"),
        (mhat.rules.adam, ((STEP[0], STEP[1].format("minimum(1, t / 17)")),), "`lr` is warmed up over 17 steps"),
        (mhat.rules.sgd, (("x - lr * g", "x - lr * g - 0.00123 * x"),), " * x` is "),
        (
            mhat.rules.momentum,
            (("momentum * velocity + g", "momentum * velocity + 0.4 * g"),),
            "stands where `lr` should",
        ),
    ],
)
def test_a_number_is_found(rule: Rule, pieces: tuple[tuple[str, str], ...], sentence: str) -> None:
    found = searched(question_of(changed(rule, *pieces), rule))
    assert len(found[0].edits) == 1
    assert sentence in found[0].edits[0].sentence
