"""Matrix operations in every engine: the same numbers to a stated bound, the same conventions of sign and shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat.torch as array_torch
import jax
import numpy as np
import pytest
import torch

from mhat.engines.arrays import Arrays
from mhat.engines.exact import Exact, nearest_double
from mhat.engines.floats import Floats, Tensor, values_of
from mhat.ops import OPERATIONS
from tests.engines.columns import doubles

Matrix = np.ndarray
ONE_MATRIX = sorted(name for name, each in OPERATIONS.items() if each.kind == "matrix" and each.arity == 1)
SHAPES = [(1, 1), (2, 2), (3, 3), (4, 4), (2, 5), (5, 2), (1, 4), (4, 1)]
# Sums run in another order (BLAS), factorizations by other algorithms (LAPACK); Newton-Schulz doubles its error
# a few times a round.
BOUND = 1e-12


def on_floats(op: str, *matrices: Matrix) -> list[Matrix]:
    result = Floats().operation(op)(*(Tensor(tuple(m.ravel().tolist()), m.shape) for m in matrices))
    return [np.reshape(part.values, part.shape) if isinstance(part, Tensor) else part for part in _parts(result)]


def on_exact(op: str, *matrices: Matrix) -> list[Matrix]:
    exact = Exact()
    result = exact.operation(op)(*(exact.tensor(m.ravel().tolist(), m.shape) for m in matrices))
    doubles_of = {id(part): [nearest_double(v) for v in values_of(part)] for part in _parts(result)}
    return [np.reshape(doubles_of[id(part)], getattr(part, "shape", ())) for part in _parts(result)]


def on_numpy(op: str, *matrices: Matrix) -> list[Matrix]:
    with np.errstate(all="ignore"):
        return [np.asarray(p) for p in _parts(Arrays(np, "float64", tensor_dimensions=2).operation(op)(*matrices))]


def on_torch(op: str, *matrices: Matrix) -> list[Matrix]:
    function = Arrays(array_torch, torch.float64, tensor_dimensions=2).operation(op)
    return [part.numpy() for part in _parts(function(*map(torch.asarray, matrices)))]


def on_jax(op: str, *matrices: Matrix) -> list[Matrix]:
    with doubles():
        function = Arrays(jax.numpy, "float64", tensor_dimensions=2).operation(op)
        return [np.asarray(part) for part in _parts(function(*map(jax.numpy.asarray, matrices)))]


ENGINES: list[Callable[..., list[Matrix]]] = [on_exact, on_numpy, on_torch, on_jax]


def _parts(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def matrix(shape: tuple[int, int], seed: int = 0) -> Matrix:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def check(op: str, engine: Callable[..., list[Matrix]], *matrices: Matrix) -> None:
    for expected, found in zip(on_floats(op, *matrices), engine(op, *matrices), strict=True):
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=BOUND * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("op", ONE_MATRIX)
def test_every_operation_agrees(op: str, engine: Callable[..., list[Matrix]]) -> None:
    # JAX compiles each shape anew.
    square = op in ("eigh", "identity")
    shapes = [(3, 3) if square else (2, 5)] if engine is on_jax else SHAPES
    for shape in shapes:
        if not square or shape[0] == shape[1]:
            check(op, engine, matrix(shape))


@pytest.mark.parametrize("engine", ENGINES)
def test_products_agree(engine: Callable[..., list[Matrix]]) -> None:
    for rows, inner, columns in [(1, 1, 1), (2, 3, 4), (5, 1, 5)]:
        check("matmul", engine, matrix((rows, inner)), matrix((inner, columns), seed=1))


@pytest.mark.parametrize("engine", [on_floats, *ENGINES])
def test_conventions(engine: Callable[..., list[Matrix]]) -> None:
    a = matrix((4, 4))
    values, vectors = engine("eigh", a)
    symmetric = np.tril(a) + np.tril(a, -1).T
    assert values.shape == (1, 4)
    assert (np.diff(values[0]) >= 0).all()
    assert (np.max(vectors, axis=0) >= -np.min(vectors, axis=0)).all()
    np.testing.assert_allclose(vectors * values @ vectors.T, symmetric, atol=1e-13)
    for shape in SHAPES[4:5] if engine is on_jax else SHAPES:
        q, r = engine("qr", matrix(shape))
        least = min(shape)
        assert (q.shape, r.shape) == ((shape[0], least), (least, shape[1]))
        assert (np.diagonal(r) >= 0).all()
        assert np.tril(r[:, :least], -1).any() == np.False_
        np.testing.assert_allclose(q @ r, matrix(shape), atol=1e-13)
        np.testing.assert_allclose(q.T @ q, np.eye(least), atol=1e-13)


@pytest.mark.parametrize("engine", [on_floats, *ENGINES])
def test_orthogonal_brings_singular_values_near_one(engine: Callable[..., list[Matrix]]) -> None:
    for shape in SHAPES[4:5] if engine is on_jax else SHAPES:
        (found,) = engine("orthogonal", matrix(shape))
        assert (np.abs(np.linalg.svd(found, compute_uv=False) - 1) < 0.35).all()
    assert not engine("orthogonal", np.zeros(SHAPES[4]))[0].any()


@pytest.mark.parametrize("engine", [on_floats, *ENGINES])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_raises(engine: Callable[..., list[Matrix]], bad: float) -> None:
    a = matrix((3, 3))
    a[2, 0] = bad
    assert all(np.isnan(part).all() for part in engine("eigh", a))
    assert np.isnan(engine("orthogonal", a)[0]).any()
    assert np.isnan(engine("qr", a)[0]).any()
    assert not np.isfinite(engine("matmul", a, a)[0]).all()


@pytest.mark.parametrize("op", ["transpose", "row_mean", "column_largest", "orthogonal", "eigh", "qr"])
def test_a_batch_in_front_is_taken_matrix_by_matrix(op: str) -> None:
    batch = np.stack([matrix((3, 3)), matrix((3, 3), seed=1)])
    whole = on_numpy(op, batch)
    for i in range(2):
        for part, alone in zip(whole, on_numpy(op, batch[i]), strict=True):
            np.testing.assert_allclose(part[i], alone, atol=1e-14)


def test_float32_stays_float32() -> None:
    for op in ONE_MATRIX:
        result = Arrays(np, "float32", tensor_dimensions=2).operation(op)(matrix((3, 3)).astype(np.float32))
        assert {part.dtype for part in _parts(result)} == {np.dtype("float32")}, op
        expected = Floats("float32").operation(op)(Tensor(tuple(matrix((3, 3)).ravel().tolist()), (3, 3)))
        assert all(np.float32(v) == v for part in _parts(expected) for v in values_of(part))
