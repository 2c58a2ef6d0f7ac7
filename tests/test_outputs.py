"""Files that are written take their names whole, on the disk, and never those of others."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mhat import outputs
from mhat.errors import MhatError, OutputFileError
from mhat.outputs import beside, check_output


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def fill(partial: Path, text: str) -> None:
    """Write a file, or a folder with files in it."""
    if partial.suffix == ".zarr":
        (partial / "c").mkdir(parents=True)
        (partial / "zarr.json").write_text(text)
        (partial / "c" / "0").write_text(text)
    else:
        partial.write_text(text)


def text_in(path: str) -> str:
    return (Path(path, "c", "0") if path.endswith(".zarr") else Path(path)).read_text()


def always(path: Path) -> bool:
    return True


@pytest.mark.parametrize("name", ["t.nc", "t.zarr"])
def test_a_name_is_taken_at_the_end(name: str) -> None:
    with beside(Path(name)) as partial:
        fill(partial, "new")
        assert not Path(name).exists()
        assert partial.name == name and partial.parent.name.startswith(f".{name}.")
    assert text_in(name) == "new" and names() == [name]


@pytest.mark.parametrize("name", ["t.nc", "t.zarr"])
def test_what_came_meanwhile_is_not_overwritten_and_nothing_is_lost(name: str) -> None:
    """The check for an existing output is made again when the name is taken."""
    for number in ("2", "3"):
        with pytest.raises(OutputFileError) as error, beside(Path(name), force=False) as partial:
            fill(partial, number)
            if number == "2":
                fill(Path(name), "theirs")
        stem, _, ending = name.partition(".")
        assert str(error.value) == (
            f"`{name}` has been written by somebody else meanwhile\nThis one is kept as `{stem}-{number}.{ending}`."
        )
        assert text_in(f"{stem}-{number}.{ending}") == number
    assert text_in(name) == "theirs" and len(names()) == 3


@pytest.mark.parametrize("name", ["t.nc", "t.zarr"])
def test_force_overwrites_what_came_meanwhile(name: str) -> None:
    with beside(Path(name), force=True, ours=always) as partial:
        fill(partial, "mine")
        fill(Path(name), "theirs")
    assert text_in(name) == "mine" and names() == [name]


def test_force_overwrites_no_folder_that_is_not_ours() -> None:
    with (
        pytest.raises(OutputFileError, match=r"meanwhile\nThis one is kept as `t-2.zarr`"),
        beside(Path("t.zarr"), force=True, ours=lambda path: False) as partial,
    ):
        fill(partial, "mine")
        fill(Path("t.zarr"), "theirs")
    assert text_in("t.zarr") == "theirs" and text_in("t-2.zarr") == "mine"


@pytest.mark.parametrize("name", ["t.nc", "t.zarr"])
def test_what_was_there_before_and_is_unchanged_gives_way(name: str) -> None:
    """Where `check_output` has let it pass."""
    fill(Path(name), "old")
    with beside(Path(name)) as partial:
        fill(partial, "new")
    assert text_in(name) == "new" and names() == [name]
    with pytest.raises(OutputFileError, match="written by somebody else"), beside(Path(name), force=False) as partial:
        fill(partial, "newer")


@pytest.mark.parametrize("name", ["t.nc", "t.zarr"])
def test_many_writers_at_once_lose_nothing(name: str) -> None:
    """Each has a folder of its own: one gets the name, the others are told where theirs is."""
    kept: list[str] = []
    ready = threading.Barrier(6)

    def write(number: int) -> None:
        try:
            with beside(Path(name), force=False) as partial:
                ready.wait()
                fill(partial, str(number))
            kept.append(name)
        except OutputFileError as error:
            kept.append(error.cure.split("`")[1])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept) == names() and len(set(kept)) == 6
    assert sorted(text_in(each) for each in kept) == list("012345")


KILLED = """
import os, signal, sys
from pathlib import Path
from mhat.outputs import beside
with beside(Path("t.nc")) as partial:
    partial.write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_has_is_not() -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    assert len(names()) == 2
    writers[0].send_signal(signal.SIGKILL)
    writers[0].communicate()
    with beside(Path("t.nc")) as partial:
        fill(partial, "whole")
    assert len(names()) == 2 and text_in("t.nc") == "whole"
    _, said = writers[1].communicate("")
    assert "This one is kept as `t-2.nc`." in said
    assert names() == ["t-2.nc", "t.nc"] and text_in("t-2.nc") == "half"


def test_where_no_lock_tells_a_leftover_is_removed_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "fcntl", None)
    for age in (0.0, 2 * outputs.PATIENCE):
        leftover = Path(f".t.nc.{age}.part")
        leftover.mkdir()
        os.utime(leftover, (time.time() - age,) * 2)
    Path(".other.nc.x.part").mkdir()
    with beside(Path("t.nc")) as partial:
        fill(partial, "new")
    assert names() == [".other.nc.x.part", ".t.nc.0.0.part", "t.nc"]


def test_a_store_that_was_being_replaced_by_a_killed_writer_comes_back() -> None:
    fill(Path("t.zarr"), "old")
    Path(".t.zarr.abc.part").mkdir()
    Path("t.zarr").rename(Path(".t.zarr.abc.part", outputs.OLD))
    with pytest.raises(RuntimeError), beside(Path("t.zarr")):
        raise RuntimeError
    assert text_in("t.zarr") == "old" and names() == ["t.zarr"]


def test_a_file_system_without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    for kept in ("t.nc", "t-2.nc", "t-3.nc"):
        try:
            with beside(Path("t.nc"), force=False) as partial:
                fill(partial, kept)
        except OutputFileError as error:
            assert f"`{kept}`" in error.cure
        assert text_in(kept) == kept
    assert names() == ["t-2.nc", "t-3.nc", "t.nc"]


@pytest.mark.parametrize("name", ["t.nc", "t.zarr"])
def test_all_is_on_the_disk_before_the_name_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []
    flush = os.fsync

    def watched(descriptor: int) -> None:
        seen.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, Path(name).exists()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    with beside(Path(name)) as partial:
        fill(partial, "new")
    before = {file for file, there in seen if not there}
    assert before == ({"t.nc"} if name == "t.nc" else {"0", "zarr.json", "c", "t.zarr"})
    assert seen[-1] == (Path.cwd().name, True)


def test_a_disk_that_fails_at_last_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputFileError) as error, beside(Path("t.nc")) as partial:
        fill(partial, "new")
    assert str(error.value) == (
        "`t.nc` could not be written: No space left on device\nFree some space, or choose another place."
    )
    assert names() == []


def test_a_link_is_refused_beforehand() -> None:
    """Also one that leads nowhere, and with force: what it leads to is not ours to overwrite."""
    Path("link.nc").symlink_to("elsewhere.nc")
    for force in (False, True):
        with pytest.raises(OutputFileError) as error:
            check_output("link.nc", (".nc",), force=force)
        assert str(error.value) == "`link.nc` is a link to `elsewhere.nc`\nName the file itself."


NOT_OURS = (
    "`t.zarr` is nothing that mhat has saved, and force=True overwrites only that\n"
    "Choose another name, or remove it yourself."
)


def test_force_removes_no_folder_that_it_does_not_know() -> None:
    Path("t.zarr").mkdir()
    assert check_output("t.zarr", (".zarr",), force=True) == Path("t.zarr")
    Path("t.zarr", "thesis.tex").write_text("years of work")
    for ours in (None, lambda path: False):
        with pytest.raises(OutputFileError) as error:
            check_output("t.zarr", (".zarr",), force=True, ours=ours)
        assert str(error.value) == NOT_OURS
    assert check_output("t.zarr", (".zarr",), force=True, ours=always) == Path("t.zarr")


def test_what_is_no_file_is_not_overwritten() -> None:
    os.mkfifo("t.csv")
    with pytest.raises(OutputFileError) as error:
        check_output("t.csv", (".csv",), force=True)
    assert str(error.value) == "`t.csv` is no file\nChoose another name."


NAMES = {
    "longer than names can be": (300 * "a" + ".csv", f"`{60 * 'a'}` cannot be written: File name too long"),
    "with a zero byte": ("a\0b.csv", "`a\0b.csv` cannot be written: embedded null byte"),
    "no path": (3, "`3` is no path\nGive the path of a file that ends in .csv."),
    "nothing": (None, "`None` is no path"),
}


@pytest.mark.parametrize("case", NAMES.values(), ids=NAMES)
def test_what_cannot_be_a_name(case: tuple[Any, str]) -> None:
    with pytest.raises(MhatError) as error:
        check_output(case[0], (".csv",))
    assert case[1] in str(error.value)


def test_a_name_as_long_as_names_can_be() -> None:
    name = 251 * "a" + ".csv"
    with beside(Path(name)) as partial:
        fill(partial, "new")
    assert names() == [name]
