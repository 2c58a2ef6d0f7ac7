"""Rules of the library through the bridge, checked as any transformation of optax is."""

from __future__ import annotations

import pytest

import mhat
from mhat import rules
from mhat.bridges.optax import factory

# A kind each: per coordinate, over all, with numbers as states, starts from g, averages, per matrix.
OFTEN = {"adam", "adan", "lion", "muon", "nadam", "prodigy", "schedule_free"}
NAMES = [name for name in rules.names() if not rules.named(name).tree.given]
# {name: reason}
EXEMPT: dict[str, str] = {}


@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in NAMES]
)
def test_the_bridge_conforms(name: str) -> None:
    verdict = mhat.check(factory(name), against=name)
    assert verdict.conforms is (name not in EXEMPT), str(verdict)
    assert verdict.dialect is None


@pytest.mark.long
def test_a_wrong_rule_is_found_out_through_the_bridge() -> None:
    text = str(rules.adam).replace("m / (1 - beta1**t)", "m / (1 - beta1)")
    verdict = mhat.check(factory(mhat.rule(text)), against="adam")
    assert not verdict.conforms and "beta1" in str(verdict.diagnosis)
