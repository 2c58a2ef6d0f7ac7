"""Rates recognised as the schedule that made them, in double and in single precision; and none where none is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat import schedules
from mhat.checks.schedules.fits import fitted, rates_of
from tests.schedules.test_families import SETTINGS

# Written otherwise, the same: a factor of every step, a count that begins elsewhere, a peak by its formula.
SAME = {
    "exponential:0.1,0.9,first=2": "exponential:0.081,factor=0.9",
    "linear:1e-3,1e-4,steps=80,first=1": None,
    "warmup_constant:1e-3,warmup=10,start=1e-4": "warmup_constant:1e-3,warmup=9,start=1.9e-4,first=0",
    "warmup_linear:5e-5,warmup=0,steps=100": None,
    "one_cycle:0.1,rise=0,steps=100": None,
}


@pytest.mark.parametrize("steps", [130, 1000])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spec", SETTINGS)
def test_a_schedule_is_recognised_by_its_rates(spec: str, dtype: str, steps: int) -> None:
    made = schedules.named(spec)
    rates = made.values(steps).astype(dtype).astype(float)
    found = fitted(rates_of(rates))
    assert found is not None
    np.testing.assert_allclose(found.values(steps), rates, rtol=0, atol=rates_of(rates).tolerance)
    if spec not in SAME:
        assert found == made
    elif SAME[spec] is not None:
        assert found.recipe == SAME[spec]


@given(
    peak=st.sampled_from([3e-4, 1e-3, 2.5e-5, 0.1]), warmup=st.integers(2, 60), more=st.integers(12, 300),
    end=st.sampled_from([0.0, 1e-6, 1e-5]), first=st.integers(0, 1), family=st.sampled_from(["linear", "cosine"]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_warm_up_is_recognised(peak: float, warmup: int, more: int, end: float, first: int, family: str) -> None:
    make = {"linear": schedules.warmup_linear, "cosine": schedules.warmup_cosine}[family]
    made = make(peak, warmup=warmup, steps=warmup + more, end=end, first=first)
    assert fitted(rates_of(made.values(warmup + more + 20))) == made


@given(st.lists(st.floats(0.1, 1.0), min_size=12, max_size=40))
@settings(max_examples=40, deadline=None)
def test_chance_is_no_schedule(values: list[float]) -> None:
    found = fitted(rates_of(values))
    if found is not None:
        # What was drawn may be one: then it is.
        np.testing.assert_allclose(found.values(len(values)), values, rtol=1e-8)


def test_a_part_that_could_be_many_is_not_taken_for_one_with_an_end() -> None:
    rates = schedules.named("warmup_cosine:1e-3,warmup=500,steps=5000").values(100)
    found = fitted(rates_of(rates))
    assert found is not None and found.name == "linear", "so far it is a line"


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, np.nan, 0.5, 0.2], [np.inf] * 5])
def test_too_few_and_odd_numbers_are_none(values: list[float]) -> None:
    assert fitted(rates_of(values)) is None
