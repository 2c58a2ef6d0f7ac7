"""Streams of chance, each from an explicit seed: normal, heavy_tailed, drift, correlated, scaled. They know no rule."""

from __future__ import annotations

import math

import numpy as np

from mhat.notation import between, count_steps, number, positive, whole
from mhat.streams.stream import Size, Stream, generator, made, shape_of


def normal(mean: float = 0.0, scale: float = 1.0, seed: int = 0, size: Size = None, *, steps: int = 100) -> Stream:
    """Independent normal gradients.

    Teaches what a rule does with noise alone: a step of Adam is sqrt((1 - beta1) / (1 + beta1)) lr long in the RMS,
    0.23 lr at beta1 = 0.9. A mean beside the noise shows the ratio of signal to noise steering that length.

    Shape (steps,), or (steps, n) and (steps, n, m) with a size of n or (n, m), typed `size=3` and `size=3x4`.

    >>> normal(seed=42, steps=3).values.round(3)
    array([ 0.305, -1.04 ,  0.75 ])
    """
    mean, scale = number("mean", mean), number("scale", scale)
    seed, steps = whole("seed", seed), count_steps(steps)
    with np.errstate(all="ignore"):
        values = mean + scale * generator(seed).standard_normal(shape_of(steps, size))
    return made(normal, values, mean=mean, scale=scale, seed=seed, size=size, steps=steps)


def heavy_tailed(
    freedom: float = 2.0, scale: float = 1.0, seed: int = 0, size: Size = None, *, steps: int = 100
) -> Stream:
    """Independent gradients with rare, very large values (Student's t).

    Teaches what clipping and Adam are for: of a thousand gradients the largest outweighs a hundred others together and
    throws SGD about, where no step of Adam is longer than 3 lr. At 2 degrees of freedom or fewer there is no variance
    for the second moment to settle on.

    Shape as in `normal`. `freedom` is a finite number above zero; the smaller, the heavier the tails.

    >>> heavy_tailed(seed=1, steps=3).values.round(3)
    array([ 0.622, -2.153,  0.333])
    """
    freedom, scale = positive("freedom", freedom), number("scale", scale)
    seed, steps = whole("seed", seed), count_steps(steps)
    with np.errstate(all="ignore"):
        values = scale * generator(seed).standard_t(freedom, shape_of(steps, size))
    return made(heavy_tailed, values, freedom=freedom, scale=scale, seed=seed, size=size, steps=steps)


def drift(signal: float = 0.1, noise: float = 1.0, seed: int = 0, size: Size = None, *, steps: int = 100) -> Stream:
    """A small steady gradient under large noise.

    Teaches the trade of every average: a longer memory finds the signal, and is late when it changes. This is what the
    gradient of a small batch looks like near the end of training.

    Shape as in `normal`: signal + noise * normal.

    >>> drift(0.1, 0, steps=3).values
    array([0.1, 0.1, 0.1])
    """
    signal, noise = number("signal", signal), number("noise", noise)
    seed, steps = whole("seed", seed), count_steps(steps)
    with np.errstate(all="ignore"):
        values = signal + noise * generator(seed).standard_normal(shape_of(steps, size))
    return made(drift, values, signal=signal, noise=noise, seed=seed, size=size, steps=steps)


def correlated(memory: float = 0.9, seed: int = 0, size: Size = None, *, steps: int = 100) -> Stream:
    """Normal gradients, each correlated with the one before.

    Teaches that momentum averages away only what is independent: the same variance as `normal`, but Adam walks much
    further. A negative memory gives gradients that undo each other, as on the walls of a valley.

    Shape as in `normal`. Each is `memory` (from -1 to 1) times the one before plus fresh noise; mean 0, variance 1.

    >>> correlated(1, seed=42, steps=3).values.round(3)
    array([0.305, 0.305, 0.305])
    """
    memory = between("memory", memory, -1, 1)
    seed, steps = whole("seed", seed), count_steps(steps)
    values = generator(seed).standard_normal(shape_of(steps, size))
    values[1:] *= math.sqrt(1 - memory * memory)
    for step in range(1, steps):
        values[step] += memory * values[step - 1]
    return made(correlated, values, memory=memory, seed=seed, size=size, steps=steps)


def scaled(factor: float = 10.0, size: int = 3, seed: int = 0, *, steps: int = 100) -> Stream:
    """The same noise in several coordinates, each `factor` times the one before.

    Teaches scale invariance: the curves of SGD fan out, those of Adam lie on each other until eps is no longer small
    beside the gradient (try a factor of 1e-4).

    Shape (steps, size).

    >>> scaled(10, size=2, seed=42, steps=2).values.round(3)
    array([[  0.305,   3.047],
           [ -1.04 , -10.4  ]])
    """
    factor, size = number("factor", factor), whole("size", size, least=1)
    seed, steps = whole("seed", seed), count_steps(steps)
    with np.errstate(all="ignore"):
        factors = np.multiply.accumulate(np.array([1.0] + [factor] * (size - 1)))
        values = generator(seed).standard_normal(steps)[:, None] * factors
    return made(scaled, values, factor=factor, size=size, seed=seed, steps=steps)
