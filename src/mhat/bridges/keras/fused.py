"""The step of a rule by a compiled kernel, in place, on the memory of torch on the CPU. It knows no configuration.

It takes what it can and says so: what it does not take is stepped on arrays (`values`), which always works.
"""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mhat.bridges.keras.backends import is_plain, is_stateless, native
from mhat.bridges.keras.values import Moment
from mhat.dtypes import DTYPES
from mhat.engines.kernels.lowering import NotLowered
from mhat.engines.kernels.modules import NotCompiled
from mhat.engines.kernels.step import FusedStep, knob_values
from mhat.engines.step_form import StepForm
from mhat.language.definition import Rule
from mhat.language.inference import SCALAR

Variable = Any
Array = Any


class Kernels:
    """The kernels of one rule, one for each dtype of the variables that it steps.

    `variables` and `states`: by place; `over_all`: whether the rule looks at all tensors at once.
    """

    def __init__(
        self, rule: Rule, variables: Mapping[int, Variable], states: Mapping[int, Mapping[str, Variable]], count: int,
        *, over_all: bool,
    ) -> None:  # fmt: skip
        self.rule = rule
        self._over_all = over_all
        by_dtype: dict[str, list[int]] = {}
        for place, variable in variables.items():
            by_dtype.setdefault(variable.dtype, []).append(place)
        self._groups: list[tuple[list[int], Fused]] = []
        if over_all and len(by_dtype) > 1:
            return
        for dtype, places in by_dtype.items():
            numbers = [float(place + 1) for place in places]
            own, kept = [variables[place] for place in places], [states[place] for place in places]
            with contextlib.suppress(NotLowered):
                self._groups.append((places, Fused(rule, dtype, own, kept, numbers, float(count))))

    def run(
        self, gradients: Mapping[int, Array], moment: Moment, undecayed: frozenset[int], decay: str
    ) -> tuple[dict[str, float], set[int]]:
        """Step what kernels can: give the states that are one number, and the places that were stepped.

        `gradients`: by place; `undecayed`: those for which the knob `decay` is zero.
        """
        told = {name: float(value) for name, value in moment.knobs.items()}
        after: dict[str, float] = {}
        done: set[int] = set()
        for places, fused in self._groups:
            own = [place for place in places if place in gradients]
            parts = [
                part for part in ([p for p in own if p not in undecayed], [p for p in own if p in undecayed]) if part
            ]
            if self._over_all and len(parts) > 1:
                continue
            for part in parts:
                knobs = told if part[0] not in undecayed else {**told, decay: 0.0}
                inside = set(part)
                given = [gradients[place] if place in inside else None for place in places]
                settled = {**self.rule.knobs, **self.rule.settled(knobs), **knobs}
                made = fused.run(given, settled, float(moment.t), {k: float(v) for k, v in moment.numbers.items()})
                if made is not None:
                    after |= made
                    done.update(part)
        return after, done


class Fused:
    """The kernel of one rule over variables of one dtype, and where it finds them.

    `states`: of each variable, those kept in variables; `numbers`: k of each; `count`: n. Raises NotLowered for a rule
    that kernels do not say.
    """

    def __init__(
        self, rule: Rule, dtype: str, variables: Sequence[Variable], states: Sequence[Mapping[str, Variable]],
        numbers: Sequence[float], count: float,
    ) -> None:  # fmt: skip
        self.rule = rule
        self.variables = list(variables)
        computed = DTYPES[dtype].computed
        rearranged = dtype != "float64"
        lone = rule.dependence.per_step_states
        # What is one number a tensor is in a table of the kernel's own.
        kept = [name for name in rule.tree.state_names if name not in lone and rule.shapes[name] != SCALAR]
        form = StepForm(dtype, dtype, tuple((name, computed) for name in kept), rearranged, flushed=rearranged)
        sizes = [int(np.prod(tuple(variable.shape))) for variable in variables]
        self.step = FusedStep(rule, form, sizes, numbers, count, os.cpu_count() or 1)
        self._rows = [self.step.array(name) for name in self.step.coordinate_states]
        self._kept = [own[name] for name in self.step.coordinate_states for own in states]
        self._tables = {name: [own[name] for own in states] for name in self.step.tensor_states}
        self._tensors: list[Array] = []
        self._lying: set[int] = set()
        self._addresses: list[int] = []

    def run(
        self, gradients: Sequence[Array | None], knobs: Mapping[str, float], t: float, numbers: Mapping[str, float]
    ) -> dict[str, float] | None:
        """Step the variables that have a gradient; give the states that are one number, None if nothing was done.

        Nothing is written before all has been looked at.
        """
        if is_stateless() or not self._found():
            return None
        xs = self._tensors[: len(self.variables)]
        # They are kept here until the kernel has read them.
        given = [None if g is None else self._laid(g, x) for g, x in zip(gradients, xs, strict=True)]
        if not all(gradient is None or is_plain(gradient) for gradient in given):
            return None
        step = self.step
        step.at[1] = [0 if gradient is None else gradient.data_ptr() for gradient in given]
        for name, variables in self._tables.items():
            step.tensor_state(name)[:] = [float(native(variable)) for variable in variables]
        for name in step.step_states:
            step.step_state(name)[:] = numbers[name]
        chosen = np.array([gradient is not None for gradient in given])
        try:
            step.run(knob_values(self.rule, knobs), np.full(len(xs), t), chosen, 0)
        except NotCompiled:
            return None
        for name, variables in self._tables.items():
            for variable, value in zip(variables, step.tensor_state(name).tolist(), strict=True):
                native(variable).fill_(value)
        first = int(np.argmax(chosen))
        return {name: float(step.step_state(name)[first]) for name in step.step_states}

    def _found(self) -> bool:
        """Look where variables and states lie now; False if a kernel cannot step them there."""
        # Not `value`, which asks for much more, a microsecond each: there may be thousands.
        tensors = [variable._value for variable in (*self.variables, *self._kept)]
        addresses = [tensor.data_ptr() for tensor in tensors[: len(self.variables)]]
        if addresses == self._addresses and all(map(operator.is_, tensors, self._tensors)):
            return True
        self._tensors, self._addresses = tensors, []
        if not all(map(is_plain, tensors)):
            return False
        lying = [tensor.data_ptr() for tensor in tensors]
        count = len(self.variables)
        for row, start in zip((0, *self._rows), range(0, len(lying), count), strict=True):
            self.step.at[row] = lying[start : start + count]
        self._lying, self._addresses = set(lying), addresses
        return True

    def _laid(self, gradient: Array, x: Array) -> Array:
        """Give a gradient the dtype and layout of x, and memory that no step writes to."""
        made = gradient if gradient.dtype == x.dtype else gradient.to(x.dtype)
        made = made.contiguous()
        return made.clone() if made.data_ptr() in self._lying else made
