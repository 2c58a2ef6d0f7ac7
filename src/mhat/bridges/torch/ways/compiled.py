"""The step of a rule through `torch.compile`: a function a pass over memory, of one flat tensor of any length.

What changes from step to step (knobs, `t`) comes in tensors, so that a schedule compiles nothing. It knows no
optimizer.
"""

from __future__ import annotations

import hashlib
import linecache
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import array_api_compat
import torch
from torch.autograd.graph import increment_version

from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.ways.flat import FEW, NO_NUMBERS, laid_out, tried, why_not_flat
from mhat.bridges.torch.ways.step_values import StepValues
from mhat.bridges.torch.ways.way import Knobs
from mhat.engines.array_operations import greatest_of, operations
from mhat.engines.kernels.lowering import Kind, Lowered, NotLowered, lower
from mhat.engines.kernels.passes import Pass, passes_of
from mhat.engines.step_form import StepForm
from mhat.language.definition import Rule
from mhat.language.tree import Name
from mhat.language.walking import names_in
from mhat.ops import OPERATIONS
from mhat.printers.kernel import KernelPrinter

PRINTER = KernelPrinter()
BACKEND = "inductor"
Tensor = Any


@dataclass(eq=False)
class CompiledWay:
    """How a bucket is stepped by what torch.compile makes."""

    bucket: Bucket
    stepper: CompiledStep
    name: str = "compiled"
    why: str = ""

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Knobs) -> None:
        """Step the tensors that have a gradient, in place. `steps`: t of each."""
        own = self.bucket
        self.stepper.run(own.tensors, laid_out(gradients, own.tensors), own.states, steps, knobs)
        increment_version([x for x, g in zip(own.tensors, gradients, strict=True) if g is not None])


def by_compiler(bucket: Bucket) -> CompiledWay | str:
    """Give the way of torch.compile, or say why it is not there; nothing on the CPU, unless it is asked for."""
    device = bucket.tensors[0].device
    if device.type == "meta" or (device.type == "cpu" and not bucket.options.way):
        return NO_NUMBERS if bucket.options.way else ""
    refused = why_not_flat(bucket.tensors, bucket.states)
    if refused:
        return refused
    sizes = [tensor.numel() for tensor in bucket.tensors]
    try:
        made = CompiledStep(bucket.rule, bucket.form, sizes, bucket.numbers, bucket.count, device)
    except NotLowered as reason:
        return f"torch.compile is not given {reason}"
    refused = tried(CompiledStep(bucket.rule, bucket.form, [FEW], [1.0], 1.0, device), bucket)
    return f"torch.compile fails: {refused}" if refused else CompiledWay(bucket, made)


class CompiledStep:
    """The step of one rule in one form over tensors of given sizes. Raises NotLowered.

    `numbers`: k of each tensor; `count`: n. The tensors are handed over at each step: on one device, dense, the
    gradients and states laid out as their parameters. `backend`: what
    `torch.compile` compiles with.
    """

    def __init__(
        self, rule: Rule, form: StepForm, sizes: Sequence[int], numbers: Sequence[float], count: float,
        device: torch.device, backend: str | None = None,
    ) -> None:  # fmt: skip
        if form.rounding != "nearest":
            raise NotLowered(f"rounding={form.rounding!r}")
        lowered = lower(rule, rearranged=form.rearranged)
        exact = all(stored in (form.computed, "float64") for _, stored in form.states)
        self.passes = passes_of(lowered, exact=exact)
        self.text = passes_text(lowered, form, self.passes)
        self.values = StepValues(lowered, sizes, numbers, count)
        self._lowered, self._sizes, self._device = lowered, list(sizes), device
        self._computed: torch.dtype = getattr(torch, form.computed)
        plain = _functions(self.text, self._computed)
        self.functions = [
            torch.compile(each, fullgraph=True, dynamic=True, backend=backend or BACKEND) for each in plain
        ]

    def run(
        self, xs: Sequence[Tensor], gs: Sequence[Tensor | None], states: Mapping[str, Sequence[Tensor]],
        steps: Sequence[float], knobs: Knobs,
    ) -> None:  # fmt: skip
        """Step in place the tensors that have a gradient. `states`: by name, a tensor each; `steps`: t of each."""
        chosen = [i for i, g in enumerate(gs) if g is not None]
        if not chosen:
            return
        doubles = {name: [float(state) for state in states[name]] for name in self.values.states}
        rows, after = self.values.rows(chosen, steps, knobs, doubles)
        alike = all(row is rows[0] for row in rows)
        table = torch.tensor(rows[:1] if alike else rows, dtype=self._computed).to(self._device)
        entered = [table[0]] * len(chosen) if alike else list(table.unbind())
        scalars = [[states[name][i] for name in self._lowered.states(Kind.TENSOR)] for i in chosen]
        coordinates = self._lowered.states(Kind.COORDINATE)
        flat = [list(map(_flat, (xs[i], gs[i], *(states[name][i] for name in coordinates)))) for i in chosen]
        totals: list[list[Tensor]] = [[] for _ in chosen]
        for each, function in zip(self.passes, self.functions, strict=True):
            made = [
                # Of what is empty there is nothing to compile.
                function(*parts) if parts[0][0].numel() else self._nothing(each)
                for parts in zip(flat, entered, totals, scalars, strict=True)
            ]
            if not each.last:
                self._fold(each, chosen, made, totals)
                continue
            for own, new in zip(scalars, made, strict=True):
                for home, value in zip(own, new, strict=False):
                    home.copy_(value)
        for i, values in zip(chosen, after, strict=True):
            for name, value in zip(self.values.states, values, strict=True):
                states[name][i].fill_(value)

    def _nothing(self, each: Pass) -> tuple[Tensor, ...]:
        neutral = [-math.inf if r.reduction and r.reduction.op == "largest" else 0.0 for r in each.reductions]
        return tuple(torch.full((), value, dtype=self._computed, device=self._device) for value in neutral)

    def _fold(self, each: Pass, chosen: list[int], parts: list[tuple[Tensor, ...]], totals: list[list[Tensor]]) -> None:
        """Make of what a pass has summed of each tensor the reductions: of that tensor, or of all."""
        sizes = [float(self._sizes[i]) for i in chosen]
        for place, value in enumerate(each.reductions):
            assert value.reduction is not None
            own = [part[place] for part in parts]
            if each.over:
                line = torch.stack(own)
                own, counts = [line.amax() if value.reduction.op == "largest" else line.sum()], [sum(sizes)]
            else:
                counts = sizes
            made = [_finished(value.reduction.op, total, count) for total, count in zip(own, counts, strict=True)]
            for i, tensor in enumerate(totals):
                tensor.append(made[0 if each.over else i])


def _finished(op: str, total: Tensor, count: float) -> Tensor:
    return total.sqrt() if op == "norm" else total / count if op == "mean" else total


def _flat(tensor: Tensor | None) -> Tensor:
    """Give the numbers of a dense tensor as they lie; no view of it, for the compiler asks what views are of."""
    assert tensor is not None
    made = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
    return made.set_(tensor.untyped_storage(), tensor.storage_offset(), (tensor.numel(),), (1,))


def passes_text(lowered: Lowered, form: StepForm, passes: Sequence[Pass]) -> str:
    """Print the functions: `pass_1`, `pass_2` ..., each of the arrays, the doubles of the step, totals and scalars."""
    columns = [value.id for each in passes for value in each.reductions]
    return "\n\n".join("\n".join(_pass(lowered, form, each, i, columns)) for i, each in enumerate(passes, 1)) + "\n"


def _pass(lowered: Lowered, form: StepForm, each: Pass, place: int, columns: Sequence[str]) -> Iterator[str]:
    arrays, scalars = ["x", "g", *lowered.states(Kind.COORDINATE)], lowered.states(Kind.TENSOR)
    read = {name for value in (*each.values, *each.reductions) for name in names_in(value.expression)}
    read |= {lowered.after[name] for name in each.stores}
    read |= {lowered.result, *(lowered.after[name] for name in scalars)} if each.last else set()
    yield f"def pass_{place}(arrays, entered, totals, scalars):"
    for name, i in zip(lowered.entered, range(len(lowered.entered)), strict=True):
        if name in read:
            yield f"    {name} = entered[{i}]"
    yield from (f"    {name} = totals[{i}]" for i, name in enumerate(columns) if name in read)
    for i, name in enumerate(scalars):
        if lowered.before[name] in read:
            yield f"    {lowered.before[name]} = scalars[{i}].clone()"
    # A copy, for another state may be given what this one was.
    for name, array in each.loads.items():
        yield f"    {name} = arrays[{arrays.index(array)}].to(computed, copy=True)"
    yield from (f"    {value.id} = {PRINTER.expression(value.expression)}" for value in each.values)
    yield from (f"    arrays[{arrays.index(name)}].copy_({lowered.after[name]})" for name in each.stores)
    if not each.last:
        yield f"    return ({', '.join(_summed(value.expression) for value in each.reductions)},)"
        return
    yield f"    arrays[0].copy_({lowered.result})"
    yield f"    return ({''.join(f'{lowered.after[name]}, ' for name in scalars)})"


def _summed(node: Any) -> str:
    (argument,) = node.arguments
    assert isinstance(argument, Name)
    if node.op == "largest":
        return f"greatest({argument.id})"
    return f"({argument.id} * {argument.id}).sum()" if node.op == "norm" else f"{argument.id}.sum()"


@cache
def _compiled(text: str, form: StepForm, backend: str) -> list[Callable[..., Any]]:
    """Give the printed functions to the compiler, once for all buckets that step so."""
    plain = _functions(text, getattr(torch, form.computed))
    return [torch.compile(each, fullgraph=True, dynamic=True, backend=backend) for each in plain]


def _functions(text: str, computed: torch.dtype) -> list[Callable[..., Any]]:
    """Make the printed functions, with the operations that they call."""
    xp = array_api_compat.array_namespace(torch.empty(0))
    known = operations(xp)
    name = f"<mhat_passes_{hashlib.sha256(text.encode()).hexdigest()[:32]}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {f"{op}_": known[op] for op in OPERATIONS if op in known}
    namespace |= {"computed": computed, "greatest": lambda line: greatest_of(xp, line), "pow_": _power}
    namespace |= {f"{power}_": product for power, product in _PRODUCTS.items()}
    exec(compile(text, name, "exec"), namespace)
    return [value for key, value in namespace.items() if key.startswith("pass_")]


def _power(base: Tensor, exponent: Tensor) -> Tensor:
    """Raise in double and round once."""
    return torch.pow(base.double(), exponent.double()).to(base.dtype)


_PRODUCTS: dict[str, Callable[[Tensor], Tensor]] = {
    "square": lambda a: a * a,
    "cube": lambda a: a * a * a,
    "fourth": lambda a: a * a * a * a,
}
