"""A training that goes on from torch's own optimizers and back: same steps as if nothing had been exchanged."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from mhat.bridges.torch import Optimizer, optimizer_class
from mhat.errors import BadValue, UnknownName
from tests.bridges.torch.models import driven, gradients, parameters, same

DECOUPLED = {"decoupled_weight_decay": True, "weight_decay": 0.1}
# torch's class, its options, the rule that is found.
CASES = [
    ("SGD", {"lr": 0.1}, "sgd"),
    ("SGD", {"lr": 0.1, "momentum": 0.9}, "momentum"),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, "nesterov"),
    ("Adam", {"eps": 0.1, "maximize": True}, "adam"),
    ("Adam", {"weight_decay": 0.1}, "adam_l2"),
    ("Adam", {"amsgrad": True, "betas": (0.5, 0.6)}, "amsgrad"),
    ("AdamW", {"weight_decay": 0.1}, "adamw"),
    ("NAdam", {"momentum_decay": 0.1}, "nadam"),
    ("NAdam", DECOUPLED, "nadamw"),
    ("RAdam", {"eps": 0.1}, "radam"),
    ("RAdam", {"eps": 0.1, **DECOUPLED}, "radamw"),
    ("Adamax", {"eps": 0.1}, "adamax"),
    ("RMSprop", {"alpha": 0.7}, "rmsprop"),
    ("RMSprop", {"momentum": 0.9}, "rmsprop_momentum"),
    ("RMSprop", {"centered": True, "eps": 0.1}, "rmsprop_centered"),
    ("Adagrad", {"lr": 0.1}, "adagrad"),
    ("Adadelta", {"rho": 0.7}, "adadelta"),
    ("Rprop", {"etas": (0.4, 1.3), "step_sizes": (1e-4, 2.0)}, "rprop"),
    ("ASGD", {"lambd": 0.1, "t0": 15}, "asgd"),
    ("Adafactor", {"beta2_decay": -0.7, "eps": (1e-6, 1e-2)}, "adafactor"),
    ("Muon", {"lr": 0.02}, "muon"),
]


@pytest.fixture(autouse=True)
def doubles() -> Any:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def apart(one: list[Any], other: list[Any]) -> float:
    return max(float((a - b).abs().max() / a.abs().max()) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("theirs", "options", "rule"), CASES, ids=[f"{rule}" for _, _, rule in CASES])
def test_in_and_out_again(theirs: str, options: dict[str, Any], rule: str) -> None:
    x = parameters(dtype=torch.float64)
    course = gradients(x, 12)
    whole = getattr(torch.optim, theirs)(x, **options)
    driven(whole, x, course[:5])
    y = copy.deepcopy(x)
    ours = Optimizer.resume(y, state=copy.deepcopy(whole.state_dict()))
    assert ours.param_groups[0]["rule"].name == rule
    # torch computes Newton-Schulz in bfloat16.
    near = 1e-2 if rule == "muon" else 1e-13
    assert apart(driven(whole, x, course[5:9]), driven(ours, y, course[5:9])) < near
    back = getattr(torch.optim, theirs)(y, lr=0.7)
    back.load_state_dict(ours.torch_state_dict())
    assert back.param_groups[0].keys() == whole.param_groups[0].keys()
    assert apart(driven(whole, x, course[9:]), driven(back, y, course[9:])) < near


def test_the_states_are_torchs_own_to_the_bit() -> None:
    x = parameters()
    x = [torch.nn.Parameter(p.detach().bfloat16()) for p in x]
    theirs = torch.optim.AdamW(x)
    driven(theirs, x, gradients(x, 2))
    ours = optimizer_class("adamw").resume(x, state=theirs.state_dict())
    for p in x:
        assert same([ours.state[p]["m"], ours.state[p]["v"]], [theirs.state[p][k] for k in ("exp_avg", "exp_avg_sq")])
        assert float(ours.state[p]["step"]) == 2.0


def test_groups_and_what_is_set_otherwise() -> None:
    x, y = parameters((3, 2), (4,))
    theirs = torch.optim.AdamW([{"params": [x], "lr": 0.1}, {"params": [y], "weight_decay": 0.0}], lr=0.2)
    driven(theirs, [x, y], gradients([x, y], 1))
    ours = Optimizer.resume([x, y], "adamw", state=theirs.state_dict(), eps=1e-3)
    told = [(g["lr"], g["weight_decay"], g["eps"], len(g["params"])) for g in ours.param_groups]
    assert told == [(0.1, 0.01, 1e-3, 1), (0.2, 0.0, 1e-3, 1)]


def test_what_never_had_a_gradient_begins() -> None:
    x, y = parameters((3,), (2,))
    theirs = torch.optim.Adam([x, y])
    driven(theirs, [x, y], [[torch.ones_like(x), None]])
    ours = Optimizer.resume([x, y], state=theirs.state_dict())
    assert [float(ours.state[p]["step"]) for p in (x, y)] == [1.0, 0.0]
    assert list(ours.torch_state_dict()["state"]) == [0]


@pytest.mark.parametrize(("rule", "options", "what", "cure"), [
    ("lion", {}, "there is no rule that torch.optim has too `lion`", None),
    ("adam", {"weight_decay": 0.1}, "group 0 of the state has weight_decay=0.1, which adam does not have",
     "Give a rule that has it: adam_l2 or adamw."),
    ("adam", {"amsgrad": True}, "group 0 of the state has amsgrad=True, which adam does not have",
     "Leave rule= out, and it is found."),
    ("rmsprop", {}, "group 0 of the state has exp_avg, exp_avg_sq, step: it is not of torch's RMSprop",
     "Leave rule= out, and it is found; rmsprop goes on from RMSprop."),
])  # fmt: skip
def test_another_rule_is_refused(rule: str, options: dict[str, Any], what: str, cure: str | None) -> None:
    x = parameters()
    theirs = torch.optim.Adam(x, **options)
    driven(theirs, x, gradients(x, 1))
    with pytest.raises((BadValue, UnknownName), match=what) as refused:
        Optimizer.resume(x, rule, state=theirs.state_dict())
    assert cure is None or refused.value.cure == cure


def test_what_is_no_state_of_torch_is_refused() -> None:
    x = parameters()
    ours = Optimizer(x, "adam")
    with pytest.raises(BadValue, match="the state is one of an optimizer of rules"):
        Optimizer.resume(x, state=ours.state_dict())
    with pytest.raises(BadValue, match="the state has no `state` and `param_groups`"):
        Optimizer.resume(x, state={"step": 1})
    with pytest.raises(BadValue, match="there are 1 parameters, the state has 2"):
        Optimizer.resume(x[:1], state=torch.optim.Adam(x).state_dict())
    with pytest.raises(UnknownName, match=r"there is no rule that torch.optim has too `lion`"):
        Optimizer(x, "lion").torch_state_dict()
    mixed = Optimizer([{"params": x[:1], "rule": "muon"}, {"params": x[1:], "rule": "adamw"}])
    with pytest.raises(BadValue, match="the groups are of torch's AdamW and Muon"):
        mixed.torch_state_dict()
