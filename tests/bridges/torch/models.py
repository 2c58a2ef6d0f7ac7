"""Small models to train, and steps of them, for the tests of the bridge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mhat
from mhat.bridges.torch import Optimizer

Tensor = Any
# One of each kind: plain, of several states, of a number a step, of a reduction, of two starts from x, of a matrix.
KINDS = ("sgd", "adamw", "nadam", "lamb", "schedule_free", "muon")
# What runs on vectors.
VECTORS = KINDS[:-1]


def parameters(*shapes: tuple[int, ...], dtype: Any = torch.float32, seed: int = 0) -> list[Any]:
    """Make parameters with the same numbers every time."""
    chance = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(shape, generator=chance, dtype=torch.float64) for shape in shapes or ((3, 2), (4, 3))]
    return [torch.nn.Parameter(each.to(dtype)) for each in drawn]


def gradients(holders: Iterable[Tensor], steps: int, seed: int = 1) -> list[list[Tensor]]:
    """Draw gradients of some parameters, a list a step."""
    holders = list(holders)
    chance = torch.Generator().manual_seed(seed)
    return [
        [torch.randn(p.shape, generator=chance, dtype=torch.float64).to(p.dtype) for p in holders] for _ in range(steps)
    ]


def driven(opt: Any, holders: Sequence[Tensor], course: Iterable[Sequence[Tensor | None]]) -> list[Tensor]:
    """Step parameters along given gradients; copies of them at the end."""
    for step in course:
        for parameter, gradient in zip(holders, step, strict=True):
            parameter.grad = None if gradient is None else gradient.clone()
        opt.step()
    return [p.detach().clone() for p in holders]


def stepped(rule: Any, steps: int = 3, holders: Any = None, **given: Any) -> tuple[Any, list[Any]]:
    """Make an optimizer, take some steps, and give it with its parameters."""
    holders = parameters() if holders is None else holders
    opt = Optimizer(holders, rule, **given)
    driven(opt, holders, gradients(holders, steps))
    return opt, holders


def same(one: Iterable[Tensor], other: Iterable[Tensor]) -> bool:
    """Whether tensors are equal, bit for bit."""
    return all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


def network(dtype: Any = torch.float32) -> Any:
    """Make a network for the digits, with the same weights every time."""
    chance = torch.Generator().manual_seed(3)
    made = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10)).to(dtype)
    with torch.no_grad():
        for p in made.parameters():
            p.copy_(torch.randn(p.shape, generator=chance, dtype=torch.float64) / 8)
    return made


def learned(model: Any, opt: Any, steps: Iterable[int], schedule: Any = None) -> list[float]:
    """Learn the digits for some steps, each with its own batch; the losses."""
    with np.load(Path(mhat.__file__).parent / "trials" / "digits.npz") as file:
        dtype = next(model.parameters()).dtype
        images, labels = torch.tensor(file["images"] / 16.0).to(dtype), torch.tensor(file["labels"]).long()
    losses = []
    # So small a network is slower on several threads, and much slower beside other work.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for i in steps:
        batch = np.random.default_rng(i).integers(0, len(labels), 64)
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images[batch].reshape(64, -1)), labels[batch])
        loss.backward()
        opt.step()
        if schedule is not None:
            schedule.step()
        losses.append(float(loss.detach()))
    torch.set_num_threads(threads)
    return losses
