"""The smallest gradients that break a law: plain ones, short ones, found again, and in not too many tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mhat.laws.gradients import seeded
from mhat.laws.law import Kind
from mhat.laws.shrinking import TRIES, smallest

Array = np.ndarray[Any, Any]
Breaks = Callable[[Array], bool]


def first_fault(kind: Kind, breaks: Breaks) -> tuple[int, int]:
    """Find the first step (from 1) and column at which the seeded streams break a law."""
    streams = seeded(kind)
    for step in range(1, len(streams) + 1):
        for column in range(streams.shape[1]):
            if breaks(streams[:step, [column]]):
                return step, column
    return len(streams), 0


@pytest.mark.parametrize(
    ("kind", "breaks", "expected"),
    [
        ("sequence", lambda g: True, [[1]]),
        ("sequence", lambda g: bool((abs(g) > 2.5).any()), [[3]]),
        ("sequence", lambda g: bool((g < 0).any()), [[-1]]),
        ("sequence", lambda g: len(g) >= 2 and bool((g[1:] > g[:-1]).any()), [[1], [2]]),
        ("sequence", lambda g: bool((g > 6).any() and (g < -1.5).any()), [[-2], [10]]),
        ("sequence", lambda g: int((abs(g) > 1.5).sum()) >= 3, [[2], [2], [2]]),
        ("sequence", lambda g: len(g) >= 21, [[1]] * 21),
        ("pair", lambda g: g.shape[1] > 1 and bool((g[:, 0] != g[:, 1]).any()), [[1, 2]]),
        ("pair", lambda g: g.shape[1] > 1 and len(g) > 2 and bool((abs(g) > 1).any()), [[1, 1], [1, 1], [1, 2]]),
        ("constant", lambda g: len(g) >= 3 and bool(g[0, 0] > 5), [[10], [10], [10]]),
        ("growing", lambda g: len(g) >= 2 and bool(abs(g[1, 0]) > 1), [[1], [1.111]]),
        ("nothing", lambda g: len(g) >= 4, [[0], [0], [0], [0]]),
    ],
)
def test_the_smallest(kind: Kind, breaks: Breaks, expected: list[list[float]]) -> None:
    step, column = first_fault(kind, breaks)
    for _ in range(2):
        small = smallest(kind, breaks, step, column)
        assert small is not None
        assert small.tolist() == expected


def test_what_needs_many_coordinates_is_shown_with_as_many() -> None:
    small = smallest("sequence", lambda g: g.shape[1] >= 8, 1, 0)
    assert small is not None
    assert small.tolist() == [[1.0] * 8]


def test_where_nothing_breaks_it_any_more_there_is_nothing() -> None:
    for kind in ("sequence", "pair", "constant", "growing", "nothing"):
        assert smallest(kind, lambda gradients: False, 3, 1) is None


def test_a_slow_run_is_not_asked_for_ever() -> None:
    asked = []

    def breaks(gradients: Array) -> bool:
        asked.append(gradients.shape)
        return len(gradients) >= 30 and gradients.shape[1] >= 8

    assert smallest("sequence", breaks, 35, 0) is not None
    assert len(asked) < TRIES + 50
