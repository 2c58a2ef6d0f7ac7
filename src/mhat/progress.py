"""Work that takes long, said on standard error after a second, on a terminal only. It knows nothing of the work."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 1.0
REFRESH = 0.1
Report = Callable[[int], None]
Say = Callable[[str], None]


@contextmanager
def bar(total: int, what: str) -> Iterator[Report | None]:
    """Give a report for work of which the amount is known: how much of `total` is done. None without a terminal."""
    if not _is_terminal():
        yield None
        return
    with _shown(what, total) as shown:
        yield lambda done: shown.update(completed=done)


@contextmanager
def line(what: str) -> Iterator[Say | None]:
    """Give a function that says what is being done, for work of which nobody knows how long it takes."""
    if not _is_terminal():
        yield None
        return
    with _shown(what, None) as shown:
        yield lambda text: shown.update(description=text)


def _is_terminal() -> bool:
    return sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR"))


@contextmanager
def _shown(what: str, total: int | None) -> Iterator[_Line]:
    shown = _Line(what, total)
    # Work that does not report is seen to go on too: the first long trace of a rule waits for a compiler.
    waiting = threading.Timer(PATIENCE, shown.show)
    waiting.daemon = True
    waiting.start()
    try:
        yield shown
    finally:
        waiting.cancel()
        shown.end()


class _Line:
    """A line on the terminal that comes late, changes at a measured pace, and goes when the work is done."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what: dict[str, Any] = {"description": what}
        self.total = total
        self.begun = self.seen = time.monotonic()
        self.lock = threading.Lock()
        self.drawn: Any = None
        self.over = False

    def update(self, **what: Any) -> None:
        now = time.monotonic()
        with self.lock:
            self.what |= what
            if now - self.begun < PATIENCE or now - self.seen < REFRESH:
                return
            self.seen = now
            self._draw()

    def show(self) -> None:
        with self.lock:
            self._draw()

    def end(self) -> None:
        with self.lock:
            self.over = True
            if self.drawn is not None:
                self.drawn.stop()

    def _draw(self) -> None:
        if self.over:
            return
        if self.drawn is None:
            self.drawn = _progress(self.total)
            self.drawn.add_task(self.what["description"], total=self.total)
            self.drawn.start()
        self.drawn.update(self.drawn.task_ids[0], **self.what)


def _progress(total: int | None) -> Any:
    # Imported when there is something to show: quick work must not pay for it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    said = TextColumn("{task.description}", markup=False)
    columns: tuple[Any, ...] = (said, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    if total is None:
        columns = (SpinnerColumn(), said, TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
