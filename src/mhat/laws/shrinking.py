"""A search for the smallest gradients that break a law: what fits into a sentence. It knows no law by name.

Seeded streams find what is wrong. Then the plainest gradients are tried, one step and two, and after them those of
the streams up to the first fault; what breaks the law is made shorter and plainer for as long as it breaks it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from mhat.laws.gradients import CONSTANTS, GROWTH, grown, seeded
from mhat.laws.law import Array, Kind

Breaks = Callable[[Array], bool]
# The plainest first: what breaks a law is shrunk towards it.
VALUES = (1.0, 2.0, -1.0, 3.0, 0.0, 0.5, -2.0, 10.0)
FEW = VALUES[:4]
# A run may be slow: after so many more the gradients are small enough.
TRIES = 100


def smallest(kind: Kind, breaks: Breaks, step: int, column: int) -> Array | None:
    """Search for the smallest gradients that break a law; None if none are found.

    `step` (from 1) and `column` are those of the first fault in the seeded streams.
    """
    tried = itertools.chain(_plainest(kind, step), _parts(kind, step, column))
    broken = next((gradients for gradients in tried if breaks(gradients)), None)
    return _shrunk(broken, breaks) if broken is not None and kind in ("sequence", "pair") else broken


def _plainest(kind: Kind, step: int) -> Iterator[Array]:
    if kind == "nothing":
        yield np.zeros((step, 1))
    elif kind == "constant":
        yield from (np.full((step, 1), value) for value in CONSTANTS)
    elif kind == "growing":
        yield from (grown(ratio, step)[:, None] for ratio in GROWTH)
    elif kind == "sequence":
        yield from (np.array([[value]]) for value in VALUES)
        yield from (np.array(pair)[:, None] for pair in itertools.product(FEW, repeat=2))
        yield np.ones((step, 1))
    else:
        yield from (np.array([pair]) for pair in itertools.product(FEW, repeat=2))
        yield from (np.array([pair, pair]) for pair in itertools.product(FEW, repeat=2))
        yield np.ones((step, 2))


def _parts(kind: Kind, step: int, column: int) -> Iterator[Array]:
    """Yield what shows only late, or only where many coordinates meet, the simplest first."""
    streams = seeded(kind)
    others = [other for other in range(streams.shape[1]) if other != column]
    yield streams[:step, [column]]
    yield from (streams[:step, [column, other]] for other in others)
    yield streams[:step]
    yield streams


def _shrunk(gradients: Array, breaks: Breaks) -> Array:
    """Leave out steps, and put plainer values, for as long as the law stays broken."""
    left = TRIES
    while True:
        for simpler in _simpler(gradients):
            if not left:
                return gradients
            left -= 1
            if breaks(simpler):
                gradients = simpler
                break
        else:
            return gradients


def _simpler(gradients: Array) -> Iterator[Array]:
    steps = len(gradients)
    for length in (steps // 2, steps // 4, 1):
        for first in range(0, steps - length + 1, length) if 0 < length < steps else ():
            yield np.delete(gradients, slice(first, first + length), axis=0)
    for place, value in np.ndenumerate(gradients):
        for plainer in VALUES[: VALUES.index(value)] if value in VALUES else VALUES:
            changed = gradients.copy()
            changed[place] = plainer
            yield changed
