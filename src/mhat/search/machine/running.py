"""A register machine that runs candidate rules in compiled code, a few coordinates at a time. It knows no tree.

A candidate is a list of code segments, one a part (knobs, starts of states, operations, lines), and an order of
them. Most candidates fail within a few coordinates of the first step, so millions of pairs of edits are tried in
seconds. What it computes is near enough to propose; what is proposed is compared again elsewhere.

    judging(..., MATCH)   which joined candidates agree on everything seen
    judging(..., BLIND)   which agree up to one common factor
    judging(..., RATIO)   which agree in the ratios of partners
    judging(..., SCORE)   how much of what is seen each explains
    judging(..., PRINT)   a number that those have in common which do the same
"""

from __future__ import annotations

import math

import numpy as np

from mhat.search.machine import instructions as known
from mhat.search.machine.compiling import compiled


@compiled
def _linked(code, segments, first, last, program, many):  # type: ignore[no-untyped-def]
    """Copy the instructions of some parts behind those that are there, and count them all."""
    for part in range(first, last):
        segment = segments[part]
        if segment >= 0:
            for i in range(code.begins[segment], code.ends[segment]):
                for j in range(6):
                    program[many, j] = code.instructions[i, j]
                many += 1
    return many


@compiled
def _linked_step(code, segments, program):  # type: ignore[no-untyped-def]
    """Copy the instructions of a step to one place, in the order of the candidate, and count them."""
    many = 0
    for slot in code.orders[segments[len(segments) - 1]]:
        many = _linked(code, segments, code.slot_begins[slot], code.slot_ends[slot], program, many)
    return many


@compiled
def _execute(program, many, registers, count, lanes, coordinates):  # type: ignore[no-untyped-def]
    """Run instructions on `count` lanes, a multiple of the block, of which `lanes` mean something."""
    for i in range(many):
        op, to, a, b, c = program[i, 0], program[i, 2], program[i, 3], program[i, 4], program[i, 5]
        if op == known.ADD:
            for block in range(known.ZERO, count, known.BLOCK):
                for j in range(known.ZERO, known.BLOCK):
                    at = block + j
                    registers[to + at] = registers[a + at] + registers[b + at]
        elif op == known.MUL:
            for block in range(known.ZERO, count, known.BLOCK):
                for j in range(known.ZERO, known.BLOCK):
                    at = block + j
                    registers[to + at] = registers[a + at] * registers[b + at]
        elif op == known.SUB:
            for block in range(known.ZERO, count, known.BLOCK):
                for j in range(known.ZERO, known.BLOCK):
                    at = block + j
                    registers[to + at] = registers[a + at] - registers[b + at]
        elif op == known.DIV:
            for block in range(known.ZERO, count, known.BLOCK):
                for j in range(known.ZERO, known.BLOCK):
                    at = block + j
                    registers[to + at] = registers[a + at] / registers[b + at]
        elif op == known.MOVE:
            for block in range(known.ZERO, count, known.BLOCK):
                for j in range(known.ZERO, known.BLOCK):
                    at = block + j
                    registers[to + at] = registers[a + at]
        elif op == known.SQRT:
            for block in range(known.ZERO, count, known.BLOCK):
                for j in range(known.ZERO, known.BLOCK):
                    at = block + j
                    registers[to + at] = math.sqrt(registers[a + at])
        elif op >= known.SUM:
            _reduce(np.int64(op), to, a, registers, lanes, coordinates)
        else:
            several = known.ONE if program[i, 1] else count
            for at in range(known.ZERO, several):
                registers[to + at] = _seldom(op, registers[a + at], registers[b + at], registers[c + at])
            for at in range(several, count):
                registers[to + at] = registers[to]


@compiled
def _reduce(op, to, a, registers, lanes, coordinates):  # type: ignore[no-untyped-def]
    size = lanes if op >= known.SUM_ALL else coordinates
    kind = op - known.SUM_ALL if op >= known.SUM_ALL else op - known.SUM
    for first in range(0, lanes, size):
        total = 0.0
        for j in range(first, first + size):
            value = registers[a + np.uint64(j)]
            total += value * value if kind == 2 else value
        if kind == 1:
            total /= size
        elif kind == 2:
            total = math.sqrt(total)
        for j in range(first, first + size):
            registers[to + np.uint64(j)] = total


@compiled
def _seldom(op, a, b, c):  # type: ignore[no-untyped-def]
    if op == known.POW:
        return a**b
    if op == known.NEG:
        return -a
    if op == known.ABS:
        return abs(a)
    if op == known.SIGN:
        return a if a != a else (1.0 if a > 0 else (-1.0 if a < 0 else 0.0))
    if op == known.MINIMUM:
        return a if a <= b or a != a else b
    if op == known.MAXIMUM:
        return a if a >= b or a != a else b
    if op == known.WHERE:
        return b if a != 0 else c
    if op == known.CLIP:
        high = a if a >= b or a != a else b
        return high if high <= c or high != high else c
    if op <= known.NE:
        holds = (
            (op == known.LT and a < b)
            or (op == known.LE and a <= b)
            or (op == known.GT and a > b)
            or (op == known.GE and a >= b)
            or (op == known.EQ and a == b)
            or (op == known.NE and a != b)
        )
        return 1.0 if holds else 0.0
    if op == known.AND:
        return b if a != 0 else a
    if op == known.OR:
        return a if a != 0 else b
    if op == known.NOT:
        return 1.0 if a == 0 else 0.0
    return _function(op, a, b)


@compiled
def _function(op, a, b):  # type: ignore[no-untyped-def]
    if op in (known.FLOORDIV, known.MOD):
        if b == 0 or not math.isfinite(a):
            return math.nan if op == known.MOD else a / b
        rest = a % b
        return rest if op == known.MOD else np.round((a - rest) / b)
    if op == known.EXP:
        return np.exp(a)
    if op == known.LOG:
        return np.log(a)
    if op == known.SIN:
        return np.sin(a)
    if op == known.COS:
        return np.cos(a)
    if op == known.ATAN2:
        return np.arctan2(a, b)
    return np.cbrt(a)


@compiled
def _prepare(code, seen, registers):  # type: ignore[no-untyped-def]
    for i in range(len(code.constants)):
        place = code.constant_registers[i] * seen.width
        registers[place : place + seen.width] = code.constants[i]
    registers[known.N * seen.width : (known.N + 1) * seen.width] = seen.tensors


@compiled
def _begin(code, seen, registers, x, probe, first, count, lanes):  # type: ignore[no-untyped-def]
    """Set the knobs and the inputs of the first step; what is not assigned yet is NaN."""
    width = seen.width
    for name in code.variable_registers:
        for j in range(count):
            registers[name * width + j] = math.nan
    for i in range(len(code.knob_registers)):
        for j in range(count):
            registers[code.knob_registers[i] * width + j] = seen.knobs[probe, i]
    for j in range(lanes):
        x[j] = seen.start[first + j]
        registers[known.K * width + j] = seen.tensor[first + j]


@compiled
def _enter(width, gradients, registers, x, step, first, count, lanes):  # type: ignore[no-untyped-def]
    """Set the inputs of a step."""
    for j in range(count):
        registers[known.T * width + j] = step + 1.0
    for j in range(lanes):
        registers[known.X * width + j] = x[j]
        registers[known.G * width + j] = gradients[step, first + j]


@compiled
def _leave(width, registers, x, lanes):  # type: ignore[no-untyped-def]
    """Take the new x, and note the update where that is observed."""
    for j in range(lanes):
        new = registers[known.RESULT * width + j]
        registers[known.OBSERVED * width + j] = new - x[j]
        x[j] = new


@compiled
def _chunks(code, seen, segments):  # type: ignore[no-untyped-def]
    """Give the chunks to run in: whole probes if something reduces over a tensor."""
    for part in range(len(segments) - 1):
        if segments[part] >= 0 and code.mixes[segments[part]]:
            return seen.probe_begins, seen.probe_ends, np.arange(len(seen.probe_begins))
    return seen.chunk_begins, seen.chunk_ends, seen.probe_of_chunk


@compiled
def _close(value, wanted, bound):  # type: ignore[no-untyped-def]
    return abs(value - wanted) <= bound or value == wanted or (value != value and wanted != wanted)


@compiled
def _in_ratio(seen, registers, step, first, lanes):  # type: ignore[no-untyped-def]
    """Whether each lane and its partner moved in the ratio that was observed: what both have in common drops out."""
    at = seen.observed * seen.width
    for j in range(lanes):
        lane = first + j
        far = seen.partner[lane]
        if far == 0:
            continue
        a, b = registers[at + j], registers[at + j + far]
        wanted_a, wanted_b = seen.values[step, lane], seen.values[step, lane + far]
        loose_a, loose_b = seen.bound[step, lane], seen.bound[step, lane + far]
        if a == 0 and b == 0 and (abs(wanted_a) > loose_a or abs(wanted_b) > loose_b):
            return False
        bound = abs(a) * loose_b + abs(b) * loose_a
        if not _close(a * wanted_b, b * wanted_a, bound):
            return False
    return True


@compiled
def _print(seen, registers, step, first, lanes):  # type: ignore[no-untyped-def]
    """Sum what is observed with weights that no two places share, so that the same sum means the same behaviour."""
    total, at = 0.0, seen.observed * seen.width
    for j in range(lanes):
        lane = first + j
        size = abs(seen.values[step, lane] - seen.base[lane]) + seen.bound[step, lane]
        moved = (registers[at + j] - seen.base[lane]) / size
        weight = (lane * 7919 + step * 104729) % 1009 + 1.0
        total += weight * (min(max(moved, -1e3), 1e3) if math.isfinite(moved) else 7e3)
    return total


@compiled
def _judged(code, seen, segments, registers, work, beginning, program, mode):  # type: ignore[no-untyped-def]
    """Run a candidate and compare with what was seen; a blind match is one up to a factor that the first move gives.

    All in one loop: arrays that are handed on at every step, even to a function, cost more than the steps.
    """
    x, exact, nearly, anchor = work[0], work[1], work[2], work[3]
    begins, ends, probes = _chunks(code, seen, segments)
    if len(begins) == 0:
        return 0.0
    begin = _linked(code, segments, 0, code.starts, beginning, 0)
    many = _linked_step(code, segments, program)
    width, gradients, coordinates = seen.width, seen.gradients, seen.coordinates
    steps, at, base, values, bounds = len(gradients), seen.observed * width, seen.base, seen.values, seen.bound
    factor = 0.0 if mode == known.BLIND else 1.0
    whole = part = 0.0
    for chunk in range(len(begins)):
        first, lanes = begins[chunk], ends[chunk] - begins[chunk]
        count = (np.uint64(lanes) + known.BLOCK - np.uint64(1)) // known.BLOCK * known.BLOCK
        _begin(code, seen, registers, x, probes[chunk], first, count, lanes)
        exact[:lanes] = nearly[:lanes] = 1.0
        anchor[:lanes] = 0.0
        # Before the first step the states start.
        for step in range(-1, steps):
            _enter(width, gradients, registers, x, max(step, 0), first, count, lanes)
            if step < 0:
                _execute(beginning, begin, registers, count, lanes, coordinates)
                continue
            _execute(program, many, registers, count, lanes, coordinates)
            _leave(width, registers, x, lanes)
            if mode == known.RATIO and not _in_ratio(seen, registers, step, first, lanes):
                return 0.0
            if mode == known.PRINT:
                whole += _print(seen, registers, step, first, lanes)
            if mode == known.RATIO or mode == known.PRINT:
                continue
            alive = False
            for j in range(lanes):
                lane = first + j
                moved, wanted = registers[at + j] - base[lane], values[step, lane] - base[lane]
                if factor == 0.0 and wanted != 0:
                    factor = wanted / moved
                    if not (factor > 0 and factor < math.inf):
                        return 0.0
                if exact[j] == 1.0:
                    scaled = moved if mode != known.BLIND or moved == 0 else moved * factor
                    exact[j] = _close(scaled, wanted, bounds[step, lane])
                    whole += exact[j]
                if mode != known.SCORE and exact[j] == 0.0:
                    return 0.0
                if mode == known.SCORE and nearly[j] == 1.0:
                    if anchor[j] == 0.0 and math.isfinite(moved):
                        anchor[j] = moved
                    scaled = moved / anchor[j] if anchor[j] != 0 else moved
                    nearly[j] = _close(scaled, seen.shape[step, lane], seen.shape_bound[step, lane])
                    part += nearly[j]
                alive |= exact[j] == 1.0 or nearly[j] == 1.0
            if mode == known.SCORE and not alive:
                break
    return _told(mode, whole, part, factor, steps * len(seen.start))


@compiled
def _told(mode, whole, part, factor, most):  # type: ignore[no-untyped-def]
    if mode == known.SCORE:
        return (whole + 0.7 * part) / most
    if mode == known.PRINT:
        return whole
    return 1.0 if factor != 0.0 else 0.0


@compiled
def _assemble(base, owners, parents, i, segments):  # type: ignore[no-untyped-def]
    """Set a parent's segments and mark their places."""
    segments[:] = base
    owners[:] = 0
    for at in range(parents.begins[i], parents.begins[i + 1]):
        segments[parents.places[at]] = parents.segments[at]
        owners[parents.places[at]] = 1


@compiled
def _join(base, owners, singles, j, segments):  # type: ignore[no-untyped-def]
    """Set a single edit's segments on top; False, and nothing set, where it changes what the parent has changed."""
    for at in range(singles.begins[j], singles.begins[j + 1]):
        if owners[singles.places[at]]:
            return False
    for at in range(singles.begins[j], singles.begins[j + 1]):
        segments[singles.places[at]] = singles.segments[at]
    return True


@compiled
def _part(base, singles, j, segments):  # type: ignore[no-untyped-def]
    for at in range(singles.begins[j], singles.begins[j + 1]):
        segments[singles.places[at]] = base[singles.places[at]]


@compiled
def judging(code, seen, base, parents, singles, firsts, mode, longest):  # type: ignore[no-untyped-def]
    """Judge each parent joined with each single from `firsts[parent]` on: (parent, single), as `mode` says.

    MATCH, BLIND and RATIO give 1 for a match and 0 for none, SCORE how much is explained, PRINT a sum by which those
    that do the same are known; -1 where two exclude each other. No candidate has more than `longest` instructions.
    """
    many = len(singles.begins) - 1
    found = np.full((len(firsts), many), -1.0, dtype=np.float64)
    beginning, program = np.empty((longest, 6), dtype=np.uint64), np.empty((longest, 6), dtype=np.uint64)
    # By lane: x, whether it agrees, whether it does with its first move made one, and that move.
    work = np.empty((4, seen.width))
    for i in range(len(firsts)):
        registers = np.zeros(code.registers * seen.width)
        segments, owners = np.empty_like(base), np.zeros(len(base), dtype=np.int8)
        _prepare(code, seen, registers)
        _assemble(base, owners, parents, i, segments)
        for j in range(firsts[i], many):
            if _join(base, owners, singles, j, segments):
                found[i, j] = _judged(code, seen, segments, registers, work, beginning, program, mode)
                _part(base, singles, j, segments)
    return found
