"""Every operation on the same table of special numbers, in every engine: zeros, infinities, NaN, signs, extremes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat.ops import OPERATIONS
from tests.engines.columns import (
    Column,
    doubles,
    on_exact,
    on_few,
    on_floats,
    on_jax,
    on_numpy,
    on_torch,
    rounded,
    same_bits,
    ulps,
)

TINY = float(np.finfo(float).tiny)
SPECIALS = [
    0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 0.1, -0.7, 4.0, 7.25, -10.0,
    1 / 3, 0.999, 1e16, -12345.678, 2.0**53, 2.0**53 + 2, 1e300, -1e300, float(np.finfo(float).max), 1e-300,
    TINY, -TINY, 5e-324, -5e-324, 1e-310, 1000.0, -1001.0,
]  # fmt: skip
FEWER = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.1, -2.5, 1e300, 5e-324]

ELEMENTWISE = sorted(name for name, definition in OPERATIONS.items() if definition.elementwise)
# What is within 2 ulp of exact instead of being the nearest double.
NEAR = {"exp", "log", "sin", "cos", "tanh", "cbrt", "atan2", "pow", "floordiv"}
EXACT = [name for name in ELEMENTWISE if name not in NEAR]

ULPS = 2.0

# Where a framework parts from the definition, and why. Each entry fails when it is no longer needed.
EXEMPT_ON_TORCH = {
    "mod": "torch's remainder is NaN where the quotient overflows",
    "floordiv": "torch's remainder is NaN where the quotient overflows",
}
FLUSHED_BY_JAX = "JAX on the CPU takes subnormal numbers for zero"


def table(op: str) -> tuple[Column, ...]:
    arity = OPERATIONS[op].arity
    return tuple(np.array(list(product(SPECIALS if arity < 3 else FEWER, repeat=arity))).T)


def subnormal(column: Column) -> Column:
    return (column != 0) & (np.abs(column) < TINY)


def shown(op: str, columns: tuple[Column, ...], wrong: Column, *results: Column) -> str:
    places = np.flatnonzero(wrong)[:5]
    return "\n".join(f"{op}{tuple(c[i] for c in columns)}: {[r[i] for r in results]}" for i in places)


def check_bits(op: str, columns: tuple[Column, ...], a: Column, b: Column, exempt: Column | bool = False) -> None:
    wrong = ~same_bits(a, b) & ~np.asarray(exempt)
    assert not wrong.any(), shown(op, columns, wrong, a, b)


def check_near(op: str, columns: tuple[Column, ...], a: Column, exempt: Column | bool = False) -> None:
    numbers = on_exact(op)(*columns)
    wrong = (ulps(a, numbers) > ULPS) & ~np.asarray(exempt)
    assert not wrong.any(), shown(op, columns, wrong, a, rounded(numbers))


def test_every_operation_is_here() -> None:
    assert set(ELEMENTWISE) == {*EXACT, *NEAR}
    rest = {name for name, definition in OPERATIONS.items() if not definition.elementwise}
    assert {OPERATIONS[name].kind for name in rest} == {"reduction", "matrix"}


@pytest.mark.parametrize("op", EXACT)
def test_floats_are_the_nearest_doubles_of_exact(op: str) -> None:
    columns = table(op)
    check_bits(op, columns, on_floats(op)(*columns), rounded(on_exact(op)(*columns)))


@pytest.mark.parametrize("op", sorted(NEAR))
def test_floats_are_near_exact(op: str) -> None:
    columns = table(op)
    check_near(op, columns, on_floats(op)(*columns))


@pytest.mark.parametrize("op", ELEMENTWISE)
@pytest.mark.parametrize("engine", [on_numpy, on_few])
def test_numpy_agrees(op: str, engine: object) -> None:
    columns = table(op)
    with np.errstate(all="ignore"):
        found = engine(op)(*columns)
    if op in EXACT or op == "floordiv":
        check_bits(op, columns, found, on_floats(op)(*columns))
    else:
        check_near(op, columns, found)


def test_integer_powers_have_the_same_bits_on_numpy() -> None:
    exponents = [0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 4.0, 5.0, -8.0, 100.0, 1001.0, -1000.0, 2.0**53]
    columns = tuple(np.array(list(product(SPECIALS, exponents))).T)
    with np.errstate(all="ignore"):
        for engine in (on_numpy, on_few):
            check_bits("pow", columns, engine("pow")(*columns), on_floats("pow")(*columns))


@pytest.mark.parametrize("op", ELEMENTWISE)
def test_torch_agrees(op: str) -> None:
    columns = table(op)
    found, expected = on_torch(op)(*columns), on_floats(op)(*columns)
    exempt = np.isinf(on_floats("div")(*columns)) if op in EXEMPT_ON_TORCH else False
    if op in EXACT and op != "sqrt":  # torch's own sqrt is not always the nearest double
        check_bits(op, columns, found, expected, exempt)
    else:
        check_near(op, columns, found, exempt)
    assert op not in EXEMPT_ON_TORCH or not same_bits(found, expected)[exempt].all()


@pytest.mark.parametrize("op", ELEMENTWISE)
def test_jax_agrees(op: str) -> None:
    columns = table(op)
    found, expected = on_jax(op)(*columns), on_floats(op)(*columns)
    met = (*columns, expected, on_floats("mod")(*columns)) if op == "floordiv" else (*columns, expected)
    flushed = np.any([subnormal(column) for column in met], axis=0)
    if op in EXACT:
        check_bits(op, columns, found, expected, flushed)
    else:
        check_near(op, columns, found, flushed)
    assert op != "mul" or not same_bits(found, expected)[flushed].all(), f"no longer: {FLUSHED_BY_JAX}"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("op", [op for op in EXACT if op not in ("mod",)])
def test_each_result_is_rounded_once(op: str, dtype: str) -> None:
    """Operands are float32 in the small types too: literals and knobs enter so."""
    with np.errstate(all="ignore"):
        columns = tuple(column.astype(np.float32).astype(float) for column in table(op))
        found = on_numpy(op, dtype)(*columns)
        check_bits(op, columns, found.astype(float), on_floats(op, dtype)(*columns))


def test_float32_powers_do_not_depend_on_how_many_there_are() -> None:
    random = np.random.default_rng(0)
    columns = tuple(random.uniform(0.5, 3.0, 200).astype(np.float32).astype(float) for _ in range(2))
    found = on_numpy("pow", "float32")(*columns)
    check_bits("pow", columns, found.astype(float), on_floats("pow", "float32")(*columns))


ANY = st.floats(allow_nan=True, allow_infinity=True)
MIDDLE = st.floats(-1e3, 1e3)


@pytest.mark.parametrize("op", ELEMENTWISE)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_numbers(op: str, data: st.DataObject) -> None:
    arity = OPERATIONS[op].arity
    row = st.tuples(*[st.one_of(ANY, MIDDLE)] * arity)
    columns = tuple(np.array(data.draw(st.lists(row, min_size=3, max_size=12))).T)
    expected = on_floats(op)(*columns)
    with doubles():
        found = on_numpy(op)(*columns)
    if op in EXACT:
        check_bits(op, columns, found, expected)
        check_bits(op, columns, expected, rounded(on_exact(op)(*columns)))
    else:
        check_near(op, columns, found)
        check_near(op, columns, expected)
