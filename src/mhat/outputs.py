"""Files that are written: refused beforehand, written beside, renamed into place when whole. It knows no format."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mhat.errors import OutputFileError


def check_output(path: str | Path, endings: tuple[str, ...], *, force: bool = False) -> Path:
    """Refuse an output before anything is computed.

    Raises OutputFileError if it exists already (unless `force`), if its ending is none of `endings`, or if its
    directory is missing or cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise OutputFileError(
            f"`{path}` ends in {repr(path.suffix) if path.suffix else 'nothing that names a format'}",
            f"Choose a name that ends in {', '.join(endings)}.",
        )
    if path.exists() and not force:
        raise OutputFileError(f"`{path}` exists already", "Choose another name, or overwrite it with --force.")
    if path.is_dir() and path.suffix.lower() != ".zarr":
        raise OutputFileError(f"`{path}` is a directory", "Name a file.")
    parent = path.parent
    if not parent.is_dir():
        raise OutputFileError(f"there is no directory `{parent}` to write `{path.name}` into", "Make it first.")
    if not os.access(parent, os.W_OK):
        raise OutputFileError(f"the directory `{parent}` cannot be written", "Choose a directory of your own.")
    return path


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give a name to write to in place of `path`, which takes its place at the end; on the way out it is removed."""
    partial = path.with_name(f".{path.name}.part")
    _remove(partial)
    try:
        yield partial
        with said_of(path):
            if path.is_dir():
                _remove(path)
            partial.replace(path)
    finally:
        _remove(partial)


@contextmanager
def said_of(path: Path) -> Iterator[None]:
    """Say what the system has against writing; raises OutputFileError."""
    try:
        yield
    except OSError as error:
        raise OutputFileError(
            f"`{path}` could not be written: {error.strerror or error}", "Free some space, or choose another place."
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
