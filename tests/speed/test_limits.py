"""The limit moves what a step must move, and all of it."""

import ml_dtypes
import numpy as np
import pytest

from mhat.speed import limits


@pytest.mark.parametrize("states", [0, 1, 2, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_is_moved(states: int, dtype: str) -> None:
    x, g = np.arange(1000.0).astype(dtype), np.ones(1000, dtype)
    carried = [np.full(1000, place + 1, dtype) for place in range(states)]
    limits.moves(x, g, carried)()
    assert np.array_equal(x, 1 - np.arange(1000.0))
    assert all((state == -(place + 1)).all() for place, state in enumerate(carried))
    assert (g == 1).all()


def test_floats_of_two_bytes_are_moved_too() -> None:
    x = np.ones(100, ml_dtypes.bfloat16)
    limits.moves(x, np.zeros_like(x), [np.ones_like(x)])()
    assert not (x == 1).any()


def test_bytes_are_counted() -> None:
    assert limits.moved_bytes(10, states=2, itemsize=4) == 280
    assert limits.moved_bytes(10, states=0, itemsize=8) == 240
