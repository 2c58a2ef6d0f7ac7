"""A rule's step on the values of variables: tensors in, tensors out, in or out of a trace. It knows no variables.

float16 and bfloat16 are stepped in float32 and rounded once, so their states are float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import array_api_compat
import numpy as np

from mhat.bridges.keras.backends import doubles, is_traced, native
from mhat.dtypes import DTYPES
from mhat.engines.arrays import Arrays
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.traced import TracedArrays
from mhat.language.definition import Rule
from mhat.language.fit import matrix_of

Array = Any
# A number of the step: known, or a double of a trace.
StepNumber = Any


@dataclass
class Member:
    """One tensor in a step: its values, its states, whether these have begun, its own number and knobs.

    `number`: k, the number of the tensor from 1. `started`: a truth, or one of a trace.
    """

    x: Array
    g: Array
    dtype: str
    states: dict[str, Array]
    number: float
    started: Any = True
    knobs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Moment:
    """What is the same for all tensors of a step. `n`: how many tensors there are; `numbers`: states of that kind."""

    t: StepNumber
    n: float
    knobs: Mapping[str, StepNumber]
    numbers: Mapping[str, StepNumber]


def stepped(rule: Rule, members: Sequence[Member], moment: Moment) -> tuple[list[Array], dict[str, StepNumber]]:
    """Give the new parameters, in their dtypes, and the states that are numbers; the others are left in `members`."""
    program = _program_of(rule, members, moment)
    with np.errstate(all="ignore"):
        environments = [_environment(program, member, moment) for member in members]
        _start(program, members, environments)
        results = program.step(environments)
        made = [
            _like(program, member, result, tuple(member.x.shape))
            for member, result in zip(members, results, strict=True)
        ]
        for member, environment in zip(members, environments, strict=True):
            seen = matrix_of(rule, tuple(member.x.shape))
            for name, before in member.states.items():
                value = program.entered(name, environment[name])
                whole = _broadcast(program, value, rule.shape_of(name, seen))
                member.states[name] = program.arithmetic.xp.reshape(whole, before.shape)  # type: ignore[attr-defined]
        return made, {name: environments[0][name] for name in moment.numbers}


def evaluated(rule: Rule, member: Member, moment: Moment) -> Array:
    """Give what a rule without lines returns of x and the states as they are; see `evaluating`."""
    program = _program_of(rule, [member], moment)
    made = _environment(program, replace(member, states={}), moment)
    # They have the shapes that the rule they are of gives them.
    made.update({name: _taken(program, value, tuple(value.shape)) for name, value in member.states.items()})
    with np.errstate(all="ignore"):
        (result,) = program.step([made])
        return _like(program, member, result, tuple(member.x.shape))


def known(value: Any) -> StepNumber:
    """Give a number of the step as a float where it is known, else as a double of the trace."""
    value = native(value)
    if not is_traced(value):
        return float(value)
    with doubles():
        return array_api_compat.array_namespace(value).astype(value, array_api_compat.array_namespace(value).float64)


def halves(number: StepNumber, dtype: str) -> Array:
    """Part a double into two numbers of a dtype whose sum it is, to 48 bits of float32."""
    if not is_traced(number):
        with np.errstate(all="ignore"):
            first = np.asarray(number, dtype)
            rest = np.asarray(number - float(first), dtype)
        return np.stack([first, np.where(np.isfinite(first), rest, 0.0).astype(dtype)])
    xp = array_api_compat.array_namespace(number)
    with doubles():
        first = xp.astype(number, dtype)
        rest = xp.astype(number - xp.astype(first, xp.float64), dtype)
        return xp.stack([first, xp.where(xp.isfinite(first), rest, xp.zeros_like(rest))])


def whole(pair: Array) -> StepNumber:
    """Give the double that two numbers are halves of."""
    first, rest = known(pair[0]), known(pair[1])
    if isinstance(first, float):
        return first + rest
    with doubles():
        return first + rest


def begun(started: Array) -> Any:
    """Say whether states have begun: True or False where that is known."""
    return started != 0 if is_traced(started) else bool(started)


def _program_of(rule: Rule, members: Sequence[Member], moment: Moment) -> Program:
    x = members[0].x
    values = [moment.t, *moment.knobs.values(), *moment.numbers.values()]
    values += [value for member in members for value in (member.x, member.g, *member.states.values())]
    xp = array_api_compat.array_namespace(x)
    jax = array_api_compat.is_jax_namespace(xp)
    return _program(rule, xp, DTYPES[members[0].dtype].computed, None if jax else x.device, any(map(is_traced, values)))


@lru_cache(maxsize=256)
def _program(rule: Rule, xp: Any, computed: str, device: Any, traced: bool) -> Program:
    dtype = getattr(xp, computed)
    if traced:
        return Program(rule, TracedArrays(xp, dtype, doubles), keep=())
    return Program(rule, Arrays(xp, dtype, device=device, tensor_dimensions=None), keep=())


def _environment(program: Program, member: Member, moment: Moment) -> Environment:
    shape = tuple(member.x.shape)
    seen = matrix_of(program.rule, shape)
    knobs = {**moment.knobs, **member.knobs}
    x, g = (_taken(program, value, seen) for value in (member.x, member.g))
    made = first_environment(program.rule, x, g, knobs, moment.t, member.number, moment.n)
    program.settle(made, knobs)
    made.update(moment.numbers)
    for name, value in member.states.items():
        made[name] = _taken(program, value, program.rule.shape_of(name, seen))
    return made


def _taken(program: Program, value: Array, shape: tuple[int, ...]) -> Array:
    xp, dtype = program.arithmetic.xp, program.arithmetic.dtype  # type: ignore[attr-defined]
    value = xp.astype(value, dtype) if value.dtype != dtype else value
    return value if tuple(value.shape) == shape else xp.reshape(value, shape)


def _start(program: Program, members: Sequence[Member], environments: Sequence[Environment]) -> None:
    """Begin the states of tensors that have none; all tensors are seen, for starts that look at all of them."""
    if all(member.started is True for member in members):
        return
    xp = program.arithmetic.xp  # type: ignore[attr-defined]
    for member, environment, starts in zip(members, environments, program.starts(environments), strict=True):
        if member.started is True:
            continue
        for name, value in starts.items():
            if name in program.per_step_states:
                continue
            shape = program.rule.shape_of(name, tuple(environment["x"].shape))
            first = _broadcast(program, program.arithmetic.enter(value), shape)
            environment[name] = first if member.started is False else xp.where(member.started, environment[name], first)


def _broadcast(program: Program, value: Any, shape: tuple[int, ...]) -> Array:
    xp = program.arithmetic.xp  # type: ignore[attr-defined]
    value = program.arithmetic.enter(value) if isinstance(value, float) else value
    return value if tuple(np.shape(value)) == shape else xp.broadcast_to(xp.asarray(value), shape)


def _like(program: Program, member: Member, result: Any, shape: tuple[int, ...]) -> Array:
    """Give a result the shape and dtype of x."""
    xp = program.arithmetic.xp  # type: ignore[attr-defined]
    seen = matrix_of(program.rule, shape)
    result = xp.reshape(_broadcast(program, program.entered("@x", result), seen), shape)
    return xp.astype(result, member.x.dtype) if result.dtype != member.x.dtype else result
