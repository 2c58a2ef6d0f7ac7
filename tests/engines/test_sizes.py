"""Sizes of tensors and largest numbers in whole rules: every engine gives what floats give."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import torch

import mhat
from mhat.language import rule
from mhat.language.inference import Level
from tests.engines.columns import doubles
from tests.engines.kernels.interpreted import run_by_python
from tests.engines.kernels.stepping import check_bit_for_bit
from tests.engines.test_agreement import stream

# One number a tensor, known before the step, and one that is found on the way; over one tensor, and over all.
FLAT = rule("""
def flat(x, g, t, v=0, s="size(x)", *, lr=0.5):
    v = maximum(0.9 * v, largest(abs(g)))
    every = largest(g, over="all") / size(g, over="all")
    u = round(g / (v + 1 / size(g))) + tanh(g)
    return x - lr / t * u / s - every
""")
MATRIX = rule("""
def matrix(x, g, r=0, c="column_largest(abs(g))", *, lr=0.1):
    r = 0.5 * r + row_largest(abs(g))
    c = maximum(c, column_largest(abs(g)))
    scale = sqrt(maximum(1, rows(x) / columns(x)))
    return x - lr * scale * g / (sqrt(r * c) + 1 / size(r))
""")
SHAPES: list[tuple[int, ...]] = [(), (1,), (5,), (0,), (3, 4), (1025,)]
G = np.random.default_rng(1).standard_normal((2, 3, 4))


def test_levels_and_shapes() -> None:
    assert FLAT.level == Level.TENSOR and MATRIX.level == Level.MATRIX
    assert MATRIX.shapes["scale"] == ("1", "1") and MATRIX.shapes["r"] == ("rows", "1")


# Without `tanh`, of which engines have their own within 2 ulp.
EXACT = rule(str(FLAT).replace(" + tanh(g)", ""))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("wild", [False, True])
def test_kernels_have_the_bits_of_floats(dtype: str, wild: bool) -> None:
    with run_by_python():
        check_bit_for_bit(EXACT, dtype, [stream(shape, steps=3, wild=wild) for shape in SHAPES])


def test_compiled_kernels_have_the_bits_of_floats() -> None:
    check_bit_for_bit(EXACT, "float64", [stream(shape, steps=3, wild=True) for shape in SHAPES], threads=2)


@pytest.mark.parametrize("made", [FLAT, MATRIX], ids=["flat", "matrix"])
def test_every_engine_agrees(made: mhat.rule) -> None:  # type: ignore[valid-type]
    x = np.ones((3, 4))
    with doubles():
        before: dict[str, object] = dict.fromkeys(("numpy", "torch", "jax"))
        for t, g in enumerate(G, 1):
            first = mhat.step(made, x, g, t, before["numpy"])
            second = mhat.step(made, torch.tensor(x), torch.tensor(g), t, before["torch"])
            third = mhat.step(made, jax.numpy.asarray(x), jax.numpy.asarray(g), t, before["jax"])
            np.testing.assert_allclose(second.x.numpy(), first.x, rtol=1e-13)
            np.testing.assert_allclose(np.asarray(third.x), first.x, rtol=1e-13)
            before = {"numpy": first.state, "torch": second.state, "jax": third.state}
            x = first.x


def test_a_trace_of_matrices_has_the_numbers_of_steps() -> None:
    ds = mhat.trace(MATRIX, G, start=1.0)
    once = mhat.step(MATRIX, np.ones((3, 4)), G[0], 1)
    assert np.array_equal(ds.x[0], once.x) and float(ds.scale[0]) == 1.0
    assert ds.r.shape == (2, 3) or ds.r.shape == (2, 3, 1)


@pytest.mark.parametrize(("dtype", "size", "expected"), [("float16", 2049, 3074.0), ("bfloat16", 257, 386.0)])
def test_sizes_enter_the_small_types_unrounded(dtype: str, size: int, expected: float) -> None:
    # As a number of the type 2049 would be 2048, and 257 would be 256.
    made = rule("def counted(x, g, *, lr=1):\n    u = g * size(g)\n    return x - lr * u")
    gradients = np.full((1, size), 1.5)
    for engine_tensor in (gradients, gradients[:, None]):
        assert (mhat.trace(made, engine_tensor, dtype=dtype).u.values == expected).all()
    x = np.zeros(size, dtype="float16") if dtype == "float16" else torch.zeros(size, dtype=torch.bfloat16)
    assert float(mhat.step(made, x, x + 1.5, 1).variables["u"][0]) == expected


def test_only_the_tensors_that_are_stepped_are_counted() -> None:
    made = rule('def counted(x, g, *, lr=1): return x - lr * size(g, over="all")')
    params = [np.zeros(2), np.zeros(3)]
    opt = mhat.Optimizer(made, params)
    opt.step([np.zeros(2), None])
    opt.step([np.zeros(2), np.zeros(3)])
    assert params[0].tolist() == [-7.0, -7.0] and params[1].tolist() == [-5.0] * 3


def test_the_size_of_a_number_is_refused_where_the_tensor_is_known() -> None:
    made = rule("def f(x, g):\n    u = row_mean(g)\n    return x - columns(u)")
    assert mhat.step(made, np.zeros((2, 3)), np.zeros((2, 3)), 1).x.tolist() == [[-1.0] * 3] * 2
