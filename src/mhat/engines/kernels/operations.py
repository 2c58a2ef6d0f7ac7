"""What every elementwise operation is in compiled code, in double and in float32, after `mhat.ops`. It knows no rule.

In float32 `+ - * / sqrt` are the processor's own; other functions are computed in double and rounded once, which is
the definition. Integer powers are the code of `mhat.ops.powers` itself, compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit

from mhat.ops import powers

OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}


_POWERS: dict[str, Any] = {name: value for name, value in vars(powers).items() if not callable(value)}


def compiled_power(name: str) -> Any:
    """Compile a function of `mhat.ops.powers`: the same code, its calls going to the compiled others."""
    if name not in _POWERS:
        plain = vars(powers)[name]
        code = getattr(plain, "__wrapped__", plain).__code__
        for called in code.co_names:
            if callable(vars(powers).get(called)):
                compiled_power(called)
        _POWERS[name] = njit(FunctionType(code, _POWERS, name), **OPTIONS)
    return _POWERS[name]


ipow = compiled_power("ipow")
_LARGEST = powers.LARGEST_INTEGER


@njit(**OPTIONS)
def _power(a, b):
    if b % 1.0 == 0.0 and abs(b) <= _LARGEST:
        return ipow(a, b)
    return math.pow(a, b)


@njit(**OPTIONS)
def _cube_root(x):
    root = np.cbrt(x)
    return root - (root - x / (root * root)) / 3.0 if x != 0.0 and np.isfinite(x) else root


@njit(**OPTIONS)
def _remainder(a, b):
    if b == 0.0 or np.isinf(a) or a != a or b != b:
        return math.nan
    rest = np.fmod(a, b)
    if rest == 0.0:
        return math.copysign(0.0, b)
    return rest + b if (b < 0.0) != (rest < 0.0) else rest


@njit(**OPTIONS)
def _floor_quotient(a, b):
    if b == 0.0:
        return a / b
    if np.isinf(a) or a != a or b != b:
        return math.nan
    rest = np.fmod(a, b)
    quotient = (a - rest) / b
    if rest != 0.0 and (b < 0.0) != (rest < 0.0):
        quotient -= 1.0
    if quotient == 0.0:
        return math.copysign(0.0, a / b)
    if np.isinf(quotient):
        return quotient
    down = np.floor(quotient)
    return down + 1.0 if quotient - down > 0.5 else down


_DOUBLE: dict[str, Callable[..., Any]] = {
    "pow": lambda a, b: _power(a, b),
    "cbrt": lambda a: _cube_root(a),
    "mod": lambda a, b: _remainder(a, b),
    "floordiv": lambda a, b: _floor_quotient(a, b),
    "exp": lambda a: math.exp(a),
    "log": lambda a: math.log(a),
    "sin": lambda a: math.sin(a),
    "cos": lambda a: math.cos(a),
    "tanh": lambda a: math.tanh(a),
    "round": lambda a: np.rint(a),
    "atan2": lambda a, b: math.atan2(a, b),
}


def operations(computed: str) -> dict[str, Any]:
    """List the compiled operations by their names in `mhat.ops.OPERATIONS`; `computed`: "float64" or "float32"."""
    return _KNOWN[computed]


def _operations(number: Any) -> dict[str, Any]:
    return {**_simple(number), **_comparisons(number), **_through_double(number), **_products()}


def _simple(number: Any) -> dict[str, Any]:
    zero, one = number(0.0), number(1.0)

    def sign(x):
        return one if x > zero else (-one if x < zero else (zero if x == zero else x))

    def minimum(a, b):
        return a if (a <= b) | (a != a) else b

    def maximum(a, b):
        return a if (a >= b) | (a != a) else b

    least, greatest = njit(minimum, **OPTIONS), njit(maximum, **OPTIONS)

    def clip(x, low, high):
        return least(greatest(x, low), high)

    def where(condition, a, b):
        return a if condition != zero else b

    # Written with `where`, so that both sides are there and loops stay free of branches.
    plain = {
        "sqrt": lambda a: math.sqrt(a),
        "abs": lambda a: abs(a),
        "sign": sign,
        "minimum": minimum,
        "maximum": maximum,
        "clip": clip,
        "where": where,
        "and": lambda a, b: b if a != zero else a,
        "or": lambda a, b: a if a != zero else b,
        "not": lambda a: one if a == zero else zero,
    }
    return {name: njit(function, **OPTIONS) for name, function in plain.items()}


def _comparisons(number: Any) -> dict[str, Any]:
    zero, one = number(0.0), number(1.0)
    plain: dict[str, Callable[..., Any]] = {
        "lt": lambda a, b: one if a < b else zero,
        "le": lambda a, b: one if a <= b else zero,
        "gt": lambda a, b: one if a > b else zero,
        "ge": lambda a, b: one if a >= b else zero,
        "eq": lambda a, b: one if a == b else zero,
        "ne": lambda a, b: one if a != b else zero,
    }
    return {name: njit(function, **OPTIONS) for name, function in plain.items()}


def _through_double(number: Any) -> dict[str, Any]:
    double = np.float64

    def entered(function: Any, arity: int) -> Any:
        if arity == 1:
            return njit(lambda a: number(function(double(a))), **OPTIONS)
        return njit(lambda a, b: number(function(double(a), double(b))), **OPTIONS)

    return {
        name: entered(njit(function, **OPTIONS), function.__code__.co_argcount) for name, function in _DOUBLE.items()
    }


def _products() -> dict[str, Any]:
    plain: dict[str, Callable[..., Any]] = {
        "square": lambda a: a * a,
        "cube": lambda a: a * a * a,
        "fourth": lambda a: a * a * a * a,
    }
    return {name: njit(function, **OPTIONS) for name, function in plain.items()}


_KNOWN = {name: _operations(number) for name, number in (("float64", np.float64), ("float32", np.float32))}
