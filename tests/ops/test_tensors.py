"""Sums run in the one order written down here once more; matrix functions answer to NumPy."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat.ops import OPERATIONS
from mhat.ops.tensors import BLOCK, padded_length

Matrix = list[list[float]]


def call(op: str, *arguments: object) -> Any:
    return OPERATIONS[op].meaning(*arguments)


def tree_sum(values: list[float]) -> float:
    """Add a power of two of numbers: the sum of the first half's and the second half's pairwise partners."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return tree_sum([values[i] + values[i + half] for i in range(half)])


def by_hand(values: list[float]) -> float:
    if len(values) <= 1024:
        size = 1
        while size < len(values):
            size *= 2
        return tree_sum(values + [0.0] * (size - len(values)))
    blocks = [values[i : i + 1024] for i in range(0, len(values), 1024)]
    return by_hand([tree_sum(block + [0.0] * (1024 - len(block))) for block in blocks])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 100, 1023, 1024, 1025, 2048, 5000])
def test_the_order_of_a_sum(count: int) -> None:
    values = (np.random.default_rng(count).normal(size=count) * 10.0 ** np.arange(count).clip(0, 5)).tolist()
    assert call("sum", values) == by_hand(values)
    assert call("mean", values) == by_hand(values) / count
    assert call("norm", values) == math.sqrt(by_hand([value * value for value in values]))


def test_the_order_is_seen() -> None:
    # Halves are added first: (1e16 + -1e16) + (1 + 1); from left to right the first 1 would be lost.
    assert call("sum", [1e16, 1.0, -1e16, 1.0]) == 2.0
    assert ((1e16 + 1.0) - 1e16) + 1.0 == 1.0


def test_a_block_is_1024() -> None:
    assert BLOCK == 1024
    assert [padded_length(n) for n in (0, 1, 2, 3, 5, 1023, 1024, 1025, 2048, 2049)] == [
        1, 1, 2, 4, 8, 1024, 1024, 2048, 2048, 3072,
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_sum_is_near_the_exact_one(values: list[float]) -> None:
    exact = sum(map(Fraction, values))
    bound = 6 * math.ulp(sum(map(abs, values)))
    assert abs(Fraction(float(call("sum", values))) - exact) <= Fraction(bound)


def test_sums_of_nothing_and_of_what_is_not_finite() -> None:
    assert call("sum", []) == 0.0
    assert math.isnan(call("mean", []))
    assert call("norm", []) == 0.0
    assert math.isnan(call("sum", [math.inf, -math.inf]))
    assert call("norm", [-math.inf, 1.0]) == math.inf
    assert call("norm", [1e200]) == math.inf
    assert math.isnan(call("mean", [1.0, math.nan]))
    # One number is its own sum; three are padded with a +0.
    assert math.copysign(1.0, call("sum", [-0.0])) == -1.0
    assert math.copysign(1.0, call("sum", [-0.0] * 3)) == 1.0


def test_every_step_can_be_rounded() -> None:
    values = np.random.default_rng(3).normal(size=37).astype(np.float32)
    padded = np.concatenate([values, np.zeros(27, np.float32)])
    while len(padded) > 1:
        padded = padded[: len(padded) // 2] + padded[len(padded) // 2 :]
    assert OPERATIONS["sum"].meaning(values.tolist(), lambda value: float(np.float32(value))) == padded[0]


def random_matrix(rows: int, columns: int) -> Matrix:
    made: Matrix = np.random.default_rng(rows * 10 + columns).normal(size=(rows, columns)).tolist()
    return made


@pytest.mark.parametrize(("rows", "inner", "columns"), [(1, 1, 1), (2, 3, 4), (5, 1, 2)])
def test_products_and_means(rows: int, inner: int, columns: int) -> None:
    a, b = random_matrix(rows, inner), random_matrix(inner, columns)
    np.testing.assert_allclose(call("matmul", a, b), np.array(a) @ np.array(b), rtol=1e-14)
    assert np.array_equal(call("transpose", a), np.array(a).T)
    np.testing.assert_allclose(call("row_mean", a), np.array(a).mean(1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(call("column_mean", a), np.array(a).mean(0, keepdims=True), rtol=1e-14)
    assert np.array_equal(call("row_largest", a), np.array(a).max(1, keepdims=True))
    assert np.array_equal(call("column_largest", a), np.array(a).max(0, keepdims=True))
    assert (call("rows", a), call("columns", a)) == (rows, inner)


def test_the_largest_and_the_size() -> None:
    assert call("largest", [1.0, -3.0, 2.0]) == 2.0
    assert math.isnan(call("largest", [math.inf, math.nan, 1.0]))
    assert call("largest", []) == -math.inf
    assert call("size", [1.0, math.nan]) == 2.0
    # Whatever the order, the sign of a zero is the same.
    for zeros in ([0.0, -0.0], [-0.0, 0.0], [-0.0]):
        assert math.copysign(1.0, call("largest", zeros)) == 1.0


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_eigenvectors(size: int) -> None:
    a = np.array(random_matrix(size, size))
    symmetric = a + a.T
    values, vectors = map(np.array, call("eigh", symmetric.tolist()))
    assert values.shape == (1, size)
    np.testing.assert_allclose(values[0], np.linalg.eigvalsh(symmetric), atol=1e-13)
    np.testing.assert_allclose(vectors * values @ vectors.T, symmetric, atol=1e-13)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(size), atol=1e-14)
    assert (vectors[np.abs(vectors).argmax(0), range(size)] > 0).all()


def test_eigenvectors_at_the_edges() -> None:
    lower = [[2.0, 99.0], [1.0, 2.0]]
    values, _ = map(np.array, call("eigh", lower))
    np.testing.assert_allclose(values, [[1.0, 3.0]], atol=1e-15)
    assert np.isnan(call("eigh", [[math.nan, 0.0], [0.0, 1.0]])[0]).all()
    assert call("eigh", [[0.0, 0.0], [0.0, 0.0]]) == ([[0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    values, _ = map(np.array, call("eigh", [[1e-200, 1e-201], [1e-201, 1e-200]]))
    np.testing.assert_allclose(values, [[9e-201, 1.1e-200]], rtol=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 3), (4, 2), (2, 4)])
def test_qr(rows: int, columns: int) -> None:
    a = np.array(random_matrix(rows, columns))
    q, r = map(np.array, call("qr", a.tolist()))
    least = min(rows, columns)
    assert (q.shape, r.shape) == ((rows, least), (least, columns))
    np.testing.assert_allclose(q @ r, a, atol=1e-14)
    np.testing.assert_allclose(q.T @ q, np.eye(least), atol=1e-14)
    assert np.array_equal(r, np.triu(r))
    assert (np.diag(r) > 0).all()
    signs = np.sign(np.diag(np.linalg.qr(a)[1]))
    np.testing.assert_allclose(q, np.linalg.qr(a)[0] * signs, atol=1e-13)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 3), (4, 2), (2, 4)])
def test_orthogonal_is_the_newton_schulz_of_muon(rows: int, columns: int) -> None:
    a = np.array(random_matrix(rows, columns))
    x = (a.T if rows > columns else a) / (np.linalg.norm(a) + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    want = x.T if rows > columns else x
    made = np.array(call("orthogonal", a.tolist()))
    np.testing.assert_allclose(made, want, rtol=1e-9, atol=1e-12)
    singular = np.linalg.svd(made)[1]
    assert ((singular > 0.5) & (singular < 1.3)).all()


def test_orthogonal_of_zero_is_zero() -> None:
    assert call("orthogonal", [[0.0, 0.0], [0.0, 0.0]]) == [[0.0, 0.0], [0.0, 0.0]]
