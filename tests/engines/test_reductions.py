"""Sums, means and norms: the one fixed order on arrays equals the definition, for every length."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat.dtypes import DTYPES
from mhat.engines.array_operations import blocked_sum
from mhat.engines.arrays import Arrays
from mhat.engines.exact import Exact, nearest_double
from mhat.engines.floats import Floats, Tensor, to_float32
from mhat.engines.small import arrays_of
from mhat.ops import OPERATIONS
from tests.engines.bounds import Bounds
from tests.engines.columns import doubles, same_bits

REDUCTIONS = ["sum", "mean", "norm", "largest"]
HELD_TYPES = {dtype.name: np.dtype(dtype.computed).type for dtype in DTYPES.values()}
MEANING = OPERATIONS["sum"].meaning
SOME = [1, 2, 3, 5, 31, 64, 100, 1000, 1023, 1024, 1025, 2048, 2049, 3072, 5000]


def numbers(length: int, dtype: str = "float64") -> np.ndarray:
    random = np.random.default_rng(length)
    return (random.standard_normal(length) * 10.0 ** random.integers(-8, 8, length)).astype(dtype)


def on_numpy(op: str, values: np.ndarray, dtype: str = "float64") -> np.ndarray:
    arithmetic = arrays_of(dtype, tensor_dimensions=1)
    return arithmetic.reduction(op, None)([values])[..., 0]


def test_the_order_on_numpy_is_the_definition_s_for_every_length() -> None:
    values = numbers(5000)
    plain = values.tolist()
    for length in range(1, 5001, 7):
        assert blocked_sum(np, values[:length]) == MEANING(plain[:length]), length
    for length in (*range(1, 130), *range(1020, 1030), *range(2040, 2055), 5000):
        assert blocked_sum(np, values[:length]) == MEANING(plain[:length]), length


def test_the_order_matters() -> None:
    """The test above would see another order: NumPy's own sum differs."""
    assert any(float(np.sum(numbers(n))) != MEANING(numbers(n).tolist()) for n in SOME)


@pytest.mark.parametrize("op", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_reductions_have_the_same_bits(op: str, dtype: str) -> None:
    function = Floats(dtype).reduction(op, None)
    for length in SOME:
        values = numbers(length, DTYPES[dtype].computed) * (1e-4 if dtype == "float16" else 1)
        with np.errstate(all="ignore"):
            found = on_numpy(op, values, dtype)
        assert found.dtype == DTYPES[dtype].computed
        assert same_bits(found, HELD_TYPES[dtype](function([Tensor(tuple(values.tolist()), (length,))]))), length


def test_every_addition_is_rounded() -> None:
    """In bfloat16 256 + 1 is 256; the blocked order adds ones to ones first."""
    ones = np.ones(512, dtype=np.float32)
    assert float(on_numpy("sum", ones, "bfloat16")) == 512.0
    assert float(on_numpy("sum", np.array([256.0, 1.0], dtype=np.float32), "bfloat16")) == 256.0
    assert float(on_numpy("sum", np.array([0.999], dtype=np.float32), "bfloat16")) == 1.0


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(), min_size=1, max_size=40), op=st.sampled_from(REDUCTIONS))
def test_random_numbers_have_the_same_bits_and_lie_within_bounds(values: list[float], op: str) -> None:
    expected = Floats().reduction(op, None)([Tensor(tuple(values), (len(values),))])
    with np.errstate(all="ignore"):
        assert same_bits(np.float64(expected), np.float64(on_numpy(op, np.array(values))))
    bounds, exact = Bounds(), Exact()
    interval = bounds.reduction(op, None)([bounds.tensor(np.array(values))])
    assert expected in interval
    assert exact.reduction(op, None)([exact.tensor(values, (len(values),))]) in interval


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 1024, 1025, 2048, 3072])
def test_a_sum_of_negative_zeros_has_the_same_sign_in_every_engine(count: int) -> None:
    zeros = [-0.0] * count
    expected = np.signbit(MEANING(zeros))
    exact = Exact()
    assert np.signbit(on_numpy("sum", np.array(zeros))) == expected
    assert np.signbit(nearest_double(exact.reduction("sum", None)([exact.tensor(zeros, (count,))]))) == expected


def test_many_small_float32_do_not_get_lost() -> None:
    """Rounding after each addition in a line would stop at 2**24; the blocked order does not."""
    values = np.full(20_000, to_float32(0.1), dtype=np.float32)
    assert abs(float(on_numpy("sum", values, "float32")) - 2000.0) < 2e-3


def test_an_empty_sum_is_zero() -> None:
    exact = Exact()
    assert MEANING([]) == 0.0
    assert float(on_numpy("sum", np.zeros((3, 0)))[0]) == 0.0
    assert nearest_double(exact.reduction("sum", None)([Tensor((), (0,))])) == 0.0


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4)])
def test_a_batch_in_front_is_reduced_row_by_row(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).standard_normal((2, *shape))
    for op in REDUCTIONS:
        whole = Arrays(np, "float64", tensor_dimensions=len(shape)).reduction(op, None)([values])
        assert whole.shape == (2, *[1] * len(shape))
        for i in range(2):
            assert whole[i].item() == Floats().reduction(op, None)([Tensor(tuple(values[i].ravel().tolist()), shape)])


def test_jax_sums_in_the_same_order() -> None:
    for length in (1, 100, 1025):
        values = numbers(length)
        with doubles():
            assert float(blocked_sum(jax.numpy, jax.numpy.asarray(values))) == MEANING(values.tolist())
