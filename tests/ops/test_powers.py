"""Integer powers are those of exact fractions, rounded once."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from mpmath import mp, mpf

from mhat.ops import ipow
from mhat.ops.powers import product_of, real_power

INF, NAN = math.inf, math.nan


def exact(base: float, exponent: int) -> float:
    """Raise as a fraction, and round to the nearest double (Python divides integers with one rounding)."""
    power = Fraction(base) ** exponent
    try:
        return power.numerator / power.denominator
    except OverflowError:
        return INF if power > 0 else -INF


def same(a: float, b: float) -> bool:
    """Equal to the sign of zero, NaN equal to NaN."""
    return (a != a and b != b) or (a == b and math.copysign(1.0, a) == math.copysign(1.0, b))


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-6, 6))
@example(5e-324, 1)
@example(-5e-324, -1)
@example(1.5e-162, 2)
@example(-2.2250738585072014e-308, 1)
@example(1.3407807929942596e154, 2)
@example(1.3407807929942597e154, 2)
def test_any_base(base: float, exponent: int) -> None:
    assume(base != 0.0)
    assert same(ipow(base, float(exponent)), exact(base, exponent))


@given(st.floats(0.5, 1.0, exclude_min=True), st.integers(-300, 300))
@example(0.9, 10)
@example(0.999, 100)
@example(0.9999, -250)
def test_decay_rates(base: float, exponent: int) -> None:
    assert ipow(base, float(exponent)) == exact(base, exponent)


@given(st.floats(0.01, 0.99), st.floats(1022.0, 1074.9))
def test_results_below_the_normal_range_are_rounded_twice_at_most(base: float, depth: float) -> None:
    exponent = int(depth / -math.log2(base))
    assume(exponent <= 2000)
    result = ipow(base, float(exponent))
    assert result < 1e-305
    assert abs(result - exact(base, exponent)) <= 5e-324


@pytest.mark.parametrize(
    ("base", "exponent", "power"),
    [
        (0.0, 0.0, 1.0), (NAN, 0.0, 1.0), (INF, 0.0, 1.0), (-0.0, 0.0, 1.0),
        (0.0, 3.0, 0.0), (-0.0, 3.0, -0.0), (-0.0, 2.0, 0.0), (0.0, -1.0, INF), (-0.0, -1.0, -INF), (-0.0, -2.0, INF),
        (INF, 2.0, INF), (-INF, 3.0, -INF), (-INF, 2.0, INF), (INF, -1.0, 0.0), (-INF, -1.0, -0.0), (-INF, -2.0, 0.0),
        (NAN, 1.0, NAN), (NAN, -3.0, NAN), (-1.0, 3.0, -1.0), (-1.0, 2.0**53, 1.0), (1.0, -(2.0**53), 1.0),
        (10.0, 400.0, INF), (-10.0, 401.0, -INF), (10.0, -400.0, 0.0), (-10.0, -401.0, -0.0),
        (2.0, 1023.0, 2.0**1023), (2.0, -1074.0, 5e-324), (2.0, -1075.0, 0.0), (2.0, 1024.0, INF), (0.5, 1e15, 0.0),
        (5e-324, 2.0, 0.0), (5e-324, -1.0, INF), (1.7976931348623157e308, 1.0, 1.7976931348623157e308),
    ],
)  # fmt: skip
def test_at_the_edges(base: float, exponent: float, power: float) -> None:
    assert same(ipow(base, exponent), power)
    assert same(real_power(base, exponent), power)


def test_a_million_steps_are_still_rounded_once() -> None:
    with mp.workdps(60):
        for base in (0.9, 0.999, 0.9999999):
            for exponent in (10**5, 10**6):
                want = mpf(base) ** exponent
                assert abs(mpf(ipow(base, float(exponent))) - want) <= mpf(math.ulp(float(want))) / 2


@pytest.mark.parametrize(
    ("base", "exponent", "power"),
    [
        (-8.0, 1 / 3, NAN), (0.0, 0.5, 0.0), (0.0, -0.5, INF), (-0.0, -0.5, INF), (4.0, 0.5, 2.0), (1e200, 1.6, INF),
        (2.0, INF, INF), (0.5, INF, 0.0), (0.5, -INF, INF), (1.0, NAN, 1.0), (NAN, 0.5, NAN), (2.0, NAN, NAN),
        (-INF, 0.5, INF), (1e-200, 1.7, 0.0), (-1.0, INF, 1.0), (3.0, 2.0**60, INF), (-1.0, 1e300, 1.0),
    ],
)  # fmt: skip
def test_other_powers_never_raise(base: float, exponent: float, power: float) -> None:
    assert same(real_power(base, exponent), power)


@given(st.floats(-(2.0**300), 2.0**300), st.floats(-(2.0**300), 2.0**300))
def test_a_product_and_its_error_are_exact(a: float, b: float) -> None:
    assume(abs(a * b) > 1e-200)
    product, error = product_of(a, b)
    assert product == a * b
    assert Fraction(a) * Fraction(b) == Fraction(product) + Fraction(error)
