"""The step: one large tensor, the tensors of models, moments of half the bytes, clipping, a second pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import ml_dtypes
import numpy as np
import torch

import mhat
from benchmarks.speed import kernels, limits, ours
from benchmarks.speed.harness import NOT_SLOWER, Aim, Figure, Make, Plan, at_least, compared
from benchmarks.speed.shapes import count, gpt2, resnet50
from mhat.speed import peers
from mhat.speed.limits import moves
from mhat.speed.timing import Run

Array = np.ndarray
LIMIT = at_least(0.9)
OPTAX = at_least(1.6)


def drawn(shapes: Sequence[tuple[int, ...]], seed: int = 0) -> list[Array]:
    """Draw arrays of shapes, standard normal, float32."""
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(shape, dtype=np.float32) for shape in shapes]


def candidates(params: list[Array], grads: list[Array]) -> dict[str, Make]:
    """Give all that can step Adam; what is written by hand steps one array of the same length."""
    size = sum(param.size for param in params)
    flat = np.concatenate([grad.reshape(-1) for grad in grads])

    def torch_way(**ways: bool) -> Make:
        return lambda: peers.torch_step("adam", params, grads, **ways)

    return {
        "mhat": lambda: ours.stepping(params, grads),
        "limit": lambda: moves(flat.copy(), flat, [flat.copy(), flat.copy()]),
        "numba by hand": lambda: kernels.numba_step(np.zeros(size, np.float32), flat),
        "numba dividing": lambda: kernels.numba_step(np.zeros(size, np.float32), flat, divide=True),
        "C by hand": lambda: kernels.c_step(np.zeros(size, np.float32), flat),
        "torch fused": torch_way(fused=True),
        "optax": lambda: peers.optax_step("adam", params, grads),
        "torch foreach": torch_way(foreach=True),
        "torch for-loop": torch_way(foreach=False),
        "torch compiled": lambda: compiled_step(params, grads),
        "Keras": lambda: peers.keras_step("adam", params, grads),
        "numpy in place": lambda: kernels.numpy_step(np.zeros(size, np.float32), flat),
    }


def compiled_step(params: list[Array], grads: list[Array]) -> Run:
    """Give torch's step under `torch.compile`; it needs a C++ compiler."""
    leaves = [torch.nn.Parameter(torch.from_numpy(param).clone()) for param in params]
    for leaf, grad in zip(leaves, grads, strict=True):
        leaf.grad = torch.from_numpy(grad)
    optimizer = torch.optim.Adam(leaves, foreach=True)
    compiled = torch.compile(optimizer.step, fullgraph=False)
    return lambda: compiled()


def step_of(size: int, fused: Aim, *, main: bool = False) -> object:
    """Give the work of one tensor; `main` leaves out the peers that would ask for too much memory or time."""

    def work(plan: Plan) -> Iterator[Figure]:
        params, grads = (drawn([(plan.size(size),)], seed) for seed in (0, 1))
        found = candidates(params, grads)
        if main:
            found = {name: found[name] for name in list(found)[: list(found).index("torch foreach")]}
        aims = {"limit": LIMIT, "torch fused": fused, "optax": OPTAX}
        yield from compared(f"step {size:.0e}".replace("+0", ""), found, plan, aims)

    return work


def step_resnet50(plan: Plan) -> Iterator[Figure]:
    shapes = resnet50() if plan.shrink == 1 else [(64, 3, 7, 7), (64,)]
    params, grads = (drawn(shapes, seed) for seed in (0, 1))
    aims = {"torch fused": NOT_SLOWER, "optax": OPTAX}
    yield from compared(f"step ResNet-50, {count(shapes):,}", candidates(params, grads), plan, aims)


def step_gpt2(plan: Plan) -> Iterator[Figure]:
    shapes = gpt2() if plan.shrink == 1 else gpt2(layers=1, width=8, words=50, context=8)
    params, grads = (drawn(shapes, seed) for seed in (0, 1))
    found = candidates(params, grads)
    # At this size they would ask for too much memory and time, and tell nothing that ResNet-50 does not.
    for name in ("torch for-loop", "torch compiled", "Keras", "numpy in place", "numba dividing"):
        del found[name]
    aims = {"torch fused": NOT_SLOWER, "optax": OPTAX, "torch foreach": at_least(4)}
    yield from compared(f"step GPT-2, {count(shapes):,}", found, plan, aims)


def bfloat16_moments(plan: Plan) -> Iterator[Figure]:
    """Compare a step whose moments are bfloat16 with our own in float32: the peer is the latter."""
    params, grads = (drawn([(plan.size(50_000_000),)], seed) for seed in (0, 1))
    makers: dict[str, Make] = {
        "mhat": lambda: ours.stepping(params, grads, state_dtype="bfloat16"),
        "mhat float32": lambda: ours.stepping(params, grads),
        "mhat stochastic": lambda: ours.stepping(params, grads, state_dtype="bfloat16", rounding="stochastic"),
        "limit": lambda: half_limit(params[0].copy(), grads[0]),
    }
    yield from compared("bfloat16 moments 5e7", makers, plan, {"mhat float32": at_least(1.15)})


def half_limit(x: Array, g: Array) -> Run:
    """Move x and g of four bytes and two states of two."""
    return moves(x, g, [g.astype(ml_dtypes.bfloat16) for _ in range(2)])


def clipping(plan: Plan) -> Iterator[Figure]:
    params, grads = (drawn([(plan.size(10_000_000),)], seed) for seed in (0, 1))

    def torch_clipped() -> Run:
        leaves = [torch.nn.Parameter(torch.from_numpy(param).clone()) for param in params]
        for leaf, grad in zip(leaves, grads, strict=True):
            # A copy: torch clips it in place.
            leaf.grad = torch.from_numpy(grad.copy())
        optimizer = torch.optim.Adam(leaves, fused=True)

        def run() -> None:
            torch.nn.utils.clip_grad_norm_(leaves, 1.0)
            optimizer.step()

        return run

    makers: dict[str, Make] = {
        "mhat": lambda: ours.stepping(params, grads, mhat.modifiers.clipped(mhat.rules.adam), max_norm=1.0),
        "torch clip + fused": torch_clipped,
    }
    yield from compared("clipped step 1e7", makers, plan, {"torch clip + fused": at_least(1.3)})


def lamb(plan: Plan) -> Iterator[Figure]:
    params, grads = (drawn([(plan.size(10_000_000),)], seed) for seed in (0, 1))
    makers: dict[str, Make] = {
        "mhat": lambda: ours.stepping(params, grads, "lamb"),
        "limit of two passes": lambda: limits.two_passes(params[0].copy(), grads[0]),
        "optax": lambda: peers.optax_step("lamb", params, grads),
    }
    yield from compared("LAMB step 1e7", makers, plan, {"limit of two passes": LIMIT})
