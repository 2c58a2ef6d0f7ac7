"""Candidates take turns, the collector rests, and ratios are those within a turn. No time is asserted."""

import gc

import pytest

from mhat.speed import timing
from mhat.speed.timing import Timing


def test_candidates_take_turns() -> None:
    called: list[str] = []
    candidates = {name: lambda name=name: called.append(name) for name in "ABC"}
    taken = timing.interleaved(candidates, repeats=4, lasting=0.0)
    assert {name: len(found.seconds) for name, found in taken.items()} == {"A": 4, "B": 4, "C": 4}
    assert called[-12:] == list("ABC" * 4)


def test_short_candidates_are_called_often_enough() -> None:
    called: list[int] = []
    timing.interleaved({"A": lambda: called.append(1)}, repeats=2, lasting=0.01)
    assert len(called) > 100


def test_the_collector_rests_meanwhile_and_works_again() -> None:
    seen: list[bool] = []

    def failing() -> None:
        seen.append(gc.isenabled())
        raise KeyError

    assert gc.isenabled()
    with pytest.raises(KeyError):
        timing.interleaved({"A": failing})
    assert seen == [False]
    assert gc.isenabled()


def test_ratios_are_those_within_a_turn() -> None:
    found = timing.ratio(Timing((2.0, 40.0, 6.0)), Timing((1.0, 10.0, 2.0)))
    assert (found.median, found.low, found.high) == (3.0, 2.0, 4.0)
    assert Timing((3.0, 1.0, 2.0)).median == 2.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (2.5, "2.5 s"),
        (0.0123, "12.3 ms"),
        (0.9996, "1 s"),
        (3.21e-4, "321 us"),
        (5e-8, "50 ns"),
        (1234.5, "1,230 s"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert timing.duration(seconds) == said


def test_ratios_are_written_by_their_size() -> None:
    assert timing.times((1.234, 0.5, 1234.5)) == "1.23 - 0.50 - 1,234"
