"""Machine code kept for the next process, in a folder that nobody else can write to. It knows no kernel.

A file is named by the hash of all that its machine code depends on: the text of the function and of what it calls, the
types, the versions, the processor. It begins with the hash of what follows, so that what was cut off or has changed is
thrown away and compiled anew; where nothing can be written nothing is kept. Numba's own cache is not asked, for it
takes code as it finds it, in whatever folder NUMBA_CACHE_DIR names.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from mhat.engines.private_files import folder, read, throw_away, write
from mhat.version import VERSION

SUFFIX = ".kernel"


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
            content = read(path)
            return None if content is None else CompileResult._rebuild(target_context, *pickle.loads(content))
        except FileNotFoundError:
            return None
        except Exception:
            throw_away(path)
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled for types, if it can be read back at all and there is room."""
        where = folder() if self._enabled else None
        if where is None or result.lifted or result.library.has_dynamic_globals:
            return
        path = where / self._file(signature, result.codegen)
        content = dumps(result._reduce())
        write(path, content)

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
            throw_away(path)

    def _file(self, signature: Any, codegen: Any) -> str:
        types = hashlib.sha256(repr((signature, codegen.magic_tuple())).encode()).hexdigest()[:16]
        return f"{self._name}-{hash_of(self._text)}-{types}{SUFFIX}"
