"""Arrays for results, in memory that results before had which nobody holds any more. It knows no rule.

The system clears every page that a program touches first, which takes longer than to compute what goes into it; so what
is given back is kept for the next of that size. What lies unused is bounded, and a program that never makes large
results never has any.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

# Smaller arrays come from memory that the process has anyway.
SMALLEST = 1 << 20
# Bytes that lie unused at most.
MOST = 1 << 28
PAGE = 1 << 12
LINE = 1 << 6

# Appending and taking are atomic: memory comes back whenever the garbage collector says so, in any thread.
_unused: deque[Any] = deque()


def empty(shape: tuple[int, ...], dtype: Any, place: int = 0) -> Any:
    """Give an array of any contents; `place` sets apart arrays that are written at the same time.

    Arrays that begin at the same offset in a page stand in each other's way in the nearest cache.
    """
    made = np.dtype(dtype)
    size = int(np.prod(shape, dtype=int)) * made.itemsize
    if size < SMALLEST:
        return np.empty(shape, dtype=made)
    offset = place * LINE * 5 % PAGE
    memory = _taken(-(-size // PAGE) * PAGE + 2 * PAGE)
    # The array holds what holds the memory: when nobody sees either, the memory comes back.
    return np.asarray(_Lent(memory, offset))[:size].view(made).reshape(shape)


class _Lent:
    """Memory as long as an array needs it."""

    def __init__(self, memory: Any, offset: int) -> None:
        self.memory = memory
        start = memory.__array_interface__["data"][0]
        offset += -start % PAGE
        self.__array_interface__ = {
            "version": 3, "typestr": "|u1", "shape": (memory.size - PAGE,), "data": (start + offset, False)
        }  # fmt: skip

    def __del__(self) -> None:
        _unused.append(self.memory)
        try:
            while sum(memory.size for memory in list(_unused)) > MOST:
                _unused.popleft()
        except (IndexError, RuntimeError):
            # Another thread takes memory at this moment; the next time is soon enough.
            return


def _taken(size: int) -> Any:
    """Take unused memory of exactly that size, or make it."""
    for _ in range(len(_unused)):
        try:
            memory = _unused.popleft()
        except IndexError:
            break
        if memory.size == size:
            return memory
        _unused.append(memory)
    return np.empty(size, dtype=np.uint8)
