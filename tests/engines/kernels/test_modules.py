"""Kernels on disk: kept for the next process, shared by processes at once, and never read from a stranger's folder."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from mhat.engines.kernels import modules

TEXT = '''"""A small kernel."""

from numba import njit


@njit(cache=KEPT)
def twice(x):
    return x + x
'''

# Numba's own counts say what was compiled and what was read back.
RUN = """
import json, sys
from mhat.engines.kernels.modules import module_of
module = module_of(sys.argv[1])
value = module.twice(21.0)
stats = module.twice.stats
print(json.dumps({"value": value, "hits": sum(stats.cache_hits.values()), "misses": sum(stats.cache_misses.values()),
                  "file": module.__file__, "kept": module.KEPT}))
"""


def start(text: str, **environment: str) -> subprocess.Popen[str]:
    own = {**os.environ, **environment}
    own = {name: value for name, value in own.items() if value}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, text], env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    found: dict[str, object] = json.loads(out)
    assert found["value"] == 42.0
    return found


def run(text: str = TEXT, **environment: str) -> dict[str, object]:
    return ended(start(text, **environment))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "kernels"
    made.mkdir(mode=0o700)
    return made


def in_memory(found: dict[str, object]) -> bool:
    return found["kept"] is False and str(found["file"]).startswith("<mhat_kernel_")


def test_the_next_process_reads_what_the_first_compiled(folder: Path) -> None:
    first, second = (run(MHAT_CACHE_DIR=str(folder)) for _ in range(2))
    assert (first["hits"], first["misses"], first["kept"]) == (0, 1, True)
    assert (second["hits"], second["misses"]) == (1, 0)
    assert Path(str(second["file"])).parent == folder
    assert not list(folder.glob("*.part"))
    other = run(TEXT.replace("x + x", "2 * x"), MHAT_CACHE_DIR=str(folder))
    assert (other["hits"], other["misses"]) == (0, 1)
    assert other["file"] != first["file"]


def test_processes_at_the_same_time_all_get_it(folder: Path) -> None:
    running = [start(TEXT, MHAT_CACHE_DIR=str(folder)) for _ in range(4)]
    assert all(found["kept"] for found in map(ended, running))
    assert len(list(folder.glob("*.py"))) == 1
    assert not list(folder.glob("*.part"))
    after = run(MHAT_CACHE_DIR=str(folder))
    assert (after["hits"], after["misses"]) == (1, 0)


def test_a_file_that_was_cut_off_is_written_anew(folder: Path) -> None:
    found = run(MHAT_CACHE_DIR=str(folder))
    path = Path(str(found["file"]))
    path.write_text(path.read_text("utf-8")[:40], "utf-8")
    assert run(MHAT_CACHE_DIR=str(folder))["kept"]
    assert path.read_text("utf-8") == TEXT


def test_without_a_wish_kernels_are_in_the_folder_for_caches(tmp_path: Path) -> None:
    found = run(MHAT_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path))
    if sys.platform == "linux":
        home = tmp_path / "mhat" / "kernels"
        assert Path(str(found["file"])).parent == home
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert found["kept"]


def test_where_home_cannot_be_written_they_are_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    # A file in place of a folder: nobody, not even root, can write below it.
    home = tmp_path / "home"
    home.write_text("")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    found = run(MHAT_CACHE_DIR="", XDG_CACHE_HOME=str(home), HOME=str(home), TMPDIR=str(temporary))
    assert found["kept"]
    assert Path(str(found["file"])).parent.parent == temporary


def test_where_no_folder_can_be_written_they_are_in_memory(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    own = temporary / f"mhat-kernels-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    own.write_text("")
    found = run(MHAT_CACHE_DIR="", XDG_CACHE_HOME=str(home), HOME=str(home), TMPDIR=str(temporary))
    assert in_memory(found)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_not_used(folder: Path) -> None:
    folder.chmod(0o500)
    assert modules._written(folder, "mhat_kernel_x", TEXT) is None


SAID = "is not used, and compiled kernels are not kept: it must be a folder that you own and that nobody else can"


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(mode: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(mode)
    modules._warn.cache_clear()
    monkeypatch.setenv(modules.FOLDER, str(folder))
    with pytest.warns(UserWarning, match=SAID):
        module = modules.module_of(f"# {mode}\n{TEXT}")
    assert module.KEPT is False
    assert module.twice(2.0) == 4.0
    assert not list(folder.iterdir())
    with warnings.catch_warnings():
        # Once is enough.
        warnings.simplefilter("error")
        modules.module_of(f"# {mode} again\n{TEXT}")


def test_a_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.getuid()
    assert modules._own(folder)
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert not modules._own(folder)
    assert modules._written(folder, "mhat_kernel_x", TEXT) is None
    assert not list(folder.iterdir())


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_a_link_of_somebody_else_is_refused(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert modules._own(link)
    os.chown(link, os.getuid() + 1, -1, follow_symlinks=False)
    assert not modules._own(link)


def test_a_module_is_made_once_in_a_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(modules.FOLDER, str(folder))
    text = f"# once\n{TEXT}"
    assert modules.module_of(text) is modules.module_of(text)


def test_a_module_that_fails_is_not_kept_as_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(modules.FOLDER, str(folder))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            modules.module_of("1 / 0\n")


def test_the_name_changes_with_the_code_the_versions_and_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {modules._hash(TEXT), modules._hash(TEXT + " ")}
    for place, name in [(modules, "VERSION"), (modules.numba, "__version__"), (modules.sys, "version")]:
        with monkeypatch.context() as changed:
            changed.setattr(place, name, "other")
            names.add(modules._hash(TEXT))
    for name in ("_processor", "_code_called"):
        with monkeypatch.context() as changed:
            changed.setattr(modules, name, lambda: "other")
            names.add(modules._hash(TEXT))
    assert len(names) == 7
