"""The plan chooses by size and level, and what it chooses changes no bit of a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import rules
from mhat.engines import plan
from mhat.engines.running import run_on_arrays, run_on_floats
from mhat.engines.work import Work
from tests.choices import BIT_FOR_BIT, often

WILD = [1.0, -2.0, 0.0, -0.0, 1e-200, 3.0, 1e200, 5e-324, 7.0, 65520.0, 3.4e38, 6e-8, 1e-40, np.inf, 1.0, np.nan, 2.0]
CALM = np.random.default_rng(3).standard_normal(40)


def traced(engine: str, monkeypatch: pytest.MonkeyPatch, *arguments: Any, **more: Any) -> xr.Dataset:
    with monkeypatch.context() as patched:
        patched.setattr(plan, "choose", lambda work: engine)
        return mhat.trace(*arguments, **more)


def check_same_bits(one: xr.Dataset, other: xr.Dataset) -> None:
    xr.testing.assert_identical(one, other)
    for name, array in one.data_vars.items():
        ours, theirs = array.values, other[name].values
        np.testing.assert_array_equal(np.signbit(ours) & ~np.isnan(ours), np.signbit(theirs) & ~np.isnan(theirs))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("stream", [WILD, CALM], ids=["wild", "calm"])
@pytest.mark.parametrize("name", often(BIT_FOR_BIT))
def test_every_rule_gives_the_same_trace(name: str, stream: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for more in ({}, {"start": 0.5, "lr": 0.25}):
        given = dict(more, dtype=dtype)
        floats = traced("floats", monkeypatch, name, stream, **given)
        check_same_bits(floats, traced("arrays", monkeypatch, name, stream, **given))


@pytest.mark.parametrize("name", ["lamb"])
def test_rules_on_tensors_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for shape in [(40, 1), (10, 4), (5, 4, 2)]:
        stream = CALM.reshape(shape)
        floats = traced("floats", monkeypatch, name, stream, start=0.5)
        check_same_bits(floats, traced("arrays", monkeypatch, name, stream, start=0.5))


def test_schedules_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lr = xr.DataArray(np.linspace(0.1, 1, 40), dims="step")
    beta1 = xr.DataArray(np.linspace(0, 0.9, 40), dims="step")
    floats = traced("floats", monkeypatch, "adam", CALM, lr=lr, beta1=beta1)
    check_same_bits(floats, traced("arrays", monkeypatch, "adam", CALM, lr=lr, beta1=beta1))


def test_a_batch_is_what_its_members_are() -> None:
    together = mhat.trace("adam", CALM.reshape(10, 4), lr=0.1)
    for i in range(4):
        alone = mhat.trace("adam", CALM.reshape(10, 4)[:, i], lr=0.1)
        xr.testing.assert_equal(together.isel(i=i), alone)


def work(rule: Any = rules.adam, **more: Any) -> Work:
    given: dict[str, Any] = {"gradients": np.ones(5), "steps": 5, "keep": ("x",), **more}
    return Work(rule, **given)


MATRIX = mhat.rule("def f(x, g): return x - transpose(transpose(g))")
OVER_ALL = mhat.rule("def f(x, g): return x - g / norm(g, over='all')")


@pytest.mark.parametrize(
    ("given", "engine"),
    [
        (work(), "floats"),
        (work(start=2.0, knobs={"lr": 0.5}), "floats"),
        (work(schedules={"lr": np.ones(5)}), "floats"),
        (work(rules.lamb, gradients=np.ones((5, 2)), tensor_dimensions=1), "floats"),
        (work(rules.lamb, gradients=np.ones((5, 3)), tensor_dimensions=1), "arrays"),
        (work(gradients=np.ones((2, 5))), "arrays"),
        (work(knobs={"lr": np.ones(3)}), "arrays"),
        (work(schedules={"lr": np.ones((3, 5))}), "arrays"),
        (work(start=np.ones(2)), "arrays"),
        (work(gradients=lambda x, t: x, start=np.ones(1), tensor_dimensions=1), "arrays"),
        (work(MATRIX, gradients=np.ones((5, 1, 1)), tensor_dimensions=2), "arrays"),
        (work(OVER_ALL), "arrays"),
        (work(rules.lamb, gradients=np.ones((5, 2)), several_dimensions=1), "arrays"),
    ],
)
def test_the_plan(given: Work, engine: str) -> None:
    assert plan.choose(given) == engine


def test_an_engine_can_be_named() -> None:
    ones = {name: plan.run(work(), name)["x"] for name in plan.ENGINES}
    np.testing.assert_array_equal(ones["floats"], ones["arrays"])
    np.testing.assert_array_equal(plan.run(work())["x"], run_on_floats(work())["x"])
    assert plan.ENGINES["arrays"] is run_on_arrays


def test_progress_is_reported_by_all() -> None:
    """Kernels run all steps at once, and report the last."""
    for engine in plan.ENGINES:
        seen: list[int] = []
        plan.run(work(report=seen.append), engine)
        assert seen == ([5] if engine == "kernels" else [1, 2, 3, 4, 5])
