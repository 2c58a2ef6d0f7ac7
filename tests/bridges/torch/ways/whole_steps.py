"""Steps of a bucket's tensors held against the arrays engine in double. It knows no way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mhat.engines.arrays import Arrays
from mhat.engines.program import Program, first_environment
from mhat.engines.step_form import StepForm
from mhat.language import Rule

# A piece and a bit, whole pieces, a number, nothing, and a matrix.
SHAPES = [(5,), (16,), (), (0,), (7, 3)]


def form_of(rule: Rule, dtype: str) -> StepForm:
    """Give the form that the bridge has by default: small types keep their states in float32."""
    states = "float32" if dtype in ("float16", "bfloat16") else dtype
    return StepForm(
        dtype, dtype, tuple((name, states) for name in rule.tree.state_names), rearranged=dtype != "float64"
    )


def tensors(seed: int, dtype: str, shapes: list[tuple[int, ...]] = SHAPES) -> list[torch.Tensor]:
    numbers = np.random.default_rng(seed)
    return [torch.tensor(numbers.normal(size=shape)).to(getattr(torch, dtype)) for shape in shapes]


def started(rule: Rule, form: StepForm, xs: list[Any], gs: list[Any]) -> dict[str, list[torch.Tensor]]:
    """Give the states before step 1."""
    program = Program(rule, Arrays(np, "float64", tensor_dimensions=None))
    count, knobs = float(len(xs)), rule.knobs
    environments = [
        first_environment(rule, x.double().numpy(), g.double().numpy(), knobs, 1.0, float(k), count)
        for k, (x, g) in enumerate(zip(xs, gs, strict=True), 1)
    ]
    made: dict[str, list[torch.Tensor]] = {}
    with np.errstate(all="ignore"):
        values = program.starts(environments)
    for name, stored in form.states:
        alone = name in program.per_step_states
        kind = torch.float64 if alone else getattr(torch, stored)
        shapes = [() if alone else rule.shape_of(name, tuple(x.shape)) for x in xs]
        made[name] = [
            torch.tensor(np.broadcast_to(np.asarray(each[name]), shape).copy()).to(kind)
            for each, shape in zip(values, shapes, strict=True)
        ]
    return made


def errors_of(
    rule: Rule, dtype: str, make: Callable[..., Any], steps: int = 3, **knobs: float
) -> tuple[list[float], Any]:
    """Run a step class and the arrays engine side by side: the largest error of each tensor, in its scale; the step.

    `make`: from rule, form, sizes, numbers, count and device.
    """
    form, xs = form_of(rule, dtype), tensors(0, dtype)
    step = make(rule, form, [x.numel() for x in xs], [float(k) for k in range(1, len(xs) + 1)], float(len(xs)), CPU)
    program = Program(rule, Arrays(np, "float64", tensor_dimensions=None))
    first = tensors(1, dtype)
    states = started(rule, form, xs, first)
    kept: list[dict[str, Any]] = [{} for _ in xs]
    for i, home in enumerate(kept):
        for name in states:
            alone = name in program.per_step_states
            home[name] = float(states[name][i]) if alone else states[name][i].double().numpy()
    reference = [x.double().numpy() for x in xs]
    for t in range(1, steps + 1):
        gs = first if t == 1 else tensors(t, dtype)
        environments = []
        for k, (x, g) in enumerate(zip(reference, gs, strict=True), 1):
            made = first_environment(
                rule, x, g.double().numpy(), rule.knobs | knobs, float(t), float(k), float(len(xs))
            )
            environments.append(made | kept[k - 1])
        with np.errstate(all="ignore"):
            reference = [np.asarray(result) for result in program.step(environments)]
        kept = [{name: environment[name] for name in states} for environment in environments]
        step.run(xs, gs, states, [float(t)] * len(xs), rule.knobs | knobs)
    return [
        float(np.abs(x.double().numpy() - right).max() / max(np.abs(right).max(), 1e-300)) if right.size else 0.0
        for x, right in zip(xs, reference, strict=True)
    ], step


CPU = torch.device("cpu")
