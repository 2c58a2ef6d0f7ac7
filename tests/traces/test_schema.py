"""The schema of a trace: dimensions and their order, coordinates, attributes, what each variable holds."""

from __future__ import annotations

import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import rules, streams
from mhat.version import VERSION
from tests.choices import VECTORS

NOISE = np.random.default_rng(0).standard_normal((5, 3, 2))
ON_TENSORS = mhat.rule(
    "def f(x, g, t, k, n, m=0, *, lr=0.1):\n"
    "    whole = norm(g, over='all')\n"
    "    own = norm(g)\n"
    "    m = m + k * g / whole\n"
    "    return x - lr * m * n"
)
ON_MATRICES = mhat.rule(
    "def f(x, g, *, lr=0.1):\n"
    "    rows = row_mean(g)\n"
    "    columns = column_mean(g)\n"
    "    values, vectors = eigh(g @ transpose(g))\n"
    "    q, r = qr(g)\n"
    "    inner = transpose(g) @ g\n"
    "    turned = transpose(g)\n"
    "    size = norm(g)\n"
    "    return x - lr * orthogonal(g)"
)


def dims(ds: xr.Dataset) -> dict[str, tuple[str, ...]]:
    return {str(name): tuple(map(str, array.dims)) for name, array in ds.data_vars.items()}


def test_a_plain_trace() -> None:
    ds = mhat.trace("adam", [3.0, 4.0, 5.0], lr=0.5)
    assert list(ds.data_vars) == ["g", "x", "m", "v", "m_hat", "v_hat", "ratio"]
    assert set(dims(ds).values()) == {("step",)}
    assert ds.step.values.tolist() == [1, 2, 3]
    assert {array.dtype for array in ds.data_vars.values()} == {np.dtype("float64")}
    np.testing.assert_array_equal(ds.g, [3.0, 4.0, 5.0])


def test_x_is_the_parameter_after_the_step() -> None:
    ds = mhat.trace("sgd", [1.0, 2.0, 4.0], start=10.0, lr=0.5)
    assert ds.x.values.tolist() == [9.5, 8.5, 6.5]


def test_the_attributes_say_all_that_is_needed() -> None:
    ds = mhat.trace("adam", streams.normal(seed=3, steps=4), start=0.25, lr=0.5, beta2=[0.9, 0.99], dtype="float32")
    assert ds.attrs == {
        "rule": "adam",
        "source": rules.adam.source.text,
        "paper": rules.adam.paper,
        "level": "per coordinate",
        "knobs": json.dumps({"lr": 0.5, "beta1": 0.9, "eps": 1e-08}),
        "dtype": "float32",
        "steps": 4,
        "start": "0.25",
        "tensor": "[]",
        "stream": "normal:seed=3,steps=4",
        "version": VERSION,
    }
    assert ds.beta2.values.tolist() == [0.9, 0.99]


def test_attributes_of_own_gradients_and_of_a_landscape() -> None:
    assert mhat.trace("sgd", [1.0]).attrs["stream"] == ""
    ds = mhat.trace("sgd", "rosenbrock", steps=2)
    assert ds.attrs["landscape"] == "rosenbrock" and "stream" not in ds.attrs
    assert json.loads(ds.attrs["start"]) == {"dims": ["i"], "values": [-1.5, 2.0]}
    assert json.loads(ds.attrs["tensor"]) == ["i"]


def test_the_dimensions_of_the_gradients_keep_names_and_labels() -> None:
    g = xr.DataArray(NOISE[..., 0], dims=("step", "layer"), coords={"layer": ["a", "b", "c"], "seed": 7})
    ds = mhat.trace("adam", g.transpose("layer", "step"))
    assert set(dims(ds).values()) == {("step", "layer")}
    assert ds.layer.values.tolist() == ["a", "b", "c"]
    assert list(ds.sizes) == ["step", "layer"]
    np.testing.assert_array_equal(ds.g, g)


def test_steps_are_counted_from_one_whatever_the_labels() -> None:
    g = xr.DataArray([1.0, 2.0, 3.0], dims="step", coords={"step": [10, 20, 30]})
    ds = mhat.trace("sgd", g, steps=2)
    assert ds.step.values.tolist() == [1, 2]


def test_an_input_that_is_assigned_is_kept_as_given_and_as_used() -> None:
    text = "def f(x, g, *, wd=0.5):\n    g = g + wd * x\n    x = x * 2\n    return x - g"
    ds = mhat.trace(mhat.rule(text), [1.0, 1.0], start=4.0)
    assert list(ds.data_vars) == ["g", "x", "g_used", "x_used"]
    assert ds.g.values.tolist() == [1.0, 1.0]
    assert ds.g_used.values.tolist() == [3.0, 3.5]
    assert ds.x_used.values.tolist() == [8.0, 10.0]
    assert ds.x.values.tolist() == [5.0, 6.5]


def test_per_step_variables_are_numbers_over_step() -> None:
    ds = mhat.trace("nadam", NOISE)
    assert dims(ds)["mu"] == dims(ds)["product"] == ("step",)
    assert dims(ds)["m"] == ("step", "i", "j")


@pytest.mark.parametrize(
    ("tensor", "trust"), [(None, ("step",)), ("j", ("step", "i")), (["i", "j"], ("step",)), ((), ("step", "i", "j"))]
)
def test_a_reduction_runs_over_the_tensor(tensor: Any, trust: tuple[str, ...]) -> None:
    ds = mhat.trace("lamb", NOISE, tensor=tensor, start=1.0)
    assert dims(ds)["trust"] == trust
    axes = tuple(dim for dim in ("i", "j") if dim not in trust)
    before = ds.x.shift(step=1, fill_value=1.0)
    norms = [np.sqrt((array**2).sum(axes)) for array in (before, ds.direction)]
    np.testing.assert_allclose(ds.trust, norms[0] / norms[1], rtol=1e-14)


def test_several_tensors_are_counted_and_looked_at_together() -> None:
    ds = mhat.trace(ON_TENSORS, NOISE, tensor="j")
    assert dims(ds)["whole"] == dims(ds)["own"] == ("step", "i")
    np.testing.assert_allclose(ds.whole, np.broadcast_to(np.sqrt((ds.g**2).sum(("i", "j"))), (3, 5)).T, rtol=1e-14)
    np.testing.assert_allclose(ds.own, np.sqrt((ds.g**2).sum("j")), rtol=1e-14)
    k = np.array([1.0, 2.0, 3.0])[:, None]
    m = np.cumsum(k * NOISE / ds.whole.values[..., None], axis=0)
    np.testing.assert_allclose(ds.m, m, rtol=1e-13)
    np.testing.assert_allclose(ds.x, np.cumsum(-0.1 * m * 3, axis=0), rtol=1e-13)


def test_a_matrix_rule_has_dimensions_of_its_own() -> None:
    ds = mhat.trace(ON_MATRICES, NOISE, lr=[1.0, 2.0])
    assert dims(ds) == {
        "g": ("step", "i", "j"), "x": ("step", "lr", "i", "j"), "rows": ("step", "i"), "columns": ("step", "j"),
        "values": ("step", "i"), "vectors": ("step", "i", "i_2"), "q": ("step", "i", "least"),
        "r": ("step", "least", "j"), "inner": ("step", "j", "j_2"), "turned": ("step", "j", "i"), "size": ("step",),
    }  # fmt: skip
    q, r = ds.q.values, ds.r.values
    np.testing.assert_allclose(q @ r, NOISE, atol=1e-14)
    np.testing.assert_allclose(ds.rows, NOISE.mean(axis=2), rtol=1e-14)
    np.testing.assert_allclose(ds.inner, np.swapaxes(NOISE, 1, 2) @ NOISE, rtol=1e-13)


def test_a_matrix_rule_on_a_batch_of_matrices() -> None:
    batch = np.random.default_rng(1).standard_normal((4, 5, 3, 2))
    ds = mhat.trace(ON_MATRICES, batch, tensor=("j", "l"))
    assert dims(ds)["vectors"] == ("step", "i", "j", "j_2")
    np.testing.assert_array_equal(ds.x.isel(i=2), mhat.trace(ON_MATRICES, batch[:, 2]).x)


@pytest.mark.parametrize("start", [2.0, [1.0, 2.0], [[1.0, 2.0]] * 3])
def test_a_start_is_spread_over_the_last_dimensions(start: Any) -> None:
    ds = mhat.trace("adamw", NOISE, start=start)
    each = mhat.trace("adamw", NOISE[:, 1, 1], start=float(np.broadcast_to(start, (3, 2))[1, 1]))
    np.testing.assert_array_equal(ds.x[:, 1, 1], each.x)


def test_a_start_with_a_dimension_of_its_own_is_a_sweep() -> None:
    start = xr.DataArray([0.0, 1.0, 2.0], dims="s", coords={"s": ["a", "b", "c"]})
    ds = mhat.trace("adamw", NOISE[..., 0], start=start)
    assert dims(ds)["x"] == ("step", "s", "i") and dims(ds)["m"] == ("step", "i")
    np.testing.assert_array_equal(ds.x.sel(s="c"), mhat.trace("adamw", NOISE[..., 0], start=2.0).x)


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 3, 2)])
@pytest.mark.parametrize("keep", ["x", ["x"], ["v", "x"], ("ratio",), ["g"]])
def test_keep_limits_what_is_recorded(shape: tuple[int, ...], keep: Any) -> None:
    g = NOISE[(slice(None), *(0,) * (3 - len(shape)))]
    ds, whole = mhat.trace("adam", g, keep=keep), mhat.trace("adam", g)
    assert set(ds.data_vars) == ({keep} if isinstance(keep, str) else set(keep))
    xr.testing.assert_identical(ds, whole[list(ds.data_vars)])


def test_what_is_not_finite_is_kept_and_never_raises() -> None:
    g = [1.0, np.nan, np.inf, -np.inf, 1e308, 0.0]
    for name in VECTORS:
        alone = mhat.trace(name, g, start=1.0)
        beside = mhat.trace(name, np.stack([g, np.ones(6), np.ones(6)], axis=1), start=1.0)
        np.testing.assert_array_equal(alone.g, g)
        if rules.named(name).level == "per coordinate":
            np.testing.assert_array_equal(beside.x[:, 0], alone.x)
            assert np.isfinite(beside.x[:, 1]).all()


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32")])
def test_float32(dtype: Any) -> None:
    ds = mhat.trace("adam", NOISE, dtype=dtype, start=0.1)
    assert {array.dtype for array in ds.data_vars.values()} == {np.dtype("float32")}
    np.testing.assert_array_equal(ds.g, NOISE.astype(np.float32))
    m, v, x = (np.full((3, 2), start, dtype=np.float32) for start in (0, 0, 0.1))
    for t, g in enumerate(NOISE.astype(np.float32), start=1):
        m = np.float32(0.9) * m + np.float32(1 - 0.9) * g
        v = np.float32(0.999) * v + np.float32(1 - 0.999) * (g * g)
        m_hat, v_hat = m / np.float32(1 - 0.9**t), v / np.float32(1 - 0.999**t)
        x = x - np.float32(1e-3) * (m_hat / (np.sqrt(v_hat) + np.float32(1e-8)))
    np.testing.assert_allclose(ds.x[-1], x, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", np.float16, ml_dtypes.bfloat16, np.dtype("float16")])
def test_the_small_types_are_held_as_float32(dtype: Any) -> None:
    ds = mhat.trace("adam", NOISE, dtype=dtype, start=0.1)
    small = np.dtype(dtype)
    assert (ds.attrs["dtype"], ds.attrs["arithmetic"]) == (small.name, small.name)
    assert {array.dtype for array in ds.data_vars.values()} == {np.dtype("float32")}
    np.testing.assert_array_equal(ds.g, NOISE.astype(np.float32).astype(small).astype(np.float32))

    def stored(value: Any) -> Any:
        return np.asarray(value, dtype=np.float32).astype(small).astype(np.float32)

    b1, b2, lr, eps = map(np.float32, (0.9, 0.999, 1e-3, 1e-8))
    m, v, x = np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32), stored(np.full((3, 2), 0.1))
    for t, g in enumerate(ds.g.values, start=1):
        m = stored(stored(b1 * m) + stored(np.float32(1 - 0.9) * g))
        v = stored(stored(b2 * v) + stored(np.float32(1 - 0.999) * stored(g * g)))
        m_hat, v_hat = stored(m / np.float32(1 - 0.9**t)), stored(v / np.float32(1 - 0.999**t))
        x = stored(x - stored(lr * stored(m_hat / stored(stored(np.sqrt(v_hat)) + eps))))
        np.testing.assert_array_equal(ds.x.sel(step=t), x)
        np.testing.assert_array_equal(ds.v.sel(step=t), v)
    assert "arithmetic" not in mhat.trace("adam", NOISE, dtype="float32").attrs


def test_gradients_may_be_of_a_small_type() -> None:
    given = NOISE.astype(ml_dtypes.bfloat16)
    ds = mhat.trace("sgd", given, dtype="bfloat16")
    np.testing.assert_array_equal(ds.g, given.astype(np.float32))
    xr.testing.assert_identical(mhat.trace("sgd", xr.DataArray(given, dims=ds.g.dims), dtype="bfloat16"), ds)


def test_a_landscape_in_a_small_type() -> None:
    ds = mhat.trace("adam", "rosenbrock", steps=20, dtype="bfloat16", lr=[0.05, 0.5])
    for name in ("x", "g", "m"):
        np.testing.assert_array_equal(ds[name], ds[name].values.astype(ml_dtypes.bfloat16).astype(np.float32))
    assert float(ds.x[0, 0, 0]) == float(ml_dtypes.bfloat16(-1.5 + 0.05))


def test_the_same_call_gives_the_same_bits() -> None:
    def call() -> xr.Dataset:
        return mhat.trace("lamb", streams.normal(seed=9, size=(4, 5), steps=30), beta1=[0.5, 0.9], start=1.0)

    first, second = call(), call()
    assert [a.values.tobytes() for a in first.data_vars.values()] == [
        a.values.tobytes() for a in second.data_vars.values()
    ]


def test_the_steps_come_first_beside_sweeps() -> None:
    ds = mhat.trace("adam", NOISE[:, 0, 0], lr=[0.1, 0.2], beta1=xr.DataArray([0.8, 0.9], dims="decay"))
    assert list(ds.sizes) == ["step", "lr", "decay"]
