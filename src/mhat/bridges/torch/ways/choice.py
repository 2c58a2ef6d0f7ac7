"""The way that a bucket is stepped: the first of the candidates that takes it. It steps nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.ways.compiled import by_compiler
from mhat.bridges.torch.ways.eager import by_operations
from mhat.bridges.torch.ways.kernel import by_kernel
from mhat.bridges.torch.ways.sharded import OwnParts, by_shards, own_parts
from mhat.bridges.torch.ways.triton import by_triton
from mhat.bridges.torch.ways.way import Way
from mhat.errors import BadValue

# The quickest first. Each gives a way, or says in words why it cannot; nothing where that is no news.
CANDIDATES: tuple[Callable[[Bucket], Way | str], ...] = (by_triton, by_compiler, by_kernel, by_operations)
# What a user may ask for by name.
ASKED: Mapping[str, Callable[[Bucket], Way | str]] = {
    "kernel": by_kernel, "triton": by_triton, "compiled": by_compiler, "eager": by_operations,
}  # fmt: skip


def choose_way(bucket: Bucket, candidates: Sequence[Callable[[Bucket], Way | str]] = CANDIDATES) -> Way:
    """Choose how a bucket is stepped: the last candidate takes every bucket, or raises BadValue.

    Raises BadValue too where the way that was asked for does not take it.
    """
    parts = own_parts(bucket)
    if parts is not None:
        return OwnParts(bucket, choose_way(parts, candidates))
    shared = by_shards(bucket)
    if shared is not None:
        return shared
    if bucket.options.way is not None:
        return _asked(bucket, bucket.options.way)
    refused: list[str] = []
    for candidate in candidates:
        made = candidate(bucket)
        if not isinstance(made, str):
            made.why = "; ".join(refused)
            return made
        refused += [made] if made else []
    raise AssertionError(f"no way takes {bucket.rule.name}: {refused}")


def _asked(bucket: Bucket, way: str) -> Way:
    made = ASKED[way](bucket)
    if isinstance(made, str):
        raise BadValue(
            f"{bucket.names[0]} is not stepped by way={way!r}: {made}", "Leave `way` out: `opt.ways` tells which it is."
        )
    made.why = "it was asked for"
    return made
