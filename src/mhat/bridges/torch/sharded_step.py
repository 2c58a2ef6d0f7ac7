"""The step of a rule over tensors that several processes hold together, equal to that of one process to rounding.

Every process steps the same tensors at the same time. It knows no optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import array_api_compat
import torch

from mhat.bridges.torch.sharded_program import CUT, ShardedProgram
from mhat.bridges.torch.shards import cut_of, gathered, laid_out_as, local, write_whole
from mhat.bridges.torch.ways.way import Knobs
from mhat.engines.arrays import Arrays
from mhat.engines.program import Environment, Program, first_environment
from mhat.language.definition import Rule
from mhat.language.fit import matrix_of
from mhat.language.inference import Level
from mhat.language.shards import sight_of

Tensor = Any
States = Mapping[str, Sequence[Tensor]]


class ShardedStep:
    """The step of one rule over tensors of which some are DTensors. `computed`: the precision of the arithmetic.

    `numbers`: k of each tensor; `count`: n. States of a tensor's shape are cut as it is; the others every process has.
    """

    def __init__(
        self, rule: Rule, computed: torch.dtype, xs: Sequence[Tensor], numbers: Sequence[float], count: float
    ) -> None:
        self.rule = rule
        self.computed = computed
        self._xs, self._numbers, self._count = list(xs), list(numbers), count
        self._whole = rule.level == Level.MATRIX
        xp = array_api_compat.array_namespace(torch.empty(0))
        device = local(self._xs[0]).device if self._xs else torch.device("cpu")
        arithmetic = Arrays(xp, computed, device=device, tensor_dimensions=None)
        self.program = Program(rule, arithmetic) if self._whole else ShardedProgram(rule, arithmetic)
        # A matrix in one place at a time, unless the rule looks at all of them.
        self._together = not self._whole or bool(sight_of(rule).everything)
        self._cuts = [cut_of(x) for x in self._xs]
        self._see: Callable[[Tensor], Tensor] = gathered if self._whole else local

    def start(self, places: Sequence[int], gs: Sequence[Tensor | None], states: States, knobs: Knobs) -> None:
        """Give the tensors at some places the states they have before step 1."""
        for some in self._shares(places):
            environments = [self._environment(i, gs[i], 1.0, knobs) for i in some]
            for i, values in zip(some, self.program.starts(environments), strict=True):
                self._write(i, states, {name: values[name] for name in states})

    def run(self, gs: Sequence[Tensor | None], states: States, steps: Sequence[float], knobs: Knobs) -> None:
        """Step in place the tensors that have a gradient. `states`: by name, a tensor each; `steps`: t of each."""
        for some in self._shares([i for i, g in enumerate(gs) if g is not None]):
            environments = [self._environment(i, gs[i], steps[i], knobs) for i in some]
            for i, environment in zip(some, environments, strict=True):
                environment.update({name: self._read(name, homes[i], i) for name, homes in states.items()})
            results = self.program.step(environments)
            for i, result, environment in zip(some, results, environments, strict=True):
                # States first: what they carry on may be x itself.
                self._write(i, states, {name: environment[name] for name in states})
                self._put(self._xs[i], result)

    def _shares(self, places: Sequence[int]) -> list[list[int]]:
        return [list(places)] if self._together and places else [[i] for i in places]

    def _environment(self, i: int, g: Tensor | None, t: float, knobs: Knobs) -> Environment:
        assert g is not None
        x, own = self._xs[i], knobs if isinstance(knobs, Mapping) else knobs[i]
        made = first_environment(
            self.rule, self._entered(x, i), self._entered(laid_out_as(g, x), i), own, float(t), self._numbers[i],
            self._count,
        )  # fmt: skip
        made[CUT] = self._cuts[i]
        return made

    def _entered(self, tensor: Tensor, i: int) -> Tensor:
        """Give what a step sees of a tensor: its own part, or the whole as a matrix."""
        seen = self._see(tensor).detach().to(self.computed)
        return seen.reshape(matrix_of(self.rule, tuple(self._xs[i].shape))) if self._whole else seen

    def _read(self, name: str, home: Tensor, i: int) -> Any:
        if name in self.program.per_step_states:
            return float(home)
        if tuple(home.shape) == tuple(self._xs[i].shape):
            return self._entered(home, i)
        return gathered(home).to(self.computed)

    def _write(self, i: int, states: States, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            home = states[name][i]
            if name in self.program.per_step_states:
                home.fill_(float(value))
            else:
                self._put(home, value)

    def _put(self, home: Tensor, value: Any) -> None:
        tensor = torch.as_tensor(value, device=local(home).device)
        if self._whole:
            write_whole(home, torch.broadcast_to(tensor, home.shape) if tensor.ndim == 0 else tensor)
        else:
            local(home).copy_(tensor)
