"""What of a trace is one number a step: printed as a function that fills a table for a block of steps. It runs nothing.

Doubles that never change are computed once a block; powers of them to the step number come from a table of powers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mhat.engines.kernels.lowering import Kind, Lowered, Value
from mhat.engines.kernels.power_tables import BESIDE_ONE, BLOCK, NOTHING, ROOM
from mhat.engines.kernels.stages import reached
from mhat.engines.kernels.step_text import STEP_PRINTER, bindings, line_of
from mhat.language.inference import SCALAR
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import mapped, names_in, renamed, subexpressions


@dataclass(frozen=True)
class TraceForm:
    """How a rule is traced: precision, the variables that are kept, the knobs that change from step to step."""

    dtype: str
    keep: tuple[str, ...]
    schedules: tuple[str, ...]
    wide: bool


class Steps:
    """The doubles of a step that a table holds: which stay the same, which change, which powers come from tables."""

    def __init__(
        self, lowered: Lowered, form: TraceForm, table: Mapping[str, str], *, name: str = "per_block", last: bool = True
    ) -> None:
        """Take the rows of the table: the name that is read, and the value. The `last` table carries all states."""
        self.name = name
        self.lowered = lowered
        self.form = form
        self.table = dict(table)
        needed = self._needed({*table.values(), *(lowered.before[s] for s in lowered.states(Kind.STEP) if last)})
        self.values = [value for value in lowered.step_values if value.id in needed]
        self.states = {s: i for i, s in enumerate(lowered.states(Kind.STEP)) if lowered.before[s] in needed}
        self.moving = {"t_in", *(f"{name}_in" for name in form.schedules), *(f"{name}_in" for name in self.states)}
        for value in self.values:
            if names_in(value.expression) & self.moving:
                self.moving.add(value.id)
        self.powers: dict[Expression, str] = {}
        for value in self.values:
            for node in subexpressions(value.expression):
                if self._tabled(node):
                    self.powers.setdefault(node, f"power_{len(self.powers)}")
        self.beside_one = set(self.powers) - self._alone()

    def _needed(self, wanted: set[str]) -> set[str]:
        """Find all that the wanted values are computed from, in this step and in those before."""
        reads = {value.id: names_in(value.expression) for value in self.lowered.step_values}
        reads |= {self.lowered.before[s]: {self.lowered.after[s]} for s in self.lowered.states(Kind.STEP)}
        return wanted.union(*(reached(reads, name) for name in wanted))

    def _alone(self) -> set[Expression]:
        """Find the powers that are read otherwise than as 1 minus the power."""
        nodes = [node for value in self.values for node in subexpressions(value.expression)]
        found = {value.expression for value in self.values}
        for node in nodes:
            if isinstance(node, Operation) and not (node.op == "sub" and node.arguments[0] == Number(1.0)):
                found |= set(node.arguments)
        return found & set(self.powers)

    def _tabled(self, node: Expression) -> bool:
        return (
            isinstance(node, Operation)
            and node.op == "pow"
            and node.arguments[1] == Name("t_in")
            and names_in(node.arguments[0]).isdisjoint(self.moving)
        )

    def changes(self, name: str) -> bool:
        """Whether a row of the table has a value for every step, not only its first."""
        return self.table[name] in self.moving or name.endswith("_kept")

    def text(self) -> str:
        tree = self.lowered.rule.tree
        still = [value for value in self.values if value.id not in self.moving]
        moving = [value for value in self.values if value.id in self.moving]
        lines = [
            *bindings(self.values, "operations_of_steps", prefix="d_"),
            "",
            "",
            "@njit(**OPTIONS)",
            f"def {self.name}(",
            "    knobs, n_in, first, count, states, scheduled, row, table_at, powers_at, power_room, other",
            "):",
            "    table = pointer(table_at)",
        ]
        lines += [
            f"    {name}_in = knobs[{i}]" for i, name in enumerate(tree.knob_names) if name not in self.form.schedules
        ]
        lines += [f"    {line_of(value, STEP_PRINTER)}" for value in still]
        lines += [f"    {self._put(name, '0')}" for name in self.table if not self.changes(name)]
        lines += [*self._faded(), *self._copied()]
        for node, name in self.powers.items():
            base, least = self._base_and_least(node)
            place = f"powers_at + {8 * BLOCK} * {int(name.removeprefix('power_'))}"
            room = f"power_room + {8 * ROOM} * {int(name.removeprefix('power_'))}"
            lines.append(f"    powers_in_block({base}, first, count, {room}, row == 0, {least}, {place})")
            lines.append(f"    {name} = pointer_double({place})")
        lines += [f"    at_{name} = pointer_double(scheduled[{i}])" for i, name in enumerate(self.form.schedules)]
        lines += [f"    {self.lowered.before[name]} = states[{i}]" for name, i in self.states.items()]
        lines += [f"    {line}" for line in self._loop(moving)]
        lines += [f"    states[{i}] = {self.lowered.before[name]}" for name, i in self.states.items()]
        return "\n".join([*lines, "    return"])

    def _base_and_least(self, node: Expression) -> tuple[str, float]:
        """Print the base of a power, and give the exponent of two from which on it is as good as 0."""
        assert isinstance(node, Operation)
        return STEP_PRINTER.expression(node.arguments[0]), BESIDE_ONE if node in self.beside_one else NOTHING

    def _faded(self) -> list[str]:
        """Print how the table is left as it is, where all that moves are powers that had faded in the block before."""
        reads = {name for value in self.values for name in names_in(without(value.expression, self.powers))}
        reads |= set(self.table.values())
        if self.states or not self.powers or reads & (self.moving - {value.id for value in self.values}):
            return []
        faded = [f"faded({', '.join([base, f'first - {BLOCK}', str(least)])})"
                 for base, least in map(self._base_and_least, self.powers)]  # fmt: skip
        # Only a whole block before this one has filled the table.
        return [f"    if row >= {BLOCK} and {' and '.join(faded)}:", "        return"]

    def moving_knobs(self) -> set[str] | None:
        """Name the knobs that what changes from step to step is computed from; None where there is more to it."""
        needed = self._needed({value for row, value in self.table.items() if self.changes(row)})
        if self.states or needed & {f"{name}_in" for name in self.form.schedules}:
            return None
        return {name for name in self.lowered.rule.tree.knob_names if f"{name}_in" in needed}

    def _copied(self) -> list[str]:
        """Print how the moving rows are taken from another table, which has the same."""
        rows = [i * BLOCK for i, name in enumerate(self.table) if self.changes(name)]
        if self.moving_knobs() is None or not rows:
            return []
        copies = [f"store_table_(table, {row} + i, load_other_(from_table, {row} + i))" for row in rows]
        lines = ["if other != 0:", "    from_table = pointer(other)", "    for i in range(count):"]
        return [f"    {line}" for line in [*lines, *(f"        {copy}" for copy in copies), "    return"]]

    def _loop(self, moving: list[Value]) -> list[str]:
        lines = ["for i in range(count):", "    t_in = np.float64(first + i)"]
        lines += [f"    {name}_in = load_double(at_{name}, row + i)" for name in self.form.schedules]
        for value in moving:
            expression = without(value.expression, self.powers)
            read = {name for name in names_in(expression) if name in self.powers.values()}
            lines += [f"    at_{name} = load_double({name}, i)" for name in sorted(read)]
            expression = renamed(expression, {name: f"at_{name}" for name in read})
            lines.append(f"    {value.id} = {STEP_PRINTER.expression(expression)}")
        lines += [f"    {self._put(name, 'i')}" for name in self.table if self.changes(name)]
        after = [(self.lowered.before[name], self.lowered.after[name]) for name in self.states]
        changed = [(old, new) for old, new in after if old != new]
        if changed:
            # All at once: a state may take over what another was.
            lines += [f"    {', '.join(old for old, _ in changed)} = {', '.join(new for _, new in changed)}"]
        return lines

    def _put(self, name: str, i: str) -> str:
        row = list(self.table).index(name) * BLOCK
        return f"store_table_(table, {row} + {i}, number({self.table[name]}))"

    def get(self, name: str, i: str = "i") -> str:
        """Print how a row of the table is read at a step of the block."""
        row = list(self.table).index(name) * BLOCK
        return f"load_table_(table, {row} + {i})" if self.changes(name) else f"load_table_(table, {row})"


def without(expression: Expression, parts: Mapping[Expression, str]) -> Expression:
    """Give an expression with some of its parts as names."""
    return mapped(expression, lambda node: Name(parts[node]) if node in parts else node)


def whole_table(lowered: Lowered, kept: Mapping[str, str]) -> dict[str, str]:
    """List the rows of a table for all that tensors see, then for kept variables that are doubles of the step."""
    table = dict(lowered.entered)
    return table | {f"{v}_kept": v for v in kept.values() if lowered.kinds[v] == Kind.STEP and v not in table}


def row_of(value: str, steps: Steps) -> str:
    """Give the name under which a value stands in the table."""
    return value if value in steps.table else f"{value}_kept"


def kept_per_step(form: TraceForm, lowered: Lowered) -> list[str]:
    """List the kept variables that are one number a step, whatever the tensor."""
    return [name for name in form.keep if name != "x" and lowered.rule.shapes[name] == SCALAR]
