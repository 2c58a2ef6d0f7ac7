"""A record laid out by steps, with how far what is written may lie from what was. It knows no rule and no file.

All arrays are (step, tensor, coordinate). A tensor whose gradient is missing at a step does not count that step: its
rows move up, and what is left at its end is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.dtypes import DTYPES

Array = np.ndarray[Any, Any]
# Steps that are passed over at least so often, and in step, are those of gradients that were accumulated.
MOST_MICRO_STEPS = 64


@dataclass(frozen=True)
class Rows:
    """Gradients, what was observed, and x before each step (nan where nobody wrote it down).

    `g_half` and `x_half`: how far a number may lie from what is written. `dtype`: that of the run. `tensors` names the
    tensors, and `widths` says how many coordinates belong to each, where they are laid side by side in one.
    `unwritten`: where no gradient was written though x moved, and a zero is taken. `notes`: what was done to the record
    to read it so.
    """

    gradients: Array
    observed: Array
    start: Array
    g_half: Array
    x_half: Array
    observe: str
    dtype: str
    schedules: dict[str, Array]
    tensors: tuple[str, ...] = ("",)
    widths: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    unwritten: Array | None = None

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.gradients)

    @property
    def known(self) -> Array:
        """Where something was observed."""
        return np.asarray(~np.isnan(self.observed))

    def part(self, steps: int, most: int) -> Rows:
        """Give the first steps of at most so many coordinates, spread evenly: enough to estimate by."""
        tensors = self.observed.shape[1]
        joined = self.widths if tensors == 1 and len(self.widths) > 1 else (self.observed.shape[2],)
        each = max(2, most // (tensors * len(joined)))
        spread = [np.unique(np.linspace(0, width - 1, each).astype(int)) for width in joined]
        ahead = np.concatenate([[0], np.cumsum(joined)[:-1]]).astype(int)
        chosen = np.concatenate([first + places for first, places in zip(ahead, spread, strict=True)])
        widths = tuple(map(len, spread)) if len(joined) > 1 else ()
        cut = {name: getattr(self, name)[:steps][..., chosen] for name in ("gradients", "observed", "g_half", "x_half")}
        over = {name: values[:steps] for name, values in self.schedules.items()}
        return replace(self, **cut, start=self.start[:, chosen], schedules=over, widths=widths)

    def first_steps(self, steps: int) -> Rows:
        """Give the first steps alone."""
        first = {name: getattr(self, name)[:steps] for name in ("gradients", "observed", "g_half", "x_half")}
        return replace(self, **first, schedules={name: values[:steps] for name, values in self.schedules.items()})

    def groups(self) -> Array:
        """Number the tensor of each coordinate, (tensor, coordinate)."""
        shape = self.observed.shape[1:]
        if shape[0] > 1 or len(self.widths) < 2:
            return np.broadcast_to(np.arange(shape[0])[:, None], shape)
        return np.repeat(np.arange(len(self.widths)), self.widths)[None]


def laid_out(
    gradients: Sequence[Array],
    observed: Sequence[Array],
    start: Sequence[Array] | None,
    halves: tuple[Sequence[Array], Sequence[Array]],
    observe: str,
    dtype: str,
    schedules: dict[str, Array],
    tensors: tuple[str, ...],
) -> Rows:
    """Lay tensors side by side; of different sizes they become one. Steps without a gradient are left out."""
    flat = [
        [np.asarray(a, np.float64).reshape(len(a), -1) for a in arrays] for arrays in (gradients, observed, *halves)
    ]
    starts = [np.full(g.shape[1], np.nan) for g in flat[0]]
    if start is not None:
        starts = [np.ravel(np.asarray(each, np.float64)) for each in start]
    passed = [_passed_over(g, x, s) for g, x, s in zip(flat[0], flat[1], starts, strict=True)]
    notes = _said(passed, tensors)
    if any(rows.any() for rows in passed):
        flat = [[_moved_up(a, rows) for a, rows in zip(arrays, passed, strict=True)] for arrays in flat]
    widths = tuple(g.shape[1] for g in flat[0])
    if len(set(widths)) == 1:
        laid = [np.stack(arrays, axis=1) for arrays in flat]
        first = np.stack(starts)
    else:
        laid = [np.hstack(arrays)[:, None] for arrays in flat]
        first = np.hstack(starts)[None]
    g, x, g_half, x_half = laid
    # A gradient that is missing, where x moved all the same, was a zero.
    zero = np.isnan(g) & ~np.isnan(x)
    return Rows(
        np.where(zero, 0.0, g), x, first, g_half, x_half, observe, dtype, schedules, tensors, widths, notes, zero
    )


def _passed_over(g: Array, x: Array, start: Array) -> Array:
    """Tell the steps at which a tensor had no gradient and stayed where it was."""
    missing = np.isnan(g).all(axis=1)
    still = (x == np.concatenate([start[None], x[:-1]])).all(axis=1)
    return np.asarray(missing & still)


def _moved_up(array: Array, passed: Array) -> Array:
    kept = array[~passed]
    return np.vstack([kept, np.full((len(array) - len(kept), array.shape[1]), np.nan)])


def _said(passed: Sequence[Array], tensors: tuple[str, ...]) -> tuple[str, ...]:
    counts = {name: int(rows.sum()) for name, rows in zip(tensors, passed, strict=True) if rows.any()}
    if not counts:
        return ()
    said = ", ".join(f"{count} of {name}" if name else str(count) for name, count in counts.items())
    return (f"steps without a gradient are not counted: {said}",)


def readings(rows: Rows) -> Iterator[Rows]:
    """Yield the ways to read a record: as it is, or as gradients that were accumulated over some steps."""
    yield rows
    if rows.unwritten is not None and rows.unwritten.any():
        lost = np.logical_or.accumulate(rows.unwritten, axis=0)
        said = "where no gradient is written though x moved, nothing can be judged from then on"
        yield replace(rows, observed=np.where(lost, np.nan, rows.observed), unwritten=None, notes=(*rows.notes, said))
    before = _written_before(rows)
    if before is not None:
        yield before
    often = _micro_steps(rows)
    if often:
        for called, factor in (("averaged", 1.0 / often), ("added up", 1.0)):
            yield _accumulated(rows, often, factor, called)


def _written_before(rows: Rows) -> Rows | None:
    """Read x as it was before each step: then the last gradient leads nowhere, and the first x is the start."""
    if rows.observe != "x" or not np.isnan(rows.start).all() or rows.steps < 3:
        return None
    cut = {name: getattr(rows, name)[:-1] for name in ("gradients", "g_half")}
    after = {name: getattr(rows, name)[1:] for name in ("observed", "x_half")}
    over = {name: values[:-1] for name, values in rows.schedules.items()}
    note = "x is written before each step: the first one is the start"
    return replace(
        rows, **cut, **after, start=rows.observed[0], schedules=over, unwritten=None, notes=(*rows.notes, note)
    )


def _micro_steps(rows: Rows) -> int:
    """Give how many rows make one step where x stays as it is but at every such row; 0 where it moves at once."""
    moved = np.flatnonzero((np.diff(rows.observed, axis=0) != 0).any(axis=(1, 2))) + 1
    if len(moved) < 2 or rows.observe != "x":
        return 0
    often = int(moved[1] - moved[0])
    regular = 1 < often <= MOST_MICRO_STEPS and (np.diff(moved) == often).all() and (moved[0] + 1) % often == 0
    return often if regular else 0


def _accumulated(rows: Rows, often: int, factor: float, called: str) -> Rows:
    whole = rows.steps // often * often

    def joined(array: Array) -> Array:
        return np.asarray(array[:whole].reshape(-1, often, *array.shape[1:]).sum(axis=1) * factor)

    last = slice(often - 1, whole, often)
    notes = (*rows.notes, f"x moves at every {often}th row: the gradients of {often} rows are {called}")
    if _stepped_between(rows, often):
        notes += (
            f"`lr` changes between the steps, too: the schedule is stepped {often} times a step, per micro-batch",
        )
    return replace(
        rows,
        gradients=joined(rows.gradients),
        g_half=joined(rows.g_half),
        observed=rows.observed[last],
        x_half=rows.x_half[last],
        schedules={name: values[last] for name, values in rows.schedules.items()},
        notes=notes,
    )


def _stepped_between(rows: Rows, often: int) -> bool:
    """Whether a rate that is told changes within a step of several rows, at most of the steps."""
    rates = rows.schedules.get("lr")
    if rates is None or np.ndim(rates) != 1:
        return False
    steps = np.reshape(rates[: rows.steps // often * often], (-1, often))
    return bool(np.mean(np.ptp(steps, axis=1) > 0) > 0.5)


def rounding_of(values: Array, dtype: str) -> Array:
    """Give how far numbers of a type may lie from what was stored in it: half a unit of the last place."""
    row = DTYPES[dtype]
    return np.asarray(np.maximum(0.5 * row.epsilon * np.abs(values), 0.5 * row.smallest))
