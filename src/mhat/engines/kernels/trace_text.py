"""The text of a trace's kernel: a module for Numba with the time loop inside, printed from a lowered rule.

    per_block    the doubles of up to 256 steps, and what of them tensors see, as a table over the steps
    task         some coordinates of one member of a sweep, through all steps, block by block

A task with many coordinates goes step by step, all coordinates of a step in one loop (`wide`); with few it goes
coordinate by coordinate, in stages, each a loop over the steps of a block (`narrow`). It runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mhat.engines.kernels.lowering import G, Kind, Lowered, NotLowered, X, lower
from mhat.engines.kernels.narrow_text import Narrow, Rows
from mhat.engines.kernels.power_tables import BLOCK
from mhat.engines.kernels.step_text import bindings, line_of
from mhat.engines.kernels.trace_steps import Steps, TraceForm, kept_per_step, row_of
from mhat.language.definition import Rule
from mhat.language.walking import names
from mhat.version import VERSION


@dataclass(frozen=True)
class TraceText:
    """A printed kernel, and what its caller must know of the room that it wants.

    `per_step`: the kept variables that are one number a step. `table`, `rows`, `powers`: rows of the three tables.
    """

    text: str
    lowered: Lowered
    per_step: frozenset[str]
    table: int
    rows: int
    powers: int


def trace_text(rule: Rule, form: TraceForm) -> TraceText:
    """Print the kernel; raises NotLowered for rules, or variables to keep, that the arrays engine runs."""
    lowered = lower(rule)
    if any(value.reduction for value in lowered.values) or lowered.states(Kind.TENSOR) or "k" in rule.tree.inputs:
        raise NotLowered("a reduction, or a number of the tensor")
    # The x that a trace keeps is that after the step; g is kept without a kernel.
    kept = {name: lowered.result if name == "x" else lowered.variables[name] for name in form.keep}
    steps = Steps(lowered, form, kept)
    rows = Rows()
    inner = _wide(form, kept, steps) if form.wide else Narrow(form, kept, steps, rows).lines()
    task = _task([*inner, *_kept_lines(form, kept, steps)])
    text = "\n\n\n".join([_heading(lowered, form), steps.text(), task, _DRIVER]) + "\n"
    per_step = frozenset(kept_per_step(form, lowered))
    return TraceText(text, lowered, per_step, len(steps.table), len(rows.places), len(steps.powers))


def _heading(lowered: Lowered, form: TraceForm) -> str:
    arrays = ["x", *lowered.states(Kind.COORDINATE)]
    count = len(arrays) + len(form.keep) + 3
    scopes = {name: i for i, name in enumerate([*arrays, "g", "table", "row"])}
    lines = [
        f'"""{lowered.rule.name}: a trace in {form.dtype} of {", ".join(form.keep)}; printed by mhat {VERSION}."""',
        "",
        "import numpy as np",
        "from numba import njit, prange",
        "",
        "from mhat.engines.kernels import memory",
        "from mhat.engines.kernels.operations import OPTIONS, operations",
        "from mhat.engines.kernels.power_tables import powers_in_block",
        "",
        f"number, number_size = np.{form.dtype}, {8 if form.dtype == 'float64' else 4}",
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


ARGUMENTS = "b, begin, end, first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at, room"


def _task(inner: list[str]) -> str:
    """Print the loop over blocks around what is done with one."""
    return "\n".join(
        [
            "@njit(**OPTIONS)",
            f"def task({ARGUMENTS}):",
            "    own = states[b].copy()",
            "    table_at, powers_at, power_room, rows_at = room[0], room[1], room[2], room[3]",
            "    table, rows = pointer(table_at), pointer(rows_at)",
            "    done = 0",
            "    while done < steps:",
            f"        count = min({BLOCK} - ((first + done) & {BLOCK - 1}), steps - done)",
            "        per_block(knobs[b], n_in, first + done, count, own, scheduled[:, b], done, table_at, powers_at,",
            "            power_room)",
            *(f"        {line}" for line in inner),
            "        done += count",
            "    if begin == 0:",
            "        next_states[b, :] = own",
            "    return",
        ]
    )


def _kept_lines(form: TraceForm, kept: Mapping[str, str], steps: Steps) -> list[str]:
    """Print how kept variables of one number a step are written, by the task of the first coordinates."""
    lines = []
    for i, name in enumerate(form.keep):
        if name in kept_per_step(form, steps.lowered):
            lines += [
                f"if begin == 0 and out_at[{i}, b] != 0:",
                f"    out_{i} = pointer(out_at[{i}, b])",
                "    for i in range(count):",
                f"        keep_{i}(out_{i}, done + i, {steps.get(row_of(kept[name], steps))})",
            ]
    return lines


def _wide(form: TraceForm, kept: Mapping[str, str], steps: Steps) -> list[str]:
    """Print what is done with a block: step by step, all coordinates of a step in one loop."""
    lowered, per_step = steps.lowered, kept_per_step(form, steps.lowered)
    states = lowered.states(Kind.COORDINATE)
    values = [value for value in lowered.values if value.kind == Kind.COORDINATE]
    # A kept variable, or a state's next value, may be a number of the step.
    wanted = {name for value in values for name in names(value.expression)}
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
def share(s, tasks, shares, rooms, {ARGUMENTS.replace("b, begin, end, ", "").replace(", room", "")}):
    for i in range(shares[s], shares[s + 1]):
        task(tasks[i, 0], tasks[i, 1], tasks[i, 2],
            first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at, rooms[s])


@njit(parallel=True, cache=KEPT, **OPTIONS)
def trace(tasks, shares, rooms, first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at):
    if shares.size == 2:
        share(np.int64(0), tasks, shares, rooms,
            first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at)
    else:
        for s in prange(shares.size - 1):
            share(np.int64(s), tasks, shares, rooms,
                first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at)"""
