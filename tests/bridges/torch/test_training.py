"""Training through the bridge: the losses of torch's own Adam, checkpoints in the middle, out and in."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch

from mhat.bridges.torch import Optimizer, optimizer_class
from tests.bridges.torch.models import learned, network, same

ADAM = {"lr": 1e-2, "betas": (0.9, 0.99)}


@pytest.fixture
def doubles() -> Any:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch.float64
    torch.set_default_dtype(before)


def test_the_digits_are_learned_with_the_losses_of_torchs_own_adam(doubles: Any) -> None:
    ours, theirs = network(doubles), network(doubles)
    a = learned(ours, Optimizer(ours.parameters(), "adam", **ADAM), range(60))
    b = learned(theirs, torch.optim.Adam(theirs.parameters(), **ADAM), range(60))
    assert a[-1] < a[0] / 3
    assert max(abs(one - other) for one, other in zip(a, b, strict=True)) < 1e-12


def test_the_digits_are_learned_in_float32_to_its_rounding() -> None:
    ours, theirs = network(), network()
    a = learned(ours, Optimizer(ours.parameters(), "adamw", lr=1e-2), range(40))
    b = learned(theirs, torch.optim.AdamW(theirs.parameters(), lr=1e-2), range(40))
    assert max(abs(one - other) for one, other in zip(a, b, strict=True)) < 1e-4


def test_training_goes_on_exactly_from_a_checkpoint() -> None:
    model = network()
    opt = optimizer_class("adamw")(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=40)
    learned(model, opt, range(20), schedule)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "opt": opt.state_dict(), "schedule": schedule.state_dict()}, file)
    whole = learned(model, opt, range(20, 40), schedule)

    file.seek(0)
    saved = torch.load(file, weights_only=True)
    again = network()
    again.load_state_dict(saved["model"])
    other = optimizer_class("adamw")(again.parameters())
    lr = torch.optim.lr_scheduler.CosineAnnealingLR(other, T_max=40)
    lr.load_state_dict(saved["schedule"])
    other.load_state_dict(saved["opt"])
    assert learned(again, other, range(20, 40), lr) == whole
    assert same(model.parameters(), again.parameters())


def test_a_checkpoint_of_torchs_adamw_at_step_50_goes_on_in_ours_and_back(doubles: Any) -> None:
    model = network(doubles)
    theirs = torch.optim.AdamW(model.parameters(), lr=1e-2)
    learned(model, theirs, range(50))
    other, state = copy.deepcopy(model), copy.deepcopy(theirs.state_dict())
    whole = learned(model, theirs, range(50, 90))

    ours = Optimizer.resume(other.parameters(), rule="adamw", state=state)
    assert ours.param_groups[0]["lr"] == 1e-2
    middle = learned(other, ours, range(50, 70))
    back = torch.optim.AdamW(other.parameters(), lr=7.0)
    back.load_state_dict(ours.torch_state_dict())
    assert back.state_dict()["param_groups"] == theirs.state_dict()["param_groups"]
    end = learned(other, back, range(70, 90))
    assert max(abs(one - other) for one, other in zip(whole, middle + end, strict=True)) < 1e-12


def test_one_cycle_drives_both_spellings(doubles: Any) -> None:
    ours, theirs = network(doubles), network(doubles)
    losses = []
    for model, opt in (
        (ours, Optimizer(ours.parameters(), "adam")), (theirs, torch.optim.Adam(theirs.parameters())),
    ):  # fmt: skip
        cycle = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=31)
        losses.append(learned(model, opt, range(30), cycle))
        assert opt.param_groups[0]["betas"][0] == pytest.approx(0.95)
    assert max(abs(one - other) for one, other in zip(*losses, strict=True)) < 1e-12
