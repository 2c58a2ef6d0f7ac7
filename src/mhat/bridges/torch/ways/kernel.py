"""The way on a processor: the fused kernel on the tensors' own memory, all tensors of a bucket in one call.

Where parameters, gradients and states lie is read anew at every step, for each of them may lie elsewhere by then;
nothing is written before all has been looked at. It knows no groups of parameters and no state dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from mhat.bridges.numpy.apartness import Memory
from mhat.bridges.torch.ways.columns import PLAIN, Column, is_dense, same_strides
from mhat.dtypes import DTYPES
from mhat.engines.kernels.step import FusedStep, knob_values
from mhat.engines.step_form import LOST, StepForm
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.inference import Level

Array = Any


def refusal(rule: Rule, tensors: Sequence[Tensor]) -> str | None:
    """Say why the kernel cannot step these tensors by this rule, if it is seen at a glance."""
    for tensor in tensors:
        if tensor.device.type != "cpu":
            return f"the fused kernel runs on the CPU, and the tensors are on {tensor.device}"
        if type(tensor) not in PLAIN or tensor.layout != torch.strided:
            layout = "" if tensor.layout == torch.strided else f" in the layout {_named(tensor.layout)}"
            return f"the fused kernel steps plain tensors, and one is a {type(tensor).__name__}{layout}"
        if _named(tensor.dtype) not in DTYPES:
            return f"the fused kernel knows no {_named(tensor.dtype)}"
        if any(stride == 0 and length > 1 for stride, length in zip(tensor.stride(), tensor.shape, strict=True)):
            return "the fused kernel steps no tensor that has one number in several places"
    return f"{rule.name} works on whole matrices" if rule.level == Level.MATRIX else None


@dataclass(frozen=True)
class Shadow:
    """A copy in the order that the kernel goes in, of a tensor that is in another. `row`: of the table of addresses."""

    row: int
    place: int
    tensor: Tensor
    copy: Tensor


class KernelWay:
    """Steps tensors of one rule and dtype in place by one compiled kernel. Raises NotLowered where the rule has none.

    `states`: of each name, a tensor for every tensor: as large as it, or one number (a double where the rule computes
    it in doubles). `numbers`: k of each; `count`: n; `threads`: those of torch, if it is None. `seed`: of stochastic
    rounding. The lists are kept, and what is in them is stepped.
    """

    name = "kernel"
    why = "all tensors in one pass over their memory"

    def __init__(
        self, rule: Rule, form: StepForm, tensors: list[Tensor], states: Mapping[str, list[Tensor]], *,
        numbers: Sequence[float], count: float, threads: int | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        self._rule = rule
        self._tensors = tensors
        self._states = states
        self._seed = seed
        sizes = [tensor.numel() for tensor in tensors]
        self._fused = FusedStep(rule, form, sizes, numbers, count, threads or torch.get_num_threads())
        rows = {"x": tensors, **{name: states[name] for name in self._fused.coordinate_states}}
        if self._fused.lost_row is not None:
            rows[LOST] = states[LOST]
        self._rows: dict[int, list[Tensor]] = {self._fused.array(name): held for name, held in rows.items()}
        self._arrange()

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Mapping[str, float]) -> None:
        """Step in place the tensors that have a gradient. `steps`: t of each. Raises BadValue beforehand."""
        self._look_at_homes()
        given = list(gradients)
        copies = [self._enter_copy(given[i], i) for i in self._gradients.read(given)]
        self._look_at_gradients()
        self._run(np.asarray(steps, dtype=np.float64), knobs)
        # Until here the copies had to live.
        del copies

    def step_held(self, steps: Array, knobs: Mapping[str, float]) -> Array | None:
        """Step by the gradients that the tensors hold, and give the mask of those that have one.

        None, and nothing is done, if a gradient is not as the kernel wants it: then `step` is asked.
        """
        self._look_at_homes()
        if not self._gradients.read_gradients(self._tensors):
            return None
        self._look_at_gradients()
        self._run(steps, knobs)
        return self._gradients.there

    def _arrange(self) -> None:
        """Choose for each tensor in which order the kernel goes through it, and copy what is in another one."""
        shapes = [tensor.shape for tensor in self._tensors]
        orders = [self._order(i) for i in range(len(shapes))]
        self._columns = {
            row: Column(shapes, [tensor.stride() for tensor in tensors], tensors[0].dtype)
            for row, tensors in self._rows.items()
        }
        self._gradients = Column(shapes, orders, self._tensors[0].dtype)
        self._shadows = [
            Shadow(row, i, tensor, torch.empty_strided(tensor.shape, orders[i], dtype=tensor.dtype))
            for row, tensors in self._rows.items()
            for i, tensor in enumerate(tensors)
            if not same_strides(tensor, orders[i])
        ]
        self._written: Memory | None = None

    def _order(self, place: int) -> tuple[int, ...]:
        """Give the strides in which the kernel goes: those of the memory where it does not matter, else row by row."""
        tensor = self._tensors[place]
        in_memory = self._rule.level == Level.COORDINATE and is_dense(tensor)
        if in_memory and all(same_strides(tensors[place], tensor.stride()) for tensors in self._rows.values()):
            return tensor.stride()
        return torch.empty(tensor.shape, device="meta").stride()

    def _look_at_homes(self) -> None:
        """Read where all lies that is written; what is arranged otherwise by now is followed. Raises BadValue."""
        if any(self._columns[row].read(tensors) for row, tensors in self._rows.items()):
            self._check_homes()
            self._arrange()
            for row, tensors in self._rows.items():
                self._columns[row].read(tensors)
        for row, column in self._columns.items():
            self._fused.at[row] = column.at
            if column.moved:
                self._written = None
        for shadow in self._shadows:
            self._fused.at[shadow.row, shadow.place] = shadow.copy.data_ptr()

    def _check_homes(self) -> None:
        """Refuse tensors that are no longer what the kernel was made for; raises BadValue."""
        for row, tensors in self._rows.items():
            column = self._columns[row]
            for i, tensor in enumerate(tensors):
                was, now = (column.shapes[i], column.dtype), (tensor.shape, tensor.dtype)
                if now != was or tensor.device.type != "cpu":
                    raise BadValue(
                        f"{self._called(row, i)} is {_said(*now, tensor.device)} now, and was {_said(*was)}",
                        "Make another optimizer after a model has been converted or moved.",
                    )

    def _enter_copy(self, gradient: Any, i: int) -> Tensor:
        """Let a copy stand for a gradient that lies in another order; raises BadValue for what is no gradient of it."""
        tensor, called = self._tensors[i], self._called(0, i)
        if not isinstance(gradient, Tensor):
            raise BadValue(
                f"the gradient of {called} is a {type(gradient).__name__}", "Give a tensor, or None for none."
            )
        if gradient.layout != torch.strided:
            raise BadValue(
                f"the gradient of {called} is sparse",
                "Give it dense: gradient.to_dense(), or an embedding without sparse=True.",
            )
        is_one, wanted = (_said(each.shape, each.dtype, each.device) for each in (gradient, tensor))
        if is_one != wanted:
            raise BadValue(f"{called} is {wanted}, its gradient {is_one}", "Give both one shape, dtype and device.")
        copy = torch.empty_strided(tensor.shape, self._gradients.strides[i], dtype=tensor.dtype)
        copy.copy_(gradient.detach())
        self._gradients.enter(copy, i)
        return copy

    def _look_at_gradients(self) -> None:
        """Refuse gradients that lie in what is written: a step would read what it has changed. Raises BadValue."""
        gradients = self._gradients
        if self._written is None:
            self._written = Memory(self._stretches())
        elif not gradients.moved:
            return
        met = self._written.met(gradients.at, gradients.bytes, gradients.there)
        if met is not None:
            place, owner = met
            # It is looked at again, even if it stays where it is.
            self._written = None
            raise BadValue(
                f"the gradient of {self._called(0, place)} shares memory with {owner}",
                "Give a copy of it: a step writes the parameters and states while it reads the gradients.",
            )

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
        fused, chosen = self._fused, self._gradients.there
        shadows = [each for each in self._shadows if chosen[each.place]]
        with torch.no_grad():
            for shadow in shadows:
                shadow.copy.copy_(shadow.tensor)
        fused.at[1] = self._gradients.at
        numbers = self._numbers()
        for name, column in numbers.items():
            column[:] = torch.stack(self._states[name]).numpy()
        # One number for the seed and the step, as kernels take it: 31 and 32 bits.
        noise = self._seed << 32 | int(steps.max(initial=0.0)) & 0xFFFFFFFF
        fused.run(knob_values(self._rule, knobs), steps, chosen, noise)
        for name, column in numbers.items():
            for i in np.flatnonzero(chosen):
                self._states[name][i].fill_(column[i])
        with torch.no_grad():
            for shadow in shadows:
                shadow.tensor.copy_(shadow.copy)
        # What a graph has kept of them is no longer what it was.
        increment_version(
            self._tensors if chosen.all() else [t for t, is_one in zip(self._tensors, chosen, strict=True) if is_one]
        )

    def _numbers(self) -> dict[str, Array]:
        """Give the columns of the states that are one number a tensor."""
        fused = self._fused
        return {name: fused.tensor_state(name) for name in fused.tensor_states} | {
            name: fused.step_state(name) for name in fused.step_states
        }

    def _called(self, row: int, place: int) -> str:
        number = int(self._fused.numbers[place])
        return f"parameter {number}" if row == 0 else f"a state of parameter {number}"


def _said(shape: Sequence[int], dtype: torch.dtype, device: Any = "cpu") -> str:
    where = "" if str(device) == "cpu" else f" on {device}"
    return f"{_named(dtype)} of the shape {tuple(shape)}{where}"


def _named(kind: torch.dtype | torch.layout) -> str:
    return str(kind).removeprefix("torch.")
