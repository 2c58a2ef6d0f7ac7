"""Checkpoints: what is in them, to the last bit, through files, copies and processes; and what is refused."""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle
import warnings
from typing import Any

import pytest
import torch
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from mhat.bridges.torch import Optimizer, optimizer_class
from mhat.errors import BadValue
from tests.bridges.torch.models import KINDS, driven, gradients, parameters, same, stepped

PLAIN = (torch.Tensor, float, int, str, bool, type(None))


def through_a_file(state: Any) -> Any:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def copies(holders: list[Any]) -> list[Any]:
    return [torch.nn.Parameter(p.detach().clone()) for p in holders]


def is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return type(value) is dict and all(map(is_plain, value.values()))
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and all(map(is_plain, value))
    return isinstance(value, PLAIN)


@pytest.mark.parametrize("rule", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
def test_another_optimizer_goes_on_to_the_bit(rule: str, dtype: Any) -> None:
    opt, x = stepped(rule, holders=parameters(dtype=dtype), lr=0.02)
    state = opt.state_dict()
    assert is_plain(state)
    assert state["param_groups"][0]["rule"].partition("def ")[2].startswith(rule)
    y = copies(x)
    other = Optimizer(y, rule)
    other.load_state_dict(through_a_file(state))
    z, third = copy.deepcopy((x, opt))
    w, fourth = pickle.loads(pickle.dumps((x, opt)))
    course = gradients(x, 3, seed=7)
    moved = driven(opt, x, course)
    for holders, each in ((y, other), (z, third), (w, fourth)):
        assert same(moved, driven(each, holders, course))
        assert float(each.state[holders[0]]["step"]) == 6.0


def test_every_state_keeps_its_dtype() -> None:
    """A counter of 1001 is 1000 in bfloat16, to which torch's loader would cast it."""
    counting = "def f(x, g, n_=0, *, lr=0.1):\n    n_ = n_ + abs(sign(g))\n    return x - lr * g / n_"
    x = parameters((3,), dtype=torch.bfloat16)
    opt = Optimizer(x, counting)
    driven(opt, x, [[torch.ones(3, dtype=torch.bfloat16)]])
    state = opt.state_dict()
    state["state"][0]["n_"].fill_(1001.0)
    other = Optimizer(parameters((3,), dtype=torch.bfloat16), counting)
    other.load_state_dict(through_a_file(state))
    (own,) = other.state.values()
    assert own["n_"].dtype == torch.float32
    assert own["n_"].tolist() == [1001.0] * 3


@pytest.mark.parametrize("options", [
    {"rounding": "kahan"}, {"rounding": "stochastic", "seed": 5}, {"state_dtype": torch.bfloat16},
], ids=["kahan", "stochastic", "small"])  # fmt: skip
def test_small_parameters_go_on_to_the_bit(options: dict[str, Any]) -> None:
    x = parameters(dtype=torch.bfloat16)
    opt = Optimizer(x, "adam", lr=1e-3, **options)
    driven(opt, x, gradients(x, 3))
    y = copies(x)
    other = Optimizer(y, "adam", **options)
    other.load_state_dict(through_a_file(opt.state_dict()))
    course = gradients(x, 3, seed=4)
    assert same(driven(opt, x, course), driven(other, y, course))
    kept = opt.state[x[0]]
    if options.get("rounding") == "kahan":
        assert kept["@lost"].any()
    assert kept["m"].dtype == (torch.bfloat16 if "state_dtype" in options else torch.float32)


def test_states_are_there_before_the_first_step() -> None:
    """`torch.distributed.checkpoint` takes a hidden step where there are none: here nothing moves."""
    decaying = (
        "def f(x, g, m='g', *, lr=0.1, weight_decay=0.1):\n    m = m + g\n    return x - lr * m - weight_decay * x"
    )
    model = torch.nn.Linear(3, 2)
    opt = Optimizer(model.parameters(), decaying)
    before = copy.deepcopy(model.state_dict())
    weights, state = get_state_dict(model, opt, options=StateDictOptions())
    assert all(torch.equal(before[name], model.state_dict()[name]) for name in before)
    assert float(state["state"]["weight"]["step"]) == 0.0
    set_state_dict(model, opt, model_state_dict=weights, optim_state_dict=state)
    g = torch.ones(2, 3)
    model.weight.grad, model.bias.grad = g.clone(), torch.ones(2)
    opt.step()
    assert torch.allclose(opt.state[model.weight]["m"], 2 * g)


@pytest.mark.parametrize("flat", [False, True])
def test_distributed_checkpoints_go_on(flat: bool) -> None:
    model = torch.nn.Linear(3, 2)
    opt = optimizer_class("adamw")(model.parameters(), lr=0.1)
    course = gradients(model.parameters(), 4)
    driven(opt, list(model.parameters()), course[:2])
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    weights, state = get_state_dict(model, opt, options=options)
    weights, state = copy.deepcopy((weights, state))
    whole = driven(opt, list(model.parameters()), course[2:])
    again = torch.nn.Linear(3, 2)
    other = optimizer_class("adamw")(again.parameters())
    set_state_dict(again, other, model_state_dict=weights, optim_state_dict=state, options=options)
    assert other.param_groups[0]["lr"] == 0.1
    assert same(whole, driven(other, list(again.parameters()), course[2:]))


def test_missing_keys_are_filled_with_one_warning() -> None:
    opt, x = stepped("adam", lr=0.02)
    state = opt.state_dict()
    group = state["param_groups"][0]
    for key in ("eps", "beta1", "betas", "rule"):
        del group[key]
    other = Optimizer(copies(x), "adam", eps=1e-4)
    with pytest.warns(UserWarning) as seen:
        other.load_state_dict(state)
    assert [str(each.message) for each in seen] == ["the state has no beta1, eps: groups keep what they have"]
    assert other.param_groups[0]["eps"] == 1e-4
    assert other.param_groups[0]["lr"] == 0.02


def test_steps_may_be_plain_numbers() -> None:
    opt, x = stepped("nadam")
    state = opt.state_dict()
    for own in state["state"].values():
        own["step"], own["product"] = 3, float(own["product"])
    y = copies(x)
    other = Optimizer(y, "nadam")
    other.load_state_dict(state)
    course = gradients(x, 1, seed=3)
    assert same(driven(opt, x, course), driven(other, y, course))


def test_what_users_keep_in_groups_goes_along() -> None:
    x = parameters()
    opt = Optimizer([{"params": x, "name": "all"}], "adam")
    opt.state["mine"] = {"a": 1}
    other = Optimizer(parameters(), "adam")
    other.load_state_dict(opt.state_dict())
    assert other.param_groups[0]["name"] == "all"
    assert other.state["mine"] == {"a": 1}


def test_a_state_that_is_exchanged_counts() -> None:
    opt, x = stepped("momentum", lr=1.0)
    opt.state[x[0]]["velocity"] = torch.zeros_like(x[0])
    before = x[0].detach().clone()
    driven(opt, x, [[torch.ones_like(p) for p in x]])
    assert torch.allclose(before - x[0], torch.ones(3, 2))


def test_the_state_changes_with_the_steps() -> None:
    opt, x = stepped("adam", steps=1)
    state = opt.state_dict()
    driven(opt, x, gradients(x, 2))
    assert float(state["state"][0]["step"]) == 3.0
    assert state["state"][0]["m"] is opt.state[x[0]]["m"]


def _stepped_there(state: Any, connection: Any) -> None:
    x, opt = state
    moved = driven(opt, x, gradients(x, 2, seed=9))
    connection.send([p.tolist() for p in moved])


def test_another_process_goes_on() -> None:
    opt, x = stepped("adam")
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_stepped_there, args=(copy.deepcopy((x, opt)), there))
    process.start()
    moved = here.recv()
    process.join()
    assert moved == [p.tolist() for p in driven(opt, x, gradients(x, 2, seed=9))]


def test_the_state_of_another_rule_is_refused_by_name() -> None:
    opt, _ = stepped("adam")
    before = copy.deepcopy(opt.state_dict())
    lion, _ = stepped("lion")
    mine, _ = stepped("def adam(x, g, t, m=0, v=0, *, lr=0.1): return x - lr * g")
    for other, what in (
        (lion, "the state is of the rule lion, this group has adam"),
        (mine, "the state is of another rule of the name adam"),
    ):
        with pytest.raises(BadValue, match=what) as refused:
            opt.load_state_dict(other.state_dict())
        assert refused.value.cure == "Make the optimizer with the rule of the state."
    after = opt.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert all(torch.equal(after["state"][i]["m"], before["state"][i]["m"]) for i in (0, 1))


def test_a_state_of_torchs_own_is_sent_to_resume() -> None:
    x = parameters()
    theirs = torch.optim.Adam(x)
    driven(theirs, x, gradients(x, 1))
    with pytest.raises(BadValue, match="the state has exp_avg, exp_avg_sq, and adam has m, v") as refused:
        Optimizer(x, "adam").load_state_dict(theirs.state_dict())
    assert refused.value.cure.endswith('Optimizer.resume(params, rule="adam", state=state).')


@pytest.mark.parametrize(("change", "what"), [
    (lambda s: s.pop("param_groups"), "this is no state of an optimizer: it has no `state` and `param_groups`"),
    (lambda s: s["param_groups"].append(s["param_groups"][0]), "the state has 2 parameter groups, this optimizer 1"),
    (lambda s: s["param_groups"][0]["params"].pop(), "group 0 of the state has 1 parameters, here it has 2"),
    (lambda s: s["state"][1].pop("v"), r"the state of param_groups\[0\]\['params'\]\[1\] lacks `v`"),
    (lambda s: s["state"][0].update(w=1.0), r"the state of param_groups\[0\].* has `w`, which adam does not have"),
    (lambda s: s["state"][0].update(m=torch.zeros(5)), r"`m` of .* has the shape \(5,\), not \(3, 2\)"),
    (lambda s: s["state"][0].update(m=torch.zeros(3, 2, dtype=torch.int32)), r"`m` of .* is torch.int32"),
    (lambda s: s["state"][0].update(m="none"), "`m` of .* is str"),
    (lambda s: s["param_groups"][0].update(rule="def f(x, g): return y"), "the rule in the state cannot be read"),
    (lambda s: s["param_groups"][0].update(lr=-1.0, beta1=0.9), "lr=-1.0 is out of its range"),
], ids=range(10))  # fmt: skip
def test_a_state_that_does_not_fit_changes_nothing(change: Any, what: str) -> None:
    opt, x = stepped("adam")
    state = copy.deepcopy(opt.state_dict())
    other = Optimizer(copies(x), "adam", lr=0.5)
    change(state)
    with pytest.raises(BadValue, match=what):
        other.load_state_dict(state)
    assert other.param_groups[0]["lr"] == 0.5
    assert [float(own["step"]) for own in other.state.values()] == [0.0, 0.0]


def test_nothing_warns_when_nothing_is_missing() -> None:
    opt, x = stepped("adam")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Optimizer(copies(x), "adam").load_state_dict(opt.state_dict())


def test_a_schedule_goes_along() -> None:
    x = parameters((3,))
    opt = Optimizer(x, "sgd", lr="cosine:0.5,steps=10")
    driven(opt, x, gradients(x, 4))
    y = copies(x)
    other = Optimizer(y, "sgd")
    other.load_state_dict(through_a_file(opt.state_dict()))
    z, third = copy.deepcopy((x, opt))
    course = gradients(x, 3, seed=5)
    moved = driven(opt, x, course)
    assert same(moved, driven(other, y, course))
    assert same(moved, driven(third, z, course))
    assert other.param_groups[0]["lr"] == opt.param_groups[0]["lr"] != 0.5
