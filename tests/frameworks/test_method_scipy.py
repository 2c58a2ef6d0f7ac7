"""Rules as methods of the real scipy.optimize.minimize: what they give, tell and count, and when they end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.bridges.scipy.minimizer import method
from tests.frameworks.bowls import START, WEIGHTS, Counted, bowl, bowl_slope, breaking

optimize = pytest.importorskip("scipy.optimize")
minimize, rosen, rosen_der = optimize.minimize, optimize.rosen, optimize.rosen_der
ADAM = method(rules.adam, lr=0.05)


# Ends that are reached, and what the result says.


@pytest.mark.parametrize(
    ("rule", "knobs"),
    [
        (rules.adam, {"lr": 0.05}),
        ("adam", {"lr": 0.02}),
        (rules.momentum, {"lr": 1e-3}),
        (rules.nesterov, {"lr": 1e-3}),
        (rules.adabelief, {"lr": 0.02}),
    ],
)
def test_rosenbrocks_valley_is_walked_to_its_end(rule: Any, knobs: dict[str, float]) -> None:
    result = minimize(rosen, START, jac=rosen_der, method=method(rule, **knobs))
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-4)
    assert np.max(np.abs(rosen_der(result.x))) <= 1e-5


def test_a_result_has_what_those_of_scipy_have() -> None:
    result = minimize(rosen, START, jac=rosen_der, method=ADAM)
    assert isinstance(result, optimize.OptimizeResult)
    assert set(result) == {"x", "fun", "jac", "nit", "nfev", "njev", "status", "success", "message"}
    assert result.x.shape == result.jac.shape == (2,)
    assert isinstance(result.fun, float)
    assert result.fun == rosen(result.x)
    assert np.array_equal(result.jac, rosen_der(result.x))
    assert result.nfev == result.njev == result.nit + 1
    assert (result.status, result.success) == (0, True)
    assert result.message == f"The norm of the gradient is within gtol=1e-5 after step {result.nit}."


def test_the_path_is_adams_as_one_writes_it() -> None:
    x, m, v, path = np.array(START), 0.0, 0.0, []
    for t in range(1, 201):
        g = rosen_der(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        path.append(x)
    told: list[Any] = []
    minimize(rosen, START, jac=rosen_der, method=ADAM, callback=told.append, options={"maxiter": 200})
    np.testing.assert_allclose(told, path, rtol=1e-9)


def test_one_method_serves_many_runs_each_with_a_fresh_state() -> None:
    first, second = (minimize(rosen, START, jac=rosen_der, method=ADAM) for _ in range(2))
    assert np.array_equal(first.x, second.x)
    assert first.nit == second.nit
    assert minimize(bowl, np.zeros(3), jac=bowl_slope, method=ADAM).success


def test_a_function_and_a_text_are_rules_too() -> None:
    def descent(x, g, *, lr=0.05):  # type: ignore[no-untyped-def]
        return x - lr * g

    text = mhat.rule("def descent(x, g, *, lr=0.05): return x - lr * g")
    ends = [minimize(bowl, np.zeros(3), jac=bowl_slope, method=method(each)).x for each in (descent, text)]
    assert np.array_equal(*ends)


def test_it_goes_through_the_global_methods_of_scipy() -> None:
    result = optimize.basinhopping(
        rosen, START, niter=1, minimizer_kwargs={"method": ADAM, "jac": rosen_der, "tol": 1e-3}
    )
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-2)


# x0 and what the functions are handed.


@pytest.mark.parametrize("start", [[0, 4], (0.0, 4.0), np.array([0, 4]), np.array([0.0, 4.0]), np.array([0, 4], "u1")])
def test_x0_is_what_scipy_takes_and_is_not_changed(start: Any) -> None:
    before = np.array(start)
    result = minimize(bowl, start, jac=bowl_slope, method=ADAM)
    assert result.x.dtype == np.float64
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-4)
    assert np.array_equal(before, start)


def test_a_single_number_is_one_coordinate() -> None:
    result = minimize(bowl, 5, jac=bowl_slope, method=ADAM)
    assert result.x.shape == (1,)
    assert result.success


def test_float32_stays_float32() -> None:
    seen = Counted(bowl)
    result = minimize(
        seen, np.zeros(2, np.float32), jac=bowl_slope, method=ADAM, options={"maxiter": 20, "trace": True}
    )
    assert {x.dtype for x in seen.seen} == {np.dtype(np.float32)}
    assert result.x.dtype == result.jac.dtype == np.float32
    assert result.trace.attrs["dtype"] == "float32"
    assert np.array_equal(result.trace.x[-1], result.x)


def test_what_a_function_does_to_its_arrays_changes_nothing() -> None:
    buffer = np.empty(3)

    def rude(x: Any) -> float:
        value = bowl(x)
        x[:] = np.nan
        return value

    def rude_slope(x: Any) -> Any:
        buffer[:] = bowl_slope(x)
        x[:] = np.nan
        return buffer

    def rude_callback(x: Any) -> None:
        x[:] = np.nan

    options = {"maxiter": 50, "trace": True}
    clean = minimize(bowl, np.zeros(3), jac=bowl_slope, method=ADAM, options=options)
    other = minimize(rude, np.zeros(3), jac=rude_slope, method=ADAM, options=options, callback=rude_callback)
    assert np.array_equal(clean.x, other.x)
    assert other.trace.identical(clean.trace)


def test_args_reach_both() -> None:
    def away(x: Any, centre: float, weight: float) -> float:
        return float(weight * np.sum((x - centre) ** 2))

    def slope(x: Any, centre: float, weight: float) -> Any:
        return 2 * weight * (x - centre)

    for jac in (slope, None):
        np.testing.assert_allclose(minimize(away, [0.0], (3.0, 2.0), method=ADAM, jac=jac).x, [3.0], atol=1e-4)
    one = minimize(lambda x, centre: away(x, centre, 1.0), [0.0], 3.0, method=ADAM)
    np.testing.assert_allclose(one.x, [3.0], atol=1e-4)


@pytest.mark.parametrize("form", [float, lambda v: np.array(v), lambda v: np.array([[v]]), lambda v: [v]])
def test_the_value_may_be_any_single_number(form: Any) -> None:
    result = minimize(lambda x: form(bowl(x)), np.zeros(2), jac=bowl_slope, method=ADAM)
    assert isinstance(result.fun, float)


# Callbacks.


def test_a_callback_is_told_of_every_step_in_both_styles() -> None:
    plain: list[Any] = []
    rich: list[Any] = []

    def told(intermediate_result: Any) -> None:
        rich.append(intermediate_result)

    for callback in (plain.append, told):
        result = minimize(rosen, START, jac=rosen_der, method=ADAM, callback=callback, options={"maxiter": 30})
    assert len(plain) == len(rich) == 30
    assert np.array_equal(plain, [each.x for each in rich])
    assert np.array_equal(plain[-1], result.x)
    assert [each.fun for each in rich] == [rosen(x) for x in plain]
    assert [each.nit for each in rich] == list(range(1, 31))
    assert all(isinstance(each, optimize.OptimizeResult) for each in rich)


@pytest.mark.parametrize("style", ["plain", "rich"])
def test_stop_iteration_ends_the_run(style: str) -> None:
    steps: list[int] = []

    def stopping() -> None:
        steps.append(1)
        if len(steps) == 7:
            raise StopIteration

    callbacks: dict[str, Any] = {"plain": lambda xk: stopping(), "rich": lambda intermediate_result: stopping()}
    result = minimize(rosen, START, jac=rosen_der, method=ADAM, callback=callbacks[style])
    assert (result.nit, result.status, result.success) == (7, 99, False)
    assert result.message == "`callback` raised `StopIteration`."
    bfgs = minimize(rosen, START, jac=rosen_der, callback=lambda xk: next(iter(())))
    assert (bfgs.status, bfgs.message) == (result.status, result.message)


def test_what_else_a_callback_raises_is_the_users() -> None:
    with pytest.raises(ZeroDivisionError):
        minimize(rosen, START, jac=rosen_der, method=ADAM, callback=lambda xk: 1 / 0)


# Tolerances.


def test_tol_is_the_norm_of_the_gradient() -> None:
    loose = minimize(rosen, START, jac=rosen_der, method=ADAM, tol=1e-2)
    assert loose.success
    assert 1e-5 < np.max(np.abs(loose.jac)) <= 1e-2
    same = minimize(rosen, START, jac=rosen_der, method=ADAM, options={"gtol": 1e-2})
    assert same.nit == loose.nit
    wins = minimize(rosen, START, jac=rosen_der, method=ADAM, tol=1e-9, options={"gtol": 1e-2})
    assert wins.nit == loose.nit
    assert loose.message == f"The norm of the gradient is within gtol=0.01 after step {loose.nit}."


def test_the_norm_can_be_another() -> None:
    result = minimize(bowl, np.zeros(3), jac=bowl_slope, method=method("sgd", lr=0.05), options={"norm": 2})
    before = result.x - 1
    assert np.linalg.norm(result.jac) <= 1e-5 < np.linalg.norm(WEIGHTS * before / (1 - 0.05 * WEIGHTS))


def test_xtol_asks_for_some_steps_in_a_row() -> None:
    path: list[Any] = [np.zeros(3)]
    options = {"xtol": 1e-4, "patience": 5}
    result = minimize(bowl, np.zeros(3), jac=bowl_slope, method=ADAM, callback=path.append, options=options)
    still = np.max(np.abs(np.diff(path, axis=0)), axis=1) <= 1e-4
    assert still[-5:].all()
    assert not any(still[i : i + 5].all() for i in range(len(still) - 5))
    assert result.success
    assert result.message == f"In 5 steps in a row x moved by no more than xtol=1e-4, after step {result.nit}."


def test_ftol_is_relative_to_the_function() -> None:
    heights: list[float] = [bowl(np.zeros(3)) + 1e3]

    def told(intermediate_result: Any) -> None:
        heights.append(intermediate_result.fun)

    result = minimize(
        lambda x: bowl(x) + 1e3, np.zeros(3), jac=bowl_slope, method=ADAM, callback=told, options={"ftol": 1e-7}
    )
    still = np.abs(np.diff(heights)) <= 1e-7 * np.array(heights[1:])
    assert still[-10:].all()
    assert not any(still[i : i + 10].all() for i in range(len(still) - 10))
    assert result.message == (
        f"In 10 steps in a row the function changed by no more than ftol=1e-7, after step {result.nit}."
    )


@pytest.mark.parametrize("steps", [0, 1, 25])
def test_maxiter_ends_the_run(steps: int) -> None:
    result = minimize(rosen, START, jac=rosen_der, method=ADAM, options={"maxiter": steps})
    assert (result.nit, result.status, result.success) == (steps, 1, False)
    length = np.max(np.abs(result.jac))
    assert result.message == f"{steps} steps are done (maxiter); the gradient's norm is {length:.4g}."


def test_a_start_at_the_minimum_is_the_end() -> None:
    result = minimize(rosen, [1.0, 1.0], jac=rosen_der, method=ADAM)
    assert (result.nit, result.success, result.nfev) == (0, True, 1)
    assert result.message == "The norm of the gradient is within gtol=1e-5 at x0."


# What is not finite.


@pytest.mark.parametrize(("at", "where"), [(0, "at x0"), (1, "after step 1"), (12, "after step 12")])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_function_that_is_not_finite_ends_the_run(at: int, where: str, value: float) -> None:
    result = minimize(breaking(at, value, bowl), np.zeros(2), jac=bowl_slope, method=ADAM)
    assert (result.nit, result.status, result.success) == (at, 3, False)
    assert result.message == f"The function is not finite {where}."
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize(("at", "where"), [(0, "at x0"), (12, "after step 12")])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_ends_the_run(at: int, where: str, value: float) -> None:
    result = minimize(bowl, np.zeros(2), jac=breaking(at, value, bowl_slope), method=ADAM)
    assert (result.nit, result.status, result.success) == (at, 3, False)
    assert result.message == f"The gradient is not finite {where}."


def test_an_x_that_is_not_finite_ends_the_run_and_is_handed_to_nobody() -> None:
    counted = Counted(lambda x: float(np.sum(np.abs(x))))
    options = {"trace": True}
    huge = method(mhat.rule("def leap(x, g, t): return x - 1e300 * g * 1e5 ** t"))
    result = minimize(counted, [3.0, 1.0], jac=lambda x: np.sign(x), method=huge, options=options)
    assert result.message == f"x is not finite after step {result.nit}."
    assert (result.status, result.success) == (3, False)
    assert np.isfinite(counted.seen).all()
    assert not np.isfinite(result.x).any()
    assert math.isnan(result.fun)
    assert result.trace.sizes["step"] == result.nit


# The best point.


def climbing() -> Any:
    # Beyond the stable rate of the steepest coordinate: down at first, then up and up.
    return method("sgd", lr=0.21)


def test_the_last_point_is_given_unless_the_best_is_asked_for() -> None:
    path: list[Any] = [np.zeros(3)]
    options = {"maxiter": 60}
    last = minimize(bowl, np.zeros(3), jac=bowl_slope, method=climbing(), callback=path.append, options=options)
    assert np.array_equal(last.x, path[-1])
    heights = [bowl(x) for x in path]
    lowest = int(np.argmin(heights))
    assert lowest != 60
    best = minimize(bowl, np.zeros(3), jac=bowl_slope, method=climbing(), options={**options, "best": True})
    assert (best.step, best.fun, best.nit) == (lowest, heights[lowest], 60)
    assert np.array_equal(best.x, path[lowest])
    assert np.array_equal(best.jac, bowl_slope(best.x))
    where = f"after step {lowest}" if lowest else "x0"
    assert best.message == f"{last.message} x is the best point seen, {where}."


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_the_best_point_is_finite_where_one_was(value: float) -> None:
    function = breaking(5, value, bowl)
    result = minimize(function, np.zeros(2), jac=bowl_slope, method=ADAM, options={"best": True})
    assert math.isfinite(result.fun)
    assert result.step == 4
    assert not result.success


BOUNDS = [
    optimize.Bounds([-1.0, -np.inf, 0.5], [0.25, 0.5, np.inf]),
    [(-1.0, 0.25), (None, 0.5), (0.5, None)],
    np.array([[-1.0, 0.25], [-np.inf, 0.5], [0.5, np.inf]]),
]


@pytest.mark.parametrize("bounds", BOUNDS, ids=["Bounds", "pairs", "array"])
@pytest.mark.parametrize("jac", [bowl_slope, None, "3-point"], ids=["jac", "None", "3-point"])
def test_bounds_are_kept_at_every_call_and_lead_where_scipy_goes(bounds: Any, jac: Any) -> None:
    counted = Counted(bowl)
    result = minimize(counted, np.zeros(3), jac=jac, method=ADAM, bounds=bounds, options={"gtol": 1e-6})
    assert result.success, result.message
    theirs = minimize(bowl, np.zeros(3), jac=bowl_slope, method="L-BFGS-B", bounds=bounds)
    np.testing.assert_allclose(result.x, theirs.x, atol=1e-5)
    low, high = np.array([-1.0, -np.inf, 0.5]), np.array([0.25, 0.5, np.inf])
    assert all(np.all((low <= x) & (x <= high)) for x in counted.seen)
