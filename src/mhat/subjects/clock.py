"""Interrupt code that runs too long, again and again until it gives up. It knows nothing of the code.

In the main thread of a Unix process an alarm wakes even what sleeps; elsewhere only code that comes back to Python can
be interrupted. What is raised once is swallowed by one bare `except:`, so from then on every line that the code comes
to raises too. Nothing here stops compiled code that never comes back.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

AGAIN = 0.02  # seconds between two interruptions
# And after one that was raised: as soon as what has swallowed it may have come to its next `except:`.
SOON = 20e-6
# What stands between the code and whoever runs it: an interruption there would leave something undone.
APART = (__file__, contextlib.__file__)


class OutOfTime(BaseException):
    """Raised inside of the code that runs too long; no Exception, so that the code does not catch it."""


def limited(seconds: float) -> contextlib.AbstractContextManager[None]:
    """Raise OutOfTime in what runs longer."""
    if math.isinf(seconds):
        return contextlib.nullcontext()
    in_main = threading.current_thread() is threading.main_thread()
    return _by_alarm(seconds) if in_main and hasattr(signal, "setitimer") else _by_thread(seconds)


class _Strikes:
    """Lets every line raise that the code comes to."""

    def __init__(self, outside: FrameType, raised: Callable[[], object]) -> None:
        # The frames are kept: of one that is gone another would get the number.
        self.outside = {id(frame): frame for frame in _callers(outside)}
        self.raised = raised
        self.over = False
        self.before = sys.gettrace()

    def begin(self, frame: FrameType | None) -> None:
        """Begin with the frames of the code, of which this is the innermost."""
        for inner in _callers(frame):
            if id(inner) in self.outside:
                break
            inner.f_trace = self.strike
        sys.settrace(self.strike)

    def strike(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Raise at a line of the code; as a function that traces, which Python takes away once it has raised."""
        if self.over or id(frame) in self.outside or frame.f_code.co_filename in APART:
            return None
        if event == "line":
            self.raised()
            raise OutOfTime
        return self.strike

    def end(self) -> None:
        """Strike no more, and leave the tracing as it was, whatever the code has done to it."""
        self.over = True
        sys.settrace(self.before)
        self.outside = {}


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and those that wait for it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


@contextlib.contextmanager
def _by_alarm(seconds: float) -> Iterator[None]:
    chance = random.Random()

    def soon() -> None:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.1, 1.0) * SOON, AGAIN)

    strikes = _Strikes(sys._getframe(), soon)
    deadline = time.monotonic() + seconds

    def interrupt(number: int, frame: FrameType | None) -> None:
        if strikes.over or frame is None or frame.f_code.co_filename in APART or time.monotonic() < deadline:
            return
        # First the next alarm: from here on every line may be the one at which it ends, those of this function's too.
        soon()
        strikes.begin(frame)
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, interrupt)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        strikes.end()
        signal.setitimer(signal.ITIMER_REAL, left, interval)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    interrupted = threading.get_ident()
    over, lock = threading.Event(), threading.Lock()
    strikes = _Strikes(sys._getframe(), lambda: None)

    class Struck(OutOfTime):
        """Is made in the thread that is interrupted, and only there it can be seen to that every line raises."""

        def __init__(self) -> None:
            strikes.begin(sys._getframe(1))

    def watch() -> None:
        patience = seconds
        while not over.wait(patience):
            patience = AGAIN
            with lock:
                if not over.is_set():
                    _raise_in(interrupted, Struck)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        while True:
            try:
                strikes.end()
                with lock:
                    over.set()
                for _ in range(3):
                    # What is still to be raised is raised here; taken back it would leave the interpreter slow.
                    pass
                break
            except OutOfTime:
                continue


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    """Let a thread raise when it comes back to Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))
