"""What comes out of a process, read somewhat ahead, and what its keeper says of its end. It knows no process."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import threading
import time
from typing import IO, Any

from mhat.subjects.subject import plain_text

CHUNK, AHEAD = 1 << 16, 16  # how much is read at once, and how many of those before anybody asks for them
KEPT = 4000  # bytes that a tail keeps
PATIENCE = 0.5  # seconds in which what has ended is read to its end


class OutOfTimeError(Exception):
    """What was asked for has not come in time."""


class TooMuchError(Exception):
    """More came than anybody asked for."""


class Report:
    """What the keeper says: which process it began, and how that ended."""

    def __init__(self) -> None:
        self.descriptor: int | None = None
        self.text = b""

    def read(self, deadline: float) -> bool:
        """Read on; whether there may be more."""
        if self.descriptor is None:
            return False
        waiting = select.poll()
        waiting.register(self.descriptor, select.POLLIN | select.POLLHUP)
        if not waiting.poll(max(deadline - time.monotonic(), 0.0) * 1000):
            return False
        data = os.read(self.descriptor, 4096)
        self.text += data
        return bool(data)

    def ended(self, deadline: float) -> dict[str, Any]:
        """Give what is said about the end; nothing if it is not said by the deadline."""
        while True:
            for line in self.text.splitlines():
                with contextlib.suppress(ValueError):
                    told: dict[str, Any] = json.loads(line)
                    if "ended" in told:
                        return told
            if not self.read(deadline):
                return {}

    def began(self) -> int | None:
        """Give the number of the process, where it is known."""
        with contextlib.suppress(OSError):
            while self.read(0.0):
                pass
        for line in self.text.splitlines():
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if "began" in told:
                    return int(told["began"])
        return None

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = None


class Reader:
    """Reads a stream somewhat ahead: who floods it waits."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self.stream = stream
        self.over = threading.Event()
        self.chunks: queue.Queue[bytes] = queue.Queue(AHEAD)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.over.is_set():
            try:
                chunk = os.read(self.stream.fileno(), CHUNK)
            except (OSError, ValueError):
                chunk = b""
            self.keep(chunk)
            if not chunk:
                return

    def keep(self, chunk: bytes) -> None:
        """Keep what was read; wait if there is too much of it."""
        while not self.over.is_set():
            try:
                self.chunks.put(chunk, timeout=0.1)
            except queue.Full:
                continue
            return

    def next(self, deadline: float) -> bytes:
        """Give the next chunk, empty at the end; raises OutOfTimeError."""
        try:
            chunk = self.chunks.get(timeout=max(deadline - time.monotonic(), 0.0))
        except queue.Empty:
            raise OutOfTimeError from None
        if not chunk:
            self.chunks.put(chunk)
        return chunk

    def close(self) -> None:
        """Close the stream; one that somebody holds open elsewhere is left to the thread that waits for it."""
        self.over.set()
        self.thread.join(PATIENCE)
        if not self.thread.is_alive():
            close(self.stream)


class LastWords(Reader):
    """Keeps the end of a stream."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.kept = b""
        super().__init__(stream)

    def keep(self, chunk: bytes) -> None:
        self.kept = (self.kept + chunk)[-KEPT:]

    def text(self, patience: float) -> str:
        self.thread.join(patience)
        return plain_text(self.kept.decode(errors="replace")).strip()


def write(stream: IO[bytes], data: bytes) -> None:
    """Write to a pipe, whose other end may be gone."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(data)
        stream.flush()


def close(stream: IO[bytes]) -> None:
    """Close a pipe, whose other end may be gone."""
    with contextlib.suppress(OSError, ValueError):
        stream.close()
