"""One of two processes that hold tensors together over gloo: `python -m tests.bridges.torch.two_processes RANK FOLDER`.

Each case runs once over shards and once as one process would, and gives how far they are apart; a refusal gives its
text. Process 0 writes what all came to into FOLDER/found.json. It asserts nothing: `test_shards.py` does.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor

from mhat import modifiers, rules
from mhat.bridges.torch import Optimizer, optimizer_class
from mhat.bridges.torch.shards import check_shards, is_sharded
from mhat.errors import BadValue
from mhat.language import Rule, rule

STEPS = 3
SAVED = [("adam", False), ("adam", True), ("lamb", True), ("nadam", False)]
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
    for name in ("adam", "lamb", "clipped adam"):
        found[f"ddp {name}"] = by_ddp(RULES[name], rank)
    for name in ("adam", "lamb"):
        found[f"zero {name}"] = by_zero(RULES[name], rank)
    found |= refusals(mesh)
    for name, flat in SAVED:
        save(RULES[name], mesh, rank, folder / f"{name} {flat}", flat=flat)
    dist.barrier()
    dist.destroy_process_group()
    if rank == 0:
        for name, flat in SAVED:
            found[f"resumed {name} {flat}"] = resumed(RULES[name], folder / f"{name} {flat}", flat=flat)
        found["resumed forgetful"] = resumed(RULES["adam"], folder / "adam True", flat=True, forget=True)
        (folder / "found.json").write_text(json.dumps(found))


def save(own: Rule, mesh: DeviceMesh, rank: int, folder: Path, *, flat: bool) -> None:
    """Train over shards, save in the middle, and note where it ends."""
    module = fully_shard(model(), mesh=mesh)
    opt = Optimizer(module.parameters(), rule=own, **plainly(own))
    batches = torch.randn(STEPS, 4, 4, generator=torch.Generator().manual_seed(3))[:, 2 * rank : 2 * rank + 2]
    train(module, opt, batches[:2])
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    parts, states = get_state_dict(module, opt, options=options)
    dcp.save({"model": parts, "optimizer": states}, checkpoint_id=folder)
    train(module, opt, batches[2:])
    ends = [parameter.full_tensor() for parameter in module.parameters()]
    if rank == 0:
        torch.save(ends, folder / "ends.pt")


def resumed(own: Rule, folder: Path, *, flat: bool, forget: bool = False) -> float:
    """Go on alone from what two processes saved; how far it ends from where they did. `forget`: from no states."""
    module = model()
    opt = Optimizer(module.parameters(), rule=own, **plainly(own))
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    parts, states = get_state_dict(module, opt, options=options)
    # It says that it loads in one process.
    warnings.filterwarnings("ignore", message="torch.distributed is disabled")
    dcp.load({"model": parts, "optimizer": states}, checkpoint_id=folder, no_dist=True)
    if forget:
        # What was loaded lies in the other one's states.
        opt = Optimizer(module.parameters(), rule=own, **plainly(own))
    else:
        set_state_dict(module, opt, model_state_dict=parts, optim_state_dict=states, options=options)
    train(module, opt, torch.randn(STEPS, 4, 4, generator=torch.Generator().manual_seed(3))[2:])
    return apart(list(module.parameters()), torch.load(folder / "ends.pt"))


def plainly(own: Rule) -> dict[str, Any]:
    """Ask for lines as they are written, and but for Adam for no kernel, which takes seconds to compile."""
    return {"as_written": True} if own is rules.adam else {"as_written": True, "way": "eager"}


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
        opt = Optimizer(parameters, rule=own, **plainly(own))
        if forget and module is many:
            steps = opt._lines[0][0].shards
            steps._cuts = [type(cut)(cut.size) for cut in steps._cuts]
        train(module, opt, batches[:, rows])
        ends.append([p.full_tensor() if is_sharded(p) else p for p in parameters])
    return apart(*ends)


def train(module: nn.Module, opt: torch.optim.Optimizer, batches: torch.Tensor) -> None:
    for batch in batches:
        opt.zero_grad()
        module(batch).square().mean().backward()
        opt.step()


def over_columns(own: Rule, mesh: DeviceMesh) -> float:
    """Step matrices of which one is cut along its columns, and one is everywhere."""
    torch.manual_seed(2)
    wholes, gradients = torch.randn(2, 3, 5), torch.randn(STEPS, 2, 3, 5)
    ways = ([Shard(1)], [Replicate()])
    one = [x.clone() for x in wholes]
    many = [distribute_tensor(x.clone(), mesh, way) for x, way in zip(wholes, ways, strict=True)]
    for xs, cut in ((one, False), (many, True)):
        opt = Optimizer([nn.Parameter(x) for x in xs], rule=own, **plainly(own))
        for pair in gradients:
            for x, g, way in zip(opt.param_groups[0]["params"], pair, ways, strict=True):
                x.grad = distribute_tensor(g, mesh, way) if cut else g
            opt.step()
    return apart(one, [x.full_tensor() for x in many])


def apart(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> float:
    """Give how far apart tensors are; infinitely, where some have not moved from where a model begins."""
    still = any(a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, model().parameters(), strict=False))
    return float("inf") if still else max(float((a - b).detach().abs().max()) for a, b in zip(one, other, strict=True))


def refusals(mesh: DeviceMesh) -> dict[str, Any]:
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
        "plain gradient": refused(lambda: with_a_plain_gradient(mesh)),
        "ways": [
            [name for name, _ in Optimizer(fully_shard(model(), mesh=mesh).parameters(), rule=own).ways]
            for own in (rules.adam, rules.lamb)
        ],
        "zero clipped": refused(lambda: by_zero(modifiers.clipped(rules.adam), 0)),
        "zero numbered": refused(lambda: by_zero(NUMBERED, 0)),
        "loss": refused(lambda: check_shards(rules.polyak, [few], ["bias"])),
    }


def with_a_plain_gradient(mesh: DeviceMesh) -> None:
    x = nn.Parameter(distribute_tensor(torch.ones(4), mesh, [Shard(0)]))
    opt = Optimizer([("weight", x)], rule=rules.adam, way="eager")
    opt._lines[0][0].check([torch.ones(4)])


def by_ddp(own: Rule, rank: int) -> float:
    """Train with the same parameters in both processes, the gradients averaged; how far it is from one process."""
    torch.manual_seed(1)
    batches = torch.randn(STEPS, 4, 4)
    one, many = model(), nn.parallel.DistributedDataParallel(model())
    for module, rows in ((one, slice(None)), (many, slice(2 * rank, 2 * rank + 2))):
        train(module, Optimizer(module.parameters(), rule=own, **plainly(own)), batches[:, rows])
    return apart(list(one.parameters()), list(many.parameters()))


def by_zero(own: Rule, rank: int) -> float:
    """Let ZeroRedundancyOptimizer step whole tensors, each in one process; how far it is from one process."""
    # Torch warns of itself when this is imported, and the tests import this module.
    from torch.distributed.optim import ZeroRedundancyOptimizer

    torch.manual_seed(1)
    batches = torch.randn(STEPS, 4, 4)
    one, many = model(), nn.parallel.DistributedDataParallel(model())
    train(one, Optimizer(one.parameters(), rule=own, **plainly(own)), batches)
    zero = ZeroRedundancyOptimizer(many.parameters(), optimizer_class(own), **plainly(own))
    train(many, zero, batches[:, 2 * rank : 2 * rank + 2])
    return apart(list(one.parameters()), list(many.parameters()))


def refused(ask: Callable[[], object]) -> str:
    try:
        ask()
    except BadValue as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
