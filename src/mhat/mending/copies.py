"""Copies of a user's file in folders of their own, where all that stands beside it stands too. They are tried there.

Nothing of the user's is written to: what stands beside is linked, and where links cannot be made, copied.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from mhat.subjects.modules import packaged

IGNORED = {"__pycache__", ".git"}


class Copies:
    """A folder for the copies of one file; it is removed at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="mhat-fix-"))
        self.count = 0
        _, top = packaged(self.path)
        self.top = self.path.parent if top is None else top

    def holding(self, raw: bytes) -> Path:
        """Make a copy that holds these bytes, beside what stands beside the file; give its path."""
        self.count += 1
        here, there = self.folder / str(self.count), self.top
        here.mkdir()
        for part in self.path.relative_to(self.top).parts:
            for entry in os.scandir(there):
                if entry.name != part and entry.name not in IGNORED and not entry.name.endswith(".part"):
                    _stand_beside(Path(entry.path), here / entry.name)
            here, there = here / part, there / part
            if there != self.path:
                here.mkdir()
        here.write_bytes(raw)
        return here

    def remove(self) -> None:
        """Remove all copies."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _stand_beside(original: Path, name: Path) -> None:
    try:
        name.symlink_to(original)
    except (OSError, NotImplementedError):
        with suppress(OSError):
            (shutil.copytree if original.is_dir() else shutil.copy2)(original, name)
