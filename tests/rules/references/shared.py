"""What formulas in NumPy share: averages as explicit sums, and paths. It knows neither the rule language nor mhat.

Where a formula has a closed form it is used instead of the recursion that a rule writes: an average is the
explicit weighted sum of all gradients so far, a running maximum is the maximum over the past.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Reference = Callable[..., Array]
REFERENCES: dict[str, Reference] = {}


def reference(function: Reference) -> Reference:
    """Enter a function from (gradients, start, knobs) to the parameters after each step."""
    REFERENCES[function.__name__] = function
    return function


def steps_of(values: Array) -> Array:
    """Give the step numbers as a column."""
    return np.arange(1.0, len(values) + 1)[:, None]


def weighted_sum(values: Array, beta: float) -> Array:
    """Sum over the past, a value `age` steps old weighing beta**age."""
    age = np.subtract.outer(np.arange(len(values)), np.arange(len(values)))
    weights = np.where(age >= 0, float(beta) ** np.maximum(age, 0), 0.0)
    return np.asarray(weights @ values)


def average(values: Array, beta: float) -> Array:
    return (1 - beta) * weighted_sum(values, beta)


def corrected(values: Array, beta: float) -> Array:
    """Average with weights that sum to one."""
    return average(values, beta) / (1 - beta ** steps_of(values))


def path(start: Array, moves: Array) -> Array:
    return np.asarray(start - np.cumsum(moves, axis=0))


def decayed_path(start: Array, moves: Array, kept: float) -> Array:
    """Take the moves one by one, the parameter multiplied by `kept` before each."""
    x, record = np.array(start, dtype=float), []
    for move in moves:
        x = kept * x - move
        record.append(x)
    return np.array(record)


def past(values: Array) -> Array:
    """Give the values of the step before; the first is repeated."""
    return np.concatenate([values[:1], values[:-1]])
