"""A rule driven step by step on any engine's arithmetic, several tensors as peers. It knows no engine by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mhat.engines.floats import Floats, Tensor
from mhat.engines.program import Arithmetic, Program, first_environment
from mhat.language import Rule

Value = Any
# What one step made of one tensor: `x` after the step, and every variable and state by name.
Record = dict[str, Value]
MakeTensor = Callable[[np.ndarray], Value]


def drive(
    rule: Rule,
    arithmetic: Arithmetic,
    tensor: MakeTensor,
    streams: Sequence[np.ndarray],
    starts: Sequence[np.ndarray] | None = None,
    knobs: Mapping[str, Value] | None = None,
    several: int | None = None,
) -> list[list[Record]]:
    """Run streams (steps, *shape), one a tensor; give for each step what it made of each tensor.

    `several`: how many tensors one stream holds on a leading axis (then `k` is an array).
    """
    program = Program(rule, arithmetic)
    number = arithmetic.number
    count = several or len(streams)
    starts = starts or [np.zeros(stream.shape[1:]) for stream in streams]
    given = {**{name: number(float(value)) for name, value in rule.knobs.items()}, **(knobs or {})}
    environments = []
    for i, (start, stream) in enumerate(zip(starts, streams, strict=True)):
        k: Any = number(float(i + 1))
        if several:
            k = np.arange(1.0, several + 1).reshape(several, *[1] * (stream.ndim - 2))
        environment = first_environment(
            rule, tensor(start), tensor(stream[0]), given, number(1.0), k, number(float(count))
        )
        environments.append(environment)
    for environment, states in zip(environments, program.starts(environments), strict=True):
        environment.update(states)
    steps = []
    for t in range(len(streams[0])):
        for environment, stream in zip(environments, streams, strict=True):
            environment.update(t=number(float(t + 1)), g=tensor(stream[t]))
        results = program.step(environments)
        steps.append([_record(program, e, x) for e, x in zip(environments, results, strict=True)])
        for environment, x in zip(environments, results, strict=True):
            environment["x"] = _spread(x, environment["x"])
    return steps


def _spread(x: Value, before: Value) -> Value:
    """A result of one number fills the parameter."""
    if isinstance(before, Tensor) and not isinstance(x, Tensor):
        return Tensor((x,) * len(before.values), before.shape)
    if isinstance(before, np.ndarray) and before.ndim and np.ndim(x) == 0:
        return np.full(before.shape, x, before.dtype)
    return x


def _record(program: Program, environment: Mapping[str, Value], x: Value) -> Record:
    names = dict.fromkeys((*program.rule.tree.state_names, *program.rule.variables))
    made = {f"{name}_used" if name in ("x", "g") else name: program.entered(name, environment[name]) for name in names}
    return {**made, "x": x}


def drive_floats(rule: Rule, streams: Sequence[np.ndarray], dtype: str = "float64", **more: Any) -> list[list[Record]]:
    """Run on the living definition."""
    store = Floats(dtype).store

    def tensor(array: np.ndarray) -> Value:
        values = tuple(array.ravel().tolist())
        return store(Tensor(values, array.shape) if array.shape else values[0])

    return drive(rule, Floats(dtype), tensor, streams, **more)


def as_array(value: Value, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Spread a value of any engine that holds doubles over a shape."""
    if isinstance(value, Tensor):
        value = np.reshape(value.values, value.shape)
    return np.broadcast_to(np.asarray(value, dtype=dtype), shape)
