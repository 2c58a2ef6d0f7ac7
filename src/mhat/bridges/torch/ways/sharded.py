"""A bucket of tensors that other processes have parts of. It knows no rule by name.

OwnParts   every process steps its own parts, in whatever way is quickest
Sharded    with what all processes have: whole sums, whole matrices
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.shards import is_sharded, laid_out_as, local
from mhat.bridges.torch.ways.way import Knobs, Way
from mhat.errors import BadValue
from mhat.language.shards import Need, sight_of

Tensor = Any


def by_shards(bucket: Bucket) -> Sharded | None:
    """Take a bucket of which other processes have parts; None for all others."""
    return Sharded(bucket) if any(map(is_sharded, bucket.parameters)) else None


def own_parts(bucket: Bucket) -> Bucket | None:
    """Give the bucket of this process's own parts, where every shard steps alone; else None."""
    sight = sight_of(bucket.rule)
    if sight.need != Need.NOTHING or sight.sizes or not any(map(is_sharded, bucket.parameters)):
        return None
    return replace(
        bucket,
        parameters=[local(each.detach()) for each in bucket.parameters],
        tensors=[local(each) for each in bucket.tensors],
        states={name: [local(each) for each in states] for name, states in bucket.states.items()},
        lost=[local(each) for each in bucket.lost],
    )


class OwnParts:
    """Steps the parts of this process; `inner` is the way that it steps them."""

    def __init__(self, bucket: Bucket, inner: Way) -> None:
        self.bucket, self.inner = bucket, inner
        self.name, self.why = inner.name, inner.why

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Knobs) -> None:
        """Step in place; see `Way.step`."""
        tensors = self.bucket.tensors
        own = [g if g is None else local(laid_out_as(g, x)) for g, x in zip(gradients, tensors, strict=True)]
        self.inner.step(own, steps, knobs)


class Sharded:
    """Steps all tensors of a bucket with what all processes have of them."""

    name = "sharded"

    def __init__(self, bucket: Bucket) -> None:
        if bucket.form.rounding != "nearest":
            raise BadValue(
                f"{bucket.rule.name} looks at whole tensors, which other processes have parts of, and is rounded to "
                f"the nearest there, not {bucket.form.rounding}",
                "Leave `rounding` out.",
            )
        self.why = ""
        self.bucket = bucket

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Knobs) -> None:
        """Step in place; see `Way.step`."""
        self.bucket.shards.run(gradients, self.bucket.states, steps, knobs)
