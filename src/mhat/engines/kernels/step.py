"""A rule's fused step over many tensors: the compiled kernel, its tables, and the numbers that it keeps.

It sees addresses and sizes; whoever holds the arrays keeps them alive, contiguous and apart. It knows no rule by name.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numba
import numpy as np
from numba.np.ufunc import parallel

from mhat.engines.kernels.addresses import address_of
from mhat.engines.kernels.lowering import Kind
from mhat.engines.kernels.modules import compile_for, module_of
from mhat.engines.kernels.step_text import StepText, step_text
from mhat.engines.kernels.tables import blocks_of, pieces_of
from mhat.engines.step_form import LOST, StepForm
from mhat.language.definition import Rule
from mhat.ops.tensors import BLOCK

Array = Any
# Numba's plainest threads bear one caller at a time.
ONE_AT_A_TIME = threading.RLock()
# Fewer coordinates than this are quicker on one thread.
WORTH_A_THREAD = 8192


class FusedStep:
    """The step of one rule in one form, over tensors of given sizes. Raises NotLowered, the first step NotCompiled.

    `numbers`: k of each tensor; `count`: n. `at`: the table of addresses, (arrays, tensors).
    """

    def __init__(
        self, rule: Rule, form: StepForm, sizes: Sequence[int], numbers: Sequence[float], count: float, threads: int
    ) -> None:
        self.printed: StepText = step_text(rule, form)
        self.form = form
        self.sizes = np.asarray(sizes, dtype=np.int64)
        self.threads = threads
        self._coordinates = int(self.sizes.sum())
        self.count = float(count)
        lowered = self.printed.lowered
        self.coordinate_states = lowered.states(Kind.COORDINATE)
        self.tensor_states = lowered.states(Kind.TENSOR)
        self.step_states = lowered.states(Kind.STEP)
        tensors = len(self.sizes)
        computed = np.dtype(form.computed)
        self.numbers = np.asarray(numbers, dtype=np.float64)
        # k is a number of the tensor, so what is computed from it is too.
        self.one_row = "k" not in rule.tree.inputs and not lowered.sizes
        self._counts = self.sizes.astype(np.float64)
        self._all_counts = float(self._coordinates)
        self.at = np.zeros((len(form.arrays), tensors), dtype=np.int64)
        self.doubles = np.zeros((max(tensors, 1), len(self.step_states)))
        self.entered = np.zeros((max(tensors, 1), len(lowered.entered)), dtype=computed)
        self.reductions = len(self.printed.reductions)
        columns = self.reductions + len(self.tensor_states)
        self.scalars, self.new_scalars = (np.zeros((tensors, columns), dtype=computed) for _ in range(2))
        self._laid_out = 0
        # What passes that sum want; without any, fewer arrays are handed over.
        self._rooms: list[Array] = []
        self._blocks: tuple[Any, ...] = ()
        self._chosen: Array = None
        self._places: Array = slice(None)
        self._kernel = module_of(self.printed.text).step
        self._is_compiled = False

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
        if not chosen.any():
            return
        self._lay_out(chosen)
        first = int(np.argmax(chosen))
        alike = self._alike(steps, first)
        rows = slice(first, first + 1) if alike else slice(None)
        ts, doubles = steps[rows], self.doubles[rows]
        if self.step_states:
            doubles = doubles.copy()
        if self.tensor_states:
            self.new_scalars[:] = self.scalars
        self._call(knobs, ts, doubles, seed)
        # Both in place, for whoever holds a column.
        if self.step_states:
            self.doubles[self._places] = doubles if alike else doubles[self._places]
        if self.tensor_states:
            self.scalars[self._places] = self.new_scalars[self._places]

    @property
    def repeats(self) -> bool:
        """Whether a step of all tensors leaves nothing behind that the next one must look at first."""
        return self.one_row and not self.step_states and not self.tensor_states

    def run_again(self, knobs: Array, steps: Array, seed: int) -> None:
        """Step all tensors, as they were stepped before; `steps`: t, the same for all, in an array of one."""
        if self._laid_out != threads_for(self._coordinates, self.threads):
            self._lay_out(self._chosen)
        self._call(knobs, steps, self.doubles[:1], seed)

    def _call(self, knobs: Array, ts: Array, doubles: Array, seed: int) -> None:
        given = (
            self.at, self._pieces.rows, self._pieces.shares, knobs, ts, self.numbers, self.count, self._counts,
            self._all_counts, doubles, self.entered, self.scalars, self.new_scalars, seed, self._blocks,
        )  # fmt: skip
        with ONE_AT_A_TIME:
            if not self._is_compiled:
                compile_for(self._kernel, given)
                self._is_compiled = True
            self._kernel(*given)

    def _alike(self, steps: Array, first: int) -> bool:
        """Whether the doubles of this step are the same for all tensors that are stepped."""
        if not self.one_row or (steps[self._places] != steps[first]).any():
            return False
        if not self.step_states:
            return True
        # Compared by their bits, in which NaN is NaN.
        bits = self.doubles[self._places].view(np.int64)
        return bool((bits == bits[:1]).all())

    def _lay_out(self, chosen: Array) -> None:
        threads = threads_for(self._coordinates, self.threads)
        if self._laid_out == threads and np.array_equal(chosen, self._chosen):
            return
        self._laid_out, self._chosen = threads, chosen.copy()
        self._places = slice(None) if chosen.all() else np.flatnonzero(chosen)
        self._all_counts = float(self.sizes[self._places].sum())
        self._pieces = pieces_of(self.sizes, chosen, threads)
        overs = {each.over for each in self.printed.passes if not each.last}
        if not overs:
            return
        made = [self._sums(chosen, threads, over in overs, over == "all") for over in (None, "all")]
        self._rooms = [room for _, room in made]
        self._blocks = tuple(table for table, _ in made)

    def _sums(self, chosen: Array, threads: int, used: bool, over_all: bool) -> tuple[tuple[Array, ...], Array]:
        """Lay out the sums over each tensor or over all: their table, and the room that its addresses point to."""
        widest = max(len(each.reductions) for each in self.printed.passes)
        computed = np.dtype(self.form.computed)
        made = blocks_of(self.sizes, chosen if used else np.zeros_like(chosen), threads, over_all=over_all)
        room = np.zeros((threads if used else 0, widest * BLOCK), dtype=computed)
        addresses = np.array([address_of(row) for row in room], dtype=np.int64)
        sums = np.zeros((widest, len(made.lengths)), dtype=computed)
        return (made.firsts, made.parts, made.lengths, made.groups, made.shares, made.counts, sums, addresses), room


def threads_for(coordinates: int, wanted: int) -> int:
    """Choose how many threads are worth their fork and join; one in a forked child of a process with threads."""
    if coordinates < WORTH_A_THREAD or _without_threads:
        return 1
    return min(wanted, int(numba.config.NUMBA_NUM_THREADS))


_without_threads = False


def _forked() -> None:
    """In a forked child: the threads that Numba has started are not here, and their pool would end the process."""
    global _without_threads
    _without_threads = _without_threads or getattr(parallel, "_is_initialized", True)
    ONE_AT_A_TIME.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=ONE_AT_A_TIME.acquire, after_in_parent=ONE_AT_A_TIME.release, after_in_child=_forked)


def knob_values(rule: Rule, knobs: Mapping[str, float]) -> Array:
    """Lay knobs out in the order of the rule."""
    return np.array([knobs[name] for name in rule.tree.knob_names], dtype=np.float64)
