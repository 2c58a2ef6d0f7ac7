"""Stages of a trace: what carries from step to step goes step by step, all else many steps at a time."""

from __future__ import annotations

import pytest

from mhat import rule, rules
from mhat.engines.kernels.lowering import NotLowered, lower
from mhat.engines.kernels.stages import Stages, stages_of
from mhat.language.walking import names_in


def stages(text: str) -> Stages:
    return stages_of(lower(rules.named(text) if text.isidentifier() else rule(text)))


def stage_of(found: Stages, start: str) -> int:
    (stage,) = {stage for name, stage in found.stage.items() if name.startswith(start) and "part" not in name}
    return stage


def test_averages_come_first_then_what_follows_from_them_then_x() -> None:
    found = stages("adam")
    assert [stage_of(found, name) for name in ("m_v", "v_v", "m_hat_", "v_hat_", "ratio_", "result_")] == [
        1, 1, 2, 2, 2, 3,
    ]  # fmt: skip
    # What an average is fed with needs no order.
    assert {found.stage[value.id] for value in found.values if "_part_" in value.id} == {0, 2}


def test_what_goes_round_through_another_state_goes_step_by_step() -> None:
    found = stages("adadelta")
    assert stage_of(found, "ratio_") == stage_of(found, "u_v") == stage_of(found, "v_v") == 1


def test_a_state_that_only_hands_on_needs_no_order() -> None:
    found = stages("def f(x, g, last=0, *, lr=0.1):\n    change = g - last\n    last = g\n    return x - lr * change")
    assert stage_of(found, "change_") == 0


def test_circles_that_follow_each_other_may_share_a_stage() -> None:
    found = stages("def f(x, g, a=0, b=0):\n    a = a + g\n    b = b + a\n    return x - b")
    assert stage_of(found, "a_v") == stage_of(found, "b_v") == stage_of(found, "result_") == 1


@pytest.mark.parametrize("name", rules.names())
def test_everything_is_known_before_it_is_read(name: str) -> None:
    try:
        found = stages(name)
    except NotLowered:
        return
    seen: set[str] = set()
    for stage in range(found.count):
        for value in found.at(stage):
            read = {each for each in names_in(value.expression) if each in found.stage}
            assert read <= seen
            seen.add(value.id)
    assert seen == set(found.stage)
