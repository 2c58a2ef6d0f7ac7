"""A process that answers a line with a line, ended with all its children. It knows neither JSON nor optimizers."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, Any

from mhat.errors import SubjectError

GRACE = 0.5  # seconds between asking a process to end and ending it
SHOWN = 1000  # characters of its stderr that are shown
_END = None


class OutOfTimeError(Exception):
    """There was no line within the limit."""


class Process:
    """One process in a group of its own; it is ended when this object is, at the latest."""

    def __init__(self, name: str, arguments: Sequence[str] | str, environment: Mapping[str, str] | None = None) -> None:
        self.asked = 0
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=None if environment is None else {**os.environ, **environment},
                **_own_group(),
            )
        except (OSError, ValueError) as error:
            self._errors.close()
            reason = getattr(error, "strerror", None) or str(error)
            raise SubjectError(
                name, f"could not be started: {reason}", "Check the command, and whether it may be executed."
            ) from None
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_read, args=(self._process.stdout, self._lines), daemon=True).start()
        self.end = weakref.finalize(self, _end, self._process, self._errors)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.end.alive and self._process.poll() is None

    def send(self, line: str) -> None:
        """Give it a line, without waiting until it reads it."""
        self.asked += 1
        data = line.encode() + b"\n"
        threading.Thread(target=_write, args=(self._process.stdin, data), daemon=True).start()

    def close_input(self) -> None:
        """Tell it that no more lines come, once the last has been read."""
        threading.Thread(target=_close, args=(self._process.stdin,), daemon=True).start()

    def receive(self, limit: float) -> str | None:
        """Wait for its next line that is not empty; None if it ended instead. Raises OutOfTimeError."""
        deadline = time.monotonic() + limit
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                raise OutOfTimeError from None
            if line is _END:
                self._lines.put(_END)
                return None
            text = line.decode(errors="replace").strip()
            if text:
                return text

    def how_it_ended(self) -> str:
        """Say how it ended: its exit code, or the signal."""
        try:
            code = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            return "closed its output"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def said(self) -> str:
        """Give the end of what it wrote to stderr."""
        if not self.end.alive:
            return ""
        self._errors.flush()
        length = os.fstat(self._errors.fileno()).st_size
        self._errors.seek(max(length - SHOWN, 0))
        text = self._errors.read().decode(errors="replace").strip()
        self._errors.seek(0, os.SEEK_END)
        return text if length <= SHOWN else f"...{text}"


def _own_group() -> dict[str, Any]:
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}


def _read(stream: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            lines.put(line)
    lines.put(_END)


def _write(stream: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.write(data)
        stream.flush()


def _close(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.close()


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    """Ask the process and its children to end, then end them."""
    _signal(process, "SIGTERM")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal(process, "SIGKILL")
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            _close(stream)
    errors.close()


def _signal(process: subprocess.Popen[bytes], name: str) -> None:
    if os.name == "nt":
        process.terminate()
        return
    # The group is there as long as one of its members is, also after the process itself has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, getattr(signal, name))
