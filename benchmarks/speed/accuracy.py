"""How exact a float32 step is after 10,000 noisy ones, in ulps of the ratio, against double precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.speed import kernels
from benchmarks.speed.harness import Aim, Figure, Plan, at_most, reason
from mhat.speed.timing import Ratio, Run

Array = np.ndarray
COORDINATES, STEPS = 1000, 10_000
RATE = kernels.LR
MEDIAN, HIGH = at_most(3), at_most(20)
# Each gives a step on the one parameter and gradient it is given, and what reads the parameter and sets it to zero.
Driven = tuple[Run, Callable[[], Array], Callable[[], None]]


def errors(plan: Plan) -> Iterator[Figure]:
    """Give the median and the 99th percentile of the error of each."""
    steps = max(STEPS // plan.shrink, 20)
    exact = reference(steps)
    for name, drive in WAYS.items():
        try:
            found = driven(drive, steps)
        except Exception as error:
            yield Figure("accuracy, ulps", name, "", "", "", None, "", reason(error))
            continue
        ulps = distance(found, exact, np.abs(exact))
        # Where signs cancel in m the ratio is near 0 and its own ulps are tiny: the same in ulps of a usual ratio.
        usual = distance(found, exact, np.full(COORDINATES, np.sqrt(np.mean(exact**2))))
        for part, values, value, aim in (
            ("median", ulps, np.median(ulps), MEDIAN),
            ("p99", ulps, np.percentile(ulps, 99), HIGH),
            ("p99, of a usual ratio", usual, np.percentile(usual, 99), None),
        ):
            mine = aim if name == plan.ours else None
            yield of(name, part, float(value), float(values.min()), float(values.max()), mine)


def distance(found: Array, exact: Array, size: Array) -> Array:
    """Give the errors in float32 ulps of numbers of a size."""
    return np.abs(found.astype(float) - exact) / np.spacing(size.astype(np.float32)).astype(float)


def of(name: str, part: str, value: float, low: float, high: float, aim: Aim | None) -> Figure:
    outcome = "" if aim is None else ("yes" if value <= aim.bound else "no")
    return Figure("accuracy, ulps", name, "", "", part, Ratio(value, low, high), str(aim or ""), outcome)


def gradients(steps: int) -> Iterator[Array]:
    """Draw the gradients of every step."""
    generator = np.random.default_rng(7)
    for _ in range(steps):
        yield generator.standard_normal(COORDINATES, dtype=np.float32)


def reference(steps: int) -> Array:
    """Give the ratio of the last step in double precision, with the averages as the exact knobs make them."""
    m, v = np.zeros(COORDINATES), np.zeros(COORDINATES)
    for g in gradients(steps):
        wide = g.astype(float)
        m += (1 - kernels.BETA1) * (wide - m)
        v += (1 - kernels.BETA2) * (wide * wide - v)
    first, second = kernels.corrections(steps)
    return m / first / (np.sqrt(v / second) + kernels.EPS)


def driven(drive: Callable[[Array, Array], Driven], steps: int) -> Array:
    """Give the ratio that the last step of an implementation implies."""
    x, g = np.zeros(COORDINATES, np.float32), np.zeros(COORDINATES, np.float32)
    run, read, clear = drive(x, g)
    for step, gradient in enumerate(gradients(steps), 1):
        g[:] = gradient
        if step == steps:
            clear()
        run()
    return -read() / np.float32(RATE)


def _ours(x: Array, g: Array, **options: object) -> Driven:
    import mhat

    optimizer = mhat.Optimizer(mhat.rules.adam, x, lr=RATE, **options)
    return lambda: optimizer.step(g), lambda: x, lambda: x.fill(0)


def _by_hand(make: Callable[[Array, Array], Run]) -> Callable[[Array, Array], Driven]:
    def drive(x: Array, g: Array) -> Driven:
        return make(x, g), lambda: x, lambda: x.fill(0)

    return drive


def _torch(x: Array, g: Array) -> Driven:
    import torch

    leaf = torch.nn.Parameter(torch.from_numpy(x))
    leaf.grad = torch.from_numpy(g)
    optimizer = torch.optim.Adam([leaf], lr=RATE, fused=True)
    return lambda: optimizer.step(), lambda: x, lambda: x.fill(0)


def _optax(x: Array, g: Array) -> Driven:
    import jax
    import optax

    optimizer = optax.adam(RATE)
    held = [jax.numpy.zeros(COORDINATES), optimizer.init(jax.numpy.zeros(COORDINATES))]

    @jax.jit
    def stepped(x, state, g):
        updates, state = optimizer.update(g, state)
        return optax.apply_updates(x, updates), state

    def run() -> None:
        # A copy of NumPy's: JAX may read later than it says, and g is written to.
        held[:] = stepped(*held, jax.numpy.array(g.copy()))

    def clear() -> None:
        held[0] = jax.numpy.zeros(COORDINATES)

    return run, lambda: np.asarray(held[0]), clear


WAYS: dict[str, Callable[[Array, Array], Driven]] = {
    "mhat": _ours,
    "mhat as written": lambda x, g: _ours(x, g, as_written=True),
    "torch fused": _torch,
    "optax": _optax,
    "textbook numpy": _by_hand(kernels.textbook_step),
    "numba by hand": _by_hand(kernels.numba_step),
}
