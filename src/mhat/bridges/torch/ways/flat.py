"""Tensors seen as numbers one after the other, as they lie in memory: what a step coordinate by coordinate can take.

It knows no rule and no way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch

from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.shards import is_sharded
from mhat.bridges.torch.ways.way import Knobs
from mhat.language.inference import SCALAR

Tensor = Any
# How many numbers a compiler is tried with.
FEW = 5
NO_NUMBERS = "meta tensors have no numbers"


def why_not_flat(tensors: Sequence[Tensor], states: Mapping[str, Sequence[Tensor]]) -> str:
    """Say why tensors are not numbers one after the other, in the same order as their states; nothing if they are."""
    for i, tensor in enumerate(tensors):
        if is_sharded(tensor):
            return "other processes have a part of the tensors"
        if not is_dense(tensor):
            return "tensors have gaps in memory"
        for homes in states.values():
            if homes[i].shape == tensor.shape and not _alike(homes[i], tensor):
                return "states lie otherwise than their tensors"
    return ""


class Stepper(Protocol):
    """What steps tensors that are handed over at each step."""

    def run(
        self, xs: Sequence[Tensor], gs: Sequence[Tensor | None], states: Mapping[str, Sequence[Tensor]],
        steps: Sequence[float], knobs: Knobs,
    ) -> None:  # fmt: skip
        """Step in place."""


def tried(stepper: Stepper, bucket: Bucket) -> str:
    """Let a stepper of one tensor of `FEW` numbers step once, so that its compiler has its say; what, if it fails.

    It is tried before it has a bucket: half a step could not be taken back.
    """
    x = torch.zeros(FEW, dtype=getattr(torch, bucket.form.x), device=bucket.device)
    states = {}
    for name, homes in bucket.states.items():
        alone = homes[0].device != x.device or bucket.rule.shapes[name] == SCALAR
        states[name] = [
            torch.zeros((), dtype=homes[0].dtype, device=homes[0].device) if alone else x.to(homes[0].dtype)
        ]
    try:
        with torch.no_grad():
            stepper.run([x], [torch.ones_like(x)], states, [1.0], bucket.rule.knobs)
            x.sum().item()
    # Compilers raise what they like.
    except Exception as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        return f"{type(error).__name__}: {first}"
    return ""


def is_dense(tensor: Tensor) -> bool:
    """Say whether a tensor has its numbers one after the other, in whatever order of its dimensions.

    >>> is_dense(torch.zeros(2, 3).T), is_dense(torch.zeros(4)[::2])
    (True, False)
    """
    expected = 1
    for stride, size in sorted((stride, size) for stride, size in zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1:
            if stride != expected:
                return False
            expected *= size
    return True


def laid_out(gradients: Sequence[Tensor | None], tensors: Sequence[Tensor]) -> list[Tensor | None]:
    """Give gradients that lie as their tensors do, and are of their dtype: copies of those that are not."""
    return [
        g if g is None or (_alike(g, x) and g.dtype == x.dtype) else torch.empty_like(x).copy_(g)
        for g, x in zip(gradients, tensors, strict=True)
    ]


def _alike(one: Tensor, other: Tensor) -> bool:
    return bool((one.is_contiguous() and other.is_contiguous()) or one.stride() == other.stride())
