"""Equal spellings and what is rounding conform; what is more than rounding deviates, and is given no name by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.language import Rule
from mhat.laws.forms import respelled
from mhat.printers import python
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes

Average = Callable[[float, float, float], float]


def adam_by(average: Average, off: Callable[[int], float] = lambda t: 1.0) -> Any:
    """Make an Adam that averages in a way of its own, and whose root is off by a factor."""

    class Adam:
        def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
            self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
            self.m, self.v, self.t = 0.0, 0.0, 0

        def step(self, x, g):  # type: ignore[no-untyped-def]
            self.t += 1
            self.m = self.beta1 * self.m + (1 - self.beta1) * g
            self.v = average(self.beta2, self.v, g**2)
            root = np.sqrt(self.v / (1 - self.beta2**self.t)) * off(self.t)
            return x - self.lr * (self.m / (1 - self.beta1**self.t)) / (root + self.eps)

    return Adam


def textbook(b: float, s: float, h: float) -> float:
    return b * s + (1 - b) * h


def test_an_average_moved_from_its_new_value_is_an_equal_form() -> None:
    """It was called wrong in float64, at 3e-14."""
    verdict = mhat.check(adam_by(lambda b, s, h: h + b * (s - h)), "adam")
    assert verdict.conforms
    (note,) = verdict.notes
    assert note.startswith("it is computed in an equal spelling that loses more to rounding (up to ")
    assert "`v = g**2 + beta2 * (v - g**2)`: it stays within what that spelling loses" in note


@pytest.mark.parametrize(
    "subject",
    [adam_by(lambda b, s, h: b * s + h - b * h), adam_by(textbook, lambda t: 1 + 1e-14 * np.cos(1e3 * t))],
)
def test_what_does_not_grow_is_rounding(subject: Any) -> None:
    verdict = mhat.check(subject, "adam")
    assert verdict.conforms
    (note,) = verdict.notes
    assert note.startswith("it strays up to ") or "equal spelling" in note


def test_what_grows_is_no_rounding_and_gets_no_name_by_chance() -> None:
    """An edit that changes nothing here was named: the counter of several tensors, where there is one."""
    verdict = mhat.check(adam_by(textbook, lambda t: 1 + 1e-14 * t * t), "adam")
    assert not verdict.conforms
    assert verdict.diagnosis is None or "1.000002" in verdict.diagnosis.diff
    assert "it is adam to a billionth: what is left is more than rounding, and less than mistakes make" in verdict.notes


def test_a_millionth_is_no_rounding() -> None:
    """Though float32 could lose as much, nothing says that it computes in that."""
    verdict = mhat.check(adam_by(textbook, lambda t: 1 + 1e-6), "adam", seconds=3)
    assert not verdict.conforms
    assert verdict.diagnosis is None or "1.000002" in verdict.diagnosis.diff
    asked = "to the rounding of float32 it is adam: if it computes in that type, ask with --dtype float32 (dtype=)"
    assert verdict.diagnosis is not None or verdict.notes[0] == asked


def test_the_usual_spellings_are_said_nothing_of() -> None:
    assert mhat.check(adam_by(textbook), "adam").notes == ()
    assert mhat.check(adam_by(lambda b, s, h: s + (1 - b) * (h - s)), "adam").notes == ()


@pytest.mark.parametrize("rule", [mhat.rules.named(name) for name in ("adam", "adabelief", "rmsprop_centered")])
def test_respellings_are_equal(rule: Rule) -> None:
    gradients = np.random.default_rng(3).normal(size=(1, 12, 1, 5))
    probes = Probes(gradients, np.zeros((1, 1, 5)), rule.knobs)
    plain = Evaluator(probes).run(rule.tree)
    texts = set()
    for spelled in respelled(rule):
        texts.add(python.rule_text(spelled.tree))
        np.testing.assert_allclose(Evaluator(probes).run(spelled.tree), plain, rtol=1e-10)
    assert len(texts) >= 3 and python.rule_text(rule.tree) not in texts
