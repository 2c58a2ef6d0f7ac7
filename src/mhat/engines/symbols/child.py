"""Closed forms in a process of its own, which can be ended at any moment: SymPy may take as long as it likes.

The process answers a line of JSON with a line of JSON, and ends when nobody is left to ask it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import queue
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
# Beside its time: to start Python and SymPy on a machine that has other things to do.
STARTING = 10.0


def answer() -> None:
    """Answer each line of standard input; this is what the process runs."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            found = search(rule(asked["rule"]), asked["course"], asked["seconds"])
            said: dict[str, Any] = {name: as_data(form) for name, form in found.items()}
        except Exception as error:  # a bug of ours: whoever asked is told, and goes on without a formula
            said = {FAILED: f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


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
                line = self._answers.get(timeout=1.5 * seconds + (STARTING if new else 1.0))
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
