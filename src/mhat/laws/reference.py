"""The reference: a rule of the tree as a run, in any dtype, on arrays of NumPy. It knows no law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mhat.engines.arrays import Arrays
from mhat.engines.program import Environment, Program, first_environment
from mhat.engines.small import arrays_of, is_small
from mhat.language import Rule
from mhat.laws.forms import Form, OnePrecision, forms
from mhat.laws.law import Array, Examined, Run


@dataclass(frozen=True)
class Way:
    """How a rule is computed: a form of it in a dtype; in the small types each operation is rounded, or each store."""

    form: Form
    dtype: str = "float64"
    stores: bool = False


@lru_cache(maxsize=256)
def ways(rule: Rule, dtype: str) -> tuple[Way, ...]:
    """List the usual ways in a dtype.

    In float32 it matters which numbers are rounded early; in the small types, which are computed in float32, it does
    not. How averages and divisions are written matters by ulps only.
    """
    if is_small(dtype):
        return Way(Form(rule), dtype), Way(Form(rule), dtype, stores=True)
    return tuple(Way(form, dtype) for form in forms(rule) if form.rounded or form.rule.tree == rule.tree)


def run_of(rule: Rule) -> Run:
    """Make a run of a rule."""
    return _run(Way(Form(rule)))


def examined_of(rule: Rule, knobs: Mapping[str, float] | None = None) -> Examined:
    """Make what is examined of a rule itself: it takes every knob and start, and several tensors."""
    way, every = Way(Form(rule)), frozenset(rule.knobs)
    in_force = {**rule.knobs, **(knobs or {})}
    return Examined(_run(way), rule, in_force, every, every, several=True)


def beside(examined: Examined, way: Way | None = None) -> Examined:
    """Put the rule itself, computed in a way, into the conditions of what is examined."""
    way = way or Way(Form(examined.rule))
    return replace(examined, run=_run(way), accepts=frozenset(examined.knobs))


def predicted(
    examined: Examined,
    gradients: Array,
    start: float = 0.0,
    changed: Mapping[str, float] | None = None,
    rule: Rule | None = None,
) -> Array:
    """Give what the rule itself, or another of fewer knobs, makes of gradients (T, n)."""
    rule = rule or examined.rule
    every = {**examined.knobs, **rule.settled(changed or {})}
    told = {name: value for name, value in every.items() if name in rule.knobs}
    return replace(examined, run=run_of(rule), knobs=told, accepts=frozenset(told)).ask(gradients, start)


def _run(way: Way) -> Run:
    def run(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        return _driven(_machine(way), gradients, start, knobs)

    return run


def _driven(machine: _Machine, gradients: Any, start: float, knobs: Mapping[str, float]) -> Any:
    tensors = gradients if isinstance(gradients, list) else [gradients]
    paths = [np.empty(g.shape) for g in tensors]
    with np.errstate(all="ignore"):
        told = machine.told(knobs)
        environments = [machine.started(g, start, told, k, len(tensors)) for k, g in enumerate(tensors)]
        for i in range(len(tensors[0])):
            for path, x in zip(paths, machine.step(environments, i + 1, [g[i] for g in tensors]), strict=True):
                path[i] = x
    return paths if isinstance(gradients, list) else paths[0]


class _Machine:
    """A rule computed in one way: the program, and how numbers are stored."""

    def __init__(self, way: Way) -> None:
        rule, self._way = way.form.rule, way
        self._rounding = arrays_of(way.dtype, tensor_dimensions=None)
        self._held = "float32" if is_small(way.dtype) else way.dtype
        kind = OnePrecision if way.form.one_precision else Arrays
        in_full = kind(np, self._held, tensor_dimensions=None)
        self._program = Program(rule, self._rounding if is_small(way.dtype) and not way.stores else in_full)
        states = rule.tree.state_names if way.stores else ()
        self._stored_states = [name for name in states if name not in self._program.per_step_states]

    def told(self, knobs: Mapping[str, float]) -> dict[str, Any]:
        """Give the knobs, those that are rounded early among them, as the program takes them."""
        rounded = {new: float(np.dtype(self._held).type(knobs[old])) for old, new in self._way.form.rounded}
        return {name: self._number(value) for name, value in {**knobs, **rounded}.items()}

    def started(self, g: Array, start: float, told: Mapping[str, Any], k: int, count: int) -> Environment:
        """Make the environment of a tensor before step 1."""
        rule, shape = self._program.rule, g.shape[1:]
        counts = (self._number(1.0), self._number(k + 1.0), self._number(float(count)))
        environment = first_environment(rule, self._stored(np.full(shape, start)), self._stored(g[0]), told, *counts)
        environment.update(self._program.start(environment))
        for name in set(rule.tree.state_names) - self._program.per_step_states:
            value = self._stored(environment[name]) if name in self._stored_states else environment[name]
            environment[name] = np.broadcast_to(value, rule.shape_of(name, shape) or shape)
        return environment

    def step(self, environments: list[Environment], t: int, gradients: list[Array]) -> Iterator[Array]:
        """Run one step, all tensors in lockstep, and yield the new x of each."""
        for environment, g in zip(environments, gradients, strict=True):
            environment.update(t=self._number(float(t)), g=self._stored(g))
        for environment, x in zip(environments, self._program.step(environments), strict=True):
            environment["x"] = np.broadcast_to(self._stored(x), environment["x"].shape)
            environment.update({name: self._stored(environment[name]) for name in self._stored_states})
            yield environment["x"]

    def _number(self, value: float) -> Any:
        return self._program.arithmetic.enter(value) if self._way.form.one_precision else value

    def _stored(self, values: Any) -> Array:
        """Round numbers to the dtype."""
        return np.asarray(self._rounding.store(np.asarray(values, dtype=self._held)))


@lru_cache(maxsize=256)
def _machine(way: Way) -> _Machine:
    return _Machine(way)
