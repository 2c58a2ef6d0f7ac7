"""Tensors seen as numbers one after the other, as they lie in memory: what a step coordinate by coordinate can take.

It knows no rule and no way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mhat.bridges.torch.shards import is_sharded

Tensor = Any
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
