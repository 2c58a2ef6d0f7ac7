"""What a record holds. It knows no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mhat.subjects.subject import Array


@dataclass(frozen=True)
class Record:
    """Gradients and what was observed under them, (T, *shape) for each tensor; nan where nothing is written.

    `schedules`: knobs that have a value a step, (T,), or (T, tensors) where tensors have their own. `g_halves` and
    `x_halves`: how far what was may lie from what is written, for each tensor; nothing where it is written whole.
    `dtype`: of the run, where what is written tells it. `notes`: how the record was read, where that is not plain.
    """

    name: str
    gradients: list[Array]
    observed: list[Array]
    observe: str = "x"
    start: list[Array] | None = None  # x before step 1, where it is known
    knobs: Mapping[str, float] = field(default_factory=dict)
    tensors: tuple[str, ...] = ("",)
    schedules: Mapping[str, Array] = field(default_factory=dict)
    g_halves: list[Array] | None = None
    x_halves: list[Array] | None = None
    dtype: str | None = None
    notes: tuple[str, ...] = ()
    first: int = 1  # the number that was written beside the first step
