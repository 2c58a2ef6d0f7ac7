"""The text of a step's kernel: a module for Numba, printed from a lowered rule. It runs nothing.

`per_step` computes the doubles of a step: bias corrections, schedules, and the states that are one number a step.
`pass_1` and so on are one loop each over the coordinates of a piece of a tensor, one for each pass over memory.
`step` calls all of them, over all tensors, in threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from mhat.dtypes import DTYPES
from mhat.engines.kernels.lowering import Kind, Lowered, Value, lower
from mhat.engines.kernels.passes import Pass, passes_of
from mhat.engines.kernels.sums import KINDS
from mhat.engines.step_form import LOST, StepForm
from mhat.language.definition import Rule
from mhat.language.tree import Name, Operation
from mhat.language.walking import names_in, product_length, subexpressions
from mhat.printers.base import Printed
from mhat.printers.kernel import KernelPrinter
from mhat.version import VERSION

PRINTER = KernelPrinter()


@dataclass(frozen=True)
class StepText:
    """A printed kernel and what its caller must know of the tables that it wants."""

    text: str
    passes: tuple[Pass, ...]
    lowered: Lowered

    @property
    def reductions(self) -> tuple[Value, ...]:
        """All reductions, in the order of the columns of the table of scalars."""
        return tuple(value for each in self.passes for value in each.reductions)


def step_text(rule: Rule, form: StepForm) -> StepText:
    """Print the kernel of a rule; raises NotLowered for rules that the arrays engine runs."""
    lowered = lower(rule, rearranged=form.rearranged)
    exact = all(stored in (form.computed, "float64") for _, stored in form.states)
    passes = passes_of(lowered, exact=exact)
    writer = _Writer(lowered, form, passes)
    return StepText(writer.module(), tuple(passes), lowered)


class _Writer:
    def __init__(self, lowered: Lowered, form: StepForm, passes: list[Pass]) -> None:
        self.lowered = lowered
        self.form = form
        self.passes = passes
        self.arrays = list(form.arrays)
        self.widest = max(len(each.reductions) for each in passes)
        self.reductions = [value for each in passes for value in each.reductions]
        # The columns of the table of scalars: results of reductions, then states of one number a tensor.
        self.scalars = [value.id for value in self.reductions]
        self.scalars += [lowered.before[name] for name in lowered.states(Kind.TENSOR)]

    def module(self) -> str:
        parts = [self.heading(), per_step_text(self.lowered)]
        parts += [self.piece(i, each) for i, each in enumerate(self.passes, 1)]
        parts += [self.share(i, each) for i, each in enumerate(self.passes, 1)]
        parts.append(self.driver())
        return "\n\n\n".join(parts) + "\n"

    def heading(self) -> str:
        form = self.form
        count = len(self.arrays) + self.widest
        stored = ", ".join(f"{name} {dtype}" for name, dtype in form.arrays.items() if name != LOST)
        lines = [
            f'"""{self.lowered.rule.name}: one step, fused. {stored}; printed by mhat {VERSION}."""',
            "",
            "import numpy as np",
            "from numba import njit, prange",
            "",
            "from mhat.engines.kernels import memory, sums, switches",
            "from mhat.engines.kernels.operations import OPTIONS, operations",
            "",
            f"number = np.{form.computed}",
            "operations_of_steps = operations('float64')",
            f"operations_of_tensors = operations({form.computed!r})",
            "inf_, nan_, zero_ = number(np.inf), number(np.nan), number(0.0)",
        ]
        for i, (name, stored) in enumerate(form.arrays.items()):
            tail = _tail(name)
            lines += [
                f"pointer_{tail} = memory.pointer({stored!r})",
                f"load_{tail} = memory.load({stored!r}, {i}, {count})",
                f"store_{tail} = memory.{self.store(stored)}({stored!r}, {i}, {count})",
            ]
        if LOST in form.arrays:
            lines.append(f"rounded = memory.rounded({form.x!r})")
        for i in range(self.widest):
            lines.append(f"put_{i}_ = memory.store({form.computed!r}, {len(self.arrays) + i}, {count})")
        if self.widest:
            lines.append(f"pointer = memory.pointer({form.computed!r})")
            lines.append(f"halved = sums.halved({form.computed!r})")
            lines.append(f"highest = sums.highest({form.computed!r})")
            lines.append(f"spread = sums.spread({form.computed!r})")
        lines += bindings(self.lowered.values, "operations_of_tensors")
        return "\n".join(lines)

    def store(self, stored: str) -> str:
        noisy = self.form.rounding == "stochastic" and DTYPES[stored].small
        return "store_noisy" if noisy else "store"

    def noisy(self, name: str) -> bool:
        return self.form.rounding == "stochastic" and DTYPES[self.form.arrays[name]].small

    def piece(self, place: int, each: Pass) -> str:
        """Print one pass over a piece: addresses, the tensor's own numbers, and the loop."""
        last = each.last
        arguments = "at, k, begin, count, entered, scalars, seed" + (", new_scalars" if last else ", scratch, offset")
        lines = ["@njit(**OPTIONS)", f"def pass_{place}({arguments}):"]
        used = {*each.loads.values(), *each.stores, *(("x",) if last else ())}
        used |= {LOST} if "x" in used and LOST in self.arrays else set()
        for i, name in enumerate(self.arrays):
            if name in used:
                size = DTYPES[self.form.arrays[name]].size
                lines.append(f"    at_{_tail(name)} = pointer_{_tail(name)}(at[{i}, k] + begin * {size})")
        for i in range(len(each.reductions)):
            size = DTYPES[self.form.computed].size
            lines.append(f"    scratch_{i}_ = pointer(scratch + ({i} * 1024 + offset) * {size})")
        lines += self.constants(each)
        lines += [f"    key_{_tail(n)} = switches.key(seed, k, {self.arrays.index(n)})" for n in self.noisy_of(each)]
        lines += ["    for i in range(count):", *self.loop(each)]
        return "\n".join(lines)

    def noisy_of(self, each: Pass) -> list[str]:
        return [name for name in (*each.stores, *(("x",) if each.last else ())) if self.noisy(name)]

    def constants(self, each: Pass) -> list[str]:
        """Print what is one number for the whole piece: doubles of the step, reductions, states of the tensor."""
        roots = [name for value in each.values for name in names_in(value.expression)]
        roots += [self.lowered.result] if each.last else []
        roots += [self.lowered.after[name] for name in each.stores]
        heads = [value for value in each.values if value.kind == Kind.TENSOR]
        tensor_states = self.lowered.states(Kind.TENSOR) if each.last else []
        read = {*roots, *(self.lowered.after[name] for name in tensor_states)}
        lines = [f"    {name} = entered[{i}]" for i, name in enumerate(self.lowered.entered) if name in read]
        lines += [f"    {name} = scalars[{i}]" for i, name in enumerate(self.scalars) if name in read]
        lines += [f"    {line_of(value)}" for value in heads]
        for i, name in enumerate(tensor_states):
            column = len(self.reductions) + i
            lines += ["    if begin == 0:", f"        new_scalars[{column}] = {self.lowered.after[name]}"]
        return lines

    def loop(self, each: Pass) -> list[str]:
        lines = []
        for name, array in each.loads.items():
            loaded = f"load_{_tail(array)}(at_{_tail(array)}, i)"
            if DTYPES[self.form.arrays[array]].computed != self.form.computed:
                loaded = f"number({loaded})"
            if array == "x" and LOST in self.arrays:
                loaded += f" + load_{_tail(LOST)}(at_{_tail(LOST)}, i)"
            lines.append(f"{name} = {loaded}")
        lines += [line_of(value) for value in each.values if value.kind == Kind.COORDINATE]
        for i, value in enumerate(each.reductions):
            assert value.reduction is not None
            (argument,) = value.reduction.arguments
            summed = f"square_({line_text(argument)})" if value.reduction.op == "norm" else line_text(argument)
            lines.append(f"put_{i}_(scratch_{i}_, i, {summed})")
        lines += [self.stored(name, self.lowered.after[name]) for name in each.stores]
        if each.last:
            lines += self.stored_x()
        return [f"        {line}" for line in lines]

    def stored(self, array: str, value: str) -> str:
        noise = f", switches.noise(key_{_tail(array)}, begin + i)" if self.noisy(array) else ""
        computed = DTYPES[self.form.arrays[array]].computed
        if computed != self.form.computed:
            value = f"np.{computed}({value})"
        return f"store_{_tail(array)}(at_{_tail(array)}, i, {value}{noise})"

    def stored_x(self) -> list[str]:
        result = self.lowered.result
        if LOST not in self.arrays:
            return [self.stored("x", result)]
        return [
            f"kept = rounded({result})",
            self.stored("x", "kept"),
            # What is not finite has no rest.
            self.stored(LOST, f"({result} - kept if abs({result} - kept) < inf_ else zero_)"),
        ]

    def driver(self) -> str:
        """Print what goes through the passes, in threads where the tables give work to more than one."""
        lines = [
            "@kept",
            "@njit(parallel=True, **OPTIONS)",
            "def step(at, pieces, bins, knobs, ts, ks, n, sizes, all_sizes, step_states, entered, scalars,",
            "    new_scalars, seed, blocks):",
            "    per_steps(knobs, ts, ks, n, sizes, all_sizes, step_states, entered)",
        ]
        column = 0
        for place, each in enumerate(self.passes, 1):
            if not each.last:
                lines += self.reducing(place, each, column)
                column += len(each.reductions)
        lines += self.in_threads(len(self.passes), "bins", "at, pieces, bins, ts, entered, scalars, seed, new_scalars")
        return "\n".join(lines)

    def in_threads(self, place: int, shares: str, arguments: str) -> list[str]:
        # One thread's work is done at once: a fork-join costs more than little work. The casts make one type of what
        # Numba would compile three times: a literal, an integer, and the unsigned integers that it counts threads with.
        return [
            f"    if {shares}.size == 2:",
            f"        share_{place}(np.int64(0), {arguments})",
            "    else:",
            f"        for b in prange({shares}.size - 1):",
            f"            share_{place}(np.int64(b), {arguments})",
        ]

    def share(self, place: int, each: Pass) -> str:
        """Print what one thread does in a pass."""
        before, after = [], []
        if self.form.flushed:
            before, after = ["    old = switches.flush()"], ["    switches.restore(old)"]
        lines = self.last_share(place) if each.last else self.reducing_share(place, each)
        return "\n".join(["@njit(**OPTIONS)", lines[0], *before, *lines[1:], *after])

    def last_share(self, place: int) -> list[str]:
        return [
            f"def share_{place}(b, at, pieces, bins, ts, entered, scalars, seed, new_scalars):",
            "    for p in range(bins[b], bins[b + 1]):",
            "        k = pieces[p, 0]",
            "        row = k if ts.size > 1 else 0",
            f"        pass_{place}(at, k, pieces[p, 1], pieces[p, 2] - pieces[p, 1], entered[row],",
            "            scalars[k], seed, new_scalars[k])",
        ]

    def reducing_share(self, place: int, each: Pass) -> list[str]:
        length = "lengths[block, 0], lengths[block, 1]"
        folds = [
            f"        sums[{i}, block] = {_fold(value)}(scratch[b], np.int64({i}), {length})"
            for i, value in enumerate(each.reductions)
        ]
        return [
            f"def share_{place}(b, at, firsts, parts, lengths, shares, sums, scratch, ts, entered, scalars, seed):",
            "    for block in range(shares[b], shares[b + 1]):",
            "        for q in range(firsts[block], firsts[block + 1]):",
            "            k = parts[q, 0]",
            "            row = k if ts.size > 1 else 0",
            f"            pass_{place}(at, k, parts[q, 1], parts[q, 2] - parts[q, 1], entered[row],",
            "                scalars[k], seed, scratch[b], parts[q, 3])",
            *folds,
        ]

    def reducing(self, place: int, each: Pass, column: int) -> list[str]:
        """Print a pass that sums: blocks of 1,024 in threads, then the blocks' sums, tensor by tensor."""
        tables = "blocks[1]" if each.over else "blocks[0]"
        lines = [
            f"    firsts, parts, lengths, groups, shares, counts, sums, scratch = {tables}",
            *self.in_threads(
                place, "shares", "at, firsts, parts, lengths, shares, sums, scratch, ts, entered, scalars, seed"
            ),
        ]
        for i, value in enumerate(each.reductions):
            assert value.reduction is not None
            kind = KINDS[value.reduction.op]
            numbers = f"np.int64({i}), groups, counts, np.int64({kind}), scalars, np.int64({column + i})"
            lines.append(f"    spread(sums, {numbers})")
        return lines


def per_step_text(lowered: Lowered) -> str:
    """Print the function that computes the doubles of a step, and what of them tensors see."""
    tree = lowered.rule.tree
    states = lowered.states(Kind.STEP)
    lines = [
        *bindings(lowered.step_values, "operations_of_steps", prefix="d_"),
        "",
        "",
        "@njit(**OPTIONS)",
        "def per_step(knobs, t_in, k_in, n_in, size_in, all_sizes_in, states, entered):",
    ]
    lines += [f"    {name}_in = knobs[{i}]" for i, name in enumerate(tree.knob_names)]
    lines += [f"    {lowered.before[name]} = states[{i}]" for i, name in enumerate(states)]
    lines += [f"    {line_of(value, STEP_PRINTER)}" for value in lowered.step_values]
    lines += [f"    states[{i}] = {lowered.after[name]}" for i, name in enumerate(states)]
    lines += [f"    entered[{i}] = number({value})" for i, value in enumerate(lowered.entered.values())]
    lines += [
        "    return",
        "",
        "",
        "@njit(**OPTIONS)",
        "def per_steps(knobs, ts, ks, n, sizes, all_sizes, step_states, entered):",
        "    for row in range(ts.size):",
        "        per_step(knobs, ts[row], ks[row], n, sizes[row], all_sizes, step_states[row], entered[row])",
    ]
    return "\n".join(lines)


class _StepPrinter(KernelPrinter):
    """Writes expressions of doubles: the same, with functions of doubles."""

    functions: ClassVar[Mapping[str, str]] = {name: f"d_{text}" for name, text in KernelPrinter.functions.items()}

    def print_pow(self, node: Operation) -> Printed:
        return Printed(f"d_{super().print_pow(node).text}")


STEP_PRINTER = _StepPrinter()


def line_of(value: Value, printer: KernelPrinter = PRINTER) -> str:
    """Print the assignment of a value."""
    return f"{value.id} = {printer.expression(value.expression)}"


def _fold(value: Value) -> str:
    """Name what makes one number of a block."""
    return "highest" if value.reduction is not None and value.reduction.op == "largest" else "halved"


def line_text(node: object) -> str:
    """Print the name that a reduction runs over."""
    assert isinstance(node, Name)
    return node.id


def _tail(name: str) -> str:
    """Give what the kernel's names for an array end in; values end in a number or in `_in`, so none is taken."""
    return "x_lost" if name == LOST else f"{name}_"


def bindings(values: Iterable[Value], table: str, prefix: str = "") -> list[str]:
    """Bind the functions that expressions call."""
    used: set[str] = set()
    for value in values:
        for node in subexpressions(value.expression):
            if isinstance(node, Operation):
                length = product_length(node)
                used.add(_PRODUCTS[length] if length else "square" if node.op == "norm" else node.op)
    called = sorted(used - {"add", "sub", "mul", "div", "neg", "sum", "mean", "largest"})
    return [f"{prefix}{name}_ = {table}[{name!r}]" for name in called]


_PRODUCTS = {2: "square", 3: "cube", 4: "fourth"}
