"""The time loop: a rule over a stream or a landscape, on floats or on arrays. It knows no names of dimensions.

Axes are ordered (batch, step, several, tensor) in what comes in and (batch, step, shape of the variable) in
what goes out. Batch axes belong to sweeps; every variable has the batch axes of what it depends on only.

A run can be cut into legs: what one carries out of its last step the next one takes up, on any engine, and all of
them together are the run in one piece, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.engines.floats import HELD, Floats, Tensor, values_of
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.small import arrays_of
from mhat.language.definition import Rule

Array = Any
GradientOf = Callable[[Array, float], Array]
Report = Callable[[int], None]

# Where an engine puts what it carries on from its last step; no name of a rule can be this.
CARRIED = "@carried"


@dataclass(frozen=True)
class Work:
    """What is to be run.

    `gradients`: array (*batch, steps, *several, *tensor), or a function of x (*batch, *tensor) and t.
    `start`: array (*batch, *several, *tensor), or a number. `knobs`: numbers, or arrays (*batch).
    `schedules`: knobs over the steps, arrays (*batch, steps). `keep`: names to record.
    What comes out is of the dtype, float16 and bfloat16 held as float32.

    `first`: the number of the first step, with which gradients and schedules begin. `carried`: what the steps before
    left, None where there were none: x and every state by name, arrays that broadcast against (*batch, *several,
    *tensor), per-step states in double. `carries`: whether the engine gives that too, under `CARRIED`.
    """

    rule: Rule
    gradients: Array | GradientOf
    steps: int
    keep: tuple[str, ...]
    start: Array | float = 0.0
    knobs: Mapping[str, Array | float] = field(default_factory=dict)
    schedules: Mapping[str, Array] = field(default_factory=dict)
    dtype: str = "float64"
    several_dimensions: int = 0
    tensor_dimensions: int = 0
    project: Callable[[Array], Array] | None = None
    report: Report | None = None
    first: int = 1
    carried: Mapping[str, Any] | None = None
    carries: bool = False

    @property
    def core_dimensions(self) -> int:
        """How many axes stand behind the step axis."""
        return self.several_dimensions + self.tensor_dimensions

    @property
    def closed(self) -> bool:
        """Whether the gradient answers to where x is."""
        return callable(self.gradients)

    @property
    def coordinates(self) -> int:
        """How many numbers x holds, sweeps included."""
        sizes = [np.size(knob) for knob in self.knobs.values()]
        sizes += [np.size(schedule) // self.steps for schedule in self.schedules.values()]
        given = np.size(self.start) if callable(self.gradients) else np.size(self.gradients) // self.steps
        return int(max(given, 1) * np.prod(sizes, dtype=float)) if sizes else max(int(given), 1)


def variables_of(rule: Rule) -> dict[str, str]:
    """List what a trace can record: each name, and the name in `Rule.dependence` and `Rule.shapes` for it."""
    assigned = [f"{name}_used" if name in ("x", "g") else name for name in rule.variables]
    return {"g": "g", "x": "x", **{name: name for name in assigned}}


def run_on_floats(work: Work) -> dict[str, Array]:
    """Run one tensor, without sweeps, on the living definition: quick for a few coordinates."""
    program = Program(work.rule, Floats(work.dtype))
    store = program.arithmetic.store
    gradients = np.asarray(work.gradients, dtype=np.float64)
    shape = gradients.shape[1:]
    rows = gradients.reshape(work.steps, -1).tolist()

    def value(numbers: list[float]) -> Any:
        return store(Tensor(tuple(numbers), shape) if shape else numbers[0])

    start = work.start if work.carried is None else work.carried["x"]
    x = value(np.broadcast_to(np.asarray(start, dtype=np.float64), shape).ravel().tolist())
    knobs = {name: float(knob) for name, knob in work.knobs.items()}
    environment = first_environment(work.rule, x, value(rows[0]), knobs, 1.0, 1.0, 1.0)
    _set_schedules(environment, work, 0)
    environment.update(program.start(environment) if work.carried is None else _taken_up(program, work.carried))
    kept: dict[str, list[Any]] = {name: [] for name in work.keep}
    for i, row in enumerate(rows):
        environment["t"], environment["g"] = float(work.first + i), value(row)
        _set_schedules(environment, work, i)
        before = environment["g"]
        (x,) = program.step([environment])
        for name, record in kept.items():
            record.append(
                values_of(before if name == "g" else x if name == "x" else _recorded(program, environment, name))
            )
        environment["x"] = x if not shape or isinstance(x, Tensor) else Tensor((x,) * len(row), shape)
        if work.report is not None:
            work.report(work.first + i)
    made = {name: _as_array(work, name, record, shape) for name, record in kept.items()}
    return {**made, CARRIED: _left(program, environment)} if work.carries else made


def _taken_up(program: Program, carried: Mapping[str, Any]) -> Environment:
    """Make the states of what an engine has left."""
    states: Environment = {}
    for name in program.rule.tree.state_names:
        array = np.asarray(carried[name], dtype=np.float64)
        # One number stands for a whole tensor of it.
        states[name] = float(array.item()) if array.size == 1 else Tensor(tuple(array.ravel().tolist()), array.shape)
    return states


def _left(program: Program, environment: Environment) -> dict[str, Array]:
    """Give x and the states as arrays of doubles."""
    found = {name: environment[name] for name in ("x", *program.rule.tree.state_names)}
    return {
        name: np.reshape(value.values, value.shape) if isinstance(value, Tensor) else np.float64(value)
        for name, value in found.items()
    }


def _set_schedules(environment: Environment, work: Work, i: int) -> None:
    for name, schedule in work.schedules.items():
        environment[name] = float(schedule[i])


def _as_array(work: Work, name: str, record: list[Any], shape: tuple[int, ...]) -> Array:
    target = variable_shape(work.rule, name, shape)
    size = max((len(values) for values in record), default=1)
    full = [values if len(values) == size else tuple(values) * size for values in record]
    array = np.array(full, dtype=HELD[work.dtype])
    if array.shape[1] == 1:
        array = np.broadcast_to(array, (len(record), int(np.prod(target, dtype=int))))
    return array.reshape(len(record), *target)


def _recorded(program: Program, environment: Environment, name: str) -> Any:
    inner = program.recorded[name]
    return program.entered(inner, environment[inner])


def variable_shape(rule: Rule, name: str, tensor: tuple[int, ...]) -> tuple[int, ...]:
    """Give the shape of a variable where the tensor has the given shape (a matrix rule: of two dimensions)."""
    inferred = rule.shapes[name]
    if inferred == ("rows", "columns"):
        return tensor
    if len(tensor) != 2 or inferred == ("1", "1"):
        return ()
    sizes = {"rows": tensor[0], "columns": tensor[1], "1": 1, "least": min(tensor)}
    return sizes[inferred[0]], sizes[inferred[1]]


def run_on_arrays(work: Work) -> dict[str, Array]:
    """Run any work on NumPy arrays, a whole step at a time."""
    with np.errstate(all="ignore"):
        return Loop(work).run()


class Loop:
    """The state of one run on arrays: shapes, starts, and the loop itself."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.core = work.core_dimensions
        self.held = HELD[work.dtype]
        self.arithmetic = arrays_of(
            work.dtype, tensor_dimensions=work.tensor_dimensions, several_dimensions=work.several_dimensions
        )
        self.program = Program(work.rule, self.arithmetic)
        x = self.stored(work.start)
        if callable(work.gradients):
            self.stream = None
            self.core_shape = x.shape[x.ndim - self.core :]
        else:
            stream = self.stored(work.gradients)
            self.stream = np.moveaxis(stream, stream.ndim - self.core - 1, 0)
            self.core_shape = self.stream.shape[self.stream.ndim - self.core :]
        self.tensor_shape = self.core_shape[work.several_dimensions :]
        self.start_shape = np.broadcast_shapes(x.shape, self.core_shape)
        x = x if work.carried is None else self.stored(work.carried["x"])
        self.x = np.broadcast_to(x, np.broadcast_shapes(x.shape, self.core_shape))
        self.knobs = {name: self.per_batch(knob) for name, knob in work.knobs.items()}
        self.schedules = {
            name: np.moveaxis(np.asarray(schedule, dtype=np.float64), -1, 0)
            for name, schedule in work.schedules.items()
        }
        self.batch = self.batch_shapes()

    def stored(self, values: Any) -> Array:
        """Round numbers to the dtype."""
        return np.asarray(self.arithmetic.store(np.asarray(values, dtype=self.held)))

    def per_batch(self, knob: Any) -> Any:
        """Keep a number as a number; put an array's batch axes in front of the core axes."""
        array = np.asarray(knob, dtype=np.float64)
        return float(array) if array.ndim == 0 else array.reshape(*array.shape, *(1,) * self.core)

    def batch_shapes(self) -> dict[str, tuple[int, ...]]:
        """Find the batch shape of every name: that of all it depends on, from step to step too."""
        own: dict[str, tuple[int, ...]] = {"x": self.start_shape[: len(self.start_shape) - self.core]}
        if self.stream is not None:
            own["g"] = self.stream.shape[1 : self.stream.ndim - self.core]
        own.update({name: np.shape(knob)[: -self.core or None] for name, knob in self.knobs.items()})
        own.update({name: schedule.shape[1:] for name, schedule in self.schedules.items()})
        dependence = self.work.rule.dependence
        moving = np.broadcast_shapes(*(own.get(name, ()) for name in dependence["x"]))
        if self.stream is None:
            own["g"] = moving
        own["x"] = np.broadcast_shapes(moving, own["g"]) if "g" in dependence["x"] else moving
        found = {}
        for name, inner in variables_of(self.work.rule).items():
            reached = {inner} if inner == "g" else dependence[inner]
            found[name] = np.broadcast_shapes(*(own.get(part, ()) for part in reached))
        return found

    def gradient(self, i: int) -> Array:
        if self.stream is not None:
            return self.stream[i]
        assert callable(self.work.gradients)
        return self.stored(self.work.gradients(self.x, float(self.work.first + i)))

    def knobs_at(self, i: int) -> dict[str, Any]:
        return {name: self.per_batch(schedule[i]) for name, schedule in self.schedules.items()}

    def environment(self) -> Environment:
        several = self.core_shape[: self.work.several_dimensions]
        count = int(np.prod(several, dtype=int))
        k: Any = 1.0
        if count > 1:
            k = np.arange(1.0, count + 1).reshape(*several, *(1,) * self.work.tensor_dimensions)
        knobs = {**self.knobs, **self.knobs_at(0)}
        # Later than step 1 no state starts, and nothing reads the first gradient.
        g = self.gradient(0) if self.work.carried is None else self.x
        environment = first_environment(self.work.rule, self.x, g, knobs, 1.0, k, float(count))
        environment.update(self.states(environment))
        return environment

    def states(self, environment: Environment) -> dict[str, Any]:
        """Start the states, or take up what was carried."""
        if self.work.carried is None:
            return {name: self.started(name, value) for name, value in self.program.start(environment).items()}
        given = {name: self.work.carried[name] for name in self.work.rule.tree.state_names}
        alone = self.program.per_step_states
        return {name: value if name in alone else self.stored(value) for name, value in given.items()}

    def started(self, name: str, value: Any) -> Any:
        """Give a state its full shape; a per-step state stays a number."""
        if name in self.program.per_step_states:
            return value
        several = self.core_shape[: self.work.several_dimensions]
        shape = variable_shape(self.work.rule, name, self.tensor_shape)
        missing = self.work.tensor_dimensions - len(shape)
        return np.broadcast_to(value, np.broadcast_shapes(np.shape(value), (*several, *(1,) * missing, *shape)))

    def buffers(self) -> dict[str, Array]:
        several = self.core_shape[: self.work.several_dimensions]
        made = {}
        for name in self.work.keep:
            inner = variables_of(self.work.rule)[name]
            shape = variable_shape(self.work.rule, inner, self.tensor_shape)
            made[name] = np.empty((self.work.steps, *self.batch[name], *several, *shape), dtype=self.held)
        return made

    def run(self) -> dict[str, Array]:
        environment = self.environment()
        buffers = self.buffers()
        missing = {name: len(self.core_shape) + len(self.batch[name]) + 1 - b.ndim for name, b in buffers.items()}
        for i in range(self.work.steps):
            g = self.gradient(i)
            environment.update(self.knobs_at(i), t=float(self.work.first + i), g=g, x=self.x)
            (result,) = self.program.step([environment])
            x = np.asarray(result, dtype=self.held)
            x = np.broadcast_to(x, np.broadcast_shapes(x.shape, self.core_shape))
            self.x = x if self.work.project is None else self.stored(self.work.project(x))
            for name, buffer in buffers.items():
                value = g if name == "g" else self.x if name == "x" else _recorded(self.program, environment, name)
                buffer[i] = _fitted(value, missing[name])
            if self.work.report is not None:
                self.work.report(self.work.first + i)
        made = {name: np.moveaxis(buffer, 0, len(self.batch[name])) for name, buffer in buffers.items()}
        if not self.work.carries:
            return made
        return {**made, CARRIED: {"x": self.x, **{name: environment[name] for name in self.work.rule.tree.state_names}}}


def _fitted(value: Any, missing: int) -> Array:
    """Drop the axes of length one that a reduction keeps so that its result broadcasts."""
    array = np.asarray(value)
    return array.reshape(array.shape[: array.ndim - missing]) if array.ndim >= missing else array
