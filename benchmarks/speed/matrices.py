"""Rules per matrix on shapes of GPT-2, against the algorithms as their authors wrote them in PyTorch, in our own words.

Eigenvectors and QR are wanted every tenth step; ten steps are timed together, so that each has its share of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

import mhat
from benchmarks.speed.harness import NOT_SLOWER, Figure, Make, Plan, compared
from mhat.speed.timing import Run

WIDTH = 768
EVERY = 10
LAYER = ((1, 3), (1, 1), (1, 4), (4, 1))
SQUARE = ((1, 1),)
# Newton and Schulz's iteration with the coefficients of Jordan 2024.
FIRST, SECOND, THIRD = 3.4445, -4.7750, 2.0315
Step = Callable[[list[Tensor], list[Tensor], int], None]


def muon(plan: Plan) -> Iterator[Figure]:
    """Step the four matrices of a layer: ours in float32; the authors' in bfloat16, as theirs is, and in float32."""
    arrays = drawn(LAYER, plan)
    makers: dict[str, Make] = {
        "mhat": lambda: ours("muon", arrays, 1),
        "Muon in float32": lambda: theirs(Muon(torch.float32), arrays, 1),
        "Muon in bfloat16": lambda: theirs(Muon(torch.bfloat16), arrays, 1),
        "torch.optim.Muon": lambda: torch_muon(arrays),
    }
    yield from compared("Muon, a layer", makers, plan, {"Muon in float32": NOT_SLOWER})


def soap(plan: Plan) -> Iterator[Figure]:
    arrays = drawn(SQUARE, plan)
    makers: dict[str, Make] = {
        "mhat": lambda: ours("soap", arrays, EVERY, every=EVERY),
        "SOAP in torch": lambda: theirs(Soap(), arrays, EVERY),
        "mhat, bases never": lambda: ours("soap", arrays, EVERY, every=10**9),
    }
    yield from compared("SOAP, a matrix", makers, plan, {"SOAP in torch": NOT_SLOWER}, per=EVERY)


def shampoo(plan: Plan) -> Iterator[Figure]:
    arrays = drawn(SQUARE, plan)
    makers: dict[str, Make] = {
        "mhat": lambda: ours("shampoo", arrays, EVERY, every=EVERY),
        "Shampoo in torch": lambda: theirs(Shampoo(), arrays, EVERY),
        "mhat, roots never": lambda: ours("shampoo", arrays, EVERY, every=10**9),
    }
    yield from compared("Shampoo, a matrix", makers, plan, {"Shampoo in torch": NOT_SLOWER}, per=EVERY)


def drawn(shapes: Sequence[tuple[int, int]], plan: Plan) -> list[np.ndarray]:
    """Draw matrices whose sides are these multiples of the width."""
    generator, width = np.random.default_rng(0), WIDTH if plan.shrink == 1 else 8
    return [generator.standard_normal((a * width, b * width), dtype=np.float32) for a, b in shapes]


def ours(rule: str, arrays: list[np.ndarray], steps: int, **knobs: float) -> Run:
    """Give some steps of mhat; the gradients are the parameters' beginnings."""
    optimizer = mhat.Optimizer(rule, [array.copy() for array in arrays], **knobs)

    def run() -> None:
        for _ in range(steps):
            optimizer.step(arrays)

    return run


def theirs(step: Step, arrays: list[np.ndarray], steps: int) -> Run:
    """Give some steps on tensors."""
    xs, gs = ([torch.from_numpy(array.copy()) for array in arrays] for _ in range(2))
    count = 0

    @torch.no_grad()
    def run() -> None:
        nonlocal count
        for _ in range(steps):
            count += 1
            step(xs, gs, count)

    return run


def torch_muon(arrays: list[np.ndarray]) -> Run:
    leaves = [torch.nn.Parameter(torch.from_numpy(array.copy())) for array in arrays]
    for leaf, array in zip(leaves, arrays, strict=True):
        leaf.grad = torch.from_numpy(array.copy())
    optimizer = torch.optim.Muon(leaves)
    return lambda: optimizer.step()


class Muon:
    """Jordan et al. 2024: Nesterov's momentum, then five rounds on the smaller side, in a dtype of choice."""

    def __init__(self, dtype: torch.dtype, lr: float = 0.02, momentum: float = 0.95) -> None:
        self.dtype, self.lr, self.momentum = dtype, lr, momentum
        self.buffers: dict[int, Tensor] = {}

    def __call__(self, xs: list[Tensor], gs: list[Tensor], t: int) -> None:
        for i, (x, g) in enumerate(zip(xs, gs, strict=True)):
            buffer = self.buffers.setdefault(i, torch.zeros_like(g))
            buffer.lerp_(g, 1 - self.momentum)
            update = self.orthogonal(g.lerp(buffer, self.momentum))
            x.add_(update.to(x.dtype), alpha=-self.lr * max(1, x.shape[0] / x.shape[1]) ** 0.5)

    def orthogonal(self, g: Tensor) -> Tensor:
        u = g.to(self.dtype)
        u = u.mT if g.shape[0] > g.shape[1] else u
        u = u / (u.norm() + 1e-7)
        for _ in range(5):
            square = u @ u.mT
            u = FIRST * u + (SECOND * square + THIRD * square @ square) @ u
        return u.mT if g.shape[0] > g.shape[1] else u


class Soap:
    """Vyas et al. 2024: Adam in slowly turning eigenbases; a power iteration and a QR every so many steps."""

    def __init__(self, lr: float = 3e-3, beta1: float = 0.95, beta2: float = 0.95, decay: float = 0.01) -> None:
        self.lr, self.beta1, self.beta2, self.decay = lr, beta1, beta2, decay
        self.held: dict[int, list[Tensor]] = {}

    def __call__(self, xs: list[Tensor], gs: list[Tensor], t: int) -> None:
        for i, (x, g) in enumerate(zip(xs, gs, strict=True)):
            if i not in self.held:
                left, right = (1 - self.beta2) * g @ g.mT, (1 - self.beta2) * g.mT @ g
                bases = [torch.linalg.eigh(each)[1].flip(1) for each in (left, right)]
                self.held[i] = [torch.zeros_like(g), torch.zeros_like(g), left, right, *bases]
                continue
            self.step(i, x, g, t - 1)

    def step(self, i: int, x: Tensor, g: Tensor, s: int) -> None:
        m, v, left, right, ql, qr = self.held[i]
        rotated = ql.mT @ g @ qr
        m.lerp_(rotated, 1 - self.beta1)
        v.mul_(self.beta2).addcmul_(rotated, rotated, value=1 - self.beta2)
        rate = self.lr * (1 - self.beta2**s) ** 0.5 / (1 - self.beta1**s)
        x.add_(ql @ (m / (v.sqrt() + 1e-8)) @ qr.mT, alpha=-rate)
        x.mul_(1 - self.lr * self.decay)
        left.lerp_(g @ g.mT, 1 - self.beta2)
        right.lerp_(g.mT @ g, 1 - self.beta2)
        if s % EVERY == 0:
            kept = ql @ m @ qr.mT
            self.held[i][4:] = ql, qr = torch.linalg.qr(left @ ql)[0], torch.linalg.qr(right @ qr)[0]
            self.held[i][0] = ql.mT @ kept @ qr


class Shampoo:
    """Gupta et al. 2018, Algorithm 1: both statistics summed, their roots renewed every so many steps."""

    def __init__(self, lr: float = 0.1, eps: float = 1e-4) -> None:
        self.lr, self.eps = lr, eps
        self.held: dict[int, list[Tensor]] = {}

    def __call__(self, xs: list[Tensor], gs: list[Tensor], t: int) -> None:
        for i, (x, g) in enumerate(zip(xs, gs, strict=True)):
            sides = [torch.eye(n) * self.eps for n in g.shape] if i not in self.held else self.held[i][:2]
            left, right = sides
            left.addmm_(g, g.mT)
            right.addmm_(g.mT, g)
            roots = self.held[i][2:] if (t - 1) % EVERY else [self.root(each) for each in sides]
            self.held[i] = [*sides, *roots]
            x.sub_(roots[0] @ g @ roots[1], alpha=self.lr)

    def root(self, statistics: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(statistics)
        return vectors * values.clamp(min=self.eps).pow(-0.25) @ vectors.mT
