"""Printed kernels as importable modules, compiled once and kept on disk for the next process. It knows no rule.

A module's name is the hash of its text, of the code that it calls, and of the versions and the processor that its
machine code depends on. Files are written beside and renamed into place, with one modification time, by which Numba
knows them again: writers at the same time write the same. Where no folder can be written, nothing is kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import linecache
import os
import platform
import stat
import sys
import tempfile
import threading
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType

import llvmlite
import llvmlite.binding as llvm
import numba
import platformdirs

from mhat.version import VERSION

FOLDER = "MHAT_CACHE_DIR"
# Any fixed time will do.
TIME = 1_000_000_000

_LOCK = threading.RLock()


def module_of(text: str) -> ModuleType:
    """Import a printed module; in it, `KEPT` says whether Numba is to keep what it compiles."""
    name = f"mhat_kernel_{_hash(text)}"
    with _LOCK:
        known = sys.modules.get(name)
        if known is not None:
            return known
        for folder in _folders():
            path = _written(folder, name, text)
            if path is not None:
                return _imported(name, path)
        if FOLDER in os.environ:
            _warn(os.environ[FOLDER])
        return _made_in_memory(name, text)


@cache
def _warn(folder: str) -> None:
    warnings.warn(
        f"{FOLDER}={folder} is not used, and compiled kernels are not kept: "
        "it must be a folder that you own and that nobody else can write to.",
        stacklevel=2,
    )


def _hash(text: str) -> str:
    parts = [text, _code_called(), VERSION, numba.__version__, llvmlite.__version__, sys.version, _processor()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@cache
def _processor() -> str:
    return f"{platform.machine()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


@cache
def _code_called() -> str:
    """Give the text of all that printed modules call: a change of it makes other machine code."""
    here = Path(__file__).parent
    files = [*sorted(here.glob("*.py")), here.parents[1] / "ops" / "powers.py", here.parents[1] / "ops" / "tensors.py"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _folders() -> list[Path]:
    """List where kernels may be kept: the folder asked for, the user's cache, the system's temporary folder."""
    if FOLDER in os.environ:
        return [Path(os.environ[FOLDER])]
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    own = Path(tempfile.gettempdir()) / f"mhat-kernels-{owner}"
    return [platformdirs.user_cache_path("mhat", appauthor=False) / "kernels", own]


def _written(folder: Path, name: str, text: str) -> Path | None:
    """Write the module if it is not there; None where this cannot be done, or the folder is somebody else's."""
    path = folder / f"{name}.py"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _own(folder):
            return None
        # Numba writes beside the module, so a folder that cannot be written is of no use even if the module is there.
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".part", delete=False, encoding="utf-8") as file:
            file.write(text)
        part = Path(file.name)
        if path.exists() and path.read_text("utf-8") == text:
            part.unlink()
            return path
        os.utime(part, (TIME, TIME))
        part.replace(path)
    except OSError:
        return None
    return path


def _own(folder: Path) -> bool:
    """Whether nobody else may write into a folder: what lies there is run."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    # The link itself too, where it is one: its owner can let it point elsewhere.
    owners = {found.st_uid, folder.lstat().st_uid}
    return owners == {os.getuid()} and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _imported(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Numba looks the module up by its name when it reads compiled code back.
    sys.modules[name] = module
    module.__dict__["KEPT"] = True
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _made_in_memory(name: str, text: str) -> ModuleType:
    module = ModuleType(name)
    module.__dict__["KEPT"] = False
    module.__file__ = f"<{name}>"
    # Numba asks for the source of what it compiles.
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    sys.modules[name] = module
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    return module
