"""A rule's fused step over many tensors: the compiled kernel, its tables, and the numbers that it keeps.

It sees addresses and sizes; whoever holds the arrays keeps them alive, contiguous and apart. It knows no rule by name.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numba
import numpy as np

from mhat.engines.kernels.lowering import Kind
from mhat.engines.kernels.modules import module_of
from mhat.engines.kernels.step_text import LOST, Form, StepText, step_text
from mhat.engines.kernels.tables import blocks_of, pieces_of
from mhat.language.definition import Rule
from mhat.ops.tensors import BLOCK

Array = Any
# Numba's plainest threads bear one caller at a time.
ONE_AT_A_TIME = threading.Lock()
# Fewer coordinates than this are quicker on one thread.
WORTH_A_THREAD = 8192


class FusedStep:
    """The step of one rule in one form, over tensors of given sizes. Raises NotLowered.

    `numbers`: k of each tensor; `count`: n. `at`: the table of addresses, (arrays, tensors).
    """

    def __init__(
        self, rule: Rule, form: Form, sizes: Sequence[int], numbers: Sequence[float], count: float, threads: int
    ) -> None:
        self.printed: StepText = step_text(rule, form)
        self.form = form
        self.sizes = np.asarray(sizes, dtype=np.int64)
        self.threads = threads
        self.count = float(count)
        lowered = self.printed.lowered
        self.coordinate_states = lowered.states(Kind.COORDINATE)
        self.tensor_states = lowered.states(Kind.TENSOR)
        self.step_states = lowered.states(Kind.STEP)
        tensors = len(self.sizes)
        computed = np.dtype(form.computed)
        self.numbers = np.asarray(numbers, dtype=np.float64)
        # k is a number of the tensor, so what is computed from it is too.
        self.one_row = "k" not in rule.tree.inputs
        self.at = np.zeros((len(form.arrays), tensors), dtype=np.int64)
        self.doubles = np.zeros((max(tensors, 1), len(self.step_states)))
        self.entered = np.zeros((max(tensors, 1), len(lowered.entered)), dtype=computed)
        self.reductions = len(self.printed.reductions)
        columns = self.reductions + len(self.tensor_states)
        self.scalars, self.new_scalars = (np.zeros((tensors, columns), dtype=computed) for _ in range(2))
        self._chosen: Array = None
        self._kernel = module_of(self.printed.text).step

    def array(self, name: str) -> int:
        """Give the row of an array in the table of addresses."""
        return list(self.form.arrays).index(name)

    @property
    def lost_row(self) -> int | None:
        """The row of what rounding took from x, if that is kept."""
        return self.array(LOST) if LOST in self.form.arrays else None

    def tensor_state(self, name: str) -> Array:
        """Give the column of a state that is one number a tensor, to be read and set."""
        return self.scalars[:, self.reductions + self.tensor_states.index(name)]

    def step_state(self, name: str) -> Array:
        """Give the column of a state that is one double a step, a row a tensor."""
        return self.doubles[:, self.step_states.index(name)]

    def run(self, knobs: Array, steps: Array, chosen: Array, seed: int) -> None:
        """Step the chosen tensors (a mask). `knobs`: doubles in the order of the rule; `steps`: t of each tensor."""
        self._lay_out(chosen)
        one = self.one_row and (steps[0] == steps).all()
        ts = steps[:1] if one else steps
        if self.tensor_states:
            self.new_scalars[:] = self.scalars
        with ONE_AT_A_TIME:
            self._kernel(
                self.at, self._pieces.rows, self._pieces.shares, knobs, ts, self.numbers, self.count, self.doubles,
                self.entered, self.scalars, self.new_scalars, seed, self._blocks,
            )  # fmt: skip
        if one and self.step_states:
            self.doubles[1:] = self.doubles[0]
        if self.tensor_states:
            self.scalars, self.new_scalars = self.new_scalars, self.scalars

    def _lay_out(self, chosen: Array) -> None:
        if self._chosen is not None and (chosen is self._chosen or np.array_equal(chosen, self._chosen)):
            return
        self._chosen = chosen.copy()
        threads = threads_for(int(self.sizes.sum()), self.threads)
        self._pieces = pieces_of(self.sizes, chosen, threads)
        overs = {each.over for each in self.printed.passes if not each.last}
        self._blocks = tuple(self._sums(chosen, threads, over in overs, over == "all") for over in (None, "all"))

    def _sums(self, chosen: Array, threads: int, used: bool, over_all: bool) -> tuple[Array, ...]:
        widest = max(len(each.reductions) for each in self.printed.passes)
        computed = np.dtype(self.form.computed)
        made = blocks_of(self.sizes, chosen if used else np.zeros_like(chosen), threads, over_all=over_all)
        room = np.zeros((threads if used else 0, widest * BLOCK), dtype=computed)
        addresses = np.array([row.__array_interface__["data"][0] for row in room], dtype=np.int64)
        sums = np.zeros((widest, len(made.lengths)), dtype=computed)
        self._rooms: dict[bool, Array] = {**getattr(self, "_rooms", {}), over_all: room}
        return (made.firsts, made.parts, made.lengths, made.groups, made.shares, made.counts, sums, addresses)


def threads_for(coordinates: int, wanted: int) -> int:
    """Choose how many threads are worth their fork and join."""
    return min(wanted, numba.config.NUMBA_NUM_THREADS) if coordinates >= WORTH_A_THREAD else 1


def knob_values(rule: Rule, knobs: Mapping[str, float]) -> Array:
    """Lay knobs out in the order of the rule."""
    return np.array([knobs[name] for name in rule.tree.knob_names], dtype=np.float64)
