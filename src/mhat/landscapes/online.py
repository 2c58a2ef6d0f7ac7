"""Landscapes that change with the step, on the interval from -1 to 1: reddi, lottery. They know no rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mhat.landscapes.landscape import Array, Landscape, Point, made
from mhat.notation import number, whole


def reddi(large: float = 3.0, small: float = -1.0, period: int = 3) -> Landscape:
    """The counter-example of Reddi et al. to Adam: slope `large` at t % period = 1, else `small`, on [-1, 1].

    Theorem 1 of arXiv:1904.09237; `reddi(1010, -10, 101)` is their synthetic experiment. The value is the mean over a
    period.

    >>> [float(reddi().gradient([0.0], t)[0]) for t in (1, 2, 3, 4)]
    [3.0, -1.0, -1.0, 3.0]
    """
    large, small, period = number("large", large), number("small", small), whole("period", period, least=2)
    mean = (large + (period - 1) * small) / period

    def slope(x: Array, t: int) -> Array:
        return np.full_like(x, large if t % period == 1 else small)

    return made(
        reddi,
        {"large": large, "small": small, "period": period},
        height=lambda x: mean * x[..., 0],
        slope=slope,
        minimum=_lowest(mean),
        minimum_value=-abs(mean),
        start=(0.0,),
        window=((-1.0, 1.0),),
        domain=(-1.0, 1.0),
        lr=lambda t: 0.5 / np.sqrt(np.asarray(t, np.float64)),
        lesson="The slopes add up to a way down to -1. Adam with beta1=0 and beta2=0.1 goes to +1, the worst "
        "point: it divides the rare large slope by its own size. AMSGrad, which never forgets it, goes to "
        "-1.",
    )


def lottery(odds: int = 10, seed: int = 0) -> Landscape:
    """The example of ADOPT: slope `odds` with probability 1 / odds, else -1, on [-1, 1] (arXiv:2411.02853).

    The same draw at step t for the same seed. The value is the expected one.

    >>> sorted({float(lottery().gradient([0.0], t)[0]) for t in range(1, 60)})
    [-1.0, 10.0]
    """
    odds, seed = whole("odds", odds, least=1), whole("seed", seed)
    mean = 1.0 - (1.0 - 1.0 / odds)

    def slope(x: Array, t: int) -> Array:
        won = np.random.Generator(np.random.PCG64([seed, t])).random() * odds < 1
        return np.full_like(x, odds if won else -1.0)

    return made(
        lottery,
        {"odds": odds, "seed": seed},
        height=lambda x: mean * x[..., 0],
        slope=slope,
        minimum=_lowest(mean),
        minimum_value=-mean,
        start=(0.0,),
        window=((-1.0, 1.0),),
        domain=(-1.0, 1.0),
        lr=_falling,
        lesson="The mean slope leads down to -1. At this learning rate Adam goes down with beta2=0.999, and with 0.9 "
        "up to 1; ADOPT goes down with 0.9 too: it keeps the new gradient out of the average that it divides "
        "by.",
    )


def _falling(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.01 / np.sqrt(1 + 0.01 * np.asarray(t, np.float64))


def _lowest(mean: float) -> tuple[Point, ...]:
    return () if mean == 0 else ((-float(np.sign(mean)),),)
