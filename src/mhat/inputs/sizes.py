"""Whether there is room in memory for what a file says it holds. It knows no format.

What a file says is looked at before anything of it is read: a damaged one says anything, and a small one can be
unpacked to more than any machine holds.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mhat.errors import InputFileError
from mhat.notation.decimals import brief

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")
# Where the system does not say how much memory there is.
ASSUMED = 16 << 30
CONTAINER = Path("/sys/fs/cgroup/memory.max")
NONE = 1 << 62


def room() -> int:
    """Give how many bytes a process may hold: the memory of the machine, or less where the process has a limit."""
    try:
        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        most = ASSUMED
    return min(most, _limit()) if most > 0 else ASSUMED


def _limit() -> int:
    limits = [NONE]
    with suppress(ImportError):  # Windows has none
        resource = importlib.import_module("resource")
        limits.append(resource.getrlimit(resource.RLIMIT_AS)[0])
    with suppress(OSError, ValueError):  # that of a container
        limits.append(int(CONTAINER.read_text()))
    return min(limit for limit in limits if limit > 0)


def check_room(file: Path, count: int, cure: str, of: str = "") -> None:
    """Refuse to read what does not fit into memory; raises InputFileError."""
    most = room()
    if count > most:
        what = f"{file}{of} holds {written(count)}, and there is memory for {written(most)}"
        raise InputFileError(what, cure)


def check_shape(file: Path, shape: Sequence[int], dtype: object, there: int, needed: int, of: str = "") -> None:
    """Refuse a file that says it holds more than is there; raises InputFileError."""
    if needed > there:
        raise InputFileError(
            f"{file}{of} is cut off: an array of {dtype} of the shape {tuple(shape)} takes {written(needed)}, and "
            f"{written(max(there, 0))} are there",
            "Save it again.",
        )


def written(count: int) -> str:
    """Write a number of bytes for people.

    >>> written(64), written(8_000_000_000_000)
    ('64 bytes', '8 TB')
    """
    size, unit = float(count), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{brief(size, 3)} {UNITS[unit]}"
