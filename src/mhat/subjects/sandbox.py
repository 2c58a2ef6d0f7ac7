"""Run somebody's own code in this process: quiet, for a limited time, its failures told. It knows no optimizer."""

from __future__ import annotations

import contextlib
import inspect
import io
import linecache
import signal
import site
import sysconfig
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from mhat.errors import MhatError, SubjectError, SubjectHangs
from mhat.subjects.subject import Source

LIMIT = 60.0  # seconds
_OWN = str(Path(__file__).resolve().parent.parent)
_LIBRARIES = tuple(
    str(Path(folder).resolve())
    for folder in {*site.getsitepackages(), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}
)


class _OutOfTime(BaseException):
    """Raised inside of the code that runs too long; no Exception, so that the code does not catch it."""


@contextlib.contextmanager
def guarded(name: str, limit: float = LIMIT) -> Iterator[None]:
    """Run a subject's code: warnings and prints are kept quiet, and whatever it raises becomes a SubjectError."""
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            np.errstate(all="ignore"),
            _limited(limit),
        ):
            warnings.simplefilter("ignore")
            yield
    except _OutOfTime:
        raise SubjectHangs(
            name, f"did not end within {limit:g} seconds", "Look for a loop without an end, or give it longer."
        ) from None
    except MhatError:
        raise
    except SystemExit as error:
        raise SubjectError(
            name, f"ended the program with exit({error.code!r})", "Let it return instead.", place_of(error)
        ) from error
    except Exception as error:
        raise raised(name, error) from error


def raised(name: str, error: BaseException) -> SubjectError:
    """Say what a subject raised, and at which line of its own file."""
    text = " ".join(str(error).split())
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    said = f"{type(error).__name__}: {shown}" if shown else type(error).__name__
    return SubjectError(name, f"raised {said}", "Mend it, or check the shapes it is given.", place_of(error))


def place_of(error: BaseException) -> str:
    """Show the innermost line of the user's own code that an exception passed through; nothing if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_users(frame.filename)]
    if not own:
        return ""
    frame = own[-1]
    line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    where = f"{Path(frame.filename).name}, line {frame.lineno}"
    return f"{where}: {line}" if line else where


def _is_users(filename: str) -> bool:
    if filename.startswith("<frozen"):
        return False
    path = str(Path(filename).resolve()) if not filename.startswith("<") else filename
    return not path.startswith((_OWN, *_LIBRARIES))


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Interrupt what runs longer, where the system can: in the main thread of a Unix process."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, interrupt)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)


def source_of(thing: Callable[..., Any]) -> Source | None:
    """Give the text of a function or class, if it is at hand."""
    try:
        lines, first = inspect.getsourcelines(thing)
        file = inspect.getsourcefile(thing)
    except (OSError, TypeError):
        return None
    return Source(file or "", max(first, 1), "".join(lines))
