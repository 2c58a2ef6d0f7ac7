"""Which part of which tensor is whose work: tables that a step's kernel walks through. It knows no rule.

The coordinates of all tensors stand in one line. It is cut into as many shares as there are threads, and a share
into pieces, none of which crosses from one tensor to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.ops.tensors import BLOCK, padded_length

Array = Any
# Cuts inside a tensor lie on multiples of this, so that threads do not write into one cache line.
GRAIN = 64


@dataclass(frozen=True)
class Pieces:
    """Rows (tensor, begin, end), and where each thread's rows begin."""

    rows: Array
    shares: Array


@dataclass(frozen=True)
class Blocks:
    """Blocks of a sum: where the parts of each begin, parts (tensor, begin, end, place in the block), lengths (filled,
    padded), where the blocks of each sum begin, where each thread's blocks begin, and how many numbers a sum counts.
    """

    firsts: Array
    parts: Array
    lengths: Array
    groups: Array
    shares: Array
    counts: Array


def pieces_of(sizes: Array, chosen: Array, threads: int) -> Pieces:
    """Cut tensors of these sizes into equal shares; only the chosen ones (a mask) have work.

    A chosen tensor without coordinates has one empty piece: it may have a state of one number.
    """
    edges = _edges(np.where(chosen, sizes, 0))
    cuts = np.round(np.arange(1, threads) * (edges[-1] / threads)).astype(np.int64)
    if edges[-1]:
        # A cut goes to a whole grain of its tensor, or to the tensor's end.
        tensors = _tensor_at(edges, np.minimum(cuts, edges[-1] - 1))
        into = cuts - edges[tensors]
        cuts = np.minimum(edges[tensors] + -(-into // GRAIN) * GRAIN, edges[tensors + 1])
    points = np.unique(np.concatenate([edges, cuts]))
    rows = _rows(edges, points)
    shares = np.searchsorted(points, np.concatenate([[0], cuts, edges[-1:]])).astype(np.int64)
    empty = np.flatnonzero(chosen & (sizes == 0))
    if len(empty):
        rows = np.concatenate([rows, np.column_stack([empty, np.zeros((len(empty), 2), np.int64)])])
        shares[-1] += len(empty)
    return Pieces(rows, shares)


def blocks_of(sizes: Array, chosen: Array, threads: int, *, over_all: bool) -> Blocks:
    """Lay out the blocks of sums over each tensor, or of one sum over all."""
    sizes = np.where(chosen, sizes, 0)
    edges = _edges(sizes)
    lines = np.array([0, edges[-1]]) if over_all else edges
    lengths = np.diff(lines)
    each = -(-lengths // BLOCK)
    groups = np.concatenate([[0], np.cumsum(each)]).astype(np.int64)
    line = np.repeat(np.arange(len(lengths)), each)
    starts = lines[line] + (np.arange(groups[-1]) - groups[line]) * BLOCK
    ends = np.minimum(starts + BLOCK, lines[line + 1])
    points = np.unique(np.concatenate([edges, starts, ends]))
    rows = _rows(edges, points)
    block = np.searchsorted(starts, points[:-1], side="right") - 1
    padded = np.array([padded_length(int(n)) if n < BLOCK else BLOCK for n in lengths.tolist()], dtype=np.int64)
    filled = ends - starts
    parts = np.column_stack([rows, points[:-1] - starts[block]]) if len(rows) else np.empty((0, 4), np.int64)
    return Blocks(
        np.searchsorted(block, np.arange(groups[-1] + 1)).astype(np.int64),
        parts,
        np.column_stack([filled, padded[line]]),
        groups,
        np.round(np.linspace(0, groups[-1], threads + 1)).astype(np.int64),
        (np.array([edges[-1]]) if over_all else sizes).astype(np.float64),
    )


def _edges(sizes: Array) -> Array:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _tensor_at(edges: Array, places: Array) -> Array:
    """Find the tensor in which each place of the line lies; empty tensors hold none."""
    return np.searchsorted(edges, places, side="right") - 1


def _rows(edges: Array, points: Array) -> Array:
    """Make rows (tensor, begin, end) of the stretches between points of the line."""
    if len(points) < 2:
        return np.empty((0, 3), np.int64)
    tensors = _tensor_at(edges, points[:-1])
    return np.column_stack([tensors, points[:-1] - edges[tensors], points[1:] - edges[tensors]])
