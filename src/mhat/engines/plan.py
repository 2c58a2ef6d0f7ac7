"""Which engine runs which work: by the size of the work and the level of the rule. It knows no trace.

A lesson of a hundred steps on one coordinate must not wait for anything; more coordinates go to arrays. What would
take these longer than a compiler takes to start goes to kernels. The choice looks at the work alone, so that the same
call takes the same way on every machine.
"""

from __future__ import annotations

from typing import Any, Protocol

from mhat.engines.running import run_on_arrays, run_on_floats
from mhat.engines.work import Work
from mhat.language.definition import Rule
from mhat.language.inference import Level, reductions_over_all
from mhat.language.tree import Operation
from mhat.language.walking import all_expressions

# Up to here Python floats are quicker than one NumPy call for each operation.
FEW_COORDINATES = 2
# Seconds that an operation takes: on a float, on an array at all, and more for each of its numbers.
FLOAT, ARRAY, NUMBER = 1e-6, 2e-6, 7e-10
# Work of so many seconds on the other engines is worth kernels: loading a compiled one takes as long.
WORTH_A_KERNEL = 0.4


class Engine(Protocol):
    """One way to run a work: arrays (batch, step, shape of the variable) by the names to keep.

    Where `work.carries`, what a later leg takes up comes too, under `work.CARRIED`.
    """

    def __call__(self, work: Work, /) -> dict[str, Any]:
        """Run it."""


# Rules that kernels have not compiled in this process, and why.
_UNCOMPILED: dict[Rule, str] = {}


def _run_on_kernels(work: Work) -> dict[str, Any]:
    # The compiler is loaded for work that is worth it only.
    from mhat.engines.kernels.modules import NotCompiled
    from mhat.engines.kernels.trace import run_on_kernels

    if work.rule not in _UNCOMPILED:
        try:
            return run_on_kernels(work)
        except NotCompiled as error:
            _UNCOMPILED[work.rule] = str(error)
    return ENGINES[_without_kernels(work)](work)


def uncompiled(rule: Rule) -> str | None:
    """Say why the compiler refused a rule that has run without it since, None where it has not."""
    return _UNCOMPILED.get(rule)


ENGINES: dict[str, Engine] = {"floats": run_on_floats, "arrays": run_on_arrays, "kernels": _run_on_kernels}


def choose(work: Work) -> str:
    """Choose the engine for a work, by name."""
    plain = _without_kernels(work)
    if _seconds(work, plain) < WORTH_A_KERNEL or work.closed or work.rule.level != Level.COORDINATE:
        return plain
    if work.rule in _UNCOMPILED:
        return plain
    from mhat.engines.kernels.trace import runs_on_kernels

    return "kernels" if runs_on_kernels(work) else plain


def _seconds(work: Work, engine: str) -> float:
    """Estimate how long an engine would take, by the number of operations."""
    numbers = work.coordinates
    each = FLOAT * numbers if engine == "floats" else ARRAY + NUMBER * numbers
    return work.steps * _operations(work.rule) * each


def _operations(rule: Rule) -> int:
    return sum(isinstance(node, Operation) for node in all_expressions(rule.tree))


def _without_kernels(work: Work) -> str:
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
    """Run a work on the engine that suits it, or on the one named; what no kernel compiles runs without kernels."""
    return ENGINES[engine or choose(work)](work)
