"""Landscapes with one bottom and no trap: quadratic, ravine, booth, absolute, noisy. They know no rule."""

from __future__ import annotations

import math

import numpy as np

from mhat.landscapes.landscape import Array, Landscape, joined, made, summed
from mhat.notation import number, positive, whole


def quadratic(condition: float = 10.0, dimensions: int = 2) -> Landscape:
    """A bowl along the axes: half the sum of c x^2, with c from 1 to `condition`.

    The curvatures c are evenly spaced on a logarithmic scale; in one dimension the only one is `condition`.

    >>> float(quadratic(100).value([1.0, 1.0]))
    50.5
    """
    condition, dimensions = positive("condition", condition), whole("dimensions", dimensions, least=1)
    curvatures = np.geomspace(1.0, condition, dimensions) if dimensions > 1 else np.array([condition])

    def height(x: Array) -> Array:
        return 0.5 * summed(curvatures.astype(x.dtype) * x * x)

    def slope(x: Array, t: int) -> Array:
        return curvatures.astype(x.dtype) * x

    return made(
        quadratic,
        {"condition": condition, "dimensions": dimensions},
        height=height,
        slope=slope,
        minimum=((0.0,) * dimensions,),
        minimum_value=0.0,
        start=(1.0,) * dimensions,
        window=((-1.5, 1.5),) * dimensions,
        lesson="The steepest axis bounds the learning rate of SGD at 2 / condition, the flattest sets its speed. "
        "Adam gives every axis its own rate, and the condition number nearly disappears.",
    )


def ravine(condition: float = 100.0, angle: float = 45.0) -> Landscape:
    """A bowl turned by an angle in degrees: curvature 1 along the ravine, `condition` across it.

    >>> ravine(angle=0).gradient([2.0, 3.0])
    array([  2., 300.])
    """
    condition, angle = positive("condition", condition), number("angle", angle)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def height(x: Array) -> Array:
        along, across = cosine * x[..., 0] + sine * x[..., 1], cosine * x[..., 1] - sine * x[..., 0]
        return 0.5 * (along * along + condition * across * across)

    def slope(x: Array, t: int) -> Array:
        along, across = cosine * x[..., 0] + sine * x[..., 1], cosine * x[..., 1] - sine * x[..., 0]
        wall = condition * across
        return joined(cosine * along - sine * wall, sine * along + cosine * wall)

    return made(
        ravine,
        {"condition": condition, "angle": angle},
        height=height,
        slope=slope,
        minimum=((0.0, 0.0),),
        minimum_value=0.0,
        start=(-1.0, 0.5),
        window=((-1.5, 1.5), (-1.5, 1.5)),
        lesson="Adam sees coordinates and no directions. Turned by 45 degrees, both coordinates have the same "
        "curvature, so rates of their own do not help, and Adam with lr=0.01 needs more than ten times the "
        "steps of an angle of 0. SGD sees directions: with the same lr it needs fewer at 45 degrees than at 0.",
    )


def booth() -> Landscape:
    """Booth's function: (x + 2y - 7)^2 + (2x + y - 5)^2, a mild turned bowl.

    >>> float(booth().value([1.0, 3.0]))
    0.0
    """

    def height(x: Array) -> Array:
        first, second = _booth(x)
        return first * first + second * second

    def slope(x: Array, t: int) -> Array:
        first, second = _booth(x)
        return joined(2 * first + 4 * second, 4 * first + 2 * second)

    return made(
        booth,
        {},
        height=height,
        slope=slope,
        minimum=((1.0, 3.0),),
        minimum_value=0.0,
        start=(-5.0, -5.0),
        window=((-10.0, 10.0), (-10.0, 10.0)),
        lesson="For Adam lr is a length: the bottom is 8 away in y, so it needs at least about 8 / lr steps, "
        "however steep the slope. SGD runs where it is steep: at lr=0.1 it is at the height 0.01 in 26 steps, "
        "Adam in 520.",
    )


def absolute(dimensions: int = 2) -> Landscape:
    """A pyramid on its tip: the sum of |x|. At 0 the gradient is 0.

    >>> absolute().gradient([-2.0, 0.5])
    array([-1.,  1.])
    """
    dimensions = whole("dimensions", dimensions, least=1)
    return made(
        absolute,
        {"dimensions": dimensions},
        height=lambda x: summed(np.abs(x)),
        slope=lambda x, t: np.sign(x),
        minimum=((0.0,) * dimensions,),
        minimum_value=0.0,
        start=(1.0, *(0.55,) * (dimensions - 1)),
        window=((-1.5, 1.5),) * dimensions,
        lesson="The gradient does not shrink near the bottom, so with a constant learning rate SGD never rests: it "
        "hops to and fro by that length, and is half of it away or more at every other step. A falling "
        "learning rate comes to rest, and the average of the path is never more than half a hop away.",
    )


def noisy(noise: float = 1.0, condition: float = 10.0, seed: int = 0) -> Landscape:
    """A bowl of two dimensions whose gradient comes with normal noise, the same at step t for the same seed.

    >>> hill = noisy(seed=1)
    >>> bool((hill.gradient([0.0, 0.0], 7) == hill.gradient([0.0, 0.0], 7)).all())
    True
    """
    noise, condition, seed = number("noise", noise), positive("condition", condition), whole("seed", seed)
    curvatures = np.array([1.0, condition])

    def height(x: Array) -> Array:
        return 0.5 * summed(curvatures.astype(x.dtype) * x * x)

    def slope(x: Array, t: int) -> Array:
        error = noise * np.random.Generator(np.random.PCG64([seed, t])).standard_normal(2)
        return curvatures.astype(x.dtype) * x + error.astype(x.dtype)

    return made(
        noisy,
        {"noise": noise, "condition": condition, "seed": seed},
        height=height,
        slope=slope,
        minimum=((0.0, 0.0),),
        minimum_value=0.0,
        start=(3.0, 3.0),
        window=((-4.0, 4.0), (-4.0, 4.0)),
        lesson="With noise a constant learning rate does not arrive but hovers, the higher the rate the higher. "
        "A falling rate and the average of the path come to rest; momentum at a tenth of the rate hovers lower.",
    )


def _booth(x: Array) -> tuple[Array, Array]:
    return x[..., 0] + 2 * x[..., 1] - 7, 2 * x[..., 0] + x[..., 1] - 5
