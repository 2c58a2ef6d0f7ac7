"""Closed forms in a process of its own, which can be ended at any moment: SymPy may take as long as it likes.

The process answers a line of JSON with a line of JSON, and ends when nobody is left to ask it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from typing import Any

from mhat.engines.symbols.search import search
from mhat.engines.symbols.stored import as_data
from mhat.language.definition import rule

START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from mhat.engines.symbols.child import answer; answer()"
)
# Where an answer says that there is none because something broke; no variable is called so.
FAILED = "@failed"
# A step of SymPy that does not come back ends the process when it has used its processor time and half as much again.
LENIENCE = 1.5
# Who asks waits so much longer than that by the clock, where other things run too; and to start Python and SymPy.
PATIENCE = 15.0
STARTING = 60.0


def answer() -> None:
    """Answer each line of standard input; this is what the process runs."""
    for line in sys.stdin:
        asked = json.loads(line)
        _end_after(LENIENCE * asked["seconds"] + 1.0)
        try:
            found = search(rule(asked["rule"]), asked["course"], asked["seconds"])
            said: dict[str, Any] = {name: as_data(form) for name, form in found.items()}
        except Exception as error:  # a bug of ours: whoever asked is told, and goes on without a formula
            said = {FAILED: f"{type(error).__name__}: {error}"}
        _end_after(0.0)
        print(json.dumps(said), flush=True)


def _end_after(seconds: float) -> None:
    """End this process when it has used so much processor time; 0 for never. Systems without such a clock wait."""
    if hasattr(signal, "ITIMER_PROF"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


class Child:
    """The process, started when it is asked, and anew after it was ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def ask(self, text: str, course: str, seconds: float) -> dict[str, Any] | None:
        """Ask for the closed forms of a rule as plain data; None if the time was up, or it did not answer."""
        with self._lock:
            new = self._process is None
            try:
                process = self._started()
                assert process.stdin is not None
                process.stdin.write(json.dumps({"rule": text, "course": course, "seconds": seconds}) + "\n")
                process.stdin.flush()
                line = self._answers.get(timeout=PATIENCE * seconds + (STARTING if new else 1.0))
            except (OSError, ValueError, queue.Empty):
                line = None
            if line is None:
                self._end()
                return None
            found: dict[str, Any] = json.loads(line)
            return found

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            command = [sys.executable, "-c", START, json.dumps(sys.path)]
            self._process = subprocess.Popen(command, **pipes, text=True, encoding="utf-8")
            self._answers = queue.SimpleQueue()
            threading.Thread(target=_read, args=(self._process, self._answers), daemon=True).start()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()


def _read(process: subprocess.Popen[str], answers: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        for line in process.stdout:
            answers.put(line)
    answers.put(None)


CHILD = Child()
atexit.register(CHILD.close)
