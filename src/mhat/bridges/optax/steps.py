"""A step of a rule on flat lists of JAX arrays, in or out of a trace. It knows no trees.

Numbers of the step are doubles, in the trace too; tensors are stepped in float32, or in float64 where they are that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mhat.bridges.optax.arithmetic import TransformedArrays
from mhat.bridges.optax.frameworks import jnp
from mhat.engines.program import Environment, Program, first_environment
from mhat.language.definition import Rule
from mhat.language.fit import matrix_of

Array = Any


@dataclass
class Tensor:
    """One tensor in a step: its values, its states, its own number (k, from 1), whether its states have begun.

    `x` is None where nobody reads it. `started`: True, or an array that says so. `h`: what a rule reads of that name.
    """

    x: Array
    g: Array
    dtype: str
    states: dict[str, Array]
    number: float
    started: Any = True
    h: Array = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the parameter."""
        return tuple(np.shape(self.g))


@dataclass(frozen=True)
class Moment:
    """What is the same for all tensors of a step: `n` is how many there are; `numbers`: states of that kind."""

    t: Any
    n: float
    knobs: Mapping[str, Any]
    numbers: Mapping[str, Any]
    loss: Any = None


def stepped(
    rule: Rule, tensors: Sequence[Tensor], moment: Moment, whose: Rule | None = None
) -> tuple[list[Array], dict[str, Any]]:
    """Give what the rule returns for each tensor, in its shape, and the numbers after the step; states are replaced.

    `whose`: the rule whose states they are, if it is another one.
    """
    whose = whose or rule
    program, environments = _prepared(rule, tensors, moment, whose)
    with np.errstate(all="ignore"):
        _begin(program, tensors, environments)
        results = program.step(environments)
        made = [
            _shaped(program, program.entered("@x", result), matrix_of(rule, tensor.shape)).reshape(tensor.shape)
            for tensor, result in zip(tensors, results, strict=True)
        ]
        for tensor, environment in zip(tensors, environments, strict=True):
            seen = matrix_of(rule, tensor.shape)
            for name, before in tensor.states.items():
                value = _shaped(program, program.entered(name, environment[name]), whose.shape_of(name, seen))
                tensor.states[name] = value.reshape(before.shape)
    return made, {name: environments[0][name] for name in moment.numbers}


def first_states(
    rule: Rule, tensors: Sequence[Tensor], moment: Moment
) -> tuple[list[dict[str, Array]], dict[str, Any]]:
    """Give the states before step 1, each in the shape that it is kept in, and those that are numbers."""
    program, environments = _prepared(rule, tensors, moment, rule)
    made: list[dict[str, Array]] = []
    numbers: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        for tensor, starts in zip(tensors, program.starts(environments), strict=True):
            seen = matrix_of(rule, tensor.shape)
            states = {}
            for name, value in starts.items():
                if name in program.per_step_states:
                    numbers[name] = value
                    continue
                shape = rule.shape_of(name, seen)
                first = program.arithmetic.enter(value) if _is_alone(value) else value
                if shape == seen and _is_alone(value):
                    # It lies where the parameter lies, on however many devices.
                    states[name] = jnp.full_like(tensor.x, first, dtype=tensor.dtype)
                    continue
                whole = _shaped(program, first, shape)
                states[name] = jnp.array(whole.reshape(tensor.shape if shape == seen else shape), copy=True)
            made.append(states)
    return made, numbers


def _is_alone(value: Any) -> bool:
    return isinstance(value, float) or np.shape(value) == ()


def _prepared(rule: Rule, tensors: Sequence[Tensor], moment: Moment, whose: Rule) -> tuple[Program, list[Environment]]:
    program = _program(rule, tensors[0].dtype)
    return program, [_environment(program, tensor, moment, whose) for tensor in tensors]


@lru_cache(maxsize=256)
def _program(rule: Rule, dtype: str) -> Program:
    arithmetic = TransformedArrays(dtype)
    program = Program(rule, arithmetic, keep=())
    # How many columns a matrix has must be known.
    arithmetic.hides_numbers = not rule.ranks
    return program


def _environment(program: Program, tensor: Tensor, moment: Moment, whose: Rule) -> Environment:
    rule, seen = program.rule, matrix_of(program.rule, tensor.shape)
    g = _taken(tensor.g, tensor.dtype, seen)
    x = g if tensor.x is None else _taken(tensor.x, tensor.dtype, seen)
    given = {"loss": moment.loss, "h": None if tensor.h is None else _taken(tensor.h, tensor.dtype, seen)}
    told = {name: value for name, value in given.items() if name in rule.tree.given and value is not None}
    made = first_environment(rule, x, g, moment.knobs, moment.t, tensor.number, moment.n, told)
    program.settle(made, moment.knobs)
    made.update(moment.numbers)
    for name, value in tensor.states.items():
        made[name] = _taken(value, tensor.dtype, whose.shape_of(name, seen))
    return made


def _taken(value: Array, dtype: str, shape: tuple[int, ...]) -> Array:
    return jnp.asarray(value).astype(dtype).reshape(shape)


def _begin(program: Program, tensors: Sequence[Tensor], environments: Sequence[Environment]) -> None:
    """Begin the states of tensors that have seen no gradient; all tensors are looked at, as a start may do."""
    if all(tensor.started is True for tensor in tensors):
        return
    for tensor, environment, starts in zip(tensors, environments, program.starts(environments), strict=True):
        for name, value in starts.items():
            if name in program.per_step_states or tensor.started is True:
                continue
            shape = tuple(environment[name].shape)
            first = _shaped(program, program.arithmetic.enter(value) if _is_alone(value) else value, shape)
            environment[name] = jnp.where(tensor.started, environment[name], first)


def _shaped(program: Program, value: Any, shape: tuple[int, ...]) -> Array:
    value = jnp.asarray(value, dtype=program.arithmetic.dtype)  # type: ignore[attr-defined]
    return value if tuple(value.shape) == shape else jnp.broadcast_to(value, shape)
