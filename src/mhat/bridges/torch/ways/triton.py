"""The step of a rule by kernels printed for Triton: one launch a pass, over all tensors of a bucket.

What changes from step to step (knobs, `t`, where gradients lie) is in small tables, so that a schedule compiles
nothing. It knows no optimizer.
"""

from __future__ import annotations

import hashlib
import importlib.util
import linecache
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch.autograd.graph import increment_version

from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.ways.flat import FEW, NO_NUMBERS, laid_out, tried, why_not_flat
from mhat.bridges.torch.ways.step_values import StepValues
from mhat.bridges.torch.ways.triton_text import TritonText, triton_text
from mhat.bridges.torch.ways.way import Knobs
from mhat.engines.kernels.lowering import NotLowered
from mhat.engines.step_form import StepForm
from mhat.language.definition import Rule

# Interpreted, printed kernels run on the CPU, for tests.
INTERPRETED = "TRITON_INTERPRET"
# How many coordinates a program steps, and how many sums of pieces it folds at once.
WIDTH, FOLDED = 2048, 1024
# Addresses that are multiples of this are read in whole words.
WORD = 16
Tensor = Any


@dataclass(eq=False)
class TritonWay:
    """How a bucket is stepped by printed kernels."""

    bucket: Bucket
    stepper: TritonStep
    name: str = "triton"
    why: str = ""

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Knobs) -> None:
        """Step the tensors that have a gradient, in place. `steps`: t of each."""
        own = self.bucket
        self.stepper.run(own.tensors, laid_out(gradients, own.tensors), own.states, steps, knobs)
        increment_version([x for x, g in zip(own.tensors, gradients, strict=True) if g is not None])


def by_triton(bucket: Bucket) -> TritonWay | str:
    """Give the way of printed kernels, or say why it is not there; nothing on the CPU."""
    device = bucket.tensors[0].device
    if device.type == "meta":
        return NO_NUMBERS if bucket.options.way else ""
    if device.type == "cpu" and os.environ.get(INTERPRETED) != "1":
        # The CPU has kernels of its own, and nobody wonders.
        return "Triton has no kernels for the CPU" if bucket.options.way else ""
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed"
    refused = why_not_flat(bucket.tensors, bucket.states)
    if refused:
        return refused
    sizes = [tensor.numel() for tensor in bucket.tensors]
    try:
        made = TritonStep(bucket.rule, bucket.form, sizes, bucket.numbers, bucket.count, device)
    except NotLowered as reason:
        return f"Triton is not printed for {reason}"
    refused = tried(TritonStep(bucket.rule, bucket.form, [FEW], [1.0], 1.0, device), bucket)
    return f"Triton fails: {refused}" if refused else TritonWay(bucket, made)


class TritonStep:
    """The step of one rule in one form over tensors of given sizes. Raises NotLowered.

    `numbers`: k of each tensor; `count`: n. The tensors are handed over at each step: on one device, dense, the
    gradients and states laid out as their parameters.
    """

    def __init__(
        self, rule: Rule, form: StepForm, sizes: Sequence[int], numbers: Sequence[float], count: float,
        device: torch.device,
    ) -> None:  # fmt: skip
        self.printed: TritonText = triton_text(rule, form)
        self.form = form
        self.device = device
        self.values = StepValues(self.printed.lowered, sizes, numbers, count)
        self._sizes = list(sizes)
        self._computed: torch.dtype = getattr(torch, form.computed)
        self._kernels = module_of(self.printed.text)
        self._passes = [
            (each, self.printed.arrays_of(each), self.printed.arguments_of(each)) for each in self.printed.passes
        ]
        self._chosen: list[int] = []
        self._addresses: dict[str, list[int]] = {}
        self._tables: dict[str, Tensor] = {"sizes": self._table(self._sizes)}
        count_of = len(self._sizes)
        self._totals = self._zeros(count_of, len(self.printed.reductions))
        self._new_scalars = self._zeros(count_of, len(self.printed.scalars))
        self._lay_out([])

    def run(
        self, xs: Sequence[Tensor], gs: Sequence[Tensor | None], states: Mapping[str, Sequence[Tensor]],
        steps: Sequence[float], knobs: Knobs,
    ) -> None:  # fmt: skip
        """Step in place the tensors that have a gradient. `states`: by name, a tensor each; `steps`: t of each."""
        chosen = [i for i, g in enumerate(gs) if g is not None]
        if not chosen:
            return
        if chosen != self._chosen:
            self._lay_out(chosen)
        doubles = {name: [float(state) for state in states[name]] for name in self.values.states}
        rows, after = self.values.rows(chosen, steps, knobs, doubles)
        if self._programs:
            # Triton launches on the device that is current.
            with torch.cuda.device(self.device) if self.device.type == "cuda" else nullcontext():
                self._launch(rows, {"x": xs, "g": gs, **states})
        homes = [states[name][i] for i in chosen for name in self.printed.scalars]
        if homes:
            torch._foreach_copy_(homes, list(self._new_scalars[chosen].flatten().unbind()))
        for i, values in zip(chosen, after, strict=True):
            for name, value in zip(self.values.states, values, strict=True):
                states[name][i].fill_(value)

    def _launch(self, rows: Sequence[list[float]], arrays: Mapping[str, Sequence[Tensor | None]]) -> None:
        """Launch the passes, in order, on the stream of the device."""
        given: dict[str, Any] = {**self._entered(rows), "totals": self._totals, "new_scalars": self._new_scalars}
        if self.printed.scalars:
            given["scalars"] = torch.stack([s for i in range(len(self._sizes)) for s in self._scalars(arrays, i)])
        names = dict.fromkeys(name for _, read, _ in self._passes for name in read)
        aligned = min([self._located(name, arrays[name]) for name in names])
        given |= {f"{name}_at": self._tables[name] for name in names}
        for place, (each, _, arguments) in enumerate(self._passes, 1):
            partials = self._zeros(len(each.reductions), self._programs)
            known = {**given, "partials": partials}
            getattr(self._kernels, f"pass_{place}")[(self._programs,)](
                *(known[name] for name in arguments),
                self._tables["tensor_of"], self._tables["piece_of"], self._tables["sizes"],
                ALIGNED=aligned, WIDTH=WIDTH, enable_fp_fusion=False,
            )  # fmt: skip
            if each.reductions:
                firsts, counts = ("all_firsts", "all_counts") if each.over else ("firsts", "counts")
                grid = (1 if each.over else len(self._sizes),)
                getattr(self._kernels, f"fold_{place}")[grid](
                    partials,
                    self._tables[firsts],
                    self._tables[counts],
                    self._totals,
                    self._programs,
                    WIDTH=FOLDED,
                    enable_fp_fusion=False,
                )

    def _scalars(self, arrays: Mapping[str, Sequence[Tensor | None]], i: int) -> list[Tensor]:
        return [arrays[name][i] for name in self.printed.scalars]

    def _entered(self, rows: Sequence[list[float]]) -> dict[str, Any]:
        """Put the doubles of the step where kernels read them; one row serves all tensors that it is the same for."""
        if all(row is rows[0] for row in rows):
            return {"entered": self._table(rows[0], self._computed), "stride": 0}
        wide = [[0.0] * len(rows[0])] * len(self._sizes)
        for i, row in zip(self._chosen, rows, strict=True):
            wide[i] = row
        return {"entered": self._table(wide, self._computed), "stride": len(rows[0])}

    def _located(self, name: str, tensors: Sequence[Tensor | None]) -> bool:
        """Enter where an array of each tensor lies; say whether all lie on whole words."""
        addresses = [0 if each is None else each.data_ptr() for each in tensors]
        if self._addresses.get(name) != addresses:
            self._addresses[name], self._tables[name] = addresses, self._table(addresses)
        return not any(address % WORD for address in addresses)

    def _lay_out(self, chosen: list[int]) -> None:
        """Divide the tensors that are stepped among programs."""
        pieces = [(i, piece) for i in chosen for piece in range(-(-self._sizes[i] // WIDTH))]
        own = [0] * len(self._sizes)
        for i, _ in pieces:
            own[i] += 1
        firsts = [0]
        for number in own:
            firsts.append(firsts[-1] + number)
        self._chosen, self._programs = chosen, len(pieces)
        total = sum(self._sizes[i] for i in chosen)
        self._tables |= {
            "tensor_of": self._table([i for i, _ in pieces]),
            "piece_of": self._table([piece for _, piece in pieces]),
            "firsts": self._table(firsts),
            "all_firsts": self._table([0, len(pieces)]),
            "counts": self._table(self._sizes, self._computed),
            "all_counts": self._table([total], self._computed),
        }

    def _table(self, values: Sequence[Any], dtype: torch.dtype = torch.int64) -> Tensor:
        """Bring numbers to the device, without waiting for it."""
        there = torch.tensor(values, dtype=dtype)
        if self.device.type == "cpu":
            return there
        # The allocator of pinned memory keeps it until the copy is done.
        return there.pin_memory().to(self.device, non_blocking=True)

    def _zeros(self, rows: int, columns: int) -> Tensor:
        return torch.zeros((rows, columns), dtype=self._computed, device=self.device)


def module_of(text: str) -> ModuleType:
    """Make a printed module, once in a process; Triton asks for the source of what it compiles."""
    name = f"mhat_triton_{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    sys.modules[name] = module
    return module
