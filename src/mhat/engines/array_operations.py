"""What every operation is on arrays, after the definitions in `mhat.ops`. It knows no rule and no framework by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import array_api_compat

from mhat.engines.array_powers import power
from mhat.errors import BadValue
from mhat.ops.orthogonality import EPS, SETS, USUAL
from mhat.ops.tensors import BLOCK, padded_length

Array = Any


@cache
def operations(xp: Any) -> dict[str, Callable[..., Array]]:
    """List the operations of one array namespace by their names in `mhat.ops.OPERATIONS`."""
    return {
        **_arithmetic(xp),
        **_comparisons(xp),
        **_functions(xp),
        **_matrices(xp),
    }


def _arithmetic(xp: Any) -> dict[str, Callable[..., Array]]:
    def truncated(a: Array, b: Array) -> Array:
        # Built on the magnitudes so that infinite divisors and signed zeros come out the same everywhere.
        size = xp.abs(b)
        rest = xp.remainder(xp.abs(a), xp.where(xp.isinf(b), xp.ones_like(size), size))
        rest = xp.where(xp.isinf(b) & xp.isfinite(a), xp.abs(a), rest)
        return xp.where(a < 0, -rest, rest)

    def remainder(a: Array, b: Array) -> Array:
        rest = truncated(a, b)
        moved = xp.where((rest != 0) & ((b < 0) != (rest < 0)), rest + b, rest)
        signed = xp.where(moved == 0, xp.copysign(xp.zeros_like(moved), b), moved)
        return xp.where((b == 0) | xp.isinf(a), xp.full_like(signed, math.nan), signed)

    def floor_quotient(a: Array, b: Array) -> Array:
        rest = truncated(a, b)
        quotient = (a - rest) / b
        quotient = xp.where((rest != 0) & ((b < 0) != (rest < 0)), quotient - 1, quotient)
        down = xp.floor(quotient)
        down = xp.where(quotient - down > 0.5, down + 1, down)
        down = xp.where(down == 0, xp.copysign(xp.zeros_like(down), a / b), down)
        return xp.where(b == 0, a / b, down)

    return {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "mod": remainder,
        "floordiv": floor_quotient,
        "pow": lambda a, b: power(xp, a, b),
    }


def _comparisons(xp: Any) -> dict[str, Callable[..., Array]]:
    def number(truth: Array, like: Array) -> Array:
        return xp.astype(xp.asarray(truth), like.dtype)

    def both(a: Array, b: Array) -> Array:
        return xp.where(a != 0, b, a)

    def either(a: Array, b: Array) -> Array:
        return xp.where(a != 0, a, b)

    return {
        "lt": lambda a, b: number(a < b, a),
        "le": lambda a, b: number(a <= b, a),
        "gt": lambda a, b: number(a > b, a),
        "ge": lambda a, b: number(a >= b, a),
        "eq": lambda a, b: number(a == b, a),
        "ne": lambda a, b: number(a != b, a),
        "and": both,
        "or": either,
        "not": lambda a: number(a == 0, a),
        "where": lambda condition, a, b: xp.where(condition != 0, a, b),
    }


def _functions(xp: Any) -> dict[str, Callable[..., Array]]:
    def least(a: Array, b: Array) -> Array:
        return xp.where((a <= b) | xp.isnan(a), a, b)

    def greatest(a: Array, b: Array) -> Array:
        return xp.where((a >= b) | xp.isnan(a), a, b)

    def sign(x: Array) -> Array:
        # Added zero turns -0 into +0, which the namespaces do not agree on.
        return xp.where(xp.isnan(x), x, xp.sign(x) + 0.0)

    return {
        "sqrt": xp.sqrt,
        "cbrt": lambda x: _cube_root(xp, x),
        "abs": xp.abs,
        "sign": sign,
        "exp": xp.exp,
        "log": xp.log,
        "sin": xp.sin,
        "cos": xp.cos,
        "tanh": xp.tanh,
        "round": xp.round,
        "atan2": xp.atan2,
        "minimum": least,
        "maximum": greatest,
        "clip": lambda x, low, high: least(greatest(x, low), high),
    }


def _cube_root(xp: Any, x: Array) -> Array:
    """Cube root: the namespace's own, or a power, and one Newton step to bring it within 2 ulp."""
    size = xp.abs(x)
    plain = (size > 0) & xp.isfinite(size)
    safe = xp.where(plain, size, xp.ones_like(size))
    root = xp.cbrt(safe) if hasattr(xp, "cbrt") else safe ** (1 / 3)
    root = root - (root - safe / (root * root)) / 3
    return xp.copysign(xp.where(plain, root, size), x)


def _matrices(xp: Any) -> dict[str, Callable[..., Any]]:
    def orthogonal(
        a: Array,
        eps: Array = EPS,
        *,
        set: str = USUAL,  # noqa: A002
        rounds: int | None = None,
    ) -> Array:
        if a.shape[-2] > a.shape[-1]:
            return xp.matrix_transpose(orthogonal(xp.matrix_transpose(a), eps, set=set, rounds=rounds))
        flat = xp.reshape(a, (*a.shape[:-2], -1))
        size = xp.sqrt(blocked_sum(xp, flat * flat))[..., None, None] * SETS[set].stretch
        x = a / (size + eps)
        for first, second, third in SETS[set].of(rounds):
            square = x @ xp.matrix_transpose(x)
            x = first * x + (second * square + third * (square @ square)) @ x
        return x

    def eigen(a: Array) -> tuple[Array, Array]:
        lower = xp.tril(a)
        symmetric = lower + xp.matrix_transpose(xp.tril(a, k=-1))
        finite = xp.all(xp.isfinite(symmetric), axis=(-2, -1), keepdims=True)
        values, vectors = xp.linalg.eigh(xp.where(finite, symmetric, xp.zeros_like(symmetric)))
        largest = xp.max(vectors, axis=-2, keepdims=True) >= -xp.min(vectors, axis=-2, keepdims=True)
        vectors = xp.where(largest, vectors, -vectors)
        values = values[..., None, :]
        nan = xp.full_like(values, math.nan)
        return xp.where(finite, values, nan), xp.where(finite, vectors, nan + xp.zeros_like(vectors))

    def factors(a: Array) -> tuple[Array, Array]:
        q, r = xp.linalg.qr(a)
        diagonal = xp.linalg.diagonal(r)[..., None, :]
        one = xp.ones_like(diagonal)
        signs = xp.where(diagonal < 0, -one, one)
        return q * signs, r * xp.matrix_transpose(signs)

    def line_mean(a: Array) -> Array:
        return (blocked_sum(xp, a) / a.shape[-1])[..., None]

    def number(value: int, like: Array) -> Array:
        return xp.asarray(float(value), dtype=like.dtype, device=array_api_compat.device(like))[()]

    return {
        "matmul": lambda a, b: a @ b,
        "transpose": xp.matrix_transpose,
        "row_mean": line_mean,
        "column_mean": lambda a: xp.matrix_transpose(line_mean(xp.matrix_transpose(a))),
        "row_largest": lambda a: greatest_of(xp, a)[..., None],
        "column_largest": lambda a: greatest_of(xp, xp.matrix_transpose(a))[..., None, :],
        "rows": lambda a: number(a.shape[-2], a),
        "columns": lambda a: number(a.shape[-1], a),
        "leading": lambda a, count: a[..., : _number(count)],
        "sorted_by": lambda a, keys: _sorted(xp, a, keys),
        "identity": lambda a: xp.eye(a.shape[-1], dtype=a.dtype, device=array_api_compat.device(a)),
        "orthogonal": orthogonal,
        "eigh": eigen,
        "qr": factors,
    }


def _number(count: Any) -> int:
    if int(math.prod(getattr(count, "shape", ()))) != 1:
        # Runs beside each other may each bring their own.
        first = count.reshape(-1)[0]
        if bool((count == first).all()):
            return int(first)
        raise BadValue("`leading` is given many numbers of columns", "Give its knob one whole number.")
    return int(count.reshape(-1)[0]) if getattr(count, "shape", ()) else int(count)


def _sorted(xp: Any, a: Array, keys: Array) -> Array:
    """Put columns into the order of a row of numbers, the largest first, NaN last."""
    order = xp.argsort(xp.where(xp.isnan(keys), xp.full_like(keys, math.inf), -keys), axis=-1, stable=True)
    shape = xp.broadcast_to(order + 0 * xp.astype(xp.zeros_like(a), order.dtype), a.shape)
    return xp.take_along_axis(a, shape, axis=-1)


def greatest_of(xp: Any, a: Array) -> Array:
    """Give the largest over the last dimension: NaN wins, and the zero is +0; minus infinity where there is none."""
    return xp.max(a, axis=-1) + 0.0 if a.shape[-1] else blocked_sum(xp, a) - math.inf


def blocked_sum(xp: Any, a: Array, rounded: Callable[[Array], Array] = lambda a: a) -> Array:
    """Sum over the last dimension in the order that `mhat.ops.tensors` defines, every addition rounded."""
    while True:
        length = a.shape[-1]
        missing = padded_length(length) - length
        if missing:
            zeros = xp.zeros((*a.shape[:-1], missing), dtype=a.dtype, device=array_api_compat.device(a))
            a = xp.concat([a, zeros], axis=-1)
        blocks = xp.reshape(a, (*a.shape[:-1], -1, min(a.shape[-1], BLOCK)))
        while blocks.shape[-1] > 1:
            half = blocks.shape[-1] // 2
            blocks = rounded(blocks[..., :half] + blocks[..., half:])
        a = blocks[..., 0]
        if a.shape[-1] == 1:
            return a[..., 0]
