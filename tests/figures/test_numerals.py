"""Numbers on figures are true, told apart from those beside them, and set with powers of ten."""

import math

import pytest

from mhat.figures.numerals import power_text, rounded, texts, whole

MINUS = "\N{MINUS SIGN}"


def test_a_knob_is_written_in_full() -> None:
    found = [whole(value) for value in (0.99999, 0.123456, 1e-3, 3e-4, 10.0, -0.5, 123456789.0)]
    assert found == ["0.99999", "0.123456", "0.001", "0.0003", "10", f"{MINUS}0.5", "123456789"]


def test_powers_of_ten_are_set_as_such() -> None:
    assert [whole(value) for value in (1e-8, 2e-8, -1e-5, 1.5e30)] == [
        "$10^{-8}$", r"$2\cdot10^{-8}$", "$-10^{-5}$", r"$1.5\cdot10^{30}$"
    ]  # fmt: skip


def test_neighbours_are_told_apart() -> None:
    assert texts([0.9, 0.99999, 0.123456]) == ["0.9", "0.99999", "0.123456"]
    assert len(set(texts([1.0, math.nextafter(1.0, 2.0)]))) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9999000099990011, "0.9999"), (3.40488818e-70, r"$3.405\cdot10^{-70}$"), (0.0, "0"), (1e-6, "$10^{-6}$"),
        (12345.678, r"$1.235\cdot10^{4}$"), (0.0062216, "0.006222"), (math.nan, "nan"), (-math.inf, f"{MINUS}inf"),
    ],
)  # fmt: skip
def test_measured_numbers(value: float, text: str) -> None:
    assert rounded(value) == text


def test_ticks() -> None:
    assert [power_text(value) for value in (0.01, 1e4, -1e-5, 5e-4)] == [
        "0.01", "$10^{4}$", "$-10^{-5}$", r"$5\cdot10^{-4}$"
    ]  # fmt: skip
