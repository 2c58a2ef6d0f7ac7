"""The time loop: a rule over a stream or a landscape, on floats or on arrays. It knows no names of dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.floats import Floats, Tensor, values_of
from mhat.engines.layout import Layout
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.work import CARRIED, Array, Work


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
    target = work.rule.shape_of(name, shape)
    size = max((len(values) for values in record), default=1)
    full = [values if len(values) == size else tuple(values) * size for values in record]
    array = np.array(full, dtype=DTYPES[work.dtype].computed)
    if array.shape[1] == 1:
        array = np.broadcast_to(array, (len(record), int(np.prod(target, dtype=int))))
    return array.reshape(len(record), *target)


def _recorded(program: Program, environment: Environment, name: str) -> Any:
    inner = program.recorded[name]
    return program.entered(inner, environment[inner])


def run_on_arrays(work: Work) -> dict[str, Array]:
    """Run any work on NumPy arrays, a whole step at a time."""
    with np.errstate(all="ignore"):
        return _looped(work, Layout(work))


def _looped(work: Work, layout: Layout) -> dict[str, Array]:
    program, core = layout.program, layout.core_shape
    environment, x = layout.environment(), layout.x
    buffers = {
        name: np.empty((work.steps, *layout.batch[name], *layout.shape_of(name)), dtype=layout.held)
        for name in work.keep
    }
    missing = {name: len(core) + len(layout.batch[name]) + 1 - buffer.ndim for name, buffer in buffers.items()}
    for i in range(work.steps):
        g = layout.gradient(i, x)
        environment.update(layout.knobs_at(i), t=float(work.first + i), g=g, x=x, **layout.given(i, x))
        (result,) = program.step([environment])
        x = np.asarray(result, dtype=layout.held)
        x = np.broadcast_to(x, np.broadcast_shapes(x.shape, core))
        x = x if work.project is None else layout.stored(work.project(x))
        for name, buffer in buffers.items():
            value = g if name == "g" else x if name == "x" else _recorded(program, environment, name)
            buffer[i] = _fitted(value, missing[name])
        if work.report is not None:
            work.report(work.first + i)
    made = {name: np.moveaxis(buffer, 0, len(layout.batch[name])) for name, buffer in buffers.items()}
    if not work.carries:
        return made
    return {**made, CARRIED: {"x": x, **{name: environment[name] for name in work.rule.tree.state_names}}}


def _fitted(value: Any, missing: int) -> Array:
    """Drop the axes of length one that a reduction keeps so that its result broadcasts."""
    array = np.asarray(value)
    return array.reshape(array.shape[: array.ndim - missing]) if array.ndim >= missing else array
