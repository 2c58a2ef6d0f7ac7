"""How far a candidate agrees with what a subject did: step by step, stopped early, with a score for near misses.

It knows no edit. Differences are measured on the scale of the accumulated update, never on a value near zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mhat.language.tree import Tree
from mhat.search.matrices import evaluator_of
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
# How far apart two doubles may lie, by the subject's dtype, on the scale of the update; for proposing only.
RELATIVE = {"float64": 1e-9, "float32": 3e-5, "float16": 2e-2, "bfloat16": 8e-2}


def update_scale(values: Array, start: Array) -> Array:
    """Give the largest update so far, and the size of the parameter where a start is given: what an ulp is of."""
    with np.errstate(all="ignore"):
        moved = np.abs(values - start)
        moved = np.where(np.isfinite(moved), moved, 0.0)
        size = np.abs(np.broadcast_to(start, values.shape))
    return np.asarray(np.maximum(np.maximum.accumulate(moved, axis=0), size))


def loose_bound(observed: Observed, dtype: str) -> Array:
    """Give the bound within which a candidate is worth confirming."""
    scale = observed.probes.pooled(update_scale(observed.values, observed.probes.base))
    start = np.abs(np.broadcast_to(observed.probes.base, scale.shape))
    return np.asarray(RELATIVE[dtype] * scale + 4e-16 * start + 1e-300 + observed.slack)


def same(a: Array, b: Array, bound: Array) -> Array:
    """Tell where two values agree: within the bound, or both NaN, or the same infinity."""
    with np.errstate(all="ignore"):
        return np.asarray((np.abs(a - b) <= bound) | (a == b) | (np.isnan(a) & np.isnan(b)))


# The score of a candidate that explains everything.
BEST = 2.0


class Matcher:
    """Compares candidates with one observation."""

    def __init__(self, observed: Observed, bound: Array) -> None:
        self.observed = observed
        self.bound = bound
        self.evaluator = evaluator_of(observed.probes)
        self.steps = observed.probes.steps
        self._nan: Array = np.asarray(~np.isfinite(observed.values).all(axis=(1, 2, 3)))
        self._moved = observed.values - observed.probes.base
        with np.errstate(all="ignore"):
            self._wanted = self._moved / self._anchor(self._moved)
            self._wanted_bound = 1e-7 * np.maximum(1.0, np.abs(self._wanted))

    @property
    def shape(self) -> tuple[Array, Array]:
        """What was observed with the first move of each coordinate made one, and the bound on it."""
        return self._wanted, self._wanted_bound

    def agreed(self, tree: Tree, knobs: Mapping[str, Any] | None = None) -> int:
        """Count the steps before the first difference; stop early. A tree that cannot run agrees on none."""
        try:
            with np.errstate(all="ignore"):
                for i, x in enumerate(self.evaluator.steps(tree, knobs)):
                    if not self._close(i, x):
                        return i
        except (KeyError, ValueError, TypeError):
            return -1
        return self.steps

    def _close(self, i: int, x: Array) -> bool:
        if not self._nan[i]:
            return bool((np.abs(x - self.observed.values[i]) <= self.bound[i]).all())
        return bool(same(x, self.observed.values[i], self.bound[i]).all())

    @staticmethod
    def _anchor(moved: Array) -> Array:
        """Give each coordinate's first move that is not zero: divided by it, a common factor drops out."""
        usable = np.isfinite(moved) & (moved != 0)
        index = np.argmax(usable, axis=0)[None]
        first = np.take_along_axis(moved, index, axis=0)
        return np.where(np.isfinite(first) & (first != 0), first, 1.0)

    def score(self, tree: Tree, knobs: Mapping[str, Any] | None = None) -> float:
        """Say how much of the observation a candidate explains; -1 if it cannot run."""
        return self.judged(tree, knobs)[1]

    def judged(self, tree: Tree, knobs: Mapping[str, Any] | None = None) -> tuple[bytes, float]:
        """Run a candidate whole: a key that candidates share which do the same here, and what it explains.

        What it explains: the share of steps before the first difference, coordinate by coordinate, and again
        with the first move of each coordinate made equal.
        """
        try:
            made = self.evaluator.run(tree, knobs)
        except (KeyError, ValueError, TypeError):
            return b"", -1.0
        with np.errstate(all="ignore"):
            exact = same(made, self.observed.values, self.bound)
            moved = made - self.observed.probes.base
            nearly = same(moved / self._anchor(moved), self._wanted, self._wanted_bound)
            mantissa, exponent = np.frexp(made)
            coarse = np.where(np.isfinite(made), np.round(mantissa * 1e7), 0.0).astype(np.int32)
        run_exact = np.logical_and.accumulate(exact, axis=0).mean()
        run_nearly = np.logical_and.accumulate(nearly, axis=0).mean()
        score = BEST if exact.all() else float(run_exact + 0.7 * run_nearly)
        return coarse.tobytes() + exponent.astype(np.int16).tobytes(), score
