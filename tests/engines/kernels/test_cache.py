"""Machine code on disk: kept for the next process, read only as it was written, and only from a folder of one's own."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from mhat.engines import private_files
from mhat.engines.kernels import cache, modules

TEXT = '''"""A small kernel."""

from numba import njit


@kept
@njit
def twice(x):
    return x + x
'''

# Numba's own counts say what was compiled and what was read back.
RUN = """
import json, sys
from mhat.engines.kernels.modules import module_of
twice = module_of(sys.argv[1]).twice
value = twice(21.0)
hits, misses = (sum(counts.values()) for counts in (twice.stats.cache_hits, twice.stats.cache_misses))
print(json.dumps({"value": value, "hits": hits, "misses": misses, "folder": twice.stats.cache_path}))
"""


def start(text: str, **environment: str) -> subprocess.Popen[str]:
    own = {**os.environ, **environment}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, text], env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    answer: dict[str, object] = json.loads(out)
    assert answer["value"] == 42.0
    return answer


def run(text: str = TEXT, **environment: str) -> dict[str, object]:
    return ended(start(text, **environment))


def counts(answer: dict[str, object]) -> tuple[object, object]:
    return answer["hits"], answer["misses"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "kernels"
    made.mkdir(mode=0o700)
    return made


def test_the_next_process_reads_what_the_first_compiled(folder: Path) -> None:
    first, second = (run(MHAT_CACHE_DIR=str(folder)) for _ in range(2))
    assert [counts(first), counts(second)] == [(0, 1), (1, 0)]
    assert first["folder"] == str(folder)
    (kept,) = folder.iterdir()
    assert kept.suffix == cache.SUFFIX
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert counts(run(TEXT.replace("x + x", "2 * x"), MHAT_CACHE_DIR=str(folder))) == (0, 1)


def test_processes_at_the_same_time_all_get_it(folder: Path) -> None:
    running = [start(TEXT, MHAT_CACHE_DIR=str(folder)) for _ in range(4)]
    assert all(answer["folder"] == str(folder) for answer in map(ended, running))
    assert len(list(folder.iterdir())) == 1
    assert counts(run(MHAT_CACHE_DIR=str(folder))) == (1, 0)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replaced(path: Path) -> None:
    other = b"not what was written"
    path.write_bytes(cache.hashlib.sha256(other).digest() + other)


def test_what_is_damaged_is_thrown_away_and_compiled_anew(folder: Path) -> None:
    run(MHAT_CACHE_DIR=str(folder))
    (kept,) = folder.iterdir()
    for damage in (cut_off, emptied, flipped, replaced):
        damage(kept)
        assert counts(run(MHAT_CACHE_DIR=str(folder))) == (0, 1), damage
    assert counts(run(MHAT_CACHE_DIR=str(folder))) == (1, 0)


def test_without_room_it_is_compiled_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, **given: object) -> None:
            self.file = open(folder / "full.part", "wb")  # noqa: PTH123, SIM115
            self.name = self.file.name

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *error: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setenv(private_files.FOLDER, str(folder))
    monkeypatch.setattr(private_files.tempfile, "NamedTemporaryFile", Full)
    assert modules.module_of(f"# full\n{TEXT}").twice(21.0) == 42.0
    assert list(folder.iterdir()) == []


PLANTED = "import pathlib, os; pathlib.Path(os.environ['PLANTED']).write_text('ran')"


def test_a_folder_that_numba_is_told_of_is_not_read(folder: Path, tmp_path: Path) -> None:
    """Neither machine code nor a pickle that runs a program is taken from there."""
    theirs, ran = tmp_path / "theirs", tmp_path / "ran"
    theirs.mkdir(mode=0o777)
    environment = {"MHAT_CACHE_DIR": str(folder), "NUMBA_CACHE_DIR": str(theirs), "PLANTED": str(ran)}
    code = """
import numpy as np, mhat
x = np.zeros(9)
mhat.Optimizer("sgd", x, lr=1.0).step(np.ones(9))
assert x[0] == -1.0
"""
    bomb = b"cbuiltins\nexec\n(V" + PLANTED.encode() + b"\ntR."
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, check=True, timeout=120)
        # Numba makes folders of its own there; whatever it may look for is a bomb.
        for path in [*theirs.rglob("*.nb?")]:
            path.write_bytes(bomb)
    assert not ran.exists()
    assert not list(theirs.rglob("*.nb?"))


def test_without_a_wish_it_is_in_the_folder_for_caches(tmp_path: Path) -> None:
    answer = run(MHAT_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path))
    if sys.platform == "linux":
        home = tmp_path / "mhat" / "kernels"
        assert answer["folder"] == str(home)
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert answer["folder"]


def test_where_home_cannot_be_written_it_is_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    # A file in place of a folder: nobody, not even root, can write below it.
    home = tmp_path / "home"
    home.write_text("")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    answer = run(MHAT_CACHE_DIR="", XDG_CACHE_HOME=str(home), HOME=str(home), TMPDIR=str(temporary))
    assert Path(str(answer["folder"])).parent == temporary


def test_where_no_folder_can_be_written_it_is_in_memory(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    own = temporary / f"mhat-kernels-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    own.write_text("")
    answer = run(MHAT_CACHE_DIR="", XDG_CACHE_HOME=str(home), HOME=str(home), TMPDIR=str(temporary))
    assert answer["folder"] is None
    assert counts(answer) == (0, 1)


def test_a_wish_for_no_folder_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not one for the folder that a program happens to run in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(private_files.FOLDER, "")
    assert Path() not in private_files._folders()


SAID = "is not used, and compiled kernels are not kept: it must be a folder that you own and that nobody else can"


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(mode: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(mode)
    private_files._warn.cache_clear()
    monkeypatch.setenv(private_files.FOLDER, str(folder))
    with pytest.warns(UserWarning, match=SAID):
        module = modules.module_of(f"# {mode}\n{TEXT}")
    assert module.twice(2.0) == 4.0
    assert not list(folder.iterdir())
    with warnings.catch_warnings():
        # Once is enough.
        warnings.simplefilter("error")
        modules.module_of(f"# {mode} again\n{TEXT}")


def test_a_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.getuid()
    assert private_files._is_private(folder)
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert not private_files._is_private(folder)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_a_link_of_somebody_else_is_refused(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert private_files._is_private(link)
    os.chown(link, os.getuid() + 1, -1, follow_symlinks=False)
    assert not private_files._is_private(link)


def test_a_file_that_is_a_link_or_that_others_can_write_to_is_not_read(folder: Path, tmp_path: Path) -> None:
    run(MHAT_CACHE_DIR=str(folder))
    (kept,) = folder.iterdir()
    kept.chmod(0o666)
    assert counts(run(MHAT_CACHE_DIR=str(folder))) == (0, 1)
    elsewhere = tmp_path / "elsewhere"
    shutil.move(kept, elsewhere)
    kept.symlink_to(elsewhere)
    assert counts(run(MHAT_CACHE_DIR=str(folder))) == (0, 1)
    assert not kept.is_symlink()


def test_the_name_changes_with_the_code_the_versions_and_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {cache.hash_of(TEXT), cache.hash_of(TEXT + " ")}
    for place, name in [(cache, "VERSION"), (cache.numba, "__version__"), (cache.sys, "version")]:
        with monkeypatch.context() as changed:
            changed.setattr(place, name, "other")
            names.add(cache.hash_of(TEXT))
    for name in ("_processor", "_code_called"):
        with monkeypatch.context() as changed:
            changed.setattr(cache, name, lambda: "other")
            names.add(cache.hash_of(TEXT))
    assert len(names) == 7
