"""A record is judged on its record alone. It drives nothing."""

from __future__ import annotations

import numpy as np
import pytest

import mhat
from mhat.checks.recorded import check_record
from mhat.errors import BadValue
from mhat.printers import python
from mhat.subjects.records import Record

GRADIENTS = np.random.default_rng(3).normal(size=(60, 4))


def recorded(rule: mhat.Rule, **knobs: float) -> Record:
    return Record("run", [GRADIENTS], [mhat.trace(rule, GRADIENTS, **knobs).x.values])


def test_a_right_record_is_consistent_with_its_rule() -> None:
    verdict = check_record(recorded(mhat.rules.adam, lr=0.02), mhat.rules.adam)
    assert verdict.conforms
    assert verdict.estimated == {"lr": 0.02}
    assert "consistent with the whole of this record" in verdict.notes[0]
    assert "start" in verdict.notes[1] or "starts" in verdict.notes[1]


@pytest.mark.parametrize("late", [False, True])
def test_without_a_start_what_is_added_to_x_is_compared(late: bool) -> None:
    text = python.rule_text(mhat.rules.adam.tree)
    rule = mhat.rule(text.replace("beta1**t", "beta1**(t + 1)")) if late else mhat.rules.adam
    made = Record("run", [GRADIENTS], [mhat.trace(rule, GRADIENTS, start=5.0).x.values])
    verdict = check_record(made, mhat.rules.adam, knobs={"lr": 1e-3})
    assert verdict.conforms is not late
    assert ("from the second step on" if late else "its first step says it") in verdict.notes[1]
    if late:
        assert verdict.diagnosis is not None
        assert len(verdict.diagnosis.edits) == 1
        assert verdict.deviation is not None
        assert verdict.deviation.step == 2
        assert verdict.deviation.course is not None
        assert len(verdict.deviation.course.got) == len(GRADIENTS)
        assert np.isnan(verdict.deviation.course.got[0])


def test_a_wrong_one_is_named() -> None:
    text = mhat.rule(
        "def rms(x, g, v=0, *, lr=0.01, rho=0.9, eps=1e-8):\n    v = rho * v + g**2\n"
        "    return x - lr * g / (sqrt(v) + eps)"
    )
    verdict = check_record(recorded(text), mhat.rules.rmsprop, knobs={"lr": 0.01})
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.diff == "- v = rho * v + (1 - rho) * g**2\n+ v = rho * v + g**2"


def test_too_short_a_record() -> None:
    with pytest.raises(BadValue, match="the record has 3 steps"):
        check_record(Record("run", [GRADIENTS[:3]], [GRADIENTS[:3]]), mhat.rules.adam)
