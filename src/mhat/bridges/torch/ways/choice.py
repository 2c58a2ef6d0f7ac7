"""The way that a bucket is stepped: the first of the candidates that takes it. It steps nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.ways.compiled import by_compiler
from mhat.bridges.torch.ways.eager import by_operations
from mhat.bridges.torch.ways.kernel import by_kernel
from mhat.bridges.torch.ways.sharded import OwnParts, by_shards, own_parts
from mhat.bridges.torch.ways.triton import by_triton
from mhat.bridges.torch.ways.way import Way

# The quickest first. Each gives a way, or says in words why it cannot; nothing where it is not asked.
CANDIDATES: tuple[Callable[[Bucket], Way | str], ...] = (
    by_shards, by_kernel, by_triton, by_compiler, by_operations,
)  # fmt: skip


def choose_way(bucket: Bucket, candidates: Sequence[Callable[[Bucket], Way | str]] = CANDIDATES) -> Way:
    """Choose how a bucket is stepped; the last candidate takes every bucket, or raises BadValue."""
    parts = own_parts(bucket)
    if parts is not None:
        return OwnParts(bucket, choose_way(parts, candidates))
    refused: list[str] = []
    for candidate in candidates:
        made = candidate(bucket)
        if not isinstance(made, str):
            made.why = "; ".join(refused)
            return made
        refused += [made] if made else []
    raise AssertionError(f"no way takes {bucket.rule.name}: {refused}")
