"""The gradient of a minimization by a rule: given, given with the function, by SciPy's differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.bridges.scipy.minimizer import method
from tests.frameworks.bowls import START, Counted, both, bowl, bowl_of_any, bowl_slope

optimize = pytest.importorskip("scipy.optimize")
minimize, rosen, rosen_der = optimize.minimize, optimize.rosen, optimize.rosen_der
ADAM = method(rules.adam, lr=0.05)


def test_a_function_that_gives_both_is_called_once_a_point() -> None:
    counted = Counted(both)
    result = minimize(counted, np.zeros(3), jac=True, method=ADAM)
    assert result.success
    assert len(counted.seen) == result.nit + 1 == result.nfev == result.njev
    assert np.array_equal(result.x, minimize(bowl, np.zeros(3), jac=bowl_slope, method=ADAM).x)


def test_without_a_gradient_it_is_scipys_differences() -> None:
    counted = Counted(rosen)
    result = minimize(counted, START, method=ADAM, options={"maxiter": 0})
    assert np.array_equal(result.jac, optimize.approx_fprime(START, rosen, math.sqrt(np.finfo(float).eps)))
    assert result.nfev == len(counted.seen) == 3
    assert result.njev == 1
    wide = minimize(rosen, START, method=ADAM, options={"maxiter": 0, "eps": 1e-3})
    assert np.array_equal(wide.jac, optimize.approx_fprime(START, rosen, 1e-3))


@pytest.mark.parametrize(("way", "calls", "error"), [("2-point", 3, 1e-6), ("3-point", 5, 1e-9), ("cs", 3, 1e-14)])
def test_other_ways_of_differences_are_an_option(way: str, calls: int, error: float) -> None:
    counted = Counted(rosen)
    result = minimize(counted, START, method=ADAM, options={"maxiter": 0, "differences": way})
    np.testing.assert_allclose(result.jac, rosen_der(START), rtol=error)
    assert result.nfev == len(counted.seen) == calls
    # SciPy hands over none of these; whoever calls the method without it does.
    assert np.array_equal(ADAM(rosen, START, jac=way, maxiter=0).jac, result.jac)


def test_differences_of_a_given_relative_step() -> None:
    options = {"maxiter": 0, "finite_diff_rel_step": 1e-2}
    result = minimize(lambda x: float(x[0] ** 2), [3.0], method=ADAM, options=options)
    assert result.jac[0] == pytest.approx(6.03)


def test_differences_of_float32_are_not_lost_in_it() -> None:
    result = minimize(rosen, np.zeros(2, np.float32), method=ADAM, options={"maxiter": 0})
    np.testing.assert_allclose(result.jac, rosen_der(np.zeros(2)), atol=0.05)


@pytest.mark.parametrize("options", [{}, {"differences": "cs"}, {"eps": [1e-6, 1e-7, 1e-6]}], ids=str)
def test_a_coordinate_whose_bounds_are_equal_stays_where_it_is(options: dict[str, Any]) -> None:
    counted = Counted(bowl_of_any)
    bounds = [(None, None), (0.25, 0.25), (None, 3.0)]
    result = minimize(counted, np.zeros(3), method=ADAM, bounds=bounds, options=options)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1.0, 0.25, 1.0], atol=1e-4)
    assert {complex(x[1]) for x in counted.seen} == {0.25}
    assert result.jac[1] == 0.0
    all_fixed = minimize(bowl, np.zeros(3), method=ADAM, bounds=[(0.5, 0.5)] * 3)
    assert (all_fixed.nit, all_fixed.success, all_fixed.x.tolist()) == (0, True, [0.5] * 3)


def test_differences_run_to_the_end() -> None:
    result = minimize(rosen, START, method=ADAM, jac="3-point")
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-4)
    assert result.nfev == 3 * result.njev == 3 * (result.nit + 1)
