"""Tensors that several processes hold together: how they are cut, and which rules can step them so.

A rule per coordinate steps every shard alone; a reduction is of the whole tensor (`sharded_program`); a matrix is
gathered, stepped in every process, and each keeps its own shard. What cannot be told from a shard is refused. It knows
no optimizer.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import torch.distributed as dist

from mhat.bridges.torch.sharded_program import Cut
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.shards import Need, on_a_shard, sight_of

Tensor = Any
# FSDP of the first kind marks the parts of its flat parameter with this.
FLATTENED = "_fsdp_flattened"
WHOLE_INSTEAD = "Shard the model with torch.distributed.fsdp.fully_shard, or take a rule that steps every shard alone."


def is_sharded(tensor: Any) -> bool:
    """Say whether a tensor is held by several processes together: a DTensor."""
    module = sys.modules.get("torch.distributed.tensor")
    # Whoever has a DTensor has loaded the module.
    return module is not None and isinstance(tensor, module.DTensor)


def local(tensor: Tensor) -> Tensor:
    """Give the numbers that this process has of a tensor, to be read and written."""
    return tensor.to_local() if is_sharded(tensor) else tensor


def laid_out_as(tensor: Tensor, like: Tensor) -> Tensor:
    """Give a gradient cut as its parameter is; partial sums of processes are added."""
    if is_sharded(tensor) and tensor.placements != like.placements:
        return tensor.redistribute(placements=like.placements)
    return tensor


def gathered(tensor: Tensor) -> Tensor:
    """Give the whole of a tensor in every process."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor


def write_whole(home: Tensor, value: Tensor) -> None:
    """Write into each process's part of a tensor what belongs there of a whole that every process has."""
    if not is_sharded(home):
        home.copy_(value.reshape(home.shape))
        return
    from torch.distributed.tensor import DTensor, Replicate

    mesh = home.device_mesh
    whole = DTensor.from_local(value.reshape(home.shape), mesh, [Replicate()] * mesh.ndim, run_check=False)
    local(home).copy_(whole.redistribute(placements=home.placements).to_local())


def cut_of(tensor: Tensor) -> Cut:
    """Find how a tensor is cut."""
    if not is_sharded(tensor):
        return Cut(tensor.numel())
    mesh, placements = tensor.device_mesh, tensor.placements
    groups = tuple(mesh.get_group(i) for i, placement in enumerate(placements) if not placement.is_replicate())
    return Cut(math.prod(tensor.shape), groups)


def check_shards(rule: Rule, tensors: Sequence[Tensor], names: Iterable[str]) -> None:
    """Refuse what would be stepped wrongly for being seen in part; raises BadValue.

    `names`: how the tensors are called in messages.
    """
    sight = sight_of(rule)
    if rule.tree.given and any(map(is_sharded, tensors)):
        raise BadValue(
            f"{rule.name} reads `{rule.tree.given[0]}`, which every process has one of its own of, and the tensors are "
            "held by several together",
            "Take a rule that reads gradients alone.",
        )
    for tensor, name in zip(tensors, names, strict=True):
        if is_sharded(tensor) and any(placement.is_partial() for placement in tensor.placements):
            raise BadValue(
                f"{name} is a DTensor of partial sums",
                "Redistribute it: a parameter is sharded, or the same everywhere.",
            )
        if getattr(tensor, FLATTENED, False) and (sight.need != Need.NOTHING or sight.sizes):
            needs = on_a_shard(rule) if sight.need != Need.NOTHING else f"the `{sight.sizes[0]}` of the whole tensor"
            raise BadValue(
                f"{name} is a piece of a flat parameter of FullyShardedDataParallel, and {rule.name} needs {needs}",
                WHOLE_INSTEAD,
            )
    if not sight.everything and not sight.place:
        return
    reads = f"over all tensors: {', '.join(sight.everything)}" if sight.everything else f"`{sight.place[0]}`"
    if _in_zero():
        raise BadValue(
            f"ZeroRedundancyOptimizer gives every process some of the parameters, and {rule.name} reads {reads}",
            WHOLE_INSTEAD,
        )
    _check_mesh(rule, reads, tensors)


def _check_mesh(rule: Rule, reads: str, tensors: Sequence[Tensor]) -> None:
    """Refuse a mesh of some processes only: the others may hold tensors that nobody here sees."""
    meshes = [tensor.device_mesh for tensor in tensors if is_sharded(tensor)]
    for mesh in meshes:
        if mesh.size() < dist.get_world_size():
            raise BadValue(
                f"parameters are on {mesh.size()} of {dist.get_world_size()} processes, and {rule.name} reads {reads}: "
                "others may have tensors too",
                "Take a mesh of all processes, or a rule that looks at one tensor at a time.",
            )


def _in_zero() -> bool:
    """Whether an optimizer is being made by ZeroRedundancyOptimizer, which does not say so."""
    module = sys.modules.get("torch.distributed.optim.zero_redundancy_optimizer")
    if module is None:
        return False
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if isinstance(frame.f_locals.get("self"), module.ZeroRedundancyOptimizer):
            return True
        frame = frame.f_back
    return False
