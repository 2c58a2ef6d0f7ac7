"""Landscapes with a bent or flat way to the bottom: rosenbrock, beale, factors, plateau. They know no rule."""

from __future__ import annotations

import math

import numpy as np

from mhat.landscapes.landscape import Array, Landscape, joined, made, summed
from mhat.notation import number, positive


def rosenbrock(a: float = 1.0, b: float = 100.0) -> Landscape:
    """Rosenbrock's banana: (a - x)^2 + b (y - x^2)^2.

    >>> rosenbrock().gradient([1.0, 1.0])
    array([-0., 0.])
    """
    a, b = number("a", a), positive("b", b)

    def height(x: Array) -> Array:
        rest, off = a - x[..., 0], x[..., 1] - x[..., 0] * x[..., 0]
        return rest * rest + b * (off * off)

    def slope(x: Array, t: int) -> Array:
        rest, off = a - x[..., 0], x[..., 1] - x[..., 0] * x[..., 0]
        return joined(-2 * rest - 4 * b * x[..., 0] * off, 2 * b * off)

    return made(
        rosenbrock,
        {"a": a, "b": b},
        height=height,
        slope=slope,
        minimum=((a, a * a),),
        minimum_value=0.0,
        start=(-1.5, 2.0),
        window=((min(-2.0, a - 1), max(2.0, a + 1)), (min(-1.0, a * a - 1), max(3.0, a * a + 1))),
        lesson="The valley is found at once and then followed for long: its walls are steep, its floor is flat "
        "and bent. Momentum gathers speed along the floor, and at lr=0.001 is ten times as fast as SGD; a "
        "high beta2 remembers the walls and slows Adam down (at lr=0.02 it is at the height 1e-4 after 331 "
        "steps with beta2=0.9, after 1839 with 0.999).",
    )


def beale() -> Landscape:
    """Beale's function: the sum of (c - x + x y^k)^2 for k = 1, 2, 3 and c = 1.5, 2.25, 2.625.

    >>> float(beale().value([3.0, 0.5]))
    0.0
    """

    def height(x: Array) -> Array:
        first, second, third = _beale(x)
        return first * first + second * second + third * third

    def slope(x: Array, t: int) -> Array:
        first, second, third = _beale(x)
        u, y = x[..., 0], x[..., 1]
        along_x = 2 * (first * (y - 1) + second * (y * y - 1) + third * (y * y * y - 1))
        along_y = 2 * u * (first + 2 * second * y + 3 * third * (y * y))
        return joined(along_x, along_y)

    return made(
        beale,
        {},
        height=height,
        slope=slope,
        minimum=((3.0, 0.5),),
        minimum_value=0.0,
        start=(1.0, 1.5),
        window=((-4.5, 4.5), (-4.5, 4.5)),
        lesson="Cliffs beside a plain: the gradient is over 200,000 long in the corners and below 100 at the start. A "
        "learning rate of SGD that survives the cliffs, 1e-5, is slow on the plain: 3,000 steps do not bring "
        "it down to 8. Adam walks both at the same pace.",
    )


def factors(target: float = 1.0) -> Landscape:
    """A product to be learned: (x y - target)^2 / 2, the smallest network of two layers.

    Every point with x y = target is lowest; the two with equal factors are the flattest.

    >>> factors().gradient([2.0, 1.0])
    array([1., 2.])
    """
    target = positive("target", target)
    root = math.sqrt(target)

    def height(x: Array) -> Array:
        error = x[..., 0] * x[..., 1] - target
        return 0.5 * (error * error)

    def slope(x: Array, t: int) -> Array:
        error = x[..., 0] * x[..., 1] - target
        return joined(error * x[..., 1], error * x[..., 0])

    return made(
        factors,
        {"target": target},
        height=height,
        slope=slope,
        minimum=((root, root), (-root, -root)),
        minimum_value=0.0,
        start=(3 * root, 0.1 * root),
        window=((-4 * root, 4 * root), (-4 * root, 4 * root)),
        lesson="The lowest points form a curve, sharp far out and flat in the middle. SGD with a small learning "
        "rate stays where it first arrives; above lr = 2 / (x^2 + y^2) it cannot rest there, and slides "
        "to where it is flat.",
    )


def plateau() -> Landscape:
    """A hole in a plain: 1 - exp(-(x^2 + y^2) / 2).

    >>> bool(np.abs(plateau().gradient([4.0, 3.0])).max() < 2e-5)
    True
    """

    def height(x: Array) -> Array:
        return -np.asarray(np.expm1(-0.5 * summed(x * x)))

    def slope(x: Array, t: int) -> Array:
        steepness: Array = np.exp(-0.5 * (x * x).sum(axis=-1, keepdims=True))
        return x * steepness

    return made(
        plateau,
        {},
        height=height,
        slope=slope,
        minimum=((0.0, 0.0),),
        minimum_value=0.0,
        start=(4.0, 3.0),
        window=((-6.0, 6.0), (-6.0, 6.0)),
        lesson="At the start the gradient is 2e-5 long and SGD stands still: at lr=0.1 it moves by 0.02 in 10,000 "
        "steps. Adam takes steps of lr and more, for the scale of the gradient cancels, unless it is small "
        "beside eps: started at (6, 5), Adam stands still too.",
    )


def _beale(x: Array) -> tuple[Array, Array, Array]:
    u, y = x[..., 0], x[..., 1]
    return 1.5 - u + u * y, 2.25 - u + u * (y * y), 2.625 - u + u * (y * y * y)
