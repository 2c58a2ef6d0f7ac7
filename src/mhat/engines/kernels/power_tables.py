"""Powers of one number to many consecutive integers, with the bits of `mhat.ops.ipow` and without its length.

`ipow` multiplies the squares `base**(2**j)` of the exponent's set bits, lowest first, in double-double. For a block of
exponents with the same high bits the products of the low bits are a table in which each entry is one product of an
earlier one; the high bits' squares then multiply all entries alike. The same products in the same order: the same
bits. It knows no rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from mhat.engines.kernels import memory
from mhat.engines.kernels.operations import OPTIONS, compiled_power

BLOCK_BITS = 8
BLOCK = 1 << BLOCK_BITS
# Beyond this exponent of two a result is not normal, or nearly so, and scaling it may round.
_FURTHEST = 1000.0
# A power with a smaller exponent of two than minus this is 0: half of the smallest double is 2**-1075.
_NOTHING = 1100.0

_pointer = memory.pointer("float64")
_load_high, _store_high = memory.load("float64", 0, 4), memory.store("float64", 0, 4)
_load_low, _store_low = memory.load("float64", 1, 4), memory.store("float64", 1, 4)
_load_scale, _store_scale = memory.load("float64", 2, 4), memory.store("float64", 2, 4)
_store_power = memory.store("float64", 3, 4)

_product_of = compiled_power("product_of")
_normalised = compiled_power("_normalised")
_scaled = compiled_power("_scaled")
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


@njit(**OPTIONS)
def _product(high, low, other_high, other_low):  # type: ignore[no-untyped-def]
    """Multiply two double-doubles in [1, 2) as `_multiply` does, without a branch."""
    product, error = _product_of(high, other_high)
    error = error + (high * other_low + low * other_high)
    total = product + error
    rest = error - (total - product)
    large = total >= 2.0
    factor = 0.5 if large else 1.0
    return total * factor, rest * factor, 1.0 if large else 0.0


@njit(**OPTIONS)
def powers_in_block(base, first, count, room, powers):  # type: ignore[no-untyped-def]
    """Write base**t for t = first .. first + count - 1, all in one block of `BLOCK`, at the address `powers`.

    `room`: the address of 3 * BLOCK doubles.
    """
    made = _pointer(powers)
    if 0.0 < base < 1.0 and first * np.log2(base) < -_NOTHING:
        for i in range(count):
            _store_power(made, i, 0.0)
        return
    if not (base > 0.0 and base < np.inf):
        for i in range(count):
            _store_power(made, i, _ipow(base, np.float64(first + i)))
        return
    high, low, scale = _pointer(room), _pointer(room + 8 * BLOCK), _pointer(room + 16 * BLOCK)
    begin = first & (BLOCK - 1)
    square, rest, exponent = _low_table(base, begin + count, high, low, scale)
    block = first >> BLOCK_BITS
    while block > 0:
        if block & 1:
            for i in range(begin, begin + count):
                new, left, carry = _product(_load_high(high, i), _load_low(low, i), square, rest)
                _store_high(high, i, new)
                _store_low(low, i, left)
                _store_scale(scale, i, _load_scale(scale, i) + exponent + carry)
        square, rest, carry = _product(square, rest, square, rest)
        exponent = 2.0 * exponent + carry
        block >>= 1
    furthest = 0.0
    for i in range(begin, begin + count):
        at = _load_scale(scale, i)
        furthest = max(furthest, abs(at))
        factor = _two_to(min(max(at, -_FURTHEST), _FURTHEST))
        _store_power(made, i - begin, (_load_high(high, i) + _load_low(low, i)) * factor)
    if furthest >= _FURTHEST:
        for i in range(begin, begin + count):
            _store_power(made, i - begin, _scaled(_load_high(high, i) + _load_low(low, i), _load_scale(scale, i)))


@njit(**OPTIONS)
def _low_table(base, count, high, low, scale):  # type: ignore[no-untyped-def]
    """Fill the first entries of the table; give the square that stands for the lowest of the high bits."""
    square, exponent = _normalised(base)
    rest = 0.0
    _store_high(high, 0, 1.0)
    _store_low(low, 0, 0.0)
    _store_scale(scale, 0, 0.0)
    step = 1
    while step < BLOCK:
        for i in range(min(step, count - step)):
            new, left, carry = _product(_load_high(high, i), _load_low(low, i), square, rest)
            _store_high(high, step + i, new)
            _store_low(low, step + i, left)
            _store_scale(scale, step + i, _load_scale(scale, i) + exponent + carry)
        square, rest, carry = _product(square, rest, square, rest)
        exponent = 2.0 * exponent + carry
        step *= 2
    return square, rest, exponent
