"""Knobs of an optimizer that follow schedules: the steps of a trace, states that go on, copies, what is refused."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import schedules
from mhat.errors import BadValue

WARM = schedules.warmup_cosine(0.5, warmup=3, steps=10)
STEPS = 10


def stepped(opt: mhat.Optimizer, first: int, last: int) -> None:
    for t in range(first, last + 1):
        opt.step([np.full(3, float(t))])


def begun(lr: Any, rule: Any = "adam", **more: Any) -> tuple[mhat.Optimizer, Any]:
    weights = [np.ones(3)]
    return mhat.Optimizer(rule, weights, lr=lr, **more), weights[0]


@pytest.mark.parametrize("lr", [WARM, WARM.recipe, lambda t: WARM(t)], ids=["object", "text", "function"])
def test_it_steps_as_the_trace(lr: Any) -> None:
    opt, weights = begun(lr)
    stepped(opt, 1, STEPS)
    traced = mhat.trace("adam", np.arange(1.0, STEPS + 1), start=1.0, lr=WARM).x.values[-1]
    assert weights.tobytes() == np.full(3, traced).tobytes()
    assert opt.lr == WARM(STEPS)


def test_the_state_carries_what_has_a_name() -> None:
    whole, expected = begun(WARM)
    stepped(whole, 1, STEPS)
    opt, weights = begun(WARM)
    stepped(opt, 1, 4)
    other = [weights.copy()]
    resumed = mhat.Optimizer("adam", other)
    resumed.load_state_dict(opt.state_dict())
    stepped(resumed, 5, STEPS)
    assert other[0].tobytes() == expected.tobytes()
    for made in (copy.deepcopy(opt), pickle.loads(pickle.dumps(opt))):
        stepped(made, 5, STEPS)
        assert made._params[0].tobytes() == expected.tobytes()


def test_a_function_is_given_again_where_a_state_goes_on() -> None:
    whole, expected = begun(WARM)
    stepped(whole, 1, STEPS)
    opt, weights = begun(lambda t: WARM(t))
    stepped(opt, 1, 4)
    assert "schedule/lr" not in opt.state_dict()
    other = [weights.copy()]
    resumed = mhat.Optimizer("adam", other, lr=lambda t: WARM(t))
    resumed.load_state_dict(opt.state_dict())
    stepped(resumed, 5, STEPS)
    assert other[0].tobytes() == expected.tobytes()


def test_a_number_ends_it_and_a_schedule_begins_it() -> None:
    opt, _ = begun("linear:1,steps=4")
    stepped(opt, 1, 2)
    opt.lr = 0.125
    stepped(opt, 3, 3)
    assert opt.lr == 0.125
    opt.lr = "linear:1,steps=10"
    stepped(opt, 4, 4)
    assert opt.lr == pytest.approx(0.7)
    opt.knobs["beta1"] = lambda t: 0.5 + 0.01 * t
    stepped(opt, 5, 5)
    assert opt.beta1 == 0.55


def test_several_rules_each_follow_their_own() -> None:
    weights = {"w": np.ones((2, 2)), "b": np.ones(2)}
    opt = mhat.Optimizer({"signsgd": mhat.matrices, "sgd": mhat.rest}, weights,
                         knobs={"signsgd": {"lr": "linear:1,steps=4"}, "sgd": {"lr": 0.5}})  # fmt: skip
    for _ in range(3):
        opt.step({"w": np.ones((2, 2)), "b": np.ones(2)})
    assert weights["w"].tolist() == [[1 - 2.25] * 2] * 2 and weights["b"].tolist() == [-0.5] * 2
    other = mhat.Optimizer({"signsgd": mhat.matrices, "sgd": mhat.rest}, {"w": np.ones((2, 2)), "b": np.ones(2)})
    other.load_state_dict(opt.state_dict())
    assert other.knobs["signsgd"].schedules["lr"].recipe == "linear:1,steps=4"


def test_a_value_that_cannot_be_is_refused_before_anything_is_written() -> None:
    opt, weights = begun(lambda t: 0.35 - 0.1 * t)
    stepped(opt, 1, 3)
    before = weights.copy()
    with pytest.raises(BadValue) as caught:
        stepped(opt, 4, 4)
    assert str(caught.value).startswith("at step 4 of its schedule: lr=-0.05")
    assert weights.tobytes() == before.tobytes() and opt.t == 3
