"""Whose memory is whose: arrays that must not overlap, for a step reads some of them while it writes others.

It knows addresses and owners by name, and no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mhat.errors import BadValue

Array = Any


class Memory:
    """Stretches of memory that do not overlap. `stretches`: address, bytes, owner."""

    def __init__(self, stretches: Sequence[tuple[int, int, str]]) -> None:
        ordered = sorted(stretches)
        self._lows = np.array([low for low, _, _ in ordered], dtype=np.int64)
        self._highs = self._lows + np.array([size for _, size, _ in ordered], dtype=np.int64)
        self._owners = [owner for _, _, owner in ordered]

    def met(self, starts: Array, sizes: Array, chosen: Array) -> tuple[int, str] | None:
        """Find the first of the chosen arrays that lies in it, and whose memory that is."""
        # Of all that begins before an array's end, the last reaches furthest.
        before = np.searchsorted(self._lows, starts + sizes, side="left") - 1
        inside = chosen & (sizes > 0) & (before >= 0)
        inside[inside] = self._highs[before[inside]] > starts[inside]
        if not inside.any():
            return None
        place = int(np.argmax(inside))
        return place, self._owners[before[place]]


def check_apart(paths: Sequence[str], tensors: Sequence[Array]) -> None:
    """Refuse arrays that share memory: each is compared with those before it that reach as far. Raises BadValue."""
    bounds = [np.lib.array_utils.byte_bounds(tensor) for tensor in tensors]
    reaching: list[int] = []
    for i in sorted((i for i, t in enumerate(tensors) if t.size), key=lambda i: bounds[i][0]):
        reaching = [j for j in reaching if bounds[j][1] > bounds[i][0]]
        for j in reaching:
            if np.shares_memory(tensors[i], tensors[j]):
                first, second = sorted((i, j))
                raise BadValue(
                    f"{paths[first]} and {paths[second]} share memory",
                    "Give each array once: it would be stepped twice.",
                )
        reaching.append(i)
