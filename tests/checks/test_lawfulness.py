"""Which laws a verdict calls broken: those that the mistake breaks, and none for the dtype that it is computed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks.lawfulness import findings
from mhat.checks.question import Question
from mhat.language import rule
from mhat.subjects.functions import subject_of_function
from mhat.subjects.rules import subject_of_rule

Array = np.ndarray[Any, Any]
GROWING = rule("""
def adamw(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * (ratio - weight_decay * x)
""")


def uncorrected(dtype: type) -> Callable[..., Array]:
    """Make an Adam without correction, which computes in a dtype and answers in doubles."""

    def run(gradients: Array, start: float = 0.0, lr: float = 1e-3) -> Array:
        rows = np.asarray(gradients, dtype=dtype)
        x, path = np.zeros(rows.shape[1:], dtype) + dtype(start), []
        m = v = np.zeros_like(x)
        for g in rows:
            m, v = dtype(0.9) * m + dtype(0.1) * g, dtype(0.999) * v + dtype(0.001) * g * g
            x = x - dtype(lr) * m / (np.sqrt(v) + dtype(1e-8))
            path.append(x)
        return np.array(path, dtype=np.float64)

    return run


def test_what_computes_in_float32_and_answers_in_doubles_breaks_no_more_laws_by_it() -> None:
    """Translation is not called broken where x is rounded beside its start."""
    broken = []
    for dtype in (np.float64, np.float32):
        subject = subject_of_function(uncorrected(dtype), "uncorrected", mhat.rules.adam.knobs)
        asked = findings(Question(subject, mhat.rules.adam), {})
        assert "translation" in [law.name for law in asked if law.holds]
        broken.append([law.name for law in asked if not law.holds])
    assert broken[0] == broken[1]
    assert broken[0][:2] == ["first step", "constant gradient"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_subject_is_asked_in_its_dtype(dtype: str) -> None:
    right = findings(Question(subject_of_rule(mhat.rules.adamw, dtype=dtype), mhat.rules.adamw), {})
    assert len(right) >= 14
    assert [law.counterexample for law in right if not law.holds] == []
    wrong = findings(Question(subject_of_rule(GROWING, dtype=dtype), mhat.rules.adamw), {})
    assert [law.name for law in wrong if not law.holds] == ["decay without gradient", "without memory"]


def test_laws_are_asked_where_parameters_are_seen() -> None:
    assert findings(Question(subject_of_rule(mhat.rules.adam), mhat.rules.adam, "ratio"), {}) == ()


def test_a_subject_of_one_tensor_is_asked_no_law_about_several() -> None:
    """It ended the check."""
    subject = replace(subject_of_rule(mhat.rules.adam), several=True, tensors=1)
    asked = findings(Question(subject, mhat.rules.sgd), {})
    assert asked and "tensors apart" not in [law.name for law in asked]
