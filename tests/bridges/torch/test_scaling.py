"""Scaled losses and clipped gradients: an overflow leaves everything alone, folded into the step or not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mhat.bridges.torch import Optimizer
from mhat.errors import BadValue
from tests.bridges.torch.models import driven, gradients, parameters, same


def scaled(opt: Any, holders: list[Any], course: list[list[Any]], scaler: Any) -> list[Any]:
    """Take steps as a GradScaler does; the gradients of the course are those of the loss as it is."""
    for step in course:
        opt.zero_grad()
        scaler.scale(sum((p * g).sum() for p, g in zip(holders, step, strict=True))).backward()
        scaler.step(opt)
        scaler.update()
    return [p.detach().clone() for p in holders]


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("rule", ["adam", "def f(x, g, m='g', *, lr=0.1):\n    m = m + g\n    return x - lr * m"])
def test_an_overflow_leaves_parameters_states_and_counts_alone(rule: str, folded: bool) -> None:
    one, other = parameters(), parameters()
    course = gradients(one, 3)
    bad = [[torch.full_like(g, float("inf")) for g in course[0]]]
    opt = Optimizer(one, rule, amp_scaling=folded)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
    start = [p.detach().clone() for p in one]
    assert same(scaled(opt, one, bad, scaler), start)
    assert [float(opt.state[p]["step"]) for p in one] == [0.0, 0.0]
    scaled(opt, one, course[:1], scaler)
    before = [p.detach().clone() for p in one], [value.clone() for p in one for value in opt.state[p].values()]
    scaled(opt, one, bad, scaler)
    assert same(one, before[0])
    assert same([value for p in one for value in opt.state[p].values()], before[1])
    moved = scaled(opt, one, course[1:], scaler)
    # Scales are powers of two, so nothing is rounded by them.
    assert same(moved, driven(Optimizer(other, rule, amp_scaling=folded), other, course))
    assert bool(getattr(opt, "_step_supports_amp_scaling", False)) is folded
    assert not hasattr(opt, "grad_scale")


def test_a_step_without_a_scaler_divides_by_nothing() -> None:
    one, other = parameters(), parameters()
    course = gradients(one, 2)
    assert same(
        driven(Optimizer(one, "adam", amp_scaling=True), one, course), driven(Optimizer(other, "adam"), other, course)
    )


def test_a_rule_whose_own_name_is_taken_is_refused() -> None:
    with pytest.raises(BadValue, match="f has a `grad_scale` of its own"):
        Optimizer(parameters(), "def f(x, g, *, grad_scale=1.0): return x - g / grad_scale", amp_scaling=True)


def test_clipping_beforehand_is_clipping() -> None:
    one, other = parameters(dtype=torch.float64), parameters(dtype=torch.float64)
    course = gradients(one, 2)
    opt, theirs = Optimizer(one, "adam"), torch.optim.Adam(other)
    for holders, each in ((one, opt), (other, theirs)):
        for step in course:
            for p, g in zip(holders, step, strict=True):
                p.grad = g.clone()
            torch.nn.utils.clip_grad_norm_(holders, 0.5)
            each.step()
    assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_autocast_trains(dtype: Any) -> None:
    model = torch.nn.Linear(4, 2)
    opt = Optimizer(model.parameters(), "adamw", lr=0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
    losses = []
    for _ in range(20):
        opt.zero_grad()
        with torch.autocast("cpu", dtype=dtype):
            loss = ((model(torch.ones(3, 4)) - 1.0) ** 2).mean()
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(opt)
        scaler.update()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2
