"""Printed kernels as modules, made once in a process; what Numba compiles of them is kept. It knows no rule."""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import Any

import numba

from mhat.engines.kernels.cache import hash_of, keep
from mhat.engines.kernels.lowering import NotLowered
from mhat.engines.private_files import folder

_LOCK = threading.RLock()


class NotCompiled(NotLowered):
    """A printed kernel that Numba does not compile; the arrays engine runs the rule."""


def module_of(text: str) -> ModuleType:
    """Make a printed module; in it, `kept` marks the functions whose machine code is kept. Raises NotCompiled."""
    if numba.config.DISABLE_JIT:
        raise NotCompiled("NUMBA_DISABLE_JIT is set")
    name = f"mhat_kernel_{hash_of(text)}"
    with _LOCK:
        known = sys.modules.get(name)
        return _made(name, text) if known is None else known


def _made(name: str, text: str) -> ModuleType:
    # Whoever asked for a folder that cannot be used hears of it here, and not from inside the compiler.
    folder()
    module = ModuleType(name)
    module.__dict__["kept"] = partial(keep, text=text)
    module.__file__ = f"<{name}>"
    # Numba asks for the source of what it compiles.
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    # And it looks the module up by its name when it reads compiled code back.
    sys.modules[name] = module
    try:
        exec(compile(text, module.__file__, "exec"), module.__dict__)
    except BaseException as error:
        del sys.modules[name], linecache.cache[module.__file__]
        if isinstance(error, Exception):
            raise NotCompiled(_said(error)) from error
        raise
    return module


def compile_for(kernel: Any, given: Sequence[Any]) -> None:
    """Compile a kernel for what it will be called with; raises NotCompiled. Nothing is done with the arguments."""
    try:
        kernel.compile(tuple(map(numba.typeof, given)))
    except Exception as error:
        raise NotCompiled(_said(error)) from error


def _said(error: Exception) -> str:
    """Say in a line what the compiler met: its messages begin with its passes, and end in places of the kernel."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Failed in")]
    return ": ".join([type(error).__name__, *lines[:1]])
