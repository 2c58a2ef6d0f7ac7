"""Work laid out in tables: every coordinate of the chosen tensors exactly once, in pieces and in blocks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhat.engines.kernels.tables import GRAIN, blocks_of, pieces_of
from mhat.ops.tensors import BLOCK, padded_length

SIZES = st.lists(
    st.one_of(st.integers(0, 3), st.sampled_from([0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 5000])), min_size=1,
    max_size=8,
)  # fmt: skip
THREADS = st.integers(1, 9)


@st.composite
def works(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    sizes = draw(SIZES)
    chosen = draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes)))
    return np.array(sizes, dtype=np.int64), np.array(chosen)


def coordinates(rows: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter((k, i) for k, begin, end, *_ in rows.tolist() for i in range(begin, end))


def expected(sizes: np.ndarray, chosen: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter((k, i) for k, size in enumerate(sizes.tolist()) if chosen[k] for i in range(size))


@settings(max_examples=150)
@given(work=works(), threads=THREADS)
def test_pieces_cover_every_coordinate_once(work: tuple[np.ndarray, np.ndarray], threads: int) -> None:
    sizes, chosen = work
    pieces = pieces_of(sizes, chosen, threads)
    assert coordinates(pieces.rows) == expected(sizes, chosen)
    assert len(pieces.shares) == threads + 1
    assert (pieces.shares[0], pieces.shares[-1]) == (0, len(pieces.rows))
    assert (np.diff(pieces.shares) >= 0).all()
    # Each tensor has a piece that begins at 0: there its state of one number is kept, even if it is empty.
    firsts = Counter(k for k, begin, _ in pieces.rows.tolist() if begin == 0)
    assert firsts == Counter(np.flatnonzero(chosen).tolist())


@settings(max_examples=100)
@given(work=works(), threads=THREADS)
def test_pieces_are_equal_shares_up_to_a_grain(work: tuple[np.ndarray, np.ndarray], threads: int) -> None:
    sizes, chosen = work
    pieces = pieces_of(sizes, chosen, threads)
    counts = [
        int((pieces.rows[a:b, 2] - pieces.rows[a:b, 1]).sum())
        for a, b in zip(pieces.shares[:-1], pieces.shares[1:], strict=True)
    ]
    assert max(counts) <= sizes[chosen].sum() / threads + GRAIN + 1
    cut = pieces.rows[pieces.rows[:, 1] > 0]
    assert (cut[:, 1] % GRAIN == 0).all()


@settings(max_examples=150)
@given(work=works(), threads=THREADS, over_all=st.booleans())
def test_blocks_cover_every_coordinate_once(work: tuple[np.ndarray, np.ndarray], threads: int, over_all: bool) -> None:
    sizes, chosen = work
    blocks = blocks_of(sizes, chosen, threads, over_all=over_all)
    assert coordinates(blocks.parts) == expected(sizes, chosen)
    assert (blocks.shares[0], blocks.shares[-1]) == (0, len(blocks.lengths))
    assert len(blocks.shares) == threads + 1
    assert (np.diff(blocks.shares) >= 0).all()
    lines = [sizes[chosen].sum()] if over_all else np.where(chosen, sizes, 0).tolist()
    assert blocks.counts.tolist() == [float(length) for length in lines]
    for line, length in enumerate(lines):
        first, last = blocks.groups[line : line + 2]
        assert last - first == -(-length // BLOCK)
        for block in range(first, last):
            filled, padded = blocks.lengths[block]
            assert filled == min(BLOCK, length - (block - first) * BLOCK)
            assert padded == (padded_length(int(length)) if length < BLOCK else BLOCK)
            parts = blocks.parts[blocks.firsts[block] : blocks.firsts[block + 1]]
            ends = parts[:, 3] + parts[:, 2] - parts[:, 1]
            assert parts[0, 3] == 0
            assert ends[-1] == filled
            assert (ends[:-1] == parts[1:, 3]).all()


@pytest.mark.parametrize("threads", [1, 2, 64])
def test_no_work_is_no_rows(threads: int) -> None:
    sizes = np.array([3, 2000], dtype=np.int64)
    nothing = np.zeros(2, dtype=bool)
    assert len(pieces_of(sizes, nothing, threads).rows) == 0
    assert len(blocks_of(sizes, nothing, threads, over_all=False).parts) == 0
    assert blocks_of(sizes, nothing, threads, over_all=True).counts.tolist() == [0.0]
