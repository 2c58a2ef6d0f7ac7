"""A slip in the lines of one tensor is named with the tensor; what tensors share is no matter of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks.conformance import check
from mhat.checks.diagnosis import most_alike
from mhat.checks.verdict import Verdict
from mhat.language.source import SourceText
from mhat.names import find_subject
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes


class Adam:
    """Weights and biases have lines of their own."""

    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m_dw = self.v_dw = self.m_db = self.v_db = 0.0

    w_corrected, b_squared = True, True

    def update(self, t: Any, w: Any, b: Any, dw: Any, db: Any) -> Any:
        self.m_dw = self.beta1 * self.m_dw + (1 - self.beta1) * dw
        self.m_db = self.beta1 * self.m_db + (1 - self.beta1) * db
        self.v_dw = self.beta2 * self.v_dw + (1 - self.beta2) * dw**2
        self.v_db = self.beta2 * self.v_db + (1 - self.beta2) * (db**2 if self.b_squared else db)
        c1, c2 = 1 - self.beta1**t, 1 - self.beta2**t
        with np.errstate(all="ignore"):
            w = w - self.lr * self.m_dw / (c1 if self.w_corrected else 1) / (np.sqrt(self.v_dw / c2) + self.eps)
            b = b - self.lr * self.m_db / c1 / (np.sqrt(self.v_db / c2) + self.eps)
        return w, b


class OneSlip(Adam):
    b_squared = False


class TwoSlips(Adam):
    w_corrected, b_squared = False, False


class Crossed(Adam):
    """What is right of each alone is wrong beside others: the biases use what the weights remember."""

    def update(self, t: Any, w: Any, b: Any, dw: Any, db: Any) -> Any:
        w, _ = super().update(t, w, b, dw, db)
        root = np.sqrt(self.v_dw / (1 - self.beta2**t)) + self.eps
        return w, b - self.lr * self.m_db / (1 - self.beta1**t) / root


class SharedCount:
    """A mistake of all tensors: each of them counts."""

    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.eps, self.t = lr, beta1, beta2, eps, 0
        self.m: Any = {}
        self.v: Any = {}

    def step(self, params: Any, grads: Any) -> Any:
        moved = []
        for i, (x, g) in enumerate(zip(params, grads, strict=True)):
            self.t += 1
            self.m[i] = self.beta1 * self.m.get(i, 0.0) + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v.get(i, 0.0) + (1 - self.beta2) * g**2
            root = np.sqrt(self.v[i] / (1 - self.beta2**self.t)) + self.eps
            moved.append(x - self.lr * self.m[i] / (1 - self.beta1**self.t) / root)
        return moved


def checked(kind: type, seconds: float = 20.0) -> Verdict:
    return mhat.check(kind, "adam", seconds=seconds)


@pytest.fixture(scope="module")
def one_slip() -> Verdict:
    return checked(OneSlip)


def test_a_slip_in_one_tensor_is_named_with_it(one_slip: Verdict) -> None:
    assert one_slip.diagnosis is not None and one_slip.deviation is not None
    # It is read from its operations; where that is not enough, the tensors are asked about one by one.
    assert one_slip.diagnosis.sentences == ("in `v` `g` stands where `g**2` should, in tensor 2 (`b`) only",)
    assert "+ v = beta2 * v + (1 - beta2) * where(k == 2, g, g**2)" in one_slip.diagnosis.diff
    assert " in tensor 2 (`b`): " in str(one_slip)


def test_the_line_is_that_of_the_tensor() -> None:
    source = SourceText("m_w = b1 * m_w + (1 - b1) * dw\nm_b = b1 * m_b + (1 - b1) * db\n", "mine.py", 10)
    assert most_alike(source, "m = beta1 * m + (1 - beta1) * g", "b") == (11, "m_b = b1 * m_b + (1 - b1) * db")
    assert most_alike(source, "m = beta1 * m + (1 - beta1) * g", "w") == (10, "m_w = b1 * m_w + (1 - b1) * dw")


def test_the_rule_of_the_diagnosis_does_what_the_subject_does(one_slip: Verdict) -> None:
    assert one_slip.diagnosis is not None
    subject: Any = OneSlip()
    gradients = np.random.default_rng(3).uniform(0.5, 2.0, size=(6, 2, 3))
    x = np.zeros((2, 3))
    for t, (dw, db) in enumerate(gradients, 1):
        x = np.stack(subject.update(t, *x, dw, db))
    knobs = {**one_slip.diagnosis.rule.knobs, "lr": 0.01}
    made = Evaluator(Probes(gradients[None], np.zeros((1, 2, 3)), knobs)).run(one_slip.diagnosis.rule.tree)
    np.testing.assert_allclose(made[-1, 0], x, rtol=1e-12)


def test_tensors_are_asked_about_one_by_one() -> None:
    """As of a command, which cannot be read."""

    def run(gradients: list[np.ndarray], start: Any = 0.0) -> list[np.ndarray]:
        adam, x = OneSlip(), (start[0], start[1]) if isinstance(start, list) else (start, start)
        steps = []
        for t, (dw, db) in enumerate(zip(*map(np.array, gradients), strict=True), 1):
            x = adam.update(t, *x, dw, db)
            steps.append(x)
        return [np.array([step[k].tolist() for step in steps]) for k in range(2)]

    run.tensors = 2  # type: ignore[attr-defined]
    subject = find_subject(run, against=mhat.rules.adam)
    verdict = check(replace(subject, record=None), mhat.rules.adam, knobs={"lr": 0.01}, seconds=20)
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == ("in tensor 2: in `v` the power in `g**2` is missing",)
    assert verdict.notes == ("tensor 1 is right",)


def test_two_slips_are_named_each_with_its_tensor() -> None:
    verdict = checked(TwoSlips)
    assert verdict.diagnosis is not None
    squared, corrected = verdict.diagnosis.sentences
    assert squared == "in `v` `g` stands where `g**2` should, in tensor 2 (`b`) only"
    assert "m_hat" in corrected and corrected.endswith("in every tensor but 2")


def test_what_tensors_share_is_no_matter_of_one() -> None:
    verdict = checked(SharedCount)
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == ("the step counter advances once for every tensor, not once a step",)
    crossed = checked(Crossed, seconds=1)
    assert not crossed.conforms and crossed.diagnosis is None
    assert any(law.name == "tensors apart" for law in crossed.broken)


def test_tensors_with_equal_lines_in_other_spellings_conform() -> None:
    assert checked(Adam).conforms
