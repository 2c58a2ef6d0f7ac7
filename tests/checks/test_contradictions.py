"""What a record tells of its run and did otherwise is named; a right run is never accused of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks.recorded import check_record
from mhat.subjects.records import Record
from tests.checks.recorded_runs import TURN, adam, in_parts, record

FALLING = 1e-3 * 0.95**TURN


def _slow(turn: np.ndarray) -> np.ndarray:
    return 1e-3 * np.cos(turn / 170 * 1.5)


def in_tensors(decay: list[float], told: dict[str, float]) -> Record:
    g, x, s = adam(decay=np.array(decay))
    return Record("run", [g[:, :3], g[:, 3:]], [x[:, :3], x[:, 3:]], "x", [s[:3], s[3:]], told, ("w", "b"))


def column(rates: Any, told: Any, **way: Any) -> Record:
    more = {"schedules": {"lr": told}} if np.ndim(told) else {"knobs": {"lr": told}}
    return record(adam(rates=rates), **way, **more)


WRONG = {
    "stepped per micro-batch": (
        column(_slow(np.minimum(4 * TURN, 160)), _slow(TURN)),
        "the schedule is stepped 4 times a step (for each micro-batch?): x moved at step 10 as with the rate that `lr` "
        "tells for step 37",
    ),
    "another rate at one step": (
        column(np.where(TURN == 6, 5e-4, 1e-3), 1e-3),
        "`lr` is told as 1e-3 at step 7, and x moved as with 5e-4",
    ),
    "compounding": (
        column(1e-3 * 0.97**TURN, 1e-3),
        "the rate compounds: each step's is 0.97 times that of the step before, from 1e-3, and `lr` = 1e-3 is told",
    ),
    "no decay in a tensor": (
        in_tensors([0.1, 0.1, 0.1, 0, 0], {"weight_decay": 0.1, "lr": 1e-3}),
        "`weight_decay` is 0 for tensor `b` where 0.1 is told",
    ),
    "no decay at coordinates": (
        record(adam(decay=np.array([0.1, 0.1, 0.1, 0, 0])), knobs={"weight_decay": 0.1}),
        "`weight_decay` is 0 for coordinates 3, 4 where 0.1 is told",
    ),
}


@pytest.mark.parametrize("made, sentence", WRONG.values(), ids=WRONG)
def test_what_was_done_otherwise_than_is_told_is_named(made: Record, sentence: str) -> None:
    verdict = check_record(made, mhat.rules.adamw if "decay" in sentence else mhat.rules.adam, seconds=1)
    assert not verdict.conforms
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == (sentence,)
    assert sentence in " ".join(str(verdict).split())
    assert verdict.deviation is not None
    if " at step 7," in sentence:
        assert verdict.deviation.step == 7


RIGHT = {
    "falling": column(FALLING, FALLING),
    "falling, no start": column(FALLING, FALLING, start=False, digits=8),
    "told": column(1e-3, 1e-3),
    "decay in all tensors": in_tensors([0.1] * 5, {"weight_decay": 0.1, "lr": 1e-3}),
    "decay in one tensor, untold": in_tensors([0.1, 0.1, 0.1, 0, 0], {"lr": 1e-3}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_run_that_does_what_is_told_conforms(name: str) -> None:
    assert check_record(RIGHT[name], mhat.rules.adamw if "decay" in name else mhat.rules.adam, seconds=1).conforms


def test_a_mistake_of_the_rule_is_no_rate_of_its_own() -> None:
    made = record(adam(corrected=False), knobs={"lr": 1e-3})
    verdict = check_record(made, mhat.rules.adam, seconds=2)
    assert not verdict.conforms
    assert verdict.diagnosis is not None
    assert "1 - beta1**t" in verdict.diagnosis.sentences[0]


@pytest.mark.parametrize("between", [True, False])
def test_a_schedule_that_is_stepped_per_micro_batch_is_said(between: bool) -> None:
    made = in_parts()
    rows = np.arange(len(made.gradients[0]))
    rates = 1e-3 * (1 - (rows if between else rows // 4 * 4) / 1000)
    told = Record("run", made.gradients, _moved(made, rates[3::4]), "x", made.start, schedules={"lr": rates})
    verdict = check_record(told, mhat.rules.adam, seconds=1)
    assert verdict.conforms, str(verdict)
    assert ("stepped 4 times a step, per micro-batch" in " ".join(verdict.notes)) is between


def _moved(made: Record, rates: np.ndarray) -> list[np.ndarray]:
    """Run Adam along gradients that are averaged over four rows, with these rates."""
    assert made.start is not None
    x, m, v = made.start[0], 0.0, 0.0
    rows = [x]
    for t, g in enumerate(made.gradients[0].reshape(-1, 4, len(x)).mean(axis=1), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - rates[t - 1] * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        rows.append(x)
    return [np.repeat(np.array(rows), 4, axis=0)[1 : 4 * len(rows) - 3]]
