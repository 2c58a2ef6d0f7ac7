"""The dtypes that rules run in, in one table: what each computes in, how fine it is, how large. It knows no arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Dtype:
    """One dtype.

    `computed`: the dtype that operations are done in, and that arrays of values are held in. `size`: bytes of a number.
    `epsilon`: from 1 to the next number. `smallest`: the first number above 0. `usual`: sizes of gradients whose
    squares, and what rules make of them, it can hold.
    """

    name: str
    computed: str
    size: int
    epsilon: float
    smallest: float
    usual: tuple[float, float]

    @property
    def small(self) -> bool:
        """Whether it is computed in a larger dtype, every result rounded to it."""
        return self.computed != self.name


DTYPES: dict[str, Dtype] = {
    dtype.name: dtype
    for dtype in (
        Dtype("float64", "float64", 8, 2.0**-52, 2.0**-1074, (0.0, math.inf)),
        Dtype("float32", "float32", 4, 2.0**-23, 2.0**-149, (1e-9, 1e4)),
        Dtype("float16", "float32", 2, 2.0**-10, 2.0**-24, (0.1, 30.0)),
        Dtype("bfloat16", "float32", 2, 2.0**-7, 2.0**-133, (1e-6, 1e4)),
    )
}
