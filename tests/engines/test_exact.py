"""The oracle by itself: its own context, signed zeros, exact powers, no limits of exponent."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhat.engines.exact import Exact, nearest_double
from mhat.engines.tensors import Tensor
from mhat.errors import BadValue
from mhat.ops import OPERATIONS

EXACT = Exact()


def value(op: str, *arguments: float) -> float:
    return nearest_double(EXACT.operation(op)(*map(EXACT.number, arguments)))


def test_it_has_every_operation() -> None:
    for name, definition in OPERATIONS.items():
        assert callable(EXACT.reduction(name, None) if definition.kind == "reduction" else EXACT.operation(name))


def test_it_imports_neither_floats_nor_arrays() -> None:
    code = (
        "import sys, mhat.engines.exact\n"
        "print([m for m in ('numpy', 'mhat.engines.floats', 'mhat.engines.arrays') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_user_s_precision_is_neither_used_nor_changed() -> None:
    before = mpmath.mp.dps
    try:
        mpmath.mp.dps = 5
        third = EXACT.operation("div")(EXACT.number(1.0), EXACT.number(3.0))
        assert mpmath.mp.dps == 5
    finally:
        mpmath.mp.dps = before
    assert str(third)[:50] == "0." + "3" * 48


def test_more_digits_are_more_digits_and_too_few_are_refused() -> None:
    hundred = Exact(100)
    third = hundred.operation("div")(hundred.number(1.0), hundred.number(3.0))
    assert abs(3 * third - 1) < hundred.number(10.0) ** -99
    with pytest.raises(BadValue, match="16 digits cannot hold"):
        Exact(16)


@given(st.floats())
def test_a_double_comes_back_as_it_went_in(number: float) -> None:
    back = nearest_double(EXACT.number(number))
    assert (back == number and math.copysign(1, back) == math.copysign(1, number)) or number != number


@given(st.fractions(max_denominator=10**6), st.integers(-1100, 1000))
def test_the_nearest_double_is_the_nearest_subnormals_included(fraction: Fraction, exponent: int) -> None:
    scaled = fraction * Fraction(2) ** exponent
    two = EXACT.numbers.context.mpf(2)
    number = EXACT.numbers.context.mpf(fraction.numerator) / fraction.denominator * two**exponent
    assert nearest_double(number) == _double_of(scaled) or _near_tie(scaled)


def _double_of(fraction: Fraction) -> float:
    """Round a fraction as IEEE 754 does; Python refuses where that is an infinity."""
    try:
        return float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


def _near_tie(fraction: Fraction) -> bool:
    """Whether a fraction lies so near the middle of two doubles that fifty digits cannot tell."""
    nearest = _double_of(fraction)
    if math.isinf(nearest):
        return False
    step = Fraction(math.ulp(nearest))
    distance = abs(abs(fraction - Fraction(nearest)) - step / 2)
    return distance < step * Fraction(10) ** -30


def test_negative_zero_is_carried_and_is_a_zero_to_mpmath() -> None:
    zero = EXACT.number(-0.0)
    assert math.copysign(1.0, float(zero)) == -1.0
    assert zero == 0
    assert zero + 1 == 1
    assert value("div", 1.0, -0.0) == -math.inf
    assert math.copysign(1.0, value("mul", -0.0, 3.0)) == -1.0
    assert math.copysign(1.0, value("add", -0.0, 0.0)) == 1.0


@pytest.mark.parametrize(("base", "exponent"), [(0.9, 10), (0.9, -10), (1.5, 100), (-3.0, 7), (0.1, 3)])
def test_integer_powers_are_exact_to_all_digits(base: float, exponent: int) -> None:
    number = EXACT.operation("pow")(EXACT.number(base), EXACT.number(float(exponent)))
    exact = Fraction(base) ** exponent
    context = EXACT.numbers.context
    assert abs(number / (context.mpf(exact.numerator) / exact.denominator) - 1) < context.mpf(10) ** -49


def test_exponents_have_no_limits() -> None:
    power, multiply = EXACT.operation("pow"), EXACT.operation("mul")
    large = power(EXACT.number(1e300), EXACT.number(1000.0))
    assert nearest_double(large) == math.inf
    assert nearest_double(power(large, EXACT.number(-1.0))) == 0.0
    assert nearest_double(multiply(large, power(EXACT.number(1e300), EXACT.number(-1000.0)))) == 1.0


def test_towers_of_powers_end_instead_of_filling_the_memory() -> None:
    exponential = EXACT.operation("exp")
    number = EXACT.number(1e308)
    for _ in range(4):
        number = exponential(number)
    assert number == EXACT.numbers.infinity
    assert nearest_double(EXACT.operation("sin")(exponential(EXACT.number(1e300)))) != 0.5
    power = EXACT.operation("pow")
    huge = exponential(EXACT.number(1e6))
    assert power(EXACT.number(0.5), huge) == 0
    assert power(EXACT.number(-2.0), huge) == EXACT.numbers.infinity


def test_a_remainder_is_exact_however_far_the_numbers_are_apart() -> None:
    assert value("mod", 1e300, 3.0) == float(Fraction(1e300) % 3)
    assert value("mod", -1e300, 7e-300) == float(Fraction(-1e300) % Fraction(7e-300))
    assert value("floordiv", -1.0, 1e300) == -1.0


def test_tensors_broadcast() -> None:
    column, row = EXACT.tensor([1.0, 2.0], (2, 1)), EXACT.tensor([10.0, 20.0, 30.0], (1, 3))
    total = EXACT.operation("add")(column, row)
    assert total.shape == (2, 3)
    assert list(map(nearest_double, total.values)) == [11.0, 21.0, 31.0, 12.0, 22.0, 32.0]
    assert EXACT.tensor([4.0], ()) == 4
    assert isinstance(EXACT.operation("sqrt")(column), Tensor)
