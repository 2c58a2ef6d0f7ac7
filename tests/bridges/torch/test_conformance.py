"""`mhat check` on the bridge: every rule, driven as an optimizer of torch, is the rule."""

from __future__ import annotations

import pytest

import mhat
import mhat.bridges.torch as bridge
from mhat import rules
from mhat.bridges.torch import optimizer_class
from tests.choices import VECTORS

FIRST = {"adam", "nadam", "lamb"}


@pytest.mark.parametrize(
    "name", [name if name in FIRST else pytest.param(name, marks=pytest.mark.long) for name in VECTORS]
)
def test_the_bridge_conforms(name: str) -> None:
    verdict = mhat.check(optimizer_class(name), against=name)
    assert verdict.conforms, str(verdict)


@pytest.mark.long
@pytest.mark.parametrize("name", ["adafactor", "muon", "muon_moonlight", "shampoo"])
def test_the_bridge_conforms_on_matrices(name: str) -> None:
    assert mhat.check(optimizer_class(name), against=name).conforms


@pytest.mark.long
def test_a_bridge_to_another_rule_does_not() -> None:
    assert not mhat.check(optimizer_class("adamw"), against="adam", weight_decay=0.3).conforms


def test_every_rule_is_a_class_by_its_name() -> None:
    assert bridge.adam is optimizer_class("adam")
    assert all(hasattr(bridge, name) for name in rules.names())
    with pytest.raises(AttributeError, match="has no attribute 'adom'"):
        _ = bridge.adom
