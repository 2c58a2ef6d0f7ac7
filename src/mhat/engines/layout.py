"""How a work lies in arrays before its first step: shapes, batches, starts. It takes no step.

What runs on arrays begins here, and so do kernels: starts are computed in one place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.small import arrays_of
from mhat.engines.work import Array, Work, variables_of

# So far from x, by its size, second derivatives are taken: the cube root of the rounding of doubles.
STEP_ASIDE = 6e-6


class Layout:
    """Shapes, batch shapes and starts of one run on arrays.

    `x`, `stream`: where it begins and the gradients, steps first, None for a landscape. `core_shape`: what stands
    behind batch and step, `tensor_shape`: behind what counts tensors. `batch`: the batch shape of every variable.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.core = work.core_dimensions
        self.held = DTYPES[work.dtype].computed
        self.arithmetic = arrays_of(
            work.dtype, tensor_dimensions=work.tensor_dimensions, several_dimensions=work.several_dimensions
        )
        self.program = Program(work.rule, self.arithmetic, work.keep)
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
        own |= dict.fromkeys(self.work.rule.tree.given, moving)
        own["x"] = np.broadcast_shapes(moving, own["g"]) if "g" in dependence["x"] else moving
        shapes = {}
        for name, inner in variables_of(self.work.rule).items():
            reached = {inner} if inner == "g" else dependence[inner]
            shapes[name] = np.broadcast_shapes(*(own.get(part, ()) for part in reached))
        return shapes

    def gradient(self, i: int, x: Array) -> Array:
        """Give the gradient of a step, counted from 0, at x."""
        if self.stream is not None:
            return self.stream[i]
        assert callable(self.work.gradients)
        return self.stored(self.work.gradients(x, float(self.work.first + i)))

    def given(self, i: int, x: Array) -> dict[str, Any]:
        """Give what a rule reads besides, on a landscape: the loss at x, and the diagonal of the Hessian."""
        wanted, made = self.work.rule.tree.given if self.work.closed else (), {}
        if "loss" in wanted and self.work.loss is not None:
            made["loss"] = self.per_batch(self.work.loss(np.asarray(x, dtype=np.float64)))
        if "h" in wanted:
            made["h"] = self.stored(self._curvature(np.asarray(x, dtype=np.float64), float(self.work.first + i)))
        return made

    def _curvature(self, x: Array, t: float) -> Array:
        """Take the diagonal of the Hessian from gradients on both sides of x, a coordinate at a time."""
        assert callable(self.work.gradients)
        made = np.empty_like(x)
        for j in range(x.shape[-1]):
            aside = np.zeros_like(x)
            aside[..., j] = STEP_ASIDE * np.maximum(1.0, abs(x[..., j]))
            before, after = (np.asarray(self.work.gradients(x + side * aside, t))[..., j] for side in (-1.0, 1.0))
            made[..., j] = (after - before) / (2.0 * aside[..., j])
        return made

    def knobs_at(self, i: int) -> dict[str, Any]:
        """Give the knobs that are schedules, at a step counted from 0."""
        return {name: self.per_batch(schedule[i]) for name, schedule in self.schedules.items()}

    def environment(self) -> Environment:
        """Gather what the first step may read, the states started or taken up."""
        several = self.core_shape[: self.work.several_dimensions]
        count = int(np.prod(several, dtype=int))
        k: Any = 1.0
        if count > 1:
            k = np.arange(1.0, count + 1).reshape(*several, *(1,) * self.work.tensor_dimensions)
        knobs = {**self.knobs, **self.knobs_at(0)}
        # Later than step 1 no state starts, and nothing reads the first gradient.
        g = self.gradient(0, self.x) if self.work.carried is None else self.x
        given = self.given(0, self.x)
        environment = first_environment(self.work.rule, self.x, g, knobs, 1.0, k, float(count), given)
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
        shape = self.work.rule.shape_of(name, self.tensor_shape)
        missing = self.work.tensor_dimensions - len(shape)
        return np.broadcast_to(value, np.broadcast_shapes(np.shape(value), (*several, *(1,) * missing, *shape)))

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Give the shape of a recorded variable in one step of one member of the batch."""
        inner = variables_of(self.work.rule)[name]
        several = self.core_shape[: self.work.several_dimensions]
        return (*several, *self.work.rule.shape_of(inner, self.tensor_shape))
