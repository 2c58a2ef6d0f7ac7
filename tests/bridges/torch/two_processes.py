"""One of two processes that hold tensors together over gloo: `python -m tests.bridges.torch.two_processes RANK FOLDER`.

Each case runs once over shards and once as one process would, and gives how far they are apart; a refusal gives its
text. Process 0 writes what all came to into FOLDER/found.json. It asserts nothing: `test_shards.py` does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor

from mhat import modifiers, rules
from mhat.bridges.torch.shards import check_shards, is_sharded
from mhat.bridges.torch.ways.sharded import ShardedStep
from mhat.errors import BadValue
from mhat.language import Rule, rule
from mhat.language.fit import matrix_of

STEPS = 3
SIZED = rule(
    "def sized(x, g, m='norm(x)', *, lr=0.1):\n"
    "    m = m + largest(g)\n"
    "    return x - lr * g * (m + mean(g)) / (size(g) + size(x, over='all'))"
)
NUMBERED = rule("def numbered(x, g, k, *, lr=0.1):\n    return x - lr * g / k")
RULES = {
    "adam": rules.adam, "lamb": rules.lamb, "clipped adam": modifiers.clipped(rules.adam), "fadam": rules.fadam,
    "nadam": rules.nadam, "prodigy": rules.prodigy, "sized": SIZED,
}  # fmt: skip
MATRIX_RULES = {
    "muon": rules.muon, "clipped muon": modifiers.clipped(rules.muon), "adafactor": rules.adafactor,
    "shampoo": rules.shampoo,
}  # fmt: skip


def main(rank: int, folder: Path) -> None:
    """Run all cases, and let process 0 write what they came to."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    found: dict[str, Any] = {}
    for name, own in (RULES | MATRIX_RULES).items():
        found[f"fsdp2 {name}"] = fsdp2(own, mesh, rank, matrices=name in MATRIX_RULES)
    found["moved"] = fsdp2(rules.lamb, mesh, rank, matrices=False, forget=True)
    for name in ("lamb", "clipped adam", "muon"):
        own = (RULES | MATRIX_RULES)[name]
        found[f"columns {name}"] = over_columns(own, mesh)
    found |= refusals(mesh)
    if rank == 0:
        (folder / "found.json").write_text(json.dumps(found))
    dist.barrier()
    dist.destroy_process_group()


def model() -> nn.Module:
    """Make a model with matrices of uneven rows, and a bias that one process has nothing of."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1))


def fsdp2(own: Rule, mesh: DeviceMesh, rank: int, *, matrices: bool, forget: bool = False) -> float:
    """Train over shards and as one process; how far the parameters are apart at the end.

    `forget`: without the processes' knowing of each other, to see that it is seen.
    """
    torch.manual_seed(1)
    batches = torch.randn(STEPS, 4, 4)
    one, many = model(), fully_shard(model(), mesh=mesh)
    mine = slice(2 * rank, 2 * rank + 2)
    ends = []
    for module, rows in ((one, slice(None)), (many, mine)):
        parameters = [p for p in module.parameters() if p.ndim == 2 or not matrices]
        stepper = Stepper(own, parameters)
        if forget:
            stepper.step_of._cuts = [type(cut)(cut.size) for cut in stepper.step_of._cuts]
        for batch in batches:
            module.zero_grad()
            module(batch[rows]).square().mean().backward()
            stepper.step([p.grad for p in parameters])
        ends.append([p.full_tensor() if is_sharded(p) else p for p in parameters])
    return apart(*ends)


def over_columns(own: Rule, mesh: DeviceMesh) -> float:
    """Step matrices of which one is cut along its columns, and one is everywhere."""
    torch.manual_seed(2)
    wholes, gradients = torch.randn(2, 3, 5), torch.randn(STEPS, 2, 3, 5)
    ways = ([Shard(1)], [Replicate()])
    one = [x.clone() for x in wholes]
    many = [distribute_tensor(x.clone(), mesh, way) for x, way in zip(wholes, ways, strict=True)]
    for xs, cut in ((one, False), (many, True)):
        stepper = Stepper(own, xs)
        for pair in gradients:
            gs = [distribute_tensor(g, mesh, way) for g, way in zip(pair, ways, strict=True)] if cut else list(pair)
            stepper.step(gs)
    return apart(one, [x.full_tensor() for x in many])


class Stepper:
    """Tensors with their states and their step number."""

    def __init__(self, own: Rule, xs: Sequence[torch.Tensor]) -> None:
        check_shards(own, xs, [f"tensor {i}" for i in range(len(xs))])
        self.rule, self.t = own, 0
        self.step_of = ShardedStep(own, torch.float64, xs, [float(k + 1) for k in range(len(xs))], float(len(xs)))
        self.states = {name: [self.state(name, x) for x in xs] for name in own.tree.state_names}

    def state(self, name: str, x: torch.Tensor) -> torch.Tensor:
        if name in self.rule.dependence.per_step_states:
            return torch.zeros(())
        shape = self.rule.shape_of(name, matrix_of(self.rule, tuple(x.shape)))
        return torch.zeros_like(x) if tuple(shape) == tuple(x.shape) else torch.zeros(shape)

    @torch.no_grad()
    def step(self, gs: Sequence[torch.Tensor | None]) -> None:
        self.t += 1
        places = range(len(gs))
        if self.t == 1:
            self.step_of.start(places, gs, self.states, self.rule.knobs)
        self.step_of.run(gs, self.states, [float(self.t) for _ in places], self.rule.knobs)


def apart(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> float:
    return max(float((a - b).detach().abs().max()) for a, b in zip(one, other, strict=True))


def refusals(mesh: DeviceMesh) -> dict[str, str]:
    """Ask for what cannot be told from a shard."""
    flat = FullyShardedDataParallel(model(), use_orig_params=True, device_id=torch.device("cpu"))
    parts = list(flat.parameters())
    summed = DTensor.from_local(torch.ones(3), mesh, [Partial()], run_check=False)
    alone = init_device_mesh("cpu", (2, 1), mesh_dim_names=("others", "own"))["own"]
    few = distribute_tensor(torch.ones(3), alone, [Shard(0)])
    return {
        "flat lamb": refused(lambda: check_shards(rules.lamb, parts, ["0.weight"] * len(parts))),
        "flat adam": refused(lambda: check_shards(rules.adam, parts, ["0.weight"] * len(parts))),
        "partial": refused(lambda: check_shards(rules.adam, [summed], ["bias"])),
        "few": refused(lambda: check_shards(rules.prodigy, [few], ["bias"])),
        "few adam": refused(lambda: check_shards(rules.adam, [few], ["bias"])),
        "zero lamb": refused(lambda: by_zero(rules.lamb)),
        "zero clipped": refused(lambda: by_zero(modifiers.clipped(rules.adam))),
        "zero numbered": refused(lambda: by_zero(NUMBERED)),
    }


def by_zero(own: Rule) -> None:
    """Let ZeroRedundancyOptimizer make an optimizer that looks at its shards."""
    # Torch warns of itself when this is imported, and the tests import this module.
    from torch.distributed.optim import ZeroRedundancyOptimizer

    class Looking(torch.optim.SGD):
        def __init__(self, parameters: Sequence[torch.Tensor], **options: Any) -> None:
            check_shards(own, list(parameters), ["weight"] * len(list(parameters)))
            super().__init__(parameters, **options)

    ZeroRedundancyOptimizer(model().parameters(), Looking, lr=0.1)


def refused(ask: Callable[[], None]) -> str:
    try:
        ask()
    except BadValue as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
