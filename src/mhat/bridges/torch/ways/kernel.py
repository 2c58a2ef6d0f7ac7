"""The way on a processor: the fused kernel on the tensors' own memory, all tensors of a bucket in one call.

Where parameters, gradients and states lie is read anew at every step, for each of them may lie elsewhere by then;
nothing is written before all has been looked at. It knows no groups of parameters and no state dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from mhat.bridges.numpy.apartness import Memory
from mhat.bridges.numpy.state import APART, SEEDS
from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.ways.columns import PLAIN, Again, Column, again, is_dense, same_strides
from mhat.bridges.torch.ways.eager import Eager
from mhat.bridges.torch.ways.way import Knobs
from mhat.engines.kernels.addresses import OTHERWISE, UNMOVED
from mhat.engines.kernels.lowering import NotLowered
from mhat.engines.kernels.modules import NotCompiled
from mhat.engines.kernels.step import FusedStep, knob_values
from mhat.engines.step_form import LOST, StepForm
from mhat.errors import BadValue
from mhat.language.inference import SCALAR, Level

Array = Any


def by_kernel(bucket: Bucket) -> KernelWay | str:
    """Take buckets of plain tensors on the CPU whose rule has a kernel."""
    for tensor in bucket.parameters:
        if tensor.device.type != "cpu":
            return f"the fused kernel runs on the CPU, and the tensors are on {tensor.device}"
        if type(tensor) not in PLAIN or tensor.layout != torch.strided:
            return f"the fused kernel steps plain tensors, and one is a {type(tensor).__name__}"
        if any(stride == 0 and length > 1 for stride, length in zip(tensor.stride(), tensor.shape, strict=True)):
            return "the fused kernel steps no tensor that has one number in several places"
    if bucket.rule.level == Level.MATRIX:
        return f"{bucket.rule.name} works on whole matrices, and the fused kernel number by number"
    try:
        return KernelWay(bucket)
    except NotLowered as refused:
        return f"there is no fused kernel for {bucket.rule.name}: {refused}"


@dataclass(frozen=True)
class Shadow:
    """A copy in the order that the kernel goes in, of a tensor that is in another. `row`: of the table of addresses."""

    row: int
    place: int
    copy: Tensor


class KernelWay:
    """Steps a bucket in place by one compiled kernel. Raises NotLowered where the rule has none.

    What the compiler refuses is stepped by operations. Beside `step` it steps by the gradients that parameters hold,
    which it reads at once: `look`, then `step_held`.
    """

    name: str = "kernel"

    def __init__(self, bucket: Bucket) -> None:
        self.why = ""
        self._eager: Eager | None = None
        self._bucket = bucket
        self._form = form_of(bucket)
        sizes = [tensor.numel() for tensor in bucket.tensors]
        threads = bucket.options.threads or torch.get_num_threads()
        self._fused = FusedStep(bucket.rule, self._form, sizes, bucket.numbers, bucket.count, threads)
        self._lying = np.zeros_like(self._fused.at)
        self._again: Again | None = None
        self._written: Memory | None = None
        self._looked_at: Array = None
        self._arrange(self._rows())

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Knobs) -> None:
        """Step in place; see `Way.step`. Raises BadValue, and nothing is written, for memory that is shared."""
        if self._eager is not None or not isinstance(knobs, Mapping):
            # The kernel takes one value of a knob.
            (self._eager or Eager(self._bucket)).step(gradients, steps, knobs)
            return
        self._look_at_homes()
        given = list(gradients)
        copies = [self._enter_copy(given[i], i) for i in self._gradients.read(given)]
        self._check_apart()
        try:
            self._run(np.asarray(steps, dtype=np.float64), knobs)
        except NotCompiled as refused:
            self._fall_back(refused).step(gradients, steps, knobs)
        # Until here they had to live.
        del copies

    def look(self) -> Array | None:
        """Read where the gradients lie that the parameters hold, and give the mask of those that have one.

        None if `step` is to be asked: a gradient is not as the kernel wants it. Raises BadValue as `step` does.
        """
        if self._again is not None:
            found = self._again.read(self._fused.at)
            if found != OTHERWISE:
                if found != UNMOVED or self._looked_at is None:
                    self._check_apart()
                return self._gradients.there
            self._again = None
        if self._bucket.complex or self._eager is not None or len(self._bucket.groups) > 1:
            return None
        self._look_at_homes()
        if not self._gradients.read_gradients(self._bucket.parameters):
            return None
        self._check_apart()
        return self._gradients.there

    def step_held(self, steps: Array, knobs: Mapping[str, float]) -> None:
        """Step by the gradients that were looked at. `steps`: t of each tensor."""
        if self._again is not None and (steps == steps[0]).all():
            self._fused.run_again(knob_values(self._bucket.rule, knobs), steps[:1], self._noise(steps[:1]))
            self._again.tell_changed()
            return
        try:
            self._run(steps, knobs)
            self._again = self._settled()
        except NotCompiled as refused:
            self._fall_back(refused).step([p.grad for p in self._bucket.parameters], steps, knobs)

    def _settled(self) -> Again | None:
        """Say how all can be read at once the next time, if the step that was taken can be taken again as it is.

        What a kernel moves drives this code out of the caches, so that every line of it is slow.
        """
        rows = self._homes
        dtypes = {tensors[0].dtype for tensors in rows.values()}
        if self._shadows or not self._fused.repeats or not self._gradients.there.all() or len(dtypes) > 2:
            return None
        return again(self._gradients, rows)

    def _fall_back(self, refused: NotCompiled) -> Eager:
        """Step otherwise from now on: nothing has moved yet. Raises BadValue for what the kernel alone does."""
        self._eager = Eager(self._bucket)
        self.name, self.why = self._eager.name, f"there is no fused kernel for {self._bucket.rule.name}: {refused}"
        return self._eager

    def _rows(self) -> dict[int, list[Tensor]]:
        """List the tensors that are written, by their row in the table of addresses."""
        bucket, fused = self._bucket, self._fused
        # Where the memory of a parameter is exchanged, only the parameter itself knows.
        xs = [torch.view_as_real(p.detach()) for p in bucket.parameters] if bucket.complex else bucket.parameters
        rows = {"x": xs, **{name: bucket.states[name] for name in fused.coordinate_states}}
        if fused.lost_row is not None:
            rows[LOST] = bucket.lost
        return {fused.array(name): tensors for name, tensors in rows.items()}

    def _arrange(self, rows: Mapping[int, list[Tensor]]) -> None:
        """Choose for each tensor in which order the kernel goes through it, and copy what is in another one."""
        xs = rows[0]
        shapes = [tensor.shape for tensor in xs]
        orders = [self._order(rows, i) for i in range(len(shapes))]
        self._columns = {
            row: Column(shapes, [tensor.stride() for tensor in tensors], tensors[0].dtype)
            for row, tensors in rows.items()
        }
        self._gradients = Column(shapes, orders, xs[0].dtype, self._fused.at[1])
        self._shadows = [
            Shadow(row, i, torch.empty_strided(tensor.shape, orders[i], dtype=tensor.dtype))
            for row, tensors in rows.items()
            for i, tensor in enumerate(tensors)
            if not same_strides(tensor, orders[i])
        ]

    def _order(self, rows: Mapping[int, list[Tensor]], place: int) -> tuple[int, ...]:
        """Give the strides in which the kernel goes: those of the memory where it does not matter, else row by row."""
        tensor = rows[0][place]
        in_memory = self._bucket.rule.level == Level.COORDINATE and is_dense(tensor)
        if in_memory and all(same_strides(tensors[place], tensor.stride()) for tensors in rows.values()):
            return tuple(tensor.stride())
        return tuple(torch.empty(tensor.shape, device="meta").stride())

    def _look_at_homes(self) -> None:
        """Read where all lies that is written; what is arranged otherwise by now is followed. Raises BadValue."""
        rows = self._rows()
        if any(self._columns[row].read(tensors) for row, tensors in rows.items()):
            self._check_homes(rows)
            self._arrange(rows)
            for row, tensors in rows.items():
                self._columns[row].read(tensors)
        self._homes = rows
        for row, column in self._columns.items():
            if not np.array_equal(self._lying[row], column.at):
                self._lying[row] = column.at
                self._written = None
            self._fused.at[row] = column.at
        for shadow in self._shadows:
            self._fused.at[shadow.row, shadow.place] = shadow.copy.data_ptr()

    def _check_homes(self, rows: Mapping[int, list[Tensor]]) -> None:
        """Refuse tensors that are no longer what the kernel was made for; raises BadValue."""
        for row, tensors in rows.items():
            column = self._columns[row]
            for i, tensor in enumerate(tensors):
                was, now = (column.shapes[i], column.dtype), (tensor.shape, tensor.dtype)
                if now != was or tensor.device.type != "cpu":
                    raise BadValue(
                        f"{self._called(row, i)} is {_said(*now, tensor.device)} now, and was {_said(*was)}",
                        "Make another optimizer after a model has been converted or moved.",
                    )

    def _enter_copy(self, gradient: Tensor, i: int) -> Tensor:
        """Let a copy stand for a gradient that lies in another order, or is not what it seems."""
        wanted = self._gradients
        copy = torch.empty_strided(wanted.shapes[i], wanted.strides[i], dtype=wanted.dtype)
        with torch.no_grad():
            copy.copy_(gradient)
        self._gradients.enter(copy, i)
        return copy

    def _check_apart(self) -> None:
        """Refuse gradients that lie in what is written: a step would read what it has changed. Raises BadValue."""
        gradients = self._gradients
        if self._written is None:
            self._written = Memory(self._stretches())
        elif np.array_equal(self._looked_at, gradients.at):
            return
        self._looked_at = None
        met = self._written.met(gradients.at, gradients.bytes, gradients.there)
        if met is not None:
            place, owner = met
            raise BadValue(
                f"the gradient of {self._called(0, place)} shares memory with {owner}",
                "Give a copy of it: a step writes the parameters and states while it reads the gradients.",
            )
        self._looked_at = gradients.at.copy()

    def _stretches(self) -> list[tuple[int, int, str]]:
        """List the memory that is written: address, bytes, and whose it is."""
        return [
            (address, size, self._called(row, i))
            for row, column in self._columns.items()
            for i, (address, size) in enumerate(zip(self._fused.at[row].tolist(), column.bytes.tolist(), strict=True))
            if size
        ]

    def _run(self, steps: Array, knobs: Mapping[str, float]) -> None:
        """Step the tensors whose gradients were entered."""
        fused, chosen, bucket = self._fused, self._gradients.there, self._bucket
        shadows = [each for each in self._shadows if chosen[each.place]]
        with torch.no_grad():
            for shadow in shadows:
                shadow.copy.copy_(self._homes[shadow.row][shadow.place])
            numbers = self._numbers()
            for name, column in numbers.items():
                column[:] = torch.stack(bucket.states[name]).reshape(-1).numpy()
            fused.run(knob_values(bucket.rule, knobs), steps, chosen, self._noise(steps))
            for name, column in numbers.items():
                for i in np.flatnonzero(chosen).tolist():
                    bucket.states[name][i].fill_(float(column[i]))
            for shadow in shadows:
                self._homes[shadow.row][shadow.place].copy_(shadow.copy)
        # What a graph has kept of them is no longer what it was.
        moved = bucket.parameters
        increment_version(moved if chosen.all() else [p for p, is_one in zip(moved, chosen, strict=True) if is_one])

    def _numbers(self) -> dict[str, Array]:
        """Give the columns of the states that are one number a tensor."""
        fused = self._fused
        return {name: fused.tensor_state(name) for name in fused.tensor_states} | {
            name: fused.step_state(name) for name in fused.step_states
        }

    def _noise(self, steps: Array) -> int:
        """Give one number for the seed and the step, as kernels take it: 31 and 32 bits; buckets draw apart."""
        seed = self._bucket.options.seed ^ (int(self._bucket.numbers[0]) - 1) * APART % SEEDS
        return int(seed << 32 | int(steps.max(initial=0.0)) & 0xFFFFFFFF)

    def _called(self, row: int, place: int) -> str:
        name = self._bucket.names[place]
        return name if row == 0 else f"a state of {name}"


def form_of(bucket: Bucket) -> StepForm:
    """Give the form of a kernel's step: what is one number a tensor stands in no array."""
    shapes = bucket.rule.shapes
    return replace(bucket.form, states=tuple(each for each in bucket.form.states if shapes[each[0]] != SCALAR))


def _said(shape: Sequence[int], dtype: torch.dtype, device: Any = "cpu") -> str:
    where = "" if str(device) == "cpu" else f" on {device}"
    return f"{str(dtype).removeprefix('torch.')} of the shape {tuple(shape)}{where}"
