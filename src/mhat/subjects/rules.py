"""Rules of mhat as subjects. It knows no framework, and no rule by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines import plan, stepping
from mhat.engines.program import lacking
from mhat.engines.work import Work
from mhat.errors import BadValue, UnknownName
from mhat.language import Level, Rule
from mhat.language.fit import require_fit
from mhat.language.inference import reductions_over_all
from mhat.subjects.subject import Array, Subject

# The small dtypes are left to the frameworks.
RUNS_IN = tuple(dtype.name for dtype in DTYPES.values() if not dtype.small)


def subject_of_rule(rule: Rule, name: str | None = None, dtype: str | None = None, observe: str = "x") -> Subject:
    """Make a subject of a rule, run by the engines; `observe` one of its variables in place of x."""
    dtype = dtype or "float64"
    if dtype not in RUNS_IN:
        raise BadValue(f"a rule does not run in {dtype}", f"Choose one of {', '.join(RUNS_IN)}.")
    for name_of_input in rule.tree.given:
        raise lacking(rule, name_of_input, "a check gives gradients alone")
    if observe not in ("x", *rule.variables):
        raise UnknownName(f"variable of {rule.name}", observe, ["x", *rule.variables])
    together = bool({"k", "n"} & set(rule.tree.inputs)) or bool(reductions_over_all(rule.tree))

    def drive(gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        rule.check_knobs(knobs)
        if together and len(gradients) > 1:
            return _in_lockstep(rule, gradients, starts, knobs, dtype, observe)
        return [_alone(rule, g, s, knobs, dtype, observe) for g, s in zip(gradients, starts, strict=True)]

    return Subject(
        name=name or rule.name,
        drive=drive,
        knobs=frozenset(rule.knobs),
        several=True,
        vectors=True,
        matrices=rule.level == Level.MATRIX,
        starts=True,
        dtype=dtype,
        defaults=dict(rule.knobs),
        source=rule.source if rule.source.whole else None,
    )


def _alone(rule: Rule, gradients: Array, start: Array, knobs: Mapping[str, float], dtype: str, observe: str) -> Array:
    """Run one tensor; a rule per matrix takes what has fewer dimensions as one row."""
    if rule.level == Level.MATRIX and start.ndim < 2:
        rows, x = gradients.reshape(len(gradients), 1, -1), start.reshape(1, -1)
        return _alone(rule, rows, x, knobs, dtype, observe).reshape(gradients.shape)
    rule = rule.sized(knobs)
    require_fit(rule, start.shape, "the tensor")
    work = Work(
        rule,
        gradients,
        len(gradients),
        (observe,),
        start=start if start.ndim and np.any(start) else float(start.flat[0]) if start.size else 0.0,
        knobs=knobs,
        dtype=dtype,
        tensor_dimensions=start.ndim,
    )
    with np.errstate(all="ignore"):
        found = plan.run(work)[observe]
    return _spread(np.asarray(found, dtype=np.float64), gradients.shape)


def _spread(found: Array, shape: tuple[int, ...]) -> Array:
    """Repeat a variable that a tensor has once over the tensor's coordinates."""
    return np.array(np.broadcast_to(found.reshape(*found.shape, *(1,) * (len(shape) - found.ndim)), shape))


def _in_lockstep(
    rule: Rule, gradients: list[Array], starts: list[Array], knobs: Mapping[str, float], dtype: str, observe: str
) -> list[Array]:
    """Run tensors that know of one another, step by step."""
    xs: Any = [np.asarray(start, dtype=dtype) for start in starts]
    observed = [np.empty(g.shape) for g in gradients]
    state: Any = None
    for i in range(len(gradients[0])):
        step: Any = stepping.step(rule, xs, [np.asarray(g[i], dtype=dtype) for g in gradients], i + 1, state, **knobs)
        xs, state = step.x, step.state
        values = xs if observe == "x" else [variables[observe] for variables in step.variables]
        for kept, value in zip(observed, values, strict=True):
            kept[i] = value
    return observed
