"""Floats against exact: both lie within intervals derived operation by operation, for every rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mhat import rules as library
from mhat.engines.exact import Exact, nearest_double
from mhat.engines.tensors import values_of
from mhat.language import Rule, of_tree, rule
from tests.choices import CLASSICS
from tests.engines.bounds import Bounds
from tests.engines.columns import on_exact, on_floats
from tests.engines.driving import drive, drive_floats
from tests.engines.test_agreement import OVER_ALL, SHAPES, stream
from tests.engines.test_operations import ELEMENTWISE, table
from tests.strategies import rules

SETTINGS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
# Relative width that the bound of a rule's ratio, or of x, may have after twenty ordinary gradients.
TIGHT = {"float64": 1e-12, "float32": 2e-3}
# Where floats can go either way, the bound is as wide as both ways together.
WIDE: dict[str, str] = {}


def columns(records: Any, name: str) -> list[Any]:
    return [value for record in records for value in values_of(record[name])]


def check_within(chosen: Rule, streams: list[np.ndarray], dtype: str, starts: list[np.ndarray] | None = None) -> float:
    """Assert that floats and exact lie within the bounds; give the widest relative bound of the last x."""
    bounds, exact = Bounds(dtype), Exact()
    steps = drive(chosen, bounds, bounds.tensor, streams, starts)
    numbers = drive(chosen, exact, lambda a: exact.tensor(a.ravel().tolist(), a.shape), streams, starts)
    floats = drive_floats(chosen, streams, dtype, starts=starts)
    for t, (intervals, expected, found) in enumerate(zip(steps, numbers, floats, strict=True)):
        for name in intervals[0]:
            for interval, number, value in zip(
                columns(intervals, name), columns(expected, name), columns(found, name), strict=True
            ):
                assert value in interval, f"step {t + 1}, {name}: floats give {value}, the bound is {interval}"
                assert number in interval, f"step {t + 1}, {name}: exact is {number}, the bound is {interval}"
    return max(interval.width for interval in columns(steps[-1], "x"))


@pytest.mark.parametrize("op", ELEMENTWISE)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_operation_lies_within_its_bound(op: str, dtype: str) -> None:
    with np.errstate(all="ignore"):
        given_columns = tuple(column.astype(dtype).astype(float) for column in table(op))
    bounds = Bounds(dtype)
    function = bounds.operation(op)
    found, numbers = on_floats(op, dtype)(*given_columns), on_exact(op)(*given_columns)
    for row, value, number in zip(zip(*given_columns, strict=True), found.tolist(), numbers, strict=True):
        interval = function(*(bounds.tensor(np.array(argument)) for argument in row))
        assert value in interval, f"{op}{row} is {value} in floats, the bound is {interval}"
        assert number in interval, f"{op}{row} is {number}, the bound is {interval}"


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_rule_lies_within_its_bounds(name: str, dtype: str) -> None:
    chosen = library.named(name)
    for shape in ((), (3,)):
        ordinary = stream(shape, steps=20, seed=1).astype(dtype).astype(float)
        width = check_within(chosen, [ordinary], dtype, [np.ones(shape)])
        assert (width <= TIGHT[dtype]) is (name not in WIDE), f"{name}: {width}"
        with np.errstate(all="ignore"):
            wild = stream(shape, steps=10, wild=True).astype(dtype).astype(float)
        check_within(chosen, [wild], dtype)


@settings(max_examples=100, **SETTINGS)
@given(
    tree=rules(matrices=False),
    shape=st.sampled_from(SHAPES[:3]),
    dtype=st.sampled_from(["float64", "float32"]),
    wild=st.booleans(),
)
def test_random_rules_lie_within_their_bounds(tree: Any, shape: tuple[int, ...], dtype: str, wild: bool) -> None:
    with np.errstate(all="ignore"):
        gradients = stream(shape, steps=3, wild=wild).astype(dtype).astype(float)
    check_within(of_tree(tree), [gradients], dtype)


@pytest.mark.parametrize("text", OVER_ALL)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_peers_lie_within_their_bounds(text: str, dtype: str) -> None:
    streams = [stream(shape).astype(dtype).astype(float) for shape in SHAPES]
    assert check_within(rule(text), streams, dtype) < 1.0


def test_a_wrong_operation_falls_out_of_the_bound() -> None:
    """The bound is seen to fail: one ulp and a half too much in `m`."""
    bounds = Bounds()
    (interval,) = columns(drive(library.adam, bounds, bounds.tensor, [np.full(3, 10.0)])[-1], "m")
    (right,) = columns(drive_floats(library.adam, [np.full(3, 10.0)])[-1], "m")
    assert right in interval
    assert right * (1 + 1e-14) not in interval


def test_what_overflows_in_floats_goes_on_in_exact() -> None:
    chosen = rule("def f(x, g):\n    u = g**4\n    return x - u / g**4")
    exact = Exact()
    ((record,),) = drive(chosen, exact, lambda a: exact.tensor([float(a)], ()), [np.array([1e200])])
    assert nearest_double(record["u"]) == np.inf
    assert record["x"] == -1
    ((floats,),) = drive_floats(chosen, [np.array([1e200])])
    assert np.isnan(floats["x"])
