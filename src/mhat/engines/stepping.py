"""One step of a rule on what the caller holds: floats, NumPy, torch or JAX arrays, lists of them. It knows no trace."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from mhat.engines.arrays import Arrays
from mhat.engines.floats import Floats
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.small import SmallArrays, is_small
from mhat.engines.step_inputs import check_given, check_step, entries_of, floating
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.fit import matrix_of


class Step(NamedTuple):
    """What one step gives: the new parameter, the state to hand to the next step, and every variable."""

    x: Any
    state: dict[str, Any]
    variables: dict[str, Any]


def step(rule: Rule, x: Any, g: Any, t: Any, state: Any = None, /, **knobs: Any) -> Step:
    """Run one step of a rule.

    `x` and `g`: floats, or arrays of one shape and one floating dtype (NumPy, torch, JAX, ...), or lists of
    such arrays, one a tensor; of more than two dimensions where the rule says how it flattens them, and then states and
    variables are those of the matrix. `t`: the step number, from 1. `state`: what the step before gave, None at the
    first, which has t=1 (for lists: a list). Knobs left out have their defaults. Nothing is changed in place. float16
    and bfloat16 come back as such; each operation is done in float32 and rounded, and variables of knobs and `t` alone
    are float32.

    Raises UnknownName for a knob or state that the rule does not have, BadValue for shapes and dtypes that do not fit,
    for a `t` that counts no step, and for a later step without a state.

    >>> from mhat.language import rule
    >>> decay = rule("def decay(x, g, t, m=0, *, lr=0.5):\\n    m = m + g\\n    return x - lr * m")
    >>> first = step(decay, 1.0, 2.0, 1)
    >>> step(decay, first.x, 2.0, 2, first.state).x
    -2.0
    """
    return step_given(rule, x, g, t, state, {}, knobs)


def step_given(rule: Rule, x: Any, g: Any, t: Any, state: Any, given: Mapping[str, Any], knobs: dict[str, Any]) -> Step:
    """Run one step of a rule that reads `loss` (a number) or `h` (as `g`); see `step`."""
    check_given(rule, given)
    rule = rule.sized(knobs)
    several = isinstance(x, list | tuple)
    hs = entries_of("h", several, given["h"]) if "h" in given else []
    xs, gs = (entries_of(name, several, value) for name, value in (("x", x), ("g", g)))
    states = [None] * len(xs) if state is None else entries_of("the state", several, state)
    gs = [floating(g, x) for g, x in zip(gs, xs, strict=True)] if len(gs) == len(xs) else gs
    shapes = [tuple(np.shape(x)) for x in xs]
    xs, gs = ([_as_matrix(rule, value) for value in values] for values in (xs, gs)) if _alike(xs, gs) else (xs, gs)
    check_step(rule, xs, gs, t, states, knobs)
    if "h" in given:
        # As a gradient it has the shape and the dtype of x.
        if len(hs) != len(xs) or [np.shape(h) for h in hs] != shapes:
            raise BadValue(f"h has the shape {[np.shape(h) for h in hs]}, x {shapes}", "Give both one shape.")
        hs = [_as_matrix(rule, floating(h, x)) for h, x in zip(hs, xs, strict=True)]
    besides = [{**given, **({"h": hs[i]} if hs else {})} for i in range(len(xs))]
    with np.errstate(all="ignore"):
        program = _program_for(rule, xs[0])
        environments = [
            _environment(program, xs[i], gs[i], t, states[i], knobs, i + 1, len(xs), besides[i]) for i in range(len(xs))
        ]
        _start(program, environments, states)
        results = program.step(environments)
        steps = [_finished(program, *parts) for parts in zip(xs, results, environments, strict=True)]
        steps = [s._replace(x=_shaped(s.x, shape)) for s, shape in zip(steps, shapes, strict=True)]
    if not several:
        return steps[0]
    return Step([s.x for s in steps], [s.state for s in steps], [s.variables for s in steps])  # type: ignore[arg-type]


def _alike(xs: list[Any], gs: list[Any]) -> bool:
    """Whether parameters and gradients have the same shapes."""
    return [np.shape(x) for x in xs] == [np.shape(g) for g in gs]


def _as_matrix(rule: Rule, value: Any) -> Any:
    return _shaped(value, matrix_of(rule, tuple(np.shape(value))))


def _shaped(value: Any, shape: tuple[int, ...]) -> Any:
    if tuple(np.shape(value)) == shape:
        return value
    return array_api_compat.array_namespace(value).reshape(value, shape)


def _program_for(rule: Rule, x: Any) -> Program:
    if isinstance(x, int | float):
        return _float_program(rule)
    if not array_api_compat.is_array_api_obj(x):
        raise BadValue(f"x is a {type(x).__name__}", "Give a float, or an array of NumPy, torch, JAX ...")
    xp = array_api_compat.array_namespace(x)
    if not _is_floating(xp, x.dtype):
        raise BadValue(f"x has the dtype {x.dtype}", "Give floating-point numbers.")
    return _array_program(rule, xp, x.dtype, None if array_api_compat.is_jax_namespace(xp) else x.device)


def _is_floating(xp: Any, dtype: Any) -> bool:
    try:
        return is_small(dtype) or bool(xp.isdtype(dtype, "real floating"))
    except TypeError:  # NumPy's word for dtypes that are not its own
        return False


@lru_cache(maxsize=256)
def _float_program(rule: Rule) -> Program:
    return Program(rule, Floats())


@lru_cache(maxsize=256)
def _array_program(rule: Rule, xp: Any, dtype: Any, device: Any) -> Program:
    kind = SmallArrays if is_small(dtype) else Arrays
    return Program(rule, kind(xp, dtype, device=device, tensor_dimensions=None))


def _environment(
    program: Program, x: Any, g: Any, t: Any, state: dict[str, Any] | None, knobs: dict[str, Any], k: int, n: int,
    given: Mapping[str, Any],
) -> Environment:  # fmt: skip
    if isinstance(x, int | float):
        x, g = float(x), float(g)
    numbers = {name: float(value) if isinstance(value, int) else value for name, value in knobs.items()}
    t = float(t) if isinstance(t, int | float) else t
    x, g = _taken(program, x), _taken(program, g)
    told = {name: _taken(program, value) if name == "h" else value for name, value in given.items()}
    told = {name: float(value) if isinstance(value, int | float) else value for name, value in told.items()}
    environment = first_environment(program.rule, x, g, numbers, t, float(k), float(n), told)
    program.settle(environment, numbers)
    carried = state or {}
    environment.update(
        {name: v if name in program.per_step_states else _taken(program, v) for name, v in carried.items()}
    )
    return environment


def _taken(program: Program, value: Any) -> Any:
    """Take a value of tensors as the arithmetic holds it: the small types as float32."""
    return program.arithmetic.store(value) if isinstance(program.arithmetic, SmallArrays) else value


def _given(program: Program, name: str, value: Any) -> Any:
    """Give a variable in the dtype of x; a per-step value is what the operations saw."""
    if isinstance(program.arithmetic, SmallArrays) and name not in program.per_step:
        return program.arithmetic.narrowed(value)
    return program.entered(name, value)


def _start(program: Program, environments: list[Environment], states: list[Any]) -> None:
    """Start the states of tensors that have none; all tensors are seen, for starts that reduce over all of them."""
    if all(state is not None for state in states):
        return
    for environment, state, starts in zip(environments, states, program.starts(environments), strict=True):
        if state is None:
            x = environment["x"]
            environment.update({name: _full(program, name, value, x) for name, value in starts.items()})


def _full(program: Program, name: str, value: Any, x: Any) -> Any:
    """Give a state that starts as one number the shape it will have."""
    if isinstance(x, float) or name in program.per_step_states:
        return value
    xp = array_api_compat.array_namespace(x)
    return xp.asarray(xp.broadcast_to(value, program.rule.shape_of(name, tuple(x.shape))), copy=True)


def _finished(program: Program, x: Any, result: Any, environment: Environment) -> Step:
    if not isinstance(x, int | float) and tuple(result.shape) != tuple(x.shape):
        result = array_api_compat.array_namespace(x).broadcast_to(result, x.shape)

    def given(name: str, value: Any) -> Any:
        made = _given(program, name, value)
        # NumPy makes numbers of arrays without dimensions: arrays in, arrays out.
        return np.asarray(made) if isinstance(x, np.ndarray) else made

    state = {
        name: environment[name] if name in program.per_step_states else given(name, environment[name])
        for name in program.rule.tree.state_names
    }
    variables = {label: given(inner, environment[inner]) for label, inner in program.recorded.items()}
    return Step(given("@x", result), state, variables)
