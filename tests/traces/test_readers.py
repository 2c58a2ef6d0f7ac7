"""The readers of a trace give what was asked for it, and say what they cannot read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat.errors import BadValue, LanguageError
from mhat.traces.schema import Ran, is_trace, knobs_of, landscape_of, rule_of, start_of, tensor_of, what_ran

NOISE = np.random.default_rng(0).standard_normal((5, 3, 2))
LABELLED = xr.DataArray(NOISE[..., 0], dims=("step", "i"), coords={"i": ["a", "b", "c"]})


def test_the_rule_and_its_knobs() -> None:
    ds = mhat.trace("adam", NOISE, eps=0.5, beta2=[0.9, 0.99])
    assert rule_of(ds) == mhat.rules.adam
    assert knobs_of(ds) == {"lr": 1e-3, "beta1": 0.9, "eps": 0.5}
    assert is_trace(ds) and not is_trace(ds.isel(step=0)) and not is_trace(xr.Dataset())


def test_knobs_and_starts_that_are_not_finite_are_read_and_run_again() -> None:
    """JSON has no word for them: they stand there as texts."""
    rule = mhat.rule("def f(x, g, *, most=1):\n    return x - minimum(g, most)")
    ds = mhat.trace(rule, [1.0, 2.0], start=-math.inf, most=math.inf)
    assert (ds.attrs["knobs"], ds.attrs["start"]) == ('{"most": "inf"}', '"-inf"')
    assert knobs_of(ds) == {"most": math.inf} and start_of(ds) == -math.inf
    xr.testing.assert_identical(mhat.again(ds), ds)
    old = ds.assign_attrs(knobs='{"most": Infinity}', start="-Infinity")
    assert knobs_of(old) == {"most": math.inf} and start_of(old) == -math.inf


def test_the_start_has_the_labels_of_the_trace() -> None:
    start = start_of(mhat.trace("sgd", LABELLED, start=[1.0, math.nan, 3.0]))
    xr.testing.assert_identical(start, xr.DataArray([1.0, math.nan, 3.0], dims="i", coords={"i": ["a", "b", "c"]}))
    assert start_of(mhat.trace("sgd", [1.0])) == 0.0 and start_of(xr.Dataset()) is None


def test_the_tensor_and_the_landscape() -> None:
    assert tensor_of(mhat.trace("lamb", NOISE, tensor="j")) == ("j",)
    assert tensor_of(mhat.trace("adam", NOISE)) == tensor_of(xr.Dataset()) == ()
    found = landscape_of(mhat.trace("sgd", "ravine:50", steps=2))
    assert found is not None and found.recipe == "ravine:50"
    assert landscape_of(mhat.trace("sgd", [1.0])) is None


@pytest.mark.parametrize(
    ("ds", "ran"),
    [
        (mhat.trace("sgd", "constant:10", steps=3, dtype="float32"),
         Ran("sgd", mhat.rules.sgd.paper, "constant:10", False, 3, "float32")),
        (mhat.trace("sgd", mhat.streams.normal(seed=1, steps=2)),
         Ran("sgd", mhat.rules.sgd.paper, "normal:seed=1", False, 2, "float64")),
        (mhat.trace("sgd", [1.0]), Ran("sgd", mhat.rules.sgd.paper, "", False, 1, "float64")),
        (mhat.trace("sgd", "reddi", steps=4), Ran("sgd", mhat.rules.sgd.paper, "reddi", True, 4, "float64")),
        (xr.Dataset(), Ran("", "", "", False, 0, "float64")),
    ],
)  # fmt: skip
def test_what_ran(ds: xr.Dataset, ran: Ran) -> None:
    assert what_ran(ds) == ran


CURE = "Give a file saved by mhat."


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("knobs", "{"), ("knobs", "[1]"), ("knobs", '{"lr": "fast"}'), ("knobs", '{"lr": [1]}'), ("start", '"a"'),
        ("start", '{"dims": ["i"]}'), ("start", '{"dims": ["i"], "values": 3}'), ("tensor", "3"), ("tensor", ""),
        ("steps", "many"), ("knobs", "[" * 100_000),
    ],
)  # fmt: skip
def test_an_attribute_that_cannot_be_read_is_named(attribute: str, value: Any) -> None:
    ds = mhat.trace("adam", LABELLED).assign_attrs({attribute: value})
    with pytest.raises(BadValue) as error:
        mhat.again(ds)
    assert str(error.value) == f"the attribute `{attribute}` of this trace cannot be read\n{CURE}"


def test_a_trace_that_says_no_rule_or_knob() -> None:
    ds = mhat.trace("adam", LABELLED, lr=[0.1, 0.2])
    with pytest.raises(BadValue) as error:
        mhat.again(ds.drop_vars("lr"))
    assert str(error.value) == f"the trace does not say the knob `lr`\n{CURE}"
    with pytest.raises(LanguageError):
        rule_of(xr.Dataset())
