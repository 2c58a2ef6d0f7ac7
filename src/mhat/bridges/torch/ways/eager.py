"""A bucket stepped operation after operation by the arrays engine, on any device. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mhat.bridges.torch.buckets import Bucket
from mhat.bridges.torch.ways.way import Knobs
from mhat.engines.program import Environment, Program
from mhat.errors import BadValue

Tensor = Any


def by_operations(bucket: Bucket) -> Eager:
    """Take any bucket; raises BadValue for options that kernels alone have."""
    return Eager(bucket)


class Eager:
    """Steps all tensors of a bucket in lockstep; all new values are there before any is written."""

    name = "eager"

    def __init__(self, bucket: Bucket) -> None:
        if bucket.form.rounding != "nearest":
            raise BadValue(
                f"{bucket.rule.name} steps {bucket.form.x} on {bucket.device} operation after operation, "
                f"which rounds to the nearest, and not {bucket.form.rounding}",
                "Leave `rounding` out.",
            )
        self.why = ""
        self.bucket = bucket

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Knobs) -> None:
        """Step in place; see `Way.step`."""
        bucket = self.bucket
        places = [place for place, gradient in enumerate(gradients) if gradient is not None]
        program = bucket.program
        environments = [self._environment(program, place, gradients[place], steps, knobs) for place in places]
        results = program.step(environments)
        homes = [[states[place] for place in places] for states in bucket.states.values()]
        written = {_memory(home) for column in homes for home in column}
        after: list[tuple[Tensor, Tensor]] = []
        for name, column in zip(bucket.states, homes, strict=True):
            for home, environment in zip(column, environments, strict=True):
                after.append((home, _apart(environment[name], home, written)))
        xs = [bucket.seen(place) for place in places]
        moved = [(x, _apart(result, x, written)) for x, result in zip(xs, results, strict=True)]
        # States first: what they carry on may be x itself.
        for home, value in [*after, *moved]:
            _write(home, value)
        for place, x in zip(places, xs, strict=True):
            bucket.put_back(place, x)

    def _environment(
        self, program: Program, place: int, gradient: Tensor, steps: Sequence[float], knobs: Knobs
    ) -> Environment:
        bucket = self.bucket
        own = knobs if isinstance(knobs, Mapping) else knobs[place]
        environment = bucket.environment(place, gradient, float(steps[place]), own)
        for name, states in bucket.states.items():
            alone = name in program.per_step_states
            environment[name] = float(states[place]) if alone else states[place].to(bucket.computed)
        return environment


def _memory(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())


def _apart(value: Any, home: Tensor, written: set[int]) -> Any:
    """Copy what lies in the memory of another state, which may be written before it is read."""
    if isinstance(value, torch.Tensor) and value is not home and value.numel() and _memory(value) in written:
        return value.clone()
    return value


def _write(home: Tensor, value: Any) -> None:
    if value is home:
        return
    if isinstance(value, torch.Tensor):
        # One number may come with the dimensions that were reduced.
        home.copy_(value.reshape(home.shape) if value.numel() == home.numel() else value)
    else:
        home.fill_(value)
