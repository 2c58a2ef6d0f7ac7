"""What every elementwise operation gives at the edges: NaN, infinities, signed zeros, overflow; nothing raises."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from mpmath import mp

from mhat import ops
from mhat.ops import OPERATIONS

INF, NAN, TINY, HUGE = math.inf, math.nan, 5e-324, 1.7976931348623157e308
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, TINY, -TINY, HUGE, -HUGE, INF, -INF, NAN)
FINITE = st.floats(allow_nan=False, allow_infinity=False)

TABLE: dict[str, list[tuple[float, ...]]] = {
    "add": [(INF, -INF, NAN), (0.0, -0.0, 0.0), (-0.0, -0.0, -0.0), (HUGE, HUGE, INF), (1.0, 2.0, 3.0)],
    "sub": [(INF, INF, NAN), (0.0, 0.0, 0.0), (-0.0, 0.0, -0.0), (-HUGE, HUGE, -INF), (NAN, 1.0, NAN)],
    "mul": [(0.0, INF, NAN), (-0.0, 5.0, -0.0), (HUGE, 2.0, INF), (TINY, 0.5, 0.0), (-TINY, 0.5, -0.0)],
    "div": [
        (1.0, 0.0, INF), (1.0, -0.0, -INF), (-1.0, 0.0, -INF), (-1.0, -0.0, INF), (0.0, 0.0, NAN), (NAN, 0.0, NAN),
        (INF, 0.0, INF), (INF, -0.0, -INF), (INF, INF, NAN), (1.0, INF, 0.0), (-1.0, INF, -0.0), (HUGE, 0.5, INF),
        (0.0, -3.0, -0.0), (1.0, 3.0, 1 / 3),
    ],
    "floordiv": [
        (7.0, 2.0, 3.0), (-7.0, 2.0, -4.0), (7.0, -2.0, -4.0), (-7.0, -2.0, 3.0), (1.0, 0.0, INF), (-1.0, 0.0, -INF),
        (0.0, 0.0, NAN), (INF, 2.0, NAN), (NAN, 2.0, NAN), (2.0, NAN, NAN), (1.0, INF, 0.0), (-1.0, INF, -1.0),
        (0.0, -2.0, -0.0), (-0.0, 2.0, -0.0), (1.0, 0.1, 9.0), (HUGE, 0.5, INF), (INF, 0.0, INF),
    ],
    "mod": [
        (7.0, 2.0, 1.0), (-7.0, 2.0, 1.0), (7.0, -2.0, -1.0), (-7.0, -2.0, -1.0), (1.0, 0.0, NAN), (INF, 2.0, NAN),
        (2.0, NAN, NAN), (4.0, 2.0, 0.0), (-4.0, 2.0, 0.0), (4.0, -2.0, -0.0), (-1.0, INF, INF), (1.0, -INF, -INF),
        (1.0, INF, 1.0), (0.0, -3.0, -0.0),
    ],
    "pow": [(2.0, 3.0, 8.0), (-8.0, 1 / 3, NAN), (0.0, -1.0, INF), (-0.0, -3.0, -INF), (NAN, 0.0, 1.0)],
    "neg": [(0.0, -0.0), (-0.0, 0.0), (INF, -INF), (NAN, NAN), (2.0, -2.0)],
    "lt": [(1.0, 2.0, 1.0), (2.0, 1.0, 0.0), (0.0, -0.0, 0.0), (NAN, 1.0, 0.0), (-INF, INF, 1.0)],
    "le": [(1.0, 1.0, 1.0), (2.0, 1.0, 0.0), (0.0, -0.0, 1.0), (NAN, NAN, 0.0)],
    "gt": [(2.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, NAN, 0.0)],
    "ge": [(1.0, 1.0, 1.0), (-0.0, 0.0, 1.0), (1.0, 2.0, 0.0), (NAN, NAN, 0.0)],
    "eq": [(0.0, -0.0, 1.0), (NAN, NAN, 0.0), (INF, INF, 1.0), (1.0, 2.0, 0.0)],
    "ne": [(0.0, -0.0, 0.0), (NAN, NAN, 1.0), (1.0, 2.0, 1.0)],
    "and": [(1.0, 2.0, 2.0), (0.0, 2.0, 0.0), (-0.0, 2.0, -0.0), (NAN, 2.0, 2.0), (3.0, NAN, NAN)],
    "or": [(1.0, 2.0, 1.0), (0.0, 2.0, 2.0), (-0.0, 0.0, 0.0), (NAN, 2.0, NAN), (0.0, -0.0, -0.0)],
    "not": [(0.0, 1.0), (-0.0, 1.0), (2.0, 0.0), (NAN, 0.0), (INF, 0.0)],
    "where": [(1.0, 2.0, 3.0, 2.0), (-0.0, 2.0, 3.0, 3.0), (NAN, 2.0, 3.0, 2.0), (1.0, 2.0, NAN, 2)],
    "sqrt": [(4.0, 2.0), (0.0, 0.0), (-0.0, -0.0), (-1.0, NAN), (-INF, NAN), (INF, INF), (NAN, NAN), (-TINY, NAN)],
    "cbrt": [(27.0, 3.0), (-27.0, -3.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN)],
    "abs": [(-2.0, 2.0), (-0.0, 0.0), (-INF, INF), (NAN, NAN)],
    "sign": [(3.0, 1.0), (-TINY, -1.0), (0.0, 0.0), (-0.0, 0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN)],
    "exp": [(0.0, 1.0), (710.0, INF), (-800.0, 0.0), (-INF, 0.0), (INF, INF), (NAN, NAN)],
    "log": [(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (NAN, NAN)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (NAN, NAN)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN), (-1000.0, -1.0), (TINY, TINY)],
    "round": [
        (0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, -0.0), (-1.5, -2.0), (0.0, 0.0), (-0.0, -0.0), (INF, INF),
        (NAN, NAN), (-INF, -INF), (HUGE, HUGE), (-TINY, -0.0), (4503599627370495.5, 4503599627370496.0),
    ],
    "atan2": [
        (0.0, 0.0, 0.0), (-0.0, 0.0, -0.0), (0.0, -0.0, math.pi), (-0.0, -0.0, -math.pi), (1.0, 0.0, math.pi / 2),
        (INF, INF, math.pi / 4), (1.0, INF, 0.0), (NAN, 1.0, NAN), (1.0, NAN, NAN),
    ],
    "minimum": [(1.0, 2.0, 1.0), (0.0, -0.0, 0.0), (-0.0, 0.0, -0.0), (NAN, 1.0, NAN), (1.0, NAN, NAN)],
    "maximum": [(1.0, 2.0, 2.0), (0.0, -0.0, 0.0), (-0.0, 0.0, -0.0), (NAN, 1.0, NAN), (1.0, NAN, NAN)],
    "clip": [
        (5.0, -1.0, 1.0, 1.0), (-5.0, -1.0, 1.0, -1.0), (0.5, -1.0, 1.0, 0.5), (NAN, -1.0, 1.0, NAN),
        (0.0, 2.0, 1.0, 1.0), (-0.0, 0.0, 1.0, -0.0), (INF, -1.0, 1.0, 1.0), (0.0, NAN, 1.0, NAN),
    ],
}  # fmt: skip


def same(a: float, b: float) -> bool:
    """Equal to the sign of zero, NaN equal to NaN."""
    return (a != a and b != b) or (a == b and math.copysign(1.0, a) == math.copysign(1.0, b))


@pytest.mark.parametrize(("op", "case"), [(op, case) for op, cases in TABLE.items() for case in cases])
def test_edges(op: str, case: tuple[float, ...]) -> None:
    *arguments, result = case
    assert same(OPERATIONS[op].meaning(*arguments), result)


def test_every_elementwise_operation_is_in_the_table_of_edges() -> None:
    assert set(TABLE) == {name for name, operation in OPERATIONS.items() if operation.elementwise}


@pytest.mark.parametrize("op", TABLE)
def test_nothing_raises_and_everything_is_a_float(op: str) -> None:
    for arguments in itertools.product(EDGES, repeat=OPERATIONS[op].arity):
        assert type(OPERATIONS[op].meaning(*arguments)) is float


@given(FINITE, FINITE)
@example(1.0, 0.1)
@example(6.0, 0.1)
@example(-1.0, 0.1)
@example(1e16, 3.0)
def test_floor_division_and_remainder_are_pythons(a: float, b: float) -> None:
    assume(b != 0.0)
    assert same(OPERATIONS["floordiv"].meaning(a, b), a // b)
    assert same(OPERATIONS["mod"].meaning(a, b), a % b)


@given(FINITE, FINITE)
def test_arithmetic_is_pythons(a: float, b: float) -> None:
    assert same(OPERATIONS["add"].meaning(a, b), a + b)
    assert same(OPERATIONS["mul"].meaning(a, b), a * b)
    if b != 0.0:
        assert same(OPERATIONS["div"].meaning(a, b), a / b)


@given(st.floats(-700, 700))
def test_other_functions_are_within_two_ulps_of_exact(value: float) -> None:
    with mp.workdps(60):
        functions = {"exp": mp.exp, "sin": mp.sin, "cos": mp.cos, "tanh": mp.tanh, "cbrt": mp.cbrt, "log": mp.log}
        for op, true in functions.items():
            at = abs(value) if op in ("cbrt", "log") else value
            if at == 0.0 or (abs(at) < 1e-300 and op != "log"):
                continue
            want = true(mp.mpf(at))
            assert abs(mp.mpf(OPERATIONS[op].meaning(at)) - want) <= 2 * math.ulp(float(want))


def test_the_table_says_what_each_operation_is() -> None:
    for name, operation in OPERATIONS.items():
        assert operation.name == name
        assert operation.sentence.endswith((".", "`."))
    assert OPERATIONS["add"].symbol == "+"
    assert not OPERATIONS["add"].called
    assert OPERATIONS["sqrt"].called
    assert [OPERATIONS[name].arity for name in ("neg", "add", "where", "clip")] == [1, 2, 3, 3]
    assert [name for name, operation in OPERATIONS.items() if operation.results == 2] == ["eigh", "qr"]


def test_the_functions_of_a_rule_are_all_there() -> None:
    called = {name for name, operation in OPERATIONS.items() if operation.called} | {"where"}
    assert called <= set(ops.__all__)
    for name in called:
        assert callable(getattr(ops, name))
