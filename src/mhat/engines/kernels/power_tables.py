"""Powers of one number to many consecutive integers, with the bits of `mhat.ops.ipow` and without its length.

A power is a product of two in double-double: of a table for the low bits of the exponent, and of one number for the
high bits, the same for a block of exponents. Like the algorithm of `ipow` this is nearer to the true power than
2**-73; so where the rest behind the rounded product is further than that from half a unit, both round to the same
double. Where it is not (once in half a million), `ipow` itself is asked. It knows no rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from mhat.engines.kernels import memory
from mhat.engines.kernels.operations import OPTIONS, compiled_power

BLOCK_BITS = 9
BLOCK = 1 << BLOCK_BITS
# Doubles of room for the table of one base.
ROOM = 3 * BLOCK

# From this exponent of two on a result may overflow.
_FURTHEST = 1000.0
# A power with a smaller exponent of two than this is 0: half of the smallest double is 2**-1075.
NOTHING = -1100.0
# Beside 1 a power with a smaller exponent of two than this is as good as 0: half a unit under 1 is 2**-54.
BESIDE_ONE = -55.0
# Exponents up to here keep the error under 2**-73.
_LARGEST = 1 << 27
# Of significands in [1, 2): half a unit, less a margin beyond that error.
_SAFE = 2.0**-53 * (1.0 - 2.0**-19)

_pointer = memory.pointer("float64")
_load_high, _store_high = memory.load("float64", 0, 4), memory.store("float64", 0, 4)
_load_low, _store_low = memory.load("float64", 1, 4), memory.store("float64", 1, 4)
_load_scale, _store_scale = memory.load("float64", 2, 4), memory.store("float64", 2, 4)
_store_power = memory.store("float64", 3, 4)

_normalised = compiled_power("_normalised")
_ipow = compiled_power("ipow")


@intrinsic
def _two_to(typing_context: Any, exponent: Any) -> Any:
    """Give 2**exponent for a whole number of moderate size, by its bits."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        whole = builder.fptosi(arguments[0], word)
        bits = builder.shl(builder.add(whole, ir.Constant(word, 1023)), ir.Constant(word, 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64), code


@intrinsic
def _fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Give a * b + c, rounded once."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), code


@njit(**OPTIONS)
def _product(high, low, other_high, other_low):
    """Multiply two double-doubles in [1, 2) as `_multiply` does, without a branch."""
    product = high * other_high
    # What rounding took is a double itself, so this is what `product_of` finds in seventeen steps.
    error = _fused(high, other_high, -product) + (high * other_low + low * other_high)
    total = product + error
    rest = error - (total - product)
    large = total >= 2.0
    factor = 0.5 if large else 1.0
    return total * factor, rest * factor, 1.0 if large else 0.0


@njit(**OPTIONS)
def faded(base, first, least):
    """Whether base**t is under 2**least for t = first and all that come."""
    return 0.0 < base < 1.0 and first > 0 and first * np.log2(base) < least


@njit(**OPTIONS)
def powers_in_block(base, first, count, room, fresh, least, powers):
    """Write base**t for t = first .. first + count - 1, all in one block of `BLOCK`, at the address `powers`.

    `room`: the address of `ROOM` doubles, the table of this base unless `fresh`. `least`: the exponent of two under
    which a power may be written as 0; later blocks then are 0 too, and need no table.
    """
    made = _pointer(powers)
    if faded(base, first, least):
        for i in range(count):
            _store_power(made, i, 0.0)
    elif not (0.0 < base < np.inf and first <= _LARGEST and _quick(base, first, count, room, fresh, made)):
        for i in range(count):
            _store_power(made, i, _ipow(base, np.float64(first + i)))


@njit(**OPTIONS)
def _quick(base, first, count, room, fresh, made):
    """Write the powers by the table; say whether all of them are sure."""
    high, low, scale = _pointer(room), _pointer(room + 8 * BLOCK), _pointer(room + 16 * BLOCK)
    if fresh:
        _fill(base, high, low, scale)
    begin = first & (BLOCK - 1)
    head, tail, exponent = _power(base, first - begin)
    for end in (begin, begin + count - 1):
        if _load_scale(scale, end) + exponent >= _FURTHEST:
            return False
    unsure = 0
    least = min(_load_scale(scale, begin), _load_scale(scale, begin + count - 1)) + exponent
    if least > -_FURTHEST:
        for i in range(begin, begin + count):
            value, rest, carry = _product(_load_high(high, i), _load_low(low, i), head, tail)
            unsure |= (abs(rest) > _SAFE) | (value == 1.0)
            _store_power(made, i - begin, value * _two_to(_load_scale(scale, i) + exponent + carry))
        return unsure == 0
    for i in range(begin, begin + count):
        value, rest, carry = _product(_load_high(high, i), _load_low(low, i), head, tail)
        unsure |= (abs(rest) > _SAFE) | (value == 1.0)
        # Scaled in two steps, of which only the second can leave the normal numbers: one rounding, as in `ipow`.
        whole = _load_scale(scale, i) + exponent + carry
        whole = whole if whole > NOTHING else NOTHING
        second = whole + _FURTHEST if whole < -_FURTHEST else 0.0
        _store_power(made, i - begin, value * _two_to(whole - second) * _two_to(second))
    return unsure == 0


@njit(**OPTIONS)
def _fill(base, high, low, scale):
    """Fill the table: base**r for r under `BLOCK`, as significand in two doubles and exponent of two."""
    square, exponent = _normalised(base)
    rest = 0.0
    _store_high(high, 0, 1.0)
    _store_low(low, 0, 0.0)
    _store_scale(scale, 0, 0.0)
    step = 1
    while step < BLOCK:
        for i in range(step):
            new, left, carry = _product(_load_high(high, i), _load_low(low, i), square, rest)
            _store_high(high, step + i, new)
            _store_low(low, step + i, left)
            _store_scale(scale, step + i, _load_scale(scale, i) + exponent + carry)
        square, rest, carry = _product(square, rest, square, rest)
        exponent = 2.0 * exponent + carry
        step *= 2


@njit(**OPTIONS)
def _power(base, count):
    """Give base**count as significand in two doubles and exponent of two."""
    square, exponent = _normalised(base)
    rest = 0.0
    high, low, scale = 1.0, 0.0, 0.0
    while count > 0:
        if count & 1:
            high, low, carry = _product(high, low, square, rest)
            scale = scale + exponent + carry
        square, rest, carry = _product(square, rest, square, rest)
        exponent = 2.0 * exponent + carry
        count >>= 1
    return high, low, scale
