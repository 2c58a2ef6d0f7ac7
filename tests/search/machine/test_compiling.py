"""Compiled functions are kept where there is a place to write, and work where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

USE = """
from mhat.search.machine.compiling import compiled

@compiled
def twice(x):
    return 2 * x

assert twice(2.0) == 4.0
"""
NOWHERE = "import numba.core.caching as caching\ncaching.CacheImpl._locator_classes = []\n"


def used(folder: Path, text: str) -> list[Path]:
    """Run a file in a process of its own, and list what was kept."""
    (folder / "use.py").write_text(text)
    kept = {"NUMBA_CACHE_DIR": str(folder / "kept")}
    done = subprocess.run(
        [sys.executable, str(folder / "use.py")],
        env={**os.environ, **kept},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(folder.rglob("*.nbi"))


def test_it_is_kept_where_it_can_be(tmp_path: Path) -> None:
    assert used(tmp_path, USE)


def test_nowhere_to_write_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert used(tmp_path, NOWHERE + USE) == []
