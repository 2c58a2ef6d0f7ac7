"""Numbers on figures are true, and told apart from those beside them."""

import math

import numpy as np
import pytest

from mhat.figures.numerals import power_text, rounded, text_of, texts

MINUS = "\N{MINUS SIGN}"


def test_a_short_number_is_written_as_it_is() -> None:
    values = [0.99999, 0.123456, 0.9, 3e-4, 10.0, -0.5, 0.1 + 0.2, 123456789.0]
    assert texts(values) == ["0.99999", "0.123456", "0.9", "0.0003", "10", f"{MINUS}0.5", "0.3", "123456789"]


def test_powers_of_ten_are_set_as_such() -> None:
    assert texts([1e-8, 2e-8, -1e-5, 1.5e30]) == [
        "$10^{-8}$", r"$2\cdot10^{-8}$", "$-10^{-5}$", r"$1.5\cdot10^{30}$"
    ]  # fmt: skip


def test_a_long_number_is_rounded_but_kept_apart() -> None:
    assert texts(np.geomspace(1e-3, 1, 5).tolist()) == ["0.001", "0.005623", "0.03162", "0.1778", "1"]
    assert text_of(1 / 3, 0.3333) == "0.33333"
    near = [1.0, math.nextafter(1.0, 2.0)]
    assert len(set(texts(near))) == 2 and [float(text) for text in texts(near)] == near


def test_equal_numbers_and_none_at_all() -> None:
    assert texts([0.1, 0.1]) == ["0.1", "0.1"]
    assert texts([]) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9999000099990011, "0.9999"), (3.40488818e-70, r"$3.405\cdot10^{-70}$"), (0.0, "0"), (-0.5, f"{MINUS}0.5"),
        (1e-6, "$10^{-6}$"), (12345.678, "12346"), (1234567.0, r"$1.235\cdot10^{6}$"), (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)  # fmt: skip
def test_measured_numbers(value: float, text: str) -> None:
    assert rounded(value) == text


def test_ticks() -> None:
    assert [power_text(value) for value in (0.01, 1e4, -1e-5, 5e-4)] == [
        "0.01", "$10^{4}$", "$-10^{-5}$", r"$5\cdot10^{-4}$"
    ]  # fmt: skip
