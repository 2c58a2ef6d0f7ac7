"""Numbers for people: written in full they read back, and beside each other they are told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhat.notation.decimals import apart, brief, exact

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.floats())
def test_what_is_written_in_full_reads_back_to_the_bit(value: float) -> None:
    assert repr(float(exact(value))) == repr(value)


@given(FINITE)
def test_a_brief_number_is_off_by_half_of_its_last_digit_at_most(value: float) -> None:
    assert abs(float(brief(value)) - value) <= 5.0001e-4 * abs(value) + 5e-324


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-3, "1e-3"), (0.01, "0.01"), (0.9999999, "0.9999999"), (10.0, "10"), (1e20, "1e20"), (-2.5, "-2.5"),
        (0.0005, "5e-4"), (0.0015, "0.0015"), (math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan"), (-0.0, "-0"),
        (3, "3"), (10**30, "1" + 30 * "0"), (5e-324, "5e-324"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_they_are_typed(value: float, text: str) -> None:
    assert exact(value) == text


@given(st.lists(FINITE, unique=True, max_size=6))
def test_different_numbers_are_told_apart_and_none_is_taken_for_its_neighbour(values: list[float]) -> None:
    texts = apart(values)
    assert len(set(texts)) == len({abs(value) if value == 0 else value for value in values})
    for text, value in zip(texts, values, strict=True):
        assert min(values, key=lambda other: abs(other - float(text))) == value


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.9, 0.99, 0.999], ["0.9", "0.99", "0.999"]),
        ([0.5, 0.99999], ["0.5", "0.99999"]),
        (np.linspace(0.1, 0.3, 3), ["0.1", "0.2", "0.3"]),
        ([1 / 3, 2 / 3], ["0.3333", "0.6667"]),
        ([0.1234561, 0.1234562], ["0.1234561", "0.1234562"]),
        ([1.0, 1.0], ["1", "1"]),
        ([math.nan, math.inf, 1 / 3], ["nan", "inf", "0.3333"]),
        ([], []),
    ],
)
def test_the_labels_of_a_sweep(values: list[float], texts: list[str]) -> None:
    assert apart(values) == texts
