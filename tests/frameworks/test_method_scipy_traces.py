"""Traces of minimizations: bit for bit those of mhat.trace for the gradients met. Schedules, averages, tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.bridges.scipy.minimizer import method
from mhat.errors import BadValue
from tests.choices import OFTEN
from tests.frameworks.bowls import START, Counted, bowl, bowl_slope

optimize = pytest.importorskip("scipy.optimize")
minimize, rosen, rosen_der = optimize.minimize, optimize.rosen, optimize.rosen_der
ADAM = method(rules.adam, lr=0.05)


KNOBS = {"lr": 1e-4}
CLIPPED = mhat.modifiers.clipped(rules.adopt)
ACROSS = mhat.rule("""
def across(x, g, t, k, n, m=0, start="x", s="lr", *, lr=0.1):
    g = g / (1 + k)
    x = x + n - 1
    s = s * 0.9
    m = m + norm(g, over="all") * exp(-t)
    far = x - start
    return x - s * g / (1 + m) - 1e-3 * far
""")


def agrees(result: Any, rule: Any, start: Any, **knobs: Any) -> None:
    again = mhat.trace(rule, result.trace.g.values, start=start, **knobs)
    assert result.trace.drop_vars("fun").identical(again)
    assert mhat.again(result.trace).identical(result.trace)


@pytest.mark.parametrize(
    "rule", [*map(rules.named, sorted(OFTEN - {"schedule_free"})), CLIPPED, ACROSS], ids=lambda rule: rule.name
)
@pytest.mark.parametrize("start", [START, (0.5,), (3.0, -1.0, 0.25)], ids=len)
def test_a_trace_is_that_of_mhat_trace_for_the_same_gradients(rule: Any, start: Any) -> None:
    function, slope = (rosen, rosen_der) if len(start) > 1 else (bowl, bowl_slope)
    told: list[Any] = []
    options = {"trace": True, "maxiter": 40}
    made = method(rule, **KNOBS)
    result = minimize(function, start, jac=slope, method=made, callback=told.append, options=options)
    assert np.array_equal(result.trace.x, told)
    assert np.array_equal(result.trace.x[-1], result.x)
    assert np.array_equal(result.trace.fun, [function(x) for x in told])
    assert np.array_equal(result.trace.g, [slope(x) for x in (np.array(start), *told[:-1])])
    agrees(result, rule, start, **KNOBS)


def test_a_matrix_is_said_by_its_shape() -> None:
    muon = mhat.rule("""
    def turned(x, g, m=0, *, lr=0.1):
        m = 0.9 * m + g
        rows = row_mean(abs(g))
        return x - lr * orthogonal(m) - 1e-3 * rows - 1e-4 * transpose(transpose(x))
    """)
    start = np.linspace(-1, 1, 6)
    seen = Counted(lambda x: float(np.sum((x - 0.5) ** 2)))
    options = {"shape": (2, 3), "trace": True, "maxiter": 20}
    result = minimize(seen, start, jac=lambda x: 2 * (x - 0.5), method=method(muon), options=options)
    assert {x.shape for x in seen.seen} == {(6,)}
    assert result.x.shape == (6,)
    assert result.trace.x.shape == (20, 2, 3)
    assert np.array_equal(result.trace.x[-1].values.ravel(), result.x)
    agrees(result, muon, start.reshape(2, 3))


@pytest.mark.parametrize("rule", [rules.adam, rules.lamb], ids=lambda rule: rule.name)
def test_a_rule_for_any_tensor_takes_a_shape_too(rule: Any) -> None:
    start = np.linspace(-1, 1, 6)
    options = {"shape": (2, 3), "trace": True, "maxiter": 20}
    result = minimize(lambda x: float(x @ x), start, jac=lambda x: 2 * x, method=method(rule), options=options)
    agrees(result, rule, start.reshape(2, 3))


def test_a_trace_of_no_step_has_everything_and_no_length() -> None:
    options = {"trace": True, "maxiter": 0}
    ds = minimize(rosen, START, jac=rosen_der, method=ADAM, options=options).trace
    full = minimize(rosen, START, jac=rosen_der, method=ADAM, options={**options, "maxiter": 3}).trace
    assert set(ds.variables) == set(full.variables)
    assert ds.sizes == {"step": 0, "i": 2}
    assert ds.attrs == {**full.attrs, "steps": 0}


def test_a_trace_can_be_kept_and_drawn(tmp_path: Any) -> None:
    ds = minimize(rosen, START, jac=rosen_der, method=ADAM, options={"trace": True, "maxiter": 30}).trace
    mhat.save(ds, str(tmp_path / "run.nc"))
    assert mhat.load(str(tmp_path / "run.nc")).equals(ds)
    assert len(mhat.plot(ds).axes) > 0


def test_a_name_that_the_trace_needs_is_refused_only_where_one_is_asked_for() -> None:
    taken = method(mhat.rule("def taken(x, g):\n    fun = g\n    return x - fun"))
    assert minimize(bowl, np.zeros(1), jac=bowl_slope, method=taken).success
    with pytest.raises(BadValue) as error:
        minimize(bowl, np.zeros(1), jac=bowl_slope, method=taken, options={"trace": True})
    assert str(error.value) == (
        "taken has the name `fun`, which is that of the function values in a trace\nRename it in the rule."
    )


# Schedules.


def test_a_knob_over_step_is_a_schedule() -> None:
    import xarray as xr

    lr = xr.DataArray(0.1 / np.sqrt(np.arange(1, 61)), dims="step")
    made = method(rules.adam, lr=lr, beta2=0.99)
    result = minimize(rosen, START, jac=rosen_der, method=made, options={"trace": True})
    assert result.nit == 60
    agrees(result, rules.adam, START, lr=lr, beta2=0.99)
    shorter = minimize(rosen, START, jac=rosen_der, method=made, options={"trace": True, "maxiter": 20})
    assert shorter.nit == 20
    assert np.array_equal(shorter.trace.x, result.trace.x[:20])
    with pytest.raises(BadValue) as error:
        minimize(rosen, START, jac=rosen_der, method=made, options={"maxiter": 61})
    assert str(error.value) == "the schedule of lr has 60 steps and maxiter is 61\nGive a value for every step."


# Averaging rules.


AVERAGING = mhat.rule("""
def averaging(x, g, t, mean_x="x", *, lr=0.1):
    new = x - lr * g
    mean_x = mean_x + (new - mean_x) / t
    x_eval = mean_x
    return new
""")


def test_an_averaging_rule_gives_where_it_is_to_be_evaluated() -> None:
    x, path = np.zeros(2), []
    for _ in range(30):
        x = x - 0.1 * bowl_slope(x)
        path.append(x)
    means = [np.mean(path[: i + 1], axis=0) for i in range(30)]
    told: list[Any] = []
    slopes = Counted(bowl_slope)
    options = {"maxiter": 30, "gtol": 0, "trace": True}
    result = minimize(bowl, np.zeros(2), jac=slopes, method=method(AVERAGING), callback=told.append, options=options)
    np.testing.assert_allclose(told, means, rtol=1e-12)
    np.testing.assert_allclose(slopes.seen[1:31], path, rtol=1e-12)
    assert np.array_equal(result.x, told[-1])
    assert result.fun == bowl(result.x)
    assert np.array_equal(result.jac, bowl_slope(result.x))
    assert np.array_equal(result.trace.fun, [bowl(x) for x in told])
    assert result.njev == len(slopes.seen) == 32


def test_an_averaging_rule_is_evaluated_within_the_bounds() -> None:
    seen = Counted(bowl)
    bounds = [(-1.0, 0.5)] * 2
    result = minimize(seen, [-1.0, 0.0], jac=bowl_slope, method=method(AVERAGING, lr=0.5), bounds=bounds, tol=1e-2)
    assert np.min(seen.seen) >= -1.0
    assert np.max(seen.seen) <= 0.5
    assert result.success
    assert result.x == pytest.approx([0.5, 0.5], abs=1e-2)


def test_an_averaging_rule_has_converged_where_it_is_evaluated() -> None:
    slopes = Counted(bowl_slope)
    result = minimize(bowl, np.zeros(2), jac=slopes, method=method(AVERAGING), tol=1e-2)
    assert result.success
    assert np.array_equal(result.jac, bowl_slope(result.x))
    assert np.max(np.abs(result.jac)) <= 1e-2
    assert result.njev == len(slopes.seen) > result.nit + 2


def test_a_trace_with_bounds_is_that_of_a_projected_walk() -> None:
    options = {"trace": True, "maxiter": 30}
    made = method("adamw", lr=0.1, weight_decay=0.5)
    told: list[Any] = []
    bounds = [(-0.5, 0.2)] * 2
    result = minimize(rosen, START, jac=rosen_der, method=made, bounds=bounds, callback=told.append, options=options)
    assert np.array_equal(result.trace.x, told)
    assert float(result.trace.x.min()) >= -0.5
    assert float(result.trace.x.max()) <= 0.2
    assert result.trace.attrs["start"] == '{"dims": ["i"], "values": [-0.5, 0.2]}'
    assert result.trace.attrs["bounds"] == "[[-0.5, -0.5], [0.2, 0.2]]"
    # Each step is the rule's own from where the projection left x.
    x, state = np.array([-0.5, 0.2]), None
    for t, g in enumerate(result.trace.g.values, 1):
        x, state, _ = mhat.step("adamw", x, g, t, state, lr=0.1, weight_decay=0.5)
        x = np.clip(x, -0.5, 0.2)
        assert np.array_equal(x, result.trace.x[t - 1])
