"""Optimizers of the real torch as subjects: every form of them is the same rule."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import laws, rules
from mhat.errors import BadValue, SubjectError, UnknownName
from mhat.language import Rule
from mhat.names import find_subject
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Subject

torch = pytest.importorskip("torch")

GRADIENTS = np.random.default_rng(11).normal(size=(60, 4)) * [1.0, 1e-3, 40.0, 1.0]
SHAPES: list[Any] = [GRADIENTS, GRADIENTS[:, 0], GRADIENTS.reshape(60, 2, 2)]


def here(named: Any, **more: Any) -> Subject:
    """Find a subject that runs in this process, where the framework is imported already."""
    return find_subject(named, in_process=True, **more)


def difference(subject: Any, rule: Rule, knobs: dict[str, float], start: float = 0.5) -> float:
    theirs = subject.run(SHAPES, start=start, knobs=knobs)
    ours = subject_of_rule(rule).run(SHAPES, start=start, knobs=knobs)
    return max(float(np.max(np.abs(a - b))) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("options", [{}, {"foreach": True}, {"foreach": False}, {"fused": True}], ids=str)
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_every_form_on_several_tensors(name: str, options: dict[str, Any]) -> None:
    rule = {"Adam": rules.adam, "AdamW": rules.adamw}[name]
    subject = here(f"torch.optim:{name}", against=rule, options=options)
    assert subject.name == f"torch.optim:{name}"
    assert (subject.several, subject.vectors, subject.starts, subject.tensors) == (True, True, True, None)
    assert subject.knobs == {"lr", "beta1", "beta2", "eps", "weight_decay"}
    assert {**subject.defaults, "weight_decay": 0.0} == {**rules.adam.knobs, "weight_decay": 0.0}
    assert difference(subject, rule, {"lr": 0.1, "beta1": 0.8, "eps": 1e-3}) < 1e-12


@pytest.mark.parametrize(
    ("name", "rule", "knobs"),
    [
        ("SGD", rules.sgd, {"lr": 0.1}), ("SGD", rules.momentum, {"lr": 0.1, "momentum": 0.8}),
        ("RMSprop", rules.rmsprop, {"lr": 0.1, "rho": 0.7}), ("Adadelta", rules.adadelta, {"rho": 0.7, "eps": 0.1}),
        ("Adagrad", rules.adagrad, {"lr": 0.1}), ("Adamax", rules.adamax, {"beta2": 0.9}),
        ("NAdam", rules.nadam, {"momentum_decay": 0.1}), ("RAdam", rules.radam, {"eps": 0.0, "lr": 0.1}),
    ],
)  # fmt: skip
def test_knobs_by_our_names(name: str, rule: Rule, knobs: dict[str, float]) -> None:
    assert difference(here(f"torch.optim:{name}", against=rule), rule, knobs) < 1e-12


def test_options_that_change_the_rule() -> None:
    subject = here("torch.optim:Adam", against=rules.amsgrad, options={"amsgrad": True, "lr": 0.1})
    assert subject.defaults["lr"] == 0.1
    assert difference(subject, rules.amsgrad, {"lr": 0.1, "beta2": 0.8}) < 1e-12
    climbing = here("torch.optim:SGD", options={"maximize": True, "lr": 1.0})
    assert climbing.run(np.ones(3)).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_smaller_types(dtype: str) -> None:
    subject = here("torch.optim:Adam", dtype=dtype, options={"eps": 1e-3})
    assert subject.dtype == dtype
    parameters = torch.tensor(subject.run(GRADIENTS))
    assert torch.equal(parameters, parameters.to(getattr(torch, dtype)).double())
    assert not torch.equal(parameters, torch.tensor(here("torch.optim:Adam").run(GRADIENTS)))


def test_the_default_type_of_torch_is_left_as_it_was() -> None:
    before = torch.get_default_dtype()
    here("torch.optim:NAdam").run(np.ones(3))
    with pytest.raises(SubjectError):
        here("torch.optim:SparseAdam").run(np.ones(3))
    assert torch.get_default_dtype() == before


class Mine(torch.optim.Optimizer):  # type: ignore[misc]
    def __init__(self, params: Any, alpha: float = 0.5) -> None:
        super().__init__(params, {"alpha": alpha})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["alpha"] * p.grad)


def test_an_optimizer_of_ones_own() -> None:
    subject = here(Mine)
    assert subject.knobs == {"lr"}
    assert subject.run(np.ones(3), knobs={"lr": 2.0}).tolist() == [-2.0, -4.0, -6.0]
    assert subject.source is not None
    assert "class Mine" in subject.source.text


def test_a_class_is_called_by_its_own_name_and_module() -> None:
    assert here(Mine).name == f"{__name__}:Mine"
    assert here(torch.optim.Adam).name == "torch.optim:Adam"


def test_what_goes_wrong_is_said() -> None:
    with pytest.raises(SubjectError) as caught:
        here("torch.optim:SparseAdam").run(np.ones(3))
    assert "SparseAdam does not support dense gradients" in caught.value.what
    with pytest.raises(SubjectError, match=r"`torch.optim:Adam` raised ValueError: Invalid beta parameter at index 0"):
        here("torch.optim:Adam").run(np.ones(3), knobs={"beta1": 2.0})
    with pytest.raises(UnknownName) as unknown:
        here("torch.optim:AdamW", options={"fussed": True})
    assert str(unknown.value) == "there is no option of torch.optim:AdamW `fussed`\nDid you mean `fused`?"
    with pytest.raises(BadValue, match=r"`torch.optim:Adam` does not run in int8"):
        here("torch.optim:Adam", dtype="int8")
    made = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])
    with pytest.raises(BadValue) as refused:
        here(made)
    assert str(refused.value) == "this Adam is already made, of parameters of its own\nGive the class: Adam."


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("options", [{"foreach": False}, {"foreach": True}], ids=["for-loop", "foreach"])
def test_a_right_adam_breaks_no_law_in_its_dtype(dtype: str, options: dict[str, Any]) -> None:
    subject = here("torch.optim:Adam", against=rules.adam, dtype=dtype, options=options)
    findings = laws.hold(
        subject.run, rules.adam, accepts=subject.knobs, free=subject.knobs, several=True, dtype=subject.dtype
    )
    # In float16 eps is zero, and so a gradient of zero is divided by it: of that law nothing can be said.
    assert {finding.name for finding in findings} >= {"constant gradient", "translation", "without memory"}
    assert ("zero gradient" in {finding.name for finding in findings}) == (dtype != "float16")
    assert [finding.counterexample for finding in findings if not finding.holds] == []


class OfMatrices(Mine):
    """Asks for train(), for a closure, and for matrices."""

    trained = False

    def train(self) -> None:
        self.trained = True

    def step(self, closure: Any) -> None:  # type: ignore[override]
        assert self.trained
        closure()
        for group in self.param_groups:
            for p in group["params"]:
                _, _ = p.shape
        super().step()


def test_what_an_optimizer_asks_for_besides_gradients_is_found_out_and_said() -> None:
    subject = here(OfMatrices)
    assert subject.notes == ("driven with matrices and with a closure that gives the gradients",)
    assert subject.run(np.ones((2, 3)), knobs={"lr": 2.0}).tolist() == [[-2.0] * 3, [-4.0] * 3]


class NoneIsZero(torch.optim.Optimizer):  # type: ignore[misc]
    """Momentum that goes on where a gradient is missing."""

    def __init__(self, params: Any, lr: float = 0.01, momentum: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                g = torch.zeros_like(p) if p.grad is None else p.grad
                state = self.state[p]
                state["v"] = g.clone() if "v" not in state else group["momentum"] * state["v"] + g
                p.sub_(group["lr"] * state["v"])


def test_a_tensor_without_a_gradient_is_to_wait() -> None:
    verdict = mhat.check(NoneIsZero, "momentum")
    assert not verdict.conforms
    (law,) = verdict.broken
    assert law.name == "missing gradient"
    assert law.counterexample is not None
    assert re.fullmatch(
        r"tensor 2 is at \S+ where \S+ is expected, after the gradients \[.*, None\]", law.counterexample
    )
    assert "NoneIsZero deviates from momentum" in str(verdict)
    assert "no mistake that mhat knows" not in str(verdict)


def test_named_by_text_it_runs_in_a_process_of_its_own() -> None:
    apart, ours = find_subject("torch.optim:Adam", against=rules.adam), here("torch.optim:Adam", against=rules.adam)
    assert (apart.knobs, apart.defaults, apart.several) == (ours.knobs, ours.defaults, ours.several)
    assert apart.source == ours.source
    told: dict[str, float] = {"lr": 0.1, "beta1": 0.8}
    for mine, theirs in zip(ours.run(SHAPES, 0.5, told), apart.run(SHAPES, 0.5, told), strict=True):
        assert np.array_equal(mine, theirs)


class ByLoss(torch.optim.Optimizer):  # type: ignore[misc]
    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, {"lr": lr})

    def step(self, closure: Any) -> None:
        loss = float(closure())
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad, alpha=-group["lr"] * loss)


def test_what_goes_by_the_value_of_the_loss_is_refused() -> None:
    """Guards against a rule that stands still, read where the loss is always 0."""
    with pytest.raises(SubjectError, match="takes its steps by the value of the loss, and a stream") as raised:
        mhat.read(ByLoss)
    assert str(raised.value.cure).startswith("Put run(gradients) around it whose closure gives the loss that you mean")
