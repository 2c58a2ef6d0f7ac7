"""Files kept for the next process, in a folder that nobody else can write to. It knows nothing of what is in them.

A file begins with the hash of what follows, so that what was cut off or has changed is thrown away; where nothing can
be written nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import warnings
from functools import cache
from pathlib import Path

import platformdirs

FOLDER = "MHAT_CACHE_DIR"
# A link that lies there is not followed.
_READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_LENGTH = hashlib.sha256().digest_size


def write(path: Path, content: bytes) -> None:
    """Write a file, if there is room."""
    # Written beside and renamed into place: writers at the same time write the same.
    part = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
            file.write(hashlib.sha256(content).digest() + content)
        part.replace(path)
    except OSError:
        if part is not None:
            throw_away(part)


def read(path: Path) -> bytes | None:
    """Read a file of the user's own; None where its content is not that which was written."""
    with os.fdopen(os.open(path, _READING), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or not _is_mine(found):
            return None
        content = file.read()
    if hashlib.sha256(content[_LENGTH:]).digest() != content[:_LENGTH]:
        throw_away(path)
        return None
    return content[_LENGTH:]


def throw_away(path: Path) -> None:
    """Remove a file if it is there."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def folder() -> Path | None:
    """Find the folder to keep code in; None where there is none that is the user's alone."""
    for candidate in _folders():
        if _is_private(candidate):
            return candidate
    wanted = os.environ.get(FOLDER)
    if wanted:
        _warn(wanted)
    return None


def _folders() -> list[Path]:
    """List where code may be kept: the folder asked for, the user's cache, the system's temporary folder."""
    wanted = os.environ.get(FOLDER)
    if wanted:
        return [Path(wanted)]
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    own = Path(tempfile.gettempdir()) / f"mhat-kernels-{owner}"
    return [platformdirs.user_cache_path("mhat", appauthor=False) / "kernels", own]


def _is_private(candidate: Path) -> bool:
    """Whether a folder, made if it is not there, is one that only the user can write to: what lies there is run."""
    try:
        candidate.mkdir(mode=0o700, parents=True, exist_ok=True)
        found, itself = candidate.stat(), candidate.lstat()
    except OSError:
        return False
    # The link itself too, where it is one: its owner can let it point elsewhere.
    return _is_mine(found) and _is_mine(itself) and os.access(candidate, os.W_OK)


def _is_mine(found: os.stat_result) -> bool:
    """Whether a file or folder is the user's own, and nobody else can write to it; a link has no mode of its own."""
    if not hasattr(os, "getuid"):
        return True
    written_by_others = not stat.S_ISLNK(found.st_mode) and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return found.st_uid == os.getuid() and not written_by_others


@cache
def _warn(named: str) -> None:
    warnings.warn(
        f"{FOLDER}={named} is not used, and compiled kernels are not kept: "
        "it must be a folder that you own and that nobody else can write to.",
        stacklevel=2,
    )
