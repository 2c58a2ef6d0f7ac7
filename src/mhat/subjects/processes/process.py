"""A process of a subject, with everything that it starts. It knows neither JSON nor optimizers.

A keeper stands in between (see `keeper`); where a system has no such thing (Windows) the process is ended alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhat.errors import SubjectError
from mhat.subjects.processes import keeper
from mhat.subjects.processes.pipes import LastWords, Reader, Report, TooMuchError, close, write

GRACE = 0.5  # seconds between asking a process to end and ending it
SHOWN = 1000  # characters of its stderr that are shown
PROCESSES = 200
SHARE = 0.5  # of the memory of the machine, which a subject may use if nobody says how much
START = (
    "import json, sys; told = json.loads(sys.argv[1]); sys.path[:] = told.pop('path'); "
    "from mhat.subjects.processes.keeper import keep; keep(**told)"
)
ALONE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {} import main; main()"
GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Allowance:
    """What a process may use, its children included: bytes of memory (None: half of what there is), and how many."""

    memory: float | None = None
    processes: int = PROCESSES

    @property
    def bytes(self) -> float | None:
        """The memory in bytes, where it is known."""
        return self.memory if self.memory is not None else _half_of_memory()


@dataclass(frozen=True)
class EndOfProcess:
    """How a process ended, in words: what, and the cure where one is known; `by_itself`: with an exit code."""

    what: str
    cure: str = ""
    started: bool = True
    by_itself: bool = False


def _half_of_memory() -> float | None:
    """Give half of the memory of this machine, or of what a container may use of it."""
    known = []
    with contextlib.suppress(OSError, ValueError, AttributeError):
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for name in GROUPS:
        with contextlib.suppress(OSError, ValueError):
            known.append(int(Path(name).read_text(encoding="ascii")))
    return SHARE * min(known) if known else None


class Process:
    """One process; it is ended when this object is, at the latest.

    `arguments`: a command line, or with `module` a module of Python whose `main` is run.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str] | str = (),
        *,
        module: str | None = None,
        environment: Mapping[str, str] | None = None,
        allowance: Allowance | None = None,
        grace: float = GRACE,
    ) -> None:
        self.asked = 0
        self.allowance = allowance or Allowance()
        self._report = Report()
        try:
            started, control = self._started(arguments, module, environment, grace)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SubjectError(name, *_not_started(reason)) from None
        self._process = started
        self._answers = Reader(started.stdout)
        self._words = LastWords(started.stderr)
        self._left = bytearray()
        self.end = weakref.finalize(self, _end, started, control, self._report, (self._answers, self._words))

    def _started(
        self, arguments: Sequence[str] | str, module: str | None, environment: Mapping[str, str] | None, grace: float
    ) -> tuple[subprocess.Popen[bytes], int | None]:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        pipes["env"] = None if environment is None else {**os.environ, **environment}
        if os.name == "nt":
            alone = [sys.executable, "-c", ALONE.format(module), json.dumps(sys.path)]
            pipes["creationflags"] = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            return subprocess.Popen(arguments if module is None else alone, **pipes), None
        told = {
            "arguments": list(arguments), "module": module, "grace": grace,
            "memory": self.allowance.bytes, "processes": self.allowance.processes,
        }  # fmt: skip
        ours, theirs = (os.pipe() for _ in range(2))
        try:
            told |= {"control": ours[0], "report": theirs[1]}
            if module is None:
                whole = [sys.executable, "-I", "-S", keeper.__file__, json.dumps(told)]
            else:
                whole = [sys.executable, "-c", START, json.dumps({**told, "path": sys.path})]
            kept_open = (ours[0], theirs[1])
            process = subprocess.Popen(whole, **pipes, pass_fds=kept_open, start_new_session=True)
        except BaseException:
            os.close(ours[1])
            os.close(theirs[0])
            raise
        finally:
            os.close(ours[0])
            os.close(theirs[1])
        self._report.descriptor = theirs[0]
        return process, ours[1]

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.end.alive and self._process.poll() is None

    def send(self, data: bytes) -> None:
        """Give it something to read, without waiting until it does."""
        self.asked += 1
        threading.Thread(target=write, args=(self._process.stdin, data), daemon=True).start()

    def close_input(self) -> None:
        """Tell it that nothing more comes, once the last has been read."""
        threading.Thread(target=close, args=(self._process.stdin,), daemon=True).start()

    def receive_line(self, deadline: float, most: int) -> bytes | None:
        """Wait for its next line that is not blank; None if it ended instead.

        Raises OutOfTimeError at the deadline (as `time.monotonic` counts), TooMuchError for a longer line.
        """
        searched = taken = 0
        while True:
            # Blank lines: nobody waits for the end of so many.
            blank = len(self._left) - len(self._left.lstrip())
            del self._left[:blank]
            taken += blank
            end = self._left.find(b"\n", max(searched - blank, 0))
            if end >= 0:
                line = bytes(self._left[:end])
                del self._left[: end + 1]
                return line
            searched = len(self._left)
            if searched + taken > most:
                raise TooMuchError
            chunk = self._answers.next(deadline)
            if not chunk:
                line = bytes(self._left)
                self._left.clear()
                return line or None
            self._left += chunk

    @property
    def says_more(self) -> bool:
        """Whether there is more than was asked for, as far as it has come."""
        # The end of its output lies there as an empty chunk, a moment before the process itself has ended.
        return bool(self._left.strip()) or any(list(self._answers.chunks.queue))

    def receive_bytes(self, count: int, deadline: float) -> bytes | None:
        """Wait for so many bytes; None if it ended before. Raises OutOfTimeError."""
        while len(self._left) < count:
            chunk = self._answers.next(deadline)
            if not chunk:
                return None
            self._left += chunk
        taken = bytes(self._left[:count])
        del self._left[:count]
        return taken

    def ending(self) -> EndOfProcess:
        """Say how it ended."""
        told = self._report.ended(time.monotonic() + GRACE) if os.name != "nt" else _of_code(self._process)
        how, code = told.get("ended"), int(told.get("code", 0))
        if how is None and self._process.poll():
            return EndOfProcess("ended the process that watches over it", "Let it leave other processes alone.")
        if how == "not started":
            return EndOfProcess(*_not_started(os.strerror(code)), started=False)
        if how == "memory":
            used = f"{(self.allowance.bytes or 0) / 1e9:.3g} GB"
            return EndOfProcess(
                f"used more than {used} of memory", "Let it need less, or allow it more: memory=, in GB."
            )
        if how == "processes":
            return EndOfProcess(
                f"had more than {self.allowance.processes} processes at once", "Let it start fewer processes."
            )
        if how == "signal":
            with contextlib.suppress(ValueError):
                return EndOfProcess(f"was ended by {signal.Signals(code).name}")
        if how in ("exit", "signal"):
            return EndOfProcess(f"ended with exit code {code}", by_itself=how == "exit")
        return EndOfProcess("closed its output")

    def said(self, most: int = SHOWN) -> str:
        """Give the end of what it wrote to stderr."""
        if not self.end.alive:
            return ""
        # What it says last may come a moment after its answers have ended.
        text = self._words.text(GRACE)
        return text if len(text) <= most else f"...{text[-most:]}"


def _not_started(reason: str) -> tuple[str, str]:
    return f"could not be started: {reason}", "Check the command, and whether it may be executed."


def _of_code(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Say how a process ended that has no keeper."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return {"ended": "exit", "code": process.wait(GRACE)}
    return {}


def _end(process: subprocess.Popen[bytes], control: int | None, report: Report, readers: Sequence[Reader]) -> None:
    """End the process with all that it started, and close what leads to it."""
    if control is None:
        process.terminate()
    else:
        os.close(control)
    try:
        process.wait(GRACE + keeper.PATIENCE + 1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    began = report.began()
    if began is not None and process.returncode:
        # Somebody has ended the keeper.
        with contextlib.suppress(OSError):
            os.killpg(began, signal.SIGKILL)
    # Not here: where somebody else holds the other end, what is still being written is waited for.
    threading.Thread(target=close, args=(process.stdin,), daemon=True).start()
    for reader in readers:
        reader.close()
    report.close()
