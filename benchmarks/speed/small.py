"""Many small tensors: what a step costs apart from its arithmetic, everything included."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from benchmarks.speed import ours
from benchmarks.speed.harness import Aim, Figure, Make, Plan, at_least, compared
from mhat.speed.timing import Run

LENGTH = 64
SETS = 4
SAME, FRESH = at_least(100), at_least(5)


def tensors(number: int) -> Callable[[Plan], Iterator[Figure]]:
    """Give the work of so many tensors: the same gradient arrays at every step, fresh ones, and the arena."""

    def work(plan: Plan) -> Iterator[Figure]:
        some = plan.size(number)
        params = drawn(some, 0)
        sets = [drawn(some, seed) for seed in range(1, SETS + 1)]
        label = f"{number:,} tensors of {LENGTH}"
        torch_same = {"torch fused": lambda: torch_step(params, sets[:1])}
        for way, make, peers_made, aim in (
            ("same arrays", lambda: ours.stepping(params, sets[0]), torch_same, SAME),
            ("fresh arrays", lambda: fresh(params, sets), {"torch fused": lambda: torch_step(params, sets)}, FRESH),
            ("arena", lambda: arena(params, sets[0]), torch_same, SAME),
        ):
            yield from measured(f"{label}, {way}", make, peers_made, aim, plan)

    return work


def measured(label: str, make: Make, others: dict[str, Make], aim: Aim, plan: Plan) -> Iterator[Figure]:
    makers: dict[str, Make] = {"mhat": make, **others}
    yield from compared(label, makers, plan, {"torch fused": aim})


def drawn(number: int, seed: int) -> list[np.ndarray]:
    """Draw arrays each with memory of its own."""
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(LENGTH, dtype=np.float32) for _ in range(number)]


def fresh(params: list[np.ndarray], sets: list[list[np.ndarray]]) -> Run:
    """Give a step whose gradients are other arrays, in another list, than those of the step before."""
    optimizer = ours.made(params)
    turn = 0

    def run() -> None:
        nonlocal turn
        turn += 1
        optimizer.step(list(sets[turn % len(sets)]))

    return run


def arena(params: list[np.ndarray], grads: list[np.ndarray]) -> Run:
    """Give a step on gradients that were written into the views of the optimizer."""
    optimizer = ours.made(params)
    for view, grad in zip(optimizer.gradients, grads, strict=True):
        view[...] = grad
    return lambda: optimizer.step()


def torch_step(params: list[np.ndarray], sets: list[list[np.ndarray]]) -> Run:
    """Give torch's fused step; with several sets each step has gradients of another one, as tensors already."""
    leaves = [torch.nn.Parameter(torch.from_numpy(param).clone()) for param in params]
    given = [[torch.from_numpy(grad) for grad in some] for some in sets]
    optimizer = torch.optim.Adam(leaves, fused=True)
    turn = 0

    def set_gradients() -> None:
        for leaf, grad in zip(leaves, given[turn % len(given)], strict=True):
            leaf.grad = grad

    set_gradients()
    if len(sets) == 1:
        return lambda: optimizer.step()

    def run() -> None:
        nonlocal turn
        turn += 1
        set_gradients()
        optimizer.step()

    return run
