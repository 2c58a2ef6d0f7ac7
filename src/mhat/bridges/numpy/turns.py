"""Turns: one caller at a time works on an optimizer, and no process is forked meanwhile. It knows no optimizer."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet

# Forking waits for turns first and for kernels then, as a step does: what is registered later is asked earlier.
import mhat.engines.kernels.step  # noqa: F401
from mhat.errors import BadValue


class Turn:
    """The turn to work on one optimizer: other threads wait for it.

    Whoever has it and asks again, as a handler of a signal can in the middle of a step, is refused by BadValue.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._taken = False
        _TURNS.add(self)

    def __enter__(self) -> None:
        self.lock.acquire()
        if self._taken:
            self.lock.release()
            raise BadValue(
                "the optimizer was called in the middle of what it does, as a signal handler can",
                "Let the handler set a flag, and look at it after the step.",
            )
        self._taken = True

    def __exit__(self, *ending: object) -> None:
        self._taken = False
        self.lock.release()


_TURNS: WeakSet[Turn] = WeakSet()
_FORKING = threading.Lock()
_waited_for: list[Turn] = []


def _before_fork() -> None:
    """Wait until nobody has a turn: in the child, a thread that has one would never give it back."""
    _FORKING.acquire()
    for turn in list(_TURNS):
        turn.lock.acquire()
        _waited_for.append(turn)


def _after_fork() -> None:
    while _waited_for:
        _waited_for.pop().lock.release()
    _FORKING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
