"""Beside which rule another one is explained: whatever its names are, and none where none is like it."""

from __future__ import annotations

import mhat
from mhat import rules
from mhat.explanations.neighbours import nearest
from mhat.language import Rule, rule
from tests.choices import CLASSICS

LIBRARY = [rules.named(name) for name in CLASSICS]


def found(text: str) -> Rule | None:
    return nearest(rule(text), LIBRARY)


def test_names_of_ones_own() -> None:
    """Another spelling in other names was like no rule of the library."""
    mine = (
        "def mine(x, g, t, mom=0, var=0, *, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):\n"
        "    mom = b1 * mom + (1 - b1) * g\n"
        "    var = b2 * var + (1 - b1) * g**2\n"
        "    mh = mom / (1 - b1**t)\n"
        "    vh = var / (1 - b2**t)\n"
        "    return x - lr * mh / (sqrt(vh) + eps)\n"
    )
    assert found(mine) == mhat.rules.adam


def test_the_rule_itself_comes_first_and_a_stranger_has_no_neighbour() -> None:
    assert nearest(mhat.rules.nadam, LIBRARY) == mhat.rules.nadam
    assert found("def odd(x, g, s=0, *, a=0.3):\n    s = sin(s) * g - x\n    return x * cos(s) + a") is None
