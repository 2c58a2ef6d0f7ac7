"""Code that runs too long is interrupted, also where it catches everything; what is quick is left alone."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from mhat.subjects.clock import OutOfTime, limited


def plainly() -> None:
    while True:
        pass


def by_one_except() -> None:
    while True:
        try:
            sum(range(1000))
            time.sleep(0.01)
        except:  # noqa: E722 (what must not swallow it)
            continue


def by_several() -> None:
    def inner() -> None:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass

    while True:
        try:
            try:  # noqa: SIM105
                inner()
            except:  # noqa: E722
                pass
        except:  # noqa: E722
            pass


def in_a_sleep() -> None:
    time.sleep(1000)


def at_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@pytest.mark.parametrize("hang", [plainly, by_one_except, by_several, in_a_sleep, at_a_lock])
def test_what_hangs_is_interrupted(hang: Callable[[], None]) -> None:
    before = signal.getsignal(signal.SIGALRM), sys.gettrace()
    with pytest.raises(OutOfTime), limited(0.1):
        hang()
    assert (signal.getsignal(signal.SIGALRM), sys.gettrace()) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    for _ in range(1000):  # nothing comes late
        pass


@pytest.mark.parametrize("hang", [plainly, by_one_except])
def test_in_another_thread_what_comes_back_to_python_is_interrupted(hang: Callable[[], None]) -> None:
    ends: list[str] = []

    def run() -> None:
        try:
            with limited(0.1):
                hang()
        except OutOfTime:
            ends.append("out of time")
        for _ in range(1000):
            pass
        ends.append("went on")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(60.0)
    assert ends == ["out of time", "went on"]


def test_what_ends_in_time_is_left_alone() -> None:
    for _ in range(50):
        with limited(10.0):
            value = sum(range(100))
    assert value == 4950
    with limited(float("inf")):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_limit_inside_of_another_leaves_the_outer_one() -> None:
    with pytest.raises(OutOfTime), limited(0.2):
        with pytest.raises(OutOfTime), limited(0.05):
            plainly()
        plainly()
