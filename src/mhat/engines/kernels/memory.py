"""Reading and writing numbers at addresses, in compiled code: without copies, and told apart so that loops vectorise.

Each array of a kernel has its own alias scope: the compiler may assume that no two of them overlap (whoever calls a
kernel sees to it). What is stored in two bytes is computed in float32: loads widen, stores round to nearest even, or
stochastically by given noise. It knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from mhat.dtypes import DTYPES

_NUMBERS = {"float64": types.float64, "float32": types.float32}
_POINTERS = {
    "float64": types.CPointer(types.float64),
    "float32": types.CPointer(types.float32),
    "float16": types.CPointer(types.uint16),
    "bfloat16": types.CPointer(types.int16),
}
_INTEGER = ir.IntType(32)
_HALF = ir.HalfType()


@cache
def pointer(stored: str) -> Any:
    """Give the function that makes a typed pointer of an address."""
    pointed = _POINTERS[stored]

    @intrinsic
    def at_address(typing_context: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return pointed(types.intp), code

    return at_address


@cache
def load(stored: str, index: int, count: int) -> Any:
    """Give `load(pointer, i)` for array number `index` of `count`."""
    pointed, number = _POINTERS[stored], _NUMBERS[DTYPES[stored].computed]
    widen = _WIDEN.get(stored)

    @intrinsic
    def load_number(typing_context: Any, start: Any, i: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = builder.gep(arguments[0], [arguments[1]])
            value = builder.load(place, align=DTYPES[stored].size)
            _tell_apart(builder.module, value, index, count)
            return widen(builder, value) if widen else value

        return number(pointed, types.intp), code

    return load_number


@cache
def store(stored: str, index: int, count: int) -> Any:
    """Give `store(pointer, i, value)` for array number `index` of `count`, rounding to nearest even."""
    pointed, number = _POINTERS[stored], _NUMBERS[DTYPES[stored].computed]
    narrow = _NARROW.get(stored)

    @intrinsic
    def store_number(typing_context: Any, start: Any, i: Any, value: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            start, i, value = arguments
            value = narrow(builder, value) if narrow else value
            done = builder.store(value, builder.gep(start, [i]), align=DTYPES[stored].size)
            _tell_apart(builder.module, done, index, count)
            return context.get_dummy_value()

        return types.void(pointed, types.intp, number), code

    return store_number


@cache
def store_noisy(stored: str, index: int, count: int) -> Any:
    """Give `store_noisy(pointer, i, value, noise)`: up with the probability of the rest; `noise` is 32 random bits."""
    pointed, narrow = _POINTERS[stored], _NARROW_NOISY[stored]

    @intrinsic
    def store_number(typing_context: Any, start: Any, i: Any, value: Any, noise: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            start, i, value, noise = arguments
            done = builder.store(narrow(builder, value, noise), builder.gep(start, [i]), align=DTYPES[stored].size)
            _tell_apart(builder.module, done, index, count)
            return context.get_dummy_value()

        return types.void(pointed, types.intp, types.float32, types.uint32), code

    return store_number


@cache
def rounded(stored: str) -> Any:
    """Give `rounded(value)`: the float32 that a load would give after a store."""
    narrow, widen = _NARROW[stored], _WIDEN[stored]

    @intrinsic
    def round_number(typing_context: Any, value: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return widen(builder, narrow(builder, arguments[0]))

        return types.float32(types.float32), code

    return round_number


def _tell_apart(module: Any, access: Any, index: int, count: int) -> None:
    """Mark a load or store: it overlaps with no other array of the kernel."""
    domain = module.add_metadata(["mhat kernel"])
    scopes = [module.add_metadata([f"array {i} of {count}", domain]) for i in range(count)]
    access.set_metadata("alias.scope", module.add_metadata([scopes[index]]))
    if count > 1:
        access.set_metadata("noalias", module.add_metadata([s for i, s in enumerate(scopes) if i != index]))


def _bits(builder: Any, value: Any) -> Any:
    return builder.bitcast(value, _INTEGER)


def _constant(value: int) -> Any:
    return ir.Constant(_INTEGER, value)


def _widen_bfloat16(builder: Any, value: Any) -> Any:
    return builder.bitcast(builder.shl(builder.zext(value, _INTEGER), _constant(16)), ir.FloatType())


def _narrow_bfloat16(builder: Any, value: Any) -> Any:
    """Round to nearest even by adding just under half and the last bit kept; NaN stays NaN."""
    bits = _bits(builder, value)
    last = builder.and_(builder.lshr(bits, _constant(16)), _constant(1))
    moved = builder.add(builder.add(bits, _constant(0x7FFF)), last)
    kept = builder.select(builder.fcmp_unordered("uno", value, value), _constant(0x7FC00000), moved)
    return builder.trunc(builder.lshr(kept, _constant(16)), ir.IntType(16))


def _narrow_bfloat16_noisy(builder: Any, value: Any, noise: Any) -> Any:
    """Add 16 random bits below the last bit kept and cut off; what is not finite stays as it is."""
    bits = _bits(builder, value)
    moved = builder.add(bits, builder.and_(noise, _constant(0xFFFF)))
    exponent = builder.and_(bits, _constant(0x7F800000))
    infinite = builder.icmp_unsigned("==", exponent, _constant(0x7F800000))
    kept = builder.select(infinite, builder.or_(bits, _quiet(builder, value)), moved)
    return builder.trunc(builder.lshr(kept, _constant(16)), ir.IntType(16))


def _quiet(builder: Any, value: Any) -> Any:
    """Give the bit that keeps a NaN one when its low bits are cut off."""
    return builder.select(builder.fcmp_unordered("uno", value, value), _constant(0x00400000), _constant(0))


def _widen_float16(builder: Any, value: Any) -> Any:
    return builder.fpext(builder.bitcast(value, _HALF), ir.FloatType())


def _narrow_float16(builder: Any, value: Any) -> Any:
    return builder.bitcast(builder.fptrunc(value, _HALF), ir.IntType(16))


def _narrow_float16_noisy(builder: Any, value: Any, noise: Any) -> Any:
    """Count in units of float16's spacing at the value (2**-24 at the least), add a fraction of one, and cut off."""
    bits, single = _bits(builder, value), ir.FloatType()
    exponent = builder.and_(bits, _constant(0x7F800000))
    least = _constant(113 << 23)
    scale = builder.select(builder.icmp_unsigned("<", exponent, least), least, exponent)
    unit = builder.sub(scale, _constant(10 << 23))
    inverse = builder.bitcast(builder.sub(_constant(254 << 23), unit), single)
    # 13 random bits are as many as the number of units, at most 2**11, leaves room for in a float32.
    one = _constant(127 << 23)
    part = builder.or_(builder.lshr(builder.and_(noise, _constant(0xFFF80000)), _constant(9)), one)
    fraction = builder.fsub(builder.bitcast(part, single), ir.Constant(single, 1.0))
    size = builder.bitcast(builder.and_(bits, _constant(0x7FFFFFFF)), single)
    units = builder.fptoui(builder.fadd(builder.fmul(size, inverse), fraction), _INTEGER)
    moved = builder.fmul(builder.uitofp(units, single), builder.bitcast(unit, single))
    signed = builder.or_(builder.bitcast(moved, _INTEGER), builder.and_(bits, _constant(0x80000000)))
    beyond = builder.icmp_unsigned(">=", exponent, _constant(143 << 23))
    return _narrow_float16(builder, builder.bitcast(builder.select(beyond, bits, signed), single))


_WIDEN: dict[str, Callable[..., Any]] = {"bfloat16": _widen_bfloat16, "float16": _widen_float16}
_NARROW: dict[str, Callable[..., Any]] = {"bfloat16": _narrow_bfloat16, "float16": _narrow_float16}
_NARROW_NOISY: dict[str, Callable[..., Any]] = {
    "bfloat16": _narrow_bfloat16_noisy,
    "float16": _narrow_float16_noisy,
}
