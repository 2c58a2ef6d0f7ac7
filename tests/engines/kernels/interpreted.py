"""Printed kernels run by Python itself: a hundred rules in the time that Numba compiles one. It knows no rule.

What a printed module calls is put in its place by what `mhat.ops` and NumPy say; its tables, addresses and memory are
the real ones. So what is tested is the text; that Numba compiles it to the same bits is tested on fewer rules.
"""

from __future__ import annotations

import ast
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.kernels import power_tables, sums
from mhat.engines.kernels import step as steps_of_kernels
from mhat.engines.kernels import trace as traces_of_kernels
from mhat.ops import OPERATIONS, ipow


@contextmanager
def run_by_python() -> Iterator[None]:
    """Let Python run the kernels of steps and traces that are made in here, in place of Numba."""
    with (
        patch.object(steps_of_kernels, "module_of", module_of),
        patch.object(traces_of_kernels, "module_of", module_of),
        patch.object(steps_of_kernels, "compile_for"),
        patch.object(traces_of_kernels, "compile_for"),
        np.errstate(all="ignore"),
    ):
        yield


_HELD = {"float64": (ctypes.c_double, np.float64), "float32": (ctypes.c_float, np.float32)}


def module_of(text: str) -> ModuleType:
    """Make a module of a printed kernel, in place of `mhat.engines.kernels.modules.module_of`."""
    tree = _Doubles().visit(ast.parse(text))
    tree.body = [line for line in tree.body if not isinstance(line, ast.Import | ast.ImportFrom)]
    module = ModuleType("interpreted")
    module.__dict__.update(np=np, njit=_njit, prange=range, kept=_njit(), OPTIONS={}, operations=_operations,
                           memory=_MEMORY, sums=sums, switches=_SWITCHES, powers_in_block=_powers_in_block,
                           faded=power_tables.faded.py_func)  # fmt: skip
    exec(compile(ast.fix_missing_locations(tree), "interpreted", "exec"), module.__dict__)
    return module


class _Doubles(ast.NodeTransformer):
    """Makes doubles of NumPy of the literals, which divide by zero as compiled ones do."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, float):
            return node
        return ast.Call(ast.parse("np.float64", mode="eval").body, [node], [])


def _njit(**options: Any) -> Callable[[Any], Any]:
    return lambda function: function


def _operations(computed: str) -> dict[str, Callable[..., Any]]:
    number = _HELD[computed][1]

    def applied(meaning: Callable[..., float]) -> Callable[..., Any]:
        return lambda *arguments: number(meaning(*map(float, arguments)))

    made = {name: applied(each.meaning) for name, each in OPERATIONS.items() if each.elementwise}
    products = {"square": lambda a: a * a, "cube": lambda a: a * a * a, "fourth": lambda a: a * a * a * a}
    return {**made, **products}


def _powers_in_block(
    base: float, first: int, count: int, room: int, fresh: bool, least: float, powers: int
) -> None:  # fmt: skip
    faded = power_tables.faded.py_func(base, first, least)
    for i in range(count):
        _store("float64")(powers, i, 0.0 if faded else ipow(float(base), float(first + i)))


def _load(stored: str, index: int = 0, count: int = 1) -> Callable[..., Any]:
    kind, number = _HELD[stored]
    size = DTYPES[stored].size
    return lambda start, i: number(kind.from_address(int(start + i * size)).value)


def _store(stored: str, index: int = 0, count: int = 1) -> Callable[..., None]:
    kind, number = _HELD[stored]
    size = DTYPES[stored].size

    def store(start: int, i: int, value: Any) -> None:
        # Numba would not compile a store of another type.
        assert not isinstance(value, np.floating) or type(value) is number, (stored, type(value))
        kind.from_address(int(start + i * size)).value = float(value)

    return store


_MEMORY = SimpleNamespace(pointer=lambda stored: int, load=_load, store=_store)
# Python cannot tell the processor: here, subnormal numbers stay what they are.
_SWITCHES = SimpleNamespace(flush=int, restore=lambda old: None)
