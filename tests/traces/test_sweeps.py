"""Knobs with dimensions: sweeps, grids and schedules give what single runs give."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mhat
from tests.traces.test_schema import NOISE, ON_MATRICES, ON_TENSORS, dims

FLAT = NOISE[..., 0]


def test_a_plain_list_is_a_sweep_along_its_own_name() -> None:
    ds = mhat.trace("adam", FLAT, beta2=[0.9, 0.99, 0.999])
    assert ds.beta2.values.tolist() == [0.9, 0.99, 0.999]
    assert dims(ds)["v"] == ("step", "beta2", "i")
    assert dims(ds)["m"] == dims(ds)["m_hat"] == dims(ds)["g"] == ("step", "i")
    for beta2 in (0.9, 0.99, 0.999):
        one = mhat.trace("adam", FLAT, beta2=beta2)
        for name, array in one.data_vars.items():
            ours = ds[name].sel(beta2=beta2) if "beta2" in ds[name].dims else ds[name]
            np.testing.assert_array_equal(ours, array)


def test_a_sweep_over_a_dimension_with_another_name() -> None:
    ds = mhat.trace("adam", FLAT, lr=xr.DataArray([0.1, 0.2], dims="run", coords={"run": ["slow", "quick"]}))
    assert dims(ds)["x"] == ("step", "run", "i")
    assert ds.lr.dims == ("run",)
    np.testing.assert_array_equal(ds.x.sel(run="quick"), mhat.trace("adam", FLAT, lr=0.2).x)


def test_two_knobs_over_one_dimension_go_together() -> None:
    both = {"lr": xr.DataArray([0.1, 0.2], dims="run"), "eps": xr.DataArray([1.0, 2.0], dims="run")}
    ds = mhat.trace("adam", FLAT, **both)
    assert ds.x.dims == ("step", "run", "i")
    np.testing.assert_array_equal(ds.x.isel(run=1), mhat.trace("adam", FLAT, lr=0.2, eps=2.0).x)


@pytest.mark.parametrize("rule", ["adam", "lamb"])
def test_two_knobs_are_a_grid(rule: str) -> None:
    ds = mhat.trace(rule, NOISE, tensor="j", lr=[0.1, 0.2], beta1=[0.0, 0.5, 0.9], start=1.0)
    assert ds.x.dims == ("step", "lr", "beta1", "i", "j")
    one = mhat.trace(rule, NOISE, tensor="j", lr=0.2, beta1=0.5, start=1.0)
    np.testing.assert_array_equal(ds.x.sel(lr=0.2, beta1=0.5), one.x)
    np.testing.assert_array_equal(ds.m.sel(beta1=0.5), one.m)


def test_a_knob_for_each_coordinate() -> None:
    ds = mhat.trace("adam", FLAT, lr=xr.DataArray([0.1, 0.2, 0.3], dims="i"))
    assert ds.x.dims == ("step", "i")
    np.testing.assert_array_equal(ds.x[:, 2], mhat.trace("adam", FLAT[:, 2], lr=0.3).x)


def test_a_schedule_is_a_knob_over_step() -> None:
    ds = mhat.trace("sgd", [1.0, 1.0, 1.0], lr=xr.DataArray([0.5, 0.25, 0.125, 9.0], dims="step"))
    assert ds.x.values.tolist() == [-0.5, -0.75, -0.875]
    assert ds.lr.dims == ("step",) and ds.lr.values.tolist() == [0.5, 0.25, 0.125]


def test_a_schedule_may_be_a_sweep_too() -> None:
    rates = xr.DataArray(np.linspace(0.1, 1.0, 15).reshape(5, 3), dims=("step", "run"))
    ds = mhat.trace("adamw", FLAT, lr=rates, weight_decay=[0.0, 0.5], start=1.0)
    assert ds.x.dims == ("step", "weight_decay", "run", "i")
    one = mhat.trace("adamw", FLAT, lr=rates.isel(run=1), weight_decay=0.5, start=1.0)
    np.testing.assert_array_equal(ds.x.sel(weight_decay=0.5).isel(run=1), one.x)


def test_a_schedule_of_a_state_s_start() -> None:
    rule = mhat.rule("def f(x, g, u='lr', *, lr=1):\n    u = u * 2\n    return x - u * g")
    ds = mhat.trace(rule, [1.0, 1.0], lr=xr.DataArray([3.0, 5.0], dims="step"))
    assert ds.u.values.tolist() == [6.0, 12.0]


@pytest.mark.parametrize("rule", [ON_TENSORS, ON_MATRICES], ids=["tensors", "matrices"])
def test_sweeps_of_rules_on_tensors_and_matrices(rule: mhat.Rule) -> None:
    ds = mhat.trace(rule, NOISE, lr=[0.1, 0.2])
    for lr in (0.1, 0.2):
        xr.testing.assert_equal(ds.sel(lr=lr, drop=True), mhat.trace(rule, NOISE, lr=lr))


@pytest.mark.parametrize("rule", ["adam", "lamb"])
def test_sweeps_on_a_landscape(rule: str) -> None:
    start = xr.DataArray([[-1.0, 1.0], [0.5, 0.5], [2.0, 1.0]], dims=("s", "i"))
    ds = mhat.trace(rule, "rosenbrock", steps=9, start=start, lr=[0.01, 0.1])
    assert ds.x.dims == ds.g.dims == ("step", "lr", "s", "i")
    one = mhat.trace(rule, "rosenbrock", steps=9, start=(0.5, 0.5), lr=0.1)
    xr.testing.assert_allclose(ds.x.sel(lr=0.1, drop=True).isel(s=1), one.x, rtol=1e-15)
    np.testing.assert_array_equal(ds.g.isel(step=0, lr=0, s=1), mhat.landscapes.rosenbrock().gradient([0.5, 0.5]))


def test_a_landscape_projects() -> None:
    ds = mhat.trace("sgd", "reddi", steps=200, lr=10.0)
    assert float(abs(ds.x).max()) == 1.0


def test_a_landscape_runs_a_thousand_steps_unless_told() -> None:
    assert mhat.trace("sgd", "beale", keep="x", lr=1e-3).sizes["step"] == 1000
