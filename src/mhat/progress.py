"""A bar for work that takes long, on a terminal only. It knows nothing of the work but how much there is of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PATIENCE = 1.0
REFRESH = 0.1
Report = Callable[[int], None]


@contextmanager
def bar(total: int, what: str) -> Iterator[Report | None]:
    """Give a report for long work: a bar on standard error after a second, nothing where that is no terminal."""
    target = Console(stderr=True, highlight=False)
    if not target.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    drawn = Progress(*columns, console=target, transient=True)
    task = drawn.add_task(what, total=total)
    begun = seen = time.monotonic()
    lock, over = threading.Lock(), False

    def report(done: int) -> None:
        nonlocal seen
        now = time.monotonic()
        if now - begun < PATIENCE or now - seen < REFRESH:
            return
        seen = now
        drawn.start()
        drawn.update(task, completed=done)

    def show() -> None:
        with lock:
            if not over:
                drawn.start()

    # Work that does not report is seen to go on too: the first long trace of a rule waits for a compiler.
    waiting = threading.Timer(PATIENCE, show)
    waiting.daemon = True
    waiting.start()
    try:
        yield report
    finally:
        waiting.cancel()
        with lock:
            over = True
        drawn.stop()
