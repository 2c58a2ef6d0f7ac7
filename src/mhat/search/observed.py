"""What a subject answered, and to which gradients. It knows no subject and no rule.

A probe is one run of a subject on all coordinates at once; each coordinate has a stream of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Probes:
    """Runs of a subject, side by side: gradients (probe, step, tensor, coordinate), start, and the knobs of each.

    `observe` is what is seen after each step: "x", the "update" (what is added to x), or a variable.
    """

    gradients: Array
    start: Array
    knobs: Mapping[str, Any]
    observe: str = "x"

    @property
    def base(self) -> Any:
        """What an observation starts from: the start for x, zero for anything else."""
        return self.start if self.observe == "x" else np.zeros_like(self.start)

    @property
    def steps(self) -> int:
        """How many steps every probe has."""
        return int(self.gradients.shape[1])

    def pooled(self, sizes: Array) -> Array:
        """Give every coordinate the largest of the sizes (..., coordinate) beside which it is rounded: its own."""
        return sizes


@dataclass(frozen=True)
class Observed:
    """What a subject answered to probes: parameters (step, probe, tensor, coordinate).

    `slack`: how much farther than anything computed they may lie from what is right, because of how they were seen.
    """

    probes: Probes
    values: Array
    slack: Any = 0.0
