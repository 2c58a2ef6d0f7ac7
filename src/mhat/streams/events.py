"""Streams in which something happens: sparse, spike, shift, lottery. They know no rule."""

from __future__ import annotations

import numpy as np

from mhat.notation import count_steps, number, whole
from mhat.streams.stream import Stream, generator, made


def sparse(every: int = 10, value: float = 1.0, *, steps: int = 100) -> Stream:
    """A gradient at one step in `every`, and zero between.

    Teaches that Adam keeps moving after the gradient is gone, and how much a rare gradient counts: one in k moves by
    about sqrt(k) lr in all, where SGD moves by its value. Rare words in an embedding see such gradients.

    Shape (steps,). The gradient comes at the steps every, 2 every, ...

    >>> sparse(3, steps=7).values
    array([0., 0., 1., 0., 0., 1., 0.])
    """
    every, value, steps = whole("every", every, least=1), number("value", value), count_steps(steps)
    values = np.zeros(steps)
    values[every - 1 :: every] = value
    return made(sparse, values, every=every, value=value, steps=steps)


def spike(size: float = 100.0, at: int = 50, base: float = 1.0, *, steps: int = 100) -> Stream:
    """One gradient of another size among equal ones.

    Teaches that the second moment forgets slowly: with a spike of 100 among ones Adam's step shrinks to 0.76 lr, fifty
    steps later to 0.10 lr, and a thousand, 1 / (1 - beta2), after it is 0.39 lr still. Late in a run (at=3000) the
    spike itself is a step of 3.2 lr, and short ones follow. With `size=nan` it shows that one bad gradient spoils the
    moments for good.

    Shape (steps,); the spike is the gradient of step `at`, counted from 1. No spike where `at` is beyond `steps`.

    >>> spike(100, at=3, steps=5).values
    array([  1.,   1., 100.,   1.,   1.])
    """
    size, base = number("size", size), number("base", base)
    at, steps = whole("at", at, least=1), count_steps(steps)
    values = np.full(steps, base)
    values[at - 1 : at] = size
    return made(spike, values, size=size, at=at, base=base, steps=steps)


def shift(
    before: float = 1.0, after: float = -1.0, at: int = 50, noise: float = 0.0, seed: int = 0, *, steps: int = 100
) -> Stream:
    """A gradient whose mean changes at one step.

    Teaches how long a rule holds on to the past: with momentum it walks on in the old direction for some
    ln 2 / (1 - beta1) steps; at beta1 = 0.9 the seventh of the new gradients turns it.

    Shape (steps,); step `at`, counted from 1, is the first of the new mean. `noise` is the standard deviation of
    normal noise around the mean, from the seed.

    >>> shift(1, -1, at=3, steps=5).values
    array([ 1.,  1., -1., -1., -1.])
    """
    before, after, noise = number("before", before), number("after", after), number("noise", noise)
    at, seed, steps = whole("at", at, least=1), whole("seed", seed), count_steps(steps)
    values = np.where(np.arange(1, steps + 1) < at, before, after)
    if noise:
        with np.errstate(all="ignore"):
            values = values + noise * generator(seed).standard_normal(steps)
    return made(shift, values, before=before, after=after, at=at, noise=noise, seed=seed, steps=steps)


def lottery(odds: int = 10, seed: int = 0, *, steps: int = 100) -> Stream:
    """A large gradient with probability 1 / odds, and -1 otherwise.

    Teaches that Adam answers to the sign more than to the sum: the mean gradient is 1 / odds, so the parameter should
    fall; Adam lets it rise unless beta2 is close to 1. (The example of ADOPT, arXiv:2411.02853.)

    Shape (steps,); the large gradient is `odds`.

    >>> lottery(4, seed=1, steps=6).values
    array([-1., -1.,  4., -1., -1., -1.])
    """
    odds, seed, steps = whole("odds", odds, least=1), whole("seed", seed), count_steps(steps)
    won = generator(seed).random(steps) * odds < 1
    return made(lottery, np.where(won, float(odds), -1.0), odds=odds, seed=seed, steps=steps)
