"""What the reference rule gives, from the exact engine, and how far an honest implementation may lie from it.

The bound is derived, not guessed: the allowed forms of the rule are run in the subject's dtype, and how far
the worst of them strays from the oracle, step by step, is what any of them may stray, times a margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mhat.checks.matrices import oracle as matrix_oracle
from mhat.checks.matrices.oracle import Way
from mhat.dtypes import DTYPES
from mhat.engines.arrays import Arrays
from mhat.engines.exact import Exact, nearest_double
from mhat.engines.program import PEERS, Program, first_environment
from mhat.engines.small import numpy_dtype
from mhat.engines.tensors import Tensor, values_of
from mhat.language import Rule
from mhat.laws.forms import Form, OnePrecision, forms
from mhat.search.matching import update_scale
from mhat.search.matrices import MatrixProbes
from mhat.search.observed import Probes

Array = np.ndarray[Any, Any]
MARGIN = 8.0
# Ulps of the update's scale that may be lost beside what the forms show: at once, and at every step, since
# each step rounds the parameter itself, perhaps always the same way.
ULPS = 8.0
ULPS_A_STEP = 1.5


def expected(rule: Rule, probes: Probes, knobs: Mapping[str, float]) -> Array:
    """Run a rule on 50 digits over all probes: what is observed, (step, probe, tensor, coordinate), rounded once."""
    if isinstance(probes, MatrixProbes):
        return matrix_oracle.expected(rule, probes, knobs)
    exact = Exact()
    program = Program(rule, exact)
    runs = [_exact_run(program, exact, probes, i, knobs) for i in range(len(probes.gradients))]
    return np.stack(runs, axis=1)


def _exact_run(program: Program, exact: Exact, probes: Probes, i: int, knobs: Mapping[str, float]) -> Array:
    gradients, start = probes.gradients[i], probes.start[i]
    steps, tensors, coordinates = gradients.shape
    entered = {name: exact.number(value) for name, value in _own_knobs(program.rule, probes, i, knobs).items()}

    def tensor(values: Array) -> Any:
        return exact.tensor(values.tolist(), (coordinates,))

    environments = [
        first_environment(
            program.rule, tensor(start[k]), tensor(gradients[0, k]), entered, exact.number(1.0),
            exact.number(k + 1.0), exact.number(float(tensors)),
        )
        for k in range(tensors)
    ]  # fmt: skip
    for environment in environments:
        environment.update(program.start(environment))
    made = np.empty((steps, tensors, coordinates))
    for step in range(steps):
        for k, environment in enumerate(environments):
            environment.update(t=exact.number(step + 1.0), g=tensor(gradients[step, k]))
        before = [environment["x"] for environment in environments]
        after = program.step(environments)
        for k, environment in enumerate(environments):
            x = after[k] if isinstance(after[k], Tensor) else Tensor((after[k],) * coordinates, (coordinates,))
            environment["x"] = x
            if probes.observe == "x":
                seen: Any = x
            elif probes.observe == "update":
                seen = exact.operation("sub")(x, before[k])
            else:
                seen = environment[probes.observe]
            made[step, k] = [nearest_double(value) for value in values_of(seen)]
    return made


def _own_knobs(rule: Rule, probes: Probes, i: int, knobs: Mapping[str, float]) -> dict[str, float]:
    """Give the knobs of one probe: defaults, then the probe's own, then those estimated."""
    own = {name: float(np.asarray(value).reshape(-1)[i if np.size(value) > 1 else 0]) for name, value in
           probes.knobs.items()}  # fmt: skip
    return {**rule.knobs, **own, **knobs}


def bound(
    rule: Rule,
    probes: Probes,
    knobs: Mapping[str, float],
    exact: Array,
    dtype: str,
    ways: Iterable[Form] | None = None,
) -> Array:
    """Derive how far what is observed may lie from the oracle, (step, probe, tensor, coordinate).

    Where a form gives a non-finite number and the oracle a finite one (a square that underflows), anything
    goes from there on; the bound is infinite. `ways` are other forms than those that are allowed of every rule.
    """
    if isinstance(probes, MatrixProbes):
        return matrix_oracle.bound(rule, probes, knobs, exact, dtype, None if ways is None else map(Way, ways))
    worst = np.zeros_like(exact)
    with np.errstate(all="ignore"):
        for form in forms(rule) if ways is None else ways:
            made = rounded_run(form, probes, knobs, dtype)
            strayed = np.abs(made - exact)
            strayed = np.where(np.isfinite(made) & np.isfinite(exact), strayed, 0.0)
            strayed = np.where(np.isfinite(made) != np.isfinite(exact), np.inf, strayed)
            worst = np.maximum(worst, strayed)
        worst = np.maximum.accumulate(worst, axis=0)
        ulp = DTYPES[dtype].epsilon * update_scale(exact, probes.base) + DTYPES[dtype].smallest
        steps = np.arange(1.0, len(exact) + 1)[:, None, None, None]
    return np.asarray(MARGIN * worst + (ULPS + ULPS_A_STEP * steps) * ulp)


def rounded_run(form: Form, probes: Probes, knobs: Mapping[str, float], dtype: str) -> Array:
    """Run a rule on arrays of the dtype; the small types compute in float32 and are rounded to be stored."""
    rule, one_precision = form.rule, form.one_precision
    kind = OnePrecision if one_precision else Arrays
    working = DTYPES[dtype].computed
    runs = []
    for i in range(len(probes.gradients)):
        gradients = probes.gradients[i]
        arithmetic = kind(np, working, tensor_dimensions=1, several_dimensions=1)
        program = Program(rule, arithmetic)
        told: dict[str, Any] = _own_knobs(rule, probes, i, knobs)
        told |= {new: float(np.dtype(working).type(told[old])) for old, new in form.rounded}
        count = np.arange(1.0, gradients.shape[1] + 1)[:, None] if gradients.shape[1] > 1 else 1.0
        numbers: dict[str, Any] = {"t": 1.0, "k": count, "n": float(gradients.shape[1]), **told}
        if one_precision:
            numbers = {name: arithmetic.enter(value) for name, value in numbers.items()}
        x = _stored(probes.start[i], dtype)
        environment = first_environment(
            rule, x, _stored(gradients[0], dtype), numbers, numbers["t"], numbers["k"], numbers["n"]
        )
        environment.update(program.start(environment))
        runs.append(_rounded_steps(program, environment, probes, i, dtype, one_precision))
    return np.stack(runs, axis=1)


def _rounded_steps(
    program: Program, environment: dict[str, Any], probes: Probes, i: int, dtype: str, one_precision: bool
) -> Array:
    gradients = probes.gradients[i]
    made = np.empty(gradients.shape)
    for step, g in enumerate(gradients):
        t = step + 1.0
        environment.update(t=program.arithmetic.enter(t) if one_precision else t, g=_stored(g, dtype))
        environment.pop(PEERS, None)
        before = environment["x"]
        (x,) = program.step([environment])
        x = np.broadcast_to(np.asarray(x), g.shape)
        environment["x"] = _stored(x, dtype)
        for state in program.rule.tree.state_names if DTYPES[dtype].small else ():
            environment[state] = _stored(environment[state], dtype)
        if probes.observe == "x":
            made[step] = environment["x"]
        elif probes.observe == "update":
            made[step] = environment["x"] - before
        else:
            made[step] = environment[probes.observe]
    return made


def _stored(values: Any, dtype: str) -> Array:
    """Round to the dtype; the small types are held as float32."""
    if DTYPES[dtype].small:
        return np.asarray(values, dtype=np.float32).astype(numpy_dtype(dtype)).astype(np.float32)
    return np.asarray(values, dtype=dtype)


def in_ulps(difference: float, scale: float, dtype: str) -> float:
    """Express a difference in ulps of the update's scale."""
    return difference / (DTYPES[dtype].epsilon * scale) if scale > 0 else float("inf")
