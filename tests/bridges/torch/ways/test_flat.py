"""Tensors that lie in memory in an order of their own are stepped there, and those with gaps are not."""

from __future__ import annotations

import pytest
import torch

from mhat import rules
from mhat.bridges.torch.ways.compiled import CompiledStep
from mhat.bridges.torch.ways.flat import is_dense, laid_out, why_not_flat
from tests.bridges.torch.ways.whole_steps import CPU, form_of


@pytest.mark.parametrize(
    ("tensor", "dense"),
    [
        (torch.zeros(2, 3), True),
        (torch.zeros(2, 3).T, True),
        (torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last), True),
        (torch.zeros(1, 3)[:, :1], True),
        (torch.zeros(()), True),
        (torch.zeros(0, 4), True),
        (torch.zeros(4)[::2], False),
        (torch.zeros(4, 4)[:, :2], False),
        (torch.zeros(1).expand(3), False),
    ],
)
def test_gaps_are_seen(tensor: torch.Tensor, dense: bool) -> None:
    assert is_dense(tensor) is dense
    assert why_not_flat([tensor], {}) == ("" if dense else "tensors have gaps in memory")


def test_states_that_lie_otherwise_are_seen() -> None:
    x = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert why_not_flat([x], {"m": [torch.zeros_like(x)], "scale": [torch.zeros(())]}) == ""
    assert why_not_flat([x], {"m": [torch.zeros(2, 3, 4, 5)]}) == "states lie otherwise than their tensors"


def test_gradients_are_copied_only_where_they_lie_otherwise() -> None:
    x = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
    alike, other, wide = torch.randn_like(x), torch.randn(2, 3, 4, 5), torch.randn_like(x, dtype=torch.float64)
    same, moved, narrowed, none = laid_out([alike, other, wide, None], [x, x, x, x])
    assert same is alike and none is None
    assert moved is not None and moved.stride() == x.stride() and torch.equal(moved, other)
    assert narrowed is not None and narrowed.dtype == torch.float32


def test_channels_last_steps_each_number_by_its_own_gradient() -> None:
    momentum = rules.named("momentum")
    x = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
    g, states = torch.randn(2, 3, 4, 5), {name: [torch.zeros_like(x)] for name in momentum.tree.state_names}
    step = CompiledStep(momentum, form_of(momentum, "float32"), [120], [1.0], 1.0, CPU, backend="eager")
    step.run([x], laid_out([g], [x]), states, [1.0], momentum.knobs)
    assert torch.equal(x, -momentum.knobs["lr"] * g)
