"""A long stream: counters that stop or wrap, states that overflow, and how far a subject is followed."""

from __future__ import annotations

import time
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat.checks.question import Question
from mhat.checks.traits import endurance
from mhat.checks.traits.endurance import with_endurance
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


class InBfloat16(Adam):
    """Gradients are cast; averages and the count are as they are."""

    def step(self, x, g):  # type: ignore[no-untyped-def]
        return super().step(x, np.asarray(g).astype(ml_dtypes.bfloat16).astype(np.float64))


class CountedInBfloat16(InBfloat16):
    counter = ml_dtypes.bfloat16


class CountedInInt16(Adam):
    """Its text says int16, so that it is followed so far."""

    counter = np.int16

    def step(self, x, g):  # type: ignore[no-untyped-def]
        return super().step(x, g)


class WrapsInInt16(CountedInInt16):
    """int16, and NumPy raises nothing."""

    def step(self, x, g):  # type: ignore[no-untyped-def]
        with np.errstate(all="ignore"):
            self.beta1, self.beta2 = np.float64(self.beta1), np.float64(self.beta2)
            return super().step(x, g)


class Overflows(InBfloat16):
    """A power that is kept beside the averages, in float16: it is infinite after some steps."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        super().__init__(lr, beta1, beta2, eps)
        self.power = np.float16(1.0)

    def step(self, x, g):  # type: ignore[no-untyped-def]
        with np.errstate(all="ignore"):
            self.power = np.float16(self.power * np.float16(1.1))
            return super().step(x, g) / np.where(np.isinf(self.power), np.nan, 1.0)


def test_what_computes_in_a_small_type_is_followed_too() -> None:
    """It was not: no stream was longer than 120 steps."""
    right = counted(InBfloat16)
    assert right.conforms and right.dtype == "bfloat16"
    for kind in (CountedInBfloat16, Overflows):
        wrong = counted(kind)
        assert [law.name for law in wrong.broken] == ["long run"]
        assert wrong.broken[0].counterexample is not None
        assert "where the rule moves by " in wrong.broken[0].counterexample


def test_a_counter_of_int16_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A power of a negative count is more than a double holds, and Python raises."""
    monkeypatch.setattr(endurance, "SECONDS_OF_COUNTERS", 60.0)
    verdict = counted(CountedInInt16)
    assert [law.name for law in verdict.broken] == ["long run"]
    shown = verdict.broken[0].counterexample or ""
    assert shown.startswith("it was followed for 40 steps: over 33000 it raised OverflowError")
    verdict = counted(WrapsInInt16)
    assert str(verdict.broken[0].counterexample).endswith("(a counter in int16 wraps at 32767)")


def test_how_far_a_counter_is_followed_is_said_where_it_is_not_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endurance, "SECONDS_OF_COUNTERS", 0.2)
    monkeypatch.setattr(endurance, "FEWEST", 1)
    (note,) = counted(CountedInInt16).notes
    assert note.startswith("it was followed for ") and " steps: one takes " in note
