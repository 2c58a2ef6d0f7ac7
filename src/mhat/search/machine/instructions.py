"""What the register machine is given: operations, registers, code, observations, candidates. It runs nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
# An instruction is a row: what, whether all lanes share one number, the places of the result and of three operands.
# All are unsigned, so that compiled code need not ask whether they count from the end.
# Lanes are run in blocks of a fixed size, which compiles to straight code.
BLOCK, ZERO, ONE = np.uint64(8), np.uint64(0), np.uint64(1)
OPERATIONS = (
    "move", "add", "sub", "mul", "div", "neg", "pow", "sqrt", "abs", "sign", "minimum", "maximum", "where", "lt", "le",
    "gt", "ge", "eq", "ne", "and", "or", "not", "floordiv", "mod", "exp", "log", "sin", "cos", "atan2", "cbrt", "clip",
    "sum", "mean", "norm", "sum all", "mean all", "norm all",
)  # fmt: skip
(
    MOVE, ADD, SUB, MUL, DIV, NEG, POW, SQRT, ABS, SIGN, MINIMUM, MAXIMUM, WHERE, LT, LE, GT, GE, EQ, NE, AND, OR, NOT,
    FLOORDIV, MOD, EXP, LOG, SIN, COS, ATAN2, CBRT, CLIP, SUM, MEAN, NORM, SUM_ALL, MEAN_ALL, NORM_ALL,
) = range(len(OPERATIONS))  # fmt: skip
# Registers with a meaning of their own.
X, G, T, K, N, RESULT, OBSERVED = range(7)
MATCH, BLIND, SCORE, RATIO, PRINT = range(5)


class Code(NamedTuple):
    """All segments: instructions, where each segment begins and ends, constants and knobs by register."""

    instructions: Array
    begins: Array
    ends: Array
    constants: Array  # (register, value)
    constant_registers: Array
    knob_registers: Array
    variable_registers: Array
    registers: int
    starts: int  # how many parts, the first ones, run before the first step: knobs and starts
    slot_begins: Array  # of each slot: where its parts begin and end
    slot_ends: Array
    orders: Array  # (order, slot): what every step runs, in one of the orders
    mixes: Array  # of each segment: whether it reduces over a tensor


class Seen(NamedTuple):
    """What a subject did, by lanes (probe, tensor, coordinate): gradients and observations (step, lane)."""

    gradients: Array
    start: Array
    base: Array
    values: Array
    bound: Array
    shape: Array  # of each lane: the observation divided by its first move, (step, lane)
    shape_bound: Array
    tensor: Array
    partner: Array  # of each lane: how many lanes after it the one lies that it is divided by; 0 for none
    knobs: Array  # (probe, knob)
    probe_of_chunk: Array
    chunk_begins: Array
    chunk_ends: Array
    probe_begins: Array
    probe_ends: Array
    coordinates: int
    tensors: float
    observed: int  # the register that is compared
    width: int  # lanes of a register


class Changes(NamedTuple):
    """Changes of many candidates: those of candidate i lie from begins[i] to begins[i + 1]."""

    begins: Array
    places: Array
    segments: Array
