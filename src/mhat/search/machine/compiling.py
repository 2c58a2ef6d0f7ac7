"""Functions compiled to machine code, kept from one process to the next where there is a place to write.

It knows no function. What is kept lies where kernels lie, in a folder that nobody else can write to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

from mhat.engines.kernels.cache import keep

HOW: Any = {"error_model": "numpy", "nogil": True}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when it is first called; nothing raises in it, and other threads go on meanwhile."""
    made: Callable[..., Any] = keep(njit(**HOW)(function), _texts())
    return made


@cache
def _texts() -> str:
    """Give the hash of all that compiled functions call and read: a change of it makes other machine code."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
