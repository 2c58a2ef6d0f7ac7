"""Powers on arrays: the operations of `mhat.ops.powers`, element by element, so that the bits are the same."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat
import numpy as np

from mhat.ops.powers import LARGEST_INTEGER, SCALES, product_of, real_power

Array = Any
# Below this many elements the scalar algorithm, with its memory of earlier results, is quicker.
FEW = 64


def power(xp: Any, base: Array, exponent: Array) -> Array:
    """Raise to a power: integer exponents by `ipow`, others by the namespace's own function."""
    if array_api_compat.is_numpy_namespace(xp):
        base, exponent = np.asarray(base), np.asarray(exponent)
        dtype = np.result_type(base, exponent)
        if base.size * exponent.size <= FEW:
            result = _ONE_BY_ONE(base.astype(np.float64), exponent.astype(np.float64))
            return np.asarray(result).astype(dtype)[()]
    elif not has_doubles(xp):
        return xp.pow(xp.asarray(base), xp.asarray(exponent))
    base, exponent = xp.asarray(base), xp.asarray(exponent)
    dtype = xp.result_type(base, exponent)
    wide_base, wide_exponent = xp.astype(base, xp.float64), xp.astype(exponent, xp.float64)
    wide_base, wide_exponent = xp.broadcast_arrays(wide_base, wide_exponent)
    integer = (wide_exponent == xp.floor(wide_exponent)) & (xp.abs(wide_exponent) <= LARGEST_INTEGER)
    if not bool(xp.any(integer)):
        return xp.astype(xp.pow(wide_base, wide_exponent), dtype)
    whole = integer_power(xp, wide_base, xp.where(integer, wide_exponent, xp.ones_like(wide_exponent)))
    if not bool(xp.all(integer)):
        whole = xp.where(integer, whole, xp.pow(wide_base, wide_exponent))
    return xp.astype(whole, dtype)


_ONE_BY_ONE = np.frompyfunc(lambda a, b: real_power(float(a), float(b)), 2, 1)


def has_doubles(xp: Any) -> bool:
    """Whether the namespace computes in double (JAX does so only where it is switched on)."""
    return not array_api_compat.is_jax_namespace(xp) or xp.zeros(()).dtype == xp.float64


def _scaled_where(xp: Any, value: Array, chosen: Array, factor: float) -> Array:
    return xp.where(chosen, value * factor, value)


def _normalised(xp: Any, size: Array) -> tuple[Array, Array]:
    exponent = xp.zeros_like(size)
    for step in reversed(SCALES):
        large = size >= 2.0**step
        size = _scaled_where(xp, size, large, 2.0**-step)
        exponent = xp.where(large, exponent + step, exponent)
    for step in reversed(SCALES):
        small = size < 2.0 ** (1 - step)
        size = _scaled_where(xp, size, small, 2.0**step)
        exponent = xp.where(small, exponent - step, exponent)
    return size, exponent


def _multiply(xp: Any, high: Array, low: Array, other_high: Array, other_low: Array) -> tuple[Array, Array, Array]:
    product, error = product_of(high, other_high)
    error = error + (high * other_low + low * other_high)
    total = product + error
    rest = error - (total - product)
    large = total >= 2.0
    return (
        _scaled_where(xp, total, large, 0.5),
        _scaled_where(xp, rest, large, 0.5),
        xp.astype(large, total.dtype),
    )


def _scaled(xp: Any, value: Array, exponent: Array) -> Array:
    rest = xp.abs(exponent)
    rest = xp.where(rest > 1535.0, xp.full_like(rest, 1535.0), rest)
    up = exponent > 0
    for place, step in enumerate(SCALES):
        chosen = rest % (2 * step) >= step if place < len(SCALES) - 2 else rest >= step
        value = xp.where(chosen, xp.where(up, value * 2.0**step, value * 2.0**-step), value)
        rest = xp.where(chosen, rest - step, rest)
    return value


def _power_of_size(xp: Any, size: Array, exponent: Array) -> Array:
    count = xp.abs(exponent)
    base_high, base_exponent = _normalised(xp, size)
    base_low = xp.zeros_like(size)
    high, low, total_exponent = xp.ones_like(size), base_low, base_low
    while bool(xp.any(count > 0)):
        odd = count % 2.0 == 1.0
        new_high, new_low, carry = _multiply(xp, high, low, base_high, base_low)
        high, low = xp.where(odd, new_high, high), xp.where(odd, new_low, low)
        total_exponent = xp.where(odd, total_exponent + base_exponent + carry, total_exponent)
        count = (count - count % 2.0) * 0.5
        base_high, base_low, carry = _multiply(xp, base_high, base_low, base_high, base_low)
        base_exponent = 2.0 * base_exponent + carry
    quotient = 1.0 / high
    product, error = product_of(quotient, high)
    rest = (((1.0 - product) - error) - quotient * low) / high
    inverse = exponent < 0
    high, low = xp.where(inverse, quotient, high), xp.where(inverse, rest, low)
    total_exponent = xp.where(inverse, -total_exponent, total_exponent)
    return _scaled(xp, high + low, total_exponent)


def integer_power(xp: Any, base: Array, exponent: Array) -> Array:
    """Raise doubles to integer powers held in doubles; the same bits as `mhat.ops.ipow`."""
    size = xp.abs(base)
    plain = (size > 0) & xp.isfinite(base)
    one = xp.ones_like(base)
    powered = _power_of_size(xp, xp.where(plain, size, one), xp.where(plain, exponent, one))
    limit = xp.where((size == 0) == (exponent > 0), xp.zeros_like(base), xp.full_like(base, math.inf))
    powered = xp.where(plain, powered, limit)
    odd = xp.abs(exponent) % 2.0 == 1.0
    powered = xp.where(odd, xp.copysign(powered, base), powered)
    powered = xp.where(xp.isnan(base) | (exponent == 1.0), base, powered)
    return xp.where(exponent == 0.0, one, powered)
