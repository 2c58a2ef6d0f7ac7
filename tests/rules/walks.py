"""A rule walked over a stream, every name kept, on the living definition. It knows no rule by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from mhat.engines.floats import Floats, Tensor, values_of
from mhat.engines.program import Program, first_environment
from mhat.language import Rule

Walk = dict[str, Any]


def walked(rule: Rule, gradients: Any, start: Any = 0.0, **knobs: float) -> Walk:
    """Walk a rule over gradients (steps,) or (steps, coordinates), the coordinates being one tensor.

    Gives `x` after each step and every variable and state, as arrays (steps,) or (steps, coordinates).
    """
    rule.check_knobs(knobs)
    rows = np.asarray(gradients, dtype=float)
    shape = rows.shape[1:]
    program = Program(rule, Floats())

    def tensor(numbers: Any) -> Any:
        spread = np.broadcast_to(np.asarray(numbers, dtype=float), shape)
        return Tensor(tuple(spread.tolist()), shape) if shape else float(spread)

    names = tuple(dict.fromkeys(["x", *rule.tree.state_names, *rule.variables]))
    kept: dict[str, list[Any]] = {name: [] for name in names}
    environment = first_environment(rule, tensor(start), tensor(rows[0]), knobs, 1.0, 1.0, 1.0)
    environment.update(program.start(environment))
    for i, row in enumerate(rows):
        environment.update(t=float(i + 1), g=tensor(row))
        (environment["x"],) = program.step([environment])
        for name in names:
            kept[name].append(np.broadcast_to(np.array(values_of(environment[name])), shape or (1,)))
    return {name: np.array(record).reshape(rows.shape) for name, record in kept.items()}
