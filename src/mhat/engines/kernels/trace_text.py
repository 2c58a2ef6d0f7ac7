"""The text of a trace's kernel: a module for Numba with the time loop inside, printed from a lowered rule.

    per_block        the doubles of the steps of a block, and what of them tensors see, as a table over the steps
    task             some coordinates of one member of a sweep, through all steps, block by block
    trace            all tasks, dealt out to threads
    trace_by_two     one coordinate alone, by two threads
    trace_of_several members of a sweep, several at once

A task with many coordinates goes step by step, all coordinates of a step in one loop (`wide`); with few it goes
coordinate by coordinate, in stages, each a loop over the steps of a block (`mhat.engines.kernels.narrow_text`, which
has a table for each of its halves). It runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mhat.dtypes import DTYPES
from mhat.engines.kernels.lowering import G, Kind, Lowered, NotLowered, X, lower
from mhat.engines.kernels.narrow_text import BEFORE, ROW, Half, Narrow, Part
from mhat.engines.kernels.power_tables import BLOCK, ROOM
from mhat.engines.kernels.several_text import SEVERAL, several
from mhat.engines.kernels.step_text import bindings, line_of
from mhat.engines.kernels.trace_steps import Steps, TraceForm, kept_per_step, row_of, whole_table
from mhat.language.definition import Rule
from mhat.language.walking import names_in
from mhat.version import VERSION

# Steps that one of two threads goes ahead of the other: what it leaves for the other stays in a near cache.
LONG = 1 << 15
LONG_ROW = LONG + BEFORE


@dataclass(frozen=True)
class TraceText:
    """A printed kernel, and what its caller must know of the room that it wants.

    `per_step`: the kept variables that are one number a step. `table`, `powers`: rows of these tables. `rows`, `long`:
    rows of a block, and those that two threads have in common. `narrow`: whether it goes coordinate by coordinate,
    `by_two`: and two threads can share one. `moving_knobs`: the knobs that the doubles which change from step to step
    are computed from, None where there is more to it.
    """

    text: str
    lowered: Lowered
    per_step: frozenset[str]
    table: int
    powers: int
    rows: int = 0
    long: int = 0
    narrow: bool = False
    by_two: bool = False
    moving_knobs: frozenset[str] | None = None


def trace_text(rule: Rule, form: TraceForm) -> TraceText:
    """Print the kernel; raises NotLowered for rules, or variables to keep, that the arrays engine runs."""
    lowered = lower(rule)
    of_the_tensor = lowered.sizes or lowered.states(Kind.TENSOR) or "k" in rule.tree.inputs
    if of_the_tensor or any(value.reduction for value in lowered.values):
        raise NotLowered("a reduction, or a number of the tensor")
    # The x that a trace keeps is that after the step; g is kept without a kernel.
    kept = {name: lowered.result if name == "x" else lowered.variables[name] for name in form.keep}
    return _wide_text(lowered, form, kept) if form.wide else _narrow_text(lowered, form, kept)


def _wide_text(lowered: Lowered, form: TraceForm, kept: Mapping[str, str]) -> TraceText:
    steps = Steps(lowered, form, whole_table(lowered, kept))
    inner = [*_wide(form, kept, steps), *_kept_lines(form, kept, steps)]
    text = _joined([_heading(lowered, form), steps.text(), _wide_task(inner), _DRIVER])
    return TraceText(text, lowered, _per_step(form, lowered), len(steps.table), len(steps.powers))


def _narrow_text(lowered: Lowered, form: TraceForm, kept: Mapping[str, str]) -> TraceText:
    narrow = Narrow(form, kept, lowered)
    parts = narrow.parts()
    parts["moves"].append(Part(_kept_lines(form, kept, narrow.moves.steps, first="c == 0")))
    texts, table, powers = [_heading(lowered, form, narrow.rows())], 0, 0
    one, together = [], []
    for half in (narrow.averages, narrow.moves):
        # The first rows of the tables are the other half's.
        texts += [half.steps.text(), *_half(half, parts[half.name], f"room[0] + {table * BLOCK} * number_size")]
        one.append(_filled(half, table, powers))
        together.append(_filled(half, table, powers, several=True))
        table, powers = table + len(half.steps.table), powers + len(half.steps.powers)
    texts += [_narrow_task(*one), _DRIVER, _stretch("averages", one[0]), _stretch("moves", one[1]), _by_two()]
    texts += [_several_task(*together), _OF_SEVERAL]
    needed = [half.steps.moving_knobs() for half in (narrow.averages, narrow.moves)]
    knobs = None if None in needed else frozenset[str]().union(*filter(None, needed))
    return TraceText(
        _joined(texts), lowered, _per_step(form, lowered), table, powers,
        len(narrow.own_rows), len(narrow.long_rows), narrow=True, by_two=narrow.shared, moving_knobs=knobs,
    )  # fmt: skip


def _joined(parts: list[str]) -> str:
    return "\n\n\n".join(parts) + "\n"


def _per_step(form: TraceForm, lowered: Lowered) -> frozenset[str]:
    return frozenset(kept_per_step(form, lowered))


def _heading(lowered: Lowered, form: TraceForm, rows: Sequence[str] = ()) -> str:
    scopes = {name: i for i, name in enumerate(["x", *lowered.states(Kind.COORDINATE), "g", "table", "other", *rows])}
    count = len(scopes) + len(form.keep)
    lines = [
        f'"""{lowered.rule.name}: a trace in {form.dtype} of {", ".join(form.keep)}; printed by mhat {VERSION}."""',
        "",
        "import numpy as np",
        "from numba import njit, prange",
        "",
        "from mhat.engines.kernels import memory",
        "from mhat.engines.kernels.operations import OPTIONS, operations",
        "from mhat.engines.kernels.power_tables import faded, powers_in_block",
        "",
        f"number, number_size = np.{form.dtype}, {DTYPES[form.dtype].size}",
        "operations_of_steps = operations('float64')",
        f"operations_of_tensors = operations({form.dtype!r})",
        "inf_, nan_ = number(np.inf), number(np.nan)",
        f"pointer = memory.pointer({form.dtype!r})",
        "pointer_double = memory.pointer('float64')",
        "load_double = memory.load('float64', 0, 1)",
        *(f"load_{name}_ = memory.load({form.dtype!r}, {i}, {count})" for name, i in scopes.items()),
        *(f"store_{name}_ = memory.store({form.dtype!r}, {i}, {count})" for name, i in scopes.items()),
        *(
            f"keep_{i} = memory.store({form.dtype!r}, {len(scopes) + i}, {count})"
            for i in range(len(form.keep))
        ),
        *bindings(lowered.values, "operations_of_tensors"),
    ]  # fmt: skip
    return "\n".join(lines)


ARGUMENTS = "first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at"
_OF_A_BLOCK = "b, done, count, core, homes, g_at, out_at, room"
_COUNT = f"count = min({BLOCK} - ((first + done) & {BLOCK - 1}), end - done)"


def _wide_task(inner: list[str]) -> str:
    """Print the loop over blocks around what is done with one."""
    return "\n".join(
        [
            "@njit(**OPTIONS)",
            f"def task(b, begin, end, room, {ARGUMENTS}):",
            "    own = states[b].copy()",
            "    table_at, powers_at, power_room, rows_at = room[0], room[1], room[2], room[3]",
            "    table = pointer(table_at)",
            "    done = 0",
            "    while done < steps:",
            f"        {_COUNT.replace('end', 'steps')}",
            "        per_block(knobs[b], n_in, first + done, count, own, scheduled[:, b], done, table_at, powers_at,",
            "            power_room, 0)",
            *(f"        {line}" for line in inner),
            "        done += count",
            "    if begin == 0:",
            "        next_states[b, :] = own",
            "    return",
        ]
    )


def _half(half: Half, parts: list[Part], table: str) -> tuple[str, str]:
    """Print what a half does with the steps of a block, of one coordinate, and of that of several members."""
    places = f"table = pointer({table})\nrows_at = room[3]\nlong_at = room[4]"
    one = [*places.splitlines(), *(line for part in parts for line in part.printed())]
    head = f"def {half.name}(c, at, long_row, {_OF_A_BLOCK}):"
    together = _OF_A_BLOCK.replace("b, ", "first_b, ", 1).replace("room", "rooms")
    heads = f"def {half.name}_of_several(c, at, long_row, {together}):"
    return _function(head, one), _function(heads, several(parts, places))


def _function(head: str, lines: list[str]) -> str:
    return "\n".join(["@njit(**OPTIONS)", head, *(f"    {line}" for line in lines), "    return"])


def _filled(half: Half, table: int, powers: int, *, several: bool = False) -> str:
    """Print how the table of a half is filled for a block; for one member, or for number `i` of several."""
    b, room, states = ("b + i", "rooms[i, {}]", f"{half.states}[i]") if several else ("b", "room[{}]", half.states)
    at = f"{table * BLOCK} * number_size"
    other = f"rooms[i - 1, 0] + {at} if i > 0 and alike[b + i] else 0" if several else "0"
    return (
        f"steps_of_{half.name}(knobs[{b}], n_in, first + done, count, {states}, scheduled[:, {b}], done,\n"
        f"                {room.format(0)} + {at}, {room.format(1)} + {powers * BLOCK * 8},\n"
        f"                {room.format(2)} + {powers * ROOM * 8}, {other})"
    )


def _narrow_task(averages: str, moves: str) -> str:
    """Print the loop over blocks around what is done with one; the calls fill the tables of the two halves."""
    return f"""\
@njit(**OPTIONS)
def task(b, begin, end, room, {ARGUMENTS}):
    ahead, own = states[b].copy(), states[b].copy()
    done = 0
    while done < steps:
        {_COUNT.replace("end", "steps")}
        {averages}
        {moves}
        for c in range(begin, end):
            averages(c, 0, {ROW}, {_OF_A_BLOCK})
            moves(c, 0, {ROW}, {_OF_A_BLOCK})
        done += count
    if begin == 0:
        next_states[b, :] = own
    return"""


def _stretch(half: str, fills: str) -> str:
    """Print what a thread does with a stretch of steps of a coordinate that two threads share."""
    states = "own" if half == "moves" else "ahead"
    return f"""\
@njit(**OPTIONS)
def stretch_of_{half}(number, first, steps, knobs, n_in, {states}, scheduled, homes, g_at, out_at, room):
    b, c, core, before = 0, 0, 1, first & {LONG - 1}
    begin, end = max(number * {LONG} - before, 0), min((number + 1) * {LONG} - before, steps)
    done = begin
    while done < end:
        {_COUNT}
        {fills}
        at = (number & 1) * {LONG_ROW} + done - begin
        {half}(c, at, {2 * LONG_ROW}, {_OF_A_BLOCK})
        done += count
    return"""


def _several_task(averages: str, moves: str) -> str:
    """Print the loop over blocks for several members of a sweep."""
    called = _OF_A_BLOCK.replace("room", "rooms")
    return f"""\
@njit(**OPTIONS)
def task_of_several(b, rooms, alike, {ARGUMENTS}):
    ahead, own = states[b : b + {SEVERAL}].copy(), states[b : b + {SEVERAL}].copy()
    done = 0
    while done < steps:
        {_COUNT.replace("end", "steps")}
        for i in range({SEVERAL}):
            {averages}
            {moves}
        for c in range(core):
            averages_of_several(c, 0, {ROW}, {called})
            moves_of_several(c, 0, {ROW}, {called})
        done += count
    next_states[b : b + {SEVERAL}, :] = own
    return"""


# As in `trace`, one thread's work is done without a fork-join, which a forked child must not ask for.
_OF_SEVERAL = f"""\
@njit(**OPTIONS)
def share_of_several(s, shares, rooms, alike, {ARGUMENTS}):
    mine = rooms[s * {SEVERAL} : (s + 1) * {SEVERAL}]
    b = shares[s]
    while b + {SEVERAL} <= shares[s + 1]:
        task_of_several(b, mine, alike,
            {ARGUMENTS})
        b += {SEVERAL}
    while b < shares[s + 1]:
        task(b, 0, core, mine[0],
            {ARGUMENTS})
        b += 1


@kept
@njit(parallel=True, **OPTIONS)
def trace_of_several(shares, rooms, alike, {ARGUMENTS}):
    if shares.size == 2:
        share_of_several(np.int64(0), shares, rooms, alike,
            {ARGUMENTS})
    else:
        for s in prange(shares.size - 1):
            share_of_several(np.int64(s), shares, rooms, alike,
                {ARGUMENTS})"""


def _by_two() -> str:
    """Print what two threads do with one coordinate: the second half a stretch behind the first."""
    return f"""\
@kept
@njit(parallel=True, **OPTIONS)
def trace_by_two(rooms, {ARGUMENTS}):
    ahead, own = states[0].copy(), states[0].copy()
    stretches = ((first & {LONG - 1}) + steps + {LONG - 1}) // {LONG}
    for number in range(stretches + 1):
        for half in prange(2):
            if half == 0 and number < stretches:
                stretch_of_averages(number,
                    first, steps, knobs, n_in, ahead, scheduled, homes, g_at, out_at, rooms[0])
            elif half == 1 and number > 0:
                stretch_of_moves(number - 1,
                    first, steps, knobs, n_in, own, scheduled, homes, g_at, out_at, rooms[1])
    next_states[0, :] = own"""


def _kept_lines(form: TraceForm, kept: Mapping[str, str], steps: Steps, first: str = "begin == 0") -> list[str]:
    """Print how kept variables of one number a step are written, with the first coordinates."""
    lines = []
    for i, name in enumerate(form.keep):
        if name in kept_per_step(form, steps.lowered):
            lines += [
                f"if {first} and out_at[{i}, b] != 0:",
                f"    out_{i} = pointer(out_at[{i}, b])",
                "    for i in range(count):",
                f"        keep_{i}(out_{i}, done + i, {steps.get(row_of(kept[name], steps))})",
            ]
    return lines


def _wide(form: TraceForm, kept: Mapping[str, str], steps: Steps) -> list[str]:
    """Print what is done with a block: step by step, all coordinates of a step in one loop."""
    lowered, per_step = steps.lowered, kept_per_step(form, steps.lowered)
    states = lowered.states(Kind.COORDINATE)
    values = lowered.values
    # A kept variable, or a state's next value, may be a number of the step.
    wanted = {name for value in values for name in names_in(value.expression)}
    wanted |= {lowered.result, *(lowered.after[name] for name in states)}
    wanted |= {kept[name] for name in form.keep if name not in per_step}
    lines = [
        f"{name} = load_{array}_({array}_home, j)"
        for name, array in {X: "x", **{lowered.before[s]: s for s in states}}.items()
    ]
    lines += [f"{G} = load_g_(g, j)", *(line_of(value) for value in values)]
    lines += [f"store_x_(x_home, j, {lowered.result})"]
    lines += [f"store_{s}_({s}_home, j, {lowered.after[s]})" for s in states if lowered.after[s] != lowered.before[s]]
    named = {name: row_of(name, steps) if lowered.kinds[name] == Kind.STEP else name for name in wanted}
    lines += [
        f"keep_{i}(out_{i}, j, {named.get(kept[name], kept[name])})"
        for i, name in enumerate(form.keep)
        if name not in per_step
    ]
    loop = ["at = ((done + i) * core + begin) * number_size", "g = pointer(g_at[b] + at)"]
    for i, name in enumerate(form.keep):
        if name not in per_step:
            # A member of a sweep whose variable another member writes writes into a row that nobody reads.
            loop.append(f"out_{i} = pointer(out_at[{i}, b] + at if out_at[{i}, b] != 0 else rows_at)")
    loop += [f"{row} = {steps.get(row)}" for row in steps.table if row in {*wanted, *named.values()}]
    loop += ["for j in range(end - begin):", *(f"    {line}" for line in lines)]
    homes = [f"{a}_home = pointer(homes[{i}, b] + begin * number_size)" for i, a in enumerate(["x", *states])]
    return [*homes, "for i in range(count):", *(f"    {line}" for line in loop)]


_DRIVER = f"""\
@njit(**OPTIONS)
def share(s, tasks, shares, rooms, {ARGUMENTS}):
    for i in range(shares[s], shares[s + 1]):
        task(tasks[i, 0], tasks[i, 1], tasks[i, 2], rooms[s],
            {ARGUMENTS})


@kept
@njit(parallel=True, **OPTIONS)
def trace(tasks, shares, rooms, {ARGUMENTS}):
    if shares.size == 2:
        share(np.int64(0), tasks, shares, rooms,
            {ARGUMENTS})
    else:
        for s in prange(shares.size - 1):
            share(np.int64(s), tasks, shares, rooms,
                {ARGUMENTS})"""
