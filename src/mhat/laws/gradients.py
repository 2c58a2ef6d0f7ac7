"""The gradients that laws are asked about: seeded streams of every kind. It knows no law by name."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mhat.laws.law import Array, Kind

STEPS = 40
CONSTANTS = (1.0, 2.0, -1.0, 10.0, 0.5, 100.0)
GROWTH = (1.0, 1.111, 2.0, 0.5, -1.111, 1.02, 0.99)
LONGEST = 60


@lru_cache(maxsize=8)
def seeded(kind: Kind) -> Array:
    """Give the streams of a kind side by side, (T, n)."""
    if kind == "constant":
        streams: Array = np.tile([1.0, 2.0, 10.0, -3.0, 0.5, 100.0], (STEPS, 1))
    elif kind == "nothing":
        streams = np.zeros((10, 3))
    elif kind == "growing":
        streams = np.stack([grown(ratio, LONGEST) for ratio in GROWTH], axis=1)
    else:
        streams = _sequences()
    streams.setflags(write=False)
    return streams


def grown(ratio: float, steps: int) -> Array:
    """Give gradients that are multiplied by `ratio` at every step, from 1 on."""
    return np.multiply.accumulate(np.array([1.0] + [ratio] * (steps - 1)))


def _sequences() -> Array:
    t = np.arange(STEPS)
    noise = np.random.Generator(np.random.PCG64(5)).standard_normal((STEPS, 3))
    columns = [
        np.where(t % 2 == 0, 1.0, -1.0) * (1 + 0.2 * t), noise[:, 0], 10 * noise[:, 1], 2 + noise[:, 2], 1.0 + t,
        np.where(t == 7, 30.0, 1.0), np.where(t % 4 == 1, 4.0, 0.0), 5 * 0.9**t,
    ]  # fmt: skip
    return np.stack(columns, axis=1)
