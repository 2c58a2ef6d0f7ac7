"""The smallest gradients that show a difference are small, and what they show is true. They name no mistake."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mhat import rules
from mhat.bridges.functions import subject_of_function
from mhat.checks.settings import Question
from mhat.checks.showing import LONGEST, deviation_in, first_deviation, sequences
from tests.checks import wrong_adams

Array = np.ndarray


def question_of(function, **held: float) -> Question:  # type: ignore[no-untyped-def]
    return Question(subject_of_function(function, "mine", rules.adam.knobs), rules.adam, "x", held)


def sgd_after(steps: int, factor: float):  # type: ignore[no-untyped-def]
    """Make an Adam whose steps are too long by a factor, from a step on."""

    def run(gradients: Array) -> Array:
        xs = wrong_adams.adam(gradients)
        moves = np.diff(xs, axis=0, prepend=np.zeros((1, *xs.shape[1:])))
        moves[steps - 1 :] *= factor
        return np.cumsum(moves, axis=0)

    return run


def test_sequences_are_short_and_the_simplest_come_first() -> None:
    found = list(sequences())
    assert found[0] == (1.0,)
    assert max(map(len, found)) == LONGEST
    lengths = [len(sequence) for sequence in found]
    assert lengths.index(2) > lengths.index(1)
    assert (1.0,) * LONGEST in found


def test_what_conforms_shows_nothing() -> None:
    question = question_of(wrong_adams.adam)
    assert first_deviation(question, {}) is None
    assert deviation_in(question, question.searched, {}) is None


@pytest.mark.parametrize("step", [1, 2, 3, 5, LONGEST])
def test_as_many_gradients_as_are_needed_and_no_more(step: int) -> None:
    shown = first_deviation(question_of(sgd_after(step, 1.5)), {})
    assert shown is not None
    assert shown.step == step == len(shown.gradients) == len(shown.got) == len(shown.expected)
    assert shown.unit == "learning rates"
    assert shown.got[-1] == pytest.approx(1.5 * shown.expected[-1], rel=1e-6)
    assert shown.got[:-1] == pytest.approx(shown.expected[:-1], rel=1e-6)


def test_gradients_of_one_show_the_classic_mistake() -> None:
    shown = first_deviation(question_of(wrong_adams.stored_back), {})
    assert shown is not None
    assert shown.gradients == (1.0, 1.0)
    assert shown.got == pytest.approx((1.0, 0.2353), rel=1e-3)
    assert shown.expected == pytest.approx((1.0, 1.0), rel=1e-6)
    assert math.isfinite(shown.ulps)
    assert shown.ulps > 1e12


def test_what_short_sequences_do_not_show_the_designed_streams_do() -> None:
    shown = first_deviation(question_of(sgd_after(LONGEST + 2, 1.5)), {})
    assert shown is not None
    assert shown.step == LONGEST + 2


def test_the_tensor_is_said_where_only_one_goes_wrong() -> None:
    shown = first_deviation(question_of(wrong_adams.counter_per_tensor), {})
    assert shown is not None
    assert shown.tensor > 1
