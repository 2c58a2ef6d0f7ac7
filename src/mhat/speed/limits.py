"""The limit of the memory: kernels that only move the arrays that a step must move. They compute no step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Moving = Callable[..., None]


def moves(x: Array, g: Array, states: list[Array]) -> Callable[[], None]:
    """Give the move of one step: x, g and the states are read, x and the states are written, by all threads."""
    kernel = mover(len(states))
    arrays = [_numbers(each.reshape(-1)) for each in (x, g, *states)]
    return lambda: kernel(*arrays)


def moved_bytes(size: int, states: int, itemsize: int) -> int:
    """Count the bytes that a step of one pass moves.

    >>> moved_bytes(1, states=2, itemsize=4)
    28
    """
    return size * itemsize * (3 + 2 * states)


@cache
def mover(states: int) -> Moving:
    """Compile the kernel that moves x, g and so many states.

    It is made of a text, for each state is an argument: a loop over a tuple of states is not vectorised.
    """
    names = [f"s{place}" for place in range(states)]
    lines = [
        f"def moving({', '.join(['x', 'g', *names])}):",
        "    for i in prange(x.size):",
        "        x[i] = g[i] - x[i]",
    ]
    lines += [f"        {name}[i] = -{name}[i]" for name in names]
    return compiled("\n".join(lines), "moving")


def compiled(source: str, name: str) -> Moving:
    """Compile a kernel for all threads, without checks for division by zero."""
    import numba

    home: dict[str, Any] = {"prange": numba.prange}
    exec(source, home)
    made: Moving = numba.njit(parallel=True, error_model="numpy")(home[name])
    return made


def _numbers(array: Array) -> Array:
    """Look at two-byte floats, which Numba does not know, as two-byte integers: they are as long to move."""
    return array.view(np.uint16) if array.dtype.itemsize == 2 else array
