"""Machine code kept for the next process, in a folder that nobody else can write to. It knows no kernel.

A file is named by the hash of all that its machine code depends on: the text of the function and of what it calls, the
types, the versions, the processor. It begins with the hash of what follows, so that what was cut off or has changed is
thrown away and compiled anew; where nothing can be written nothing is kept. Numba's own cache is not asked, for it
takes code as it finds it, in whatever folder NUMBA_CACHE_DIR names.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import stat
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import platformdirs
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from mhat.version import VERSION

FOLDER = "MHAT_CACHE_DIR"
SUFFIX = ".kernel"
# A link that lies there is not followed.
_READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_LENGTH = hashlib.sha256().digest_size


def keep(dispatcher: Any, text: str) -> Any:
    """Let what Numba compiles of a function be read back by the next process.

    `text`: what its machine code depends on beside its own code and what kernels call.
    """
    # Where NUMBA_DISABLE_JIT is set it is a plain function.
    if hasattr(dispatcher, "enable_caching"):
        function = dispatcher.py_func
        code = function.__code__
        constants = [value for value in code.co_consts if not hasattr(value, "co_code")]
        own = (function.__module__, function.__qualname__, code.co_code.hex(), code.co_names, constants)
        dispatcher._cache = _Kept(function.__qualname__, f"{text}\n{own}")
    return dispatcher


def hash_of(text: str) -> str:
    """Give the hash of a text, and of all that its machine code depends on beside it."""
    parts = [text, _code_called(), VERSION, numba.__version__, llvmlite.__version__, sys.version, _processor()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@cache
def _processor() -> str:
    return f"{platform.machine()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


@cache
def _code_called() -> str:
    """Give the text of all that printed modules call: a change of it makes other machine code."""
    here = Path(__file__).parent
    house = here.parents[1]
    files = [*sorted(here.glob("*.py")), house / "dtypes.py", house / "ops" / "powers.py", house / "ops" / "tensors.py"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


class _Kept:
    """What a dispatcher of Numba asks for machine code, and hands it to: the methods of `numba.core.caching._Cache`."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._enabled = True

    @property
    def cache_path(self) -> str | None:
        """The folder, for Numba's statistics."""
        where = folder()
        return None if where is None else str(where)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Read what was compiled for types, None where it is not there, or not as it was written."""
        target_context.refresh()
        where = folder() if self._enabled else None
        if where is None:
            return None
        path = where / self._file(signature, target_context.codegen())
        try:
            content = _read(path)
            return None if content is None else CompileResult._rebuild(target_context, *pickle.loads(content))
        except FileNotFoundError:
            return None
        except Exception:
            _throw_away(path)
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled for types, if it can be read back at all and there is room."""
        where = folder() if self._enabled else None
        if where is None or result.lifted or result.library.has_dynamic_globals:
            return
        path = where / self._file(signature, result.codegen)
        content = dumps(result._reduce())
        # Written beside and renamed into place: writers at the same time write the same.
        part = None
        try:
            with tempfile.NamedTemporaryFile(dir=where, suffix=".part", delete=False) as file:
                part = Path(file.name)
                file.write(hashlib.sha256(content).digest() + content)
            part.replace(path)
        except OSError:
            if part is not None:
                _throw_away(part)

    def enable(self) -> None:
        """Keep from now on."""
        self._enabled = True

    def disable(self) -> None:
        """Keep nothing from now on."""
        self._enabled = False

    def flush(self) -> None:
        """Throw away what is kept of the function."""
        where = folder()
        for path in where.glob(f"{self._name}-{hash_of(self._text)}-*{SUFFIX}") if where else ():
            _throw_away(path)

    def _file(self, signature: Any, codegen: Any) -> str:
        types = hashlib.sha256(repr((signature, codegen.magic_tuple())).encode()).hexdigest()[:16]
        return f"{self._name}-{hash_of(self._text)}-{types}{SUFFIX}"


def _read(path: Path) -> bytes | None:
    """Read a file of the user's own; None where its content is not that which was written."""
    with os.fdopen(os.open(path, _READING), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or not _is_mine(found):
            return None
        content = file.read()
    if hashlib.sha256(content[_LENGTH:]).digest() != content[:_LENGTH]:
        _throw_away(path)
        return None
    return content[_LENGTH:]


def _throw_away(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def folder() -> Path | None:
    """Find the folder to keep code in; None where there is none that is the user's alone."""
    for candidate in _folders():
        if _is_private(candidate):
            return candidate
    wanted = os.environ.get(FOLDER)
    if wanted:
        _warn(wanted)
    return None


def _folders() -> list[Path]:
    """List where code may be kept: the folder asked for, the user's cache, the system's temporary folder."""
    wanted = os.environ.get(FOLDER)
    if wanted:
        return [Path(wanted)]
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    own = Path(tempfile.gettempdir()) / f"mhat-kernels-{owner}"
    return [platformdirs.user_cache_path("mhat", appauthor=False) / "kernels", own]


def _is_private(candidate: Path) -> bool:
    """Whether a folder, made if it is not there, is one that only the user can write to: what lies there is run."""
    try:
        candidate.mkdir(mode=0o700, parents=True, exist_ok=True)
        found, itself = candidate.stat(), candidate.lstat()
    except OSError:
        return False
    # The link itself too, where it is one: its owner can let it point elsewhere.
    return _is_mine(found) and _is_mine(itself) and os.access(candidate, os.W_OK)


def _is_mine(found: os.stat_result) -> bool:
    """Whether a file or folder is the user's own, and nobody else can write to it; a link has no mode of its own."""
    if not hasattr(os, "getuid"):
        return True
    written_by_others = not stat.S_ISLNK(found.st_mode) and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return found.st_uid == os.getuid() and not written_by_others


@cache
def _warn(named: str) -> None:
    warnings.warn(
        f"{FOLDER}={named} is not used, and compiled kernels are not kept: "
        "it must be a folder that you own and that nobody else can write to.",
        stacklevel=2,
    )
