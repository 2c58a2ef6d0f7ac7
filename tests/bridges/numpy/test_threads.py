"""Several threads on one optimizer take turns; forks find no step half taken; a handler of a signal is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.errors import BadValue

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def in_threads(work: Callable[[], None], count: int = 4) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_steps_of_several_threads_all_count() -> None:
    """The gradients are not contiguous, so that each step works on a copy of its own."""
    x = np.zeros((60, 60))
    opt = mhat.Optimizer("sgd", x, lr=1.0)

    def work() -> None:
        for _ in range(50):
            opt.step(np.ones((60, 60)).T[::-1])

    in_threads(work)
    assert opt.t == 200
    assert (x == -200.0).all()


def test_a_state_taken_beside_steps_is_of_one_step() -> None:
    x = np.zeros(2000)
    opt = mhat.Optimizer(mhat.rule("def f(x, g, m=0):\n    m = m + g\n    return x - g"), x)
    ending, wrong = threading.Event(), list[Any]()

    def watch() -> None:
        while not ending.is_set():
            state = opt.state_dict()
            if not (state["state/m/[]"] == state["t"][0]).all() or state["steps"] != state["t"][0]:
                wrong.append(state)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(300):
        opt.step(np.ones(2000))
    ending.set()
    watcher.join()
    assert not wrong


def test_knobs_set_beside_steps_hold_from_one_step_to_the_next() -> None:
    x = np.zeros(500)
    opt = mhat.Optimizer(mhat.rule("def f(x, g, *, a=1, b=1):\n    return x - a * b * g"), x)
    ending = threading.Event()

    def change() -> None:
        while not ending.is_set():
            opt.knobs.update({"a": 2.0, "b": 0.5})
            opt.knobs.update({"a": 4.0, "b": 0.25})

    changer = threading.Thread(target=change)
    changer.start()
    for _ in range(300):
        opt.step(np.ones(500))
    ending.set()
    changer.join()
    assert (x == -300.0).all()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_a_handler_of_a_signal_may_set_knobs_and_never_sees_half_a_step() -> None:
    x = np.zeros(20_000)
    opt = mhat.Optimizer("sgd", x, lr=1.0)
    opt.step(np.ones(20_000))
    said, states = list[str](), list[Any]()

    def handler(*given: Any) -> None:
        opt.lr = 1.0
        try:
            states.append((opt.state_dict()["t"][0], x[0]))
        except BadValue as error:
            said.append(str(error))

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        while len(said) < 3 and opt.t < 200_000:
            opt.step(np.ones(20_000))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert all(t == -value for t, value in states)
    assert (x == -opt.t).all()
    assert said, "the handler never came in the middle of a step"
    assert set(said) == {
        "the optimizer was called in the middle of what it does, as a signal handler can\n"
        "Let the handler set a flag, and look at it after the step."
    }


@FORKS
def test_forks_while_threads_step_neither_hang_nor_halve_a_step() -> None:
    """In a process of its own, whose children end themselves by an alarm where they hang."""
    code = """
import os, signal, threading, warnings
import numpy as np, mhat
warnings.simplefilter("ignore")
params, g = [np.zeros(20_000) for _ in range(2)], np.ones(20_000)
opts = [mhat.Optimizer("sgd", x, lr=1.0, threads=2) for x in params]
ending = threading.Event()

def work(opt):
    while not ending.is_set():
        opt.step(g)

threads = [threading.Thread(target=work, args=(opt,)) for opt in (*opts, opts[0])]
for thread in threads:
    thread.start()
failed = []
for _ in range(25):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        whole = all((x == -opt.t).all() for x, opt in zip(params, opts))
        for opt in opts:
            opt.step(g)
        mhat.Optimizer("sgd", np.zeros(20_000), threads=2).step(g)
        os._exit(0 if whole and all((x == -opt.t).all() for x, opt in zip(params, opts)) else 1)
    failed.append(os.waitpid(child, 0)[1])
ending.set()
for thread in threads:
    thread.join()
assert failed == [0] * 25, failed
assert all((x == -opt.t).all() for x, opt in zip(params, opts))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
