"""A rule's step on whole NumPy arrays: for matrix rules, which kernels do not run. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mhat.engines.arrays import Arrays
from mhat.engines.program import NOTHING, Environment, Program, first_environment
from mhat.engines.step_form import StepForm
from mhat.language.definition import Rule
from mhat.language.tree import Number, Operation
from mhat.language.walking import subexpressions

Array = Any


def starts_of(
    rule: Rule, computed: str, xs: Sequence[Array], gs: Sequence[Array], new: Array, named: Mapping[str, Any]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the states before step 1 of the tensors marked as new. `named`: knobs, `numbers` (k), `n` and `given`.

    Starts are computed in the precision of the steps; a plain number needs no tensors.
    """
    constants = {s.name: s.start.value for s in rule.tree.states if isinstance(s.start, Number)}
    places = np.flatnonzero(new).tolist()
    if len(constants) == len(rule.tree.states):
        yield from ((i, dict(constants)) for i in places)
        return
    program = _program(rule, computed)
    looks_at_all = any(
        isinstance(node, Operation) and node.over for s in rule.tree.states for node in subexpressions(s.start)
    )
    # One tensor after the other, so that no more than one start is in memory, unless they look at all tensors.
    for some in [places] if looks_at_all else [[i] for i in places]:
        environments = [
            _environment(program, xs[i], gs[i], named["knobs"], 1.0, named["numbers"][i], named["n"], named["given"][i])
            for i in some
        ]
        with np.errstate(all="ignore"):
            made = program.starts(environments)
        yield from zip(some, made, strict=True)


def _program(rule: Rule, computed: str) -> Program:
    # A literal may be beyond float32.
    with np.errstate(all="ignore"):
        return Program(rule, Arrays(np, computed, tensor_dimensions=None), keep=())


def _environment(
    program: Program, x: Array, g: Array, knobs: Mapping[str, float], t: float, k: float, n: float,
    given: Mapping[str, Any] = NOTHING,
) -> Environment:  # fmt: skip
    dtype = program.arithmetic.dtype  # type: ignore[attr-defined]
    told = {name: np.asarray(value, dtype) if name == "h" else float(value) for name, value in given.items()}
    return first_environment(program.rule, np.asarray(x, dtype), np.asarray(g, dtype), knobs, t, k, n, told)


def evaluated(
    rule: Rule, computed: str, xs: Sequence[Array], states: Mapping[str, Sequence[Array]], named: Mapping[str, Any]
) -> list[Array]:
    """Give what a rule without lines returns of each x and its states. `named`: knobs, `numbers` (k), `n`, `t`s."""
    program = _program(rule, computed)
    environments = []
    for i, x in enumerate(xs):
        made = _environment(program, x, x, named["knobs"], float(named["t"][i]), named["numbers"][i], named["n"])
        for name, homes in states.items():
            alone = name in program.per_step_states
            made[name] = float(homes[i]) if alone else np.asarray(homes[i]).astype(computed)
        environments.append(made)
    with np.errstate(all="ignore"):
        results = program.step(environments)
        return [
            np.array(np.broadcast_to(np.asarray(r).astype(x.dtype), x.shape)) for r, x in zip(results, xs, strict=True)
        ]


class WholeStep:
    """The step of a rule over a list of tensors; all new values are there before any is written."""

    lost_row = None

    def __init__(self, rule: Rule, form: StepForm, numbers: Sequence[float], count: float) -> None:
        self.rule = rule
        self.form = form
        self.numbers = list(numbers)
        self.count = count
        self.program = _program(rule, form.computed)

    def allocated(self, xs: Sequence[Array]) -> dict[str, list[Array]]:
        """Make room for every state, in the shapes that the rule gives them."""
        stored = dict(self.form.states)
        made: dict[str, list[Array]] = {}
        for name in self.rule.tree.state_names:
            if name in self.program.per_step_states:
                made[name] = [np.zeros(()) for _ in xs]
            else:
                dtype = np.dtype(stored.get(name, self.form.computed))
                made[name] = [np.zeros(self.rule.shape_of(name, x.shape), dtype) for x in xs]
        return made

    def run(
        self, xs: Sequence[Array], gs: Sequence[Array], states: Mapping[str, list[Array]], knobs: Mapping[str, float],
        steps: Array, chosen: Array, given: Sequence[Mapping[str, Any]],
    ) -> None:  # fmt: skip
        """Step the chosen tensors in place. `given`: what each reads besides, by name."""
        places = np.flatnonzero(chosen).tolist()
        environments = []
        for i in places:
            made = _environment(
                self.program, xs[i], gs[i], knobs, float(steps[i]), self.numbers[i], self.count, given[i]
            )
            made.update({name: self._read(name, homes[i]) for name, homes in states.items()})
            environments.append(made)
        with np.errstate(all="ignore"):
            results = self.program.step(environments)
            after = [{name: self._value(name, made) for name in states} for made in environments]
            for i, result, values in zip(places, results, after, strict=True):
                # States first: what they carry on may be x itself.
                for name, value in values.items():
                    home = states[name][i]
                    home[...] = np.reshape(value, home.shape) if np.size(value) == home.size else value
                xs[i][...] = np.asarray(result).astype(xs[i].dtype)

    def _read(self, name: str, home: Array) -> Any:
        if name in self.program.per_step_states:
            return float(home)
        return home.astype(self.form.computed)

    def _value(self, name: str, environment: Environment) -> Array:
        dtype = np.float64 if name in self.program.per_step_states else self.form.computed
        return np.asarray(environment[name], dtype=dtype)
