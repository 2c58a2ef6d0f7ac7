"""Which engine runs which work: by the size of the work and the level of the rule. It knows no trace.

A lesson of a hundred steps on one coordinate must not wait for anything; more coordinates go to arrays. What would
take these longer than a compiler takes to start goes to kernels. The choice looks at the work alone, so that the same
call takes the same way on every machine.
"""

from __future__ import annotations

from typing import Any, Protocol

from mhat.engines.running import Work, run_on_arrays, run_on_floats
from mhat.language.inference import Level, reductions_over_all

# Up to here Python floats are quicker than one NumPy call for each operation.
FEW_COORDINATES = 2


class Engine(Protocol):
    """One way to run a work: arrays (batch, step, shape of the variable) by the names to keep.

    Where `work.carries`, what a later leg takes up comes too, under `running.CARRIED`.
    """

    def __call__(self, work: Work, /) -> dict[str, Any]:
        """Run it."""


ENGINES: dict[str, Engine] = {"floats": run_on_floats, "arrays": run_on_arrays}


def choose(work: Work) -> str:
    """Choose the engine for a work, by name."""
    if work.closed or work.several_dimensions or work.rule.level == Level.MATRIX:
        return "arrays"
    if reductions_over_all(work.rule.tree) or any(getattr(knob, "ndim", 0) for knob in work.knobs.values()):
        return "arrays"
    if getattr(work.gradients, "ndim", 1) != 1 + work.core_dimensions or getattr(work.start, "ndim", 0):
        return "arrays"
    if any(schedule.ndim > 1 for schedule in work.schedules.values()):
        return "arrays"
    return "floats" if work.coordinates <= FEW_COORDINATES else "arrays"


def run(work: Work, engine: str | None = None) -> dict[str, Any]:
    """Run a work on the engine that suits it, or on the one named."""
    return ENGINES[engine or choose(work)](work)
