"""Functions compiled to machine code, kept from one process to the next where there is a place to write.

It knows no function. Numba writes beside the source, or else into the user's cache, each file whole or not at all,
so that processes at work at once do not disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

HOW: Any = {"error_model": "numpy", "nogil": True}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when it is first called; nothing raises in it, and other threads go on meanwhile."""
    made: Any
    try:
        made = njit(cache=True, **HOW)(function)
    except RuntimeError:
        # There is nowhere to write, as in a container that is read only: it is compiled in every process.
        made = njit(**HOW)(function)
    found: Callable[..., Any] = made
    return found
