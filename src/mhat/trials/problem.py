"""A problem that rules are tried out on: where to start, which way is down, and what counts. It knows no rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Measure = Callable[[list[Array], int, int], float]


def _as_it_is(xs: list[Array]) -> list[Array]:
    return xs


@dataclass(frozen=True, eq=False)
class Problem:
    """A problem: all that depends on chance is drawn from a seed.

    `start(seed)` gives the parameters; `slope(xs, t, seed)` the loss and the gradients of step t at them;
    `measure(xs, t, seed)` what knobs are tuned by and curves show, the less the better (`measured` says what it is).
    `further` is measured at the end alone. `every` says whether the measure is of each step, and is averaged. It is run
    inside of `there()`, where the modules that it imports are found.
    """

    name: str
    what: str
    start: Callable[[int], list[Array]]
    slope: Callable[[list[Array], int, int], tuple[float, list[Array]]]
    measure: Measure
    measured: str
    steps: int
    chance: str
    further: Mapping[str, Measure] = field(default_factory=dict)
    project: Callable[[list[Array]], list[Array]] = _as_it_is
    every: bool = False
    longest: int | None = None
    notes: tuple[str, ...] = ()
    there: Callable[[], AbstractContextManager[Any]] = nullcontext
