"""Records of right runs conform, however they were logged, and what was found out is said; wrong ones never do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import mhat
from mhat.checks.circumstances.schedules import forms
from mhat.checks.recorded import check_record, identify_record
from mhat.subjects.records import Record
from tests.checks.recorded_runs import STEPS, TURN, adam, before, in_parts, record, seldom, with_gaps

COSINE = 5e-4 * (1 + np.cos(np.pi * TURN / 80))
TOLD = np.random.default_rng(3).uniform(1e-4, 1e-3, STEPS)

# How it was logged; the rule; what is said of it; the knobs that are estimated.
RIGHT: dict[str, tuple[Callable[[], Record], str, str, dict[str, float]]] = {
    "nine digits": (lambda: record(adam(), digits=9), "adam", "to the rounding of what is written", {}),
    "six digits": (lambda: record(adam(), digits=6), "adam", "to the rounding of what is written", {}),
    "no start, and a decay": (
        lambda: record(adam(decay=0.1), start=False), "adamw", "its first step says it", {"weight_decay": 0.1}
    ),
    "knobs untold": (lambda: record(adam(rates=3e-4, beta2=0.99)), "adam", "", {"lr": 3e-4, "beta2": 0.99}),
    "a schedule that is told": (lambda: record(adam(rates=TOLD), schedules={"lr": TOLD}), "adam", "", {}),
    "a warm-up": (
        lambda: record(adam(rates=np.minimum(1, (TURN + 1) / 10) * 1e-3)), "adam",
        "lr grows from 1e-4 to 1e-3 over 10 steps, and stays", {},
    ),
    "a cosine in seven digits": (
        lambda: record(adam(rates=COSINE), digits=7), "adam", "lr follows a cosine from 1e-3 to 0 over 80 steps", {}
    ),
    "a drop": (
        lambda: record(adam(rates=np.where(TURN < 20, 1e-3, 1e-4))), "adam", "lr=1e-3, 1e-4 from step 21", {}
    ),
    "begun before": (lambda: record(adam(warm=20)), "adam", "in the middle of a run, with t from 21", {}),
    "groups": (
        lambda: record(adam(decay=np.array([0.1, 0.1, 0.1, 0.0, 0.0]))), "adamw",
        "weight_decay=0.1 for coordinate 0, coordinate 1, coordinate 2; weight_decay=0 for coordinate 3", {},
    ),
    "x seldom": (seldom, "adam", "", {}),
    "x before the step": (before, "adam", "x is written before each step", {}),
    "gradients in parts": (in_parts, "adam", "the gradients of 4 rows are averaged", {}),
    "gaps": (with_gaps, "adam", "steps without a gradient are not counted", {}),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_a_right_run_conforms_however_it_was_logged(
    case: tuple[Callable[[], Record], str, str, dict[str, float]],
) -> None:
    make, rule, said, estimated = case
    verdict = check_record(make(), mhat.rules.named(rule), seconds=1)
    assert verdict.conforms, str(verdict)
    assert said in " ".join(verdict.notes)
    assert verdict.estimated == estimated


# What makes a run another one from some step on.
BROKEN = {
    "the step counter begins again at step 17, and `m` and `v` are kept": {"again": 16},
    "at step 17 `m` and `v` begin anew": {"lost": 16},
    "at step 17 everything begins anew: `m` and `v` and the step counter": {"again": 16, "lost": 16},
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_what_happened_to_a_run_is_named(sentence: str) -> None:
    verdict = check_record(record(adam(**BROKEN[sentence])), mhat.rules.adam, seconds=1)  # type: ignore[arg-type]
    assert not verdict.conforms
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.sentences == (sentence,)
    made = adam(**BROKEN[sentence])  # type: ignore[arg-type]
    again = mhat.trace(verdict.diagnosis.rule, made[0], start=made[2])
    assert np.allclose(again.x, made[1], rtol=1e-9, atol=1e-12)


# Circumstances are no excuse: what would make each of these right is a state, a rate or a decay that nobody had.
WRONG = {
    "t is one ahead": {"off": 1},
    "no corrections": {"corrected": False},
    "v begins at one": {"v0": 1.0},
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_a_wrong_run_is_not_excused(case: dict[str, float]) -> None:
    verdict = check_record(record(adam(**case)), mhat.rules.adam, seconds=1)  # type: ignore[arg-type]
    assert not verdict.conforms


@pytest.mark.long
@pytest.mark.parametrize("digits", [0, 6, 8])
@pytest.mark.parametrize("start", [True, False])
def test_a_wrong_run_is_not_excused_by_how_it_was_logged(start: bool, digits: int) -> None:
    for case in WRONG.values():
        written = record(adam(**case), start=start, digits=digits)  # type: ignore[arg-type]
        assert not check_record(written, mhat.rules.adam, seconds=1).conforms, case
    coupled = record(adam(decay=0.1, coupled=True), start=start, digits=digits)
    assert not check_record(coupled, mhat.rules.adamw, seconds=1).conforms


def test_a_record_is_identified_in_its_circumstances() -> None:
    verdict = identify_record(record(adam(decay=0.1), start=False, digits=8), [mhat.rules.adam, mhat.rules.adamw])
    assert (verdict.against, verdict.conforms) == ("adamw", True)


@pytest.mark.parametrize(
    "rates, said",
    [
        (1e-3 * 0.97**TURN, "lr is multiplied by 0.97 at every step, from 1e-3"),
        (1e-3 / np.sqrt(TURN + 1), "lr=1e-3 divided by the root of the step"),
        (1e-3 / (1 + 0.05 * TURN), "lr=1e-3 divided by 1 + 0.05 * (step - 1)"),
        (1e-3 * 0.99 ** (TURN * (TURN + 1) / 2), "lr compounds: what it is multiplied by is itself multiplied by 0.99"),
    ],
)
def test_a_rate_is_said_by_its_form(rates: np.ndarray, said: str) -> None:
    assert any(form.sentence.startswith(said) and np.allclose(form.values, rates) for form in forms(rates, 1e-6))
