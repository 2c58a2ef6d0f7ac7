"""A rule that runs as Python computes with numbers that never raise, and stay numbers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhat import ops
from mhat.ops import OPERATIONS, Double

BINARY: dict[str, Callable[[float, float], float]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "floordiv": operator.floordiv, "mod": operator.mod, "pow": operator.pow,
}  # fmt: skip
EDGES = st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, -2.0, 0.5])
VALUES = st.one_of(EDGES, st.floats(-1e3, 1e3), st.integers(-5, 5).map(float))


@pytest.mark.parametrize("op", BINARY)
@given(a=VALUES, b=VALUES)
def test_operators_mean_what_the_table_says(op: str, a: float, b: float) -> None:
    want = repr(float(OPERATIONS[op].meaning(a, b)))
    for result in (BINARY[op](Double(a), Double(b)), BINARY[op](Double(a), b), BINARY[op](a, Double(b))):
        assert type(result) is Double
        assert repr(float(result)) == want


def test_integers_on_either_side() -> None:
    assert type(1 - Double(3)) is Double
    assert 2 ** Double(3) == 8.0
    assert 1 / Double(0) == math.inf
    assert Double(7) // 2 == 3.0
    assert 7 % Double(-4) == -1.0
    assert Double(2) ** -1 == 0.5


def test_one_operand() -> None:
    assert type(-Double(2)) is Double
    assert type(abs(Double(-2))) is Double
    assert math.copysign(1.0, -Double(0.0)) == -1.0
    assert Double(2) @ Double(3) == 6.0


def test_functions_take_any_number_and_give_numbers() -> None:
    assert type(ops.sqrt(4)) is Double
    assert ops.sqrt(-1) != ops.sqrt(-1)
    assert ops.maximum(1, True) == 1.0
    assert ops.where(0, 1, 2) == 2.0
    assert ops.clip(Double(7), -1, 1) == 1.0
    assert 1 / ops.sqrt(0) == math.inf


def test_a_single_number_is_a_tensor_and_a_matrix_of_one() -> None:
    assert ops.sum(3) == ops.mean(3) == ops.norm(-3) == ops.sum(3, over="all") == 3.0
    assert ops.transpose(2) == ops.row_mean(2) == ops.column_mean(2) == 2.0
    assert ops.eigh(5) == (5, 1)
    assert ops.qr(-4) == (-1, 4)
    assert 0.6 < ops.orthogonal(100) < 1.3
    assert all(type(value) is Double for value in (ops.norm(1), ops.transpose(1), *ops.qr(2)))
