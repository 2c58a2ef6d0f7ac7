"""A trace on a compiled kernel: the work laid out as tasks for threads, bit for bit what `floats` gives.

Members of a sweep are lanes; a lane's coordinates lie side by side, and so do a variable's, step after step. It knows
no names of dimensions.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.kernels import pages
from mhat.engines.kernels.addresses import address_of
from mhat.engines.kernels.lowering import Kind, NotLowered
from mhat.engines.kernels.modules import compile_for, module_of
from mhat.engines.kernels.narrow_text import ROW
from mhat.engines.kernels.power_tables import BLOCK, ROOM
from mhat.engines.kernels.several_text import SEVERAL
from mhat.engines.kernels.step import ONE_AT_A_TIME, threads_for
from mhat.engines.kernels.trace_steps import TraceForm
from mhat.engines.kernels.trace_text import LONG, LONG_ROW, TraceText, trace_text
from mhat.engines.layout import Layout
from mhat.engines.work import CARRIED, Array, Work
from mhat.language.definition import Rule

# From here on all coordinates of a step go together; fewer go one by one, many steps at a time.
WIDE = 16
# Coordinates of one task: what it carries from step to step stays in the nearest cache.
CHUNK = 512
LINE = 64
# For fewer members of a sweep another kernel is not worth its compilation.
LANES_FOR_SEVERAL = 32


def runs_on_kernels(work: Work) -> bool:
    """Whether kernels can run a work: gradients given, float64 or float32, and a rule that is lowered."""
    if work.closed or DTYPES[work.dtype].small or numba.config.DISABLE_JIT:
        return False
    try:
        _text(work, wide=True)
    except NotLowered:
        return False
    return True


def run_on_kernels(work: Work) -> dict[str, Array]:
    """Run a work on a compiled kernel; raises NotLowered for what `runs_on_kernels` denies, and NotCompiled."""
    with np.errstate(all="ignore"):
        beside = _side_by_side(work)
        if beside is None:
            return _Run(work).run()
        batch = Layout(work).batch
        made = _Run(beside).run()
    return {name: array if name == CARRIED else _as_batch(array, batch[name]) for name, array in made.items()}


def _side_by_side(work: Work) -> Work | None:
    """See the members of a sweep of gradients as coordinates that lie side by side, where nothing else is swept."""
    gradients = np.asarray(work.gradients)
    alone = not work.core_dimensions and np.ndim(work.start) == 0 and gradients.ndim > 1
    if not alone or any(map(np.ndim, work.knobs.values())) or any(np.ndim(s) > 1 for s in work.schedules.values()):
        return None
    return replace(work, gradients=np.moveaxis(gradients, -1, 0), tensor_dimensions=gradients.ndim - 1)


def _as_batch(array: Array, batch: tuple[int, ...]) -> Array:
    """Give a variable (steps, coordinates) as (batch, steps); what is the same for all of the batch has no batch."""
    if array.ndim == 1:
        return array
    return np.moveaxis(array, 0, -1) if batch else array.reshape(len(array), -1)[:, 0]


def _text(work: Work, *, wide: bool) -> TraceText:
    keep = tuple(name for name in work.keep if name != "g")
    form = TraceForm(work.dtype, keep, tuple(work.schedules), wide)
    printed = _printed(work.rule, form)
    if work.several_dimensions and printed.per_step:
        raise NotLowered("one number a step beside several tensors")
    return printed


@lru_cache(maxsize=256)
def _printed(rule: Rule, form: TraceForm) -> TraceText:
    try:
        return trace_text(rule, form)
    except NotLowered:
        if form.wide:
            raise
        # What cannot go in stages goes step by step.
        return trace_text(rule, TraceForm(form.dtype, form.keep, form.schedules, wide=True))


class _Run:
    """One run: the tables of a kernel, and the arrays behind their addresses."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.layout = Layout(work)
        assert self.layout.stream is not None
        self.stream = self.layout.stream
        self.core_shape = self.layout.core_shape
        self.core = int(np.prod(self.core_shape, dtype=int))
        self.dtype = np.dtype(work.dtype)
        self.gradient_batch = self.stream.shape[1 : self.stream.ndim - self.layout.core]
        self.batch = self._whole_batch()
        self.lanes = int(np.prod(self.batch, dtype=int))
        self.printed = _text(work, wide=self.core >= WIDE)
        self.keep = [name for name in work.keep if name != "g"]
        lowered = self.printed.lowered
        self.coordinate_states = lowered.states(Kind.COORDINATE)
        self.step_states = lowered.states(Kind.STEP)

    def _whole_batch(self) -> tuple[int, ...]:
        layout = self.layout
        shapes = [layout.x.shape[: layout.x.ndim - layout.core], self.gradient_batch]
        shapes += [np.shape(knob)[: np.ndim(knob) - layout.core] for knob in layout.knobs.values() if np.ndim(knob)]
        shapes += [schedule.shape[1:] for schedule in layout.schedules.values()]
        return np.broadcast_shapes(*shapes)

    def run(self) -> dict[str, Array]:
        work = self.work
        environment = self.layout.environment()
        stream = np.ascontiguousarray(np.moveaxis(self.stream, 0, len(self.gradient_batch)))
        homes = {name: self._spread(environment[name]) for name in ("x", *self.coordinate_states)}
        doubles = np.zeros((self.lanes, len(self.step_states)))
        for i, name in enumerate(self.step_states):
            doubles[:, i] = self._per_lane(environment[name])
        knobs = np.empty((self.lanes, len(work.rule.tree.knob_names)))
        for i, name in enumerate(work.rule.tree.knob_names):
            # A schedule's column is read at every step from elsewhere.
            knobs[:, i] = 0.0 if name in work.schedules else self._per_lane(environment[name])
        next_doubles = doubles.copy()
        buffers = self._buffers()
        scheduled, kept_alive = self._schedules()
        tasks, shares = self._tasks()
        threads = len(shares) - 1
        rooms, room_memory = self._rooms(2 if self.by_two else SEVERAL * threads if self.of_several else threads)
        if self.core and self.lanes:
            module = module_of(self.printed.text)
            given = (
                work.first, work.steps, self.core, knobs, float(environment["n"]), doubles, next_doubles, scheduled,
                self._addresses(homes), self._lane_addresses(stream, self.gradient_batch), self._written(buffers),
            )  # fmt: skip
            kernel, places = module.trace, [tasks, shares, rooms]
            if self.by_two:
                kernel, places = module.trace_by_two, [rooms]
            elif self.of_several:
                kernel, places = module.trace_of_several, [self._shares_of_lanes(threads), rooms, self._alike(knobs)]
            with ONE_AT_A_TIME:
                compile_for(kernel, (*places, *given))
                kernel(*places, *given)
        del kept_alive, room_memory
        if work.report is not None:
            work.report(work.first + work.steps - 1)
        if "g" in work.keep:
            buffers["g"] = pages.empty(stream.shape, self.dtype)
            buffers["g"][...] = stream
        made = {name: buffers[name] for name in work.keep}
        return {**made, CARRIED: self._left(homes, next_doubles)} if work.carries else made

    def _spread(self, value: Any) -> Array:
        """Give every lane its own copy of x or a state."""
        return np.array(np.broadcast_to(value, (*self.batch, *self.core_shape)), dtype=self.dtype, order="C")

    def _per_lane(self, value: Any) -> Array:
        """List a double of every lane; behind its batch axes it has axes of length one."""
        array = np.asarray(value, dtype=np.float64)
        if array.ndim:
            array = array.reshape(array.shape[: array.ndim - self.layout.core])
        return np.broadcast_to(array, self.batch).ravel()

    def _lane_numbers(self, batch: tuple[int, ...]) -> Array:
        """Number the members of a batch, and give each lane that of its own."""
        count = int(np.prod(batch, dtype=int))
        return np.broadcast_to(np.arange(count).reshape(batch), self.batch).ravel()

    def _lane_addresses(self, array: Array, batch: tuple[int, ...]) -> Array:
        count = max(int(np.prod(batch, dtype=int)), 1)
        return address_of(array) + self._lane_numbers(batch) * (array.nbytes // count)

    def _addresses(self, homes: dict[str, Array]) -> Array:
        return np.array([self._lane_addresses(home, self.batch) for home in homes.values()], dtype=np.int64)

    def _schedules(self) -> tuple[Array, list[Array]]:
        """Give the addresses of each schedule's steps, lane by lane, and the arrays that lie there."""
        arrays = []
        table = np.zeros((len(self.work.schedules), self.lanes), dtype=np.int64)
        for i, schedule in enumerate(self.work.schedules.values()):
            array = np.ascontiguousarray(schedule, dtype=np.float64)
            arrays.append(array)
            table[i] = self._lane_addresses(array, array.shape[:-1])
        return table, arrays

    def _buffers(self) -> dict[str, Array]:
        batch, shape_of = self.layout.batch, self.layout.shape_of
        return {
            name: pages.empty((*batch[name], self.work.steps, *shape_of(name)), self.dtype, place=i)
            for i, name in enumerate(self.keep)
        }

    def _written(self, buffers: dict[str, Array]) -> Array:
        """Tell each lane where it writes a variable: of the lanes that give the same, the first one does."""
        table = np.zeros((len(buffers), self.lanes), dtype=np.int64)
        for i, (name, buffer) in enumerate(buffers.items()):
            numbers, first = np.unique(self._lane_numbers(self.layout.batch[name]), return_index=True)
            size = buffer.nbytes // max(len(numbers), 1)
            table[i, first] = address_of(buffer) + numbers * size
        return table

    def _tasks(self) -> tuple[Array, Array]:
        """Cut the lanes into tasks (lane, begin, end), and deal the tasks out to threads."""
        threads = threads_for(self.lanes * self.core * self.work.steps, os.cpu_count() or 1)
        chunk = min(CHUNK, max(-(-self.core * self.lanes // threads), 1)) if self.core >= WIDE else self.core
        if 1 < self.core < WIDE and self.lanes < threads:
            chunk = -(-self.core // threads)
        begins = np.arange(0, self.core, max(chunk, 1))
        lanes = np.repeat(np.arange(self.lanes), len(begins))
        starts = np.tile(begins, self.lanes)
        tasks = np.column_stack([lanes, starts, np.minimum(starts + chunk, self.core)]).astype(np.int64)
        shares = np.round(np.linspace(0, len(tasks), min(threads, max(len(tasks), 1)) + 1)).astype(np.int64)
        return tasks, shares

    @property
    def by_two(self) -> bool:
        """Whether two threads share the one coordinate that there is."""
        alone = self.printed.by_two and self.core * self.lanes == 1 and self.work.steps > 2 * LONG
        return alone and threads_for(self.work.steps, os.cpu_count() or 1) > 1

    @property
    def of_several(self) -> bool:
        """Whether several members of a sweep are taken at once."""
        return self.printed.narrow and self.lanes >= LANES_FOR_SEVERAL

    def _shares_of_lanes(self, threads: int) -> Array:
        """Deal the lanes out to threads, several at a time."""
        edges = np.round(np.linspace(0, self.lanes / SEVERAL, threads + 1)).astype(np.int64) * SEVERAL
        edges[-1] = self.lanes
        return edges

    def _alike(self, knobs: Array) -> Array:
        """Say of each lane whether its table moves as that of the lane before."""
        alike = np.zeros(self.lanes, dtype=bool)
        if self.printed.moving_knobs is not None:
            names = list(self.work.rule.tree.knob_names)
            bits = knobs[:, [names.index(name) for name in self.printed.moving_knobs]].view(np.int64)
            alike[1:] = (bits[1:] == bits[:-1]).all(axis=1)
        return alike

    def _rooms(self, count: int) -> tuple[Array, Array]:
        """Make room for each thread: the table of a block, powers, room to compute them in, rows of a block.

        Two threads that share a coordinate have the last of them, rows of a stretch, in common.
        """
        size, printed = self.dtype.itemsize, self.printed
        sizes = [
            printed.table * BLOCK * size,
            printed.powers * BLOCK * 8,
            printed.powers * ROOM * 8,
            max(printed.rows * ROW, CHUNK) * size,
            printed.long * (2 * LONG_ROW if self.by_two else ROW) * size,
        ]
        ends = np.cumsum([0, *(-(-n // LINE) * LINE for n in sizes)])
        memory = np.zeros(count * int(ends[-1]) + LINE, dtype=np.uint8)
        start = address_of(memory) + -address_of(memory) % LINE
        rooms = start + np.arange(count)[:, None] * ends[-1] + ends[None, :-1]
        if self.by_two:
            rooms[1, -1] = rooms[0, -1]
        return rooms, memory

    def _left(self, homes: dict[str, Array], doubles: Array) -> dict[str, Any]:
        """Give x and the states after the last step."""
        found: dict[str, Any] = dict(homes)
        for i, name in enumerate(self.step_states):
            found[name] = float(doubles[0, i])
            if self.batch:
                found[name] = doubles[:, i].reshape(*self.batch, *(1,) * self.layout.core)
        return found
