"""A rule's step where tensors are cut into shards: every reduction is of the whole tensor. It knows no optimizer.

Each process computes its own part of a sum; the parts are gathered and folded in the order of the ranks, so that all
processes go on with the same bits. All tensors send their part of one reduction together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from mhat.engines.array_operations import blocked_sum, greatest_of
from mhat.engines.arrays import Arrays
from mhat.engines.program import PEERS, REDUCTIONS, Environment, Operand, Program
from mhat.language.definition import Rule
from mhat.language.tree import Operation

# Where an environment keeps its `Cut`, and what was reduced for it together with its peers; no name of a rule.
CUT, REDUCED = "@cut", "@reduced"


@dataclass(frozen=True)
class Cut:
    """How a tensor is cut. `size`: how many numbers the whole has; `groups`: of processes that each hold a part."""

    size: int
    groups: tuple[dist.ProcessGroup, ...] = ()


class ShardedProgram(Program):
    """The program of a rule per coordinate or per tensor over parts of tensors; environments carry their `CUT`.

    Every process must take the same steps with the same tensors, or those that do wait for the others.
    """

    def __init__(self, rule: Rule, arithmetic: Arrays) -> None:
        self._arrays = arithmetic
        super().__init__(rule, arithmetic)

    def starts(self, environments: Sequence[Environment]) -> list[dict[str, Operand]]:
        """Compute the states before step 1, of all tensors at once."""
        _prepare(environments)
        return super().starts(environments)

    def step(self, environments: Sequence[Environment]) -> list[Operand]:
        """Run one step, all tensors in lockstep."""
        _prepare(environments)
        return super().step(environments)

    def _tensor_operation(self, node: Operation, arguments: list[Callable[..., Any]]) -> Callable[..., Any]:
        if node.op not in REDUCTIONS:
            return super()._tensor_operation(node, arguments)
        (argument,), key = arguments, object()

        def reduced(environment: Environment) -> Operand:
            known = environment[REDUCED]
            if key not in known:
                peers = environment[PEERS]
                parts = self._over_each(node.op, peers, [argument(peer) for peer in peers])
                for peer, value in zip(peers, self._finished(node, parts), strict=True):
                    peer[REDUCED][key] = value
            return known[key]

        return reduced

    def _over_each(self, op: str, peers: Sequence[Environment], values: Sequence[Any]) -> list[tuple[Any, int]]:
        """Give of each whole tensor what its parts come to, before the last operation, and how many numbers it has."""
        tensors = [torch.as_tensor(value, dtype=self._arrays.dtype, device=self._arrays.device) for value in values]
        # A number of the tensor is the same in all processes, and is not a part of anything.
        cuts = [
            peer[CUT] if value.ndim == peer["x"].ndim else Cut(value.numel())
            for peer, value in zip(peers, tensors, strict=True)
        ]
        parts = [self._part(op, value) for value in tensors]
        for groups in dict.fromkeys(cut.groups for cut in cuts):
            places = [i for i, cut in enumerate(cuts) if cut.groups == groups]
            # A size is known beforehand.
            if groups and op != "size":
                whole = self._gathered(op, torch.stack([parts[i] for i in places]), groups)
                for i, total in zip(places, whole.unbind(), strict=True):
                    parts[i] = total
        return [(part, cut.size) for part, cut in zip(parts, cuts, strict=True)]

    def _part(self, op: str, value: torch.Tensor) -> torch.Tensor:
        line = value.reshape(-1)
        if op == "largest":
            return greatest_of(self._arrays.xp, line)
        # An empty shard has nothing to add.
        return self._folded(op, line * line if op == "norm" else line)

    def _folded(self, op: str, line: torch.Tensor) -> torch.Tensor:
        fold = greatest_of if op == "largest" else blocked_sum
        return fold(self._arrays.xp, line)

    def _gathered(self, op: str, own: torch.Tensor, groups: Sequence[dist.ProcessGroup]) -> torch.Tensor:
        """Fold what all processes have, one dimension of their mesh after the other, in the order of ranks."""
        for group in groups:
            all_of_them = [torch.empty_like(own) for _ in range(dist.get_world_size(group))]
            dist.all_gather(all_of_them, own.contiguous(), group=group)
            own = self._folded(op, torch.stack(all_of_them, dim=-1))
        return own

    def _finished(self, node: Operation, parts: Sequence[tuple[torch.Tensor, int]]) -> list[torch.Tensor]:
        """Give each tensor its reduction, or all of them that of all."""
        if node.over != "all":
            return [self._last(node.op, part, size) for part, size in parts]
        total = self._folded(node.op, torch.stack([part for part, _ in parts]))
        return [self._last(node.op, total, sum(size for _, size in parts))] * len(parts)

    def _last(self, op: str, total: torch.Tensor, size: int) -> torch.Tensor:
        if op == "size":
            return self._arrays.enter(float(size))
        if op == "norm":
            return total.sqrt()
        return total / self._arrays.enter(float(size)) if op == "mean" else total


def _prepare(environments: Sequence[Environment]) -> None:
    for environment in environments:
        environment[REDUCED] = {}
