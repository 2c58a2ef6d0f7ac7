"""What can be said of a file before it is read, and of what a library says when it cannot. It knows no format."""

from __future__ import annotations

import difflib
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mhat.errors import BadValue, InputFileError, MhatError
from mhat.notation import cut

# These are folders.
FOLDERS = (".zarr",)
KINDS = {stat.S_IFIFO: "pipe", stat.S_IFCHR: "device", stat.S_IFBLK: "device", stat.S_IFSOCK: "socket"}
LONGEST = 200


def check_input(path: str | Path, endings: Iterable[str]) -> Path:
    """Give the file of a path; refuse it where it cannot be read, before it is opened.

    Raises InputFileError if it is missing, empty, a folder, a pipe or a device, or has none of the endings; BadValue
    if it is no path.
    """
    if not isinstance(path, str | Path):
        raise BadValue(f"`{cut(repr(path))}` is no path", "Give the path of a file, such as 'gradients.csv'.")
    file = _at_home(Path(path))
    _check_ending(file, tuple(endings))
    try:
        mode, size = (found := file.stat()).st_mode, found.st_size
    except FileNotFoundError:
        raise InputFileError(f"there is no file {file}", _nearest(file)) from None
    except (OSError, ValueError) as error:  # a name that is too long, a folder that may not be entered
        raise InputFileError(f"{cut(str(file))} cannot be read: {line_of(error)}", "Check the path.") from None
    if stat.S_ISDIR(mode):
        if file.suffix.lower() not in FOLDERS:
            raise InputFileError(f"{file} is a directory", "Give a file in it.")
    elif not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "special file")
        raise InputFileError(f"{file} is a {kind} and no file", "Write what comes out of it to a file, and give that.")
    elif size == 0:
        raise InputFileError(f"{file} is empty", "Give a file with at least one step.")
    return file


@contextmanager
def reading(file: Path, cure: str, what: str = "cannot be read", of: str = "") -> Iterator[None]:
    """Say in one sentence what a library has against a file: libraries raise what they like. Raises InputFileError."""
    try:
        yield
    except MhatError:
        raise
    except MemoryError:
        raise InputFileError(f"{file} does not fit into memory", "Give a part of it.") from None
    except Exception as error:
        raise InputFileError(f"{file}{of} {what}: {line_of(error)}", cure) from error


def line_of(error: BaseException) -> str:
    """Give the first line of what an error says, cut; of one of the system the words without number and name."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return cut((said.strip() or type(error).__name__).splitlines()[0], LONGEST)


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user
        return path


def _check_ending(file: Path, endings: tuple[str, ...]) -> None:
    if file.suffix.lower() in endings:
        return
    has = f"has the ending `{cut(file.suffix)}`, which mhat does not read" if file.suffix else "has no ending"
    raise InputFileError(f"{cut(str(file))} {has}", "It reads: " + " ".join(endings) + ".")


def _nearest(file: Path) -> str:
    if not file.parent.is_dir():
        return f"There is no folder {file.parent} either; check the path."
    try:
        names = [each.name for each in file.parent.iterdir()]
    except OSError:
        names = []
    near = difflib.get_close_matches(file.name, names, n=1, cutoff=0.6)
    return f"Did you mean {file.parent / near[0]}?" if near else f"Check the path; it was looked up in {Path.cwd()}."
