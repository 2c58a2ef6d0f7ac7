"""What was changed, from what was read: the least edits, their lines, and nothing where nothing can be read."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks.comparison import Comparison, compare
from mhat.checks.conformance import check
from mhat.checks.question import Question
from mhat.checks.readings.alignment import alignments
from mhat.checks.readings.answers import answers
from mhat.checks.readings.bindings import bindings
from mhat.checks.readings.points import NEAR
from mhat.checks.readings.sentences import sentence
from mhat.checks.readings.slips import Slip, changes_of
from mhat.checks.readings.walk import Walk
from mhat.checks.verdict import Verdict
from mhat.mistakes.slots import assembled
from mhat.names import find_subject
from mhat.subjects.rules import subject_of_rule

Array = Any
SIGNATURE = "def adam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n"


class ThreeSlips:
    """Adam with a slip in three of its lines."""

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = 0.0
        self.t = 0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta2) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * np.abs(g)
        rate = self.lr / (1 - self.beta1**self.t)
        return x - rate * self.m / (np.sqrt(self.v / (1 - self.beta2**self.t) + self.eps))


class NoRoot:
    """Adam without the root, and without the correction of v."""

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = 0.0
        self.t = 0

    def step(self, x: Array, g: Array) -> Array:
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g * g
        return x - self.lr * self.m / (1 - self.beta1**self.t) / (self.v + self.eps)


class BiasAlone:
    """Adam with lines of their own for weights and biases, and a slip in one of the biases."""

    def __init__(self, lr: float = 0.01, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m_dw = self.v_dw = self.m_db = self.v_db = 0.0

    def update(self, t: int, w: Array, b: Array, dw: Array, db: Array) -> tuple[Array, Array]:
        self.m_dw = self.beta1 * self.m_dw + (1 - self.beta1) * dw
        self.m_db = self.beta1 * self.m_db + (1 - self.beta1) * db
        self.v_dw = self.beta2 * self.v_dw + (1 - self.beta2) * dw**2
        self.v_db = self.beta2 * self.v_db + (1 - self.beta2) * db
        c1, c2 = 1 - self.beta1**t, 1 - self.beta2**t
        w = w - self.lr * self.m_dw / c1 / (np.sqrt(self.v_dw / c2) + self.eps)
        b = b - self.lr * self.m_db / c1 / (np.sqrt(self.v_db / c2) + self.eps)
        return w, b


class Average:
    """Momentum that averages."""

    def __init__(self, lr: float = 0.1, momentum: float = 0.9) -> None:
        self.lr, self.momentum, self.u = lr, momentum, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.u = self.momentum * self.u + (1 - self.momentum) * g
        return x - self.lr * self.u


class Sum:
    """Momentum that adds up."""

    def __init__(self, lr: float = 0.1, momentum: float = 0.9) -> None:
        self.lr, self.momentum, self.velocity = lr, momentum, 0.0

    def step(self, x: Array, g: Array) -> Array:
        self.velocity = self.momentum * self.velocity + g
        return x - self.lr * self.velocity


def _line(thing: Any, text: str) -> int:
    """Give the number of a line of this file."""
    lines, first = inspect.getsourcelines(thing)
    return next(first + i for i, line in enumerate(lines) if text in line)


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    """The check of three slips."""
    return check(find_subject(ThreeSlips, against=mhat.rules.adam), mhat.rules.adam)


def test_every_slip_is_named_in_the_lines_of_the_reference(verdict: Verdict) -> None:
    assert verdict.diagnosis is not None
    assert set(verdict.diagnosis.sentences) == {
        "in `m` `beta2` stands where `beta1` should",
        "in `v` `sqrt(abs(g))` stands where `g` should",
        "`eps` is added to `v_hat` and not to `sqrt(v_hat)`",
    }


def test_each_edit_has_its_line(verdict: Verdict) -> None:
    found = verdict.diagnosis
    assert found is not None
    texts = ("self.m = self.beta1", "self.v = self.beta2", "return x - rate")
    lines = [_line(ThreeSlips, text) for text in texts]
    assert [number for number, _ in found.lines] == lines
    assert sorted(line for each in found.places for _, line in each) == lines
    assert all(file == __file__ for each in found.places for file, _ in each)
    assert json.loads(verdict.to_json())["diagnosis"]["places"] == [[list(p) for p in each] for each in found.places]


def test_what_cannot_be_read_is_left_to_the_search() -> None:
    subject = replace(find_subject(Average, against=mhat.rules.momentum), record=None)
    found = check(subject, mhat.rules.momentum).diagnosis
    assert found is not None and found.places == ()


def _found(text: str) -> list[list[str]]:
    """Say what the answers are for a rule in place of a subject and of its reading."""
    rule = mhat.rule(SIGNATURE + text)
    question = Question(subject_of_rule(rule), mhat.rules.adam)
    return [[edit.sentence for edit in each.candidate.edits] for each in answers(question, rule.tree)]


def test_another_spelling_hides_no_slip() -> None:
    text = """\
    m = m + (1 - beta1) * (g - m)
    v = v - (1 - beta2) * (v - g * g)
    return x - lr * sqrt(1 - beta2**(t - 1)) / (1 - beta1**t) * m / (sqrt(v) + eps * sqrt(1 - beta2**(t - 1)))
"""
    assert _found(text)[0] == ["in `v_hat` the step counter starts at 0: `t - 1` stands where `t` should"]


def test_a_number_that_is_no_default_is_estimated() -> None:
    text = """\
    m = 0.95 * m + 0.05 * g
    v = 0.999 * v + 0.001 * g
    return x - 0.001 * (m / (1 - 0.95**t)) / (sqrt(v / (1 - 0.999**t)) + 1e-8)
"""
    rule = mhat.rule("def adam(x, g, t, m=0, v=0):\n" + text)
    question = Question(subject_of_rule(rule), mhat.rules.adam)
    best = answers(question, rule.tree, question.hidden)[0]
    assert best.candidate.knobs == {"beta1": 0.95}
    assert [edit.sentence for edit in best.candidate.edits] == ["in `v` the power in `g**2` is missing"]


def test_a_slip_in_one_tensor_is_named_with_the_tensor() -> None:
    adam = mhat.rules.adam.tree
    text = """\
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g if k == 2 else g**2)
    return x - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)
"""
    rule = mhat.rule(SIGNATURE.replace("g, t,", "g, t, k,") + text)
    question = Question(subject_of_rule(rule), mhat.rules.adam)
    binding = next(iter(bindings(question, rule.tree, ())))
    frame = alignments(adam, binding, NEAR["float64"])[0].frame
    (slip,) = Walk(frame, until=float("inf")).ways("v", 2)[0].slips
    assert sentence(adam, slip) == "in `v` `g` stands where `g**2` should, in tensor 2 only"
    made = assembled(adam, dict(changes_of(adam, [slip])))
    assert made is not None and "k" in made.inputs


def test_a_power_of_nothing_has_no_root() -> None:
    reference = mhat.rule("def idle(x, g, v=0):\n    v = v + g**0\n    return x - v\n")
    rule = mhat.rule("def idle(x, g, v=0):\n    v = v + g\n    return x - v\n")
    binding = next(iter(bindings(Question(subject_of_rule(rule), reference), rule.tree, ())))
    frame = alignments(reference.tree, binding, NEAR["float64"])[0].frame
    (slip,) = Walk(frame, until=float("inf")).ways("v", 1)[0].slips
    assert sentence(reference.tree, slip) == "in `v` `g` stands where `g**0` should"


def test_several_slips_of_one_line_are_made_together() -> None:
    adam = mhat.rules.adam.tree
    inner = Slip(("line", 1), (1, 1), "kept", keep=0)
    outer = Slip(("line", 1), (), "operator", op="sub")
    made = assembled(adam, dict(changes_of(adam, [outer, inner])))
    assert made is not None
    assert made.body[1] == mhat.rule(SIGNATURE + "    v = beta2 * v - (1 - beta2) * g\n    return x\n").tree.body[0]


@pytest.fixture(scope="module")
def both() -> Comparison:
    """Two subjects side by side."""
    subjects = (find_subject(each, against=mhat.rules.momentum) for each in (Sum, Average))
    return compare(*subjects, rules=[mhat.rules.momentum, mhat.rules.sgd], seconds=20)


def test_two_that_are_read_differ_in_the_names_of_the_first(both: Comparison) -> None:
    assert both.between is not None
    assert both.between.diagnosis.diff.splitlines()[0].startswith("- velocity = ")
    assert both.diff == both.between.diagnosis.diff


def test_two_that_are_read_differ_at_lines_of_both(both: Comparison) -> None:
    assert both.between is not None
    assert [number for number, _ in both.between.first_lines] == [_line(Sum, "self.velocity = self")]
    assert [number for number, _ in both.between.diagnosis.lines] == [_line(Average, "self.u = self")]
    assert "both were read" in str(both)


def test_a_root_that_is_missing_is_not_said_to_be_a_square() -> None:
    """It was called `v**2` under the root, and `abs(v)` as simple: the code has neither."""
    verdict = check(find_subject(NoRoot, against=mhat.rules.adam), mhat.rules.adam)
    assert verdict.diagnosis is not None
    assert [edit.sentence for edit in verdict.diagnosis.edits] == ["in `ratio` `v` stands where `sqrt(v_hat)` should"]
    assert not verdict.diagnosis.others


def test_the_line_of_a_slip_in_one_tensor_is_that_tensors() -> None:
    """The line of the weights was shown, which is right."""
    verdict = check(find_subject(BiasAlone, against=mhat.rules.adam), mhat.rules.adam)
    assert verdict.diagnosis is not None
    assert [line.split(" = ")[0] for _, line in verdict.diagnosis.lines] == ["self.v_db"]
    assert not verdict.diagnosis.others
