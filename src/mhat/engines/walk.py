"""One tensor on its way, a step at a time: for callers who know the next gradient only when they see the new x.

It computes what `run_on_arrays` does for the same gradients, bit for bit. It knows no function, no trace, no end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mhat.engines.arrays import Arrays
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.work import variables_of
from mhat.language.definition import Rule
from mhat.language.inference import Level, names_read, reductions_over_all
from mhat.language.tree import EVALUATION

Array = Any
NOTHING: Mapping[str, float] = {}


def program_of(rule: Rule, dtype: str, dimensions: int) -> Program:
    """Compile a rule for tensors of a dtype and a number of dimensions; it can be walked any number of times."""
    return Program(rule, Arrays(np, dtype, tensor_dimensions=dimensions if _whole_tensors(rule) else 0))


def _whole_tensors(rule: Rule) -> bool:
    """Whether a step looks at more than one coordinate; if not, each coordinate is run as a tensor of its own."""
    across = reductions_over_all(rule.tree) or bool(names_read(rule.tree) & {"k", "n"})
    return rule.level != Level.COORDINATE or across


class Walk:
    """A rule, its state and where x is. Arrays that come in are not changed, and must not be changed later."""

    def __init__(
        self, program: Program, x: Array, knobs: Mapping[str, float], project: Callable[[Array], Array] | None = None
    ) -> None:
        assert isinstance(program.arithmetic, Arrays)
        self.program = program
        self.rule = program.rule
        self.dtype = program.arithmetic.dtype
        self.x = np.asarray(x, dtype=self.dtype)
        self.t = 0
        self._knobs = knobs
        self._project = project
        self._tensor = self.x.shape if program.arithmetic.tensor_dimensions else ()
        self._environment: Environment = {}
        self._shapes = {name: self._shape(inner) for name, inner in variables_of(self.rule).items()}

    @property
    def point(self) -> Array:
        """Where the rule would be evaluated: `x_eval` if it assigns that, projected as x is; else x."""
        if self.t == 0 or EVALUATION not in self.rule.variables:
            return self.x
        point = np.broadcast_to(np.asarray(self._entered(EVALUATION), dtype=self.dtype), self.x.shape)
        return point if self._project is None else self._project(point)

    def step(self, g: Array, knobs: Mapping[str, float] = NOTHING) -> Array:
        """Take a step by the gradient at x, some knobs being others than before; gives the new x."""
        self.t += 1
        with np.errstate(all="ignore"):
            if self.t == 1:
                self._start(g, knobs)
            self._environment.update(knobs, t=float(self.t), g=g, x=self.x)
            (result,) = self.program.step([self._environment])
        x = np.asarray(result, dtype=self.dtype)
        if x.shape != self.x.shape:
            x = np.broadcast_to(x, self.x.shape)
        self.x = x if self._project is None else self._project(x)
        return self.x

    def variables(self) -> dict[str, Array]:
        """Give what the last step assigned, by the names and in the shapes that a trace has, without `g` and `x`."""
        found = {}
        for name, inner in self.program.recorded.items():
            value, shape = np.asarray(self._entered(inner), dtype=self.dtype), self._shapes[name]
            # A reduction keeps axes of length one that the variable does not have.
            found[name] = value.reshape(shape) if value.size == _size(shape) else np.broadcast_to(value, shape)
        return found

    def stacked(self, name: str, values: list[Array]) -> Array:
        """Put a variable's values, one a step, into the array that an engine gives for it: batch, step, tensor."""
        array = np.array(values, dtype=self.dtype).reshape(len(values), *self._shapes[name])
        return array if self._tensor else np.moveaxis(array, 0, -1)

    def _start(self, g: Array, knobs: Mapping[str, float]) -> None:
        self._environment = first_environment(self.rule, self.x, g, {**self._knobs, **knobs}, 1.0, 1.0, 1.0)
        for name, value in self.program.start(self._environment).items():
            carried = name not in self.program.per_step_states
            shape = np.broadcast_shapes(np.shape(value), self.rule.shape_of(name, self._tensor))
            self._environment[name] = np.broadcast_to(value, shape) if carried else value

    def _entered(self, inner: str) -> Any:
        return self.program.entered(inner, self._environment[inner])

    def _shape(self, inner: str) -> tuple[int, ...]:
        if self._tensor:
            return self.rule.shape_of(inner, self._tensor)
        return self.x.shape if inner in ("x", "g") or self.rule.dependence[inner] & {"x", "g"} else ()


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))
