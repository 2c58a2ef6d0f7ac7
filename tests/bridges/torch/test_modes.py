"""Evaluation and training, steps in the middle of backward(), what some rules read besides, and no leak."""

from __future__ import annotations

import copy
import gc
import io
import sys
from typing import Any

import pytest
import torch

from mhat import rules
from mhat.bridges.torch import Optimizer
from mhat.errors import BadValue
from mhat.modifiers import clipped
from tests.bridges.torch.models import driven, gradients, network, parameters, same, stepped


def test_evaluation_shows_the_average_and_training_comes_back_to_the_bit() -> None:
    opt, x = stepped("schedule_free", steps=4, lr=0.1)
    before = [p.detach().clone() for p in x]
    opt.eval()
    assert same(x, [opt.state[p]["average"] for p in x])
    assert not same(x, before)
    opt.eval()
    opt.train()
    assert same(x, before)
    opt.train()
    assert same(x, before)
    with opt.eval():
        assert not same(x, before)
        with opt.eval():
            pass
        assert not same(x, before)
        with opt.train():
            assert same(x, before)
        assert not same(x, before)
    assert same(x, before)
    driven(opt, x, gradients(x, 1))


def test_a_corrected_average_is_corrected() -> None:
    opt, x = stepped("splus", holders=parameters((4, 3)), lr=0.1)
    decay = opt.param_groups[0]["beta3"]
    with opt.eval():
        assert torch.allclose(x[0], opt.state[x[0]]["average"] / (1 - decay**3))


@pytest.mark.parametrize("rule", ["adam", "muon"])
def test_other_rules_evaluate_what_they_train(rule: str) -> None:
    opt, x = stepped(rule)
    before = [p.detach().clone() for p in x]
    with opt.eval():
        assert same(x, before)
        driven(opt, x, gradients(x, 1))


def test_steps_wait_for_training() -> None:
    opt, x = stepped("schedule_free")
    opt.eval()
    before = [p.detach().clone() for p in x]
    with pytest.raises(BadValue, match="the optimizer is in evaluation") as refused:
        opt.step()
    assert refused.value.cure == "Call opt.train() before the next step."
    assert same(x, before)


def test_a_checkpoint_in_the_middle_of_an_evaluation_loses_nothing() -> None:
    opt, x = stepped("schedule_free", steps=3)
    trained = [p.detach().clone() for p in x]
    with opt.eval():
        file = io.BytesIO()
        torch.save(opt.state_dict(), file)
        y = [torch.nn.Parameter(p.detach().clone()) for p in x]
    file.seek(0)
    other = Optimizer(y, "schedule_free")
    other.load_state_dict(torch.load(file, weights_only=True))
    other.train()
    assert same(y, trained)
    course = gradients(x, 2, seed=4)
    assert same(driven(opt, x, course), driven(other, y, course))


def test_what_is_gone_cannot_be_evaluated() -> None:
    rule = "def f(x, g, *, lr=0.1):\n    x_eval = x - g\n    return x - lr * g"
    opt, _ = stepped(rule)
    with pytest.raises(BadValue, match="`x_eval` of f is made of"):
        opt.eval()


@pytest.mark.parametrize("rule", ["adam", "lamb"])
def test_a_step_for_each_parameter_in_the_middle_of_backward(rule: str) -> None:
    model, other = network(), network()
    opts = {p: Optimizer([p], rule, lr=0.01) for p in model.parameters()}

    def step(parameter: Any) -> None:
        opts[parameter].step()
        opts[parameter].zero_grad()

    for p in model.parameters():
        p.register_post_accumulate_grad_hook(step)
    whole = Optimizer(other.parameters(), rule, lr=0.01)
    for i in range(3):
        images = torch.randn(8, 64, generator=torch.Generator().manual_seed(i))
        model(images).square().mean().backward()
        whole.zero_grad()
        other(images).square().mean().backward()
        whole.step()
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_what_looks_at_all_tensors_waits_for_the_end_of_backward() -> None:
    x = parameters((3,))
    opt = Optimizer(x, clipped(rules.sgd))
    x[0].register_post_accumulate_grad_hook(lambda _: opt.step())
    before = x[0].detach().clone()
    with pytest.raises(BadValue, match=r"looks at all tensors at once, and step.. was called in the middle") as refused:
        x[0].sum().backward()
    assert refused.value.cure == "Step after backward(), or take a rule without over='all'."
    assert torch.equal(x[0], before)
    opt.step()


def test_a_rule_that_reads_the_loss_has_it_of_the_closure_or_is_told() -> None:
    x = parameters((3,), dtype=torch.float64)
    y, z = copy.deepcopy(x), copy.deepcopy(x)
    rule = "def f(x, g, loss, *, lr=0.1): return x - lr * loss * g"

    def closure_of(opt: Any, holders: list[Any]) -> Any:
        def closure() -> Any:
            opt.zero_grad()
            loss = (holders[0] ** 2).sum()
            loss.backward()
            return loss

        return closure

    by_closure, told = Optimizer(x, rule), Optimizer(y, rule)
    for _ in range(3):
        by_closure.step(closure_of(by_closure, x))
        told.tell(loss=closure_of(told, y)())
        told.step()
        start = z[0].detach().clone()
        z[0].data = start - 0.1 * (start**2).sum() * 2 * start
    assert torch.allclose(x[0], z[0], rtol=1e-12)
    assert torch.equal(x[0], y[0])
    with pytest.raises(BadValue, match="f reads `loss`") as refused:
        told.step()
    assert refused.value.cure == "Give step a closure that returns it, or say it before: opt.tell(loss=...)."


def test_a_rule_that_reads_h_is_told() -> None:
    x = parameters((3,), (2,), dtype=torch.float64)
    start = [p.detach().clone() for p in x]
    rule = "def f(x, g, h, *, lr=0.1): return x - lr * g / h"
    opt = Optimizer(x, rule)
    opt.tell(h=[torch.full((3,), 2.0), torch.full((2,), 4.0)])
    driven(opt, x, [[torch.ones_like(p) for p in x]])
    assert torch.allclose(start[0] - x[0], torch.tensor(0.05, dtype=torch.float64))
    assert torch.allclose(start[1] - x[1], torch.tensor(0.025, dtype=torch.float64))
    with pytest.raises(BadValue, match="f reads `h`"):
        opt.step()
    opt.tell(h={x[0]: torch.ones(3)})
    with pytest.raises(BadValue, match=r"param_groups\[0\]\['params'\]\[1\] has the shape \(2,\), its h None"):
        opt.step()
    with pytest.raises(BadValue, match="h has 1 entries, the optimizer 2 parameters"):
        opt.tell(h=[torch.ones(3)])


@pytest.mark.parametrize(("rule", "rounds"), [("adam", 10_000), ("muon", 500)])
def test_no_memory_grows_over_many_steps(rule: str, rounds: int) -> None:
    x = parameters((2, 2))
    opt = Optimizer(x, rule)
    ((x[0].grad,),) = gradients(x, 1)
    for _ in range(50):
        opt.step()
    gc.collect()
    objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
    for i in range(rounds):
        opt.param_groups[0]["lr"] = 1e-3 / (i + 1)
        opt.step()
    gc.collect()
    assert len(gc.get_objects()) - objects < 100
    assert sys.getallocatedblocks() - blocks < rounds
    assert float(opt.state[x[0]]["step"]) == rounds + 50
