"""Memory of results that nobody holds any more: used again, bounded, and never while somebody sees it."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import numpy as np
import pytest

from mhat.engines.kernels import pages
from mhat.engines.kernels.addresses import address_of
from mhat.engines.kernels.pages import MOST, PAGE, SMALLEST, empty

SHAPE = (SMALLEST // 8, 2)


@pytest.fixture(autouse=True)
def unused(monkeypatch: pytest.MonkeyPatch) -> deque[Any]:
    mine: deque[Any] = deque()
    monkeypatch.setattr(pages, "_unused", mine)
    return mine


@pytest.mark.parametrize("shape", [(), (0,), (3, 4), SHAPE], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_as_any_other(shape: tuple[int, ...], dtype: str) -> None:
    made = empty(shape, dtype)
    assert (made.shape, made.dtype, made.flags.c_contiguous, made.flags.writeable) == (shape, dtype, True, True)
    made[...] = 1.5
    assert made.sum() == 1.5 * made.size


def test_memory_comes_back_when_the_last_view_goes(unused: deque[Any]) -> None:
    first = empty(SHAPE, "float64")
    view, place = first[3:5], address_of(first)
    view[...] = 7.0
    del first
    assert not unused
    other = empty(SHAPE, "float64")
    assert address_of(other) != place
    assert view.tolist() == [[7.0, 7.0]] * 2
    del view
    assert len(unused) == 1
    assert address_of(empty(SHAPE, "float64")) == place


def test_another_size_is_other_memory(unused: deque[Any]) -> None:
    place = address_of(empty(SHAPE, "float64"))
    larger = empty((SHAPE[0], 4), "float64")
    assert address_of(larger) != place
    assert len(unused) == 1


def test_what_lies_unused_is_bounded(unused: deque[Any]) -> None:
    arrays = [empty((MOST // 32,), "float64") for _ in range(6)]
    arrays.clear()
    assert sum(memory.size for memory in unused) <= MOST
    unused.clear()


def test_arrays_written_together_begin_at_other_offsets_in_a_page() -> None:
    arrays = [empty(SHAPE, "float32", place=i) for i in range(5)]
    offsets = [address_of(array) % PAGE for array in arrays]
    assert len(set(offsets)) == 5
    assert all(offset % 64 == 0 for offset in offsets)
    assert empty(SHAPE, "float32", place=1000).nbytes == 4 * SHAPE[0] * 2


def test_threads_take_and_give_back_at_once() -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(60):
                array = empty(SHAPE if i % 2 else (SHAPE[0] + PAGE, 2), "float64")
                array[::PAGE] = number
                assert (array[::PAGE] == number).all()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_trace_is_not_written_over_by_the_next() -> None:
    import mhat

    gradients = np.random.default_rng(0).standard_normal(400_000)
    first = mhat.trace("momentum", gradients, keep=["x"])
    x = first.x.values
    expected = x.copy()
    del first
    mhat.trace("momentum", -gradients, keep=["x"])
    assert (x == expected).all()
