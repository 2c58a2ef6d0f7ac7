"""Landscapes with more than one bottom: saddle, himmelblau, styblinski_tang, rastrigin. They know no rule."""

from __future__ import annotations

import math

import numpy as np

from mhat.landscapes.landscape import Array, Landscape, joined, made, summed
from mhat.notation import number, whole

_HIMMELBLAU = (
    (3.0, 2.0),
    (-2.805118086952745, 3.131312518250573),
    (-3.779310253377747, -3.283185991286170),
    (3.584428340330492, -1.848126526964404),
)
_STYBLINSKI_TANG = (-2.903534027771177, -39.16616570377141)


def saddle() -> Landscape:
    """A saddle between two basins: x^2 / 2 + y^4 / 4 - y^2 / 2.

    >>> saddle().gradient([0.0, 0.0])
    array([0., 0.])
    """

    def height(x: Array) -> Array:
        u, y2 = x[..., 0], x[..., 1] * x[..., 1]
        return 0.5 * (u * u) + 0.25 * (y2 * y2) - 0.5 * y2

    def slope(x: Array, t: int) -> Array:
        u, y = x[..., 0], x[..., 1]
        return joined(u + 0.0, y * (y * y) - y)

    return made(
        saddle,
        {},
        height=height,
        slope=slope,
        minimum=((0.0, 1.0), (0.0, -1.0)),
        minimum_value=-0.25,
        start=(1.5, 1e-3),
        window=((-2.0, 2.0), (-1.8, 1.8)),
        lesson="SGD slides down to the pass and lingers: the way out starts with a gradient of 1e-3. Adam takes "
        "steps of equal length on both axes, and leaves at once.",
    )


def himmelblau() -> Landscape:
    """Himmelblau's function: (x^2 + y - 11)^2 + (x + y^2 - 7)^2, with four equal minima.

    >>> float(himmelblau().value([3.0, 2.0]))
    0.0
    """

    def height(x: Array) -> Array:
        first, second = _himmelblau(x)
        return first * first + second * second

    def slope(x: Array, t: int) -> Array:
        first, second = _himmelblau(x)
        return joined(4 * x[..., 0] * first + 2 * second, 2 * first + 4 * x[..., 1] * second)

    return made(
        himmelblau,
        {},
        height=height,
        slope=slope,
        minimum=_HIMMELBLAU,
        minimum_value=0.0,
        start=(0.0, -1.0),
        window=((-5.0, 5.0), (-5.0, 5.0)),
        lesson="Four valleys of the same depth. From this start SGD ends in the one at (3.58, -1.85), Adam in "
        "the one at (3, 2): two right rules need not agree where they end, so the end is no test of a "
        "rule.",
    )


def styblinski_tang(dimensions: int = 2) -> Landscape:
    """Half the sum of x^4 - 16 x^2 + 5 x: every coordinate has a good and a poor minimum.

    >>> styblinski_tang().gradient([0.0, 1.0])
    array([  2.5, -11.5])
    """
    dimensions = whole("dimensions", dimensions, least=1)
    place, depth = _STYBLINSKI_TANG

    def height(x: Array) -> Array:
        square = x * x
        return 0.5 * summed(square * square - 16 * square + 5 * x)

    def slope(x: Array, t: int) -> Array:
        return 2 * (x * x * x) - 16 * x + 2.5

    return made(
        styblinski_tang,
        {"dimensions": dimensions},
        height=height,
        slope=slope,
        minimum=((place,) * dimensions,),
        minimum_value=depth * dimensions,
        start=(4.0,) * dimensions,
        window=((-5.0, 5.0),) * dimensions,
        lesson="SGD ends in the poor minimum at 2.75. Momentum with lr=0.02 runs up enough speed on the steep "
        "slope to cross the hill to -2.90. Adam does not: its steps do not grow with the slope.",
    )


def rastrigin(dimensions: int = 2, amplitude: float = 10.0) -> Landscape:
    """A bowl covered with dents: the sum of x^2 + amplitude (1 - cos(2 pi x)).

    >>> float(rastrigin().value([0.0, 0.0]))
    0.0
    """
    dimensions, amplitude = whole("dimensions", dimensions, least=1), number("amplitude", amplitude)

    def height(x: Array) -> Array:
        return summed(x * x + amplitude * (1 - np.cos(2 * math.pi * x)))

    def slope(x: Array, t: int) -> Array:
        return 2 * x + 2 * math.pi * amplitude * np.asarray(np.sin(2 * math.pi * x))

    return made(
        rastrigin,
        {"dimensions": dimensions, "amplitude": amplitude},
        height=height,
        slope=slope,
        minimum=((0.0,) * dimensions,),
        minimum_value=0.0,
        start=(2.8,) * dimensions,
        window=((-5.12, 5.12),) * dimensions,
        lesson="SGD, momentum, RMSProp and Adam with lr=0.001 all end in the dent beside their start, at 2.98. "
        "Higher rates throw them about, and none from 0.0001 to 1 brings one of them to the bottom. "
        "Following a gradient is no search.",
    )


def _himmelblau(x: Array) -> tuple[Array, Array]:
    u, y = x[..., 0], x[..., 1]
    return u * u + y - 11, u + y * y - 7
