"""Streams that keep to one course: constant, zeros, ramp, exponential. They know no chance."""

from __future__ import annotations

import numpy as np

from mhat.notation import count_steps, number
from mhat.streams.stream import Stream, made


def constant(value: float = 1.0, *, steps: int = 100) -> Stream:
    """The same gradient at every step.

    Teaches what an update does when there is nothing to average: Adam moves by lr, whatever the value, because the
    gradient and its root mean square are the same number (down to values as small as eps: at 1e-8 it is half of lr).
    An implementation that forgets the bias correction, or stores it back, shows here first.

    Shape (steps,). Any number is a value, nan and inf included.

    >>> constant(10, steps=3).values
    array([10., 10., 10.])
    """
    value, steps = number("value", value), count_steps(steps)
    return made(constant, np.full(steps, value), value=value, steps=steps)


def zeros(*, steps: int = 100) -> Stream:
    """No gradient at all.

    Teaches what moves without a gradient: weight decay, and nothing else. Here 0 / (sqrt(0) + eps) must be 0, and
    without eps it is nan.

    Shape (steps,).

    >>> zeros(steps=3).values
    array([0., 0., 0.])
    """
    steps = count_steps(steps)
    return made(zeros, np.zeros(steps), steps=steps)


def ramp(slope: float = 1.0, start: float = 0.0, *, steps: int = 100) -> Stream:
    """A gradient that grows by the same amount every step: 0, 1, 2, ...

    Teaches that averages lag: the second moment remembers longer than the first, so the root of the one falls behind
    the other and the ratio rises above 1. The first gradient is 0, which also shows what 0 / 0 does.

    Shape (steps,).

    >>> ramp(2, start=1, steps=4).values
    array([1., 3., 5., 7.])
    """
    slope, start, steps = number("slope", slope), number("start", start), count_steps(steps)
    with np.errstate(all="ignore"):
        values = start + slope * np.arange(steps, dtype=np.float64)
    return made(ramp, values, slope=slope, start=start, steps=steps)


def exponential(ratio: float = 1.11, start: float = 1.0, *, steps: int = 100) -> Stream:
    """A gradient that is multiplied by `ratio` every step.

    Teaches how far one step of Adam can go. Gradients that grow by beta2 / beta1, here 1.11, make the longest steps
    there are: they pass the bound of the paper, 3.1623 lr, at step 210, and at step 3,000 are 7.09 lr long, near the
    true bound, 7.2703 lr. A ratio below 1 shows gradients that vanish while the second moment still remembers the
    large ones: at 0.9 the fiftieth step is 0.083 lr long.

    Shape (steps,); each value is the product of the one before and the ratio. What overflows is inf.

    >>> exponential(2, steps=5).values
    array([ 1.,  2.,  4.,  8., 16.])
    """
    ratio, start, steps = number("ratio", ratio), number("start", start), count_steps(steps)
    factors = np.full(steps, ratio)
    factors[0] = start
    with np.errstate(all="ignore"):
        values = np.multiply.accumulate(factors)
    return made(exponential, values, ratio=ratio, start=start, steps=steps)
