"""What cannot be: each message names what was typed, where, and a cure. And what is not refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import mhat
from mhat.bridges.torch import Optimizer
from mhat.errors import BadValue, LanguageError, UnknownName
from tests.bridges.torch.models import driven, gradients, parameters, same, stepped

MATRIX = """
Give it another rule: Optimizer([{"params": matrices, "rule": "muon"}, {"params": rest, "rule": "adamw"}]).
""".strip()


@pytest.mark.parametrize(("given", "error", "what", "cure"), [
    ({"rule": "adam", "lrr": 0.1}, UnknownName, "there is no knob of adam `lrr`", "Did you mean `lr`?"),
    ({"rule": "adam", "learning_rate": 0.1}, UnknownName, "there is no knob of adam `learning_rate`", "lr"),
    ({"rule": "adam", "lr": -1.0}, BadValue, "lr=-1.0 is out of its range (learning rate: the size of a step)",
     "Choose lr with 0 <= lr."),
    ({"rule": "adam", "lr": "fast"}, BadValue, "lr='fast' is not a number", "Give lr a number"),
    ({"rule": "adam", "betas": 0.9}, BadValue, "betas=0.9 is not 2 numbers, and adam has beta1 and beta2",
     "Give betas=(0.9, 0.999), say."),
    ({"rule": "adam", "betas": (0.9, 0.99), "beta1": 0.8}, BadValue, "beta1 is given twice, also in betas=(0.9, 0.99)",
     "Give it once."),
    ({"rule": "sgd", "betas": (0.9, 0.99)}, BadValue, "sgd has no betas", "Leave them out."),
    ({"rule": "adam", "weight_decay": 0.1}, BadValue, "adam has no weight_decay, and weight_decay=0.1 asks for it",
     "Give a rule that has: decoupled_decay(adam) (mhat.modifiers.decoupled_decay)."),
    ({"rule": "adam", "differentiable": True}, BadValue, "differentiable=True: steps are taken in place",
     "Use optax for that: mhat.bridges.optax.transformation(rule)."),
    ({"rule": "adam", "fused": True}, BadValue, "`fused` is torch's way to say how a step is computed",
     "Leave it out: see opt.ways."),
    ({"rule": "adam", "amp_scaling": 1}, BadValue, "amp_scaling=1 is neither True nor False", "Give one of them"),
    ({"rule": "adam", "missing": "drop"}, UnknownName, "there is no choice of `missing` `drop`", ""),
    ({"rule": "adom"}, UnknownName, "adom", "adam"),
    ({}, BadValue, "there is no rule for a group", 'Give Optimizer(params, rule="adam"), or each group its "rule".'),
    ({"rule": "def f(x, g): return x - foo(g)"}, LanguageError, "there is no function `foo`", "The functions are"),
    ({"rule": "muon"}, BadValue, "muon is a rule per matrix, and param_groups[0]['params'][1] has the shape (4,)",
     MATRIX),
])  # fmt: skip
def test_what_the_constructor_refuses(given: dict[str, Any], error: Any, what: str, cure: str) -> None:
    with pytest.raises(error) as refused:
        Optimizer(parameters((3, 2), (4,)), **given)
    assert what in str(refused.value)
    assert cure in str(refused.value)


def test_names_of_parameters_are_in_messages() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2))
    with pytest.raises(BadValue, match=r"muon is a rule per matrix, and 0.bias has the shape"):
        Optimizer(model.named_parameters(), "muon")


def test_a_kernel_of_a_convolution_is_refused_or_flattened_as_the_rule_says() -> None:
    body = "def f(x, g, *, lr=0.1): return x - lr * orthogonal(g)"
    with pytest.raises(BadValue, match=r"f is a rule per matrix, and .* has the shape \(2, 3, 2, 2\)") as refused:
        Optimizer(parameters((2, 3, 2, 2)), body)
    assert 'flatten="first"' in refused.value.cure
    flat = f'@rule(flatten="first")\n{body}'
    one, other = parameters((2, 3, 2, 2)), parameters((2, 12))
    other[0].data = one[0].detach().reshape(2, 12).clone()
    course = gradients(one, 2)
    moved = driven(Optimizer(one, flat), one, course)
    reshaped = driven(Optimizer(other, body), other, [[g.reshape(2, 12) for g in step] for step in course])
    assert same([moved[0].reshape(2, 12)], reshaped)


def test_what_a_group_refuses() -> None:
    x, y = parameters((3,), (2,))
    with pytest.raises(UnknownName, match="there is no knob of adam `bata1`"):
        Optimizer([{"params": [x], "bata1": 0.3}], "adam")
    with pytest.raises(BadValue, match=r"param_groups\[1\]\['params'\]\[1\] is param_groups\[0\]\['params'\]\[0\] too"):
        Optimizer([{"params": [x]}, {"params": [y, x]}], "adam")
    with pytest.raises(
        BadValue, match=r"param_groups\[0\]\['params'\]\[1\] is .*\[0\] too, and would be stepped twice"
    ):
        Optimizer([x, x], "adam")
    with pytest.raises(BadValue, match="tied is head too, and would be stepped twice"):
        Optimizer([("head", x), ("tied", x)], "adam")
    with pytest.raises(UnknownName, match="there is no knob of muon or adamw `rho`"):
        groups = [{"params": parameters((3, 2)), "rule": "muon"}, {"params": [x], "rule": "adamw"}]
        Optimizer(groups, rho=0.1)
    opt = Optimizer([x], "adam")
    for group, what in (({"params": [x]}, "is param_groups.0...params...0. too"), ({"params": [y], "epss": 1}, "epss")):
        with pytest.raises((BadValue, UnknownName), match=what):
            opt.add_param_group(group)
    with pytest.raises(BadValue, match="muon is a rule per matrix"):
        opt.add_param_group({"params": [y], "rule": "muon"})
    assert len(opt.param_groups) == 1
    driven(opt, [x], gradients([x], 1))
    with pytest.raises(BadValue, match=r"lr=-1.0 is out of its range"):
        opt.param_groups[0]["lr"] = -1
    with pytest.raises(BadValue, match="the rule of a group cannot be changed: it is adam"):
        opt.param_groups[0]["rule"] = mhat.rules.lion
    assert opt.param_groups[0]["lr"] == 1e-3


def test_what_torch_refuses_stays_refused() -> None:
    x = parameters((3,))
    with pytest.raises(TypeError, match="params argument given to the optimizer should be an iterable"):
        Optimizer(x[0], "adam")
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        Optimizer([], "adam")
    with pytest.raises(TypeError, match="optimizer can only optimize Tensors"):
        Optimizer([1.0], "adam")
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        Optimizer([x[0] * 2], "adam")
    with pytest.raises(TypeError, match="ordered collections"):
        Optimizer([{"params": {x[0]}}], "adam")
    with pytest.raises(TypeError, match="param_group must be a dict"):
        Optimizer(x, "adam").add_param_group([x])  # type: ignore[arg-type]


def test_groups_for_every_trainer_may_say_that_nothing_decays() -> None:
    opt = Optimizer([{"params": parameters(), "weight_decay": 0.0}], "adam")
    assert opt.param_groups[0]["weight_decay"] == 0.0


def test_sparse_gradients_are_refused_with_the_cure_named() -> None:
    embedding = torch.nn.Embedding(5, 2, sparse=True)
    opt = Optimizer(embedding.parameters(), "adam")
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(BadValue, match=r"the gradient of .* is sparse, and a step wants every row") as refused:
        opt.step()
    assert "lazy(adam)" in refused.value.cure
    dense = torch.nn.Embedding(5, 2)
    lazy = Optimizer(dense.parameters(), mhat.modifiers.lazy(mhat.rules.adam))
    before = dense.weight.detach().clone()
    dense(torch.tensor([1])).sum().backward()
    lazy.step()
    assert (dense.weight != before).any(dim=1).tolist() == [False, True, False, False, False]


@pytest.mark.parametrize(("rule", "dtype", "what"), [
    ("adam", torch.int64, "is torch.int64"),
    ("lamb", torch.complex64, "lamb is a rule per tensor, and .* is torch.complex64"),
    ("muon", torch.complex64, "muon is a rule per matrix, and .* is torch.complex64"),
])  # fmt: skip
def test_kinds_of_numbers_that_cannot_be_stepped(rule: str, dtype: Any, what: str) -> None:
    x = torch.zeros(3, 2, dtype=dtype)
    opt_of = [torch.nn.Parameter(x)] if dtype.is_complex else [x]
    if not dtype.is_complex:
        x.requires_grad_(False)
        x.grad = torch.zeros_like(x)
    with pytest.raises(BadValue, match=what):
        Optimizer(opt_of, rule)


def test_gradients_that_are_not_numbers_are_followed_as_the_rule_says() -> None:
    opt, x = stepped("adam", holders=parameters((3,)))
    driven(opt, x, [[torch.tensor([float("nan"), 1.0, float("inf")])]])
    assert x[0].isnan().tolist() == [True, False, True]


def test_a_model_that_was_converted_is_refused_by_name() -> None:
    model = torch.nn.Linear(3, 2)
    opt = Optimizer(model.named_parameters(), "adam")
    model.to(torch.float64)
    model(torch.ones(1, 3, dtype=torch.float64)).sum().backward()
    with pytest.raises(BadValue, match=r"weight is (torch.)?float64") as refused:
        opt.step()
    assert "make another optimizer" in refused.value.cure.lower()
