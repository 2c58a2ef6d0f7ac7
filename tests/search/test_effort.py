"""The clock of a search: computing counts, waiting does not; and what was tried is said. It knows no rule."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import pytest

from mhat.search import effort
from mhat.search.effort import LEAST_SHARE, Effort


class Clocks:
    """Clocks that go only when they are told to."""

    def __init__(self) -> None:
        self.computed = self.on_the_wall = 0.0

    def compute(self, seconds: float) -> None:
        self.computed += seconds
        self.on_the_wall += seconds

    def wait(self, seconds: float) -> None:
        self.on_the_wall += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(time, "thread_time", lambda: clocks.computed)
    monkeypatch.setattr(time, "monotonic", lambda: clocks.on_the_wall)
    return clocks


def test_waiting_does_not_count_but_for_a_share(clocks: Clocks) -> None:
    """Guards: what a busy machine takes away does not end a search."""
    search = Effort(10.0)
    clocks.compute(6.0)
    clocks.wait(20.0)
    assert search.spent == 6.0
    assert not search.late()
    clocks.compute(5.0)
    assert search.late()


def test_a_search_that_only_waits_ends_too(clocks: Clocks) -> None:
    search = Effort(10.0)
    clocks.wait(10.0 / LEAST_SHARE + 1.0)
    assert search.late()


def test_a_busy_machine_leaves_more_than_what_counts_as_waiting(clocks: Clocks) -> None:
    """Guards: beside sixteen others on two processors a search was ended by the clock on the wall."""
    search = Effort(10.0)
    for _ in range(90):
        clocks.compute(0.1)
        clocks.wait(1.5)
    assert search.spent == pytest.approx(9.0)
    assert not search.late()


def test_what_is_paused_does_not_count(clocks: Clocks) -> None:
    search = Effort(10.0)
    with search.paused():
        clocks.compute(100.0)
    clocks.compute(1.0)
    assert search.spent == pytest.approx(1.0)


def test_threads_beside_each_other_count_once(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "processors", lambda: 4)
    search = Effort(10.0)

    def work() -> None:
        with search.beside():
            clocks.computed += 2.0

    for _ in range(4):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    clocks.computed = 0.0
    assert search.spent == pytest.approx(2.0)


def test_moments_lie_within_each_other(clocks: Clocks) -> None:
    search = Effort(10.0)
    clocks.compute(2.0)
    assert search.within(3.0) == 5.0
    assert search.within(30.0) == 10.0
    assert search.within(3.0, 4.0) == 4.0
    assert search.share(0.5) == 6.0
    assert search.share(0.5, 4.0) == 3.0
    assert Effort().share(0.5) == math.inf


def test_an_end_is_noted_and_said(clocks: Clocks) -> None:
    search = Effort(4.0)
    search.count("single edits", 1200)
    assert not search.ends()
    assert search.shortcomings == ()
    clocks.compute(4.5)
    assert search.late()
    assert search.shortcomings == ()
    assert search.ends()
    more = ". With `--seconds 8` (`seconds=8` in Python) it goes on"
    begun = "the search was cut short after 4.5 s of computing: "
    assert search.shortcomings == (f"{begun}1,200 single edits were tried{more}",)
    search.count("pairs of edits", 3)
    search.count("larger sets of edits", 2)
    tried = "1,200 single edits, 3 pairs of edits and 2 larger sets of edits were tried"
    assert search.shortcomings == (f"{begun}{tried}{more}",)
    search.whole += ["the single edits of adam", "the pairs of edits of adam"]
    whole = ", the single edits of adam and the pairs of edits of adam to the end"
    assert search.shortcomings == (f"{begun}{tried}{whole}{more}",)


def test_nothing_tried_is_said_as_that(clocks: Clocks) -> None:
    search = Effort(0.0)
    clocks.compute(0.1)
    assert search.ends()
    assert search.shortcomings == ("the search was cut short after 0.1 s of computing: nothing was tried",)


def test_it_tells_what_is_tried_and_what_was_found(clocks: Clocks) -> None:
    told: list[tuple[str, float]] = []
    listener: Callable[[str, float], None] = lambda text, share: told.append((text, share))  # noqa: E731
    search = Effort(8.0, listener)
    search.begin("adam: single edits")
    clocks.compute(2.0)
    search.count("single edits", 1500)
    search.nearest = "`v` is never updated"
    search.count("single edits", 0)
    search.answers += 1
    clocks.compute(20.0)
    search.count("single edits", 1)
    assert told == [
        ("adam: single edits", 0.0),
        ("adam: single edits (1,500 single edits tried, nothing found so far)", 0.25),
        (
            "adam: single edits (1,500 single edits tried, nothing found so far, nearest: `v` is never updated)",
            0.25,
        ),
        ("adam: single edits (1,501 single edits tried, 1 found so far)", 1.0),
    ]
