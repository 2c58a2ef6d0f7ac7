"""The smallest gradients that show a difference are small, and what they show is true. They name no mistake."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mhat import rules
from mhat.checks.deviation import LONGEST, STEPS, deviation_in, first_deviation, sequences
from mhat.checks.question import Question
from mhat.subjects.functions import subject_of_function
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


def test_what_shows_from_another_start_alone_is_shown_from_there() -> None:
    def shrinking_late(gradients: Array, start: float = 0.0) -> Array:
        xs = wrong_adams.adam(gradients)
        return xs + start * 0.999 ** np.arange(1, len(xs) + 1).reshape(-1, *[1] * (xs.ndim - 1))

    shown = first_deviation(question_of(shrinking_late), {})
    assert shown is not None
    assert (shown.start, shown.step, shown.setting) == (1.0, 1, " from x = 1")


def test_what_shows_with_a_knob_alone_is_shown_with_it() -> None:
    def growing(gradients: Array, start: float = 0.0, weight_decay: float = 0.0) -> Array:
        x, xs = start + np.zeros(gradients.shape[1:]), []
        for move in np.diff(wrong_adams.adam(gradients), axis=0, prepend=np.zeros((1, *gradients.shape[1:]))):
            x = x + move + 1e-3 * weight_decay * x
            xs.append(x)
        return np.array(xs)

    subject = subject_of_function(growing, "mine", rules.adamw.knobs)
    shown = first_deviation(Question(subject, rules.adamw, "x", {}), {})
    assert shown is not None
    assert shown.knobs == {"weight_decay": 0.3}
    assert shown.setting == " from x = 1 with weight_decay=0.3"
    assert shown.got[-1] == pytest.approx(0.7, rel=1e-3)
    assert shown.expected[-1] == pytest.approx(1.3, rel=1e-3)


def test_what_only_shows_in_company_says_so() -> None:
    def of_the_mean(gradients: Array) -> Array:
        flat = gradients.reshape(len(gradients), -1)
        mean = flat.mean(axis=1, keepdims=True) if flat.shape[1] > 1 else flat
        return np.broadcast_to(wrong_adams.adam(mean), flat.shape).reshape(gradients.shape).copy()

    shown = first_deviation(question_of(of_the_mean), {})
    assert shown is not None
    assert shown.beside > 1
    assert shown.setting == f" beside {shown.beside} other coordinates"
    assert shown.course is None


def test_a_deviation_is_followed_with_its_last_gradient() -> None:
    named = rules.adam.tree
    shown = first_deviation(question_of(wrong_adams.stored_back), {}, named)
    assert shown is not None
    assert shown.course is not None
    assert shown.course.gradients == (1.0,) * STEPS
    assert shown.course.got[:2] == pytest.approx(shown.got)
    assert shown.course.named == pytest.approx(np.ones(STEPS), rel=1e-6)
