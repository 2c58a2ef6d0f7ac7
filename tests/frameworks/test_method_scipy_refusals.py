"""What a method of SciPy warns of, refuses and prints, as exact texts; and how it is reached."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import rules
from mhat.bridges.scipy.minimizer import method
from mhat.errors import BadValue, MhatError, MissingExtra, UnknownName
from tests.frameworks.bowls import START, bowl, bowl_slope

optimize = pytest.importorskip("scipy.optimize")
minimize, rosen, rosen_der = optimize.minimize, optimize.rosen, optimize.rosen_der
ADAM = method(rules.adam, lr=0.05)


BAD_BOUNDS: dict[str, tuple[Any, str]] = {
    "crossed": (
        [(0, 1), (2, 1)],
        "the lower bound 2 of coordinate 1 is not below its upper bound 1\nGive bounds with lower <= upper.",
    ),
    "nan": (
        [(0, 1), (math.nan, 1)],
        "the lower bound nan of coordinate 1 is not below its upper bound 1\nGive bounds with lower <= upper.",
    ),
    "too many": (
        [(0, 1)] * 3,
        "the bounds do not fit the 2 coordinates of x0\nGive one lower and one upper bound for each.",
    ),
    "no pairs": (
        [0, 1],
        "bounds=[0, 1] are no pairs\nGive scipy.optimize.Bounds(lower, upper), or a pair for each coordinate.",
    ),
    "no numbers": (
        [("a", 1), (0, 1)],
        "the bounds do not fit the 2 coordinates of x0\nGive one lower and one upper bound for each.",
    ),
}


@pytest.mark.parametrize("case", BAD_BOUNDS.values(), ids=BAD_BOUNDS)
def test_bounds_that_cannot_be_are_refused(case: tuple[Any, str]) -> None:
    with pytest.raises(BadValue) as error:
        minimize(rosen, START, jac=rosen_der, method=ADAM, bounds=case[0])
    assert str(error.value) == case[1]


# What is not used, and what is not known.


LINE = {"type": "eq", "fun": lambda x: x[0] - 1}
WARNED: dict[str, tuple[dict[str, Any], type[Warning], str]] = {
    "hess": (
        {"hess": lambda x: np.eye(2)}, RuntimeWarning, "Method adam does not use Hessian information (hess).",
    ),
    "hessp": (
        {"hessp": lambda x, p: p}, RuntimeWarning,
        "Method adam does not use Hessian-vector product information (hessp).",
    ),
    "constraints": ({"constraints": LINE}, RuntimeWarning, "Method adam cannot handle constraints."),
    "options": (
        {"options": {"xrtol": 0, "return_all": True}}, optimize.OptimizeWarning,
        "Unknown solver options: xrtol, return_all",
    ),
    "a knob": (
        {"options": {"lr": 0.1}}, optimize.OptimizeWarning,
        "Unknown solver options: lr (`lr` is a knob: method(adam, lr=...))",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNED.values(), ids=WARNED)
def test_what_is_not_used_is_warned_of_in_scipys_words(case: tuple[dict[str, Any], type[Warning], str]) -> None:
    arguments, kind, text = case
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = minimize(bowl, np.zeros(2), jac=bowl_slope, method=ADAM, **arguments)
    assert [(each.category, str(each.message)) for each in caught] == [(kind, text)]
    assert caught[0].filename == __file__
    assert result.success


def test_the_words_are_scipys() -> None:
    for name in ("hess", "hessp", "constraints"):
        arguments, kind, text = WARNED[name]
        with pytest.warns(kind) as caught:
            minimize(bowl, np.zeros(2), jac=bowl_slope, method="BFGS", **arguments)
        assert str(caught[0].message) == text.replace("adam", "BFGS")


NO_NUMBER = "Give lr a number."
REFUSED_KNOBS: dict[str, tuple[Any, dict[str, Any], type[MhatError], str]] = {
    "unknown rule": (
        "adma", {}, UnknownName, "there is no rule `adma`\nDid you mean `adam`? `mhat rules` lists them.",
    ),
    "unknown knob": ("adam", {"beta": 1}, UnknownName, "there is no knob of adam `beta`\nDid you mean `beta1`?"),
    "out of range": (
        "adam", {"beta1": 1.0}, BadValue,
        "beta1=1.0 is out of its range (decay rate of the first moment, the average of the gradients)\n"
        "Choose beta1 with 0 <= beta1 < 1.",
    ),
    "nan": (
        "adam", {"lr": np.nan}, BadValue,
        "lr=nan is out of its range (learning rate: the size of a step)\nChoose lr with 0 <= lr.",
    ),
    "text": ("adam", {"lr": "0.1"}, BadValue, f"lr='0.1' is not a number\n{NO_NUMBER}"),
    "truth": ("adam", {"lr": True}, BadValue, f"lr=True is not a number\n{NO_NUMBER}"),
    "list": (
        "adam", {"lr": [0.1, 0.2]}, BadValue,
        "lr has 2 values, and a minimization runs with one\n"
        "Give lr a number, or a schedule: numbers in a DataArray over the dimension `step`.",
    ),
    "huge": (
        "adam", {"lr": 10**400}, BadValue, "`lr` is a number that no float can hold\nGive a smaller one, or lr=inf.",
    ),
    "labels": (
        "adam", {"lr": xr.DataArray(np.full(3, 0.1), dims="step", coords={"step": [1, 3, 4]})}, BadValue,
        "the schedule of lr has the value of step 3 at step 2\n"
        "Label the steps 1, 2, 3 ..., or leave the labels out: schedule.drop_vars('step').",
    ),
    "no mapping": (
        "adam", {"knobs": 3}, BadValue, 'knobs=3 is no mapping\nGive names and values: knobs={"lr": 0.01}.',
    ),
    "twice": (
        "adam", {"lr": 1, "knobs": {"lr": 2}}, BadValue,
        "the knob `lr` is given twice\nGive it by keyword or in knobs={...}.",
    ),
    "no rule": (None, {}, BadValue, "None is no rule\nGive a rule, a function written as one, or a name."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_KNOBS.values(), ids=REFUSED_KNOBS)
def test_rules_and_knobs_are_refused_before_anything_runs(case: tuple[Any, dict[str, Any], Any, str]) -> None:
    rule, knobs, kind, text = case
    with pytest.raises(kind) as error:
        method(rule, **knobs)
    assert str(error.value) == text


REFUSED_CALLS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "gtol": ({"tol": -1}, BadValue, "`tol` is -1\nGive a number of at least zero: tol=1e-6."),
    "xtol": ({"options": {"xtol": "x"}}, BadValue, "`xtol` is 'x', which is no number\nGive a number: xtol=0.5."),
    "maxiter": (
        {"options": {"maxiter": 2.5}}, BadValue,
        "`maxiter` is 2.5\nGive a whole number of at least 0: maxiter=1.",
    ),
    "patience": (
        {"options": {"patience": 0}}, BadValue,
        "`patience` is 0\nGive a whole number of at least 1: patience=2.",
    ),
    "differences": (
        {"options": {"differences": "4-point"}, "jac": None}, UnknownName,
        "there is no way of differences `4-point`\nDid you mean `3-point`?",
    ),
    "differences and jac": (
        {"options": {"differences": "3-point"}}, BadValue,
        "differences='3-point' is asked for and jac is given\nLeave one of them out.",
    ),
    "shape": (
        {"options": {"shape": (3, 4)}}, BadValue,
        "the shape (3, 4) has 12 numbers and x0 has 2\nGive both the same size.",
    ),
    "no shape": (
        {"options": {"shape": None}, "method": method(mhat.rule("def whole(x, g): return x - transpose(g)"))}, BadValue,
        "whole is a rule per matrix and x has the shape (2,)\n"
        "Say how x0 is a matrix: options={'shape': (rows, columns)}.",
    ),
    "norm": (
        {"options": {"norm": 0}}, BadValue,
        "`norm` is 0\nGive the order of a norm: norm=2, or inf for the largest coordinate.",
    ),
    "trace": ({"options": {"trace": "no"}}, BadValue, "`trace` is 'no'\nGive True or False: trace=True."),
    "eps": (
        {"options": {"eps": "x"}, "jac": None}, BadValue,
        "`eps` is 'x'\nGive a number, or one a coordinate: eps=1e-8.",
    ),
    "eps that is no number": (
        {"options": {"eps": math.nan}, "jac": None}, BadValue, "`eps` is nan\nGive finite numbers: eps=1e-8.",
    ),
    "more eps": (
        {"options": {"eps": [1e-8] * 3}, "jac": None}, BadValue,
        "`eps` has 3 numbers and x0 has 2\nGive a number, or one a coordinate.",
    ),
    "complex x0": ({"x0": [1j, 1.0]}, BadValue, "x0 holds values of type complex128\nGive real numbers."),
    "text x0": ({"x0": ["a", "b"]}, BadValue, "x0 holds values of type <U1\nGive real numbers."),
    "long jac": (
        {"jac": lambda x: np.zeros(3)}, BadValue,
        "jac gave 3 numbers for an x of 2\nLet it return the gradient: one real number for each coordinate.",
    ),
    "no jac": (
        {"jac": lambda x: None}, BadValue,
        "jac gave values of type object for an x of 2\n"
        "Let it return the gradient: one real number for each coordinate.",
    ),
    "no number": (
        {"fun": lambda x: None}, ValueError, "The user-provided objective function must return a scalar value.",
    ),
    "a complex number": (
        {"fun": lambda x: 1j}, ValueError, "The user-provided objective function must return a scalar value.",
    ),
    "a vector": (
        {"fun": lambda x: x}, ValueError, "The user-provided objective function must return a scalar value.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_CALLS.values(), ids=REFUSED_CALLS)
def test_calls_that_cannot_be_are_refused(case: tuple[dict[str, Any], Any, str]) -> None:
    changes, kind, text = case
    arguments = {"fun": rosen, "x0": START, "jac": rosen_der, "method": ADAM, **changes}
    with pytest.raises(kind) as error:
        minimize(**arguments)
    assert str(error.value) == text


# Printing, names, and no SciPy.


def test_disp_prints_as_scipys_methods_do(capsys: pytest.CaptureFixture[str]) -> None:
    result = minimize(bowl, np.zeros(2), jac=bowl_slope, method=ADAM, options={"disp": True})
    ours = capsys.readouterr().out.splitlines()
    minimize(bowl, np.zeros(2), jac=bowl_slope, method="BFGS", options={"disp": True})
    theirs = capsys.readouterr().out.splitlines()
    assert ours[0] == result.message
    assert [line.partition(":")[0] for line in ours[1:]] == [line.partition(":")[0] for line in theirs[1:]]
    assert ours[2] == f"         Iterations: {result.nit}"
    with pytest.warns(optimize.OptimizeWarning, match=r"^3 steps are done \(maxiter\)") as caught:
        minimize(bowl, np.zeros(2), jac=bowl_slope, method=ADAM, options={"disp": True, "maxiter": 3})
    assert caught[0].filename == __file__
    assert capsys.readouterr().out.splitlines()[1] == "         Iterations: 3"


def test_nothing_is_printed_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    minimize(bowl, np.zeros(2), jac=bowl_slope, method=ADAM)
    assert capsys.readouterr() == ("", "")


def test_a_method_says_what_it_is() -> None:
    assert repr(ADAM) == "<method adam with lr=0.05>"
    assert repr(method("sgd")) == "<method sgd>"
    schedule = xr.DataArray(np.full(50, 0.1), dims="step")
    assert repr(method("adam", lr=schedule, beta1=0.8)) == "<method adam with beta1=0.8, lr over 50 steps>"


def test_a_knob_may_have_any_name() -> None:
    """No name of `minimize` or of `method` stands in a knob's way."""
    named = mhat.rule(
        "def f(x, g, *, knobs=1, rule=1, fun=1, maxiter=1, lr=1):\n    return x - lr * rule * knobs * g / 8"
    )
    made = method(named, rule=0.5, fun=2, maxiter=3, knobs={"knobs": 0.5})
    assert made.knobs == {"rule": 0.5, "fun": 2.0, "maxiter": 3.0, "knobs": 0.5}
    assert minimize(bowl, np.zeros(2), jac=bowl_slope, method=made).success


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_method_travels_to_other_processes(copied: Any) -> None:
    made = method("adam", lr=xr.DataArray(np.full(5, 0.1), dims="step"), beta1=0.8)
    ours, theirs = (minimize(bowl, np.zeros(2), jac=bowl_slope, method=each) for each in (made, copied(made)))
    assert ours.x.tobytes() == theirs.x.tobytes()
    assert repr(copied(made)) == repr(made)


def test_a_missing_scipy_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.delitem(sys.modules, "scipy.optimize")
    with pytest.raises(MissingExtra) as error:
        method("adam")
    assert str(error.value) == "SciPy is not installed\nInstall it with: pip install 'mhat[scipy]'"


def test_it_is_reached_from_the_door_and_scipy_waits_until_it_is_used() -> None:
    code = """
import sys, mhat
assert not {"numpy", "scipy"} & set(sys.modules)
make = mhat.bridges.scipy.method
assert "scipy" not in sys.modules
make(mhat.rules.adam, lr=0.05)
assert "scipy.optimize" in sys.modules
import mhat.bridges.scipy.minimizer
assert mhat.bridges.scipy.method is make
assert {"keras", "numpy", "optax", "scipy", "torch"} == set(dir(mhat.bridges))
try:
    mhat.bridges.scypi
except AttributeError as error:
    assert str(error) == "module 'mhat.bridges' has no attribute 'scypi'"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
