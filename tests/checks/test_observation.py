"""What a subject gives is recognised before anything is judged: x, the update, or a variable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.checks.observation import CLIMBS, observed
from mhat.language import Rule
from mhat.subjects.functions import subject_of_function
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Subject

LIBRARY = [rules.named(name) for name in ("adam", "adagrad", "momentum", "rmsprop", "sgd")]


def subject(rule: Rule, observe: str) -> Subject:
    if observe != "update":
        return subject_of_rule(rule, "subject", observe=observe)
    moved = subject_of_rule(rule, "subject")

    def drive(gradients: list[Any], starts: list[Any], knobs: dict[str, float]) -> list[Any]:
        return [np.diff(x, axis=0, prepend=0.0) for x in moved.drive(gradients, starts, knobs)]

    return replace(moved, drive=drive)


@pytest.mark.parametrize("name", ["adam", "adagrad", "momentum", "rmsprop", "sgd"])
def test_x_is_recognised_by_how_it_moves(name: str) -> None:
    seen = observed(subject(rules.named(name), "x"), LIBRARY, {})
    assert {observe for _, observe in seen.pairs} == {"x"}
    assert seen.known


@pytest.mark.parametrize(("name", "observe"), [
    ("adam", "ratio"), ("adam", "m"), ("adam", "v_hat"), ("adam", "update"), ("momentum", "update"),
])  # fmt: skip
def test_what_is_not_x_is_recognised(name: str, observe: str) -> None:
    seen = observed(subject(rules.named(name), observe), LIBRARY, {})
    assert seen.known
    assert (name, observe) in [(rule.name, what) for rule, what in seen.pairs]


def test_what_is_called_x_is_held_to_be_x() -> None:
    """A step that forgets x gives an update, and must not be taken for one: that is its mistake."""
    forgetful = subject(rules.adam, "update")
    assert {observe for _, observe in observed(forgetful, LIBRARY, {}, named="x").pairs} == {"x"}


def test_a_step_to_be_subtracted_and_an_ascent_are_turned() -> None:
    def climbing(gradients: Any) -> Any:
        return 5.0 + 0.1 * np.cumsum(gradients, axis=0)

    def stepping(gradients: Any) -> Any:
        return 0.1 * np.asarray(gradients)

    up = observed(subject_of_function(climbing, "climbing", None, None, {}), LIBRARY, {}, named="theta")
    assert CLIMBS in up.subject.notes
    assert up.subject.run(np.ones(2)).tolist() == [4.9, 4.8]
    step = observed(subject_of_function(stepping, "stepping", None, None, {}), LIBRARY, {}, named="step")
    assert ("sgd", "update") in [(rule.name, what) for rule, what in step.pairs]
    assert step.subject.run(np.ones(2)).tolist() == [-0.1, -0.1]


def test_what_is_like_nothing_is_taken_for_what_its_name_says() -> None:
    def wrong(gradients: Any) -> Any:
        return np.cumsum(np.abs(gradients), axis=0) ** 0.25

    subject = subject_of_function(wrong, "wrong", None, None, {})
    named = observed(subject, LIBRARY, {}, named="m_hat_list", is_parameter=False)
    assert not named.known
    assert {observe for _, observe in named.pairs} == {"m_hat"}
    unnamed = observed(subject, LIBRARY, {}, named="out", is_parameter=False)
    assert {observe for _, observe in unnamed.pairs} == {"ratio"}
    assert {observe for _, observe in unnamed.otherwise} == {"update"}
