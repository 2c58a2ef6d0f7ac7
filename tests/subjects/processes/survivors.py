"""Which processes are left of a test: those whose command line or environment holds a word. For the tests alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path


def with_word(word: str) -> list[int]:
    """List the processes that have a word in their command line or environment, the dead ones left out."""
    return list(_with_word(word.encode()))


def _with_word(word: bytes) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if word not in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes():
                continue
            if (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                yield int(folder.name)


def none_left(word: str, patience: float = 5.0) -> bool:
    """Whether no such process is left; one that is being ended is given some time."""
    ends = time.monotonic() + patience
    while with_word(word):
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True
