"""A long stream: counters that stop or wrap, states that overflow, and how far a subject is followed."""

from __future__ import annotations

import time
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat.checks import endurance
from mhat.checks.endurance import with_endurance
from mhat.checks.question import Question
from mhat.checks.verdict import Verdict
from mhat.subjects.rules import subject_of_rule
from tests.choices import often


class Adam:
    """Adam whose counter is of some type."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v = 0.0, 0.0
        self.t: Any = self.counter(0)

    counter: Any = int

    def step(self, x, g):  # type: ignore[no-untyped-def]
        with np.errstate(all="ignore"):
            self.t = self.counter(self.t + self.counter(1))
            t = float(self.t)
            self.m = self.beta1 * self.m + (1 - self.beta1) * g
            self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
            m_hat, v_hat = self.m / (1 - self.beta1**t), self.v / (1 - self.beta2**t)
            return x - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


class Bytes(Adam):
    counter = np.uint8


class Brains(Adam):
    counter = ml_dtypes.bfloat16


class Halves(Adam):
    counter = np.float16


def counted(kind: type[Adam]) -> Verdict:
    return mhat.check(kind, "adam")


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (Bytes, "(a counter in uint8 wraps at 256, one in bfloat16 stops there)"),
        (Brains, "(a counter in uint8 wraps at 256, one in bfloat16 stops there)"),
        (Halves, "(a counter in float16 stops at 2048)"),
    ],
)
def test_a_counter_that_ends_is_seen(kind: type[Adam], where: str) -> None:
    """It conformed: no stream was longer than 120 steps."""
    verdict = counted(kind)
    assert not verdict.conforms
    (law,) = verdict.broken
    assert law.name == "long run" and law.counterexample is not None
    assert law.counterexample.endswith(where)


def test_a_counter_that_goes_on_is_said_nothing_of() -> None:
    assert (counted(Adam).conforms, counted(Adam).notes) == (True, ())


def test_how_far_it_is_followed_is_said_where_it_is_not_far(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Adam):
        def step(self, x, g):  # type: ignore[no-untyped-def]
            time.sleep(0.002)
            return super().step(x, g)

    monkeypatch.setattr(endurance, "SECONDS", 0.3)
    verdict = mhat.check(Slow, "adam", beta1=0.9, beta2=0.999)
    assert verdict.conforms
    (note,) = verdict.notes
    assert note.startswith("it was followed for ") and note.endswith(" ms")


@pytest.mark.parametrize("name", often())
def test_no_rule_of_the_library_is_accused(name: str) -> None:
    rule = mhat.rules.named(name)
    question = Question(subject_of_rule(rule), rule)
    verdict = Verdict(name, name, "", conforms=True)
    assert with_endurance(verdict, question, rule, {}).laws == ()
