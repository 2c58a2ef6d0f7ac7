"""What all ways of stepping a bucket have in common. It knows none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Tensor = Any
# The knobs of a step: of the one group, or one a tensor where a bucket spans groups whose knobs differ.
Knobs = Mapping[str, float] | Sequence[Mapping[str, float]]


class Way(Protocol):
    """How a bucket is stepped. `name`: kernel, triton, compiled, eager; `why`: why none that is quicker."""

    name: str
    why: str

    def step(self, gradients: Sequence[Tensor | None], steps: Sequence[float], knobs: Knobs) -> None:
        """Step the tensors of the bucket in place, and their states; those whose gradient is None stay.

        `steps`: t of this step for each tensor. It is called without autograd; starts are made, and gradients looked at
        (`Bucket.check`), before. What a rule reads besides is in `Bucket.given`.
        """
