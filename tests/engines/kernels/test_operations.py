"""Every elementwise operation, compiled, against its definition in `mhat.ops`: bit for bit, or within 2 ulp."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numba import njit

from mhat.engines.kernels.operations import OPTIONS, operations
from mhat.language.tree import Name, Operation
from mhat.ops import OPERATIONS
from mhat.printers.kernel import KernelPrinter
from tests.engines.columns import Column, on_exact, on_floats, same_bits, ulps
from tests.engines.test_operations import ELEMENTWISE, NEAR, SPECIALS, check_bits, check_near, table

PRECISIONS = pytest.mark.parametrize("computed", ["float64", "float32"])
# These are code of our own, the same everywhere; the others are the platform's functions.
SAME = [name for name in ELEMENTWISE if name not in NEAR or name == "floordiv"]


def on_kernels(op: str, computed: str) -> Any:
    """Compile a loop over columns, with the operation printed as kernels print it."""
    names = [Name(f"v{i}") for i in range(OPERATIONS[op].arity)]
    text = KernelPrinter().expression(Operation(op, tuple(names)))
    reads = ", ".join(f"columns[{i}, i]" for i in range(len(names)))
    code = (
        f"def loop(columns, out):\n    for i in range(out.size):\n"
        f"        {', '.join(name.id for name in names)}, = {reads},\n        out[i] = {text}\n"
    )
    functions: dict[str, Any] = {f"{name}_": function for name, function in operations(computed).items()}
    exec(code, functions)
    loop = njit(functions["loop"], **OPTIONS)

    def applied(*columns: Column) -> Column:
        with np.errstate(all="ignore"):
            given = np.array([column.astype(computed) for column in columns])
        out = np.empty(len(columns[0]), computed)
        loop(given, out)
        return out

    return applied


def entered(columns: tuple[Column, ...], computed: str) -> tuple[Column, ...]:
    with np.errstate(all="ignore"):
        return tuple(column.astype(computed).astype(np.float64) for column in columns)


def wild(op: str, computed: str) -> tuple[Column, ...]:
    """The table of special numbers, and random ones of every size."""
    random = np.random.default_rng(7)
    columns = []
    for column in table(op):
        signs = random.choice([-1.0, 1.0], 2000)
        columns.append(np.concatenate([column, signs * 10.0 ** random.uniform(-40, 40, 2000)]))
    return entered(tuple(columns), computed)


@PRECISIONS
@pytest.mark.parametrize("op", SAME)
def test_the_same_bits(op: str, computed: str) -> None:
    columns = wild(op, computed)
    expected = on_floats(op, computed)(*columns).astype(computed)
    check_bits(op, columns, on_kernels(op, computed)(*columns), expected)


@pytest.mark.parametrize("op", sorted(NEAR - {"floordiv"}))
def test_functions_are_near_exact(op: str) -> None:
    columns = table(op)
    check_near(op, columns, on_kernels(op, "float64")(*columns))
    random = np.random.default_rng(8)
    columns = tuple(np.abs(column) if op in ("log", "pow") else column for column in random.normal(0, 20, (2, 300)))
    columns = columns[: OPERATIONS[op].arity]
    found = on_kernels(op, "float64")(*columns)
    assert (ulps(found, on_exact(op)(*columns)) <= 2.0).all()


@pytest.mark.parametrize("op", sorted(NEAR - {"floordiv"}))
def test_functions_of_float32_are_those_of_doubles_rounded_once(op: str) -> None:
    columns = wild(op, "float32")
    found = on_kernels(op, "float32")(*columns)
    with np.errstate(all="ignore"):
        expected = on_kernels(op, "float64")(*columns).astype(np.float32)
    check_bits(op, columns, found, expected)


@PRECISIONS
def test_integer_powers_have_the_same_bits(computed: str) -> None:
    exponents = [0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 5.0, -8.0, 100.0, 1001.0, -1000.0, 2.0**53]
    columns = entered(tuple(np.array(list(product([*SPECIALS, 0.9, 0.999], exponents))).T), computed)
    expected = on_floats("pow", computed)(*columns).astype(computed)
    check_bits("pow", columns, on_kernels("pow", computed)(*columns), expected)


@PRECISIONS
@pytest.mark.parametrize(("name", "length"), [("square", 2), ("cube", 3), ("fourth", 4)])
def test_literal_powers_are_products_from_left_to_right(name: str, length: int, computed: str) -> None:
    function = operations(computed)[name]
    (values,) = entered((np.random.default_rng(9).normal(0, 3, 200),), computed)
    for value in values.astype(computed):
        expected = value
        for _ in range(length - 1):
            expected = expected * value
        assert same_bits(np.asarray(function(value), computed), np.asarray(expected)).all()


@PRECISIONS
def test_every_operation_is_there(computed: str) -> None:
    operators = {"add", "sub", "mul", "div", "neg"}
    assert operations(computed).keys() == {*ELEMENTWISE, "square", "cube", "fourth"} - operators
