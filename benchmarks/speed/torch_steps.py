"""A rule as an optimizer of torch against torch's own: steps alone, and whole training steps, on the processor.

Each step is taken in turn with those of the others, each on parameters of its own, so that none finds its memory in the
caches; what makes the gradients beforehand is not timed with a step alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.speed.harness import NOT_SLOWER, Aim, Figure, Plan, at_least, figures, reason
from benchmarks.speed.shapes import resnet18
from mhat.bridges.torch import Optimizer
from mhat.speed.peers import RATE
from mhat.speed.timing import Run, Timing

NUMBER, LENGTH, TURNS, TRAININGS = 1000, 64, 25, 15
Making = Callable[[list[nn.Parameter]], Run]


@dataclass(frozen=True)
class Pair:
    """What makes the gradients, and the step."""

    prepare: Run
    run: Run


def compiled(params: list[nn.Parameter]) -> Run:
    step = torch.compile(torch.optim.Adam(params, lr=RATE, foreach=True).step)
    return lambda: step()


def own(**ways: bool) -> Making:
    return lambda params: torch.optim.Adam(params, lr=RATE, **ways).step


WAYS: dict[str, Making] = {
    "mhat": lambda params: Optimizer(params, rule="adam", lr=RATE).step,
    "torch fused": own(fused=True),
    "torch foreach": own(foreach=True),
    "torch for-loop": own(foreach=False),
    "torch compiled": compiled,
}
# A thousand tensors take the compiler minutes.
UNCOMPILED = {name: way for name, way in WAYS.items() if way is not compiled}


def small(*, kept: bool) -> Callable[[Plan], Iterator[Figure]]:
    """Give the work of many small tensors: gradients that backward makes anew, or that stay and are written into."""

    def work(plan: Plan) -> Iterator[Figure]:
        count = plan.size(NUMBER)
        aim = at_least(30) if kept else at_least(8)
        label = f"torch, {count:,} of {LENGTH}, gradients {'kept' if kept else 'fresh'}"

        def pair(way: Making) -> Pair:
            params = drawn([(LENGTH,)] * count)
            weights = torch.randn(LENGTH)
            return Pair(lambda: backward(params, weights, kept=kept), way(params))

        yield from in_turn(label, UNCOMPILED, pair, plan, {"torch fused": aim}, TURNS)

    return work


def resnet18_shapes(plan: Plan) -> Iterator[Figure]:
    """Step the tensors of ResNet-18 with gradients of their own."""
    shapes = resnet18() if plan.shrink == 1 else [(64, 3, 7, 7), (64,)]

    def pair(way: Making) -> Pair:
        params = drawn(shapes)
        for param in params:
            param.grad = torch.randn_like(param)
        return Pair(lambda: None, way(params))

    yield from in_turn("torch, ResNet-18", WAYS, pair, plan, dict.fromkeys(WAYS, NOT_SLOWER), TURNS)


def training(plan: Plan) -> Iterator[Figure]:
    """Train a small transformer: the step alone, and all of a training step."""
    for label, whole in (("torch, transformer, the step", False), ("torch, transformer, all of it", True)):
        yield from in_turn(
            label, WAYS, transformer(plan, whole=whole), plan, dict.fromkeys(WAYS, NOT_SLOWER), TRAININGS
        )


def transformer(plan: Plan, *, whole: bool) -> Callable[[Making], Pair]:
    width, layers = (256, 4) if plan.shrink == 1 else (16, 1)

    def pair(way: Making) -> Pair:
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True)
        model = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        x = torch.randn(4, 32, width)
        step = way(list(model.parameters()))

        def gradients() -> None:
            model.zero_grad()
            torch.autograd.backward((model(x) ** 2).mean())

        def trained() -> None:
            gradients()
            step()

        return Pair(lambda: None, trained) if whole else Pair(gradients, step)

    return pair


def drawn(shapes: Sequence[tuple[int, ...]]) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def backward(params: list[nn.Parameter], weights: Tensor, *, kept: bool) -> None:
    for param in params:
        if not kept:
            param.grad = None
        elif param.grad is not None:
            param.grad.zero_()
    torch.autograd.backward(torch.stack([(param * weights).sum() for param in params]).sum())


def in_turn(
    work: str,
    ways: Mapping[str, Making],
    pair: Callable[[Making], Pair],
    plan: Plan,
    aims: Mapping[str, Aim],
    turns: int,
) -> Iterator[Figure]:
    """Time one step of each in turn, and compare each with ours; one that cannot be made is said."""
    pairs: dict[str, Pair] = {}
    absent: dict[str, str] = {}
    for name, way in ways.items():
        try:
            pairs[name] = pair(way)
            # Compilers have compiled after some.
            for _ in range(3):
                pairs[name].prepare()
                pairs[name].run()
        # A peer that cannot do this is no reason to measure nothing.
        except Exception as error:
            absent[name] = reason(error)
            pairs.pop(name, None)
    taken: dict[str, list[float]] = {name: [] for name in pairs}
    for _ in range(turns if plan.shrink == 1 else plan.repeats):
        for name, each in pairs.items():
            each.prepare()
            start = time.perf_counter()
            each.run()
            taken[name].append(time.perf_counter() - start)
    yield from figures(work, {name: Timing(tuple(seconds)) for name, seconds in taken.items()}, plan.ours, aims)
    for name, why in absent.items():
        yield Figure(work, name, "", "", "", None, str(aims.get(name, "")), why)
