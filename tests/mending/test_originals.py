"""A change is written so that nothing of the user's is lost."""

from __future__ import annotations

import os
import stat
import sysconfig
from pathlib import Path

import pytest

from mhat.errors import BadValue, OutputFileError
from mhat.mending.originals import write

BEFORE, AFTER = b"a = 1\r\n", b"a = 2\r\n"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_bytes(BEFORE)
    return Path("mine.py")


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_the_file_as_it_was_is_kept(mine: Path) -> None:
    mine.chmod(0o754)
    assert write("mine.py", BEFORE, AFTER) == "mine.py.orig"
    assert mine.read_bytes() == AFTER
    assert Path("mine.py.orig").read_bytes() == BEFORE
    assert stat.S_IMODE(mine.stat().st_mode) == stat.S_IMODE(Path("mine.py.orig").stat().st_mode) == 0o754
    assert names() == ["mine.py", "mine.py.orig"]


def test_one_that_is_kept_already_stays(mine: Path) -> None:
    Path("mine.py.orig").write_text("precious")
    Path("mine.py.orig2").symlink_to("nowhere")
    assert write("mine.py", BEFORE, AFTER) == "mine.py.orig3"
    assert Path("mine.py.orig").read_text() == "precious"
    assert Path("mine.py.orig2").is_symlink()


def test_a_file_that_changed_meanwhile_is_left_as_it_is(mine: Path) -> None:
    mine.write_bytes(b"a = 3\n")
    with pytest.raises(OutputFileError, match=r"`mine\.py` was changed meanwhile, and is left as it is") as raised:
        write("mine.py", BEFORE, AFTER)
    assert raised.value.cure == "Check it again."
    assert mine.read_bytes() == b"a = 3\n" and names() == ["mine.py"]


def test_a_read_only_file_is_left_as_it_is(mine: Path) -> None:
    mine.chmod(0o444)
    with pytest.raises(OutputFileError, match=r"`mine\.py` is read-only, and is left as it is") as raised:
        write("mine.py", BEFORE, AFTER)
    assert raised.value.cure == "Allow it: chmod u+w mine.py"
    assert mine.read_bytes() == BEFORE and names() == ["mine.py"]


def test_a_link_stays_a_link(mine: Path) -> None:
    Path("real").mkdir()
    mine.rename("real/mine.py")
    mine.symlink_to("real/mine.py")
    kept = write("mine.py", BEFORE, AFTER)
    assert mine.is_symlink() and Path("real/mine.py").read_bytes() == AFTER
    assert Path(kept).read_bytes() == BEFORE and Path(kept).resolve() == Path("real/mine.py.orig").resolve()


def test_another_name_of_the_file_sees_the_change(mine: Path) -> None:
    os.link(mine, "other.py")
    write("mine.py", BEFORE, AFTER)
    assert Path("other.py").read_bytes() == AFTER


def test_what_is_installed_is_nobodys_own() -> None:
    installed = Path(sysconfig.get_paths()["purelib"], "some.py")
    with pytest.raises(BadValue, match=r"some.py is installed, and not yours"):
        write(str(installed), BEFORE, AFTER)
