"""What torch's own suite asks of every optimizer (the names of its OptimizerInfo tests), asked of ours.

forloop_goes_right_direction, with tensor lr, with schedules     test_it_goes_down, test_schedules_are_followed
param_group_with_lrscheduler, param_groups_lr, _weight_decay     test_groups_have_knobs_of_their_own
tensor_lr                                                        test_a_rate_may_be_a_tensor
complex, complex_2d                                              test_complex_numbers_step_as_pairs
rosenbrock_sparse                                                test_refusals: sparse gradients
mixed_device_dtype                                               test_dtypes_stand_side_by_side
step_is_noop_when_params_have_no_grad, _for_zero_grads           test_nothing_moves_without_a_gradient
optimizers_with_large_tensors, empty parameters                  test_tensors_without_numbers
state_dict_deterministic, can_load_older_state_dict,
save_load_equality_with_weights_only, load_nontensor_step,
non_empty_state, cpu_load_state_dict                             test_checkpoints
state_dict_hooks (4), load_state_dict hooks (6), step hooks (3)  test_hooks_fire_once
deepcopy_copies_all_public_attrs, pickle                         test_checkpoints: copies
named parameters (4)                                             test_named_parameters
optim_infos_do_not_specify_global_cliquey_kwargs, errors         test_refusals
fused_does_not_step_if_foundinf, grad_scaling                    test_scaling
state_dict_with_cuda_params, peak_memory_foreach                 {no accelerator here; foreach is torch's own}
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from mhat import rules
from mhat.bridges.torch import Optimizer, optimizer_class
from mhat.modifiers import clipped
from tests.bridges.torch.models import KINDS, VECTORS, driven, gradients, parameters, same, stepped


@pytest.mark.parametrize("name", ["step", "load_state_dict", "zero_grad", "add_param_group", "state_dict"])
def test_signatures_are_those_of_torch(name: str) -> None:
    ours = inspect.signature(getattr(Optimizer, name)).parameters
    theirs = inspect.signature(getattr(torch.optim.Optimizer, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.parametrize("rule", KINDS)
def test_it_goes_down(rule: str) -> None:
    target, (x,) = torch.ones(4, 3), parameters((4, 3))
    opt = Optimizer([x], rule, lr=0.02)

    def closure() -> Any:
        assert torch.is_grad_enabled()
        opt.zero_grad()
        loss = ((x - target) ** 2).sum()
        loss.backward()
        return loss

    first = opt.step(closure)
    for _ in range(40):
        last = opt.step(closure)
    assert isinstance(first, torch.Tensor)
    assert last < first
    assert opt.step() is None


@pytest.mark.parametrize("rule", ["adamw", "lamb", "muon"])
def test_maximize_is_the_gradient_turned_around(rule: str) -> None:
    one, other = parameters(), parameters()
    course = gradients(one, 3)
    up = driven(Optimizer(one, rule, maximize=True), one, course)
    down = driven(Optimizer(other, rule), other, [[-g for g in step] for step in course])
    assert same(up, down)


def test_maximize_reaches_starts_that_read_the_gradient() -> None:
    starting = "def f(x, g, m='g', *, lr=0.1):\n    m = 0.5 * m + g\n    return x - lr * m"
    one, other = parameters(), parameters()
    course = gradients(one, 2)
    up = driven(Optimizer(one, starting, maximize=True), one, course)
    assert same(up, driven(Optimizer(other, starting), other, [[-g for g in step] for step in course]))


def test_schedules_are_followed() -> None:
    (x,) = parameters((3,))
    opt = Optimizer([x], "sgd", lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(opt, step_size=1, gamma=0.5)
    before, moves = x.detach().clone(), []
    for _ in range(4):
        driven(opt, [x], [[torch.ones(3)]])
        moves.append(float((before - x)[0].detach()))
        before = x.detach().clone()
        schedule.step()
    assert moves == pytest.approx([1.0, 0.5, 0.25, 0.125])
    assert opt.param_groups[0]["initial_lr"] == 1.0


@pytest.mark.parametrize("cycle_of", ["OneCycleLR", "CyclicLR"])
@pytest.mark.parametrize(("rule", "key"), [("adam", "betas"), ("momentum", "momentum"), ("adan", "betas")])
def test_cycles_find_the_momentum(rule: str, key: str, cycle_of: str) -> None:
    x = parameters((3,))
    opt = Optimizer(x, rule)
    told = {"max_lr": 0.1, "total_steps": 10} if cycle_of == "OneCycleLR" else {"base_lr": 0.01, "max_lr": 0.1}
    assert key in opt.defaults
    cycle = getattr(torch.optim.lr_scheduler, cycle_of)(opt, **told)
    for _ in range(3):
        driven(opt, x, gradients(x, 1))
        cycle.step()
    group = opt.param_groups[0]
    if key == "betas":
        assert group["beta1"] == group["betas"][0] != 0.9
        assert group["beta2"] == group["betas"][1]


def test_both_spellings_are_one_number() -> None:
    opt = Optimizer(parameters(), "adam", betas=(0.8, 0.95))
    group = opt.param_groups[0]
    assert (group["beta1"], group["beta2"]) == (0.8, 0.95)
    group["beta1"] = 0.5
    assert group["betas"] == (0.5, 0.95)
    group.update(betas=(0.1, 0.2))
    assert (group["beta1"], group["beta2"]) == (0.1, 0.2)
    assert opt.defaults["betas"] == (0.8, 0.95)


def test_knobs_made_of_others_follow_them() -> None:
    rule = "def f(x, g, *, lr=0.1, beta2=0.81, root='sqrt(beta2)'): return x - lr * root * g"
    opt = Optimizer(parameters(), rule)
    group = opt.param_groups[0]
    group["beta2"] = 0.25
    assert group["root"] == 0.5
    opt.load_state_dict(opt.state_dict())
    group["beta2"] = 0.49
    assert group["root"] == pytest.approx(0.7)


def test_groups_have_knobs_of_their_own() -> None:
    one, other = parameters((3, 2), (2, 3))
    opt = Optimizer([{"params": one}, {"params": [other], "lr": 0.25, "name": "rest"}], "adamw", lr=0.5)
    moved = driven(opt, [one, other], [[torch.ones(3, 2), torch.ones(2, 3)]])
    start = parameters((3, 2), (2, 3))
    assert opt.param_groups[1]["name"] == "rest"
    for lr, before, after in zip((0.5, 0.25), start, moved, strict=True):
        assert torch.allclose(before - after, lr * (1 + 0.01 * before), atol=1e-6)


def test_groups_have_rules_of_their_own() -> None:
    ours, alone = parameters((3, 2), (3,)), parameters((3, 2), (3,))
    course = gradients(ours, 3)
    opt = Optimizer([{"params": ours[:1], "rule": "muon", "lr": 0.02}, {"params": ours[1:], "rule": "adamw"}])
    together = driven(opt, ours, course)
    apart = [
        *driven(Optimizer(alone[:1], "muon", lr=0.02), alone[:1], [step[:1] for step in course]),
        *driven(Optimizer(alone[1:], "adamw"), alone[1:], [step[1:] for step in course]),
    ]
    assert same(together, apart)
    assert [group["rule"].name for group in opt.param_groups] == ["muon", "adamw"]
    assert "beta1" not in opt.param_groups[0]


def test_a_norm_over_all_tensors_spans_groups() -> None:
    rule = clipped(rules.sgd)
    one, other = parameters((3,), (3,), dtype=torch.float64), parameters((3,), (3,), dtype=torch.float64)
    course = gradients(one, 2)
    groups = [{"params": one[:1]}, {"params": one[1:], "lr": 0.3}]
    together = driven(Optimizer(groups, rule, lr=0.1), one, course)
    for step in course:
        norm = torch.cat(step).norm()
        for p, g, lr in zip(other, step, (0.1, 0.3), strict=True):
            p.data -= lr * g / (norm + 1e-6).clamp(min=1.0)
    assert all(torch.allclose(a, b, rtol=1e-5) for a, b in zip(together, other, strict=True))


def test_a_rate_may_be_a_tensor() -> None:
    rate = torch.tensor(0.5)
    x, y = parameters((3,)), parameters((3,))
    opt = Optimizer(x, "adam", lr=rate)
    assert opt.param_groups[0]["lr"] is rate
    torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    other = Optimizer(y, "adam", lr=0.5)
    course = gradients(x, 2)
    first = driven(opt, x, course[:1]), driven(other, y, course[:1])
    rate.fill_(0.125)
    other.param_groups[0]["lr"] = 0.125
    second = driven(opt, x, course[1:]), driven(other, y, course[1:])
    assert same(*first)
    assert same(*second)


@pytest.mark.parametrize("rule", ["sgd", "adam", "adan"])
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_complex_numbers_step_as_pairs(rule: str, dtype: Any) -> None:
    x = parameters((2, 3), dtype=dtype)
    with torch.no_grad():
        x[0].add_(torch.full((2, 3), 0.5j, dtype=dtype))
    pairs = [torch.nn.Parameter(torch.view_as_real(x[0].detach()).clone())]
    course = [[torch.randn(2, 3, dtype=dtype, generator=torch.Generator().manual_seed(i))] for i in range(3)]
    opt = Optimizer(x, rule)
    (moved,) = driven(opt, x, course)
    (other,) = driven(Optimizer(pairs, rule), pairs, [[torch.view_as_real(g)] for (g,) in course])
    assert torch.equal(torch.view_as_real(moved), other)
    assert all(value.dtype == dtype for name, value in opt.state[x[0]].items() if name != "step")


def test_dtypes_stand_side_by_side() -> None:
    kinds = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
    together = [p for kind in kinds for p in parameters((3, 2), dtype=kind)]
    course = gradients(together, 3)
    opt = Optimizer(together, "adamw")
    moved = driven(opt, together, course)
    assert [bucket[0] for bucket in opt.ways] == ["kernel"] * 4
    for i, kind in enumerate(kinds):
        alone = parameters((3, 2), dtype=kind)
        assert same(moved[i : i + 1], driven(Optimizer(alone, "adamw"), alone, [step[i : i + 1] for step in course]))
    assert opt.state[together[2]]["m"].dtype == torch.float32


@pytest.mark.parametrize("rule", VECTORS)
def test_nothing_moves_without_a_gradient(rule: str) -> None:
    ours, alone = parameters((3, 2), (4, 3)), parameters((3, 2), (4, 3))
    opt = Optimizer(ours, rule)
    start = [p.detach().clone() for p in ours]
    assert same(driven(opt, ours, [[None, None]]), start)
    assert [float(opt.state[p]["step"]) for p in ours] == [0.0, 0.0]
    course = gradients(ours, 3)
    skipping = [course[0], [None, course[1][1]], course[2]]
    moved = driven(opt, ours, skipping)
    assert [float(opt.state[p]["step"]) for p in ours] == [2.0, 3.0]
    if rule != "schedule_free":
        other = driven(Optimizer(alone[:1], rule), alone[:1], [course[0][:1], course[2][:1]])
        assert torch.allclose(moved[0], other[0], rtol=1e-6)


def test_a_missing_gradient_can_count_as_zeros() -> None:
    one, other = parameters((3,), (2,)), parameters((3,), (2,))
    course = gradients(one, 2)
    with_none = [course[0], [None, course[1][1]]]
    with_zeros = [course[0], [torch.zeros(3), course[1][1]]]
    moved = driven(Optimizer(one, "adam", missing="zero"), one, with_none)
    assert same(moved, driven(Optimizer(other, "adam"), other, with_zeros))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 1)])
def test_tensors_without_numbers(shape: tuple[int, ...]) -> None:
    x = parameters(shape, (2,))
    opt = Optimizer(x, "adam", lr=0.5)
    driven(opt, x, [[torch.ones(shape), torch.ones(2)]])
    assert opt.state[x[0]]["m"].shape == shape
    assert float(opt.state[x[0]]["step"]) == 1.0


def test_frozen_parameters_have_no_state_until_they_have_a_gradient() -> None:
    x, y = parameters((3,), (2,))
    y.requires_grad_(False)
    opt = Optimizer([x, y], "adam", lr=0.5)
    driven(opt, [x, y], [[torch.ones(3), None]])
    assert y not in opt.state
    y.requires_grad_(True)
    driven(opt, [x, y], [[torch.ones(3), torch.ones(2)]])
    assert (float(opt.state[x]["step"]), float(opt.state[y]["step"])) == (2.0, 1.0)


def test_parameters_can_come_late() -> None:
    x, y = parameters((3,), (2,))
    opt = Optimizer([x], "adam", lr=0.5)
    driven(opt, [x], [[torch.ones(3)]])
    opt.add_param_group({"params": y, "lr": 0.25})
    before = y.detach().clone()
    driven(opt, [x, y], [[torch.ones(3), torch.ones(2)]])
    assert torch.allclose(before - y, torch.tensor(0.25))
    assert float(opt.state[x]["step"]) == 2.0


def test_named_parameters() -> None:
    model = torch.nn.Linear(3, 2)
    opt = Optimizer(model.named_parameters(), "adam")
    assert opt.param_groups[0]["param_names"] == ["weight", "bias"]
    assert opt.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    other = Optimizer(model.parameters(), "adam")
    other.load_state_dict(opt.state_dict())
    opt.load_state_dict(Optimizer(model.parameters(), "adam").state_dict())
    assert opt.param_groups[0]["param_names"] == ["weight", "bias"]


@pytest.mark.parametrize("rule", VECTORS)
def test_a_layout_stays_and_is_followed(rule: str) -> None:
    last = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    x, y = torch.nn.Parameter(last), torch.nn.Parameter(last.contiguous())
    strides = x.stride()
    opt = Optimizer([x], rule)
    course = [[torch.randn(2, 3, 4, 4)] for _ in range(2)]
    (moved,) = driven(opt, [x], course)
    (other,) = driven(Optimizer([y], rule), [y], course)
    assert x.stride() == strides
    assert torch.allclose(moved, other, atol=1e-6)
    wide = [s for name, s in opt.state[x].items() if s.dim() == 4]
    assert all(state.stride() == strides for state in wide)


def test_hooks_fire_once() -> None:
    seen: list[str] = []

    def note(name: str) -> Any:
        return lambda *given: seen.append(name)

    x = parameters((3,))
    opt = optimizer_class("adam")(x)
    handles = [
        register_optimizer_step_pre_hook(note("all before")),
        register_optimizer_step_post_hook(note("all after")),
        opt.register_step_pre_hook(note("before")),
        opt.register_step_post_hook(note("after")),
        opt.register_state_dict_pre_hook(note("before saving")),
        opt.register_state_dict_post_hook(note("after saving")),
        opt.register_load_state_dict_pre_hook(note("before loading")),
        opt.register_load_state_dict_post_hook(note("after loading")),
    ]
    driven(opt, x, gradients(x, 1))
    assert seen == ["all before", "before", "after", "all after"]
    seen.clear()
    opt.load_state_dict(opt.state_dict())
    assert seen == ["before saving", "after saving", "before loading", "after loading"]
    for handle in handles:
        handle.remove()
    driven(opt, x, gradients(x, 1))
    assert len(seen) == 4


def test_hooks_may_change_what_is_saved_and_loaded() -> None:
    opt, x = stepped("adam")
    opt.register_state_dict_post_hook(lambda _, state: {**state, "more": 1})
    saved = opt.state_dict()
    assert saved["more"] == 1
    opt.register_load_state_dict_pre_hook(lambda _, state: {**state, "state": {}})
    opt.load_state_dict(saved)
    assert float(opt.state[x[0]]["step"]) == 0.0


def test_it_says_what_it_is() -> None:
    opt, _ = stepped("adam", lr=0.25)
    assert "    lr: 0.25\n" in repr(opt)
    assert "    rule: adam\n" in repr(opt)
    assert "adam: 2 tensors by kernel" in repr(opt)
    assert isinstance(opt, torch.optim.Optimizer)


def test_the_class_of_a_rule_shows_its_knobs() -> None:
    cls = optimizer_class("adamw")
    assert cls is optimizer_class("adamw")
    assert inspect.signature(cls).parameters["weight_decay"].default == 0.01
    assert cls.__name__ == "Adamw"
