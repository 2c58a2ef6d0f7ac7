"""Run somebody's own code in this process: quiet, for a limited time, its failures told. It knows no optimizer.

What such code can do to a process is not undone here: `processes` keep it apart.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import linecache
import math
import os
import site
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import SubjectError, SubjectHangs
from mhat.language.source import SourceText
from mhat.notation.decimals import exact
from mhat.subjects.clock import OutOfTime, limited
from mhat.subjects.subject import plain_text

LIMIT, UNLIMITED = 60.0, math.inf  # seconds
PYTHON_2 = "That is Python 2."
GONE = frozenset({"xrange", "raw_input", "unicode", "basestring", "iteritems", "itervalues", "iterkeys", "has_key",
                  "izip", "reduce", "long", "unichr"})  # fmt: skip
_OWN = str(Path(__file__).resolve().parent.parent)
_LIBRARIES = tuple(
    str(Path(folder).resolve())
    for folder in {*site.getsitepackages(), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}
)


class Unheard(io.TextIOBase):
    """Takes whatever is printed and keeps nothing of it."""

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


def _nobody() -> None:
    """Tell nobody that a run begins."""


@dataclass(frozen=True)
class Guard:
    """How a subject's code is run: how many seconds a run may take, who is told of one, who hears its errors."""

    limit: float = LIMIT
    begins: Callable[[], None] = _nobody
    errors: Callable[[], Any] = Unheard

    @contextlib.contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Run a subject's code: prints and warnings are kept quiet, and whatever it raises becomes a SubjectError."""
        self.begins()
        process = os.getpid()
        try:
            with quiet(self.errors()), np.errstate(all="ignore"), limited(self.limit):
                yield
        except OutOfTime:
            raise SubjectHangs(
                name,
                f"did not end within {exact(float(self.limit))} seconds",
                "Look for a loop without an end, or give it longer.",
            ) from None
        except SubjectError as error:
            if error.subject != name:
                raise raised(name, error) from error
            raise
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            what = f"ended the program with exit({words_of(error.code, repr)})"
            raise SubjectError(name, what, "Let it return instead.", place_of(error)) from error
        except BaseException as error:
            raise raised(name, error) from error
        finally:
            if os.getpid() != process:
                # A copy of the process that the subject has made, and that has come back in its place.
                os._exit(0)


USUAL_GUARD = Guard()


@contextlib.contextmanager
def quiet(errors: Any = None) -> Iterator[None]:
    """Let what is printed be heard by nobody, but errors if somebody is given, and no warning be raised or shown."""
    heard = Unheard() if errors is None else errors
    with warnings.catch_warnings(), contextlib.redirect_stdout(Unheard()), contextlib.redirect_stderr(heard):
        warnings.simplefilter("ignore")
        yield


def raised(name: str, error: BaseException) -> SubjectError:
    """Say what a subject raised, and at which line of its own file."""
    cure = f"{PYTHON_2} Mend it." if _is_of_python_2(error) else "Mend it, or check the shapes it is given."
    return SubjectError(name, f"raised {told(error)}", cure, place_of(error))


def _is_of_python_2(error: BaseException) -> bool:
    """Whether an exception is about a name that Python 3 does not have any more."""
    return isinstance(error, NameError | AttributeError) and error.name in GONE


def told(error: BaseException) -> str:
    """Say an exception in one line."""
    text = words_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def words_of(value: Any, written: Callable[[Any], str] = str) -> str:
    """Write what a subject made in one line, cut; it may refuse to be written."""
    try:
        text = " ".join(plain_text(written(value)).split())
    except Exception:
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= 200 else f"{text[:200]}..."


def place_of(error: BaseException) -> str:
    """Show the innermost line of the user's own code that an exception passed through; nothing if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_users(frame.filename)]
    if not own:
        return ""
    frame = own[-1]
    line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    where = f"{Path(frame.filename).name}, line {frame.lineno}"
    return f"{where}: {line}" if line else where


def is_users(filename: str) -> bool:
    """Whether a file is the user's own, and neither mhat's nor a library's."""
    if filename.startswith("<frozen"):
        return False
    path = str(Path(filename).resolve()) if not filename.startswith("<") else filename
    return not path.startswith((_OWN, *_LIBRARIES))


def source_of(thing: Callable[..., Any]) -> SourceText | None:
    """Give the text of a function or class, if it is at hand."""
    try:
        lines, first = inspect.getsourcelines(thing)
        file = inspect.getsourcefile(thing)
    except (OSError, TypeError):
        return None
    return SourceText("".join(lines), file or "", max(first, 1))
