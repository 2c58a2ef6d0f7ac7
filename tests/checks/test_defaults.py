"""Defaults beside the rule's, and knobs that are zero by default and switched on."""

from __future__ import annotations

from typing import Any

import pytest

import mhat


def heavy_ball(name: str = "Momentum", lr: float = 0.01, *, first: str = "damped", decay: str = "idle") -> Any:
    """Make a momentum with dampening and a decay, both 0 by default."""

    class Momentum:
        def __init__(self, lr=lr, momentum=0.9, dampening=0.0, weight_decay=0.0):  # type: ignore[no-untyped-def]
            self.lr, self.momentum, self.dampening, self.weight_decay = lr, momentum, dampening, weight_decay
            self.velocity: Any = None

        def step(self, x, g):  # type: ignore[no-untyped-def]
            if decay == "coupled":
                g = g + self.weight_decay * x
            if self.velocity is None:
                self.velocity = g if first == "whole" else (1 - self.dampening) * g
            else:
                self.velocity = self.momentum * self.velocity + (1 - self.dampening) * g
            if decay == "decoupled":
                x = x - self.lr * self.weight_decay * x
            if decay == "squared":
                x = x - self.lr * self.weight_decay * x * x
            return x - self.lr * self.velocity

    Momentum.__name__ = Momentum.__qualname__ = name
    return Momentum


def test_a_dampening_of_the_first_gradient_is_seen_where_it_is_zero_by_default() -> None:
    """It was not: with a dampening of 0 nothing shows it."""
    verdict = mhat.check(heavy_ball(), "momentum")
    assert not verdict.conforms
    (law,) = verdict.broken
    assert law.name == "dampening"
    assert law.intuition == "Dampening begins at step 2 (torch.optim.SGD), and here the first gradient is damped too."
    assert "and no mistake" not in str(verdict)


@pytest.mark.parametrize("decay", ["coupled", "decoupled"])
def test_what_is_documented_is_said_nothing_of(decay: str) -> None:
    verdict = mhat.check(heavy_ball(first="whole", decay=decay), "momentum")
    assert (verdict.conforms, verdict.notes) == (True, ())


@pytest.mark.parametrize(
    ("decay", "note"),
    [
        (
            "idle",
            "it takes weight_decay, which is 0 by default, and does nothing with it: "
            "with weight_decay=0.3 it moves alike",
        ),
        ("squared", "with weight_decay=0.3 (0 by default) it does none of what mhat knows of that knob"),
    ],
)
def test_a_decay_that_does_nothing_or_something_else_is_noted(decay: str, note: str) -> None:
    verdict = mhat.check(heavy_ball(first="whole", decay=decay), "momentum")
    assert (verdict.conforms, verdict.notes) == (True, (note,))


def test_strict_holds_the_defaults_of_the_rule() -> None:
    """A learning rate of 0.02 by default was no difference with --strict."""
    other = heavy_ball(lr=0.02, first="whole", decay="coupled")
    assert mhat.check(other, "momentum").conforms
    assert mhat.check(other, "momentum", strict=True, lr=0.02).conforms
    verdict = mhat.check(other, "momentum", strict=True)
    assert not verdict.conforms
    (law,) = verdict.broken
    assert (law.name, law.counterexample) == ("same defaults", "lr is 0.02 where momentum has 0.01")


def test_other_defaults_are_a_difference_between_two() -> None:
    pair = (heavy_ball("One", first="whole"), heavy_ball("Two", 0.02, first="whole"))
    found = mhat.compare(*pair)
    assert not found.same
    assert found.defaults == (("lr", 0.01, 0.02),)
    assert "different by default: lr is 0.01 in One and 0.02 in Two" in str(found)
    assert mhat.compare(*pair, lr=0.01).same


def test_what_is_zero_by_default_is_compared_switched_on() -> None:
    found = mhat.compare(heavy_ball("One", first="whole"), heavy_ball("Two"))
    assert not found.same and found.deviation is not None
    assert found.deviation.knobs["dampening"] == 0.4
