"""The text of a trace's kernel: a module for Numba with the time loop inside, printed from a lowered rule.

    per_block    the doubles of up to 256 steps, and what of them tensors see, as a table over the steps
    task         some coordinates of one member of a sweep, through all steps, block by block

A task with many coordinates goes step by step, all coordinates of a step in one loop (`wide`); with few it goes
coordinate by coordinate, in stages, each a loop over the steps of a block (`narrow`). It runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mhat.engines.kernels.lowering import G, Kind, Lowered, NotLowered, Value, X, lower
from mhat.engines.kernels.power_tables import BLOCK, ROOM
from mhat.engines.kernels.stages import Stages, stages_of
from mhat.engines.kernels.step_text import STEP_PRINTER, bindings, line_of
from mhat.language.definition import Rule
from mhat.language.inference import SCALAR
from mhat.language.tree import Expression, Name, Operation
from mhat.language.walking import mapped, names, renamed, subexpressions
from mhat.version import VERSION

# Room before a row of a block, where the value of the step before the block stands; a cache line of it.
BEFORE = 16
ROW = BLOCK + BEFORE


@dataclass(frozen=True)
class TraceForm:
    """How a rule is traced: precision, the variables that are kept, the knobs that change from step to step."""

    dtype: str
    keep: tuple[str, ...]
    schedules: tuple[str, ...]
    wide: bool


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
    steps = _Steps(lowered, form, kept)
    body = _wide(lowered, form, kept, steps) if form.wide else _narrow(lowered, form, kept, steps)
    text = "\n\n\n".join([_heading(lowered, form), steps.text(), *body.parts, _DRIVER]) + "\n"
    per_step = frozenset(name for name in kept if name != "x" and rule.shapes[name] == SCALAR)
    return TraceText(text, lowered, per_step, len(steps.table), body.rows, len(steps.powers))


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
        f"number = np.{form.dtype}",
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


class _Steps:
    """The doubles of a step: which stay the same, which change, and which powers come from tables."""

    def __init__(self, lowered: Lowered, form: TraceForm, kept: Mapping[str, str]) -> None:
        self.lowered = lowered
        self.form = form
        self.states = lowered.states(Kind.STEP)
        # Rows of the table: what tensors see, then kept variables that are doubles of the step.
        self.table = dict(lowered.entered)
        self.table |= {f"{v}_kept": v for v in kept.values() if lowered.kinds[v] == Kind.STEP and v not in self.table}
        self.moving = {"t_in", *(f"{name}_in" for name in (*form.schedules, *self.states))}
        for value in lowered.step_values:
            if names(value.expression) & self.moving:
                self.moving.add(value.id)
        self.powers: dict[Expression, str] = {}
        for value in lowered.step_values:
            for node in subexpressions(value.expression):
                if self._tabled(node):
                    self.powers.setdefault(node, f"power_{len(self.powers)}")

    def _tabled(self, node: Expression) -> bool:
        return (
            isinstance(node, Operation)
            and node.op == "pow"
            and node.arguments[1] == Name("t_in")
            and names(node.arguments[0]).isdisjoint(self.moving)
        )

    def changes(self, name: str) -> bool:
        """Whether a row of the table has a value for every step, not only its first."""
        return self.table[name] in self.moving or name.endswith("_kept")

    def text(self) -> str:
        tree = self.lowered.rule.tree
        still = [value for value in self.lowered.step_values if value.id not in self.moving]
        moving = [value for value in self.lowered.step_values if value.id in self.moving]
        lines = [
            *bindings(self.lowered.step_values, "operations_of_steps", prefix="d_"),
            "",
            "",
            "@njit(**OPTIONS)",
            "def per_block(knobs, n_in, first, count, states, scheduled, row, table_at, powers_at, power_room):",
            "    table = pointer(table_at)",
        ]
        lines += [
            f"    {name}_in = knobs[{i}]" for i, name in enumerate(tree.knob_names) if name not in self.form.schedules
        ]
        lines += [f"    {line_of(value, STEP_PRINTER)}" for value in still]
        for node, name in self.powers.items():
            assert isinstance(node, Operation)
            place = f"powers_at + {8 * BLOCK} * {int(name.removeprefix('power_'))}"
            base = STEP_PRINTER.expression(node.arguments[0])
            room = f"power_room + {8 * ROOM} * {int(name.removeprefix('power_'))}"
            lines.append(f"    powers_in_block({base}, first, count, {room}, row == 0, {place})")
            lines.append(f"    {name} = pointer_double({place})")
        lines += [f"    at_{name} = pointer_double(scheduled[{i}])" for i, name in enumerate(self.form.schedules)]
        lines += [f"    {self.lowered.before[name]} = states[{i}]" for i, name in enumerate(self.states)]
        lines += [f"    {self._put(name, '0')}" for name in self.table if not self.changes(name)]
        lines += [f"    {line}" for line in self._loop(moving)]
        lines += [f"    states[{i}] = {self.lowered.before[name]}" for i, name in enumerate(self.states)]
        return "\n".join([*lines, "    return"])

    def _loop(self, moving: list[Value]) -> list[str]:
        lines = ["for i in range(count):", "    t_in = np.float64(first + i)"]
        lines += [f"    {name}_in = load_double(at_{name}, row + i)" for name in self.form.schedules]
        for value in moving:
            expression = mapped(value.expression, lambda node: Name(self.powers[node]) if node in self.powers else node)
            read = {name for name in names(expression) if name in self.powers.values()}
            lines += [f"    at_{name} = load_double({name}, i)" for name in sorted(read)]
            expression = renamed(expression, {name: f"at_{name}" for name in read})
            lines.append(f"    {value.id} = {STEP_PRINTER.expression(expression)}")
        lines += [f"    {self._put(name, 'i')}" for name in self.table if self.changes(name)]
        after = [(self.lowered.before[name], self.lowered.after[name]) for name in self.states]
        lines += [f"    {old} = {new}" for old, new in after if old != new]
        return lines

    def _put(self, name: str, i: str) -> str:
        row = list(self.table).index(name) * BLOCK
        return f"store_table_(table, {row} + {i}, number({self.table[name]}))"

    def get(self, name: str, i: str = "i") -> str:
        """Print how a row of the table is read at a step of the block."""
        row = list(self.table).index(name) * BLOCK
        return f"load_table_(table, {row} + {i})" if self.changes(name) else f"load_table_(table, {row})"


@dataclass(frozen=True)
class _Body:
    parts: tuple[str, ...]
    rows: int


_ARGUMENTS = "b, begin, end, first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at, room"


def _task(inner: list[str], last: list[str]) -> str:
    """Print the loop over blocks around what is done with one."""
    return "\n".join(
        [
            "@njit(**OPTIONS)",
            f"def task({_ARGUMENTS}):",
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
            *(f"    {line}" for line in last),
            "    return",
        ]
    )


def _kept_per_step(form: TraceForm, kept: Mapping[str, str], steps: _Steps, per_step: Iterable[str]) -> list[str]:
    """Print how kept variables of one number a step are written, by the task of the first coordinates."""
    lines = []
    for i, name in enumerate(form.keep):
        if name in per_step:
            row = _row_of(kept[name], steps)
            lines += [
                f"if begin == 0 and out_at[{i}, b] != 0:",
                f"    out_{i} = pointer(out_at[{i}, b])",
                "    for i in range(count):",
                f"        keep_{i}(out_{i}, done + i, {steps.get(row)})",
            ]
    return lines


def _row_of(value: str, steps: _Steps) -> str:
    return value if value in steps.table else f"{value}_kept"


def _wide(lowered: Lowered, form: TraceForm, kept: Mapping[str, str], steps: _Steps) -> _Body:
    shapes = lowered.rule.shapes
    per_step = [name for name in form.keep if name != "x" and shapes[name] == SCALAR]
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
    named = {name: _row_of(name, steps) if lowered.kinds[name] == Kind.STEP else name for name in wanted}
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
    inner = [*homes, "for i in range(count):", *(f"    {line}" for line in loop)]
    inner += _kept_per_step(form, kept, steps, per_step)
    return _Body((f"number_size = {_size(form)}", _task(inner, [])), 0)


def _size(form: TraceForm) -> int:
    return 8 if form.dtype == "float64" else 4


class _Rows:
    """Rows of a block in a narrow task: values that another loop reads, or that are kept."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def of(self, name: str) -> int:
        return self.places.setdefault(name, len(self.places)) * ROW + BEFORE


def _narrow(lowered: Lowered, form: TraceForm, kept: Mapping[str, str], steps: _Steps) -> _Body:
    return _Narrow(lowered, form, kept, steps).body()


class _Narrow:
    def __init__(self, lowered: Lowered, form: TraceForm, kept: Mapping[str, str], steps: _Steps) -> None:
        self.lowered, self.form, self.kept, self.steps = lowered, form, kept, steps
        self.stages: Stages = stages_of(lowered)
        self.rows = _Rows()
        self.states = lowered.states(Kind.COORDINATE)
        self.homes = {X: "x", **{lowered.before[name]: name for name in self.states}}
        own = {value.id for value in self.stages.values}
        for name, after in self.stages.carried.items():
            if after != name and after not in own and after != G:
                raise NotLowered("a state that takes over what is no value of its own")

    def constant(self, name: str) -> bool:
        """Whether a state never changes."""
        return self.stages.carried.get(name) == name

    def body(self) -> _Body:
        per_step = [n for n in self.form.keep if n != "x" and self.lowered.rule.shapes[n] == SCALAR]
        self.rows.of(G)
        loops = [self.loop(stage) for stage in range(self.stages.count)]
        copies = [
            line for i, name in enumerate(self.form.keep) if name not in per_step for line in self.copied(i, name)
        ]
        lines = [
            *(f"{array}_home = pointer(homes[{i}, b])" for i, array in enumerate(["x", *self.states])),
            "g = pointer(g_at[b])",
            *(f"{name} = {self.steps.get(name)}" for name in self.steps.table if not self.steps.changes(name)),
            "for c in range(begin, end):",
        ]
        inner = [f"start_{array} = load_{array}_({array}_home, c)" for array in self.homes.values()]
        inner += [
            f"store_row_(rows, {self.rows.of(after) - 1}, start_{self.homes[name]})"
            for name, after in self.stages.carried.items()
            if name in self.shifted and not self.constant(name)
        ]
        inner += ["for i in range(count):"]
        inner += [f"    store_row_(rows, {self.rows.of(G)} + i, load_g_(g, (done + i) * core + c))"]
        for loop in loops:
            inner += loop
        inner += [line for name in self.stages.carried for line in self.sent_home(name)]
        lines += [f"    {line}" for line in [*inner, *copies]]
        lines += _kept_per_step(self.form, self.kept, self.steps, per_step)
        return _Body((_task(lines, []),), len(self.rows.places))

    @property
    def shifted(self) -> set[str]:
        """States whose value at the start of a step is read out of the loop that carries it, or kept."""
        found = {name for name in self.kept.values() if name in self.stages.carried}
        for value in self.stages.values:
            for name in names(value.expression):
                if name in self.stages.carried and not self.carries(name, self.stages.stage[value.id]):
                    found.add(name)
        return found

    def carries(self, name: str, stage: int) -> bool:
        """Whether a stage carries a state from step to step in a register."""
        after = self.stages.carried[name]
        return stage % 2 == 1 and self.stages.stage.get(after) == stage

    def loop(self, stage: int) -> list[str]:
        values = self.stages.at(stage)
        if not values:
            return []
        own = {value.id for value in values}
        read = list(dict.fromkeys(name for value in values for name in sorted(names(value.expression))))
        carried = [name for name in self.stages.carried if self.carries(name, stage)]
        lines = []
        for name in read:
            if name not in own and name not in carried:
                lines += self.brought(name)
        for value in values:
            lines.append(line_of(value))
            if self.wanted(value.id, stage):
                lines.append(f"store_row_(rows, {self.rows.of(value.id)} + i, {value.id})")
        lines += [f"{name} = {self.stages.carried[name]}" for name in carried]
        before = [f"{name} = start_{self.homes[name]}" for name in carried]
        return [*before, "for i in range(count):", *(f"    {line}" for line in lines)]

    def wanted(self, name: str, stage: int) -> bool:
        """Whether a value is read in another loop, kept, or sent home from its row."""
        elsewhere = {
            read
            for value in self.stages.values
            if self.stages.stage[value.id] != stage
            for read in names(value.expression)
        }
        shifted = {self.stages.carried[each] for each in self.shifted}
        return name in elsewhere | set(self.kept.values()) | shifted | set(self.stages.carried.values())

    def brought(self, name: str) -> list[str]:
        """Print how a value of another loop comes into this one."""
        if name in self.steps.table:
            return [f"{name} = {self.steps.get(name)}"] if self.steps.changes(name) else []
        if name in self.stages.carried:
            return [f"{name} = {self.shifted_row(name)}"]
        return [f"{name} = load_row_(rows, {self.rows.of(name)} + i)"]

    def shifted_row(self, name: str) -> str:
        if self.constant(name):
            return f"start_{self.homes[name]}"
        return f"load_row_(rows, {self.rows.of(self.stages.carried[name]) - 1} + i)"

    def sent_home(self, name: str) -> list[str]:
        """Print how a state is put where the next block finds it."""
        if self.constant(name):
            return []
        after, array = self.stages.carried[name], self.homes[name]
        return [f"store_{array}_({array}_home, c, load_row_(rows, {self.rows.of(after)} + count - 1))"]

    def copied(self, i: int, name: str) -> list[str]:
        value = self.kept[name]
        if value in self.steps.table or self.lowered.kinds[value] == Kind.STEP:
            read = self.steps.get(_row_of(value, self.steps))
        elif value in self.stages.carried:
            read = self.shifted_row(value)
        else:
            read = f"load_row_(rows, {self.rows.of(value)} + i)"
        return [
            f"if out_at[{i}, b] != 0:",
            f"    out_{i} = pointer(out_at[{i}, b])",
            "    if core == 1:",
            "        for i in range(count):",
            f"            keep_{i}(out_{i}, done + i, {read})",
            "    else:",
            "        for i in range(count):",
            f"            keep_{i}(out_{i}, (done + i) * core + c, {read})",
        ]


_DRIVER = f"""\
@njit(**OPTIONS)
def share(s, tasks, shares, rooms, {_ARGUMENTS.replace("b, begin, end, ", "").replace(", room", "")}):
    for i in range(shares[s], shares[s + 1]):
        task(tasks[i, 0], tasks[i, 1], tasks[i, 2],
            first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at, rooms[s])


@njit(parallel=True, cache=KEPT, **OPTIONS)
def trace(tasks, shares, rooms, first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at):
    if shares.size == 2:
        share(0, tasks, shares, rooms,
            first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at)
    else:
        for s in prange(shares.size - 1):
            share(s, tasks, shares, rooms,
                first, steps, core, knobs, n_in, states, next_states, scheduled, homes, g_at, out_at)"""
