"""The gradients that laws are asked about: seeded streams, and a search for the smallest ones. It knows no law by name.

Seeded streams find what is wrong; hypothesis, imported on use, shrinks it to what fits into a sentence.
"""

from __future__ import annotations

import importlib
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from mhat.laws.law import Array, Kind

STEPS = 40
# The simplest first: what is found is shrunk towards it.
VALUES = (1.0, 2.0, -1.0, 3.0, 0.0, 0.5, -2.0, 10.0)
CONSTANTS = (1.0, 2.0, -1.0, 10.0, 0.5, 100.0)
GROWTH = (1.0, 1.111, 2.0, 0.5, -1.111, 1.02, 0.99)
LONGEST = 60
SHORT = 6
EXAMPLES = 50


@lru_cache(maxsize=8)
def seeded(kind: Kind) -> Array:
    """Give the streams of a kind side by side, (T, n)."""
    if kind == "constant":
        made: Array = np.tile([1.0, 2.0, 10.0, -3.0, 0.5, 100.0], (STEPS, 1))
    elif kind == "nothing":
        made = np.zeros((10, 3))
    elif kind == "growing":
        made = np.stack([grown(ratio, LONGEST) for ratio in GROWTH], axis=1)
    else:
        made = _sequences()
    made.setflags(write=False)
    return made


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


def smallest(kind: Kind, breaks: Callable[[Array], bool], step: int) -> Array | None:
    """Search for the smallest gradients that break a law; None if none are found. `step`: the first bad one seen."""
    hypothesis = importlib.import_module("hypothesis")
    quick = hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    with _elsewhere():
        try:
            found: Array = hypothesis.find(_strategy(kind, step), breaks, settings=quick, random=random.Random(1))
        except hypothesis.errors.NoSuchExample:
            return None
    return found


def _strategy(kind: Kind, step: int) -> Any:
    st = importlib.import_module("hypothesis.strategies")
    steps = st.integers(1, max(step, SHORT))
    if kind == "constant":
        return st.builds(lambda value, count: np.full((count, 1), value), st.sampled_from(CONSTANTS), steps)
    if kind == "nothing":
        return st.builds(lambda count: np.zeros((count, 1)), steps)
    if kind == "growing":
        return st.builds(lambda ratio, count: grown(ratio, count)[:, None], st.sampled_from(GROWTH), steps)
    value = st.sampled_from(VALUES)
    row = st.tuples(value, value) if kind == "pair" else st.tuples(value)
    return st.lists(row, min_size=1, max_size=SHORT).map(lambda rows: np.array(rows, dtype=np.float64))


def parts(kind: Kind, step: int, column: int) -> Iterator[Array]:
    """Yield gradients for what shows only late, or only where many coordinates meet, the simplest first.

    `step` and `column` are those of the first fault in the seeded streams.
    """
    streams = seeded(kind)
    if kind in ("sequence", "pair"):
        yield np.ones((step, 1 if kind == "sequence" else 2))
    yield streams[:step, [column]]
    for other in range(streams.shape[1]):
        if other != column:
            yield streams[:step, [column, other]]
    yield streams[:step]
    yield streams


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Keep what hypothesis writes out of the user's folder."""
    configuration = importlib.import_module("hypothesis.configuration")
    before = vars(configuration).get("__hypothesis_home_directory")
    with tempfile.TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)
