"""Sums in compiled code against the definition in `mhat.ops.tensors`, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from mhat.engines.floats import Floats, Tensor
from mhat.engines.kernels import sums
from mhat.engines.kernels.addresses import address_of
from mhat.engines.kernels.tables import blocks_of
from mhat.ops.tensors import BLOCK

SIZES = [0, 1, 2, 3, 5, 63, 64, 65, 512, 1000, 1023, 1024, 1025, 2048, 2049, 5000, 1024 * 1024 + 1]


def summed(values: np.ndarray, op: str) -> np.ndarray:
    """Sum as a kernel does: block by block, then the sums of the blocks."""
    computed = str(values.dtype)
    blocks = blocks_of(np.array([values.size]), np.array([True]), 1, over_all=False)
    halved, finished = sums.halved(computed), sums.finished(computed)
    each = np.zeros(len(blocks.lengths), computed)
    room = np.zeros((2, BLOCK), computed)
    with np.errstate(all="ignore"):
        line = values * values if op == "norm" else values
    for i, (filled, padded) in enumerate(blocks.lengths.tolist()):
        room[1] = 7.0
        room[1, :filled] = line[i * BLOCK : i * BLOCK + filled]
        each[i] = halved(address_of(room), 1, filled, padded)
    return np.asarray(finished(each, 0, len(each), float(values.size), sums.KINDS[op]), computed)


@pytest.mark.parametrize("computed", ["float64", "float32"])
@pytest.mark.parametrize("op", ["sum", "mean", "norm"])
def test_the_same_bits_as_the_definition(op: str, computed: str) -> None:
    random = np.random.default_rng(3)
    for size in SIZES if (op, computed) == ("sum", "float32") else SIZES[:-1]:
        values = (random.normal(size=size) * 10.0 ** random.integers(-3, 3, size)).astype(computed)
        expected = Floats(computed).reduction(op, None)([Tensor(tuple(values.tolist()), (size,))])
        found = summed(values, op)
        assert found == expected or (np.isnan(found) and np.isnan(expected)), (size, found, expected)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e308, 5e-324, -0.0])
def test_wild_values(value: float) -> None:
    for size in (1, 3, 1025):
        values = np.full(size, value)
        for op in ("sum", "mean", "norm"):
            expected = Floats().reduction(op, None)([Tensor(tuple(values.tolist()), (size,))])
            found = summed(values, op)
            assert np.float64(expected).tobytes() == found.tobytes() or (np.isnan(found) and np.isnan(expected))
