"""Files that are written: refused beforehand, written beside, and renamed into place when whole. It knows no format.

A file or folder takes its name in one step, when all of it is on the disk: whoever reads the name finds the old one or
the new one, whole. What is not whole lies in a folder `.NAME.XXXXXXXX.part` beside, of a writer's own, which is locked
while the writer lives; what a killed writer has left is known by that, and removed by the next one.
"""

from __future__ import annotations

import errno
import glob
import itertools
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mhat.errors import BadValue, OutputFileError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

# These are folders.
FOLDERS = (".zarr",)
PART = ".part"
# Where a folder lies that is being replaced, for a moment.
OLD = ".old"
# Where no lock tells whether a writer lives, it is given so many seconds.
PATIENCE = 86_400.0
# What a file system says that cannot do what was asked; the next way is tried.
CANNOT = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EMLINK)

Known = Callable[[Path], bool]


def check_output(path: str | Path, endings: tuple[str, ...], *, force: bool = False, ours: Known | None = None) -> Path:
    """Refuse an output before anything is computed.

    Raises OutputFileError if it exists already (unless `force`), if it is a link, if its ending is none of `endings`,
    or if its directory is missing or cannot be written; BadValue if it is no path. `ours` tells what `force` may
    overwrite: a folder is never removed without it, unless it is empty.
    """
    if not isinstance(path, str | Path):
        raise BadValue(f"`{path!r}` is no path", f"Give the path of a file that ends in {', '.join(endings)}.")
    path = Path(path)
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a name that is too long, or has a zero byte in it
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputFileError(f"`{str(path)[:60]}` cannot be written: {said}", "Choose another name.") from None
    if path.suffix.lower() not in endings:
        raise OutputFileError(
            f"`{path}` ends in {repr(path.suffix) if path.suffix else 'nothing that names a format'}",
            f"Choose a name that ends in {', '.join(endings)}.",
        )
    if path.is_symlink():
        raise OutputFileError(f"`{path}` is a link to `{path.readlink()}`", "Name the file itself.")
    if path.exists():
        _check_existing(path, force, ours)
    parent = path.parent
    if not parent.is_dir():
        raise OutputFileError(f"there is no directory `{parent}` to write `{path.name}` into", "Make it first.")
    if not os.access(parent, os.W_OK):
        raise OutputFileError(f"the directory `{parent}` cannot be written", "Choose a directory of your own.")
    return path


def _check_existing(path: Path, force: bool, ours: Known | None) -> None:
    if not force:
        raise OutputFileError(f"`{path}` exists already", "Choose another name, or overwrite it with force=True.")
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode) and path.suffix.lower() not in FOLDERS:
        raise OutputFileError(f"`{path}` is a directory", "Name a file.")
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise OutputFileError(f"`{path}` is no file", "Choose another name.")
    if not _may_be_replaced(path, ours):
        raise OutputFileError(
            f"`{path}` is nothing that mhat has saved, and force=True overwrites only that",
            "Choose another name, or remove it yourself.",
        )


def _may_be_replaced(path: Path, ours: Known | None) -> bool:
    if ours is not None and ours(path):
        return True
    return not any(path.iterdir()) if path.is_dir() else ours is None


@contextmanager
def beside(path: Path, *, force: bool | None = None, ours: Known | None = None) -> Iterator[Path]:
    """Give a name to write to in place of `path`, which takes its place at the end, on the disk and whole.

    What came to stand under the name meanwhile is overwritten if `force`; otherwise, or if it is a folder that is not
    `ours`, what was written is kept under another name. Without `force` or its contrary, what stood there before may
    be overwritten. Raises OutputFileError.
    """
    before = _identity(path)
    with said_of(path):
        _remove_leftovers(path)
        workplace, lock = _workplace(path)
    try:
        partial = workplace / path.name
        yield partial
        with said_of(path):
            _flush(partial)
            unchanged = before is not None and _identity(path) == before
            replace = (unchanged and force is not False) or bool(force and _is_free(path, ours))
            if not _take_name(partial, path, replace=replace):
                raise _taken(partial, path)
            _flush_folder(path.parent)
    finally:
        _remove(workplace)
        if lock is not None:
            os.close(lock)


@contextmanager
def said_of(path: Path) -> Iterator[None]:
    """Say what the system has against writing; raises OutputFileError."""
    try:
        yield
    except OSError as error:
        said = (error.strerror or str(error) or type(error).__name__).splitlines()[0]
        raise OutputFileError(
            f"`{path}` could not be written: {said}", "Free some space, or choose another place."
        ) from None


def _identity(path: Path) -> tuple[int, ...] | None:
    """Tell a file or folder from another that comes to stand under its name."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _is_free(path: Path, ours: Known | None) -> bool:
    return not path.is_dir() or _may_be_replaced(path, ours)


def _workplace(path: Path) -> tuple[Path, int | None]:
    """Make a folder of one's own beside `path`, and lock it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_prefix(path), suffix=PART, dir=path.parent))
        lock = _locked(folder, wait=True)
        # Between the two it may have been taken for a leftover.
        if folder.is_dir():
            return folder, lock
        if lock is not None:
            os.close(lock)


def _locked(folder: Path, *, wait: bool = False) -> int | None:
    """Lock a folder; None where that cannot be done. Raises BlockingIOError where somebody else holds it."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor


def _remove_leftovers(path: Path) -> None:
    """Remove what writers of `path` have left that were killed."""
    for folder in path.parent.glob(f"{glob.escape(_prefix(path))}*{PART}"):
        with suppress(OSError):  # of a writer that lives, or of somebody else
            lock = _locked(folder)
            if lock is None and time.time() - folder.stat().st_mtime < PATIENCE:
                continue
            # Killed while it took the name: what stood there before goes back.
            if (folder / OLD).exists() and not path.exists():
                (folder / OLD).rename(path)
            _remove(folder)
            if lock is not None:
                os.close(lock)


def _prefix(path: Path) -> str:
    return f".{path.name[:100]}."


def _take_name(partial: Path, path: Path, *, replace: bool) -> bool:
    """Give what is written its name; False where something stands there that may not be replaced."""
    if partial.is_dir():
        return _take_name_of_folder(partial, path, replace=replace)
    if replace:
        partial.replace(path)
        return True
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        # A file system without links: the name is claimed first.
        try:
            path.open("xb").close()
        except FileExistsError:
            return False
        partial.replace(path)
    return True


def _take_name_of_folder(partial: Path, path: Path, *, replace: bool) -> bool:
    old = partial.with_name(OLD)
    if replace:
        # No system replaces a folder that holds something.
        with suppress(FileNotFoundError):
            path.rename(old)
    try:
        partial.rename(path)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            return False
        if old.exists():
            old.rename(path)
        raise
    return True


def _taken(partial: Path, path: Path) -> OutputFileError:
    """Keep what is written under a name that is free."""
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    kept = next(name for name in names if _take_name(partial, name, replace=False))
    return OutputFileError(f"`{path}` has been written by somebody else meanwhile", f"This one is kept as `{kept}`.")


def _flush(path: Path) -> None:
    """Bring a file, or all of a folder, to the disk."""
    if path.is_dir():
        for folder, _, files in os.walk(path):
            for name in files:
                _flush(Path(folder, name))
            _flush_folder(Path(folder))
        return
    with path.open("rb+") as file:
        _synchronise(file.fileno())


def _flush_folder(path: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _synchronise(descriptor)
    finally:
        os.close(descriptor)


def _synchronise(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in CANNOT:
            raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
