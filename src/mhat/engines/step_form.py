"""How a step in place is asked for: how numbers are stored in its arrays, and how they are rounded. It steps nothing.

The fused step of `kernels` and `whole_steps` both answer to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mhat.dtypes import DTYPES

ROUNDINGS = ("nearest", "stochastic", "kahan")
# What rounding took from x, an array beside it; no rule can have a state of this name.
LOST = "@lost"


@dataclass(frozen=True)
class StepForm:
    """How a rule steps.

    `x`, `g`: how parameters and gradients are stored; `states`: how the states are. `rearranged`: whether averages and
    quotients are written in the form that loses least. `rounding`: how results are rounded to two bytes. `flushed`:
    subnormal numbers count as zero.
    """

    x: str
    g: str
    states: tuple[tuple[str, str], ...]
    rearranged: bool = False
    rounding: str = "nearest"
    flushed: bool = False

    @property
    def computed(self) -> str:
        """The precision of the arithmetic."""
        return DTYPES[self.x].computed

    @property
    def arrays(self) -> dict[str, str]:
        """How each array is stored, in the order of a table of addresses."""
        lost = {LOST: self.x} if self.rounding == "kahan" and DTYPES[self.x].small else {}
        return {"x": self.x, "g": self.g, **dict(self.states), **lost}
