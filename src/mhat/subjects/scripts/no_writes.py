"""Files that a script writes are written elsewhere, and are gone after its run. It knows no script."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WRITING = frozenset("wax+")


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Let what is opened to be written be a copy in a folder of its own, for a while; it is read from there, too."""
    real = io.open
    written: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        folder = ""

        def opened(file: Any, mode: str = "r", *args: Any, **how: Any) -> Any:
            nonlocal folder
            if isinstance(file, int) or not isinstance(mode, str):
                return real(file, mode, *args, **how)
            path = os.path.abspath(os.fspath(file))  # noqa: PTH100 (a link is what it is called)
            path = os.fsdecode(path)
            if WRITING & set(mode) and not path.startswith(os.devnull) and path not in written:
                if not Path(path).parent.is_dir():
                    return real(file, mode, *args, **how)
                folder = folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="mhat-"))
                written[path] = str(Path(folder, f"{len(written)}{Path(path).suffix}"))
                if Path(path).is_file() and "w" not in mode:
                    with real(written[path], "wb") as copy:
                        copy.write(Path(path).read_bytes())
            return real(written.get(path, file), mode, *args, **how)

        builtins.open = io.open = opened
        try:
            yield
        finally:
            builtins.open = io.open = real
