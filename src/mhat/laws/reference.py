"""The reference: a rule of the tree as a run, on the engine that is the meaning on arrays. It knows no law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from mhat.engines.arrays import Arrays
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.running import variable_shape
from mhat.language import Rule
from mhat.laws.law import Array, Examined, Resumed, Run


@lru_cache(maxsize=256)
def _program(rule: Rule) -> Program:
    return Program(rule, Arrays(np, np.float64, tensor_dimensions=None))


def run_of(rule: Rule) -> Run:
    """Make a run of a rule."""

    def run(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        return _driven(rule, gradients, start, knobs)

    return run


def resumed_of(rule: Rule) -> Resumed:
    """Make a run with a break of a rule: the states are copied into a fresh environment."""

    def resumed(gradients: Any, at: int, start: float, knobs: dict[str, float]) -> Any:
        return _driven(rule, gradients, start, knobs, at)

    return resumed


def examined_of(rule: Rule, knobs: Mapping[str, float] | None = None) -> Examined:
    """Make what is examined of a rule itself: it takes every knob and start, several tensors and a break."""
    every = frozenset(rule.knobs)
    known = {**rule.knobs, **(knobs or {})}
    return Examined(run_of(rule), rule, known, every, every, several=True, resumed=resumed_of(rule))


def beside(examined: Examined) -> Examined:
    """Put the rule itself into the conditions of what is examined."""
    resumed = None if examined.resumed is None else resumed_of(examined.rule)
    return replace(examined, run=run_of(examined.rule), accepts=frozenset(examined.knobs), resumed=resumed)


def predicted(
    examined: Examined,
    gradients: Array,
    start: float = 0.0,
    changed: Mapping[str, float] | None = None,
    rule: Rule | None = None,
) -> Array:
    """Give what the rule itself, or another of fewer knobs, makes of gradients (T, n)."""
    rule = rule or examined.rule
    known = {name: value for name, value in {**examined.knobs, **(changed or {})}.items() if name in rule.knobs}
    return replace(examined, run=run_of(rule), knobs=known, accepts=frozenset(known)).ask(gradients, start)


def _driven(rule: Rule, gradients: Any, start: float, knobs: Mapping[str, float], at: int | None = None) -> Any:
    tensors = gradients if isinstance(gradients, list) else [gradients]
    program = _program(rule)
    environments = [
        _started(program, g, np.full(g.shape[1:], start), knobs, i, len(tensors)) for i, g in enumerate(tensors)
    ]
    found = [np.empty(g.shape) for g in tensors]
    with np.errstate(all="ignore"):
        for i in range(len(tensors[0])):
            if i == at:
                environments = [_broken_off(program, e, knobs) for e in environments]
            for environment, g in zip(environments, tensors, strict=True):
                environment.update(t=i + 1.0, g=g[i])
            for k, x in enumerate(program.step(environments)):
                found[k][i] = x
                environments[k]["x"] = found[k][i].copy()
    return found if isinstance(gradients, list) else found[0]


def _started(program: Program, g: Array, x: Array, knobs: Mapping[str, float], i: int, count: int) -> Environment:
    environment = first_environment(program.rule, x, g[0], knobs, 1.0, i + 1.0, float(count))
    for name, value in program.start(environment).items():
        shape = variable_shape(program.rule, name, x.shape)
        environment[name] = value if name in program.per_step_states else np.broadcast_to(value, shape or x.shape)
    return environment


def _broken_off(program: Program, environment: Environment, knobs: Mapping[str, float]) -> Environment:
    """Keep of an environment what a saved optimizer has: x and the states."""
    # A per-step state is a number, which is its own copy.
    states = {name: environment[name] for name in program.rule.tree.state_names}
    kept = {name: np.copy(value) if isinstance(value, np.ndarray) else value for name, value in states.items()}
    x, g, k, n = (environment[name] for name in ("x", "g", "k", "n"))
    fresh = first_environment(program.rule, x, g, knobs, 1.0, k, n)
    return {**fresh, **kept}
