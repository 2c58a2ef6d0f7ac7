"""What the processor is told beside arithmetic: subnormal numbers as zero; and random bits by counting.

Noise is a hash of where a number stands and of the step, so that the same seed gives the same bits in any number of
threads. It knows no rule.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from mhat.engines.kernels.operations import OPTIONS

CAN_FLUSH = platform.machine().lower() in ("x86_64", "amd64", "i686", "x86")
# Bits 15 (results) and 6 (operands) of the control register MXCSR (Intel manual, volume 1, section 10.2.3).
FLUSHED = 0x8040


def _slot(builder: Any) -> tuple[Any, Any]:
    byte = ir.IntType(8).as_pointer()
    slot = builder.alloca(ir.IntType(32))
    return slot, builder.bitcast(slot, byte)


def _control(builder: Any, name: str, slot: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    builder.call(function, [slot])


@intrinsic
def flush(typing_context: Any) -> Any:
    """Let this thread take subnormal numbers for zero; gives what `restore` needs."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slot, place = _slot(builder)
        _control(builder, "llvm.x86.sse.stmxcsr", place)
        old = builder.load(slot)
        builder.store(builder.or_(old, ir.Constant(ir.IntType(32), FLUSHED)), slot)
        _control(builder, "llvm.x86.sse.ldmxcsr", place)
        return old

    return types.uint32(), code


@intrinsic
def restore(typing_context: Any, old: Any) -> Any:
    """Take back what `flush` did."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slot, place = _slot(builder)
        builder.store(arguments[0], slot)
        _control(builder, "llvm.x86.sse.ldmxcsr", place)
        return context.get_dummy_value()

    return types.void(types.uint32), code


_U32 = np.uint32


@njit(**OPTIONS)
def _mixed(bits):
    """Mix 32 bits (the hash `lowbias32` of C. Wellons)."""
    bits = _U32(bits ^ (bits >> _U32(16)))
    bits = _U32(bits * _U32(0x7FEB352D))
    bits = _U32(bits ^ (bits >> _U32(15)))
    bits = _U32(bits * _U32(0x846CA68B))
    return _U32(bits ^ (bits >> _U32(16)))


@njit(**OPTIONS)
def key(seed, tensor, array):
    """Give the key of one array of one tensor in one step; `seed` stands for the user's seed and the step."""
    low, high = _U32(seed & 0xFFFFFFFF), _U32((seed >> 32) & 0xFFFFFFFF)
    mixed = _mixed(low ^ _U32(0x9E3779B9))
    mixed = _mixed(_U32(mixed ^ high))
    mixed = _mixed(_U32(mixed + _U32(tensor)))
    return _mixed(_U32(mixed ^ _U32(array * 0x85EBCA6B)))


@njit(**OPTIONS)
def noise(key, i):
    """Give 32 random bits for the coordinate i."""
    return _mixed(_U32(_mixed(_U32(i)) + key))
