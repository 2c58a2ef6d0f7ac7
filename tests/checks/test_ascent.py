"""What climbs and means to is not accused; what climbs and says nothing of it is told how to say it."""

from __future__ import annotations

from typing import Any

import numpy as np

import mhat


class Adam:
    """It adds its steps."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.eps, self.t = lr, beta1, beta2, eps, 0
        self.m = self.v = 0.0

    def step(self, x: Any, g: Any) -> Any:
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        root = np.sqrt(self.v / (1 - self.beta2**self.t)) + self.eps
        return x + self.lr * (self.m / (1 - self.beta1**self.t)) / root


class AdamOfSlopes(Adam):
    def step(self, x: Any, slopes: Any) -> Any:
        return super().step(x, slopes)


def test_slopes_that_are_added_are_recognised() -> None:
    """It was searched for 45 seconds, and accused of four broken laws."""
    verdict = mhat.check(AdamOfSlopes, "adam")
    assert verdict.conforms
    note = "it gives the step to add: it climbs, and is judged by negated gradients, as with --maximize (maximize=)"
    assert verdict.notes == (note,)
    assert mhat.identify(AdamOfSlopes).against == "adam"


def test_what_climbs_and_says_nothing_of_it_is_told_how_to_say_it() -> None:
    verdict = mhat.check(Adam, "adam", seconds=10)
    assert not verdict.conforms and verdict.diagnosis is not None
    assert any("x + lr * ratio" in said for said in verdict.diagnosis.sentences)
    assert verdict.notes == ("it climbs: if that is meant, it is the rule with --maximize (maximize=)",)
    assert mhat.check(Adam, "adam", maximize=True).notes == ()
