"""Moments that fade into the subnormal range: what they cost a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.speed import kernels, ours
from benchmarks.speed.harness import Figure, Plan, made
from mhat.speed import peers
from mhat.speed.timing import duration, interleaved, ratio

Array = np.ndarray
SIZE = 1_000_000
# One gradient of 1e-18 leaves v = 1e-39 and m = 1e-19; 450 steps of zeros take m to 3e-40.
SEED_GRADIENT, FADING = 1e-18, 450
Stepping = Callable[[list[Array], list[Array]], Callable[[], object]]


def fading(plan: Plan) -> Iterator[Figure]:
    """Compare each with itself: the step with faded moments over the step with ordinary ones."""
    size = plan.size(SIZE)
    ways: dict[str, Stepping] = {
        "mhat": ours.stepping,
        "mhat keeping them": lambda params, grads: ours.stepping(params, grads, flush_denormals=False),
        "torch fused": lambda params, grads: peers.torch_step("adam", params, grads),
        "torch foreach": lambda params, grads: peers.torch_step("adam", params, grads, foreach=True),
        "numba by hand": lambda params, grads: kernels.numba_step(params[0], grads[0]),
    }
    for name, way in ways.items():
        runs, absent = made({"normal": lambda way=way: way(*ordinary(size)), "faded": lambda way=way: faded(way, size)})
        if absent:
            yield Figure("faded moments 1e6", name, "", "", "", None, "", next(iter(absent.values())))
            continue
        taken = interleaved(runs, repeats=plan.repeats, lasting=plan.lasting)
        found = ratio(taken["faded"], taken["normal"])
        normal, slow = (duration(taken[each].median) for each in ("normal", "faded"))
        yield Figure("faded moments 1e6", name, slow, normal, "faded / normal", found)


def ordinary(size: int) -> tuple[list[Array], list[Array]]:
    generator = np.random.default_rng(0)
    return [np.zeros(size, np.float32)], [generator.standard_normal(size, dtype=np.float32)]


def faded(way: Stepping, size: int) -> Callable[[], object]:
    """Step until both moments are subnormal, by gradients alone; the gradients stay zero."""
    gradient = np.full(size, SEED_GRADIENT, np.float32)
    run = way([np.zeros(size, np.float32)], [gradient])
    run()
    gradient[:] = 0
    for _ in range(FADING):
        run()
    return run
