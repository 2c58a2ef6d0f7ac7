"""What is to be run, and the names, shapes and order of axes that all engines answer in. It runs nothing.

Axes are ordered (batch, step, several, tensor) in what comes in and (batch, step, shape of the variable) in
what goes out. Batch axes belong to sweeps; every variable has the batch axes of what it depends on only.

A run can be cut into legs: what one carries out of its last step the next one takes up, on any engine, and all of
them together are the run in one piece, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.language.definition import Rule

Array = Any
GradientOf = Callable[[Array, float], Array]
Report = Callable[[int], None]

# Where an engine puts what it carries on from its last step; no name of a rule can be this.
CARRIED = "@carried"


@dataclass(frozen=True)
class Work:
    """What is to be run.

    `gradients`: array (*batch, steps, *several, *tensor), or a function of x (*batch, *tensor) and t.
    `start`: array (*batch, *several, *tensor), or a number. `knobs`: numbers, or arrays (*batch).
    `schedules`: knobs over the steps, arrays (*batch, steps). `keep`: names to record.
    What comes out is of the dtype, float16 and bfloat16 held as float32.

    `loss`: of a landscape, its value at x (*batch, *tensor).

    `first`: the number of the first step, with which gradients and schedules begin. `carried`: what the steps before
    left, None where there were none: x and every state by name, arrays that broadcast against (*batch, *several,
    *tensor), per-step states in double. `carries`: whether the engine gives that too, under `CARRIED`.
    """

    rule: Rule
    gradients: Array | GradientOf
    steps: int
    keep: tuple[str, ...]
    start: Array | float = 0.0
    knobs: Mapping[str, Array | float] = field(default_factory=dict)
    schedules: Mapping[str, Array] = field(default_factory=dict)
    dtype: str = "float64"
    several_dimensions: int = 0
    tensor_dimensions: int = 0
    project: Callable[[Array], Array] | None = None
    report: Report | None = None
    first: int = 1
    carried: Mapping[str, Any] | None = None
    carries: bool = False
    loss: Callable[[Array], Array] | None = None

    @property
    def core_dimensions(self) -> int:
        """How many axes stand behind the step axis."""
        return self.several_dimensions + self.tensor_dimensions

    @property
    def closed(self) -> bool:
        """Whether the gradient answers to where x is."""
        return callable(self.gradients)

    @property
    def coordinates(self) -> int:
        """How many numbers x holds, sweeps included."""
        sizes = [np.size(knob) for knob in self.knobs.values()]
        sizes += [np.size(schedule) // self.steps for schedule in self.schedules.values()]
        given = np.size(self.start) if callable(self.gradients) else np.size(self.gradients) // self.steps
        return int(max(given, 1) * np.prod(sizes, dtype=float)) if sizes else max(int(given), 1)


def variables_of(rule: Rule) -> dict[str, str]:
    """List what a trace can record: each name, and the name in `Rule.dependence` and `Rule.shapes` for it."""
    assigned = [f"{name}_used" if name in ("x", "g") else name for name in rule.variables]
    return {"g": "g", "x": "x", **{name: name for name in assigned}}
