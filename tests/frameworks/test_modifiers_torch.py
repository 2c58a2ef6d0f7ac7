"""Modified rules against the real torch, in float64, over several tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.modifiers import clipped

torch = pytest.importorskip("torch")

SHAPES = ((3,), (2, 2), ())
RANDOM = np.random.default_rng(17)
# Lengths on both sides of the norm that is allowed.
GRADIENTS = [[10.0 ** RANDOM.uniform(-3, 2) * RANDOM.normal(size=shape) for shape in SHAPES] for _ in range(100)]


def torch_run(optimizer: Any, max_norm: float) -> list[Any]:
    parameters = [torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for shape in SHAPES]
    driven = optimizer(parameters)
    for gradients in GRADIENTS:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        torch.nn.utils.clip_grad_norm_(parameters, max_norm)
        driven.step()
    return [parameter.detach().numpy() for parameter in parameters]


@pytest.mark.parametrize("max_norm", [1.0, 0.05])
@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD", "Adagrad"])
def test_clipped_is_clip_grad_norm_and_the_step(name: str, max_norm: float) -> None:
    rule, x, state = clipped(rules.named(name.lower())), [np.zeros(shape) for shape in SHAPES], None
    knobs = {"lr": 0.01, "max_norm": max_norm}
    for t, gradients in enumerate(GRADIENTS, 1):
        x, state, _ = mhat.step(rule, x, [np.asarray(g) for g in gradients], t, state, **knobs)
    theirs = torch_run(lambda parameters: getattr(torch.optim, name)(parameters, lr=0.01), max_norm)
    for ours, other in zip(x, theirs, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-12, atol=1e-14)
