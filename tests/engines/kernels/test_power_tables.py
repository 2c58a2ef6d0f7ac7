"""Powers to consecutive integers by a table: the bits of `ipow`, whatever the base and wherever the block."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat.engines.kernels.addresses import address_of
from mhat.engines.kernels.power_tables import BESIDE_ONE, BLOCK, NOTHING, ROOM, powers_in_block
from mhat.ops import ipow
from tests.engines.columns import same_bits

ODD = [0.0, -0.0, -0.9, 0.5, 1.0, 2.0, 1e-200, 5e-324, 1e200, math.inf, math.nan, 1 - 2**-53, 1 + 2**-52]
# Around ends of blocks, where 0.9**t and 0.999**t go under, and beyond.
FIRSTS = [1, 2, BLOCK - 1, BLOCK, 4097, 6700, 7000, 37_888, 700_000, 10**6, 2**27 + 5]


def in_block(base: float, first: int) -> np.ndarray:
    room, powers = np.empty(ROOM), np.full(BLOCK, 7.0)
    count = BLOCK - (first & (BLOCK - 1))
    powers_in_block(base, first, count, address_of(room), True, NOTHING, address_of(powers))
    assert (powers[count:] == 7.0).all()
    return powers[:count]


def expected(base: float, first: int, count: int) -> np.ndarray:
    return np.array([ipow(base, float(first + i)) for i in range(count)])


@pytest.mark.parametrize("base", [0.9, 0.999, 0.95, 0.9999, 1.5, *ODD], ids=str)
def test_known_bases(base: float) -> None:
    for first in FIRSTS:
        found = in_block(base, first)
        assert same_bits(found, expected(base, first, len(found))).all(), first


@settings(max_examples=50)
@given(base=st.floats(0.0, 1.0), first=st.integers(1, 10**6))
def test_any_base(base: float, first: int) -> None:
    found = in_block(base, first)
    assert same_bits(found, expected(base, first, len(found))).all()


def test_a_table_serves_the_blocks_that_follow() -> None:
    room, powers = np.empty(ROOM), np.empty(BLOCK)
    for block in range(4):
        first = max(block * BLOCK, 1)
        count = BLOCK - (first & (BLOCK - 1))
        powers_in_block(0.999, first, count, address_of(room), block == 0, NOTHING, address_of(powers))
        assert same_bits(powers[:count], expected(0.999, first, count)).all()


@pytest.mark.parametrize("base", [0.5, 0.9, 0.999])
def test_beside_one_a_small_power_is_nothing(base: float) -> None:
    room, powers = np.empty(ROOM), np.empty(BLOCK)
    zeros = 0
    for first in [BLOCK * i for i in range(1, 180)]:
        powers_in_block(base, first, BLOCK, address_of(room), True, BESIDE_ONE, address_of(powers))
        assert same_bits(1.0 - powers, 1.0 - expected(base, first, BLOCK)).all()
        zeros += (powers == 0.0).all()
    assert zeros
