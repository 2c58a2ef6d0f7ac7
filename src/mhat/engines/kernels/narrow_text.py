"""A trace of few coordinates, printed in stages: each coordinate's steps of a block, loop after loop. It runs nothing.

A loop brings in what others have left in rows of the block, carries in registers what goes step by step, and leaves
in rows what others read or what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from mhat.engines.kernels.lowering import G, Kind, NotLowered, X
from mhat.engines.kernels.power_tables import BLOCK
from mhat.engines.kernels.stages import Stages, stages_of
from mhat.engines.kernels.step_text import line_of
from mhat.engines.kernels.trace_steps import Steps, TraceForm, kept_per_step, row_of
from mhat.language.walking import names

# Room before a row of a block, where the value of the step before the block stands; a cache line of it.
BEFORE = 16
ROW = BLOCK + BEFORE


class Rows:
    """Rows of a block in a narrow task: values that another loop reads, or that are kept."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def of(self, name: str) -> int:
        return self.places.setdefault(name, len(self.places)) * ROW + BEFORE


class Narrow:
    """Prints what is done with a block: coordinate by coordinate, a loop over the steps for each stage."""

    def __init__(self, form: TraceForm, kept: Mapping[str, str], steps: Steps, rows: Rows) -> None:
        self.form, self.kept, self.steps, self.rows = form, kept, steps, rows
        self.lowered = lowered = steps.lowered
        self.stages: Stages = stages_of(lowered)
        self.states = lowered.states(Kind.COORDINATE)
        self.homes = {X: "x", **{lowered.before[name]: name for name in self.states}}
        own = {value.id for value in self.stages.values}
        for name, after in self.stages.carried.items():
            if after != name and after not in own and after != G:
                raise NotLowered("a state that takes over what is no value of its own")

    def constant(self, name: str) -> bool:
        """Whether a state never changes."""
        return self.stages.carried.get(name) == name

    def lines(self) -> list[str]:
        """Print it; raises NotLowered for a state that only the other way of going can carry."""
        per_step = kept_per_step(self.form, self.lowered)
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
        return lines

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
            read = self.steps.get(row_of(value, self.steps))
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
