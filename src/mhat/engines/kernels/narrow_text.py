"""A trace of few coordinates, printed in stages: one coordinate's steps of a block, loop after loop. It runs nothing.

A loop brings in what others have left in rows of the block, carries in registers what goes step by step, and leaves
in rows what others read or what is kept. The stages are two functions: `averages`, up to the first that goes step by
step, and `moves`, the rest; so that two threads can share one coordinate, the second a stretch of steps behind the
first. Rows that only one of them reads are its own; others lie in the stretch, or right where a variable is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mhat.engines.kernels.lowering import G, Kind, Lowered, X
from mhat.engines.kernels.power_tables import BLOCK
from mhat.engines.kernels.stages import Stages, stages_of
from mhat.engines.kernels.step_text import line_of
from mhat.engines.kernels.trace_steps import Steps, TraceForm, kept_per_step, row_of, whole_table
from mhat.language.walking import names_in

# Room before a row, where the value of the step before stands; a cache line of it.
BEFORE = 16
ROW = BLOCK + BEFORE
# The stages of `averages`: what is free, and what goes step by step first.
AVERAGES = (0, 1)


@dataclass(frozen=True)
class Part:
    """Lines of a half: what is done once, or, with a body, what is done before a loop over the steps and in it.

    `carries`: whether the loop goes step by step.
    """

    lines: list[str]
    body: list[str] | None = None
    carries: bool = False

    def printed(self) -> list[str]:
        """Print it."""
        return [*self.lines, *loop_over(self.body)] if self.body is not None else self.lines


def loop_over(body: list[str]) -> list[str]:
    """Print a loop over the steps of a block."""
    return ["for i in range(count):", *(f"    {line}" for line in body)]


@dataclass
class Half:
    """One of the two functions: its stages, its table, and its rows by the names of values."""

    name: str
    stages: tuple[int, ...]
    steps: Steps
    rows: dict[str, str] = field(default_factory=dict)

    @property
    def states(self) -> str:
        """The array of its own doubles that go from step to step."""
        return "own" if self.name == "moves" else "ahead"


class Narrow:
    """Prints what is done with a block: coordinate by coordinate, a loop over the steps for each stage."""

    def __init__(self, form: TraceForm, kept: Mapping[str, str], lowered: Lowered) -> None:
        self.form, self.kept, self.lowered = form, kept, lowered
        self.stages: Stages = stages_of(lowered)
        self.states = lowered.states(Kind.COORDINATE)
        self.homes = {X: "x", **{lowered.before[name]: name for name in self.states}}
        self.own_rows: dict[str, int] = {}
        self.long_rows: dict[str, int] = {}
        self.averages = self.half("averages", AVERAGES)
        self.moves = self.half("moves", tuple(range(len(AVERAGES), self.stages.count)))
        self.directly = self.kept_directly()

    def half(self, name: str, stages: tuple[int, ...]) -> Half:
        last = name == "moves"
        values = [value for value in self.stages.values if self.stages.stage[value.id] in stages]
        read = {each for value in values for each in names_in(value.expression)} | (self.seen if last else set())
        table = {row: value for row, value in self.lowered.entered.items() if row in read}
        if last:
            whole = whole_table(self.lowered, self.kept)
            table |= {row: value for row, value in whole.items() if row not in self.lowered.entered}
        return Half(name, stages, Steps(self.lowered, self.form, table, name=f"steps_of_{name}", last=last))

    @property
    def seen(self) -> set[str]:
        """Values that are kept, or that a state takes over."""
        return {*self.kept.values(), *self.stages.carried.values()}

    def kept_directly(self) -> dict[str, int]:
        """Choose the values that a lone coordinate has its row of where a variable is kept."""
        found: dict[str, int] = {}
        for i, name in enumerate(self.form.keep):
            value = self.kept[name]
            if value in self.stages.stage and value not in {self.stages.carried[each] for each in self.shifted}:
                found.setdefault(value, i)
        return found

    @property
    def shared(self) -> bool:
        """Whether there is work for a second thread."""
        return self.stages.count > len(AVERAGES)

    def constant(self, name: str) -> bool:
        """Whether a state never changes."""
        return self.stages.carried.get(name) == name

    def parts(self) -> dict[str, list[Part]]:
        """Print what each half does with a block."""
        halves = (self.averages, self.moves)
        inner = {half.name: self.inner(half) for half in halves}
        # Only now all rows are known.
        return {half.name: [Part(self.outer(half)), *inner[half.name]] for half in halves}

    def inner(self, half: Half) -> list[Part]:
        """Print what is done with the steps of one coordinate."""
        mine = [name for name in self.stages.carried if self.half_of(name) is half or self.constant(name)]
        starts = [f"start_{self.homes[name]} = load_{self.homes[name]}_({self.homes[name]}_home, c)" for name in mine]
        for name in mine:
            if name in self.shifted and not self.constant(name):
                row = self.row(half, self.stages.carried[name])
                starts.append(f"store_{row}_({row}, -1, start_{self.homes[name]})")
        loops = [self.loop(half, stage) for stage in half.stages if self.stages.at(stage)]
        after = [line for name in mine for line in self.sent_home(half, name)]
        if half is self.moves:
            per_step = kept_per_step(self.form, self.lowered)
            copies = [self.copied(half, i, name) for i, name in enumerate(self.form.keep) if name not in per_step]
            after += [line for lines in copies for line in lines]
        gradients = []
        if G in half.rows:
            row = half.rows[G]
            copied = loop_over([f"store_{row}_({row}, i, load_g_(g, (done + i) * core + c))"])
            gradients = ["if core != 1:", *(f"    {line}" for line in copied)]
        return [Part([*starts, *gradients]), *loops, Part(after)]

    def outer(self, half: Half) -> list[str]:
        """Print where things are."""
        steps = half.steps
        return [
            *(f"{array}_home = pointer(homes[{i}, b])" for i, array in enumerate(["x", *self.states])),
            "g = pointer(g_at[b])",
            *(f"{name} = {steps.get(name)}" for name in steps.table if not steps.changes(name)),
            *self.places(half),
        ]

    def half_of(self, name: str) -> Half:
        """Give the half that computes what a state takes next."""
        return self.averages if self.stages.stage.get(self.stages.carried[name]) in AVERAGES else self.moves

    def row(self, half: Half, name: str) -> str:
        """Name the row of a value in a half."""
        return half.rows.setdefault(name, f"row_{name}")

    def places(self, half: Half) -> list[str]:
        """Print where the rows lie that a half reads or writes."""
        lines = []
        for name, row in half.rows.items():
            other = self.moves if half is self.averages else self.averages
            if name != G and name in other.rows:
                number = self.long_rows.setdefault(name, len(self.long_rows))
                place = f"long_at + ({number} * long_row + {BEFORE} + at) * number_size"
            else:
                number = self.own_rows.setdefault(f"{half.name} {name}", len(self.own_rows))
                place = f"rows_at + {number * ROW + BEFORE} * number_size"
            if name == G:
                place = f"g_at[b] + done * number_size if core == 1 else {place}"
            elif name in self.directly:
                out = f"out_at[{self.directly[name]}, b]"
                place = f"{out} + done * number_size if core == 1 and {out} != 0 else {place}"
            lines.append(f"{row} = pointer({place})")
        return lines

    @property
    def shifted(self) -> set[str]:
        """States whose value at the start of a step is read out of the loop that carries it, or kept."""
        found = {name for name in self.kept.values() if name in self.stages.carried}
        for value in self.stages.values:
            for name in names_in(value.expression):
                if name in self.stages.carried and not self.carries(name, self.stages.stage[value.id]):
                    found.add(name)
        return found

    def carries(self, name: str, stage: int) -> bool:
        """Whether a stage carries a state from step to step in a register."""
        after = self.stages.carried[name]
        return stage % 2 == 1 and self.stages.stage.get(after) == stage

    def loop(self, half: Half, stage: int) -> Part:
        values = self.stages.at(stage)
        own = {value.id for value in values}
        read = list(dict.fromkeys(name for value in values for name in sorted(names_in(value.expression))))
        carried = [name for name in self.stages.carried if self.carries(name, stage)]
        lines = []
        for name in read:
            if name not in own and name not in carried:
                lines += self.brought(half, name)
        for value in values:
            lines.append(line_of(value))
            if self.wanted(value.id, stage):
                row = self.row(half, value.id)
                lines.append(f"store_{row}_({row}, i, {value.id})")
        lines += [f"{name} = {self.stages.carried[name]}" for name in carried]
        return Part([f"{name} = start_{self.homes[name]}" for name in carried], lines, carries=stage % 2 == 1)

    def wanted(self, name: str, stage: int) -> bool:
        """Whether a value is read in another loop, kept, or sent home from its row."""
        elsewhere = {
            read
            for value in self.stages.values
            if self.stages.stage[value.id] != stage
            for read in names_in(value.expression)
        }
        shifted = {self.stages.carried[each] for each in self.shifted}
        return name in elsewhere | set(self.kept.values()) | shifted | set(self.stages.carried.values())

    def brought(self, half: Half, name: str) -> list[str]:
        """Print how a value of another loop comes into this one."""
        if name in half.steps.table:
            return [f"{name} = {half.steps.get(name)}"] if half.steps.changes(name) else []
        if name in self.stages.carried:
            return [f"{name} = {self.shifted_row(half, name)}"]
        return [f"{name} = {self.read(half, name)}"]

    def read(self, half: Half, name: str, at: str = "i") -> str:
        row = self.row(half, name)
        return f"load_{row}_({row}, {at})"

    def shifted_row(self, half: Half, name: str) -> str:
        if self.constant(name):
            return f"start_{self.homes[name]}"
        return self.read(half, self.stages.carried[name], "i - 1")

    def sent_home(self, half: Half, name: str) -> list[str]:
        """Print how a state is put where the next block finds it."""
        if self.constant(name):
            return []
        after, array = self.stages.carried[name], self.homes[name]
        return [f"store_{array}_({array}_home, c, {self.read(half, after, 'count - 1')})"]

    def copied(self, half: Half, i: int, name: str) -> list[str]:
        """Print how a variable is kept: a lone coordinate may have its row there already."""
        value = self.kept[name]
        if value in half.steps.table or self.lowered.kinds[value] == Kind.STEP:
            read = half.steps.get(row_of(value, half.steps))
        elif value in self.stages.carried:
            read = self.shifted_row(half, value)
        else:
            read = self.read(half, value)
        there = " and core != 1" if self.directly.get(value) == i else ""
        return [
            f"if out_at[{i}, b] != 0{there}:",
            f"    out_{i} = pointer(out_at[{i}, b])",
            *(f"    {line}" for line in loop_over([f"keep_{i}(out_{i}, (done + i) * core + c, {read})"])),
        ]

    def rows(self) -> list[str]:
        """Name all rows: no two of them overlap."""
        return list(dict.fromkeys([*self.averages.rows.values(), *self.moves.rows.values()]))
