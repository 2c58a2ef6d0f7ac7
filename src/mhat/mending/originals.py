"""A change written into the user's file, which is kept beside it as it was. It knows not where a change is from."""

from __future__ import annotations

import os
import stat
from itertools import count
from pathlib import Path

from mhat.errors import BadValue, OutputFileError
from mhat.mending.sources import is_library
from mhat.outputs import beside, said_of

KEPT = ".orig"


def write(file: str, before: bytes, after: bytes) -> str:
    """Write a change; give where the file is as it was. A link stays one: what it leads to is changed.

    Raises OutputFileError where the file is not as it was when the change was found, or cannot be written, BadValue
    where it is nobody's own.
    """
    path = Path(file).resolve()
    if is_library(path):
        raise BadValue(f"{file} is installed, and not yours", "Copy it into a file of yours, and change that.")
    with said_of(path):
        if path.read_bytes() != before:
            raise OutputFileError(f"`{file}` was changed meanwhile, and is left as it is", "Check it again.")
    if not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
        raise OutputFileError(f"`{file}` is read-only, and is left as it is", f"Allow it: chmod u+w {file}")
    with said_of(path):
        kept = _kept(path, before)
    shared = path.stat().st_nlink > 1
    if shared:
        # Another name of the same file is to see the change too.
        with said_of(path):
            path.write_bytes(after)
    else:
        with beside(path) as partial:
            partial.write_bytes(after)
            partial.chmod(stat.S_IMODE(path.stat().st_mode))
            if path.read_bytes() != before:
                raise OutputFileError(f"`{file}` was changed meanwhile, and is left as it is", "Check it again.")
    return str(Path(file).with_name(kept.name)) if Path(file).parent.resolve() == path.parent else str(kept)


def _kept(path: Path, before: bytes) -> Path:
    """Write the file as it is under a name that is free: NAME.orig, NAME.orig2 ..."""
    for number in count(1):
        kept = path.with_name(f"{path.name}{KEPT}{'' if number == 1 else number}")
        try:
            with kept.open("xb") as file:
                file.write(before)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            continue
        kept.chmod(stat.S_IMODE(path.stat().st_mode))
        return kept
    raise AssertionError
