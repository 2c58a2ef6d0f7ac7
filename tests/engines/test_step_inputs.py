"""What `mhat.step` refuses, by the text: numbers that count no step, later steps without a state, what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import mhat
from mhat.errors import MhatError

FIRST: Any = mhat.step("adam", 1.0, 2.0, 1)
ONES = np.ones(2)
COUNTED = "\nGive the number of the step; the first step has t=1."
HANDED_ON = "\nHand on the whole state of the step before."

STEPS: dict[str, tuple[Any, str]] = {
    "zero": (0, f"t is 0{COUNTED}"),
    "negative": (-1, f"t is -1{COUNTED}"),
    "between": (1.5, f"t is 1.5{COUNTED}"),
    "NaN": (float("nan"), f"t is nan{COUNTED}"),
    "infinite": (float("inf"), f"t is inf{COUNTED}"),
    "truth": (True, f"t is True{COUNTED}"),
    "text": ("1", f"t is a str{COUNTED}"),
    "nothing": (None, f"t is None{COUNTED}"),
    "complex": (1 + 0j, f"t is a complex{COUNTED}"),
    "huge": (10**400, f"t is more than steps can be counted to{COUNTED}"),
    "a list": ([1], f"t is a list{COUNTED}"),
    "an array": (np.array([1, 2]), f"t is an array of the shape (2,){COUNTED}"),
    "a tensor": (torch.tensor(0), f"t is 0{COUNTED}"),
    "later without a state": (
        np.int64(2),
        "t is 2 and no state is given\n"
        "Hand on the state of the step before: step(rule, x, g, t, before.state). The first step has t=1.",
    ),
}


@pytest.mark.parametrize("case", STEPS.values(), ids=STEPS)
def test_steps_are_counted_from_one_with_a_state_from_the_second_on(case: tuple[Any, str]) -> None:
    t, text = case
    with pytest.raises(MhatError) as refused:
        mhat.step("adam", ONES, ONES, t)
    assert str(refused.value) == text


def test_numbers_of_any_kind_count_steps() -> None:
    for t in (1, 1.0, np.int32(1), np.array(1.0), torch.tensor(1)):
        assert mhat.step("adam", 1.0, 2.0, t).x == FIRST.x
    assert mhat.step("sgd", 1.0, 2.0, 7, lr=0.5).x == 0.0, "a rule without states needs none"
    with pytest.raises(MhatError, match="no state is given"):
        mhat.step("adam", [1.0, 2.0], [1.0, 2.0], 2, [FIRST.state, None])


OTHERS: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "a whole step": (
        (1.0, 2.0, 2, FIRST), {}, "the state is a Step\nHand on the state of the step before: before.state.",
    ),
    "a number": ((1.0, 2.0, 2, 3.0), {}, "the state is a float\nHand on the state of the step before: before.state."),
    "a state of text": ((1.0, 2.0, 2, {"m": "a", "v": 0}), {}, f"the state `m` is a str{HANDED_ON}"),
    "half a state": ((1.0, 2.0, 2, {"m": 0.0}), {}, f"the state lacks `v`{HANDED_ON}"),
    "a state of another shape": (
        (ONES, ONES, 2, {"m": np.ones(3), "v": ONES}), {},
        "the state `m` has the shape (3,), and x (2,)\nHand on the state of the step before, of the same x.",
    ),
    "too few states": (([1.0, 2.0], [1.0, 1.0], 2, [FIRST.state]), {}, f"2 parameters and 1 states{HANDED_ON}"),
    "one state for a list": (
        ([1.0], [1.0], 2, FIRST.state), {},
        "x is a list, and the state is a dict\nGive a list with one for each tensor.",
    ),
    "one gradient for a list": (
        ([1.0], 1.0, 1), {}, "x is a list, and g is a float\nGive a list with one for each tensor.",
    ),
    "no tensors": (([], [], 1), {}, "x is an empty list\nGive the tensors."),
    "no gradient": ((1.0, None, 1), {}, "g is None\nGive a float, or an array of NumPy, torch, JAX ..."),
    "text": ((1.0, "a", 1), {}, "g is a str\nGive a float, or an array of NumPy, torch, JAX ..."),
    "a list of numbers": ((ONES, [1.0, 1.0], 1), {}, "g is a list\nGive a float, or an array of NumPy, torch, JAX ..."),
    "another dtype": (
        (ONES, np.ones(2, np.float32), 1), {}, "x is float64 and g is float32\nGive both one dtype.",
    ),
    "tensors of two dtypes": (
        ([ONES, np.ones(2, np.float32)], [ONES, np.ones(2, np.float32)], 1), {},
        "x[1] is float32 and x[0] is float64\nGive both one dtype.",
    ),
    "a float and an array": (
        ([1.0, ONES], [1.0, ONES], 1), {},
        "x[0] is a float and x[1] is an array of the shape (2,)\nGive floats, or arrays of one kind.",
    ),
    "a huge number": ((10**400, 1.0, 1), {}, "x is a number that no float can hold\nGive a smaller one."),
    "a knob of text": ((1.0, 1.0, 1), {"lr": "a"}, "lr is a str\nGive lr a number."),
    "a knob of another shape": (
        (1.0, 1.0, 1), {"lr": np.ones(3)},
        "lr has the shape (3,) and x the shape ()\nGive a number, or one for each coordinate.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS.values(), ids=OTHERS)
def test_what_does_not_fit_is_refused(case: tuple[tuple[Any, ...], dict[str, Any], str]) -> None:
    given, knobs, text = case
    with pytest.raises(MhatError) as refused:
        mhat.step("adam", *given, **knobs)
    assert str(refused.value) == text


def test_a_knob_may_have_a_value_for_each_coordinate() -> None:
    assert mhat.step("sgd", ONES, ONES, 1, lr=np.array([0.5, 0.25])).x.tolist() == [0.5, 0.75]


def test_whole_numbers_are_gradients() -> None:
    assert mhat.step("sgd", np.zeros(2, np.float32), np.array([1, 2]), 1, lr=0.5).x.tolist() == [-0.5, -1.0]
