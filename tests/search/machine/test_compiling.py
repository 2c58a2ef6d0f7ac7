"""Compiled functions are kept where kernels are, and work where there is no place to write."""

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
print(sum(twice.stats.cache_hits.values()))
"""


def used(folder: Path, text: str, **environment: str) -> str:
    """Run a file in a process of its own, and give what it prints."""
    (folder / "use.py").write_text(text)
    done = subprocess.run(
        [sys.executable, str(folder / "use.py")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_kept_where_kernels_are(tmp_path: Path) -> None:
    """And nowhere that only Numba was told of."""
    (tmp_path / "kept").mkdir(mode=0o700)
    told = {"MHAT_CACHE_DIR": str(tmp_path / "kept"), "NUMBA_CACHE_DIR": str(tmp_path / "theirs")}
    assert [used(tmp_path, USE, **told) for _ in range(2)] == ["0", "1"]
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert not (tmp_path / "theirs").exists()
    # Another function of the same name is another function.
    assert used(tmp_path, USE.replace("2 * x", "3 * x").replace("== 4.0", "== 6.0"), **told) == "0"


def test_nowhere_to_write_is_no_reason_to_fail(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    nowhere.write_text("")
    (tmp_path / "tmp").mkdir()
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    (tmp_path / "tmp" / f"mhat-kernels-{owner}").write_text("")
    told = {"XDG_CACHE_HOME": str(nowhere), "HOME": str(nowhere), "TMPDIR": str(tmp_path / "tmp")}
    text = "import os\nos.environ.pop('MHAT_CACHE_DIR', None)\n" + USE
    assert [used(tmp_path, text, **told) for _ in range(2)] == ["0", "0"]
