"""Loads and stores of small types: every pattern, every way of rounding, against NumPy and ml_dtypes."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numba import njit

from mhat.engines.kernels import memory, switches
from mhat.engines.kernels.addresses import address_of

DTYPES = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
PATTERNS = np.arange(2**16, dtype=np.uint16)
SMALL = pytest.mark.parametrize("stored", list(DTYPES))
Array = Any


def compiled(stored: str) -> tuple[Any, Any, Any, Any]:
    """Make loops over whole arrays: load, store, store with noise, round."""
    if stored not in _COMPILED:
        pointer, load, store = memory.pointer(stored), memory.load(stored, 0, 2), memory.store(stored, 0, 2)
        store_noisy, rounded = memory.store_noisy(stored, 0, 2), memory.rounded(stored)

        @njit
        def load_all(at, out):  # type: ignore[no-untyped-def]
            start = pointer(at)
            for i in range(out.size):
                out[i] = load(start, i)

        @njit
        def store_all(at, values):  # type: ignore[no-untyped-def]
            start = pointer(at)
            for i in range(values.size):
                store(start, i, values[i])

        @njit
        def store_all_noisy(at, values, noise):  # type: ignore[no-untyped-def]
            start = pointer(at)
            for i in range(values.size):
                store_noisy(start, i, values[i], noise[i])

        @njit
        def round_all(values, out):  # type: ignore[no-untyped-def]
            for i in range(values.size):
                out[i] = rounded(values[i])

        _COMPILED[stored] = load_all, store_all, store_all_noisy, round_all
    return _COMPILED[stored]


_COMPILED: dict[str, tuple[Any, Any, Any, Any]] = {}


def bits(array: Array) -> Array:
    """The patterns of numbers, with all NaN as one."""
    return np.where(np.isnan(array), 0x7FFF, array.view(np.uint16))


def stored_nearest(stored: str, values: Array) -> Array:
    out = np.empty(values.shape, DTYPES[stored])
    compiled(stored)[1](address_of(out), values)
    return out


def stored_noisy(stored: str, values: Array, noise: Array) -> Array:
    out = np.empty(values.shape, DTYPES[stored])
    compiled(stored)[2](address_of(out), values, noise)
    return out


def singles(stored: str) -> Array:
    """Random float32 of all sizes, halves between neighbours and what is next to them, and what is not finite."""
    random = np.random.default_rng(5)
    any_bits = random.integers(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        small = PATTERNS.view(DTYPES[stored]).astype(np.float32)
        finite = np.sort(small[np.isfinite(small)])
        middles = (finite[1:].astype(np.float64) / 2 + finite[:-1].astype(np.float64) / 2).astype(np.float32)
        near = [np.nextafter(middles, np.float32(np.inf)), np.nextafter(middles, np.float32(-np.inf))]
        largest = np.float32(ml_dtypes.finfo(DTYPES[stored]).max)
        edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, largest, -largest], dtype=np.float32)
        beyond = largest * np.array([1.0002, 1.0005, 1.001, 1.002, 1.004, 2.0], dtype=np.float32)
    return np.concatenate([any_bits, small, middles, *near, edges, beyond, -beyond])


@SMALL
def test_every_pattern_is_loaded_as_it_is(stored: str) -> None:
    patterns = PATTERNS.view(DTYPES[stored])
    out = np.empty(2**16, np.float32)
    compiled(stored)[0](address_of(patterns), out)
    expected = patterns.astype(np.float32)
    assert np.isnan(out).sum() == np.isnan(expected).sum() > 0
    assert (
        np.where(np.isnan(out), 0, out.view(np.uint32)) == np.where(np.isnan(out), 0, expected.view(np.uint32))
    ).all()


@SMALL
def test_nearest_is_that_of_the_type(stored: str) -> None:
    values = singles(stored)
    with np.errstate(all="ignore"):
        expected = values.astype(DTYPES[stored])
    found = stored_nearest(stored, values)
    wrong = bits(found) != bits(expected)
    assert not wrong.any(), (values[wrong][:5], found[wrong][:5], expected[wrong][:5])


@SMALL
def test_rounded_is_a_store_and_a_load(stored: str) -> None:
    values = singles(stored)
    out = np.empty_like(values)
    compiled(stored)[3](values, out)
    expected = stored_nearest(stored, values).astype(np.float32)
    assert ((out == expected) | (np.isnan(out) & np.isnan(expected))).all()
    assert (np.signbit(out) == np.signbit(expected))[~np.isnan(out)].all()


def neighbours(stored: str, values: Array) -> tuple[Array, Array]:
    """The nearest numbers of the type towards zero and away from it, as float64; equal where the value is one."""
    with np.errstate(all="ignore"):
        rounded = values.astype(DTYPES[stored])
        size = np.abs(rounded.astype(np.float64))
        down = size > np.abs(values.astype(np.float64))
        pattern = (rounded.view(np.uint16) & 0x7FFF).astype(np.int64)
        low = pattern - down
        exact = size == np.abs(values.astype(np.float64))
        high = np.where(exact, low, low + 1)

        def number(patterns: Array) -> Array:
            return patterns.astype(np.uint16).view(DTYPES[stored]).astype(np.float64)

        return number(low), number(high)


@SMALL
def test_noise_moves_to_a_neighbour_and_no_further(stored: str) -> None:
    values = singles(stored)
    finite = np.isfinite(values)
    least, most = neighbours(stored, values)
    random = np.random.default_rng(6)
    for noise in (
        np.zeros(values.shape, np.uint32),
        np.full(values.shape, 0xFFFFFFFF, np.uint32),
        random.integers(0, 2**32, values.shape, dtype=np.uint64).astype(np.uint32),
    ):
        found = stored_noisy(stored, values, noise)
        size = np.abs(found.astype(np.float64))
        assert (bits(found)[~finite] == bits(stored_nearest(stored, values))[~finite]).all()
        assert ((size == least) | (size == most))[finite].all()
        assert (np.signbit(found) == np.signbit(values))[finite].all()
        # What the type holds stays as it is.
        assert (size == least)[finite & (least == most)].all()


@SMALL
def test_what_is_finite_in_the_type_stays_finite(stored: str) -> None:
    largest = np.float32(ml_dtypes.finfo(DTYPES[stored]).max)
    values = np.full(1000, largest, np.float32)
    found = stored_noisy(stored, values, np.full(1000, 0xFFFFFFFF, np.uint32))
    assert (found.astype(np.float32) == largest).all()


@SMALL
@pytest.mark.parametrize("value", [1.0003, -3.14159, 1e-3, 1.5e-6, -2.2e-7, 3e-8, 1234.567])
def test_noise_is_right_on_average(stored: str, value: float) -> None:
    count = 400_000
    values = np.full(count, value, np.float32)
    noise = np.empty(count, np.uint32)
    key = np.uint32(123456)

    @njit
    def fill(noise, key):  # type: ignore[no-untyped-def]
        for i in range(noise.size):
            noise[i] = switches.noise(key, i)

    fill(noise, key)
    found = stored_noisy(stored, values, noise).astype(np.float64)
    low, high = (float(side[0]) for side in neighbours(stored, values))
    # The probability is that of the rest in steps of 2**-13 at the coarsest; five standard errors of the mean.
    allowed = (high - low) * (5 * 0.5 / np.sqrt(count) + 2.0**-13)
    assert abs(found.mean() - float(values[0])) <= allowed


def test_noise_is_uniform_and_differs_by_key_and_place() -> None:
    @njit
    def fill(seed, tensor, array, out):  # type: ignore[no-untyped-def]
        key = switches.key(seed, tensor, array)
        for i in range(out.size):
            out[i] = switches.noise(key, i)

    count = 1 << 16
    rows = {}
    for seed, tensor, array in [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), ((7 << 32) + 1, 0, 0)]:
        out = np.empty(count, np.uint32)
        fill(seed, tensor, array, out)
        rows[seed, tensor, array] = out / 2.0**32
    for row in rows.values():
        counts, _ = np.histogram(row, bins=256, range=(0, 1))
        # Chi square of 255 degrees of freedom: within six standard deviations.
        assert abs(((counts - count / 256) ** 2 / (count / 256)).sum() - 255) < 6 * np.sqrt(2 * 255)
        assert abs(np.corrcoef(row[1:], row[:-1])[0, 1]) < 6 / np.sqrt(count)
    for a in rows:
        for b in rows:
            assert a == b or abs(np.corrcoef(rows[a], rows[b])[0, 1]) < 6 / np.sqrt(count)
