"""The clocks that a subject may ask, moved on while it is recorded. What it computes of the time is not known here.

What then gives other parameters depends on the clock; what only measures how long it takes does not.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import sys
import time
from collections.abc import Iterator
from typing import Any

from mhat.subjects.recording.tape import Tape
from mhat.subjects.sandbox import is_users

# Seconds, more than a year: no part of an hour, a day or a week in which the same would come again.
MOVED = 34_567_891.37
CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
_of_user = functools.lru_cache(maxsize=4096)(is_users)


@contextlib.contextmanager
def moved(tape: Tape) -> Iterator[None]:
    """Let the user's code see other clocks for a while, and the tape know where it asked for them."""
    new: dict[int, Any] = {}
    for name in CLOCKS:
        for each, unit in ((name, MOVED), (f"{name}_ns", int(MOVED * 1e9))):
            plain = getattr(time, each, None)
            if plain is not None:
                new[id(plain)] = plain, _asked(tape, plain, unit)
    new[id(datetime.datetime)] = datetime.datetime, _dated(tape)
    undo = []
    for space in [vars(time), vars(datetime), *_spaces()]:
        for name, value in list(space.items()):
            if id(value) in new and new[id(value)][0] is value:
                space[name] = new[id(value)][1]
                undo.append((space, name, value))
    try:
        yield
    finally:
        for space, name, value in undo:
            space[name] = value


def _spaces() -> list[dict[str, Any]]:
    """Give the names of the user's modules."""
    modules = list(sys.modules.values())
    return [
        vars(each) for each in modules if isinstance(file := getattr(each, "__file__", None), str) and _of_user(file)
    ]


def _asked(tape: Tape, plain: Any, unit: float) -> Any:
    @functools.wraps(plain)
    def asked() -> Any:
        if not _of_user(sys._getframe(1).f_code.co_filename):
            return plain()
        tape.ask_clock()
        return plain() + unit

    return asked


def _dated(tape: Tape) -> Any:
    """Make the class of dates whose present is another one."""
    plain = datetime.datetime

    def present(name: str) -> Any:
        def asked(cls: Any, *zone: Any, **named: Any) -> Any:
            if not _of_user(sys._getframe(1).f_code.co_filename):
                return getattr(plain, name)(*zone, **named)
            tape.ask_clock()
            return getattr(plain, name)(*zone, **named) + datetime.timedelta(seconds=MOVED)

        return classmethod(asked)

    return type("datetime", (plain,), {name: present(name) for name in ("now", "utcnow", "today")})
